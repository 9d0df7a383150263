"""Events as the model writes them, in terms of its symbols."""

from __future__ import annotations

from collections.abc import Iterator

import libsbml

from stromal.compute.findings import Finding
from stromal.engine.graph import Node, symbols, walk
from stromal.engine.sbml.mathml import Reader
from stromal.engine.system import Event, System


def read_events(model: libsbml.Model, reader: Reader) -> tuple[Event, ...]:
    """Every event that can do something: without a trigger it never happens, and without assignments nothing does."""
    events = (_event(model.getEvent(i), i, reader) for i in range(model.getNumEvents()))
    return tuple(event for event in events if event is not None)


def unseen_turns(system: System, name: str) -> Iterator[Finding]:
    """Warnings about triggers that turn for an instant only: no solver that takes steps will meet it."""
    changing = {*system.states, "time"}
    for event in system.events:
        nodes = walk([system.free_of_rules(event.trigger)])
        if any(n.op in ("equal", "not_equal") and symbols([n]) & changing for n in nodes):
            what = "the trigger asks whether a quantity that changes all the time is equal to another"
            yield Finding("warning", f"{name}: event {event.name}", what, "an inequality, such as >= or <=")


def _event(event: libsbml.Event, position: int, reader: Reader) -> Event | None:
    name = event.getId() or f"event {position + 1}"
    place = name if name.startswith("event") else f"event {name}"
    trigger = event.getTrigger()
    assignments: dict[str, Node] = {}
    for item in (event.getEventAssignment(i) for i in range(event.getNumEventAssignments())):
        if item.isSetMath():
            assignments[item.getVariable()] = reader.number(item.getMath(), f"{place}, {item.getVariable()}")
    if trigger is None or not trigger.isSetMath() or not assignments:
        return None
    is_level_3 = event.getLevel() >= 3  # level 2 has neither attribute: true before the start, and persistent
    return Event(
        name,
        reader.truth(trigger.getMath(), f"{place}, trigger"),
        initially=bool(trigger.getInitialValue()) if is_level_3 else True,
        persistent=bool(trigger.getPersistent()) if is_level_3 else True,
        delay=_part(event.getDelay(), f"{place}, delay", reader),
        priority=_part(event.getPriority(), f"{place}, priority", reader) if is_level_3 else None,
        values_from_trigger_time=bool(event.getUseValuesFromTriggerTime()),
        assignments=assignments,
        sizes={},
    )


def _part(part: libsbml.Delay | libsbml.Priority | None, place: str, reader: Reader) -> Node | None:
    return None if part is None or not part.isSetMath() else reader.number(part.getMath(), place)
