"""Lanes: each carries one patient at a time, and takes the next one as soon as its patient is done.

Every patient has a time, a step and a list of stops of its own, so what it gets does not depend on its neighbours,
their number or order. No lane ever waits for another: a step of the machine code advances all lanes, each over its
own distance.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from stromal.engine.driver.calls import call
from stromal.engine.driver.compiled import inlined, part, whole
from stromal.engine.driver.crossings import look_for_crossings
from stromal.engine.driver.happenings import settle
from stromal.engine.driver.memory import (
    NON_FINITE,
    STEP_LIMIT,
    STEP_UNDERFLOW,
    Code,
    Events,
    Floats,
    Ints,
    Lane,
    People,
    Places,
    Plan,
    Work,
)

SHRINK: Final = 0.2
NEAR: Final = 1.01
"""A stop up to this many steps away is reached in one step; one up to two away in two equal steps."""
FREED: Final = 1
VALUES: Final = 2
STOPS: Final = 4
"""News of a step: a lane was freed; states or quantities were changed from outside; a stop was reached."""
LAST_BITS: Final = 8.9e-16
SMALLEST_STEP: Final = 1e-100
"""Only reached near time zero, where a step is never small against the time."""


@whole
def drive(
    code: Code,
    plan: Plan,
    events: Events,
    people: People,
    work: Work,
    lane: Lane,
    records: Floats,
    max_steps: int,
    places: Places,
    width: int,
) -> tuple[int, int]:
    """Carry all patients of a chunk through their items.

    Parameters
    ----------
    records : (n_patients, n_times, n_outputs)
        Written where a patient gets to.
    places : Places
        `reached` is negative when the memory of a step cannot be read (single precision).

    Returns
    -------
    calls, steps : int
        Steps of the machine code, and of patients: their ratio is the use of the lanes.
    """
    waiting, calls, steps, active = 0, 0, 0, 0
    lane.patient[:] = -1
    fresh = np.zeros(width, np.int64)
    news = FREED | VALUES | STOPS
    while True:
        if news & FREED:
            if waiting < len(people.t):
                waiting = fill(code, plan, events, people, work, lane, records, waiting, fresh)
                news |= VALUES
            active = count_active(lane.patient)
            if not active:
                return calls, steps
        if news & VALUES:
            call(code.hoist, (code.common, work.p.ctypes.data, work.hoists.ctypes.data, work.switches.ctypes.data))
            begin_steps(code, work, lane, fresh)
        if news:
            find_stops(plan.time, len(events.initially), people.pending, people.due, lane, work.t, work.switches)
        choose_steps(lane.patient, lane.planned, lane.cap, lane.stop, work.t, work.h)
        take_step(code, work)
        judge(lane.patient, lane.planned, lane.rejected, lane.steps, work.report, work.h, work.mask)
        if events.by_state:
            look_for_crossings(code, events, people, work, lane, places)
        call(code.accept, (work.y.ctypes.data, work.step.ctypes.data, work.mask.ctypes.data))
        move(lane, work.report, work.h, work.mask, work.t)
        news = 0
        if len(events.initially) or anything(lane, work.mask, work.t, max_steps):
            news = arrive(code, plan, events, people, work, lane, records, max_steps, places)
        calls += 1
        steps += active


@inlined
def count_active(patient: Ints) -> int:
    """Lanes at work."""
    active = 0
    for at in range(len(patient)):
        active += patient[at] >= 0
    return active


@inlined
def anything(lane: Lane, mask: Ints, t: Floats, max_steps: int) -> bool:
    """Whether a lane has come to a stop, was rejected or has taken too many steps."""
    for at in range(len(t)):
        stopped = mask[at] and t[at] >= lane.stop[at]
        if lane.patient[at] >= 0 and (stopped or lane.rejected[at] or lane.steps[at] >= max_steps):
            return True
    return False


@part
def fill(
    code: Code,
    plan: Plan,
    events: Events,
    people: People,
    work: Work,
    lane: Lane,
    records: Floats,
    waiting: int,
    fresh: Ints,
) -> int:
    """Give idle lanes to the patients from number `waiting` on; the number of the next one who waits."""
    for at in range(len(work.t)):
        while lane.patient[at] < 0 and waiting < len(people.t):
            enter(code, plan, events, people, work, lane, at, waiting)
            fresh[at] = 1
            waiting += 1
            if settle(code, plan, events, people, work, lane, at, records):
                restart(lane, at)
            leave_if_done(plan, people, work, lane, at)
    return waiting


@part
def arrive(
    code: Code,
    plan: Plan,
    events: Events,
    people: People,
    work: Work,
    lane: Lane,
    records: Floats,
    max_steps: int,
    places: Places,
) -> int:
    """See to lanes that have come to a stop, or are stuck, and say what is new (see `drive`)."""
    news = 0
    for at in range(len(work.t)):
        if lane.patient[at] < 0:
            continue
        stopped = work.mask[at] and (work.t[at] >= lane.stop[at] or len(events.initially) > 0)
        if stopped:
            news |= STOPS
            if settle(code, plan, events, people, work, lane, at, records):
                restart(lane, at)
                news |= VALUES
        if lane.rejected[at] or lane.steps[at] >= max_steps:
            fail_if_stuck(people, work, lane, at, max_steps, places)
        if stopped or people.status[lane.patient[at]]:
            leave_if_done(plan, people, work, lane, at)
            if lane.patient[at] < 0:
                news |= FREED
    return news


@part
def enter(
    code: Code, plan: Plan, events: Events, people: People, work: Work, lane: Lane, at: int, patient: int
) -> None:
    """Let a patient take lane `at`."""
    lane.patient[at] = patient
    lane.item[at] = plan.first[patient]
    lane.steps[at] = people.steps[patient]
    lane.planned[at], lane.restart[at] = people.planned[patient], people.restart[patient]
    lane.rejected[at], lane.restarting[at] = people.rejected[patient], people.restarting[patient]
    lane.cap[at], lane.refined[at] = math.inf, 0
    work.t[at] = people.t[patient]
    for k in range(people.own.shape[1]):
        work.p[k, at] = people.own[patient, k]
    if plan.goes_on:
        for i in range(people.y.shape[1]):
            work.y[i, at] = people.y[patient, i]
    if not plan.goes_on or len(plan.computed):
        call(code.start, (code.shared, work.p.ctypes.data, work.t.ctypes.data, work.start.ctypes.data))
    for k in range(len(plan.computed)):
        work.p[plan.computed[k], at] = work.start[plan.formula[k], at]
    if plan.goes_on:
        return
    for i in range(people.y.shape[1]):
        work.y[i, at] = work.start[i, at]
    for e in range(len(events.initially)):
        people.triggers[patient, e] = events.initially[e]


@part
def leave_if_done(plan: Plan, people: People, work: Work, lane: Lane, at: int) -> None:
    """Free the lane of a patient who has nothing more to come, or has failed, and note where it is."""
    patient = lane.patient[at]
    if lane.item[at] < plan.last[patient] and not people.status[patient]:
        return
    for i in range(people.y.shape[1]):
        people.y[patient, i] = work.y[i, at]
    for k in range(people.own.shape[1]):
        people.own[patient, k] = work.p[k, at]
    people.t[patient], people.steps[patient] = work.t[at], lane.steps[at]
    people.planned[patient], people.restart[patient] = lane.planned[at], lane.restart[at]
    people.rejected[patient], people.restarting[patient] = lane.rejected[at], lane.restarting[at]
    lane.patient[at] = -1


@inlined
def take_step(code: Code, work: Work) -> None:
    """Try the steps `work.h` of all lanes."""
    state = (work.y.ctypes.data, work.t.ctypes.data, code.constants, work.hoists.ctypes.data)
    memory = (work.tolerances.ctypes.data, work.step.ctypes.data, work.report.ctypes.data)
    call(code.step, (state[0], state[1], state[2], state[3], work.h.ctypes.data, memory[0], memory[1], memory[2]))


@part
def begin_steps(code: Code, work: Work, lane: Lane, fresh: Ints) -> None:
    """Guess the first step of patients who have not taken any."""
    if not fresh.any():
        return
    state = (work.y.ctypes.data, work.t.ctypes.data, code.constants, work.hoists.ctypes.data)
    memory = (work.tolerances.ctypes.data, work.step.ctypes.data, work.h.ctypes.data)
    call(code.first_step, (state[0], state[1], state[2], state[3], memory[0], memory[1], memory[2]))
    for at in range(len(fresh)):
        if fresh[at] and lane.planned[at] <= 0.0:
            lane.planned[at] = lane.restart[at] = work.h[at] if 0.0 < work.h[at] < math.inf else 1e-6
            lane.restarting[at] = 1
        fresh[at] = 0


@inlined
def choose_steps(patient: Ints, planned: Floats, cap: Floats, stop: Floats, t: Floats, h: Floats) -> None:
    """The step of each lane, so that one of them ends on its next stop exactly."""
    for at in range(len(t)):
        step, left = min(planned[at], cap[at]), stop[at] - t[at]
        if step * NEAR >= left:
            step = left
        elif 2.0 * step > left:
            step = 0.5 * left
        h[at] = step if patient[at] >= 0 else 1.0


@inlined
def find_stops(
    time: Floats,
    n_events: int,
    pending: Ints,
    due: Floats,
    lane: Lane,
    t: Floats,
    switches: Floats,
) -> None:
    """Time of the next item, waiting event or switch of each lane at work."""
    for at in range(len(t)):
        patient = lane.patient[at]
        if patient < 0:
            continue
        nearest = time[lane.item[at]]
        for q in range(pending[patient]):
            nearest = min(nearest, due[patient, q])
        for k in range(switches.shape[0]):
            switch = switches[k, at]
            if t[at] < switch < nearest:
                nearest = switch
            if n_events:  # rounding may hide the turn at the time itself
                later = switch + LAST_BITS * abs(switch)
                if t[at] < later < nearest:
                    nearest = later
        lane.stop[at] = nearest


@inlined
def judge(patient: Ints, planned: Floats, rejected: Ints, steps: Ints, report: Floats, h: Floats, mask: Ints) -> None:
    """Accept or reject each lane's step; plan the next try of those that are rejected."""
    for at in range(len(h)):
        mask[at] = 0
        if patient[at] < 0:
            continue
        steps[at] += 1
        if report[0, at] <= 1.0:  # false for NaN
            mask[at] = -1
        else:
            planned[at] = h[at] * min(0.9, report[1, at])
            rejected[at] = 1


