"""Published results as observations: on a scale with normal errors, with their error, and which are fitted.

Means stay as they are, shares of patients become probits, survival a complementary log-log. Every observation loads on
the drift of its study.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from stromal.calibration.baseline import MOMENTS
from stromal.calibration.literature import Result, Study
from stromal.calibration.statistics import SURVIVAL
from stromal.population.recipe import drift_share

Array = NDArray[np.float64]
Family = Literal["skin", "FVC", "DLCO", "skin share", "FVC share", "survival"]
FVC_ML_PER_PERCENT: Final = 34.0
"""Predicted FVC of the simulated patients is about 3,400 mL."""
DEFAULT_N: Final = 20.0
"""Patients behind a result that does not say how many."""
SMALLEST_SHARE: Final = 0.5
"""None or all of n patients count as half a patient, so that the probit is finite."""


def observations(
    table: pd.DataFrame, studies: Sequence[Study], arm_sizes: Mapping[tuple[str, str], float]
) -> pd.DataFrame:
    """All predicted results as observations.

    Parameters
    ----------
    table : DataFrame
        Of results, as `studies` refer to it.
    arm_sizes : mapping of (trial, arm) to float
        Patients of an arm, for results that do not say how many they rest on.

    Returns
    -------
    DataFrame
        One row per predicted result, ordered by study and result: study, result (positions), row (in `table`), trial,
        arm, endpoint, family, kind, day, week, n, value and sd as reported, y and error (on the scale of the fit),
        log_sd and log_sd_error (NaN without a reported SD), unit_loading (of the study's drift, on `value`), drug
        (treated with anything beyond background), open_label, not_fitted (why; empty if fitted).
    """
    rows = [
        _observation(table.iloc[r.row], s, k, study, r, arm_sizes)
        for s, study in enumerate(studies)
        for k, r in enumerate(study.results)
    ]
    found = pd.DataFrame(rows)
    return found.assign(not_fitted=_not_fitted(found)) if len(found) else found


def to_scale(kind: str, value: ArrayLike, n: ArrayLike) -> Array:
    """A result on the scale of the fit; shares and survival [%] of `n` patients."""
    values = np.asarray(value, dtype=float)
    if kind not in ("share", *SURVIVAL):
        return values
    least = SMALLEST_SHARE / np.asarray(n, dtype=float)
    share = np.clip(values / 100.0, least, 1.0 - least)
    if kind == "share":
        return np.asarray(norm.ppf(share))
    return np.asarray(np.log(-np.log(share if kind == "survival" else 1.0 - share)))


def from_scale(kind: str, y: ArrayLike) -> Array:
    """The inverse of `to_scale`."""
    ys = np.asarray(y, dtype=float)
    if kind == "share":
        return np.asarray(100.0 * norm.cdf(ys))
    if kind in SURVIVAL:
        alive = np.exp(-np.exp(ys))
        return np.asarray(100.0 * (alive if kind == "survival" else 1.0 - alive))
    return ys


def slope_of_scale(kind: str, value: ArrayLike, n: ArrayLike) -> Array:
    """Derivative of `to_scale`."""
    values = np.asarray(value, dtype=float)
    if kind not in ("share", *SURVIVAL):
        return np.ones_like(values)
    least = SMALLEST_SHARE / np.asarray(n, dtype=float)
    share = np.clip(values / 100.0, least, 1.0 - least)
    if kind == "share":
        return np.asarray(0.01 / norm.pdf(norm.ppf(share)))
    alive = share if kind == "survival" else 1.0 - share
    slope = 0.01 / (alive * np.log(alive))
    return np.asarray(slope if kind == "survival" else -slope)


@final
@dataclass(frozen=True, eq=False)
class Scaled:
    """Simulated statistics of observations on the scale of the fit, each (n_draws, n_observations).

    Attributes
    ----------
    mean : array
    effect : array
        Mean less that of the same patients without the arm's regimen.
    log_sd : array
        Logarithm of the SD between patients; NaN where there is none.
    noise : array
        Variance of the mean due to the finite number of simulated patients.
    loading : (n_observations,)
        Answer of the mean to a unit drift of its study (a point of mRSS, a percent of FVC), averaged over draws.
    """

    mean: Array
    effect: Array
    log_sd: Array
    noise: Array
    loading: Array


def on_scale(table: pd.DataFrame, mean: Array, sd: Array, control: Array, drift: Array, ess: Array) -> Scaled:
    """Bring simulated statistics to the scale of the fit.

    Parameters
    ----------
    table : DataFrame
        Observations (columns kind, unit_loading).
    mean, sd, control, drift, ess : (n_draws, n_observations)
        As of `cohorts.Simulated`, and the effective sample behind each.
    """
    kinds, size = table["kind"].to_numpy(), np.maximum(ess, 1.0)

    def each(function: Callable[[str, ArrayLike, ArrayLike], Array], values: Array) -> Array:
        return np.stack([function(kind, values[:, k], size[:, k]) for k, kind in enumerate(kinds)], axis=1)

    scaled, slope = each(to_scale, mean), each(slope_of_scale, mean)
    answers = np.ma.masked_invalid(slope * drift).mean(axis=0).filled(0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_sd = np.where(sd > 0.0, np.log(sd), np.nan)
    loading = np.asarray(answers * table["unit_loading"].to_numpy())
    return Scaled(scaled, scaled - each(to_scale, control), log_sd, (slope * sd) ** 2 / size, loading)


def _observation(
    row: pd.Series, study: int, position: int, of: Study, result: Result, arm_sizes: Mapping[tuple[str, str], float]
) -> dict[str, object]:
    statistic = result.statistic
    n = row["n_at_timepoint"]
    n = float(n) if pd.notna(n) else float(arm_sizes.get((row["trial"], row["arm"]), DEFAULT_N))
    sd = row["sd"] if pd.notna(row["sd"]) else row.get("sd_derived", np.nan)
    se = row["se"] if pd.notna(row["se"]) else row.get("se_derived", np.nan)
    value = float(row["value"])
    whole = n if np.isfinite(n) else DEFAULT_N
    kind, own = statistic.kind, of.baselines.get(result.arm.name, {})
    share_error = np.sqrt(
        np.clip(value / 100.0, 0.5 / whole, 1.0 - 0.5 / whole) * np.clip(1.0 - value / 100.0, 0.5 / whole, 1.0) / whole
    )
    return {
        "study": study,
        "result": position,
        "row": result.row,
        "trial": row["trial"],
        "arm": row["arm"],
        "endpoint": row["endpoint"],
        "family": _family(result),
        "kind": kind,
        "day": statistic.day,
        "week": float(row["timepoint_weeks"]),
        "n": whole,
        "population": row["population"],
        "stat_type": row["stat_type"],
        "unit": row["unit"],
        "value": value,
        "sd": float(sd) if pd.notna(sd) else np.nan,
        "y": float(to_scale(kind, value, whole)),
        "error": float(100.0 * share_error * abs(slope_of_scale(kind, value, whole)))
        if kind in ("share", *SURVIVAL)
        else (float(se) if pd.notna(se) else float(sd) / np.sqrt(whole) if pd.notna(sd) else np.nan),
        "log_sd": float(np.log(sd)) if pd.notna(sd) and kind not in ("share", *SURVIVAL) and whole >= 3 else np.nan,
        "log_sd_error": float(np.sqrt(0.5 / max(whole - 1.0, 1.0))),
        "unit_loading": _per_percent(statistic.measure) * float(drift_share(statistic.day)),
        "drug": bool(result.arm.regimen),
        "cells": any(c.kind in ("cells", "vesicles") for c in result.arm.regimen),
        "transplant": any(c.kind == "transplant" for c in result.arm.regimen),
        "open_label": not of.trial.blinded and bool(result.arm.regimen),
        "baseline": own.get(f"{MOMENTS.get(statistic.measure)}_mean", np.nan),
        "baseline_fvc": own.get("baseline_fvc_pct_mean", np.nan),
        "definition": row["endpoint_detail"],
        "trial_not_fitted": of.trial.not_fitted or "",
        "subgroup": bool(result.group.eligibility or result.group.among),
    }


def _per_percent(measure: str) -> float:
    """Units of a measure per unit of its drift (a point of mRSS, a percent of predicted FVC)."""
    return {"mrss": 1.0, "fvc_pct": 1.0, "fvc_ml": FVC_ML_PER_PERCENT}.get(measure, 0.0)


def _family(result: Result) -> Family:
    statistic = result.statistic
    if statistic.kind in SURVIVAL:
        return "survival"
    if statistic.kind == "share":
        return "skin share" if statistic.measure == "mrss" else "FVC share"
    return {"mrss": "skin", "dlco_pct": "DLCO"}.get(statistic.measure, "FVC")  # type: ignore[return-value]


_STATISTICS: Final = (r"observed mean", r"^mean", r"adjusted|model|LSM|MMRM|weighted|slope", r"derived", r"median")
"""Patterns of the kind of statistic, the most direct first."""
_KIND_ORDER: Final = ("change", "relative change", "value", "share", "survival", "mortality")
MEANS: Final = ("skin", "FVC")


def preferred(table: pd.DataFrame) -> pd.Series:
    """Whether a result is the one to use among those of its arm, family, definition and week.

    Changes before values, all randomised before subgroups, observed means before model means before medians.
    """
    rank = pd.DataFrame(
        {
            "subgroup": table["subgroup"],
            "kind": [_KIND_ORDER.index(k) for k in table["kind"]],
            "statistic": [_directness(t) for t in table["stat_type"]],
            "row": table["row"],
        }
    )
    keys = table[["trial", "arm", "family", "week"]].copy()
    keys["definition"] = np.where(table["family"].isin(MEANS), "", table["endpoint"] + table["definition"].astype(str))
    order = rank.sort_values(list(rank.columns)).index
    first = ~keys.loc[order].duplicated()
    return first.reindex(table.index)


def _directness(statistic: str) -> int:
    return next((i for i, p in enumerate(_STATISTICS) if re.search(p, statistic)), len(_STATISTICS))


def _not_fitted(table: pd.DataFrame) -> pd.Series:
    reasons = pd.Series("", index=table.index, dtype=object)
    reasons[~preferred(table)] = "another statistic of the same patients at the same time is used"
    means = table["family"].isin(MEANS)
    first_year = table["week"] <= LAST_WEEK_OF_YEAR
    keys = [table[c] for c in ("trial", "arm", "family")]
    for part in (first_year, ~first_year):
        last = table["week"].where(part & (reasons == "")).groupby(keys).transform("max")
        reasons[part & (reasons == "") & (table["week"] < last)] = "a later result of the same arm is used"
    has_mean = table[means & (reasons == "")].groupby(["trial", "arm"]).size().index
    arm = pd.MultiIndex.from_frame(table[["trial", "arm"]])
    reasons[(reasons == "") & table["family"].str.endswith("share") & arm.isin(has_mean)] = (
        "the arm's mean and SD are used"
    )
    reasons[(reasons == "") & (table["endpoint"] == "mRSS_stable_pct")] = "the rest of regression and progression"
    reasons[(reasons == "") & (table["family"] == "DLCO")] = "shown, not fitted: DLCO is a crude read-out"
    reasons[(reasons == "") & table["cells"]] = "cells are learned last"
    whole = (table["trial_not_fitted"] != "") & (reasons == "")
    reasons[whole] = table["trial_not_fitted"][whole]
    return reasons


LAST_WEEK_OF_YEAR: Final = 52.0
"""Summaries take the last visit up to this week."""
