"""The arrays that the driver works on, as tuples that Numba understands."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OK: Final = 0
STEP_LIMIT: Final = 1
STEP_UNDERFLOW: Final = 2
NON_FINITE: Final = 3
EVENT_LIMIT: Final = 4
RESCUED: Final = 5
"""Codes of how a patient's solve ended."""


class Code(NamedTuple):
    """Addresses of the machine code, and of the shared numbers it reads.

    `constants` are the `common` ones in the precision of the steps.
    """

    hoist: int
    start: int
    first_step: int
    step: int
    accept: int
    outputs: int
    triggers: int
    event_values: int
    shared: int
    common: int
    constants: int


class Places(NamedTuple):
    """Where the memory of a step holds the stage vectors, the last of them, and the new state."""

    stages: int
    last: int
    reached: int


class Work(NamedTuple):
    """Memory of the lanes of one thread; the last axis is the lane.

    Attributes
    ----------
    y, p, t, h : states, own quantities, time, step being tried
    hoists, switches, tolerances, report, start, recorded, step : what the machine code writes and reads
    triggers, values, probe, dense : of conditions and events
    mask : -1 where a step is accepted
    """

    y: Floats
    p: Floats
    t: Floats
    h: Floats
    hoists: Floats
    switches: Floats
    tolerances: Floats
    report: Floats
    start: Floats
    recorded: Floats
    step: Floats
    triggers: Floats
    values: Floats
    probe: Floats
    probe_time: Floats
    dense: Floats
    mask: Ints


class Lane(NamedTuple):
    """What the driver knows of each lane, (n_lanes,).

    Attributes
    ----------
    patient : -1 for an idle lane
    item : next item of its schedule
    steps : steps taken so far
    planned : next step to try
    restart : step that was accepted first after the last change from outside
    cap : largest step, while the time of an event is being found
    stop : time of the next stop
    rejected, restarting : whether the last try was rejected; whether the next accepted step is the first after a change
    refined : times that the present step was shortened to find an event
    """

    patient: Ints
    item: Ints
    steps: Ints
    planned: Floats
    restart: Floats
    cap: Floats
    stop: Floats
    rejected: Ints
    restarting: Ints
    refined: Ints


class Plan(NamedTuple):
    """What is to be done for the patients of a chunk.

    Attributes
    ----------
    first, last : (n_patients,)
    time, kind, target, amount : (n_items,) as of `Timeline`, targets as rows of states or own quantities
    computed, formula : (n_computed,)
        Own quantities whose value at the start the machine code gives, and where among the starting values
    goes_on : 1 if the patients go on from where they are
    """

    first: Ints
    last: Ints
    time: Floats
    kind: Ints
    target: Ints
    amount: Floats
    computed: Ints
    formula: Ints
    goes_on: int


class Events(NamedTuple):
    """Events of a model.

    Attributes
    ----------
    initially, persistent, at_trigger : (n_events,)
    first, last : (n_events,) the assignments of each event
    target : (n_assignments,) a state, or -1 - row of an own quantity
    by_state : 1 if a trigger depends on states, so that its time must be searched
    dense : (3, n_stages) coefficients of the continuous extension
    """

    initially: Ints
    persistent: Ints
    at_trigger: Ints
    first: Ints
    last: Ints
    target: Ints
    by_state: int
    dense: Floats


class People(NamedTuple):
    """Where each patient of a chunk is; read at the start and written at the end. First axis: patient.

    Attributes
    ----------
    own : (n, n_own)
    y : (n, n_states)
    t, planned, restart : (n,)
    rejected, restarting, steps, status : (n,)
    culprit : (n,) the state that made a failed patient's last step fail, -1 if unknown
    triggers : (n, n_events)
    pending : (n,) events that wait for their time
    waiting : (n, capacity) which
    due : (n, capacity) when
    stored : (n, capacity, n_values) values from the time of triggering
    """

    own: Floats
    y: Floats
    t: Floats
    planned: Floats
    restart: Floats
    rejected: Ints
    restarting: Ints
    steps: Ints
    status: Ints
    culprit: Ints
    triggers: Ints
    pending: Ints
    waiting: Ints
    due: Floats
    stored: Floats
