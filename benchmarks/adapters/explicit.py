"""The explicit reference: Dormand and Prince's 5(4) pair as a compiled scalar loop."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import RK45

from benchmarks.adapters.compiled import compiled, compiler
from benchmarks.adapters.engine import Actions, NotAbleError
from benchmarks.tasks import Task

Array = NDArray[np.float64]
A: Final = np.vstack([np.pad(RK45.A, ((0, 0), (0, 1))), RK45.B])
"""Of the stages; the last row is the solution of order 5."""
C: Final = np.append(RK45.C, 1.0)
E: Final = np.array(RK45.E)
SAFETY, SMALLEST, LARGEST = 0.9, 0.2, 5.0
MAX_STEPS: Final = 20_000_000


@final
class DormandPrince:
    """Explicit Runge-Kutta of order 5 with the coefficients of SciPy's RK45; steps end at visits and actions."""

    name: ClassVar = "Dormand-Prince 5(4)"
    how: ClassVar = (
        "The explicit reference: a scalar loop compiled by numba, one patient after another, coefficients of SciPy's "
        "RK45, last stage used again, steps end at visits and actions."
    )
    methods: ClassVar = ("Dormand-Prince",)
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of numba, which compiles it."""
        compiler()
        return f"numba {version('numba')}"

    def prepare(self, task: Task, method: str) -> _Solver:  # noqa: ARG002 - it has one method
        """Compile the functions and the loop."""
        if not task.explicit:
            raise NotAbleError("stability would ask for more than 10^7 steps for each patient")
        return _Solver(task)


@final
class _Solver:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._functions = compiled(task)
        self._actions = Actions.of(task)
        self._advance = compiler()(_advance)
        self.solve(1, 1e-3, 1e-3)  # compiles

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        task, functions = self._task, self._functions
        states = len(task.system.states)
        out = np.full((n, len(task.visits), states), np.nan)
        constants, stages = np.empty(functions.n_constants), np.empty((len(C), states))
        for patient in range(n):
            y, values, done = task.initial[patient].copy(), task.values[patient].copy(), 0
            for segment in task.courses[patient]:
                self._actions.apply(segment.actions, y, values)
                functions.hoist(values, constants)
                t, h = segment.start, 0.0
                for stop in (*segment.visits, segment.end):
                    if stop > t:
                        h = self._advance(functions.rates, t, stop, y, h, values, constants, rtol, atol, stages)
                        t = stop
                    if not np.isfinite(h):
                        break
                    if done < len(task.visits) and stop == task.visits[done]:
                        out[patient, done] = y
                        done += 1
                if not np.isfinite(h):
                    break
        return out


def _advance(  # noqa: PLR0912 - one compiled function, in which a call would cost more than it says
    rates: Any,
    t: float,
    end: float,
    y: Array,
    h: float,
    values: Array,
    constants: Array,
    rtol: float,
    atol: float,
    stages: Array,
) -> float:
    """Carry `y` from `t` to `end`, in place, and return the step to go on with; NaN if it failed."""
    n, last = len(y), len(C) - 1
    trial = np.empty(n)
    rates(t, y, values, constants, stages[0])
    if h == 0.0:  # the size at which a first step changes the state by a small part
        largest = 0.0
        for i in range(n):
            largest = max(largest, abs(stages[0, i]) / (atol + rtol * abs(y[i])))
        h = min(end - t, 0.01 * (1.0 / max(largest, 1e-300)) ** 0.2 * (end - t) ** 0.8) if largest > 0.0 else end - t
    for _ in range(MAX_STEPS):
        whole = t + h >= end * (1.0 - 1e-15)
        step = end - t if whole else h
        for k in range(1, last + 1):
            for i in range(n):
                total = 0.0
                for j in range(k):
                    total += A[k, j] * stages[j, i]
                trial[i] = y[i] + step * total
            rates(t + C[k] * step, trial, values, constants, stages[k])
        norm = 0.0
        for i in range(n):
            error = 0.0
            for j in range(last + 1):
                error += E[j] * stages[j, i]
            norm += (step * error / (atol + rtol * max(abs(y[i]), abs(trial[i])))) ** 2
        norm = (norm / n) ** 0.5
        factor = min(LARGEST, max(SMALLEST, SAFETY * max(norm, 1e-10) ** -0.2))
        if norm <= 1.0:
            for i in range(n):
                y[i], stages[0, i] = trial[i], stages[last, i]
            t = end if whole else t + step
            if whole:
                return max(h, step * factor)  # type: ignore[no-any-return] - numbers throughout
            h = step * factor
        else:
            h = step * (factor if norm == norm else SMALLEST)  # noqa: PLR0124 - is false for NaN
            if t + h <= t:
                return np.nan
    return np.nan
