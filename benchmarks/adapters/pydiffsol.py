"""pydiffsol: BDF of the Rust library diffsol, the model compiled by LLVM from DiffSL."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.engine import Actions, NotAbleError, NotInstalledError
from benchmarks.adapters.expressions import ARITHMETIC, Language, changing, hoisted, straight_line, symbols_of
from benchmarks.tasks import Task

Array = NDArray[np.float64]

DIFFSL: Final = Language("DiffSL", ARITHMETIC | {"power": "pow({0}, {1})"})


@final
class PydiffsolImplicit:
    """Dense BDF, from action to action; initial states are inputs, so that one compiled model serves everybody."""

    name: ClassVar = "pydiffsol, BDF"
    how: ClassVar = (
        "BDF with dense matrices, the model as DiffSL compiled by LLVM, starts anew at every action (initial states "
        "are inputs)."
    )
    methods: ClassVar = ("bdf",)
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of the package."""
        _module()
        return version("pydiffsol")

    def prepare(self, task: Task, method: str) -> _Solver:
        """Compile the model."""
        return _Solver(task, method)


@final
class PydiffsolExplicit:
    """The same library's explicit Runge-Kutta method."""

    name: ClassVar = "pydiffsol, TSIT45"
    how: ClassVar = "The same with its explicit Runge-Kutta method."
    methods: ClassVar = ("tsit45",)
    batched: ClassVar = False
    tightest: ClassVar = 0.0

    def version(self) -> str:
        """Of the package."""
        _module()
        return version("pydiffsol")

    def prepare(self, task: Task, method: str) -> _Solver:
        """Compile the model."""
        if not task.explicit:
            raise NotAbleError("too stiff for an explicit method")
        return _Solver(task, method)


@final
class _Solver:
    def __init__(self, task: Task, method: str) -> None:
        module = _module()
        self._task = task
        self._actions = Actions.of(task)
        self._ode = module.Ode(diffsl(task), matrix_type=module.nalgebra_dense, ode_solver=getattr(module, method))

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        self._ode.rtol, self._ode.atol = rtol, atol
        out = np.full((n, len(self._task.visits), len(self._task.system.states)), np.nan)
        for patient in range(n):
            with suppress(RuntimeError):  # the solver gave up: what was not reached stays NaN
                self._patient(patient, out[patient])
        return out

    def _patient(self, patient: int, out: Array) -> None:
        task, ode = self._task, self._ode
        y, values, done = task.initial[patient].copy(), task.values[patient].copy(), 0
        for segment in task.courses[patient]:
            self._actions.apply(segment.actions, y, values)
            ode.t0 = segment.start
            times = np.unique([*segment.visits, segment.end])
            found = np.asarray(ode.solve_dense(np.concatenate([values, y]), times).ys).T
            seen = len(segment.visits)
            out[done : done + seen] = found[:seen]
            y, done = found[-1].copy(), done + seen


def diffsl(task: Task) -> str:
    """The model in DiffSL: inputs are the given parameters, then the initial states."""
    system, graph = task.system, task.system.graph
    fixed = {k: graph.constant(v) for k, v in system.parameters.items() if k not in task.given}
    rates = [graph.substitute(system.expanded[f"rate of {s}"], fixed) for s in system.states]
    moving = changing(rates, frozenset((*system.states, "time")))
    names = {"time": "t"} | {s: f"y{i}" for i, s in enumerate(system.states)}
    names |= {p: f"p{i}" for i, p in enumerate(task.given)}
    leaves = {n: names[n.name] for n in symbols_of(rates)}
    constants = hoisted(rates, moving)
    early, hoists = straight_line(DIFFSL, constants, leaves, "k")
    known = leaves | {node: f"c{k}" for k, node in enumerate(constants)}
    lines, results = straight_line(DIFFSL, rates, known, "x")
    inputs = [f"p{i} = {float(v)!r}" for i, v in enumerate(task.values[0])]
    inputs += [f"z{i} = {float(v)!r}" for i, v in enumerate(task.initial[0])]
    named = [*early, *((f"c{k}", text) for k, text in enumerate(hoists))]
    return "\n".join(
        [
            f"in_i {{ {', '.join(inputs)} }}",
            *(f"{name} {{ {text} }}" for name, text in named),
            f"u_i {{ {', '.join(f'y{i} = z{i}' for i in range(len(rates)))} }}",
            *(f"{name} {{ {text} }}" for name, text in lines),
            f"F_i {{ {', '.join(results)} }}",
        ]
    )


def _module() -> Any:
    try:
        return import_module("pydiffsol")
    except ImportError as error:
        raise NotInstalledError("pydiffsol is not installed") from error
