"""Many patients in bounded memory: solve them one chunk after another.

A chunk is drawn, solved, handed on (to `reduce` or `write_parquet`) and forgotten. No number depends on where the
chunks are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.compute.errors import InputError
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.trajectories import Final as FinalState
from stromal.engine.trajectories import Trajectories

CHUNK: Final = 4096
"""Patients whose outputs are in memory at once; it changes no number."""
Progress = Callable[[int, int | None], None]
"""Is told how many patients are done, and of how many (None when that is not known)."""


def solve_chunks(
    system: System,
    parameters: pd.DataFrame | Iterable[pd.DataFrame],
    schedule: pd.DataFrame | Callable[[pd.DataFrame], pd.DataFrame],
    output_times: ArrayLike,
    outputs: Sequence[str] | None = None,
    *,
    arms: pd.Series | None = None,
    chunk: int = CHUNK,
    start: FinalState | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Iterator[Trajectories]:
    """Solve patients in their order, `chunk` at a time.

    Parameters
    ----------
    parameters : DataFrame, or iterable of DataFrame
        One row per patient. Tables from an iterator are drawn as they are needed and may be of any length; the label
        of a patient must be unique over all of them (checked within a chunk and between neighbouring tables only:
        remembering a million labels is what this function avoids).
    schedule : DataFrame or callable
        A table as for `solve`, with the column `patient`; or, when `arms` is given, with the column `arm` in its
        place; or a function that is given the parameters of a chunk and returns its schedule.
    output_times : (n_times,) or (n_patients, n_times)
        [time unit of the model].
    arms : Series, optional
        Arm of each patient. An arm without a row in the schedule is an arm in which nothing is given.
    start : Final, optional
        Where an earlier solve of the same patients (same rows) ended.
    progress : callable, optional
        Called after each chunk with the number of patients done and their total (None for an iterator).
    **options
        Further options of `solve`.

    Yields
    ------
    Trajectories
        Of each chunk; a table without rows gives one chunk without patients.

    Raises
    ------
    InputError, InputErrors
        As `solve`; a patient occurs twice; the schedule names an unknown patient (for an iterator this is known,
        and raised, after the last chunk) or an unknown arm; a patient without an arm; tables of unlike columns.
    """
    if chunk < 1:
        raise InputError("a chunk is one patient or more", place="chunk", value=chunk, remedy="a positive number")
    if isinstance(parameters, pd.DataFrame) and not parameters.index.is_unique:
        raise InputError("a patient occurs twice", place="parameters", remedy="one row per patient")
    plan = _plan(schedule, arms)
    if isinstance(parameters, pd.DataFrame):
        plan.refuse_strangers(parameters.index)
    times = np.asarray(output_times, dtype=float)
    return _solved(system, parameters, plan, times, outputs, chunk, start, progress, options)


def _solved(
    system: System,
    parameters: pd.DataFrame | Iterable[pd.DataFrame],
    plan: _Plan,
    times: NDArray[np.float64],
    outputs: Sequence[str] | None,
    chunk: int,
    start: FinalState | None,
    progress: Progress | None,
    options: dict[str, Any],
) -> Iterator[Trajectories]:
    total = len(parameters) if isinstance(parameters, pd.DataFrame) else None
    done = 0
    for table in _cut(parameters, chunk):
        rows = np.arange(done, done + len(table))
        if times.ndim == 2 and len(times) <= rows.max(initial=-1):
            remedy = "one row of times per patient, or one list of times for all"
            raise InputError("there are more patients than rows of times", place="output_times", remedy=remedy)
        own_times = times[rows] if times.ndim == 2 else times
        own_start = start.take(rows) if start is not None else None
        result = solve(system, table, plan.of(table), own_times, outputs, start=own_start, **options)
        done += len(table)
        if progress is not None:
            progress(done, total)
        yield result
    plan.refuse_strangers(())


def _cut(parameters: pd.DataFrame | Iterable[pd.DataFrame], chunk: int) -> Iterator[pd.DataFrame]:
    """Tables of `chunk` rows each; the last may be shorter."""
    if isinstance(parameters, pd.DataFrame):
        for first in range(0, max(len(parameters), 1), chunk):
            yield parameters.iloc[first : first + chunk]
        return
    held: list[pd.DataFrame] = []
    previous: pd.DataFrame | None = None
    for table in parameters:
        if previous is not None:
            _check_follows(previous, table)
        previous = table
        held.append(table)
        if sum(map(len, held)) >= chunk:
            joined = pd.concat(held)
            whole = len(joined) - len(joined) % chunk
            for first in range(0, whole, chunk):
                yield joined.iloc[first : first + chunk]
            held = [joined.iloc[whole:]]
    rest = pd.concat(held) if held else pd.DataFrame()
    if len(rest):
        yield rest


def _check_follows(previous: pd.DataFrame, table: pd.DataFrame) -> None:
    if list(previous.columns) != list(table.columns):
        remedy = "the same columns in the same order in every table"
        raise InputError("tables of unlike columns", place="parameters", value=list(table.columns), remedy=remedy)
    both = previous.index.intersection(table.index)
    if len(both):
        remedy = "an index that goes on where the table before ended"
        raise InputError("a patient occurs twice", place="parameters", value=both[0], remedy=remedy)


@final
@dataclass(frozen=True)
class _Plan:
    """What gives each chunk its schedule.

    Attributes
    ----------
    of : callable
        The schedule of a chunk's table of parameters.
    waiting : mapping
        Patients in the schedule who have not come up yet.
    """

    of: Callable[[pd.DataFrame], pd.DataFrame]
    waiting: dict[Hashable, NDArray[np.intp]]

    def refuse_strangers(self, known: Iterable[Hashable]) -> None:
        """Raise when a patient of the schedule is neither done nor among `known`."""
        strangers = self.waiting.keys() - set(known) if self.waiting else set()
        if strangers:
            raise InputError(
                "the schedule holds a patient who is not in the table of parameters",
                place="schedule, patient",
                value=min(strangers, key=repr),
                remedy="a patient of the parameter table",
            )


def _plan(schedule: pd.DataFrame | Callable[[pd.DataFrame], pd.DataFrame], arms: pd.Series | None) -> _Plan:
    if not isinstance(schedule, pd.DataFrame):
        if arms is not None:
            raise InputError("a function that makes schedules has no use for arms", place="arms", remedy="leave it out")
        return _Plan(schedule, {})
    column = "patient" if arms is None else "arm"
    if column not in schedule:
        remedy = "a column `patient`, or a column `arm` with arms=..."
        raise InputError(f"the column {column} is missing", place="schedule", remedy=remedy)
    return _by_patient(schedule) if arms is None else _by_arm(schedule, arms)


def _by_patient(schedule: pd.DataFrame) -> _Plan:
    """Rows are found once for all chunks: searching the table again for each would take quadratic time."""
    waiting = dict(schedule.groupby("patient", sort=False, dropna=False).indices)

    def of(table: pd.DataFrame) -> pd.DataFrame:
        rows = [waiting.pop(patient) for patient in table.index if patient in waiting]
        return schedule.iloc[np.sort(np.concatenate(rows))] if rows else schedule.iloc[:0]

    return _Plan(of, waiting)


def _by_arm(schedule: pd.DataFrame, arms: pd.Series) -> _Plan:
    unknown = set(schedule["arm"]) - set(arms)
    if unknown:
        arm = min(unknown, key=repr)
        raise InputError("no patient is in this arm", place="schedule, arm", value=arm, remedy="an arm of `arms`")

    def of(table: pd.DataFrame) -> pd.DataFrame:
        own = arms.reindex(table.index)
        if own.isna().any():
            patient = own.index[own.isna()][0]
            raise InputError("a patient has no arm", place="arms", value=patient, remedy="an arm for every patient")
        labels = pd.DataFrame({"patient": table.index, "arm": own.to_numpy()})
        return labels.merge(schedule, on="arm", how="inner").drop(columns="arm")

    return _Plan(of, {})
