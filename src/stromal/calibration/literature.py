"""Published trials as studies to simulate: what was done, and every result with its statistic or why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, final

import pandas as pd

from stromal.calibration.baseline import MOMENTS
from stromal.calibration.statistics import Statistic, statistic_of
from stromal.design import PublishedArm, PublishedTrial, read_published
from stromal.design.published import PublishedGroup
from stromal.evidence.arms import arms
from stromal.evidence.usable import usable_results

LIBRARY: Final = Path(__file__).parent / "library"
EVERYBODY: Final = PublishedGroup(population="all patients of the arm")


@final
@dataclass(frozen=True)
class Result:
    """One result that is predicted.

    Attributes
    ----------
    row : int
        Position in the table of results.
    arm : PublishedArm
    group : PublishedGroup
        Which patients of the arm.
    statistic : Statistic
    """

    row: int
    arm: PublishedArm
    group: PublishedGroup
    statistic: Statistic


@final
@dataclass(frozen=True)
class Study:
    """A published trial with the results that are predicted.

    Attributes
    ----------
    trial : PublishedTrial
    results : tuple of Result
    baselines : mapping of arm to mapping of column to float
        Reported baseline of each arm that has a row in the table of arms (columns of `ssc_arms.csv`).
    """

    trial: PublishedTrial
    results: tuple[Result, ...]
    baselines: Mapping[str, Mapping[str, float]]

    @property
    def days(self) -> tuple[int, ...]:
        """Days after baseline on which patients are looked at: visits, and days of results."""
        own = {r.statistic.day for r in self.results}
        last = max(own, default=0)
        return tuple(sorted({0, *own, *(d for d in self.trial.visits.days if d <= last)}))


@cache
def library() -> dict[str, PublishedTrial]:
    """The shipped trials, by name."""
    trials = [read_published(path) for path in sorted(LIBRARY.glob("*.yaml"))]
    return {t.trial: t for t in trials}


def studies(
    results: pd.DataFrame, arm_table: pd.DataFrame, trials: Mapping[str, PublishedTrial]
) -> tuple[list[Study], pd.Series]:
    """Match results with trials.

    Parameters
    ----------
    results : DataFrame
        With the columns of ``ssc_arm_results.csv``.
    arm_table : DataFrame
        With the columns of ``ssc_arms.csv``.
    trials : mapping of name to PublishedTrial

    Returns
    -------
    studies : list of Study
        In the order of the table of results; trials of which nothing is predicted are left out.
    reasons : Series
        For each row of `results` why it is not predicted; empty where it is.
    """
    reasons = pd.Series("", index=results.index, dtype=object)
    found: list[Study] = []
    for name, rows in results.groupby("trial", sort=False):
        trial = trials.get(str(name))
        own = _baselines(arm_table[arm_table["trial"] == name])
        predicted: list[Result] = []
        for position in rows.index:
            result = _result(results.loc[position], int(results.index.get_loc(position)), trial, own)
            if isinstance(result, str):
                reasons[position] = result
            else:
                predicted.append(result)
        if trial is not None and predicted:
            found.append(Study(trial, tuple(predicted), own))
    return found, reasons


@cache
def shipped_literature() -> tuple[pd.DataFrame, tuple[Study, ...]]:
    """The usable results of the shipped base, with the column `reason`, and the studies that are simulated."""
    table = usable_results()
    found, reasons = studies(table, arms(), library())
    return table.assign(reason=reasons), tuple(found)


def _result(
    row: pd.Series, position: int, trial: PublishedTrial | None, baselines: Mapping[str, Mapping[str, float]]
) -> Result | str:
    if pd.isna(row["value"]):
        return "the result has no value"
    if trial is None:
        return "the trial is not in the library, and its table says neither regimen nor arm class"
    arm = next((a for a in trial.arms if a.name == row["arm"]), None)
    group = _group(str(row["population"]), trial.groups)
    if arm is None:
        return "the arm is not described"
    if group is None:
        return arm.not_simulated or f"the group {row['population']!r} is not described"
    statistic = arm.not_simulated or group.not_simulated or statistic_of(row)
    if isinstance(statistic, str):
        return statistic
    if statistic.kind == "value" and f"{MOMENTS.get(statistic.measure)}_mean" not in baselines.get(arm.name, {}):
        return "a value without a baseline of its arm to weigh patients to"
    return Result(position, arm, group, statistic)


def _group(population: str, groups: Iterable[PublishedGroup]) -> PublishedGroup | None:
    if not population:
        return EVERYBODY
    return next((g for g in groups if g.population == population), None)


def _baselines(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    numbers = rows.select_dtypes("number").columns
    table = rows.assign(median=rows["stat_note"].str.contains("median", case=False).astype(float))
    return {
        str(row["arm"]): {k: float(row[k]) for k in (*numbers, "median") if pd.notna(row[k])}
        for _, row in table.iterrows()
    }
