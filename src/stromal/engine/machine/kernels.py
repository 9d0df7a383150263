"""The functions of a model's machine code, put together from its blueprint.

All take pointers. Vectors have one element per lane. Names: `y` states, `p` own quantities, `shared` shared ones, `t`
time, `hoists` and `common` what is constant along a course (per lane, and for all).

=============  ======================================================================================================
common         shared -> common
hoist          shared, common, p -> hoists, switches
start          shared, p, t -> initial states, then computed own quantities
rates          y, clock, common, hoists -> slopes (added to what is there)
first_step     y, t, common, hoists, tolerances, work -> h (a cautious guess)
step           y, t, common, hoists, h, tolerances, work -> work, report (error in units of the tolerance, step factor)
accept         y, work, mask -> y (where the mask of a lane is set)
outputs        y, t, shared, p -> outputs; likewise `triggers` and `event_values`
=============  ======================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import final

from stromal.engine.derivative import Differentiator
from stromal.engine.graph import Node, walk
from stromal.engine.machine.blueprint import MIDDLE, Blueprint
from stromal.engine.machine.elimination import plan_elimination
from stromal.engine.machine.evaluation import Evaluation
from stromal.engine.machine.ir import Function, Lanes
from stromal.engine.machine.layout import Layout
from stromal.engine.machine.lowering import Lowering, constant_along_course
from stromal.engine.machine.step import StepWriter
from stromal.engine.machine.tableau import Tableau

Leaves = Mapping[Node, Callable[[], str]]


@final
class Writer:
    """Writes the module of a blueprint.

    Parameters
    ----------
    lanes : Lanes
        Of the step; everything else is computed in double precision and never contracted.
    """

    def __init__(self, blueprint: Blueprint, tableau: Tableau, lanes: Lanes) -> None:
        self._plan = blueprint
        self._tableau = tableau
        self._lanes = lanes
        self._exact = Lanes(lanes.width)
        self._functions: list[Function] = []
        self._lowering = Lowering({*blueprint.states, "time", MIDDLE})
        self._rates = self._lowering.lower(blueprint.rates)
        self._jacobian, self._by_time = self._derivatives()
        self._elimination = plan_elimination(len(blueprint.states), self._jacobian)
        self._switches = self._lowering.lower(blueprint.switches)
        self._inflows = dict(zip(blueprint.inflows, self._lowering.lower(blueprint.inflows.values()), strict=True))
        roots = [*self._rates, *self._jacobian.values(), *self._by_time.values(), *self._inflows.values()]
        constant = constant_along_course(list(walk(roots)), self._lowering, roots)
        self._own = _depending_on(set(blueprint.own), [*constant, *self._switches])
        self._hoists = [n for n in constant if n in self._own]
        self._common = self._common_part([n for n in constant if n not in self._own])
        self.layout = Layout(
            states=len(blueprint.states),
            outputs=len(blueprint.outputs),
            common=len(self._common),
            hoists=len(self._hoists),
            switches=len(self._switches),
            factors=len(self._elimination.place),
            stages=tableau.stages,
        )

    def module(self) -> str:
        """The text of the whole module."""
        self._write_constants()
        self._write_plain("start", self._plan.starts, ("shared", "p", "t", "result"))
        for name, nodes in (
            ("outputs", self._plan.outputs),
            ("triggers", self._plan.triggers),
            ("event_values", self._plan.event_values),
        ):
            self._write_plain(name, nodes, ("y", "t", "shared", "p", "result"))
        self._write_rates()
        self._write_factorise()
        self._write_substitute()
        step = StepWriter(self._tableau, self._lanes, self.layout, list(self._by_time), uses_time=self._plan.uses_time)
        self._functions.extend(step.functions())
        declarations = sorted({d for f in self._functions for d in f.declarations})
        return "\n".join([*(f.text for f in self._functions), *declarations, ""])

    def _function(self, name: str, arguments: Sequence[str], lanes: Lanes, *, internal: bool = False) -> Function:
        function = Function(name, arguments, lanes, internal=internal)
        self._functions.append(function)
        return function

    def _derivatives(self) -> tuple[dict[tuple[int, int], Node], dict[int, Node]]:
        """Nonzero entries of the Jacobian, and of the derivative of the rates by time."""
        states = {name: i for i, name in enumerate(self._plan.states)}
        differentiator = Differentiator(self._plan.graph, {*states, "time"})
        entries: dict[tuple[int, int], Node] = {}
        by_time: dict[int, Node] = {}
        for i, rate in enumerate(self._plan.rates):
            for name, node in differentiator.gradient(rate).items():
                if name == "time":
                    by_time[i] = node
                else:
                    entries[i, states[name]] = node
        lowered = self._lowering.lower([*entries.values(), *by_time.values()])
        jacobian = {k: n for k, n in zip(entries, lowered, strict=False) if not _is_zero(n)}
        times = {k: n for k, n in zip(by_time, lowered[len(entries) :], strict=True) if not _is_zero(n)}
        return jacobian, times

    def _common_part(self, wanted: Sequence[Node]) -> list[Node]:
        """Shared constants that the step or the hoists use, each computed once for all patients."""
        below = [*self._hoists, *self._switches]
        used = dict.fromkeys(wanted)
        for node in walk(below):
            if node in self._own:
                used |= dict.fromkeys(a for a in node.args if a.op != "constant" and a not in self._own)
        used |= dict.fromkeys(n for n in below if n.op != "constant" and n not in self._own)
        return list(used)

    # -- what is constant along a course, and plain expressions

    def _write_constants(self) -> None:
        single = Lanes(1)
        common = self._function("common", ("shared", "result"), single)
        places = {name: i for i, name in enumerate(self._plan.shared)}
        leaves = {n: _reader(common, "%shared", places[n.name]) for n in _symbols_below(self._common)}
        for i, value in enumerate(Evaluation(common, leaves).values(self._common)):
            common.store(value, "%result", i)
        hoist = self._function("hoist", ("common", "p", "hoists", "switches"), self._exact)
        own = {name: i for i, name in enumerate(self._plan.own)}
        known: dict[Node, Callable[[], str]] = {n: _splatter(hoist, "%common", i) for i, n in enumerate(self._common)}
        for n in _symbols_below([*self._hoists, *self._switches]):
            if n.name in own:
                known[n] = _reader(hoist, "%p", own[n.name])
        values = Evaluation(hoist, known).values([*self._hoists, *self._switches])
        for i, value in enumerate(values[: len(self._hoists)]):
            hoist.store_as(value, "%hoists", i, self._lanes.real)
        for i, value in enumerate(values[len(self._hoists) :]):
            hoist.store(value, "%switches", i)

    def _write_plain(self, name: str, nodes: Sequence[Node], arguments: Sequence[str]) -> None:
        function = self._function(name, arguments, self._exact)
        places = {
            **{s: ("%y", i) for i, s in enumerate(self._plan.states)},
            **{s: ("%p", i) for i, s in enumerate(self._plan.own)},
            "time": ("%t", 0),
        }
        shared = {s: i for i, s in enumerate(self._plan.shared)}
        leaves = {
            n: _reader(function, *places[n.name])
            if n.name in places
            else _splatter(function, "%shared", shared[n.name])
            for n in _symbols_below(nodes)
        }
        for i, value in enumerate(Evaluation(function, leaves).values(nodes)):
            function.store(value, "%result", i)

    # -- the parts of a step

    def _changing_leaves(self, function: Function) -> Leaves:
        places = {
            **{s: ("%y", i) for i, s in enumerate(self._plan.states)},
            "time": ("%clock", 0),
            MIDDLE: ("%clock", 1),
        }
        roots = [*self._rates, *self._jacobian.values(), *self._by_time.values()]
        leaves: dict[Node, Callable[[], str]] = {
            n: _reader(function, *places[n.name]) for n in _symbols_below(roots) if n.name in places
        }
        leaves |= {n: _reader(function, "%hoists", i) for i, n in enumerate(self._hoists)}
        return leaves | {n: _splatter(function, "%common", i) for i, n in enumerate(self._common)}

    def _write_rates(self) -> None:
        function = self._function("rates", ("y", "clock", "common", "hoists", "slopes"), self._lanes)
        evaluation = Evaluation(function, self._changing_leaves(function))
        inflows = dict(zip(self._inflows, evaluation.values(list(self._inflows.values())), strict=True))
        for i, value in enumerate(evaluation.values(self._rates)):
            total = function.add(function.load("%slopes", i), value)
            function.store(function.add_apart(total, inflows[i]) if i in inflows else total, "%slopes", i)

    def _write_factorise(self) -> None:
        """Rates, their time derivative, and the factors of ``I/(g h) - J``."""
        arguments = ("y", "clock", "common", "hoists", "diagonal", "slopes", "by_time", "factors")
        function = self._function("factorise", arguments, self._lanes, internal=True)
        roots = [*self._rates, *self._jacobian.values(), *self._by_time.values()]
        evaluation = Evaluation(function, self._changing_leaves(function))
        values = evaluation.values(roots)
        inflows = dict(zip(self._inflows, evaluation.values(list(self._inflows.values())), strict=True))
        n = len(self._rates)
        for i, value in enumerate(values[:n]):
            function.store(function.add_apart(value, inflows[i]) if i in inflows else value, "%slopes", i)
        for i, value in zip(self._by_time, values[n + len(self._jacobian) :], strict=True):
            function.store(value, "%by_time", i)
        diagonal = function.load("%diagonal", 0)
        jacobian = dict(zip(self._jacobian, values[n:], strict=False))
        matrix = {(i, i): diagonal for i in range(n)}
        for (i, j), value in jacobian.items():
            matrix[i, j] = function.subtract(diagonal, value) if i == j else function.negative(value)
        self._eliminate(function, matrix)

    def _eliminate(self, function: Function, matrix: dict[tuple[int, int], str]) -> None:
        place = self._elimination.place
        for pivot in self._elimination.pivots:
            k = pivot.index
            inverse = function.reciprocal(matrix[k, k])
            function.store(inverse, "%factors", place[k, k])
            for j in pivot.right:  # as a share of the pivot, so that no product stands in the chain backward
                function.store(function.multiply(matrix[k, j], inverse), "%factors", place[k, j])
            for i in pivot.below:
                factor = function.multiply(matrix[i, k], inverse)
                function.store(factor, "%factors", place[i, k])
                for j in pivot.right:
                    product = function.multiply(factor, matrix[k, j])
                    entry = matrix.get((i, j))
                    matrix[i, j] = function.subtract(entry, product) if entry else function.negative(product)

    def _write_substitute(self) -> None:
        """Solve with the factors: forward, divide by the pivots, then backward."""
        function = self._function("substitute", ("factors", "right", "result"), self._lanes, internal=True)
        place = self._elimination.place
        turn = {pivot.index: k for k, pivot in enumerate(self._elimination.pivots)}
        x = [function.load("%right", i) for i in range(len(self._rates))]
        for pivot in self._elimination.pivots:
            for i in pivot.below:
                x[i] = function.subtract(
                    x[i], function.multiply(function.load("%factors", place[i, pivot.index]), x[pivot.index])
                )
        for pivot in reversed(self._elimination.pivots):
            k = pivot.index
            x[k] = function.multiply(x[k], function.load("%factors", place[k, k]))
            for j in sorted(pivot.right, key=turn.__getitem__, reverse=True):  # what is known last comes last
                x[k] = function.subtract(x[k], function.multiply(function.load("%factors", place[k, j]), x[j]))
            function.store(x[k], "%result", k)


def _reader(function: Function, base: str, index: int) -> Callable[[], str]:
    return lambda: function.load(base, index)


def _splatter(function: Function, base: str, index: int) -> Callable[[], str]:
    return lambda: function.splat(base, index)


def _symbols_below(roots: Iterable[Node]) -> list[Node]:
    return [n for n in walk(roots) if n.op == "symbol"]


def _depending_on(names: Set[str], roots: Iterable[Node]) -> set[Node]:
    """Nodes below `roots` that depend on a symbol of `names`."""
    found: set[Node] = set()
    for node in walk(roots):
        if node.name in names or any(a in found for a in node.args):
            found.add(node)
    return found


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.value == 0.0
