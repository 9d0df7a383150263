"""Counts, means and times at risk as the arms of studies report them, checked; zero cells decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from stromal.compute.errors import InputError
from stromal.evidence.pooling.inputs import Array, numbers, one_of, refuse, same_length

DoubleZero = Literal["keep", "drop"]


def tables(
    events1: npt.ArrayLike, n1: npt.ArrayLike, events2: npt.ArrayLike, n2: npt.ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Events and non-events of group 1, then of group 2, checked.

    Raises
    ------
    InputError
        Missing or negative counts, more events than patients, an empty group, or lists of different length.
    """
    a, n = counts(events1, n1, "events1", "n1")
    c, m = counts(events2, n2, "events2", "n2")
    same_length(events1=a, events2=c)
    return a, n - a, c, m - c


def uninformative(a: Array, b: Array, c: Array, d: Array) -> npt.NDArray[np.bool_]:
    """Studies without events, or with nothing but events."""
    return np.asarray(((a == 0) & (c == 0)) | ((b == 0) & (d == 0)))


def counts(events: npt.ArrayLike, n: npt.ArrayLike, events_place: str, n_place: str) -> tuple[Array, Array]:
    """Patients with the event and all patients, checked (InputError as for `tables`)."""
    x, size = numbers(events, events_place), numbers(n, n_place)
    same_length(**{events_place: x, n_place: size})
    refuse(~(np.isfinite(size) & (size > 0)), "not a number of patients", n_place, size, "a number above 0")
    refuse(~(np.isfinite(x) & (x >= 0)), "not a count", events_place, x, "a number of patients with the event")
    refuse(x > size, "more events than patients", events_place, x, f"at most {n_place}")
    return x, size


def decide(without: npt.NDArray[np.bool_], double_zero: str | None) -> npt.NDArray[np.bool_]:
    """Which studies stay, of those `without` information and the others.

    Raises
    ------
    InputError
        There are studies without information and `double_zero` does not decide.
    """
    if double_zero is not None:
        one_of(double_zero, ("keep", "drop"), "double_zero")
    if without.any() and double_zero is None:
        raise InputError(
            "a study has no events, or nothing but events, in both groups",
            place=f"study {int(without.argmax()) + 1}",
            value=double_zero,
            remedy='double_zero="drop", or double_zero="keep" (corrected; usual for risk differences)',
        )
    return ~without if double_zero == "drop" else np.ones(len(without), dtype=bool)


def need_correction(zero: npt.NDArray[np.bool_], correction: float) -> None:
    """Raise InputError where `correction` is none, or a study has a zero cell and the correction is 0."""
    if not (np.isfinite(correction) and correction >= 0.0):
        raise InputError("not a correction", place="correction", value=correction, remedy="0.5")
    if zero.any() and correction == 0.0:
        raise InputError(
            "a study has a zero cell",
            place=f"study {int(zero.argmax()) + 1}",
            value=correction,
            remedy="a correction above 0, such as 0.5, or pool the tables with mantel_haenszel or peto",
        )


def means(**columns: npt.ArrayLike) -> tuple[Array, ...]:
    """Means, standard deviations and patients, told apart by the first letter of their names, checked.

    Raises
    ------
    InputError
        Missing values, a standard deviation that is not positive, fewer than two patients, or different lengths.
    """
    lists = {name: numbers(values, name) for name, values in columns.items()}
    same_length(**lists)
    wrong: dict[str, tuple[Callable[[Array], npt.NDArray[np.bool_]], str, str]] = {
        "m": (lambda x: ~np.isfinite(x), "not a mean", "a number"),
        "s": (lambda x: ~(np.isfinite(x) & (x > 0)), "not a standard deviation", "a number above 0"),
        "n": (lambda x: ~(np.isfinite(x) & (x >= 2)), "too few patients", "at least 2 patients"),
    }
    for name, values in lists.items():
        check, what, remedy = wrong[name[0]]
        refuse(check(values), what, name, values, remedy)
    return tuple(lists.values())
