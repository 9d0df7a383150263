"""Mixed precision is checked on a sample: some patients are solved in double precision as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from stromal.engine.batch import Batch, Limits, Solved
from stromal.engine.machine.program import Options

SHARE: Final = 64
"""One patient in so many is solved again."""
FEWEST: Final = 16
SMALL: Final = 1e-3
"""Differences are relative to the size of the value, or to this share of the output's largest value in that patient."""


@final
@dataclass(frozen=True, eq=False)
class Audit:
    """How far the results in mixed precision are from those in double precision.

    Attributes
    ----------
    rows : (n_checked,)
        Positions of the patients that were solved twice, evenly spread.
    difference : (n_checked,)
        Largest relative difference over their outputs and times.
    """

    rows: NDArray[np.int64]
    difference: NDArray[np.float64]


def audit(batch: Batch, solved: Solved, limits: Limits, threads: int) -> Audit:
    """Solve a sample of the patients in double precision, at the same tolerances, and compare."""
    n = len(solved.records)
    rows = np.unique(np.linspace(0, n - 1, min(n, max(FEWEST, n // SHARE))).astype(np.int64))
    double = batch.with_options(Options("double", batch.options.strict)).run(limits, threads, rows)
    mixed, exact = solved.records[rows], double.records
    size = np.maximum(np.abs(exact), SMALL * np.nanmax(np.abs(exact), axis=1, keepdims=True, initial=0.0))
    with np.errstate(invalid="ignore", divide="ignore"):  # 0/0: both are zero
        relative = np.where(mixed == exact, 0.0, np.abs(mixed - exact) / size)
    return Audit(rows, np.nanmax(relative, axis=(1, 2), initial=0.0))
