"""A block of patients that advance together, each at its own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.engine.codegen import Kernel
from stromal.engine.dormand_prince import Stepper, first_step
from stromal.engine.system import System
from stromal.engine.timeline import KINDS, RECORD, Timeline
from stromal.engine.trajectories import Final, Status

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
_CROWDED = 0.8
"""Lanes are filled again when fewer than this share of them still have work: it changes the speed, never a result."""


@final
@dataclass(frozen=True)
class Compiled:
    """Kernels of a model for one set of varying parameters and slots."""

    rates: Kernel
    outputs: Kernel
    initial: Kernel
    varying: tuple[str, ...]
    slots: tuple[str, ...]


@final
@dataclass(frozen=True)
class Limits:
    """Tolerances and the largest number of steps of a patient."""

    rtol: float
    atol: float
    max_steps: int


@final
class Block:
    """Solves its patients and fills in their records.

    A limited number of lanes is at work; a lane whose patient is done goes to the next patient who waits. What is
    known of a patient between lanes is kept in `_home`.

    Parameters
    ----------
    parameters : DataFrame
        Of the patients of this block only.
    rows : (n,)
        Their positions among all patients.
    start : Final or None
        Of the patients of this block only.
    begin : float
        Time of the initial state where there is no `start`.
    lanes : int
        Patients that advance together.
    """

    def __init__(
        self,
        system: System,
        compiled: Compiled,
        parameters: pd.DataFrame,
        line: Timeline,
        rows: Ints,
        start: Final | None,
        begin: float,
        limits: Limits,
        lanes: int,
    ) -> None:
        n = len(rows)
        self._line = line
        self._limits = limits
        self._lanes = lanes
        self._compiled = compiled
        self._patient = [parameters[c].to_numpy(dtype=float).copy() for c in compiled.varying]
        self._constants = compiled.rates.hoist(self._patient)
        self._next, self._last = line.first[rows].copy(), line.last[rows].copy()
        self._steps = np.zeros(n, dtype=np.int64)
        self._home = self._started(system, parameters, start, begin)
        if start is not None:
            self._next = np.where(start.status == Status.OK, self._next, self._last)
        self._infusing = bool((line.kind == KINDS["rate"]).any() or self._home.rates.any())
        self._waiting = np.arange(n)
        self._lane = np.empty(0, dtype=np.int64)
        self._stepper = Stepper(self._derivative, limits.rtol, limits.atol)
        self._fill()

    def run(self, times: Array, records: Array) -> Final:
        """Solve all patients of the block.

        Parameters
        ----------
        times : (n, n_times)
            Times of the records.
        records : (n_outputs, n, n_times)
            Written; entries of records that a patient does not reach stay as they are.
        """
        # states, slots, and a row that is 0 where there is a record
        snapshots = np.full((len(self._stepper.y) + len(self._slots) + 1, *times.shape), np.nan)
        while True:
            self._apply_due(snapshots)
            active = self._active()
            if not active.any() and not len(self._waiting):
                break
            if active.mean() < _CROWDED:
                self._fill()
                continue
            self._note_failures(*self._stepper.advance(self._stop()))
        self._store()
        self._evaluate_outputs(times, snapshots, records)
        return self._home

    def _started(self, system: System, parameters: pd.DataFrame, start: Final | None, begin: float) -> Final:
        """Where every patient begins; arrays of its own, so that they can be written."""
        n, compiled, limits = len(parameters), self._compiled, self._limits
        slots = np.array(
            [
                parameters[s].to_numpy(dtype=float) if s in parameters else np.full(n, system.parameters[s])
                for s in compiled.slots
            ]
        ).reshape(len(compiled.slots), n)
        if start is not None:
            slots[: len(start.slots)] = start.values.T
            copies = {k: getattr(start, k).copy() for k in ("time", "step", "rejected", "states", "rates", "status")}
            return Final(slots=compiled.slots, values=slots.T.copy(), **copies)
        time, states = np.full(n, begin), np.empty((len(system.states), n))
        compiled.initial.evaluate(time, states, slots, compiled.initial.hoist(self._patient), states)
        slopes = np.empty_like(states)
        compiled.rates.evaluate(time, states, slots, self._constants, slopes)
        first = np.where(
            self._next < self._last, self._line.time[np.minimum(self._next, len(self._line.time) - 1)], begin
        )
        step = first_step(states, slopes, limits.rtol, limits.atol, first - time)
        status = np.full(n, Status.OK, dtype=object)
        return Final(
            time,
            step,
            np.zeros(n, dtype=bool),
            states.T.copy(),
            np.zeros_like(states.T),
            compiled.slots,
            slots.T.copy(),
            status,
        )

    def _fill(self) -> None:
        """Bring lanes that are done home, and give lanes to patients who wait."""
        self._store()
        going = self._lane[self._active()]
        admitted, self._waiting = np.split(self._waiting, [self._lanes - len(going)])
        self._lane = np.concatenate([going, admitted])
        lane, home = self._lane, self._home
        self._hoisted = [c[lane] for c in self._constants]
        self._slots, self._infusion = home.values[lane].T.copy(), home.rates[lane].T.copy()
        self._stepper.load(
            home.time[lane], home.step[lane], home.rejected[lane], self._steps[lane], home.states[lane].T.copy()
        )

    def _store(self) -> None:
        """Bring what the lanes know home."""
        if not len(self._lane):
            return
        lane, stepper, home = self._lane, self._stepper, self._home
        home.time[lane], home.step[lane], home.rejected[lane] = stepper.t, stepper.h, stepper.rejected
        home.states[lane], home.rates[lane], home.values[lane] = stepper.y.T, self._infusion.T, self._slots.T
        self._steps[lane] = stepper.steps

    def _active(self) -> NDArray[np.bool_]:
        """Lanes whose patient still has something to come."""
        return np.asarray(self._next[self._lane] < self._last[self._lane])

    def _derivative(self, t: Array, y: Array, out: Array) -> None:
        self._compiled.rates.evaluate(t, y, self._slots, self._hoisted, out)
        if self._infusing:
            out += self._infusion

    def _stop(self) -> Array:
        """Time of each lane's next item, or its present time when it has none."""
        active = self._active()
        item = np.where(active, self._next[self._lane], 0)
        return np.where(active, self._line.time[item], self._stepper.t) if len(self._line.time) else self._stepper.t

    def _apply_due(self, snapshots: Array) -> None:
        """Apply items whose time has come, one of each lane at a time so that their order holds."""
        changed = False
        while True:
            due = np.nonzero(self._active() & (self._stop() <= self._stepper.t))[0]
            if not len(due):
                break
            item = self._next[self._lane[due]]
            kind, target, amount = (a[item] for a in (self._line.kind, self._line.target, self._line.amount))
            self._record(due[kind == RECORD], target[kind == RECORD], snapshots)
            for name, code in KINDS.items():
                those = kind == code
                if those.any():
                    self._act(name, due[those], target[those], amount[those])
                    changed = True
            self._next[self._lane[due]] += 1
        if changed:
            self._stepper.refresh()

    def _record(self, lanes: Ints, column: Ints, snapshots: Array) -> None:
        n_states = len(self._stepper.y)
        snapshots[:n_states, self._lane[lanes], column] = self._stepper.y[:, lanes]
        snapshots[n_states:-1, self._lane[lanes], column] = self._slots[:, lanes]
        snapshots[-1, self._lane[lanes], column] = 0.0

    def _act(self, kind: str, lanes: Ints, target: Ints, amount: Array) -> None:
        y = self._stepper.y
        if kind == "bolus":
            y[target, lanes] += amount
        elif kind == "scale":
            y[target, lanes] *= amount
        elif kind == "rate":
            self._infusion[target, lanes] = amount
        else:
            self._slots[target, lanes] = amount

    def _note_failures(self, underflow: NDArray[np.bool_], not_finite: NDArray[np.bool_]) -> None:
        too_long = (self._stepper.steps >= self._limits.max_steps) & (self._stepper.t < self._stop())
        for failed, status in (
            (too_long, Status.STEP_LIMIT),
            (underflow, Status.STEP_UNDERFLOW),
            (not_finite, Status.NON_FINITE),
        ):
            patients = self._lane[failed]
            self._home.status[patients] = status
            self._next[patients] = self._last[patients]

    def _evaluate_outputs(self, times: Array, snapshots: Array, records: Array) -> None:
        constants = self._compiled.outputs.hoist(self._patient)
        n_states = len(self._stepper.y)
        out = np.empty((len(records), len(times)))
        for k in range(times.shape[1]):
            reached = snapshots[-1, :, k] == 0.0
            both = np.ascontiguousarray(snapshots[:, :, k])
            self._compiled.outputs.evaluate(times[:, k].copy(), both[:n_states], both[n_states:-1], constants, out)
            records[:, reached, k] = out[:, reached]
