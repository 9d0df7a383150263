"""The scorecard: how predictions of trials that were not seen compare with what was reported, and with two baselines.

The summary takes one row per arm and end point (mean change of skin score, or of FVC in percent of predicted; the last
visit up to 52 weeks), each predicted by a posterior that has not seen its trial. Rows that only test a prior, since no
other trial of the drug is fitted, stand apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration import baselines, scoring
from stromal.calibration.observations import FVC_ML_PER_PERCENT, LAST_WEEK_OF_YEAR, MEANS, from_scale, preferred
from stromal.calibration.prediction import LEVELS, Predictions, summary

Array = NDArray[np.float64]
USUAL_FVC: Final = 75.0
"""FVC [% predicted] from which a relative change is brought to points, where the arm does not report its own."""
SCORED: Final = {"skin": "mRSS points", "FVC": "% of predicted FVC"}
"""Families of the summary and the common unit of their rows."""


@final
@dataclass(frozen=True, eq=False)
class Scorecard:
    """Predicted and observed results.

    Attributes
    ----------
    rows : DataFrame
        One row per result: trial, arm, endpoint, endpoint_detail, population, stat_type, week, observed, predicted, sd
        (of the predicted arm mean), lo50, hi50, lo90, hi90, in50, in90, reason (why not predicted; empty if
        predicted), family, fitted, tuned_prototype, tests_prior, in_summary.
    spreads : DataFrame
        The same for SDs between patients that were reported.
    scored : DataFrame
        Rows of the summary on a common scale with CRPS, interval score and PIT of the model and of both baselines.
    summary : dict
        By family: coverage, scores, differences to the baselines.
    failures : int
        Candidates, and patients in arms, whose simulation failed.
    """

    rows: pd.DataFrame
    spreads: pd.DataFrame
    scored: pd.DataFrame
    summary: dict[str, Any]
    failures: int = 0


def scorecard(
    table: pd.DataFrame,
    observed: pd.DataFrame,
    predictions: Mapping[str, Predictions],
    tuned: Mapping[str, bool],
    own_prior: Mapping[tuple[str, str], bool],
    seed: int,
    *,
    others: pd.DataFrame | None = None,
) -> Scorecard:
    """Compare predictions with results.

    Parameters
    ----------
    table : DataFrame
        Results with the column `reason`.
    observed : DataFrame
        Observations (predicted results).
    predictions : mapping of trial to Predictions
        In the order of the trial's rows of `observed`.
    tuned : mapping of trial to bool
        Whether its numbers tuned the prototype of the model.
    own_prior : mapping of (trial, arm) to bool
        Whether the row tests a prior: no other fitted trial of that treatment.
    others : DataFrame, optional
        Arms that baselines learn from (columns family, trial, kind, value, variance), beside those of `observed`.
    """
    rows, spreads, samples = [], [], {}
    for trial, own in observed.groupby("trial", sort=False) if len(observed) else ():
        found = predictions[str(trial)]
        for k, (index, o) in enumerate(own.iterrows()):
            samples[index] = found.results[:, k]
            mark = {
                "family": o["family"],
                "fitted": o["not_fitted"] == "",
                "tuned_prototype": tuned.get(str(trial), False),
                "tests_prior": own_prior.get((str(trial), o["arm"]), False),
            }
            rows.append((o["row"], summary(samples[index], o["value"]) | mark | _reported(o)))
            if np.isfinite(o["log_sd"]):
                spread = found.spreads[:, k]
                spreads.append(_named(table.iloc[o["row"]]) | {"observed": o["sd"]} | summary(spread, o["sd"]) | mark)
    listed, spread_rows = _listed(table, dict(rows)), pd.DataFrame(spreads)
    means = arm_means(observed) if len(observed) else pd.DataFrame()
    judged = _with_baselines(_scored(means, samples, listed), others)
    listed["in_summary"] = np.isin(np.arange(len(listed)), judged["row"]) if len(judged) else False
    failures = sum(p.failures for p in predictions.values())
    return Scorecard(listed, spread_rows, judged, _summary(judged, listed, spread_rows, seed), failures)


def arm_means(observed: pd.DataFrame) -> pd.DataFrame:
    """One row per arm and family of the summary: the mean change at the last visit up to 52 weeks, on a common scale.

    Returns
    -------
    DataFrame
        Index as of `observed`; columns row, trial, arm, week, family, kind (of `baselines.KINDS`), value and variance
        (on the common scale), shift and factor (to it: ``factor * (result - shift)``).
    """
    rows = observed[preferred(observed) & observed["family"].isin(MEANS) & (observed["week"] <= LAST_WEEK_OF_YEAR)]
    rows = rows.sort_values("week", kind="stable").groupby(["trial", "arm", "family"], sort=False).tail(1).sort_index()
    factor = np.array([_factor(o) for _, o in rows.iterrows()])
    shift = np.where(rows["kind"] == "value", rows["baseline"], 0.0)
    return rows[["row", "trial", "arm", "week", "family"]].assign(
        kind=[_kind(o) for _, o in rows.iterrows()],
        value=factor * (rows["value"] - shift),
        variance=(factor * rows["error"]) ** 2,
        shift=shift,
        factor=factor,
    )


def _reported(o: pd.Series) -> dict[str, float]:
    """Ends of the 95 % sampling interval of what was reported, where its error is known."""
    ends = [float(from_scale(o["kind"], o["y"] + s * 1.96 * o["error"])) for s in (-1.0, 1.0)]
    return {"observed_low": min(ends), "observed_high": max(ends)}


def _named(row: pd.Series) -> dict[str, Any]:
    keys = ("trial", "arm", "endpoint", "endpoint_detail", "population", "stat_type", "unit", "drug")
    return {**{k: row[k] for k in keys if k in row}, "week": float(row["timepoint_weeks"])}


def _listed(table: pd.DataFrame, found: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    empty: dict[str, Any] = {"family": "", "fitted": False, "tuned_prototype": False, "tests_prior": False}
    numbers = (
        "observed_low",
        "observed_high",
        "predicted",
        "sd_predicted",
        *(f"{e}{n}" for n in LEVELS for e in ("lo", "hi", "in")),
    )
    listed = [
        _named(row)
        | {"observed": float(row["value"]), "reason": row["reason"]}
        | dict.fromkeys(numbers)
        | empty
        | dict(found.get(k, {}))
        for k, (_, row) in enumerate(table.iterrows())
    ]
    return pd.DataFrame(listed).rename(columns={"sd_predicted": "sd"})


def _factor(o: pd.Series) -> float:
    """To percent of predicted FVC, or 1."""
    per_percent = {"FVC_mL_change": 1.0, "FVC_mL_per_year": 1.0, "FVC_L_value": 1000.0}
    if o["endpoint"] in per_percent:
        return per_percent[o["endpoint"]] / FVC_ML_PER_PERCENT
    if o["kind"] == "relative change":
        return (float(o["baseline_fvc"]) if np.isfinite(o["baseline_fvc"]) else USUAL_FVC) / 100.0
    return 1.0


def _kind(o: pd.Series) -> str:
    if o["cells"]:
        return "cells"
    if o["transplant"]:
        return "transplant"
    return "drug" if o["drug"] else "control"


def _scored(means: pd.DataFrame, samples: Mapping[Any, Array], listed: pd.DataFrame) -> pd.DataFrame:
    """The rows of the summary with the model's prediction and scores."""
    rows = []
    for index, m in means.iterrows():
        sample = m["factor"] * (samples[index] - m["shift"])
        numbers = summary(sample, m["value"])
        marks = listed.iloc[m["row"]][["tuned_prototype", "tests_prior"]].to_dict()
        rows.append(
            m.to_dict()
            | numbers
            | marks
            | {
                "crps": float(scoring.crps_sample(sample, m["value"])),
                "interval_score": float(scoring.interval_score(numbers["lo90"], numbers["hi90"], m["value"], 0.9)),
                "pit": float(np.mean(sample < m["value"]) + 0.5 * np.mean(sample == m["value"])),
            }
        )
    return pd.DataFrame(rows)


