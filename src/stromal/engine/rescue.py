"""Patients whom the engine could not carry: once more with tighter settings, then by the reference method.

Tighter settings help where a step was accepted that led astray; the reference method (of SciPy, patient by patient)
where the engine's own method is at fault. Who fails in all of them has a solution that ends, and keeps the status of
the first try.
"""

from __future__ import annotations

from typing import Final as Constant

import numpy as np
import pandas as pd

from stromal.engine.batch import Batch, Limits, Solved
from stromal.engine.driver import memory
from stromal.engine.machine.blueprint import inflow
from stromal.engine.machine.program import Options
from stromal.engine.reference import Action, Course, Moment, Waiting, solve_one
from stromal.engine.trajectories import Final, Status

TIGHTER: Constant = 1e-2
"""Factor of the tolerances in the second try."""
LONGER: Constant = 5
"""Factor of the number of steps in the second try."""
REFERENCE_STEPS: Constant = 2_000
"""Steps of the reference method between two stops: it is slow, and who needs more is not rescued."""


def rescue(batch: Batch, first: Solved, schedule: pd.DataFrame, limits: Limits) -> None:
    """Solve those who failed again, and put what was reached into `first`."""
    rows = np.flatnonzero(first.people.status != memory.OK)
    if batch.start is not None:
        rows = rows[[Status(s).solved for s in batch.start.status[rows]]]  # who had failed before stays so
    if not len(rows):
        return
    options = batch.options
    double = batch if options.precision == "double" else batch.with_options(Options("double", options.strict))
    tighter = Limits(limits.tolerances * TIGHTER, limits.max_steps * LONGER)
    second = double.run(tighter, 1, rows)
    for k, row in enumerate(rows.tolist()):
        if second.people.status[k] == memory.OK:
            first.records[row] = second.records[k]
            for whole, part in zip(first.people, second.people, strict=True):
                whole[row] = part[k]
            first.people.status[row] = memory.RESCUED
        else:
            course = _by_reference(batch, row, schedule, limits)
            if course.status is Status.OK:
                _put(batch, first, row, course)


def _by_reference(batch: Batch, row: int, schedule: pd.DataFrame, limits: Limits) -> Course:
    patient = batch.parameters.index[row]
    own = schedule[schedule["patient"] == patient]
    actions = [Action(*r) for r in own[["time", "kind", "target", "amount"]].itertuples(index=False)]
    actions.sort(key=lambda action: action.time)
    parameters = {str(k): float(v) for k, v in batch.parameters.iloc[row].items()}
    return solve_one(
        batch.system,
        parameters,
        actions,
        batch.times[row],
        batch.outputs,
        rtol=float(limits.tolerances[0]),
        atol=limits.tolerances[1:],
        side=batch.side,
        begin=batch.begin,
        max_steps=REFERENCE_STEPS,
        start=None if batch.start is None else _moment(batch, batch.start, row, parameters),
    )


def _moment(batch: Batch, start: Final, row: int, parameters: dict[str, float]) -> Moment:
    """Where a patient goes on from."""
    system, queue = batch.system, start.queue
    values = {**system.parameters, **parameters, **dict(zip(start.slots, start.values[row], strict=True))}
    waiting = []
    for q in range(queue.pending[row]):
        event = int(queue.waiting[row, q])
        count = len(system.events[event].assignments)
        fixed = tuple(queue.stored[row, q, :count]) if system.events[event].values_from_trigger_time else None
        waiting.append(Waiting(event, float(queue.due[row, q]), fixed))
    return Moment(
        time=float(start.time[row]),
        states=start.states[row].copy(),
        parameters=np.array([values[name] for name in system.parameters]),
        inflow=start.rates[row].copy(),
        triggers=tuple(bool(t) for t in queue.triggers[row]),
        waiting=tuple(waiting),
    )


def _put(batch: Batch, solved: Solved, row: int, course: Course) -> None:
    """Write a patient's course where the driver would have written it."""
    people, end = solved.people, course.end
    solved.records[row] = course.values
    people.status[row], people.culprit[row] = memory.RESCUED, -1
    people.t[row], people.y[row] = end.time, end.states
    people.planned[row] = people.restart[row] = 0.0  # the engine makes a new guess when it goes on
    people.rejected[row] = people.restarting[row] = 0
    values = dict(zip(batch.system.parameters, end.parameters, strict=True))
    values |= {inflow(s): rate for s, rate in zip(batch.system.states, end.inflow, strict=True)}
    people.own[row] = [values[name] for name in batch.program.own]
    people.triggers[row] = end.triggers or ()
    people.pending[row] = len(end.waiting)
    for q, waiting in enumerate(end.waiting):
        people.waiting[row, q], people.due[row, q] = waiting.event, waiting.due
        if waiting.values is not None:
            people.stored[row, q, : len(waiting.values)] = waiting.values
