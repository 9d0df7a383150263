"""The engine of this project."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

import stromal
from benchmarks.tasks import Task
from stromal.engine import solve
from stromal.engine.machine.program import Precision

Array = NDArray[np.float64]


@final
class Double:
    """Double precision."""

    name: ClassVar = "stromal, double"
    how: ClassVar = "Rodas5P in double precision on one thread, all patients in one call of `stromal.engine.solve`."
    methods: ClassVar = ("double",)
    batched: ClassVar = True
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of this package."""
        return stromal.__version__

    def prepare(self, task: Task, method: str) -> _Solver:  # noqa: ARG002 - it has one method
        """Nothing is needed: the first solve compiles."""
        return _Solver(task, "double")


@final
class Mixed:
    """Steps in single precision, for screening."""

    name: ClassVar = "stromal, mixed"
    how: ClassVar = 'The same with `precision="mixed"`: steps in single precision, states in double.'
    methods: ClassVar = ("mixed",)
    batched: ClassVar = True
    tightest: ClassVar = 3e-6

    def version(self) -> str:
        """Of this package."""
        return stromal.__version__

    def prepare(self, task: Task, method: str) -> _Solver:  # noqa: ARG002 - it has one method
        """Nothing is needed: the first solve compiles."""
        return _Solver(task, "mixed")


@final
class _Solver:
    def __init__(self, task: Task, precision: Precision) -> None:
        self._task = task
        self._precision = precision

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        task = self._task if n == len(self._task.parameters) else self._task.first(n)
        given = task.system, task.parameters, task.schedule, task.visits
        return solve(*given, rtol=rtol, atol=atol, precision=self._precision).values
