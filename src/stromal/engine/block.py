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
"""Lanes are closed up when fewer than this share of them still has work: it changes the speed, never a result."""


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
    ) -> None:
        n = len(rows)
        self._line = line
        self._limits = limits
        self._outputs = compiled.outputs
        self._patient = [parameters[c].to_numpy(dtype=float).copy() for c in compiled.varying]
        self._slots = np.array(
            [
                parameters[s].to_numpy(dtype=float) if s in parameters else np.full(n, system.parameters[s])
                for s in compiled.slots
            ]
        ).reshape(len(compiled.slots), n)
        self._infusion = np.zeros((len(system.states), n))
        self._hoisted = compiled.rates.hoist(self._patient)
        self._evaluate = compiled.rates.evaluate
        time = np.full(n, begin)
        states = np.empty((len(system.states), n))
        if start is None:
            compiled.initial.evaluate(time, states, self._slots, compiled.initial.hoist(self._patient), states)
        else:
            time, states = start.time.copy(), start.states.T.copy()
            self._infusion = start.rates.T.copy()
            self._slots[: len(start.slots)] = start.values.T
        self._infusing = bool((line.kind == KINDS["rate"]).any() or self._infusion.any())
        self._stepper = Stepper(self._derivative, time, states, np.empty(n), limits.rtol, limits.atol)
        self._next, self._last = line.first[rows].copy(), line.last[rows].copy()
        self._lane = np.arange(n)
        if start is None:
            self._stepper.h = first_step(states, self._stepper.f, limits.rtol, limits.atol, self._stop() - time)
        else:
            self._stepper.h, self._stepper.rejected = start.step.copy(), start.rejected.copy()
            self._next = np.where(start.status == Status.OK, self._next, self._last)
        self._final = Final(
            time.copy(),
            self._stepper.h.copy(),
            self._stepper.rejected.copy(),
            states.T.copy(),
            self._infusion.T.copy(),
            compiled.slots,
            self._slots.T.copy(),
            np.full(n, Status.OK, dtype=object) if start is None else start.status.copy(),
        )

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
            active = self._next < self._last
            if not active.any():
                break
            if active.mean() < _CROWDED:
                self._close_up(active)
            self._note_failures(*self._stepper.advance(self._stop()))
        self._store(np.arange(len(self._lane)))
        self._evaluate_outputs(times, snapshots, records)
        return self._final

    def _derivative(self, t: Array, y: Array, out: Array) -> None:
        self._evaluate(t, y, self._slots, self._hoisted, out)
        if self._infusing:
            out += self._infusion

    def _stop(self) -> Array:
        """Time of each lane's next item, or its present time when it has none."""
        has_next = self._next < self._last
        item = np.where(has_next, self._next, 0)
        time = self._line.time[item] if len(self._line.time) else self._stepper.t
        return np.where(has_next, time, self._stepper.t)

    def _apply_due(self, snapshots: Array) -> None:
        """Apply items whose time has come, one of each lane at a time so that their order holds."""
        changed = False
        while True:
            due = np.nonzero((self._next < self._last) & (self._stop() <= self._stepper.t))[0]
            if not len(due):
                break
            item = self._next[due]
            kind, target, amount = (a[item] for a in (self._line.kind, self._line.target, self._line.amount))
            self._record(due[kind == RECORD], target[kind == RECORD], snapshots)
            for name, code in KINDS.items():
                those = kind == code
                if those.any():
                    self._act(name, due[those], target[those], amount[those])
                    changed = True
            self._next[due] += 1
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
            self._final.status[self._lane[failed]] = status
            self._next[failed] = self._last[failed]

    def _store(self, lanes: Ints) -> None:
        rows, stepper, final = self._lane[lanes], self._stepper, self._final
        final.time[rows], final.step[rows], final.rejected[rows] = (
            a[lanes] for a in (stepper.t, stepper.h, stepper.rejected)
        )
        final.states[rows], final.rates[rows] = stepper.y[:, lanes].T, self._infusion[:, lanes].T
        final.values[rows] = self._slots[:, lanes].T

    def _close_up(self, active: NDArray[np.bool_]) -> None:
        """Store the lanes that are done and go on with the others."""
        self._store(np.nonzero(~active)[0])
        keep = np.nonzero(active)[0]
        self._lane, self._next, self._last = self._lane[keep], self._next[keep], self._last[keep]
        self._slots, self._infusion = self._slots[:, keep].copy(), self._infusion[:, keep].copy()
        self._hoisted = [c[keep] for c in self._hoisted]
        self._stepper.take(keep)

    def _evaluate_outputs(self, times: Array, snapshots: Array, records: Array) -> None:
        constants = self._outputs.hoist(self._patient)
        n_states = len(self._stepper.y)
        out = np.empty((len(records), len(times)))
        for k in range(times.shape[1]):
            reached = snapshots[-1, :, k] == 0.0
            both = np.ascontiguousarray(snapshots[:, :, k])
            self._outputs.evaluate(times[:, k].copy(), both[:n_states], both[n_states:-1], constants, out)
            records[:, reached, k] = out[:, reached]
