"""A batch of patients: its tables as arrays, cut into chunks, each carried by the driver."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final as Constant
from typing import Literal, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.engine.driver import memory
from stromal.engine.driver.advance import drive
from stromal.engine.driver.memory import Code, Events, Lane, People, Places, Plan, Work
from stromal.engine.machine.blueprint import inflow
from stromal.engine.machine.program import Options, Program, build_program
from stromal.engine.system import System
from stromal.engine.timeline import KINDS, Timeline
from stromal.engine.trajectories import EventQueue, Final, Status, Trajectories

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK: Constant = 256
"""Patients that a thread takes at a time; it changes no result."""
_STATUS: Constant = {
    memory.OK: Status.OK,
    memory.RESCUED: Status.RESCUED,
    memory.STEP_LIMIT: Status.STEP_LIMIT,
    memory.STEP_UNDERFLOW: Status.STEP_UNDERFLOW,
    memory.NON_FINITE: Status.NON_FINITE,
    memory.EVENT_LIMIT: Status.EVENT_LIMIT,
}
_CODES: Constant = {status: code for code, status in _STATUS.items()} | {Status.RESCUED: memory.OK}
Side = Literal["before", "after"]


@final
@dataclass(frozen=True, eq=False)
class Limits:
    """Tolerances (relative, then absolute of each state) and the largest number of steps of a patient."""

    tolerances: Array
    max_steps: int


@final
@dataclass(frozen=True, eq=False)
class Solved:
    """What the driver made of patients.

    Attributes
    ----------
    records : (n_patients, n_times, n_outputs)
    people : People
        Where each patient ended.
    """

    records: Array
    people: People


@final
class Batch:
    """Patients of one solve, all of their input as arrays.

    Parameters
    ----------
    times : (n_patients, n_times)
    """

    def __init__(
        self,
        system: System,
        parameters: pd.DataFrame,
        line: Timeline,
        times: Array,
        outputs: tuple[str, ...],
        start: Final | None,
        begin: float,
        side: Side,
        options: Options,
    ) -> None:
        self.system, self.parameters, self.times, self.outputs = system, parameters, times, outputs
        self.start, self.begin, self.side, self.options = start, begin, side, options
        self._line = line
        running = set(np.flatnonzero(start.rates.any(axis=0))) if start is not None else set()
        infused = sorted(running | set(line.target[line.kind == KINDS["rate"]].tolist()))
        self._infused = tuple(system.states[i] for i in infused)
        varying = tuple(parameters.columns)
        self.program = _program(system, varying, line.slots, self._infused, outputs, options)
        self._own = self._own_quantities()
        row = {name: i for i, name in enumerate(self.program.own)}
        self._target = line.target.copy()
        for kind, rows in (
            ("rate", [row.get(inflow(s), -1) for s in system.states]),
            ("set", [row[s] for s in line.slots]),
        ):
            those = line.kind == KINDS[kind]
            self._target[those] = np.array(rows, dtype=np.int64)[line.target[those]]
        known = () if start is None else start.slots
        computed = [(row[n], len(system.states) + k) for k, n in enumerate(self.program.computed) if n not in known]
        self._computed = np.array(computed, dtype=np.int64).reshape(-1, 2)
        self._events = _event_table(system, self.program)
        self._shared = np.array([system.parameters[name] for name in self.program.shared])
        self._common = _aligned(self.program.layout.common)
        self._code = self._computed_constants()
        self._capacity = _capacity(system)

    def with_options(self, options: Options) -> Batch:
        """The same patients, for other machine code."""
        described = (self.system, self.parameters, self._line, self.times, self.outputs)
        return Batch(*described, self.start, self.begin, self.side, options)

    def run(self, limits: Limits, threads: int, rows: Ints | None = None) -> Solved:
        """Solve all patients, or those of `rows`."""
        chosen = np.arange(len(self.parameters)) if rows is None else rows
        pieces = [chosen[k : k + CHUNK] for k in range(0, len(chosen), CHUNK)] or [chosen]
        if threads == 1 or len(pieces) == 1:
            parts = [self._run_chunk(piece, limits) for piece in pieces]
        else:
            with ThreadPoolExecutor(threads) as pool:
                parts = list(pool.map(lambda piece: self._run_chunk(piece, limits), pieces))
        records = np.concatenate([records for records, _ in parts])
        people = People(*(np.concatenate(arrays) for arrays in zip(*(p for _, p in parts), strict=True)))
        return Solved(records, people)

    def trajectories(self, solved: Solved) -> Trajectories:
        """Results with names, statuses and all that is needed to go on."""
        final_state = self._final(solved.people)
        return Trajectories(
            self.parameters.index, self.times, self.outputs, solved.records, final_state.status, final_state
        )

    def _own_quantities(self) -> Array:
        """(n_patients, n_own): what each patient starts with."""
        own = np.zeros((len(self.parameters), len(self.program.own)))
        running = {inflow(s): i for i, s in enumerate(self.system.states)}
        for k, name in enumerate(self.program.own):
            if name in running:
                own[:, k] = self.start.rates[:, running[name]] if self.start is not None else 0.0
            elif self.start is not None and name in self.start.slots:
                own[:, k] = self.start.values[:, self.start.slots.index(name)]
            elif name in self.parameters:
                own[:, k] = self.parameters[name].to_numpy(dtype=float)
            else:
                own[:, k] = self.system.parameters[name]
        return own

    def _people(self, rows: Ints) -> People:
        """Where the patients `rows` begin."""
        n, start = len(rows), None if self.start is None else self.start.take(rows)
        states, events = len(self.system.states), len(self.system.events)
        if start is None:
            queue = _empty_queue(n, events, *self._capacity)
            time, zero = np.full(n, self.begin), np.zeros(n)
            controller = (np.empty((n, states)), time, zero, zero.copy(), np.zeros(n, np.int64), np.zeros(n, np.int64))
            status = np.zeros(n, dtype=np.int64)
        else:
            queue = start.queue
            controller = (
                *(start.states.copy(), start.time.copy(), start.step.copy(), start.restart.copy()),
                *(start.rejected.astype(np.int64), start.restarting.astype(np.int64)),
            )
            status = np.array([_CODES[s] for s in start.status], dtype=np.int64)
        remembered = (getattr(queue, f.name).copy() for f in fields(EventQueue))
        nothing = np.zeros(n, dtype=np.int64)
        return People(self._own[rows].copy(), *controller, nothing, status, nothing - 1, *remembered)

    def _computed_constants(self) -> Code:
        """Fill in what is constant for all patients."""
        at = self.program.library.addresses
        pointers = (self._shared.ctypes.data, self._common.ctypes.data)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(at["common"])(*pointers)
        with np.errstate(
            over="ignore"
        ):  # too large for single precision: infinite, and a step that uses it is rejected
            self._constants = self._common.astype(np.float32 if self.program.narrow else np.float64)
        addresses = {name: at[name] for name in Code._fields if name in at and name != "common"}
        return Code(**addresses, shared=pointers[0], common=pointers[1], constants=self._constants.ctypes.data)

    def _run_chunk(self, rows: Ints, limits: Limits) -> tuple[Array, People]:
        program, people = self.program, self._people(rows)
        line = self._line
        plan = Plan(
            line.first[rows],
            line.last[rows],
            line.time,
            line.kind,
            self._target,
            line.amount,
            self._computed[:, 0].copy(),
            self._computed[:, 1].copy(),
            0 if self.start is None else 1,
        )
        records = np.full((len(rows), self.times.shape[1], len(self.outputs)), np.nan)
        work, lane = _work_memory(program, self._events, limits.tolerances), _lanes(program.width)
        code = self._code
        drive(code, plan, self._events, people, work, lane, records, limits.max_steps, _places(program), program.width)
        return records, people

    def _final(self, people: People) -> Final:
        own = {name: people.own[:, k] for k, name in enumerate(self.program.own)}
        rates = np.zeros_like(people.y)
        for i, state in enumerate(self.system.states):
            if inflow(state) in own:
                rates[:, i] = own[inflow(state)]
        slots = tuple(n for n in own if n in self.program.changing)
        status = np.array([_STATUS[c] for c in people.status.tolist()], dtype=object)
        if self.start is not None:
            status[(self.start.status == Status.RESCUED) & (status == Status.OK)] = Status.RESCUED
        return Final(
            time=people.t,
            step=people.planned,
            restart=people.restart,
            rejected=people.rejected.astype(bool),
            restarting=people.restarting.astype(bool),
            states=people.y,
            rates=rates,
            slots=slots,
            values=np.array([own[n] for n in slots]).reshape(len(slots), len(people.t)).T.copy(),
            status=status,
            culprit=np.array([self.system.states[i] if i >= 0 else "" for i in people.culprit.tolist()], dtype=object),
            queue=EventQueue(people.triggers, people.pending, people.waiting, people.due, people.stored),
        )


@lru_cache(maxsize=64)
def _program(
    system: System,
    varying: tuple[str, ...],
    scheduled: tuple[str, ...],
    infused: tuple[str, ...],
    outputs: tuple[str, ...],
    options: Options,
) -> Program:
    return build_program(system, varying, scheduled, infused, outputs, options)


def _event_table(system: System, program: Program) -> Events:
    """The events of a model as arrays."""
    row = {name: -1 - i for i, name in enumerate(program.own)} | {name: i for i, name in enumerate(system.states)}
    counts = np.array([len(e.assignments) for e in system.events], dtype=np.int64)
    last = np.cumsum(counts, dtype=np.int64)
    targets = [row[target] for event in system.events for target in event.assignments]
    dense = program.options.tableau.dense or ((0.0,) * program.layout.stages,) * 3
    return Events(
        np.array([e.initially for e in system.events], dtype=np.int64),
        np.array([e.persistent for e in system.events], dtype=np.int64),
        np.array([e.values_from_trigger_time for e in system.events], dtype=np.int64),
        last - counts,
        last,
        np.array(targets, dtype=np.int64),
        int(program.searches),
        np.array(dense),
    )


def _capacity(system: System) -> tuple[int, int]:
    """Events that may wait at once, and values that each may carry."""
    if not system.events:
        return 0, 0
    delayed = any(e.delay is not None for e in system.events)
    return 4 * len(system.events) + (64 if delayed else 4), max(len(e.assignments) for e in system.events)


def _empty_queue(n: int, events: int, capacity: int, values: int) -> EventQueue:
    shape = (n, capacity)
    return EventQueue(
        np.zeros((n, events), np.int64),
        np.zeros(n, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape),
        np.zeros((*shape, values)),
    )


def _aligned(*shape: int) -> Array:
    """An array of zeros that begins on a cache line, as vector instructions want it."""
    count = int(np.prod(shape))
    room = np.zeros(count + 8)
    first = (-room.ctypes.data % 64) // 8
    return room[first : first + count].reshape(shape)


def _work_memory(program: Program, events: Events, tolerances: Array) -> Work:
    layout, width, own, n = program.layout, program.width, len(program.own), program.layout.states
    room = tolerances.copy()
    return Work(
        y=_aligned(n, width),
        p=_aligned(own, width),
        t=_aligned(width),
        h=_aligned(width),
        hoists=_aligned(layout.hoists, width),
        switches=_aligned(layout.switches, width),
        tolerances=room,
        report=_aligned(2, width),
        start=_aligned(n + len(program.computed), width),
        recorded=_aligned(layout.outputs, width),
        step=_aligned(layout.work, width),
        triggers=_aligned(len(events.initially) + 1, width),
        values=_aligned(2 * (len(events.initially) + len(events.target)), width),
        probe=_aligned(n, width),
        probe_time=_aligned(width),
        dense=_aligned(3, n, width),
        mask=_aligned(width).view(np.int64),
    )


def _lanes(width: int) -> Lane:
    floats, ints = np.zeros((4, width)), np.zeros((6, width), np.int64)
    planned, restart, cap, stop = floats
    patient, item, steps, rejected, restarting, refined = ints
    return Lane(patient, item, steps, planned, restart, cap, stop, rejected, restarting, refined)


def _places(program: Program) -> Places:
    places, n = program.layout.places, program.layout.states
    if program.narrow:
        return Places(-1, -1, -1)
    return Places(places["stages"], places["stages"] + (program.layout.stages - 1) * n, places["reached"])
