"""FVC patient by patient: observed percentiles by arm and month against bands from patients that were never fitted.

The patients are those of Scleroderma Lung Study I, or of any table with its columns. The posterior is one without any
row of that trial. Who is missing is respected twice: simulated patients count by their probability to be still there,
which falls as their lungs get worse, and each band is that of as many patients as were seen at that visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.cohorts import ArmCourse, follow
from stromal.calibration.literature import EVERYBODY, Result, Study, library
from stromal.calibration.statistics import Statistic
from stromal.calibration.weighting import weigh
from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.population.posterior import Posterior
from stromal.population.recipe import drift_share

Array = NDArray[np.float64]
COLUMNS: Final = ("patient", "month", "fvc_pct", "fvc0_centred", "cyc")
TRIAL: Final = "SLS I"
ARMS: Final = {0: "placebo", 1: "cyclophosphamide"}
PERCENTILES: Final = (10, 50, 90)
REPEATS: Final = 20
"""Trials drawn from each draw of the posterior."""


@final
@dataclass(frozen=True, eq=False)
class PatientCheck:
    """Observed percentiles and simulated bands.

    Attributes
    ----------
    rows : DataFrame
        One row per arm, month and percentile: n, observed, predicted (median of the band), lo50, hi50, lo90, hi90,
        in50, in90 [% of predicted FVC].
    baseline : DataFrame
        Mean and SD of FVC at baseline by arm, observed and simulated.
    failures : int
        Candidates, and patients in arms, whose simulation failed.
    """

    rows: pd.DataFrame
    baseline: pd.DataFrame
    failures: int


def read_patients(path: Path) -> pd.DataFrame:
    """Read a table of FVC by patient and month.

    Raises
    ------
    InputError
        The file cannot be read, a column of `COLUMNS` is missing, a value is no number, an arm is neither 0 nor 1, or
        there is no row.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"the table cannot be read: {reason}", file=path, remedy="a CSV file in UTF-8") from error
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing or not len(table):
        raise InputError(
            "columns or rows are missing", file=path, value=missing or "no rows", remedy=", ".join(COLUMNS)
        )
    for column in COLUMNS:
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = ~np.isfinite(numbers.to_numpy(dtype=float))
        if bad.any():
            line = int(bad.argmax())
            value = table[column].iloc[line]
            raise InputError(
                "not a number", file=path, place=f"line {line + 2}, {column}", value=value, remedy="a number"
            )
        table[column] = numbers
    wrong = ~table["cyc"].isin(list(ARMS))
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise InputError(
            "an arm is 0 (placebo) or 1 (cyclophosphamide)",
            file=path,
            place=f"line {line + 2}, cyc",
            value=table["cyc"].iloc[line],
            remedy="0 or 1",
        )
    return table


def check_patients(
    table: pd.DataFrame, baseline_mean: float, posterior: Posterior, seed: int, *, patients: int = 100
) -> PatientCheck:
    """Compare observed percentiles with simulated bands.

    Parameters
    ----------
    table : DataFrame
        Of `read_patients`.
    baseline_mean : float
        Mean FVC at baseline [% predicted] from which `fvc0_centred` counts.
    posterior : Posterior
        Draws that have not seen the trial.
    patients : int
        Eligible patients of each draw.
    """
    study = _study(sorted({int(m) for m in table["month"]}))
    followed = follow(study, posterior, seed, range(len(posterior.draws)), patients)
    rows, baselines = [], []
    for code, arm in ARMS.items():
        own = table[table["cyc"] == code]
        if not len(own):
            continue
        start = own.drop_duplicates("patient")["fvc0_centred"].to_numpy() + baseline_mean
        course = followed.arms[arm]
        weights = _weights(course, start)
        baselines.append(_baseline(arm, start, course.start["fvc_pct"], weights))
        for month, seen in own.groupby("month"):
            bands = _bands(course, weights, posterior, int(month), len(seen), seed)
            rows += _compared(arm, int(month), seen["fvc_pct"].to_numpy(), bands)
    return PatientCheck(pd.DataFrame(rows), pd.DataFrame(baselines), followed.failures)


def _study(months: list[int]) -> Study:
    trial = library()[TRIAL]
    arms = {a.name: a for a in trial.arms}
    results = tuple(
        Result(0, arms[name], EVERYBODY, Statistic("value", "fvc_pct", _day(m)))
        for name in ARMS.values()
        for m in months
    )
    return Study(trial, results, {})


def _day(month: int) -> int:
    return round(DAYS_PER_MONTH * month)


def _weights(course: ArmCourse, start: Array) -> Array:
    """Weights of all patients, by draw, that give the observed mean and SD of FVC at baseline; each draw sums to 1."""
    weights = np.zeros(len(course.people))
    n = max(len(start), 2)
    for everybody in course.people.groupby("replicate").indices.values():
        rows = everybody[course.solved[everybody]]
        own = course.start["fvc_pct"][rows]
        features = np.column_stack([own, (own - start.mean()) ** 2])
        targets = np.array([start.mean(), start.var()])
        errors = np.array([start.std() / np.sqrt(n), np.sqrt(2.0 / n) * start.var()])
        weights[rows] = weigh(features, targets, errors).weights
    return weights


def _baseline(arm: str, start: Array, simulated: Array, weights: Array) -> dict[str, Any]:
    share = weights / weights.sum()
    simulated = np.where(share > 0.0, simulated, 0.0)
    mean = float(share @ simulated)
    return {
        "arm": arm,
        "patients": len(start),
        "observed_mean": float(start.mean()),
        "observed_sd": float(start.std(ddof=1)),
        "simulated_mean": mean,
        "simulated_sd": float(np.sqrt(share @ (simulated - mean) ** 2)),
    }


def _bands(course: ArmCourse, weights: Array, posterior: Posterior, month: int, n: int, seed: int) -> Array:
    """Percentiles of `n` patients in trials of many draws, (n_trials, n_percentiles)."""
    k = course.column(_day(month))
    values, chance = course.measured["fvc_pct"][:, k], np.where(course.solved, weights * course.seen[:, k], 0.0)
    arm = course.arm.name
    found = []
    for draw, rows in course.people.groupby("replicate").indices.items():
        streams, numbers = Streams(seed, int(draw)), posterior.of(int(draw))
        cumulative = np.cumsum(chance[rows]) / chance[rows].sum()
        for repeat in range(REPEATS):
            z = streams.normal("patients: study effect on FVC", 1, occasion=repeat)[0]
            shift = (numbers["fvc_drift"] + numbers["fvc_sd"] * z) * drift_share(_day(month))
            u = streams.uniform(f"patients: {arm}, month {month}", n, occasion=repeat)
            chosen = values[rows][np.searchsorted(cumulative, u)]
            found.append(np.percentile(chosen + shift, PERCENTILES))
    return np.array(found)


def _compared(arm: str, month: int, seen: Array, bands: Array) -> list[dict[str, Any]]:
    rows = []
    for p, observed, band in zip(PERCENTILES, np.percentile(seen, PERCENTILES), bands.T, strict=True):
        lo50, hi50, lo90, hi90 = np.quantile(band, [0.25, 0.75, 0.05, 0.95])
        rows.append(
            {
                "arm": arm,
                "month": month,
                "percentile": p,
                "n": len(seen),
                "observed": float(observed),
                "predicted": float(np.median(band)),
                "lo50": float(lo50),
                "hi50": float(hi50),
                "lo90": float(lo90),
                "hi90": float(hi90),
                "in50": bool(lo50 <= observed <= hi50),
                "in90": bool(lo90 <= observed <= hi90),
            }
        )
    return rows
