"""The machine code of one step of a Rosenbrock method."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final, final

from stromal.engine.machine.ir import Function, Lanes
from stromal.engine.machine.layout import Layout
from stromal.engine.machine.tableau import Tableau

SAFETY: Final = 0.9
SHRINK: Final = 0.1
GROW: Final = 6.0


@final
class StepWriter:
    """Writes ``step``, ``accept`` and ``first_step``.

    In single precision the states stay in double precision: a step computes the increment alone in single precision,
    and it is added to the state in double precision.

    Parameters
    ----------
    by_time : collection of int
        States whose rate depends on time explicitly.
    uses_time : bool
        Whether any rate does, conditions on time included.
    """

    def __init__(
        self, tableau: Tableau, lanes: Lanes, layout: Layout, by_time: Collection[int], *, uses_time: bool
    ) -> None:
        self._tableau = tableau
        self._lanes = lanes
        self._layout = layout
        self._n = layout.states
        self._by_time = by_time
        self._uses_time = uses_time
        self._narrow = lanes.real == "float"
        self._f = Function("step", ("y", "t", "common", "hoists", "h", "tolerances", "work", "report"), lanes)

    def functions(self) -> tuple[Function, ...]:
        """The functions."""
        f, layout = self._f, self._layout
        self._place = {k: f.at("%work", v) for k, v in layout.places.items()}
        self._stage = [f.at("%work", layout.places["stages"] + k * self._n) for k in range(self._tableau.stages)]
        self._y = self._states()
        self._h = f.load_double("%h", 0)
        self._per_h = f.reciprocal(self._h)
        diagonal = f.multiply(self._per_h, f.constant(1.0 / self._tableau.g))
        f.store(diagonal, self._place["diagonal"], 0)
        self._time = f.load_double("%t", 0) if self._uses_time else ""
        self._set_clock(0)
        clock, slopes, factors = self._place["clock"], self._place["slopes"], self._place["factors"]
        constants = ("%common", "%hoists")
        f.call(
            "factorise", (self._y, clock, *constants, self._place["diagonal"], slopes, self._place["by_time"], factors)
        )
        self._add_time_derivative(0)
        f.call("substitute", (factors, slopes, self._stage[0]))
        for k in range(1, self._tableau.stages):
            f.loop(self._n, partial(self._prepare, k))
            self._add_time_derivative(k)
            self._set_clock(k)
            f.call("rates", (self._place["value"], clock, *constants, slopes))
            f.call("substitute", (factors, slopes, self._stage[k]))
        self._finish()
        return f, self._accept(), self._first_step()

    def _states(self) -> str:
        if not self._narrow:
            return "%y"
        f, narrow = self._f, self._place["narrow"]
        f.loop(self._n, lambda i: f.store(f.load_double("%y", i), narrow, i))
        return narrow

    def _set_clock(self, stage: int) -> None:
        """Time of the stage, and the middle of the step."""
        if not self._uses_time:
            return
        f = self._f
        for place, fraction in ((0, float(self._tableau.nodes[stage])), (1, 0.5)):
            time = f.add(self._time, f.multiply(self._h, f.constant(fraction))) if fraction else self._time
            f.store(time, self._place["clock"], place)

    def _add_time_derivative(self, stage: int) -> None:
        weight = float(self._tableau.time_weights[stage])
        if not weight:
            return
        f, slopes = self._f, self._place["slopes"]
        for i in self._by_time:
            change = f.multiply(f.multiply(self._h, f.constant(weight)), f.load(self._place["by_time"], i))
            f.store(f.add(f.load(slopes, i), change), slopes, i)

    def _combination(self, weights: tuple[float, ...], i: str) -> str:
        f, total = self._f, ""
        for j, weight in enumerate(weights):
            if weight:
                term = f.multiply(f.constant(weight), f.load(self._stage[j], i))
                total = f.add(total, term) if total else term
        return total

    def _prepare(self, stage: int, i: str) -> None:
        """Value at which the rates of a stage are taken, and the part of its right-hand side that is known."""
        f, tableau = self._f, self._tableau
        y, increment = f.load(self._y, i), self._place["increment"]
        if stage < len(tableau.a):
            change = self._combination(tableau.a[stage], i)
            value = f.add(y, change)
            if self._narrow and stage == len(tableau.a) - 1:
                f.store(change, increment, i)
        elif self._narrow:
            change = f.add(f.load(increment, i), f.load(self._stage[stage - 1], i))
            f.store(change, increment, i)
            value = f.add(y, change)
        else:
            value = f.add(f.load(self._place["value"], i), f.load(self._stage[stage - 1], i))
        f.store(value, self._place["value"], i)
        f.store(f.multiply(self._per_h, self._combination(tableau.c[stage], i)), self._place["slopes"], i)

    def _finish(self) -> None:
        """New state, largest error in units of the tolerance, and the factor by which the step may change."""
        f, zero = self._f, self._f.constant(0.0)
        relative = f.splat("%tolerances", 0, "double")

        def finish(i: str, errors: list[str]) -> list[str]:
            y, last = f.load(self._y, i), f.load(self._stage[-1], i)
            if self._narrow:
                increment = f.add(f.load(self._place["increment"], i), last)
                f.store(increment, self._place["increment"], i)
                reached = f.add(y, increment)
            else:
                reached = f.add(f.load(self._place["value"], i), last)
            f.store(reached, self._place["reached"], i)
            size = f.larger(f.intrinsic("fabs", y), f.intrinsic("fabs", reached))
            absolute = f.splat("%tolerances", f.emit(f"add i64 {i}, 1"), "double")
            error = f.divide(f.intrinsic("fabs", last), f.add(absolute, f.multiply(relative, size)))
            return [f.larger(error, errors[0]), f.add(error, errors[1])]

        worst, total = f.fold(self._n, (zero, zero), finish)
        error = f.select(f.compare("uno", total, total), total, worst)  # the largest of several loses NaN, the sum not
        f.wide_store(f.widen(error), "%report", 0)
        bounded = f.larger(f.smaller(error, f.constant(1e10)), f.constant(1e-8))
        factor = f.exp(f.multiply(f.log(bounded), f.constant(-1.0 / self._tableau.order)))
        factor = f.multiply(f.constant(SAFETY), factor)
        f.wide_store(f.widen(f.larger(f.smaller(factor, f.constant(GROW)), f.constant(SHRINK))), "%report", 1)

    def _accept(self) -> Function:
        f = Function("accept", ("y", "work", "mask"), self._lanes)
        width = self._lanes.width
        bits = f.emit(f"load <{width} x i64>, ptr %mask, align 8")
        mask = f.emit(f"icmp ne <{width} x i64> {bits}, zeroinitializer")
        places = self._layout.places

        def blend(i: str) -> None:
            before = f.wide_load("%y", i)
            if self._narrow:
                increment = f.widen(f.load(f.at("%work", places["increment"]), i))
                after = f.emit(f"fadd <{width} x double> {before}, {increment}")
            else:
                after = f.load(f.at("%work", places["reached"]), i)
            kind = f"<{width} x double>"
            f.wide_store(f.emit(f"select <{width} x i1> {mask}, {kind} {after}, {kind} {before}"), "%y", i)

        f.loop(self._n, blend)
        return f

    def _first_step(self) -> Function:
        """A cautious first step: the state changes by about 1 % over it, in units of the tolerance."""
        f = self._f = Function("first_step", ("y", "t", "common", "hoists", "tolerances", "work", "h"), self._lanes)
        self._place = {k: f.at("%work", v) for k, v in self._layout.places.items()}
        y, slopes, clock = self._states(), self._place["slopes"], self._place["clock"]
        if self._uses_time:
            for index in (0, 1):
                f.store(f.load_double("%t", 0), clock, index)
        f.loop(self._n, lambda i: f.store(f.constant(0.0), slopes, i))
        f.call("rates", (y, clock, "%common", "%hoists", slopes))
        relative, least = f.splat("%tolerances", 0, "double"), f.constant(1e-30)

        def measure(i: str, largest: list[str]) -> list[str]:
            state = f.intrinsic("fabs", f.load(y, i))
            absolute = f.splat("%tolerances", f.emit(f"add i64 {i}, 1"), "double")
            scale = f.add(absolute, f.multiply(relative, state))
            slope = f.divide(f.intrinsic("fabs", f.load(slopes, i)), scale)
            return [f.larger(f.divide(state, scale), largest[0]), f.larger(slope, largest[1])]

        size, speed = f.fold(self._n, (least, least), measure)
        f.wide_store(f.widen(f.multiply(f.constant(0.01), f.divide(size, speed))), "%h", 0)
        return f
