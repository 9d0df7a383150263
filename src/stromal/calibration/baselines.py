"""Predictions of a left-out trial's arms that use no model of the disease: what a model has to beat.

Both learn from the arms of the other trials only, and take the arms of one trial as independent. They are not: arms of
a trial share protocol, centres and period, so the pool's standard error is too small where trials have several arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stromal.compute.errors import InputError
from stromal.evidence import pooling
from stromal.evidence.pooling.inputs import Array, frozen, numbers, one_of, refuse

KINDS: Final = ("control", "drug", "transplant", "cells")
"""What an arm was given."""
SMALLEST_KIND: Final = 3
"""Arms of the same kind from which a pool is made: with two, the variance between trials has one degree of freedom."""
SMALLEST_REST: Final = 2
"""Arms of other trials without which neither baseline has a spread."""


@final
@dataclass(frozen=True, eq=False)
class Predicted:
    """Normal predictions of the observed means of a trial's arms.

    Attributes
    ----------
    mean, sd : (n,)
        One per row of the trial, in the order of the table [unit of the value]; read-only.
    """

    mean: Array
    sd: Array


def naive(table: pd.DataFrame, trial: object) -> Predicted:
    """Predict every arm of a trial as one more of all arms of the other trials, whatever it was given.

    Parameters
    ----------
    table : DataFrame
        One row per arm: `trial`, `kind` (one of `KINDS`), `value` (mean change) and `variance` (sampling variance of
        that mean [squared unit of the value], or NaN). Values of `trial` itself are not read and may be missing.
    trial : object
        The trial to leave out, as in the table.

    Returns
    -------
    Predicted
        The mean of the n other arms, and their SD (divisor n - 1) times ``sqrt(1 + 1/n)``, for what is not known of
        the mean. No sampling variance of the new arm is added: the spread of observed means holds that of arms of the
        usual size already. So very small arms are predicted too narrowly and very large ones too widely.

    Raises
    ------
    InputError
        A column, the trial, a trial's name or another trial's value is missing, a kind is unknown, a variance is not
        positive, or there are fewer than two arms of other trials.
    """
    arms, left_out = _read(table, trial)
    values = arms.value[~left_out]
    n, rows = len(values), int(left_out.sum())
    sd = float(values.std(ddof=1)) * math.sqrt(1.0 + 1.0 / n)
    return Predicted(frozen(np.full(rows, values.mean())), frozen(np.full(rows, sd)))


def pool(table: pd.DataFrame, trial: object) -> Predicted:
    """Predict each arm of a trial by a random-effects pool of the other trials' arms of the same kind.

    Parameters
    ----------
    table, trial
        As for `naive`. The variances of `trial` itself are read: they say how far its observed means scatter.

    Returns
    -------
    Predicted
        The pooled mean, and ``sqrt(tau2 + se**2 + variance of the new arm)``. Arms of all kinds are pooled where the
        other trials have fewer than three of the same kind.

    Raises
    ------
    InputError
        As for `naive`, or no other trial reports a variance.

    Notes
    -----
    REML, with the standard error of Hartung and Knapp; the sum of variances is that of Higgins, Thompson and
    Spiegelhalter 2009, doi:10.1111/j.1467-985X.2008.00552.x, with a normal quantile in place of their t, and for an
    observed mean rather than a true one. Missing variances: see `imputed`.
    """
    arms, left_out = _read(table, trial)
    variance = imputed(arms.variance, ~left_out)
    mean, sd = np.empty(int(left_out.sum())), np.empty(int(left_out.sum()))
    for kind in dict.fromkeys(arms.kind[left_out]):
        alike = ~left_out & (arms.kind == kind)
        used = alike if alike.sum() >= SMALLEST_KIND else ~left_out
        pooled = pooling.pool(arms.value[used], variance[used], method="REML", test="knha")
        rows = arms.kind[left_out] == kind
        mean[rows] = pooled.mu
        sd[rows] = np.sqrt(pooled.tau2 + pooled.se**2 + variance[left_out][rows])
    return Predicted(frozen(mean), frozen(sd))


def imputed(variance: Array, known_from: npt.NDArray[np.bool_]) -> Array:
    """Fill missing sampling variances with the median of the known ones.

    The median, as few small arms have very large variances; an arm without a reported SD is so taken for one of the
    usual size and scatter.

    Parameters
    ----------
    variance : (n,)
        Sampling variances; NaN where not known.
    known_from : (n,)
        Rows that the median is taken of: those of other trials, so that nothing is learnt from the one left out.

    Raises
    ------
    InputError
        Something is missing and no row of `known_from` is known.
    """
    known = variance[known_from & ~np.isnan(variance)]
    missing = np.isnan(variance)
    if not missing.any():
        return variance
    if not len(known):
        remedy = "the sampling variance of at least one arm of another trial"
        raise InputError("no other trial reports a variance", place="variance", remedy=remedy)
    return np.where(missing, np.median(known), variance)


@final
@dataclass(frozen=True, eq=False)
class _Arms:
    kind: npt.NDArray[np.object_]
    value: Array
    variance: Array


def _read(table: pd.DataFrame, trial: object) -> tuple[_Arms, npt.NDArray[np.bool_]]:
    """The checked columns, and which rows are of the trial to leave out."""
    for column in ("trial", "kind", "value", "variance"):
        if column not in table:
            raise InputError("a column is missing", place=column, remedy="a table with trial, kind, value and variance")
    if table["trial"].isna().any():
        raise InputError("an arm without trial", place="trial", remedy="the name of its trial in every row")
    left_out = (table["trial"] == trial).to_numpy(dtype=bool)
    if not left_out.any():
        known = ", ".join(dict.fromkeys(table["trial"].astype(str)))
        raise InputError("no such trial", place="trial", value=trial, remedy=f"one of {known}")
    kind = table["kind"].to_numpy(dtype=object)
    for name in kind:
        one_of(name, KINDS, "kind")
    value, variance = numbers(table["value"].to_numpy(), "value"), numbers(table["variance"].to_numpy(), "variance")
    refuse(~left_out & ~np.isfinite(value), "a value is missing", "value", value, "only arms that report a mean")
    wrong = ~(np.isnan(variance) | ((variance > 0.0) & np.isfinite(variance)))
    refuse(wrong, "a variance is not positive", "variance", variance, "the squared standard error, or NaN")
    if (~left_out).sum() < SMALLEST_REST:
        what, remedy = "too few arms of other trials", f"a table with at least {SMALLEST_REST}"
        raise InputError(what, place="trial", value=int((~left_out).sum()), remedy=remedy)
    return _Arms(kind, value, variance), left_out
