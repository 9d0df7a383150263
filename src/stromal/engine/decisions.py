"""Decisions on the way: the solve stops at stated times, and what happens next may depend on what is seen there.

Response-dependent dosing, rescue and drop-out are decisions. Each part of the solve goes on exactly where the one
before it ended, so the whole equals, bit for bit, one solve with the schedule that the decisions made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.compute.errors import InputErrors, shown
from stromal.compute.findings import Finding
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.timeline import COLUMNS, empty_schedule
from stromal.engine.trajectories import Final as FinalState
from stromal.engine.trajectories import Trajectories, solved

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Decision:
    """What is decided at a stop.

    Attributes
    ----------
    actions : DataFrame
        Rows of a schedule (as for `solve`) of patients who stop here, none before the stop. At equal times they
        follow what was planned already.
    leaving : sequence
        Patients who leave here: nothing more is given to them or recorded of them.
    """

    actions: pd.DataFrame = field(default_factory=empty_schedule)
    leaving: Sequence[Hashable] = ()


Decide = Callable[[int, pd.DataFrame], Decision]
"""Given the position of the stop and what is seen there, one row per patient who stops (its index says who), with the
column `time` and one column per output: the decision."""


@final
@dataclass(frozen=True, eq=False)
class Adaptive:
    """An adaptive solve.

    Attributes
    ----------
    trajectories : Trajectories
        At the output times. Of a patient who has left, times, values and `final` end at the time of leaving.
    schedule : DataFrame
        What was given in the end: the plan and the actions of all decisions, without what came after a patient had
        left.
    left : Series
        Time at which each patient left [time unit of the model]; NaN for who stayed.
    seen : DataFrame
        What the decisions were made on: columns `stop`, `patient`, `time` and the outputs.
    """

    trajectories: Trajectories
    schedule: pd.DataFrame
    left: pd.Series
    seen: pd.DataFrame


def solve_adaptive(
    system: System,
    parameters: pd.DataFrame,
    schedule: pd.DataFrame,
    output_times: ArrayLike,
    outputs: Sequence[str],
    decision_times: ArrayLike,
    decide: Decide,
    *,
    side: Literal["before", "after"] = "before",
    begin: float = 0.0,
    start: FinalState | None = None,
    **options: Any,
) -> Adaptive:
    """Solve with a decision at each stop.

    Every decision time is a step boundary, like an output time. `decide` is called once per stop, for all patients
    who stop there, and sees the state before any action of that time. A patient whose solve has failed stops no more.

    Parameters
    ----------
    parameters, schedule, output_times, outputs, begin, start
        As for `solve`.
    decision_times : (n_stops,) or (n_patients, n_stops)
        [time unit of the model], ascending for each patient; NaN where a patient does not stop.
    decide : callable
        See `Decide`. Where a decision depends on its own patient only, no result depends on which patients are solved
        together.
    side : {"before", "after"}
        Whether outputs see the state before or after the actions of the same time, decided ones included.
    **options
        Further options of `solve`.

    Returns
    -------
    Adaptive

    Raises
    ------
    InputError, InputErrors
        As `solve`; decision times out of order or before the start; a decision about a patient who does not stop, or
        an action before the stop.
    """
    course = _Course(system, parameters, schedule, output_times, outputs, decision_times, side, begin, start)
    final = course.advance(0, start, options)
    for stop in range(course.n_stops):
        here = course.seen_at(stop, final)
        if len(here):
            course.follow(stop, here, decide(stop, here))
        final = course.advance(stop + 1, final, options)
    return course.result(final)


@final
class _Course:
    """How far all patients have come; the arguments are those of `solve_adaptive`.

    A patient moves on as soon as its last decision is made, to its own next stop: to wait at the start for the stops
    of others would change its first step.
    """

    def __init__(
        self,
        system: System,
        parameters: pd.DataFrame,
        schedule: pd.DataFrame,
        output_times: ArrayLike,
        outputs: Sequence[str],
        decision_times: ArrayLike,
        side: Literal["before", "after"],
        begin: float,
        start: FinalState | None,
    ) -> None:
        n = len(parameters)
        self._system, self._parameters, self._outputs = system, parameters, tuple(outputs)
        self._schedule, self._side, self._begin = schedule, side, begin
        self._times, self._stops = _per_patient(output_times, n), _per_patient(decision_times, n)
        _check_stops(self._stops, start.time if start is not None else np.full(n, begin))
        self.n_stops = self._stops.shape[1]
        self._values = np.full((*self._times.shape, len(outputs)), np.nan)
        self._at_stops = np.full((*self._stops.shape, len(outputs)), np.nan)
        self._left = np.full(n, np.nan)
        self._seen: list[pd.DataFrame] = []

    def advance(self, stop: int, state: FinalState | None, options: Mapping[str, Any]) -> FinalState:
        """Take each patient who was at the stop before `stop` to its next one, to its leaving, or to the end."""
        since, until, moving = self._span(stop)
        staying = np.isnan(self._left)
        t, low, high = self._times, since[:, None], until[:, None]
        if self._side == "before":
            inside = (low < t) & (t <= high)
        else:
            inside = (low <= t) & ((t < high) | (t == self._left[:, None]))
        inside &= moving[:, None]
        stops = np.where(moving & staying & np.isfinite(until), until, np.nan)
        result = solve(
            self._system,
            self._parameters,
            self._schedule[self._due(since, until, moving)],
            np.column_stack([np.where(inside, t, np.nan), stops]),
            self._outputs,
            side=self._side,
            begin=self._begin,
            start=state,
            **options,
        )
        self._values[inside] = result.values[:, :-1][inside]
        rows, columns = np.nonzero(self._stops == stops[:, None])
        self._at_stops[rows, columns] = result.values[rows, -1]
        return result.final

    def seen_at(self, stop: int, state: FinalState) -> pd.DataFrame:
        """What is seen of the patients who stop."""
        rows = np.flatnonzero(~np.isnan(self._stops[:, stop]) & solved(state.status))
        here = pd.DataFrame(self._at_stops[rows, stop], self._parameters.index[rows], list(self._outputs))
        here.insert(0, "time", self._stops[rows, stop])
        self._seen.append(here.rename_axis("patient").reset_index().assign(stop=stop))
        return here

    def follow(self, stop: int, here: pd.DataFrame, decision: Decision) -> None:
        """Take over what was decided."""
        _check_decision(stop, here["time"], decision)
        if len(decision.actions):
            added = decision.actions[list(COLUMNS)]
            self._schedule = pd.concat([self._schedule, added]) if len(self._schedule) else added
        if len(decision.leaving):
            gone = self._parameters.index.get_indexer(pd.Index(decision.leaving))
            self._left[gone] = self._stops[gone, stop]
            self._stops[gone, stop + 1 :] = np.nan
            rows = self._rows()
            late = (rows >= 0) & (self._schedule["time"].to_numpy(float) >= self._left[rows])
            self._schedule = self._schedule[~late]

    def result(self, state: FinalState) -> Adaptive:
        """Everything together, at the end."""
        index, columns = self._parameters.index, ["stop", "patient", "time", *self._outputs]
        times = np.where(self._times > self._left[:, None], np.nan, self._times)
        seen = pd.concat(self._seen, ignore_index=True)[columns] if self._seen else pd.DataFrame(columns=columns)
        return Adaptive(
            Trajectories(index, times, self._outputs, self._values, state.status, state),
            self._schedule.reset_index(drop=True),
            pd.Series(self._left, index, name="left"),
            seen,
        )

    def _span(self, stop: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Where each patient is, how far it goes now (infinity: to the end), and whether it moves at all."""
        n = len(self._stops)
        if stop == 0:
            since, moving = np.full(n, -np.inf), np.full(n, fill_value=True)
        else:
            since = self._stops[:, stop - 1]
            moving = ~np.isnan(since)
        ahead = np.fmin.reduce(self._stops[:, stop:], axis=1, initial=np.inf)
        return since, np.where(np.isnan(self._left), ahead, self._left), moving

    def _rows(self) -> NDArray[np.intp]:
        """Patient of each row of the schedule; -1 for an unknown one."""
        return np.asarray(self._parameters.index.get_indexer(pd.Index(self._schedule["patient"])))

    def _due(self, since: Floats, until: Floats, moving: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows of the schedule whose time has come, and rows that `solve` is to refuse."""
        rows, time = self._rows(), self._schedule["time"].to_numpy(float)
        due = moving[rows] & (since[rows] <= time) & (time < until[rows])
        return np.asarray(due | (rows < 0) | ~np.isfinite(time))


def _per_patient(times: ArrayLike, n: int) -> Floats:
    given = np.asarray(times, dtype=float)
    return np.array(np.broadcast_to(given, (n, given.shape[-1])))


def _check_stops(stops: Floats, origin: Floats) -> None:
    reached = np.fmax.accumulate(np.column_stack([np.nextafter(origin, -np.inf), stops]), axis=1)
    wrong = np.argwhere(np.isinf(stops) | (stops <= reached[:, :-1]))[:5]
    remedy = "finite times in ascending order, none before the start, or NaN for no stop"
    faults = [Finding("error", f"decision_times[{i}, {k}]", f"{stops[i, k]} cannot be used", remedy) for i, k in wrong]
    if faults:
        raise InputErrors(faults)


def _check_decision(stop: int, here: pd.Series, decision: Decision) -> None:
    place = f"decision at stop {stop}"
    missing = [c for c in COLUMNS if c not in decision.actions]
    if missing:
        remedy = f"the columns {', '.join(COLUMNS)}"
        raise InputErrors([Finding("error", f"{place}, actions", f"columns {missing} are missing", remedy)])
    actions = decision.actions
    when = here.reindex(actions["patient"]).to_numpy(float)
    checks = (
        (actions["patient"][np.isnan(when)], "a patient who does not stop here", "a patient of the table seen"),
        (actions["time"][~(actions["time"].to_numpy(float) >= when) & ~np.isnan(when)], "a time before the stop",
         "the time of the stop or a later one"),
        (actions["patient"][actions["patient"].isin(list(decision.leaving))], "an action for a patient who leaves",
         "no action, or another time to leave"),
        (pd.Series([p for p in decision.leaving if p not in here.index], dtype=object),
         "a patient leaves who does not stop here", "a patient of the table seen"),
    )  # fmt: skip
    faults = [
        Finding("error", place, f"{message}: {shown(value)}", remedy)
        for values, message, remedy in checks
        for value in values.tolist()[:5]
    ]
    if faults:
        raise InputErrors(faults)
