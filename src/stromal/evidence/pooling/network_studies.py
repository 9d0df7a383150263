"""The studies of a network: contrasts checked, the covariance within studies of several arms, and the design matrix.

A study with t arms has t(t - 1)/2 contrasts that say the same thing t - 1 times. With R the squared standard errors
between its arms, the covariance of the contrasts of arms i and j against arm 0 is ``(R_i0 + R_j0 - R_ij)/2``. In the
random-effects model all contrasts of a study vary with tau², hence tau²/2 is shared (matrix D with 1 on the diagonal
and 1/2 off it). A basis in which both matrices are diagonal, D as the identity, turns the network into a
meta-regression with known variances, so that every estimator of `heterogeneity` applies (Jackson et al. 2012,
doi:10.1002/sim.5453, for the method of moments).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, final

import numpy as np
import pandas as pd
from scipy import linalg

from stromal.compute.errors import InputError
from stromal.evidence.pooling.inputs import Array, columns, numbers, read_studies
from stromal.evidence.pooling.least_squares import Linear

COLUMNS: Final = ("study", "treat1", "treat2", "te", "se")
_LOOSE: Final = 0.1
"""A loop of contrasts within a study may miss 0 by this share of its smallest standard error (rounding in print)."""


@final
@dataclass(frozen=True, eq=False)
class Block:
    """One study.

    Attributes
    ----------
    study : str
    treatments : tuple of str
        Sorted; the first is the base of the contrasts.
    y : (t - 1,)
        Effects of the others against the base.
    v : (t - 1,)
        Variances, in the basis of `to_basis`.
    to_basis : (t - 1, t - 1)
        Takes contrasts to the basis in which sampling and tau² are diagonal.
    """

    study: str
    treatments: tuple[str, ...]
    y: Array
    v: Array
    to_basis: Array


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """One row of the table: the effect of `treat1` minus that of `treat2` in a study."""

    study: str
    treat1: str
    treat2: str
    te: float
    se: float


def read_comparisons(studies: pd.DataFrame | Mapping[str, Any]) -> tuple[Comparison, ...]:
    """Check a table of contrasts.

    Raises
    ------
    InputError
        A column is missing; an effect is none; a standard error is not positive; a treatment has no name or is compared
        with itself; a study compares the same two treatments twice.
    """
    table = columns(studies, "studies")
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise InputError("columns are missing", place="studies", value=missing, remedy=", ".join(COLUMNS))
    se = numbers(table["se"], "se")
    if (se <= 0.0).any():
        at = int((se <= 0.0).argmax())
        raise InputError("a standard error is not positive", place=f"se[{at}]", value=se[at], remedy="a number above 0")
    checked = read_studies(table["te"].to_numpy(), se**2)
    found: list[Comparison] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    for i, (study, one, two) in enumerate(zip(table["study"], table["treat1"], table["treat2"], strict=True)):
        if any(pd.isna(x) or not str(x).strip() for x in (study, one, two)):
            raise InputError("a study or treatment has no name", place=f"row {i}", remedy="a name")
        pair = (str(study), frozenset((str(one), str(two))))
        if len(pair[1]) < 2:
            raise InputError(
                "a treatment is compared with itself", place=f"row {i}", value=one, remedy="two treatments"
            )
        if pair in seen:
            raise InputError(
                "a study compares the same two treatments twice",
                place=f"row {i}",
                value=f"{study}: {one}, {two}",
                remedy="one row, or another name where it is another study",
            )
        seen.add(pair)
        found.append(Comparison(str(study), str(one), str(two), float(checked.yi[i]), float(se[i])))
    return tuple(found)


def blocks(comparisons: Sequence[Comparison]) -> tuple[Block, ...]:
    """One block per study, in the order of first appearance.

    Raises
    ------
    InputError
        A study of several arms lacks a contrast, or its contrasts or standard errors do not fit together.
    """
    by_study: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_study.setdefault(comparison.study, []).append(comparison)
    return tuple(_block(study, rows) for study, rows in by_study.items())


def check_connected(found: Sequence[Block]) -> None:
    """Raise InputError unless every treatment can be reached from every other."""
    parts: list[set[str]] = []
    for block in found:
        own = set(block.treatments)
        apart = []
        for part in parts:
            if part & own:
                own |= part
            else:
                apart.append(part)
        parts = [*apart, own]
    if len(parts) > 1:
        raise InputError(
            "the network falls into parts that no study connects",
            place="studies",
            value=" | ".join(sorted(", ".join(sorted(part)) for part in parts)),
            remedy="one network for each part",
        )


def linear(found: Sequence[Block], coefficients: Sequence[Mapping[str, int]], width: int) -> Linear:
    """The regression of a network.

    Parameters
    ----------
    found : sequence of Block
    coefficients : sequence of mapping
        For each study, the coefficient of each of its treatments; a treatment without one is the reference.
    width : int
        Number of coefficients.
    """
    y, v, x = [], [], []
    for block, column in zip(found, coefficients, strict=True):
        rows = np.zeros((len(block.y), width))
        for i, treatment in enumerate(block.treatments[1:]):
            if treatment in column:
                rows[i, column[treatment]] += 1.0
            if block.treatments[0] in column:
                rows[i, column[block.treatments[0]]] -= 1.0
        y.append(block.to_basis @ block.y)
        v.append(block.v)
        x.append(block.to_basis @ rows)
    return Linear(np.concatenate(y), np.concatenate(v), np.concatenate(x))


def _block(study: str, rows: list[Comparison]) -> Block:
    treatments = sorted({t for row in rows for t in (row.treat1, row.treat2)})
    n = len(treatments)
    effect, variance = np.zeros((n, n)), np.zeros((n, n))
    for row in rows:
        i, j = treatments.index(row.treat1), treatments.index(row.treat2)
        effect[i, j], effect[j, i] = row.te, -row.te
        variance[i, j] = variance[j, i] = row.se**2
    lacking = [f"{treatments[i]}, {treatments[j]}" for i, j in combinations(range(n), 2) if variance[i, j] == 0.0]
    if lacking:
        raise InputError(
            f"a study of {n} arms lacks comparisons",
            place=study,
            value="; ".join(lacking),
            remedy="all comparisons between its arms, with standard errors (`contrasts` makes them from arms)",
        )
    arm = effect.mean(axis=1)  # least squares: exact where the contrasts fit together
    tightest = np.sqrt(variance[~np.eye(n, dtype=bool)].min())
    loop = float(np.abs(effect - (arm[:, None] - arm[None, :])).max())
    if loop > _LOOSE * tightest:
        raise InputError(
            "the comparisons of a study do not add up",
            place=study,
            value=loop,
            remedy="effects where a minus b plus b minus c is a minus c",
        )
    base = variance[0, 1:]
    v = 0.5 * (base[:, None] + base[None, :] - variance[1:, 1:])
    v[np.diag_indices(n - 1)] = base
    shared = 0.5 * (np.eye(n - 1) + 1.0)
    eigenvalues, vectors = linalg.eigh(v, shared)
    if eigenvalues.min() <= 1e-10 * eigenvalues.max():
        raise InputError(
            "the standard errors of a study do not fit together",
            place=study,
            value=[row.se for row in rows],
            remedy="standard errors of differences between independent arms",
        )
    return Block(study, tuple(treatments), arm[1:] - arm[0], eigenvalues, vectors.T)
