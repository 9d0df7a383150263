"""SciPy's LSODA with compiled right-hand side and Jacobian."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.integrate import odeint

from benchmarks.adapters.compiled import compiled, compiler
from benchmarks.adapters.engine import Actions
from benchmarks.tasks import Task

Array = NDArray[np.float64]


@final
class Lsoda:
    """Through `odeint`, whose loop over steps is compiled too, from action to action."""

    name: ClassVar = "SciPy LSODA"
    how: ClassVar = (
        "`odeint`, whose loop over steps is compiled, with right-hand side and Jacobian compiled by numba; starts anew "
        "at every action."
    )
    methods: ClassVar = ("LSODA",)
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of SciPy."""
        compiler()
        return str(scipy.__version__)

    def prepare(self, task: Task, method: str) -> _Solver:  # noqa: ARG002 - it has one method
        """Compile the functions."""
        return _Solver(task)


@final
class _Solver:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._functions = compiled(task)
        self._actions = Actions.of(task)
        self.solve(1, 1e-3, 1e-3)  # compiles

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        task, functions = self._task, self._functions
        states = len(task.system.states)
        out = np.full((n, len(task.visits), states), np.nan)
        constants = np.empty(functions.n_constants)
        slope, matrix = np.empty(states), np.zeros((states, states))

        def rates(t: float, y: Array, values: Array) -> Array:
            functions.rates(t, y, values, constants, slope)
            return slope

        def jacobian(t: float, y: Array, values: Array) -> Array:
            functions.jacobian(t, y, values, constants, matrix)
            return matrix

        for patient in range(n):
            y, values, done = task.initial[patient].copy(), task.values[patient].copy(), 0
            for segment in task.courses[patient]:
                self._actions.apply(segment.actions, y, values)
                functions.hoist(values, constants)
                times = np.unique([segment.start, *segment.visits, segment.end])
                found, report = odeint(
                    rates,
                    y,
                    times,
                    args=(values,),
                    Dfun=jacobian,
                    rtol=rtol,
                    atol=atol,
                    mxstep=1_000_000,
                    tfirst=True,
                    full_output=True,
                )
                if report["message"] != "Integration successful.":
                    break
                seen = len(segment.visits)
                out[patient, done : done + seen] = found[1 : 1 + seen]
                y, done = found[-1], done + seen
        return out
