"""Statistics over many patients that need no more memory for more patients.

`reduce` cuts the stream of patients anew into blocks of `BLOCK`, whatever the chunks were, and hands each block to
every reducer. So a reducer sees the same blocks for any chunk size, and its result is the same bit for bit.

Patients whose solve failed are counted and listed, and are in no statistic at any time: so the statistics of all
times are about the same patients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.errors import InputError
from stromal.engine.failures import failure_table
from stromal.engine.trajectories import Trajectories, solved

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK: Final = 1024
"""Patients that are added at once; another number may change the last bits of a mean."""


@final
@dataclass(frozen=True, eq=False)
class Block:
    """Outputs of the solved patients among `BLOCK` patients in a row.

    Attributes
    ----------
    outputs : tuple of str
    times : (n, n_times)
    values : (n, n_times, n_outputs)
    """

    outputs: tuple[str, ...]
    times: Floats
    values: Floats


State = TypeVar("State")


class Reducer(ABC, Generic[State]):
    """A statistic: how it begins, what a block adds to it, and the table it ends as.

    A state is never changed; `add` returns another.
    """

    @abstractmethod
    def begin(self, outputs: tuple[str, ...], n_times: int) -> State:
        """The state before the first patient."""

    @abstractmethod
    def add(self, state: State, block: Block) -> State:
        """The state after the patients of a block."""

    @abstractmethod
    def table(self, state: State, rows: pd.DataFrame) -> pd.DataFrame:
        """The result.

        Parameters
        ----------
        rows : DataFrame
            One row per output and visit, outputs outermost, with the columns of every result (see `reduce`).
        """


@final
@dataclass(frozen=True, eq=False)
class Reduction:
    """What many patients come to.

    Attributes
    ----------
    patients : int
    statuses : Series
        Number of patients by status.
    failures : DataFrame
        Columns `patient`, `time`, `status`; one row per patient whose solve failed.
    tables : tuple of DataFrame
        One per reducer, in their order.
    """

    patients: int
    statuses: pd.Series
    failures: pd.DataFrame
    tables: tuple[pd.DataFrame, ...]


def reduce(chunks: Iterable[Trajectories], reducers: Sequence[Reducer[Any]]) -> Reduction:
    """Reduce trajectories, chunk by chunk, to tables.

    Parameters
    ----------
    chunks : iterable of Trajectories
        E.g. of `solve_chunks`; the same outputs and number of times in each.
    reducers : sequence of Reducer

    Returns
    -------
    Reduction
        Every table has the columns `output`, `visit` (position of the time, from 0), `time` (NaN where patients have
        times of their own), `n` (patients in the statistic), `failed` (patients left out because their solve
        failed) and `missing` (patients who were solved but have no finite value: not asked for, left, or undefined),
        and those of its reducer. Bit-identical for any chunk size; a `Mean` may differ in its last bits when the
        patients come in another order.

    Raises
    ------
    InputError
        There is no chunk, or a reducer asks for an output that was not recorded.
    """
    stream = iter(chunks)
    first = next(stream, None)
    if first is None:
        raise InputError("there is no chunk to reduce", place="chunks", remedy="at least one chunk, e.g. without rows")
    tally = _Tally(first)
    states = [r.begin(first.outputs, first.times.shape[1]) for r in reducers]
    for block in _blocks(tally.counted(first, stream)):
        tally.count(block)
        states = [r.add(s, block) for r, s in zip(reducers, states, strict=True)]
    rows = tally.rows()
    return Reduction(
        tally.patients,
        pd.Series(dict(sorted(tally.statuses.items())), name="patients", dtype=np.int64),
        pd.concat(tally.failures, ignore_index=True),
        tuple(r.table(s, rows) for r, s in zip(reducers, states, strict=True)),
    )


@final
class _Tally:
    """Counts that go with every statistic."""

    def __init__(self, first: Trajectories) -> None:
        n_times = first.times.shape[1]
        self.patients = 0
        self.statuses: Counter[str] = Counter()
        self.failures: list[pd.DataFrame] = [failure_table(first).iloc[:0]]
        self._outputs = first.outputs
        self._solved = 0
        self._finite = np.zeros((n_times, len(first.outputs)), dtype=np.int64)
        self._earliest, self._latest = np.full(n_times, np.nan), np.full(n_times, np.nan)

    def counted(self, first: Trajectories, rest: Iterator[Trajectories]) -> Iterator[Trajectories]:
        """The chunks, each counted as it passes."""
        chunk: Trajectories | None = first
        while chunk is not None:
            if chunk.outputs != self._outputs or chunk.times.shape[1] != len(self._earliest):
                remedy = "the same outputs and number of times in every chunk"
                raise InputError("chunks are not alike", place="chunks", value=chunk.outputs, remedy=remedy)
            self.patients += len(chunk.patients)
            self.statuses.update(str(s) for s in chunk.status)
            failed = failure_table(chunk)
            if len(failed):
                self.failures.append(failed)
            yield chunk
            chunk = next(rest, None)

    def count(self, block: Block) -> None:
        self._solved += len(block.times)
        self._finite += np.isfinite(block.values).sum(axis=0)
        self._earliest = np.fmin(self._earliest, np.fmin.reduce(block.times, axis=0, initial=np.nan))
        self._latest = np.fmax(self._latest, np.fmax.reduce(block.times, axis=0, initial=np.nan))

    def rows(self) -> pd.DataFrame:
        """One row per output and visit."""
        n_times, n_outputs = self._finite.shape
        time = np.where(self._earliest == self._latest, self._earliest, np.nan)
        finite = self._finite.T.ravel()
        return pd.DataFrame(
            {
                "output": np.repeat(np.array(self._outputs, dtype=object), n_times),
                "visit": np.tile(np.arange(n_times), n_outputs),
                "time": np.tile(time, n_outputs),
                "n": finite,
                "failed": self.patients - self._solved,
                "missing": self._solved - finite,
            }
        )


def _blocks(chunks: Iterable[Trajectories]) -> Iterator[Block]:
    """Blocks of `BLOCK` patients in a row, without those whose solve failed; the last may be shorter."""
    held: list[tuple[Floats, Floats, NDArray[np.bool_]]] = []
    outputs: tuple[str, ...] = ()
    for chunk in chunks:
        outputs = chunk.outputs
        held.append((chunk.times, chunk.values, solved(chunk.status)))
        if sum(len(times) for times, _, _ in held) < BLOCK:
            continue
        times, values, ok = (np.concatenate(parts) for parts in zip(*held, strict=True))
        whole = len(times) - len(times) % BLOCK
        for k in range(0, whole, BLOCK):
            yield _block(outputs, times[k : k + BLOCK], values[k : k + BLOCK], ok[k : k + BLOCK])
        held = [(times[whole:], values[whole:], ok[whole:])]
    times, values, ok = (np.concatenate(parts) for parts in zip(*held, strict=True))
    yield _block(outputs, times, values, ok)


def _block(outputs: tuple[str, ...], times: Floats, values: Floats, ok: NDArray[np.bool_]) -> Block:
    # the order of additions follows the layout in memory, which must not depend on the chunks
    return Block(outputs, np.ascontiguousarray(times[ok]), np.ascontiguousarray(values[ok]))


@final
@dataclass(frozen=True, eq=False)
class _Moments:
    """Number of values, their mean and their sum of squared deviations, each (n_times, n_outputs)."""

    n: Ints
    mean: Floats
    squares: Floats


@final
@dataclass(frozen=True)
class Mean(Reducer[_Moments]):
    """Mean and standard deviation: adds the columns `mean` and `sd` (divisor n - 1).

    Deviations are taken from the mean of each block, and blocks are joined by the update of Chan et al., so a small
    spread around a large mean is not lost.

    References
    ----------
    Chan TF, Golub GH, LeVeque RJ. Algorithms for computing the sample variance. Am Stat 1983;37:242-247.
    doi:10.1080/00031305.1983.10483115
    """

    def begin(self, outputs: tuple[str, ...], n_times: int) -> _Moments:
        """No value yet."""
        shape = (n_times, len(outputs))
        return _Moments(np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape))

    def add(self, state: _Moments, block: Block) -> _Moments:
        """Join the moments of a block with those before it."""
        finite = np.isfinite(block.values)
        n = finite.sum(axis=0)
        total = state.n + n
        share = n / np.maximum(total, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e154 a square is not finite, and so is the SD
            mean = np.where(finite, block.values, 0.0).sum(axis=0) / np.maximum(n, 1)
            mean += np.where(finite, block.values - mean, 0.0).sum(axis=0) / np.maximum(n, 1)  # what rounding left
            squares = np.where(finite, block.values - mean, 0.0) ** 2
            apart = mean - state.mean
            return _Moments(
                total,
                state.mean + apart * share,
                state.squares + squares.sum(axis=0) + apart**2 * state.n * share,
            )

    def table(self, state: _Moments, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with `mean` and `sd`."""
        mean = np.where(state.n > 0, state.mean, np.nan)
        variance = np.where(state.n > 1, state.squares / np.maximum(state.n - 1, 1), np.nan)
        return rows.assign(mean=mean.T.ravel(), sd=np.sqrt(variance).T.ravel())


