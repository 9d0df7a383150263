"""Right-hand side and Jacobian of a task as scalar machine code (numba), for solvers that take functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.engine import NotInstalledError
from benchmarks.adapters.expressions import ARITHMETIC, Language, changing, hoisted, straight_line, symbols_of
from benchmarks.tasks import Task
from stromal.engine.derivative import Differentiator
from stromal.engine.graph import Node
from stromal.engine.system import System

Array = NDArray[np.float64]

PYTHON: Final = Language(
    "Python",
    ARITHMETIC
    | {"power": "{0} ** {1}", "where": "({1} if {0} else {2})"}
    | {"less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}"}
    | {"equal": "{0} == {1}", "not_equal": "{0} != {1}"}
    | {"logical_and": "({0} and {1})", "logical_or": "({0} or {1})", "logical_not": "(not {0})"},
)


@final
@dataclass(frozen=True, eq=False)
class Functions:
    """Compiled functions of a task.

    Attributes
    ----------
    hoist : callable
        ``hoist(values, constants)``: what depends on given parameters only, once per segment.
    n_constants : int
    rates : callable
        ``rates(t, y, values, constants, out)``.
    jacobian : callable
        ``jacobian(t, y, values, constants, out)``: `out` is zero where the Jacobian always is.
    """

    hoist: Callable[[Array, Array], None]
    n_constants: int
    rates: Callable[[float, Array, Array, Array, Array], None]
    jacobian: Callable[[float, Array, Array, Array, Array], None]


def compiler() -> Any:
    """Numba's decorator, set to floating-point rules that this project's own kernels have too (contraction).

    Raises
    ------
    NotInstalledError
    """
    try:
        import numba  # noqa: PLC0415 - not in every environment
    except ImportError as error:
        raise NotInstalledError("numba is not installed") from error
    return numba.njit(error_model="numpy", fastmath={"contract"})


def compiled(task: Task) -> Functions:
    """Compile the functions of a task; an expression of parameters alone is computed once per segment."""
    return _compiled(task.system, task.given)


@lru_cache(maxsize=4)
def _compiled(system: System, given: tuple[str, ...]) -> Functions:
    graph = system.graph
    fixed = {k: graph.constant(v) for k, v in system.parameters.items() if k not in given}
    rates = [graph.substitute(system.expanded[f"rate of {s}"], fixed) for s in system.states]
    differentiate = Differentiator(graph, frozenset(system.states))
    entries = [(i, j, d) for i, r in enumerate(rates) for j, d in _gradient(differentiate, r, system.states)]
    slopes = [d for _, _, d in entries]
    moving = changing([*rates, *slopes], frozenset((*system.states, "time")))
    constants = hoisted([*rates, *slopes], moving)
    names: dict[str, str] = {"time": "t"}
    names |= {s: f"y[{i}]" for i, s in enumerate(system.states)} | {p: f"p[{i}]" for i, p in enumerate(given)}
    leaves = {n: names[n.name] for n in symbols_of([*rates, *slopes])}
    known = leaves | {node: f"c[{k}]" for k, node in enumerate(constants)}
    targets = [f"out[{i}, {j}]" for i, j, _ in entries]
    return Functions(
        _function("p, c", constants, [f"c[{k}]" for k in range(len(constants))], leaves),
        len(constants),
        _function("t, y, p, c, out", rates, [f"out[{i}]" for i in range(len(rates))], known),
        _function("t, y, p, c, out", slopes, targets, known),
    )


def _gradient(differentiate: Differentiator, rate: Node, states: Sequence[str]) -> list[tuple[int, Node]]:
    gradient = differentiate.gradient(rate)
    return [(j, gradient[s]) for j, s in enumerate(states) if s in gradient]


def _function(arguments: str, roots: Sequence[Node], targets: Sequence[str], known: dict[Node, str]) -> Any:
    lines, results = straight_line(PYTHON, roots, known, "x")
    body = [f"    {name} = {text}" for name, text in lines]
    body += [f"    {target} = {text}" for target, text in zip(targets, results, strict=True)]
    source = "\n".join([f"def function({arguments}):", *body, "    return"])
    namespace: dict[str, Any] = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "inf": math.inf, "nan": math.nan}
    exec(compile(source, "<benchmark function>", "exec"), namespace)  # noqa: S102 - generated from a model of ours
    return compiler()(namespace["function"])
