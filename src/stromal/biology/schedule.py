"""Turn what is given, and when, into the actions that change the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import CodeType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.biology.parameters import names_in, parameter_table
from stromal.biology.registry import COURSE_NUMBERS, PRODUCTS, Change
from stromal.design import Course
from stromal.engine import empty_schedule

CELLS_PER_DOSE: Final = 1.0e6
"""Cells (or cell equivalents) per kg in one reference dose."""

Array = NDArray[np.float64]


def actions(courses: Iterable[Course], parameters: pd.DataFrame, *, entry: ArrayLike) -> pd.DataFrame:
    """Schedule of a list of courses for a table of patients.

    Parameters
    ----------
    courses : iterable of Course
        Their days count from entry. Of two courses of one daily drug that overlap, the higher share counts.
    parameters : DataFrame
        Patient x parameter; names that are missing take the shipped value (of `pot`, the potency of the lot
        relative to its source, 1).
    entry : array_like, shape (n_patients,) or ()
        Day 0 of the courses [d after the trigger].

    Returns
    -------
    DataFrame
        Columns ``patient, time, kind, target, amount``, by patient and time; at equal times in the order of
        the courses. Patients are the index of `parameters`.
    """
    start = np.broadcast_to(np.asarray(entry, dtype=float), (len(parameters),))
    parts: list[pd.DataFrame] = []
    daily: dict[str, list[Course]] = {}
    for course in courses:
        action = PRODUCTS[course.product]
        if action.while_taken:
            daily.setdefault(action.while_taken, []).append(course)
            continue
        changes = action.local if course.route == "local" else action.changes
        for day in course.days:
            parts.extend(_rows(change, start + day, parameters, course) for change in changes)
    for target, taken in daily.items():
        parts.extend(_table(parameters.index, start + day, "set", target, share) for day, share in _shares(taken))
    return _sorted(parts)


def trigger(parameters: pd.DataFrame) -> pd.DataFrame:
    """Schedule of the triggering insult: `trigger` is `trigA` from time 0 to `trigT` [d], then 0.

    Parameters
    ----------
    parameters : DataFrame
        Patient x parameter; `trigA` and `trigT` take the shipped value where they are missing.

    Returns
    -------
    DataFrame
        As of `actions`.
    """
    strength, duration = _column(parameters, "trigA"), _column(parameters, "trigT")
    return _sorted(
        [
            _table(parameters.index, np.zeros(len(parameters)), "set", "trigger", strength),
            _table(parameters.index, duration, "set", "trigger", 0.0),
        ]
    )


def amount(formula: str, values: Mapping[str, Array | float]) -> Array | float:
    """Value of an action's formula."""
    result: Array | float = eval(_compiled(formula), {"__builtins__": {}}, dict(values))  # noqa: S307 - the formulas are those of the registry
    return result


@cache
def _compiled(formula: str) -> CodeType:
    return compile(formula, "registry formula", "eval")


def _rows(change: Change, times: Array, parameters: pd.DataFrame, course: Course) -> pd.DataFrame:
    own = {"share": course.share_of_standard_dose, "dose": (course.dose_per_kg or 0.0) / CELLS_PER_DOSE}
    values = {name: _column(parameters, name) for name in names_in(change.amount) - COURSE_NUMBERS}
    return _table(parameters.index, times, change.kind, change.target, amount(change.amount, {**values, **own}))


def _shares(courses: Iterable[Course]) -> list[tuple[float, float]]:
    """Days on which the share being taken changes, with the new share."""
    spans = [
        (float(c.from_day or 0), np.inf if c.to_day is None else float(c.to_day), c.share_of_standard_dose)
        for c in courses
    ]
    days = sorted({day for first, last, _ in spans for day in (first, last) if np.isfinite(day)})
    taken = [(day, max((share for first, last, share in spans if first <= day < last), default=0.0)) for day in days]
    return [now for before, now in zip([(0.0, 0.0), *taken], taken, strict=False) if now[1] != before[1]]


def _column(parameters: pd.DataFrame, name: str) -> Array:
    if name in parameters.columns:
        own: Array = parameters[name].to_numpy(dtype=float)
        return own
    return np.full(len(parameters), float(parameter_table().at[name, "value"]))


def _table(patients: pd.Index, times: Array, kind: str, target: str, amounts: Array | float) -> pd.DataFrame:
    return pd.DataFrame({"patient": patients, "time": times, "kind": kind, "target": target, "amount": amounts})


def _sorted(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return empty_schedule()
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values(["patient", "time"], kind="stable", ignore_index=True)