@final
@dataclass(frozen=True)
class TimeToThreshold(Reducer[Ints]):
    """First recorded time at which an output is at or beyond a threshold.

    Adds the columns `first` (patients who are there for the first time), `reached` (so far) and `share` (`reached`
    of all solved patients; in the last row, the share who ever are). Between two recorded times nothing is seen.

    Parameters
    ----------
    output : str
    threshold : float
    direction : {"at_least", "at_most"}
        Which side of the threshold is beyond it.
    """

    output: str
    threshold: float
    direction: Literal["at_least", "at_most"] = "at_least"

    def begin(self, outputs: tuple[str, ...], n_times: int) -> Ints:
        """Nobody is there yet."""
        if self.output not in outputs:
            remedy = f"one of {', '.join(outputs)}"
            raise InputError("an output that was not recorded", place="reducers", value=self.output, remedy=remedy)
        return np.zeros(n_times, dtype=np.int64)

    def add(self, state: Ints, block: Block) -> Ints:
        """Count patients at the first visit at which they are there."""
        if (np.fmax.accumulate(block.times, axis=1) > block.times).any():
            remedy = "times in ascending order for each patient"
            raise InputError("the first time needs times in order", place="output_times", remedy=remedy)
        values = block.values[:, :, block.outputs.index(self.output)]
        there = values >= self.threshold if self.direction == "at_least" else values <= self.threshold
        first = there.argmax(axis=1)[there.any(axis=1)]
        return state + np.bincount(first, minlength=len(state))

    def table(self, state: Ints, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of the output with `first`, `reached` and `share`."""
        own = rows[rows["output"] == self.output].reset_index(drop=True)
        reached = np.cumsum(state)
        everybody = (own["n"] + own["missing"]).to_numpy()
        share = np.where(everybody > 0, reached / np.maximum(everybody, 1), np.nan)
        return own.assign(first=state, reached=reached, share=share)
