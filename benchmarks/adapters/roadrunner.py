"""libRoadRunner: the model compiled by LLVM, CVODE of SUNDIALS."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.engine import Actions, NotAbleError, NotInstalledError
from benchmarks.adapters.expressions import symbols_of
from benchmarks.tasks import Task

Array = NDArray[np.float64]


@final
class RoadRunner:
    """One compiled model for everybody; parameters and states are set in place, CVODE starts anew at every action."""

    name: ClassVar = "libRoadRunner"
    how: ClassVar = (
        "CVODE with dense matrices, the SBML compiled by LLVM, parameters and states set in place, starts anew at "
        "every action (as fast as the same actions as SBML events, or faster)."
    )
    methods: ClassVar = ("BDF", "Adams")
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of the package."""
        _module()
        return version("libroadrunner")

    def prepare(self, task: Task, method: str) -> _Solver:
        """Compile the model."""
        if method == "Adams" and not task.explicit:
            raise NotAbleError("too stiff for Adams's method")
        if any(
            n.name == "time" for n in symbols_of([task.system.expanded[f"rate of {s}"] for s in task.system.states])
        ):
            raise NotAbleError("segments begin at time 0, and the model's rates depend on time")
        return _Solver(task, stiff=method == "BDF")


@final
class _Solver:
    def __init__(self, task: Task, *, stiff: bool) -> None:
        self._task = task
        self._actions = Actions.of(task)
        runner = _module().RoadRunner(task.system.sbml)
        runner.integrator.setValue("stiff", stiff)
        runner.integrator.setValue("maximum_num_steps", 1_000_000)
        states = task.system.states
        species, parameters = list(runner.model.getFloatingSpeciesIds()), list(runner.model.getGlobalParameterIds())
        self._species = [species.index(s) for s in states]
        self._given = [parameters.index(p) for p in task.given]
        runner.timeCourseSelections = [f"[{s}]" for s in states]
        self._runner = runner

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        self._runner.integrator.setValue("relative_tolerance", rtol)
        self._runner.integrator.setValue("absolute_tolerance", atol)
        out = np.full((n, len(self._task.visits), len(self._species)), np.nan)
        for patient in range(n):
            with suppress(RuntimeError):  # CVODE gave up: what was not reached stays NaN
                self._patient(patient, out[patient])
        return out

    def _patient(self, patient: int, out: Array) -> None:
        """Solve one patient; each segment begins at time 0, as steps just after a late dose may be below rounding."""
        task, runner, model = self._task, self._runner, self._runner.model
        y, values, done = task.initial[patient].copy(), task.values[patient].copy(), 0
        runner.reset()
        for segment in task.courses[patient]:
            self._actions.apply(segment.actions, y, values)
            model.setGlobalParameterValues(self._given, values)
            model.setFloatingSpeciesConcentrations(self._species, y)
            model.setTime(0.0)
            times = np.unique([segment.start, *segment.visits, segment.end]) - segment.start
            found = np.asarray(runner.simulate(times=times.tolist()))
            seen = len(segment.visits)
            out[done : done + seen] = found[1 : 1 + seen]
            y, done = found[-1].copy(), done + seen


def _module() -> Any:
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)
    os.environ.setdefault("SUNLOGGER_ERROR_FILENAME", os.devnull)  # what fails is counted, not told
    try:
        module = import_module("roadrunner")
    except ImportError as error:
        raise NotInstalledError("libroadrunner is not installed") from error
    module.Logger.setLevel(module.Logger.LOG_FATAL)
    return module
