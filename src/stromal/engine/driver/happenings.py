"""What happens to a patient at an instant: records, actions of the schedule, events of the model."""

from __future__ import annotations

from typing import Final

from stromal.engine.driver.calls import call
from stromal.engine.driver.compiled import part
from stromal.engine.driver.memory import EVENT_LIMIT, NON_FINITE, Code, Events, Floats, Lane, People, Plan, Work
from stromal.engine.timeline import KINDS, RECORD

BOLUS: Final = KINDS["bolus"]
SCALE: Final = KINDS["scale"]
MOST_EVENTS: Final = 10_000
"""Events that one instant may hold; more are a circle of events that trigger each other."""


@part
def settle(
    code: Code, plan: Plan, events: Events, people: People, work: Work, lane: Lane, at: int, records: Floats
) -> int:
    """Do all that is due for lane `at` at its time; 1 if its state or quantities were changed.

    Records see the state before the actions of the same time, or after, as the items are sorted; events of the
    model are executed as soon as they are due.
    """
    patient = lane.patient[at]
    last = plan.last[patient]
    has_events = len(events.initially) > 0
    changed = execute_events(code, events, people, work, lane, at) if has_events else 0
    acted = 0
    while lane.item[at] < last and plan.time[lane.item[at]] <= work.t[at] and not people.status[patient]:
        item = lane.item[at]
        if plan.kind[item] == RECORD:
            if acted and has_events:
                changed |= execute_events(code, events, people, work, lane, at)
                acted = 0
            record(code, work, at, records, patient, plan.target[item])
        else:
            act(plan, work, at, item)
            changed = acted = 1
        lane.item[at] += 1
    if acted and has_events:
        changed |= execute_events(code, events, people, work, lane, at)
    return changed


@part
def record(code: Code, work: Work, at: int, records: Floats, patient: int, column: int) -> None:
    """Write the outputs of lane `at`."""
    where = (work.y.ctypes.data, work.t.ctypes.data, code.shared, work.p.ctypes.data, work.recorded.ctypes.data)
    call(code.outputs, where)
    for i in range(records.shape[2]):
        records[patient, column, i] = work.recorded[i, at]


@part
def act(plan: Plan, work: Work, at: int, item: int) -> None:
    """Apply one action of the schedule."""
    kind, target, amount = plan.kind[item], plan.target[item], plan.amount[item]
    if kind == BOLUS:
        work.y[target, at] += amount
    elif kind == SCALE:
        work.y[target, at] *= amount
    else:
        work.p[target, at] = amount


@part
def execute_events(code: Code, events: Events, people: People, work: Work, lane: Lane, at: int) -> int:
    """Trigger and execute events of lane `at` until none is due; 1 if any was executed.

    After each one all triggers are evaluated again, as SBML (level 3 version 2, section 4.11.6) asks.
    """
    patient = lane.patient[at]
    executed = 0
    while True:
        trigger_events(code, events, people, work, patient, at)
        chosen = most_urgent(code, people, work, patient, at)
        if chosen < 0:
            return 1 if executed else 0
        assign(events, people, work, patient, at, chosen)
        remove(people, patient, chosen)
        executed += 1
        if people.status[patient]:
            return 1
        if executed > MOST_EVENTS:
            people.status[patient] = EVENT_LIMIT
            return 1


@part
def trigger_events(code: Code, events: Events, people: People, work: Work, patient: int, at: int) -> None:
    """Compare triggers with what they were: queue what is triggered, drop what does not persist."""
    call(code.triggers, arguments(code, work, work.triggers.ctypes.data))
    evaluated = False
    for e in range(len(events.initially)):
        now = 1 if work.triggers[e, at] != 0.0 else 0
        before = people.triggers[patient, e]
        people.triggers[patient, e] = now
        if before and not now and not events.persistent[e]:
            for q in range(people.pending[patient] - 1, -1, -1):
                if people.waiting[patient, q] == e:
                    remove(people, patient, q)
        elif now and not before:
            if not evaluated:
                call(code.event_values, arguments(code, work, work.values.ctypes.data))
                evaluated = True
            queue(events, people, work, patient, at, e)


@part
def queue(events: Events, people: People, work: Work, patient: int, at: int, e: int) -> None:
    """Let event `e` wait for its time, with its values if they are those of now."""
    q = people.pending[patient]
    if q == people.waiting.shape[1]:
        people.status[patient] = EVENT_LIMIT
        return
    delay = work.values[2 * e, at]
    if not delay >= 0.0:  # negative or NaN: there is no time at which it could happen
        people.status[patient] = NON_FINITE
        return
    people.waiting[patient, q] = e
    people.due[patient, q] = work.t[at] + delay
    base = 2 * len(events.initially)
    for k in range(events.first[e], events.last[e]):
        people.stored[patient, q, k - events.first[e]] = work.values[base + k, at]
    people.pending[patient] = q + 1


@part
def most_urgent(code: Code, people: People, work: Work, patient: int, at: int) -> int:
    """Position of the due event of highest priority, the first of equals; -1 if none is due."""
    chosen, evaluated = -1, False
    for q in range(people.pending[patient]):
        if people.due[patient, q] <= work.t[at]:
            if not evaluated:
                call(code.event_values, arguments(code, work, work.values.ctypes.data))
                evaluated = True
            priority = work.values[2 * people.waiting[patient, q] + 1, at]
            if chosen < 0 or priority > work.values[2 * people.waiting[patient, chosen] + 1, at]:
                chosen = q
    return chosen


@part
def assign(events: Events, people: People, work: Work, patient: int, at: int, q: int) -> None:
    """Execute the event at position `q`; `work.values` holds the values of now."""
    e = people.waiting[patient, q]
    base = 2 * len(events.initially)
    for k in range(events.first[e], events.last[e]):
        value = people.stored[patient, q, k - events.first[e]] if events.at_trigger[e] else work.values[base + k, at]
        value *= work.values[base + len(events.target) + k, at]
        target = events.target[k]
        if target >= 0:
            work.y[target, at] = value
        else:
            work.p[-1 - target, at] = value


@part
def remove(people: People, patient: int, q: int) -> None:
    """Take the event at position `q` out of the queue; the others keep their order."""
    for k in range(q, people.pending[patient] - 1):
        people.waiting[patient, k] = people.waiting[patient, k + 1]
        people.due[patient, k] = people.due[patient, k + 1]
        for i in range(people.stored.shape[2]):
            people.stored[patient, k, i] = people.stored[patient, k + 1, i]
    people.pending[patient] -= 1


@part
def arguments(code: Code, work: Work, result: int) -> tuple[int, int, int, int, int]:
    """Pointers for the functions of events, at the present state."""
    return (work.y.ctypes.data, work.t.ctypes.data, code.shared, work.p.ctypes.data, result)
