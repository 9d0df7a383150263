"""AMICI: C++ generated from SBML, CVODES of SUNDIALS with sparse linear algebra."""

from __future__ import annotations

import hashlib
import os
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.engine import NotAbleError, NotInstalledError
from benchmarks.adapters.sbml import before_actions, scheduled
from benchmarks.tasks import ROOT, Task

Array = NDArray[np.float64]
MODELS: Final = ROOT / "build" / "bench" / "amici"
"""Compiled models are kept here: each takes about a minute."""
METHODS: Final = {"BDF": "LinearMultistepMethod_BDF", "Adams": "LinearMultistepMethod_adams"}


@final
class Amici:
    """The schedule is events in the SBML, their times and amounts parameters; one compiled model for everybody."""

    name: ClassVar = "AMICI"
    how: ClassVar = (
        "CVODES with KLU, C++ generated from SBML and compiled with its default flags, the schedule as SBML events "
        "whose times and amounts are parameters, sensitivities off."
    )
    methods: ClassVar = ("BDF", "Adams")
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of the package."""
        _module()
        return version("amici")

    def prepare(self, task: Task, method: str) -> _Solver:
        """Compile the model, or load it where it was compiled before."""
        if method == "Adams" and not task.explicit:
            raise NotAbleError("too stiff for Adams's method")
        return _Solver(task, method)


@final
class _Solver:
    def __init__(self, task: Task, method: str) -> None:
        self._simulation = _module()
        self._task = task
        self._scheduled = scheduled(task)
        model = _model(self._scheduled.text)
        model.set_timepoints(task.visits)
        ids, states = list(model.get_free_parameter_ids()), list(model.get_state_ids())
        self._default = np.array(model.get_free_parameters())
        self._columns = [ids.index(name) for name in self._scheduled.names if name in ids]
        self._given = [i for i, name in enumerate(self._scheduled.names) if name in ids]
        self._states = [states.index(s) for s in task.system.states]
        self._slots = {states.index(s): self._scheduled.names.index(s) for s in task.slots if s in states}
        self._model, self._n_states = model, len(states)
        self._solver = model.create_solver()
        self._solver.set_max_steps(1_000_000)
        self._solver.set_stability_limit_flag(method == "BDF")
        self._solver.set_linear_multistep_method(getattr(self._simulation, METHODS[method]))

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        self._solver.set_relative_tolerance(rtol)
        self._solver.set_absolute_tolerance(atol)
        out = np.full((n, len(self._task.visits), len(self._states)), np.nan)
        for patient in range(n):
            values = self._scheduled.values[patient]
            parameters, initial = self._default.copy(), np.zeros(self._n_states)
            parameters[self._columns] = values[self._given]
            initial[self._states] = self._scheduled.initial[patient]
            for state, given in self._slots.items():
                initial[state] = values[given]
            self._model.set_free_parameters(parameters)
            self._model.set_initial_state(initial)
            found = self._simulation.run_simulation(self._model, self._solver)
            if found.status == self._simulation.AMICI_SUCCESS:
                out[patient] = before_actions(self._task, patient, np.asarray(found.x)[:, self._states])
        return out


def _model(sbml: str) -> Any:
    """The compiled model of an SBML text."""
    name = "m" + hashlib.sha256(sbml.encode()).hexdigest()[:16]
    folder = MODELS / name
    if not (folder / name / "__init__.py").exists():
        MODELS.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("SWIG", str(Path(sys.executable).with_name("swig")))  # AMICI was built with this version
        importer = import_module("amici.importers.sbml").SbmlImporter(sbml, from_file=False)
        options = {"observation_model": [], "compute_conservation_laws": False, "generate_sensitivity_code": False}
        importer.sbml2amici(name, folder, **options)
    return import_module("amici").import_model_module(name, folder).get_model()


def _module() -> Any:
    try:
        return import_module("amici.sim.sundials")
    except ImportError as error:
        raise NotInstalledError("amici is not installed") from error