def _with_baselines(scored: pd.DataFrame, others: pd.DataFrame | None) -> pd.DataFrame:
    """CRPS and interval score of both baselines for each row."""
    if not len(scored):
        return scored
    parts = []
    for family, own in scored.groupby("family", sort=False):
        known = own[["trial", "kind", "value", "variance"]]
        more = (
            others[(others["family"] == family) & ~others["trial"].isin(own["trial"])] if others is not None else None
        )
        pool = known if more is None else pd.concat([known, more[known.columns]], ignore_index=True)
        for trial, rows in own.groupby("trial", sort=False):
            part = rows.copy()
            for name, function in (("naive", baselines.naive), ("pool", baselines.pool)):
                predicted = function(pool, trial)
                part[f"crps_{name}"] = scoring.crps_normal(predicted.mean, predicted.sd, rows["value"].to_numpy())
                low, high = (predicted.mean + s * 1.6448536269514722 * predicted.sd for s in (-1.0, 1.0))
                part[f"interval_score_{name}"] = scoring.interval_score(low, high, rows["value"].to_numpy(), 0.9)
            parts.append(part)
    return pd.concat(parts).sort_index()


def _summary(scored: pd.DataFrame, rows: pd.DataFrame, spreads: pd.DataFrame, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for family, unit in SCORED.items():
        own = scored[scored["family"] == family] if len(scored) else scored
        if not len(own):
            continue
        judged = own[~own["tests_prior"]]
        found[family] = {
            "unit": unit,
            **_scores(judged, seed),
            "without_tuned": _scores(judged[~judged["tuned_prototype"].astype(bool)], seed),
            "all_rows": _scores(own, seed),
        }
    predicted = rows[rows["reason"] == ""] if len(rows) else rows
    found["coverage_by_family"] = {str(f): _coverages(g) for f, g in predicted.groupby("family", sort=True) if str(f)}
    if len(spreads):
        found["spreads"] = {str(f): _coverages(g) for f, g in spreads.groupby("family", sort=True)}
    return found


def _scores(rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    if not len(rows):
        return {"rows": 0, "trials": 0}
    trials = rows["trial"]
    result: dict[str, Any] = {
        "rows": len(rows),
        "trials": int(trials.nunique()),
        "assessable": bool(scoring.assessable(trials)),
        **_coverages(rows),
    }
    for score in ("crps", "interval_score"):
        result[score] = float(rows[score].mean())
        for name in ("naive", "pool"):
            other = rows[f"{score}_{name}"]
            difference = scoring.paired_difference(rows[score].to_numpy(), other.to_numpy(), list(trials), seed)
            result[f"{score}_{name}"] = float(other.mean())
            result[f"{score}_less_{name}"] = {"mean": difference.mean, "low": difference.low, "high": difference.high}
    return result


def _coverages(rows: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, level in LEVELS.items():
        c = scoring.coverage(rows[f"in{name}"].astype(bool).to_numpy(), list(rows["trial"]), level)
        found[f"pi{name}"] = {
            "share": c.share,
            "low": c.low,
            "high": c.high,
            "n": c.n,
            "trials": c.trials,
            "compatible": c.compatible,
        }
    return found
