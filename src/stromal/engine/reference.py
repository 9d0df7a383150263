"""The readable way to solve a model: one patient at a time, with a solver of SciPy.

It is the independent check of the compiled engine, and the last resort for a patient whom that engine cannot carry
on: `solve_one` goes on from any `Moment`. It is meant to be obvious, not fast. In words:

* go to the next stop: an output, an action of the schedule, an event that is due, a time at which a condition on
  time alone changes, or (found by bisection on the solver's dense output) the flip of an event's trigger;
* there, let events happen until none is due (SBML level 3 version 2, section 4.11.6): of those due the one of highest
  priority is executed, and after each execution all triggers are looked at again;
* record, act, let events happen again, and go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import BDF, DOP853, LSODA, RK45, DenseOutput, OdeSolver, Radau

from stromal.compute.errors import InputError
from stromal.engine.moment import Action, Moment, Waiting
from stromal.engine.plain_model import Model, compiled, first_moment
from stromal.engine.system import System
from stromal.engine.trajectories import Status

__all__ = ["Action", "Course", "Moment", "Waiting", "solve_one"]

Array = NDArray[np.float64]
METHODS: Final[Mapping[str, type[OdeSolver]]] = {c.__name__: c for c in (LSODA, BDF, Radau, RK45, DOP853)}
FALLBACKS: Final = (Radau, DOP853)
MOST_STEPS: Final = 20_000
"""Steps of a method between two stops beyond which it is taken to be stuck."""
MOST_EVENTS: Final = 10_000
"""Executions of events at one time beyond which they are taken to trigger each other without end."""
LOOKS: Final = 10
"""Times within a step at which triggers are looked at, so that a short flip is not stepped over."""


@final
@dataclass(frozen=True, eq=False)
class Course:
    """What became of one patient.

    Attributes
    ----------
    values : (n_times, n_outputs)
        NaN where nothing was asked for, or not reached.
    end : Moment
        Where the solve ended; `solve_one` goes on from there.
    status : Status
    cause : str
        Of a failure.
    """

    values: Array
    end: Moment
    status: Status
    cause: str


class _FailureError(Exception):
    """The solve of a patient ends here; the arguments are the status and the cause."""


def solve_one(
    system: System,
    parameters: Mapping[str, float],
    schedule: Iterable[Action],
    output_times: ArrayLike,
    outputs: Sequence[str],
    *,
    rtol: float = 1e-9,
    atol: float | ArrayLike = 1e-12,
    side: Literal["before", "after"] = "before",
    begin: float = 0.0,
    method: str = "LSODA",
    max_steps: int = MOST_STEPS,
    start: Moment | None = None,
) -> Course:
    """Solve a model for one patient.

    Parameters
    ----------
    parameters : mapping from str to float
        What differs from the defaults of the model.
    schedule : iterable of Action
        Those at equal times apply in the order given; none may lie before the begin or the start.
    output_times : (n_times,)
        [time unit of the model]; NaN asks for nothing.
    outputs : sequence of str
        States, rules or parameters.
    rtol, atol : float
        Tolerance of the local error of each state: ``atol + rtol*|y|``; `atol` may be one number per state.
    side : {"before", "after"}
        Whether outputs see the state before or after the actions of the same time. They always see it after the
        events of the model at that time.
    method : str
        A key of `METHODS`. Where it fails or is stuck (LSODA may be, at a jump of the rates), `FALLBACKS` go on.
    max_steps : int
        Of each method between two stops.
    start : Moment, optional
        Goes on from there; `parameters` and `begin` are then not used.

    Returns
    -------
    Course
        A solve that fails has a status and a cause, and NaN for what was not reached.

    Raises
    ------
    InputError
        A time lies before the begin or the start.
    """
    model = compiled(system, tuple(outputs))
    times = np.asarray(output_times, dtype=float)
    values = np.full((len(times), len(outputs)), np.nan)
    actions = list(schedule)
    stops = sorted({*times[~np.isnan(times)].tolist(), *(a.time for a in actions)})
    now = start or first_moment(system, parameters, begin)
    if stops and stops[0] < now.time:
        raise InputError("a time lies before the start", value=stops[0], remedy=f"times from {now.time} on")
    with np.errstate(all="ignore"):  # what is not finite becomes the status of the patient
        patient = _Patient(model, now, (METHODS[method], *FALLBACKS), rtol, atol, max_steps)
        try:
            for stop in stops:
                patient.go_to(stop)
                if side == "before":
                    values[times == stop] = model.outputs(patient.values())
                for action in (a for a in actions if a.time == stop):
                    patient.act(action)
                patient.let_events_happen()
                if side == "after":
                    values[times == stop] = model.outputs(patient.values())
        except _FailureError as failure:
            status, cause = failure.args
            return Course(values, patient.now, status, cause)
    return Course(values, patient.now, Status.OK, "")


@final
class _Patient:
    """One patient on the way through time."""

    def __init__(
        self,
        model: Model,
        start: Moment,
        methods: Sequence[type[OdeSolver]],
        rtol: float,
        atol: float | ArrayLike,
        max_steps: int,
    ) -> None:
        self._max_steps = max_steps
        self._model = model
        self._methods = methods
        self._tolerances = {"rtol": rtol, "atol": atol}
        self._place = {name: i for i, name in enumerate([*model.system.states, *model.system.parameters])}
        self.now = start
        if start.triggers is None:
            self.now = replace(start, triggers=self._triggers(self.values()))

    def values(self) -> list[np.float64]:
        """Values of states, parameters and time."""
        return self._values(self.now.time, self.now.states)

    def _values(self, time: float, states: Array) -> list[np.float64]:
        return [*states, *self.now.parameters, np.float64(time)]

    def _triggers(self, values: Sequence[np.float64]) -> tuple[bool, ...]:
        return tuple(bool(v) for v in self._model.triggers(values))

    def go_to(self, stop: float) -> None:
        """Advance to a time; what happens on the way and there has then happened."""
        self.let_events_happen()
        while self.now.time < stop:
            due = (w.due for w in self.now.waiting)
            self._integrate(min(s for s in (stop, *due, *self._switch_times()) if s > self.now.time))
            self.let_events_happen()

    def act(self, action: Action) -> None:
        """Apply an action of the schedule."""
        if action.kind == "rate":
            inflow = self.now.inflow.copy()
            inflow[self._place[action.target]] = action.amount
            self.now = replace(self.now, inflow=inflow)
            return
        before = self.values()[self._place[action.target]]
        after = {"bolus": before + action.amount, "scale": before * action.amount, "set": action.amount}
        self._assign({action.target: after[action.kind]})

    def _assign(self, values: Mapping[str, float]) -> None:
        everything = np.array(self.values()[:-1], dtype=float)
        for name, value in values.items():
            everything[self._place[name]] = value
        n = len(self.now.states)
        self.now = replace(self.now, states=everything[:n], parameters=everything[n:])

    def _switch_times(self) -> list[float]:
        """Times at which conditions on time alone change: there, and immediately after (``time > 5``)."""
        values = self.values()
        times = [
            -distance / slope
            for distance, slope in zip(self._model.distances(values), self._model.slopes(values), strict=True)
        ]
        return [t for time in times if math.isfinite(time) for t in (time, math.nextafter(time, math.inf))]

    def let_events_happen(self) -> None:
        """Execute events until none is due."""
        for _ in range(MOST_EVENTS):
            self._look_at_triggers()
            due = [w for w in self.now.waiting if w.due <= self.now.time]
            if not due:
                return
            self._execute(max(due, key=self._priority))
        raise _FailureError(Status.STEP_LIMIT, f"events trigger each other without end at time {self.now.time}")

    def _look_at_triggers(self) -> None:
        values = self.values()
        before, after = self.now.triggers or (), self._triggers(values)
        waiting = [w for w in self.now.waiting if after[w.event] or self._model.events[w.event].event.persistent]
        for i, happening in enumerate(self._model.events):
            if after[i] and not before[i]:
                delay = sum(happening.delay(values), np.float64(0.0))
                if not delay >= 0.0:
                    cause = f"the delay of event {happening.event.name} is {delay} at time {self.now.time}"
                    raise _FailureError(Status.NON_FINITE, cause)
                fixed = tuple(happening.values(values)) if happening.event.values_from_trigger_time else None
                waiting.append(Waiting(i, self.now.time + float(delay), fixed))
        self.now = replace(self.now, triggers=after, waiting=tuple(waiting))

    def _priority(self, waiting: Waiting) -> float:
        """Current priority; an event without one comes last (SBML leaves its order open)."""
        priority = self._model.events[waiting.event].priority(self.values())
        return float(priority[0]) if priority else -math.inf

    def _execute(self, waiting: Waiting) -> None:
        happening = self._model.events[waiting.event]
        event = happening.event
        values = waiting.values or happening.values(self.values())
        sizes = dict(zip(event.sizes, happening.sizes(self.values()), strict=True))
        new = zip(event.assignments, values, strict=True)
        self._assign({name: value * sizes[name] if name in sizes else value for name, value in new})
        self.now = replace(self.now, waiting=tuple(w for w in self.now.waiting if w is not waiting))

    def _integrate(self, stop: float) -> None:
        """Advance to a time, or to the first flip of a trigger before it."""
        if stop <= math.nextafter(self.now.time, math.inf):
            self.now = replace(self.now, time=stop)  # one rounding error of time: nothing changes
        elif not len(self.now.states):
            self._advance_without_states(stop)
        else:
            failure = _FailureError(Status.STEP_UNDERFLOW, "no method")
            for method in self._methods:
                try:
                    self._advance(stop, method)
                except _FailureError as error:
                    failure = error
                else:
                    return
            raise failure

    def _advance(self, stop: float, method: type[OdeSolver]) -> None:
        # A condition on time alone may change at `stop` itself; until there it is what it was.
        last = math.nextafter(stop, -math.inf)

        def rates(time: float, states: Array) -> Array:
            slopes = np.array(self._model.rates(self._values(min(time, last), states)), dtype=float)
            if not np.isfinite(slopes).all():  # the explicit methods of SciPy would try ever new steps without end
                names = [
                    n for n, slope in zip(self._model.system.states, slopes, strict=True) if not np.isfinite(slope)
                ]
                raise _FailureError(Status.NON_FINITE, f"the rate of {', '.join(names)} is not finite at time {time}")
            return slopes + self.now.inflow

        largest = (stop - self.now.time) / LOOKS if self._model.looks else np.inf
        solver = method(rates, self.now.time, self.now.states, stop, max_step=largest, **self._tolerances)
        for _ in range(self._max_steps):
            self._step(solver)
            flip = self._flip(solver.dense_output(), solver.t_old, solver.t) if self._model.looks else None
            time, states = flip or (solver.t, solver.y.copy())
            self.now = replace(self.now, time=time, states=states)
            if flip is not None or solver.status == "finished":
                return
        raise _FailureError(Status.STEP_LIMIT, f"{self._max_steps} steps of {method.__name__} end at time {solver.t}")

    def _step(self, solver: OdeSolver) -> None:
        where = f"at time {solver.t} ({type(solver).__name__})"
        try:
            message = solver.step()
        except (ValueError, np.linalg.LinAlgError) as error:  # the linear algebra of a Jacobian that is not finite
            raise _FailureError(Status.NON_FINITE, f"{error} {where}") from error
        names = [n for n, y in zip(self._model.system.states, solver.y, strict=True) if not math.isfinite(y)]
        if names:
            raise _FailureError(Status.NON_FINITE, f"{', '.join(names)} not finite {where}")
        if solver.status == "failed":
            raise _FailureError(Status.STEP_UNDERFLOW, f"{message} {where}")

    def _advance_without_states(self, stop: float) -> None:
        grid = np.linspace(self.now.time, stop, LOOKS + 1)
        for left, right in pairwise(grid) if self._model.looks else ():
            flip = self._flip(lambda _: np.empty(0), left, right)
            if flip is not None:
                self.now = replace(self.now, time=flip[0])
                return
        self.now = replace(self.now, time=stop)

    def _flip(
        self, path: DenseOutput | Callable[[float], Array], left: float, right: float
    ) -> tuple[float, Array] | None:
        """First time after which a trigger is no longer what it was, and the states there."""
        before = self.now.triggers

        def flipped(time: float) -> bool:
            return self._triggers(self._values(time, path(time))) != before

        for low, high in pairwise(np.linspace(left, right, LOOKS + 1).tolist()):
            if flipped(high):
                first = _first(flipped, low, high)
                return first, path(first)
        return None


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """By bisection, where a condition that is false at `low` and true at `high` becomes true."""
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
