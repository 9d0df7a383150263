"""A task's model as SBML with its schedule as events, for simulators that take nothing else.

Every patient has the same events, one for each action that some patient has on a target; their times and amounts are
parameters, so that one compiled model serves everybody. Actions at time 0 are part of the initial state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import libsbml
import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.engine import Actions
from benchmarks.tasks import Segment, Task

Array = NDArray[np.float64]
NEVER: Final = 1e9
"""Time of an event that a patient does not have."""


@final
@dataclass(frozen=True, eq=False)
class Scheduled:
    """SBML and what each patient puts into it.

    Attributes
    ----------
    text : str
    names : tuple of str
        Of the parameters of events and the given parameters of the task.
    values : (n_patients, n_names)
    initial : (n_patients, n_states)
        After the actions at time 0.
    """

    text: str
    names: tuple[str, ...]
    values: Array
    initial: Array


def scheduled(task: Task) -> Scheduled:
    """The model of a task with its schedule."""
    actions = Actions.of(task)
    initial, given = task.initial.copy(), task.values.copy()
    for patient, course in enumerate(task.courses):
        actions.apply(course[0].actions, initial[patient], given[patient])
    events = _events(task)
    columns = {name: value for one in events for name, value in zip(one.names, one.values.T, strict=True)}
    fixed = {name: float(column[0]) for name, column in columns.items() if np.all(column == column[0])}
    varying = {name: column for name, column in columns.items() if name not in fixed}
    document = libsbml.readSBMLFromString(task.system.sbml)
    model = document.getModel()
    for name in varying:
        _add_parameter(model, name)
    for slot in task.slots:
        model.getParameter(slot).setConstant(False)
    for event in events:
        _add_event(model, event, fixed)
    values = np.column_stack([given, *varying.values()])
    return Scheduled(libsbml.writeSBMLToString(document), (*task.given, *varying), values, initial)


def before_actions(task: Task, patient: int, found: Array) -> Array:
    """States at the visits before the actions of the same time, from those after them, (n_visits, n_states)."""
    states = Actions.of(task).states
    result = found.copy()
    for segment in task.courses[patient][1:]:
        for kind, target, amount in reversed(segment.actions):
            rows = task.visits == segment.start
            if kind == "bolus":
                result[rows, states[target]] -= amount
            elif kind == "scale":
                result[rows, states[target]] /= amount
    return result


@final
@dataclass(frozen=True, eq=False)
class _Event:
    """One event: at its time, ``target = factor * target + addend``.

    Attributes
    ----------
    names : tuple of str
        Of time, factor and addend.
    values : (n_patients, 3)
    """

    target: str
    names: tuple[str, str, str]
    values: Array


def _events(task: Task) -> list[_Event]:
    """The k-th change of each target, for all k and targets."""
    changes = [_changes(course) for course in task.courses]
    events = []
    for target in dict.fromkeys(t for own in changes for t in own):
        rows = [own.get(target, []) for own in changes]
        for k in range(max(map(len, rows))):
            values = np.array([row[k] if k < len(row) else (NEVER, 1.0, 0.0) for row in rows])
            events.append(_Event(target, (f"at_{target}_{k}", f"by_{target}_{k}", f"plus_{target}_{k}"), values))
    return events


def _changes(course: tuple[Segment, ...]) -> dict[str, list[tuple[float, float, float]]]:
    """Of each target: time, factor and addend of its changes after time 0."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for segment in course[1:]:
        linear: dict[str, tuple[float, float]] = {}
        for kind, target, amount in segment.actions:
            factor, addend = linear.get(target, (1.0, 0.0))
            linear[target] = {
                "bolus": (factor, addend + amount),
                "scale": (factor * amount, addend * amount),
                "set": (0.0, amount),
            }[kind]
        for target, (factor, addend) in linear.items():
            found.setdefault(target, []).append((segment.start, factor, addend))
    return found


def _add_parameter(model: libsbml.Model, name: str) -> None:
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(True)
    parameter.setValue(0.0)


def _add_event(model: libsbml.Model, event: _Event, fixed: dict[str, float]) -> None:
    time, factor, addend = (repr(fixed[name]) if name in fixed else name for name in event.names)
    made = model.createEvent()
    made.setId(f"event_{event.names[0]}")
    made.setUseValuesFromTriggerTime(True)
    trigger = made.createTrigger()
    trigger.setInitialValue(False)
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time >= {time}"))
    assignment = made.createEventAssignment()
    assignment.setVariable(event.target)
    if fixed.get(event.names[1]) == 0.0:
        assignment.setMath(libsbml.parseL3Formula(addend))
    elif fixed.get(event.names[1]) == 1.0:
        assignment.setMath(libsbml.parseL3Formula(f"{event.target} + {addend}"))
    else:
        assignment.setMath(libsbml.parseL3Formula(f"{factor} * {event.target} + {addend}"))
