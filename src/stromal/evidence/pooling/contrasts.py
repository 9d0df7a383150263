"""From the arms of studies to the table of contrasts that `network` takes, studies with more than two arms included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from stromal.compute.errors import InputError
from stromal.evidence.pooling.cells import DoubleZero
from stromal.evidence.pooling.inputs import Array, numbers, one_of, refuse
from stromal.evidence.pooling.method import Method


def contrasts(
    arms: pd.DataFrame, measure: str = "OR", *, correction: float = 0.5, double_zero: DoubleZero | None = None
) -> pd.DataFrame:
    """All comparisons between the arms of each study.

    Parameters
    ----------
    arms : DataFrame
        One row per arm: `study`, `treatment` and, for ``OR``, ``RR`` and ``RD``, `events` and `n`; for ``MD``, `mean`,
        `sd` and `n`; for ``IRR``, `events` and `time`.
    measure : {"OR", "RR", "RD", "MD", "IRR"}
        Each is a difference between quantities of single arms, so the comparisons of a study fit together. (A
        standardised mean difference is not: each pair of arms has its own standard deviation.)
    correction : float
        Added to the cells of all arms of a study in which any cell is 0.
    double_zero : {"keep", "drop"}, optional
        What becomes of studies without events, or with nothing but events, in all arms; must be given where there are
        any.

    Returns
    -------
    DataFrame
        `study`, `treat1`, `treat2`, `te` (first minus second; ratios as logarithms) and `se`.

    Raises
    ------
    InputError
        A column is missing, a value is none, a study has one arm or a treatment twice, or as for `log_odds_ratio`.
    """
    one_of(measure, CONTRASTS, "measure")
    if double_zero is not None:
        one_of(double_zero, ("keep", "drop"), "double_zero")
    needed = ("study", "treatment", *_COLUMNS[measure])
    missing = [name for name in needed if name not in arms.columns]
    if missing:
        raise InputError("columns are missing", place="arms", value=missing, remedy=", ".join(needed))
    if not (np.isfinite(correction) and correction >= 0.0):
        raise InputError("not a correction", place="correction", value=correction, remedy="0.5")
    values = {name: numbers(arms[name], name) for name in _COLUMNS[measure]}
    _check(values)
    rows: list[dict[str, object]] = []
    study, treatment = arms["study"].astype(str).to_numpy(), arms["treatment"].astype(str).to_numpy()
    for name in dict.fromkeys(study):
        own = study == name
        treatments = list(treatment[own])
        if len(treatments) < 2 or len(set(treatments)) < len(treatments):
            raise InputError(
                "a study has one arm only, or a treatment twice",
                place=name,
                value=treatments,
                remedy="two or more arms with different treatments; pool arms of one treatment first",
            )
        cells, empty = _corrected({k: v[own] for k, v in values.items()}, name, correction, double_zero)
        if empty and double_zero == "drop":
            continue
        level, variance = CONTRASTS[measure].function(**cells)
        for i, j in combinations(range(len(treatments)), 2):
            rows.append(
                {
                    "study": name,
                    "treat1": treatments[i],
                    "treat2": treatments[j],
                    "te": float(level[i] - level[j]),
                    "se": float(np.sqrt(variance[i] + variance[j])),
                }
            )
    return pd.DataFrame(rows, columns=["study", "treat1", "treat2", "te", "se"])


def _check(values: Mapping[str, Array]) -> None:
    for name, column in values.items():
        above = {"events": column >= 0.0, "n": column > 0.0, "time": column > 0.0, "sd": column > 0.0}
        fits = np.isfinite(column) & above.get(name, True)
        refuse(~fits, f"not a value of {name}", name, column, "a number that is not negative (0 only for events)")
    if "n" in values and "events" in values:
        refuse(values["events"] > values["n"], "more events than patients", "events", values["events"], "at most n")


def _corrected(
    cells: dict[str, Array], study: str, correction: float, double_zero: str | None
) -> tuple[dict[str, Array], bool]:
    """Cells of one study with the correction, and whether the study has no information about a ratio."""
    if "events" not in cells:
        return cells, False
    events = cells["events"]
    rest = cells["n"] - events if "n" in cells else np.ones(len(events))
    empty = bool((events == 0.0).all() or (rest == 0.0).all())
    if empty and double_zero is None:
        raise InputError(
            "a study has no events, or nothing but events, in all arms",
            place=study,
            value=double_zero,
            remedy='double_zero="drop", or double_zero="keep"',
        )
    if not ((events == 0.0).any() or (rest == 0.0).any()):
        return cells, empty
    if correction == 0.0 and not (empty and double_zero == "drop"):
        raise InputError("a study has a zero cell", place=study, value=correction, remedy="a correction such as 0.5")
    added = {"events": events + correction}
    if "n" in cells:
        added["n"] = cells["n"] + 2.0 * correction
    return cells | added, empty


_Arm = Callable[..., tuple[Array, Array]]


def _log_odds(events: Array, n: Array) -> tuple[Array, Array]:
    return np.log(events) - np.log(n - events), 1.0 / events + 1.0 / (n - events)


def _log_risk(events: Array, n: Array) -> tuple[Array, Array]:
    return np.log(events) - np.log(n), 1.0 / events - 1.0 / n


def _risk(events: Array, n: Array) -> tuple[Array, Array]:
    return events / n, events * (n - events) / n**3


def _mean(mean: Array, sd: Array, n: Array) -> tuple[Array, Array]:
    return mean, sd**2 / n


def _log_rate(events: Array, time: Array) -> tuple[Array, Array]:
    return np.log(events / time), 1.0 / events


_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "OR": ("events", "n"),
    "RR": ("events", "n"),
    "RD": ("events", "n"),
    "MD": ("mean", "sd", "n"),
    "IRR": ("events", "time"),
}
CONTRASTS: Final[Mapping[str, Method]] = {
    "OR": Method(
        _log_odds, "log odds of an arm", "10.1177/0272989X12455847", "test_smoking_cessation_from_arms_equals_netmeta"
    ),
    "RR": Method(_log_risk, "log risk of an arm", "10.2307/2530610", "test_contrasts_of_two_arms_are_the_effect_sizes"),
    "RD": Method(_risk, "risk of an arm", "10.1002/9780470743386", "test_contrasts_of_two_arms_are_the_effect_sizes"),
    "MD": Method(_mean, "mean of an arm", "10.1002/9780470743386", "test_contrasts_of_two_arms_are_the_effect_sizes"),
    "IRR": Method(
        _log_rate, "log rate of an arm", "10.1002/9780470743386", "test_contrasts_of_two_arms_are_the_effect_sizes"
    ),
}
"""The quantity of an arm and its variance, by measure."""