@inlined
def move(lane: Lane, report: Floats, h: Floats, mask: Ints, t: Floats) -> None:
    """Book the accepted steps, and plan the next ones."""
    for at in range(len(t)):
        if not mask[at]:
            continue
        step, factor = h[at], max(SHRINK, report[1, at])
        if lane.restarting[at]:
            lane.restart[at], lane.restarting[at] = step, 0
        if lane.rejected[at]:
            factor = min(factor, 1.0)
        following = step * factor
        # a step cut short by a stop says nothing against the longer one that was planned
        cut = step < lane.planned[at] and factor >= 1.0
        lane.planned[at] = max(following, lane.planned[at]) if cut else following
        lane.rejected[at], lane.refined[at], lane.cap[at] = 0, 0, math.inf
        t[at] = lane.stop[at] if step >= lane.stop[at] - t[at] else t[at] + step


@inlined
def restart(lane: Lane, at: int) -> None:
    """After a change from outside: the step that was right after the last one."""
    lane.planned[at], lane.restarting[at], lane.rejected[at] = lane.restart[at], 1, 0


@part
def fail_if_stuck(people: People, work: Work, lane: Lane, at: int, max_steps: int, places: Places) -> None:
    """Give up a patient whose steps have become too small, or too many, and note which state was to blame."""
    patient = lane.patient[at]
    if people.status[patient]:
        return
    failed = not work.mask[at] and lane.rejected[at]
    too_small = lane.planned[at] < SMALLEST_STEP or work.t[at] + lane.planned[at] * 0.01 == work.t[at]
    if failed and too_small:
        people.status[patient] = STEP_UNDERFLOW
    elif lane.steps[at] >= max_steps:
        people.status[patient] = STEP_LIMIT
    else:
        return
    if failed and not math.isfinite(work.report[0, at]):
        people.status[patient] = NON_FINITE
    if places.reached >= 0:
        people.culprit[patient] = culprit(work, at, places)


@part
def culprit(work: Work, at: int, places: Places) -> int:
    """State with the largest error in the last try, the first one if several have none."""
    worst, largest = -1, -1.0
    n = len(work.y)
    for i in range(n):
        y, reached = work.y[i, at], work.step[places.reached + i, at]
        scale = work.tolerances[1 + i] + work.tolerances[0] * max(abs(y), abs(reached))
        error = abs(work.step[places.last + i, at]) / scale
        if not math.isfinite(error):
            return i
        if error > largest:
            worst, largest = i, error
    return worst
