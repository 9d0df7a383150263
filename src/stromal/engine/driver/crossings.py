"""When does a condition turn? Search inside a step that the error control has accepted."""

from __future__ import annotations

from typing import Final

import numpy as np

from stromal.engine.driver.calls import call
from stromal.engine.driver.compiled import part
from stromal.engine.driver.memory import Code, Events, Lane, People, Places, Work

PROBES: Final = 4
"""Equal parts of a step at whose ends the conditions are looked at."""
BISECTIONS: Final = 45
CLOSE: Final = 1e-10
"""A crossing this near to the end of a step (as a part of the step) is at its end."""
RESOLUTION: Final = 1e-12
"""Shortest way to a crossing, relative to the time and the planned step: what is nearer is stepped over."""
REFINEMENTS: Final = 12


@part
def look_for_crossings(code: Code, events: Events, people: People, work: Work, lane: Lane, places: Places) -> None:
    """Take back the acceptance of steps inside which a trigger turns, and cap them at that time.

    The step is then repeated up to there: the time is found on the continuous extension, but the state at that time
    is that of a step of the method. This is repeated until the crossing is at the end of the step. Steps of lanes in
    which no trigger turns are left as they are.
    """
    prepare(events, work, places)
    width = len(work.t)
    pending, found = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for at in range(width):
        pending[at] = work.mask[at]
    for k in range(1, PROBES + 1):
        turned(code, people, work, lane, k / PROBES, places)
        for at in range(width):  # noted before `narrow` looks at the triggers of all lanes elsewhere
            found[at] = pending[at] != 0 and work.triggers[-1, at] != 0.0
        for at in range(width):
            if found[at]:
                pending[at] = 0
                narrow(code, people, work, lane, places, at, (k - 1) / PROBES, k / PROBES)


@part
def prepare(events: Events, work: Work, places: Places) -> None:
    """Vectors of the continuous extension, for all lanes."""
    n = len(work.y)
    for m in range(3):
        for i in range(n):
            for at in range(len(work.t)):
                work.dense[m, i, at] = 0.0
            for j in range(events.dense.shape[1]):
                weight = events.dense[m, j]
                for at in range(len(work.t)):
                    work.dense[m, i, at] += weight * work.step[places.stages + j * n + i, at]


@part
def turned(code: Code, people: People, work: Work, lane: Lane, part: float, places: Places) -> None:
    """Evaluate all triggers at a part of the step; the last row of `work.triggers` says where any has turned."""
    n, width = work.y.shape
    rest = 1.0 - part
    for i in range(n):
        for at in range(width):
            bend = work.dense[0, i, at] + part * (work.dense[1, i, at] + part * work.dense[2, i, at])
            end = work.step[places.reached + i, at]
            work.probe[i, at] = rest * work.y[i, at] + part * (end + rest * bend)
    for at in range(width):
        work.probe_time[at] = work.t[at] + part * work.h[at]
    where = (
        work.probe.ctypes.data,
        work.probe_time.ctypes.data,
        code.shared,
        work.p.ctypes.data,
        work.triggers.ctypes.data,
    )
    call(code.triggers, where)
    for at in range(width):
        patient, differs = lane.patient[at], 0
        if patient >= 0:
            for e in range(people.triggers.shape[1]):
                differs |= (work.triggers[e, at] != 0.0) != (people.triggers[patient, e] != 0)
        work.triggers[-1, at] = differs


@part
def narrow(
    code: Code, people: People, work: Work, lane: Lane, places: Places, at: int, before: float, after: float
) -> None:
    """Find the crossing of lane `at` between two parts of its step, and cap the step there."""
    for _ in range(BISECTIONS):
        middle = 0.5 * (before + after)
        turned(code, people, work, lane, middle, places)
        if work.triggers[-1, at]:
            after = middle
        else:
            before = middle
    if 1.0 - after > CLOSE and lane.refined[at] < REFINEMENTS:
        work.mask[at] = 0
        lane.cap[at] = max(after * work.h[at], RESOLUTION * max(abs(work.t[at]), lane.planned[at]))
        lane.refined[at] += 1
