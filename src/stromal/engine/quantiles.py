"""Quantiles over many patients, from counts of values that agree in their leading bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.errors import InputError
from stromal.engine.reducers import Block, Reducer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MAGNITUDE: Final = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_PENDING: Final = 1 << 21
"""Codes that are held before they are sorted and counted: it changes the speed, never a result."""
_SMALLEST_ERROR: Final = 1e-6
_GREATEST_ERROR: Final = 0.25


@final
@dataclass(frozen=True, eq=False)
class _Run:
    """How often each code occurs, by code."""

    codes: Ints
    counts: Ints


@final
@dataclass(frozen=True, eq=False)
class _Counts:
    """What is kept of the values.

    Attributes
    ----------
    pending : tuple of (n,)
        Codes that are not counted yet.
    runs : tuple of _Run
        Each at most half as long as the one before it, so that joining them costs little per value.
    least, greatest : (n_times, n_outputs)
        Of the values; NaN where there is none.
    """

    pending: tuple[Ints, ...]
    runs: tuple[_Run, ...]
    least: Floats
    greatest: Floats


@final
@dataclass(frozen=True)
class Quantiles(Reducer[_Counts]):
    """Quantiles to a stated relative error, in memory that does not grow with the number of patients.

    Values are counted in bins of doubles that agree in sign, exponent and leading bits of the mantissa. A count is a
    whole number, so the result depends neither on the order of the patients nor on how they are cut into chunks. The
    idea is that of DDSketch (Masson et al.), with the bins that the format of a double has already.

    The quantile at level p of n values is the ceil(p*n)-th smallest (``inverted_cdf`` of NumPy; level 0 gives the
    smallest); ``|reported - true| <= relative_error * |true|``, and exactly the least and greatest value at levels 0
    and 1. Below 2.3e-308 (where doubles lose their leading bits) the error is at most that number.

    At most ``2**(12 + bits)`` bins per output and time are kept, where ``bits = ceil(-log2(relative_error)) - 1``;
    values within three decades fill at most ``10 * 2**bits``: 1,280 at the default.

    Adds the columns `level` and `value`, one row per level.

    Parameters
    ----------
    levels : tuple of float
        Between 0 and 1.
    relative_error : float
        Between 1e-6 and 0.25.

    Raises
    ------
    InputError
        A level or an error that cannot be used.

    References
    ----------
    Masson C, Rim JE, Lee HK. DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees.
    Proc VLDB Endow 2019;12:2195-2205. doi:10.14778/3352063.3352135
    """

    levels: tuple[float, ...] = (0.05, 0.5, 0.95)
    relative_error: float = 0.004

    def __post_init__(self) -> None:
        """Refuse what cannot be used."""
        wrong = [p for p in self.levels if not 0.0 <= p <= 1.0]
        if wrong:
            raise InputError("not a level", place="levels", value=wrong[0], remedy="numbers between 0 and 1")
        if not _SMALLEST_ERROR <= self.relative_error <= _GREATEST_ERROR:
            remedy = f"a number between {_SMALLEST_ERROR:g} and {_GREATEST_ERROR:g}"
            raise InputError("not an error", place="relative_error", value=self.relative_error, remedy=remedy)

    @property
    def _bits(self) -> int:
        """Leading bits of the mantissa: half a bin is then at most `relative_error` of its lower end."""
        return math.ceil(-math.log2(self.relative_error)) - 1

    @property
    def _shift(self) -> int:
        return 52 - self._bits

    def begin(self, outputs: tuple[str, ...], n_times: int) -> _Counts:
        """No value yet."""
        nothing = np.full((n_times, len(outputs)), np.nan)
        return _Counts((), (), nothing, nothing)

    def add(self, state: _Counts, block: Block) -> _Counts:
        """Count the values of a block."""
        values = np.where(np.isfinite(block.values), block.values, np.nan)
        cells = np.broadcast_to(np.arange(state.least.size).reshape(state.least.shape), values.shape)
        there = ~np.isnan(values)
        bins = self._bin(values[there]) + (np.int64(1) << (11 + self._bits))
        pending = (*state.pending, (cells[there] << (12 + self._bits)) | bins)
        full = sum(map(len, pending)) >= _PENDING
        return _Counts(
            () if full else pending,
            _with(state.runs, _counted(pending)) if full else state.runs,
            np.fmin(state.least, np.fmin.reduce(values, axis=0, initial=np.nan)),
            np.fmax(state.greatest, np.fmax.reduce(values, axis=0, initial=np.nan)),
        )

    def table(self, state: _Counts, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows, each once per level, with `level` and `value`."""
        run = _joined((*state.runs, _counted(state.pending)))
        columns = np.column_stack([self._at(level, state, run) for level in self.levels])
        many = rows.loc[rows.index.repeat(len(self.levels))].reset_index(drop=True)
        return many.assign(level=np.tile(self.levels, len(rows)), value=columns.ravel())

    def _at(self, level: float, state: _Counts, run: _Run) -> Floats:
        """Quantile at one level, outputs outermost."""
        n_times, n_outputs = state.least.shape
        value = np.full(state.least.size, np.nan)
        cell = run.codes >> (12 + self._bits)
        upto = np.cumsum(run.counts)
        filled, first = np.unique(cell, return_index=True)
        if len(filled):
            before = upto[first] - run.counts[first]
            n = np.append(before[1:], upto[-1]) - before
            share = Fraction(str(level))  # 0.1 means a tenth, not the double next to it
            rank = np.array([max(1, math.ceil(share * int(k))) for k in n], dtype=np.int64)
            code = run.codes[np.searchsorted(upto, before + rank)]
            value[filled] = self._middle((code & ((1 << (12 + self._bits)) - 1)) - (1 << (11 + self._bits)))
            value = np.clip(value, state.least.ravel(), state.greatest.ravel())
        if level in (0.0, 1.0):
            value = (state.least if level == 0.0 else state.greatest).ravel()
        return value.reshape(n_times, n_outputs).T.ravel()

    def _bin(self, values: Floats) -> Ints:
        """Number of the bin of each value: 0 around zero, positive above, negative below, ascending."""
        bits = np.ascontiguousarray(values).view(np.int64)
        magnitude = (bits & _MAGNITUDE) >> self._shift
        return np.where(bits < 0, -magnitude, magnitude)

    def _middle(self, bins: Ints) -> Floats:
        """The middle of each bin; zero for bin 0."""
        middle = ((np.abs(bins) << self._shift) | (1 << (self._shift - 1))).view(np.float64)
        return np.where(bins == 0, 0.0, np.copysign(middle, bins))


def _counted(pending: tuple[Ints, ...]) -> _Run:
    return _Run(*np.unique(np.concatenate([np.empty(0, dtype=np.int64), *pending]), return_counts=True))


def _with(runs: tuple[_Run, ...], run: _Run) -> tuple[_Run, ...]:
    """One run more; runs that have come to be of like length are joined."""
    while runs and len(runs[-1].codes) < 2 * len(run.codes):
        run, runs = _joined((runs[-1], run)), runs[:-1]
    return (*runs, run)


def _joined(runs: tuple[_Run, ...]) -> _Run:
    nothing = np.empty(0, dtype=np.int64)
    codes = np.concatenate([nothing, *(r.codes for r in runs)])
    counts = np.concatenate([nothing, *(r.counts for r in runs)])
    order = np.argsort(codes, kind="stable")
    codes, counts = codes[order], counts[order]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    return _Run(codes[first], np.add.reduceat(counts, first) if len(first) else nothing)
