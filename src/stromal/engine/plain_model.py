"""A system compiled for the reference path: plain functions of the values of one patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np

from stromal.engine.derivative import Differentiator
from stromal.engine.graph import COMPARISONS, Node, symbols, walk
from stromal.engine.moment import Moment
from stromal.engine.scalar import Function, compile_scalar
from stromal.engine.system import Event, System


@final
@dataclass(frozen=True)
class Happening:
    """An event, compiled."""

    event: Event
    values: Function
    sizes: Function
    delay: Function
    priority: Function


@final
@dataclass(frozen=True)
class Model:
    """A system, compiled; every function takes the values of states, parameters and time, in this order.

    `distances` and `slopes` are those of conditions on time alone (`_Switch`); `looks` tells whether any trigger has
    other conditions, for which one must look.
    """

    system: System
    rates: Function
    outputs: Function
    triggers: Function
    events: tuple[Happening, ...]
    distances: Function
    slopes: Function
    looks: bool


@lru_cache(maxsize=32)
def compiled(system: System, outputs: tuple[str, ...]) -> Model:
    """Compile a system once; the result is kept for the next patient."""
    names = [*system.states, *system.parameters, "time"]
    symbol = system.graph.symbol

    def function(nodes: Iterable[Node]) -> Function:
        return compile_scalar([system.free_of_rules(n) for n in nodes], names)

    def optional(node: Node | None) -> Function:
        return function([] if node is None else [node])

    events = tuple(
        Happening(
            event,
            function(event.assignments.values()),
            function(event.sizes.values()),
            optional(event.delay),
            optional(event.priority),
        )
        for event in system.events
    )
    triggers = [system.free_of_rules(event.trigger) for event in system.events]
    rates = [system.free_of_rules(system.rates[s]) for s in system.states]
    switches = _switches(system, [*rates, *triggers])
    known = {switch.condition for switch in switches}
    return Model(
        system,
        function(rates),
        function([symbol(name) for name in outputs]),
        function(triggers),
        events,
        function([s.distance for s in switches]),
        function([s.slope for s in switches]),
        looks=any(
            n not in known and symbols([n]) & {*system.states, "time"} for n in walk(triggers) if n.op in COMPARISONS
        ),
    )


class _Switch(NamedTuple):
    """A comparison that depends on time linearly and on no state: it changes when `distance + slope*time` is 0."""

    condition: Node
    distance: Node
    slope: Node


def _switches(system: System, formulas: Sequence[Node]) -> list[_Switch]:
    graph = system.graph
    by_time = Differentiator(graph, {"time"})
    found = []
    for node in walk(formulas):
        names = symbols([node]) if node.op in COMPARISONS else set()
        if "time" not in names or names & set(system.states):
            continue
        difference = graph.apply("subtract", *node.args)
        slope = by_time.gradient(difference).get("time", graph.constant(0.0))
        if "time" not in symbols([slope]):
            distance = graph.substitute(difference, {"time": graph.constant(0.0)})
            found.append(_Switch(node, distance, slope))
    return found


def first_moment(system: System, parameters: Mapping[str, float], begin: float) -> Moment:
    """Where a patient begins. What follows from other quantities does so, unless it is given itself."""
    own = {name: np.float64(parameters.get(name, value)) for name, value in system.parameters.items()}
    formulas = system.starting_values_when_given([name for name in system.assigned if name in parameters])
    function = compile_scalar(list(formulas.values()), [*own, "time"])
    with np.errstate(all="ignore"):  # a value that is not finite becomes the status of the patient
        start = function([*own.values(), np.float64(begin)])
    known = own | dict(zip(formulas, start, strict=True))
    states = np.array([known[name] for name in system.states], dtype=float)
    values = np.array([known[name] for name in system.parameters], dtype=float)
    return Moment(begin, states, values, np.zeros(len(states)), tuple(e.initially for e in system.events))
