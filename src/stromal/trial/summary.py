"""The machine-readable summary of a run: plain JSON values, the same for equal design, seed and version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.content import content_hash
from stromal.design.trial import TrialDesign
from stromal.engine.trajectories import solved
from stromal.population.msc_effect import points_of_effect
from stromal.population.posterior import MSC_EFFECT, shipped_posterior
from stromal.trial.conduct import TrialData
from stromal.trial.endpoints import observed
from stromal.trial.operating import endpoint_summaries, share_with_error
from stromal.trial.scenarios import Scenario
from stromal.trial.trajectories import completers, trajectory_rows

EVENTS: Final = ("treatment_related_sae", "organ_failure", "death", "left")


def design_hash(design: TrialDesign) -> str:
    """SHA-256 of the resolved design."""
    return content_hash(design.model_dump(mode="json"))


def summarise(
    design: TrialDesign,
    replicates: int,
    seed: int,
    estimates: pd.DataFrame,
    truth: pd.DataFrame,
    screened: pd.DataFrame,
    failures: pd.DataFrame,
    data: Mapping[Scenario, Sequence[TrialData]],
) -> dict[str, object]:
    """Everything that ``summary.json`` holds."""
    posterior = shipped_posterior()
    effects = posterior.draws[MSC_EFFECT]
    prior = estimates[estimates["scenario"] == "prior"].drop_duplicates("replicate")["msc_effect"]
    return {
        "design": {"title": design.title, "registry": design.registry, "content_hash": design_hash(design)},
        "replicates": replicates,
        "seed": seed,
        "endpoints": endpoint_summaries(design, estimates, truth),
        "effect": {
            "reference": design.effect.msc_effect,
            "reference_points": float(points_of_effect([design.effect.msc_effect])[0]),
            "prior_share_at_zero": posterior.base.msc_effect.share_at_zero,
            "prior_scale": posterior.base.msc_effect.scale,
            "prior_mean": posterior.base.msc_effect.mean,
            "prior_scale_points": float(points_of_effect([posterior.base.msc_effect.scale])[0]),
            "posterior_share_at_zero": float((effects == 0.0).mean()),
            "posterior_mean": float(effects.mean()),
            "prior_mean_drawn": float(prior.mean()),
            "prior_zero_drawn": float((prior == 0.0).mean()),
        },
        "population_draws": len(posterior.draws),
        "trajectory_replicates": int(sum(p.patients["replicate"].nunique() for p in data["null"])),
        "trajectories": trajectory_rows(data),
        "completers": completers(data),
        "recruitment": _recruitment(design, estimates),
        "responders": _responders(design, data),
        "screening": _screening(design, screened),
        "baseline": _baseline(data["null"]),
        "safety": _safety(design, data["reference"]),
        "supply": _supply(data["reference"]),
        "failures": len(failures),
    }


def _recruitment(design: TrialDesign, estimates: pd.DataFrame) -> dict[str, object]:
    """How many patients a trial randomises; fewer than planned where the safety rule keeps a block closed."""
    trials = estimates[estimates["scenario"] == "reference"].drop_duplicates("replicate")["randomised"]
    return {"full": float((trials == design.sample_size).mean()), "randomised_mean": float(trials.mean())}


def _responders(design: TrialDesign, data: Mapping[Scenario, Sequence[TrialData]]) -> list[dict[str, object]]:
    """Share of all randomised patients who are counted as responders, per scenario, end point and arm.

    The Monte Carlo error comes from the differences between replicates, since patients of one trial share its drift.
    """
    rows: list[dict[str, object]] = []
    for scenario, parts in data.items():
        people = pd.concat([p.patients[["replicate", "arm", "status"]] for p in parts], ignore_index=True)
        for endpoint in (e for e in design.endpoints if e.kind == "responder"):
            people["responds"] = np.concatenate([observed(endpoint, p) for p in parts])
            known = people[solved(people["status"])]
            by_trial = known.groupby(["arm", "replicate"])["responds"].mean()
            for arm, shares in by_trial.groupby("arm"):
                error = float(shares.sem(ddof=1)) if len(shares) > 1 else None
                rows.append(
                    {
                        "scenario": scenario,
                        "endpoint": endpoint.name,
                        "arm": arm,
                        "share": float(shares.mean()),
                        "share_mcse": error,
                    }
                )
    return rows


def _screening(design: TrialDesign, screened: pd.DataFrame) -> dict[str, object]:
    """Candidates per enrolled patient, and why candidates failed (by the first criterion that failed)."""
    total = screened.sum(numeric_only=True)
    return {
        "screened_per_enrolled": float(total["screened"] / total["enrolled"]),
        "failed_first_at": [
            {"criterion": k, "share": float(total[f"failed {k}"] / total["screened"])}
            for k in range(1, len(design.eligibility) + 1)
        ],
    }


def _baseline(parts: Sequence[TrialData]) -> dict[str, object]:
    """Patients at baseline: measured values and covariates."""
    people = pd.concat([p.patients for p in parts], ignore_index=True)
    values: dict[str, Any] = {m: np.concatenate([p.baseline[m] for p in parts]) for m in parts[0].baseline}
    values["age_years"] = people["age_years"].to_numpy()
    values["months_since_first_symptom"] = ((people["entry"] - people["first_symptom"]) / (365.25 / 12)).to_numpy()
    table: dict[str, object] = {k: _moments(v) for k, v in values.items()}
    for name in ("sex", "subset", "antibody", "background", "prior_drug"):
        table[name] = {str(k): float(v) for k, v in people[name].value_counts(normalize=True).sort_index().items()}
    return table


def _moments(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Mean and SD of what is known; a patient whose simulation failed before baseline has no value."""
    known = values[~np.isnan(values)]
    return {
        "mean": float(known.mean()) if len(known) else None,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
    }


def _safety(design: TrialDesign, parts: Sequence[TrialData]) -> list[dict[str, object]]:
    """Per arm: share of patients with each event by the last visit, under the reference effect."""
    people = pd.concat([p.patients for p in parts], ignore_index=True)
    rows: list[dict[str, object]] = []
    for arm in design.arms:
        own = people[people["arm"] == arm.name]
        row: dict[str, object] = {"arm": arm.name, "patients": len(own)}
        for event in EVENTS:
            row[event], row[f"{event}_mcse"] = share_with_error(own[event] <= design.visits.last)
        row["infusion_reactions_per_patient"] = float(own["reactions"].mean()) if len(own) else None
        types = own.loc[own["organ_failure_type"] != "", "organ_failure_type"].value_counts()
        row["organ_failure_types"] = {str(k): float(v / len(own)) for k, v in types.sort_index().items()}
        rows.append(row)
    return rows


def _supply(parts: Sequence[TrialData]) -> dict[str, object]:
    """Cells per trial: each infusion given at the dose per kg of the patient's weight."""
    people = pd.concat([p.patients for p in parts], ignore_index=True)
    per_trial = people.groupby("replicate")[["infusions", "cells"]].sum()
    return {
        "infusions_mean": float(per_trial["infusions"].mean()),
        "cells_mean": float(per_trial["cells"].mean()),
        "cells_p95": float(per_trial["cells"].quantile(0.95)),
        "lots": None,
    }
