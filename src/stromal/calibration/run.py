"""A calibration into a folder: draws of the population, emulators, what cells add, and how all of it was made."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration import cells
from stromal.calibration.artefact import CELLS, EMULATORS, cells_csv, emulators_csv, evidence_hash
from stromal.calibration.cohorts import Simulated
from stromal.calibration.fitting import Fit, Plan, Progress, Store, calibrate, run_stored, shipped_observations
from stromal.calibration.learned import as_draws, names, priors
from stromal.calibration.likelihood import Literature
from stromal.compute.content import content_hash, source_hash
from stromal.compute.provenance import provenance
from stromal.compute.runfolder import RunFolder, open_run
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
POSTERIOR: Final = "posterior.csv"
ABOUT: Final = "posterior.json"
SUPPORT: Final = "support.csv"
_WAVE: Final = 1_000_000
"""Positions of stored pieces: this times the wave, plus the position in the wave; the cells are the third wave."""
_CELLS_WAVE: Final = 2


@final
@dataclass(frozen=True)
class Calibrated:
    """A finished calibration.

    Attributes
    ----------
    folder : Path
    about : dict
        As in ``posterior.json``.
    was_complete : bool
        The folder held the finished calibration already.
    """

    folder: Path
    about: dict[str, Any]
    was_complete: bool


def run_calibration(
    plan: Plan, *, out: Path | None, workers: int, resume: bool, progress: Progress, command: str
) -> Calibrated:
    """Calibrate on the shipped evidence and write the results.

    Parameters
    ----------
    out : Path, optional
        Folder of the results; default ``runs/calibration-<hash of everything that can change the result>``.
    command : str
        The command that makes the result again.

    Raises
    ------
    InputError
        The folder holds something else.
    """
    identity: dict[str, object] = {"calibration": asdict(plan), "source": source_hash()}
    folder = open_run(out or Path("runs") / f"calibration-{content_hash(identity)[:8]}", identity, resume=resume)
    if not folder.complete:
        begun = time.perf_counter()
        done = {k: v for k, v in folder.done().items() if isinstance(v, Simulated)}
        store = Store(
            {divmod(k, _WAVE): v for k, v in done.items()},
            lambda key, result: folder.keep(_WAVE * key[0] + key[1], result),
        )
        fit = calibrate(plan, workers=workers, store=store, progress=progress)
        more = _cells(fit, plan, workers, store, progress)
        _write(
            folder,
            plan,
            fit,
            more,
            {"command": command, "seconds": round(time.perf_counter() - begun), "resumed": bool(done)},
        )
    about = json.loads((folder.path / ABOUT).read_text(encoding="utf-8"))
    return Calibrated(folder.path, about, folder.complete)


def _cells(fit: Fit, plan: Plan, workers: int, store: Store, progress: Progress) -> dict[str, Array]:
    """What cells add to each result of each study with cells."""
    _, found, table = shipped_observations()
    with_cells = set(table.loc[table["cells"], "trial"])
    draws = as_draws(fit.sample.draws[: cells.DRAWS], np.zeros(1))
    todo = cells.pieces([s for s in found if s.trial.trial in with_cells], draws, plan.seed, plan.patients)
    return cells.added(todo, run_stored(cells.run_piece, todo, _CELLS_WAVE, "cells", workers, store, progress))


def _write(folder: RunFolder, plan: Plan, fit: Fit, more: dict[str, Array], run: dict[str, Any]) -> None:
    literature = fit.literature
    row, result = _fitted_series(literature)
    prior = shipped_recipe().msc_effect
    effects, none = cells.learn(
        literature, fit.sample.draws, np.nanmean(more[cells.FITTED][:, :, result], axis=1), row, prior, plan.seed
    )
    draws = as_draws(fit.sample.draws, effects)
    about = {
        "plan": asdict(plan),
        "evidence_sha256": evidence_hash(literature.table),
        "results_fitted": len(literature.fitted),
        "trials_fitted": int(literature.table["trial"].iloc[literature.fitted].nunique()),
        "draws": len(draws),
        "sampler": {
            "effective_draws": round(fit.sample.effective, 1),
            "acceptance": round(fit.sample.acceptance, 3),
        },
        "emulators": _quality(literature),
        "contraction": contraction(literature, fit.sample.draws),
        "msc_effect": {
            "prior_none": prior.share_at_zero,
            "posterior_none": float(none.mean()),
            "prior_scale": prior.scale,
            "posterior_mean": float(effects.mean()),
            "prior_mean": float((1.0 - prior.share_at_zero) * prior.scale * np.sqrt(2.0 / np.pi)),
        },
        "failures": fit.explored.failures,
        **provenance(run.pop("command")),
        "run": run,
    }
    folder.write(POSTERIOR, draws.to_csv(index=False, float_format="%.6g"))
    folder.write(EMULATORS, emulators_csv(literature))
    folder.write(CELLS, cells_csv(more))
    folder.write(SUPPORT, _support(fit.explored.support).to_csv(index=False, float_format="%.4g"))
    folder.write(ABOUT, json.dumps(about, indent=1) + "\n")
    folder.finish()


def _fitted_series(literature: Literature) -> tuple[int, int]:
    """The result of the fitted series among the observations, and among its own results of the first year."""
    table = literature.table.reset_index(drop=True)
    own = table[(table["trial"] == cells.FITTED) & (table["kind"] == "change") & (table["week"] <= 52.0)]
    return int(own.index[0]), 0


def contraction(literature: Literature, draws: Array) -> dict[str, float]:
    """How much narrower each number became: 1 less the posterior variance over the prior variance."""
    _, sd = priors(literature.hyperparameters)
    return {n: float(1.0 - draws[:, k].var() / sd[k] ** 2) for k, n in enumerate(names())}


def _quality(literature: Literature) -> dict[str, float]:
    mean = literature.emulated.mean
    fitted = literature.fitted
    sampling = literature.table["error"].to_numpy()[fitted]
    return {
        "median_explained": float(np.nanmedian(mean.explained[fitted])),
        "median_added_sd": float(np.nanmedian(np.sqrt(mean.variance[fitted]))),
        "median_sampling_error": float(np.nanmedian(sampling)),
    }


def _support(table: pd.DataFrame) -> pd.DataFrame:
    """How well weighted patients meet each arm's baseline table, over the points of the last wave."""
    last = table[table["wave"] == table["wave"].max()]
    rows = []
    for (trial, arm), own in last.groupby(["trial", "arm"], sort=False):
        often = own["missed"].replace("", np.nan).dropna()
        rows.append(
            {
                "trial": trial,
                "arm": arm,
                "screened": own["screened"].mean(),
                "eligible": own["eligible"].mean(),
                "ess": own["ess"].mean(),
                "supported_share": own["supported"].mean(),
                "missed": often.str.split("; ").explode().str.rsplit(" ", n=2).str[0].mode().iloc[0]
                if len(often)
                else "",
            }
        )
    return pd.DataFrame(rows)
