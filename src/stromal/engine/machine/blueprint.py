"""What the machine code of a model computes: its expressions, and where each quantity lives.

Quantities that are the same for all patients and all times are *shared*; those that differ between patients, or are
changed by a schedule or an event, are the patient's *own*. Values are no part of a blueprint, only structure is, so no
value ever makes new code.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from stromal.engine.derivative import Differentiator
from stromal.engine.graph import Graph, Node, symbols, walk
from stromal.engine.system import System

MIDDLE: Final = "middle of the step"
"""Symbol that stands for the time in conditions on time alone: no step crosses such a switch, so its middle decides."""
_ORDER: Final = frozenset(["less", "less_equal", "greater", "greater_equal"])


def inflow(state: str) -> str:
    """Name of the rate at which a schedule infuses into a state."""
    return f"inflow of {state}"


@final
@dataclass(frozen=True, eq=False)
class Blueprint:
    """Expressions of states, own and shared quantities and ``time``.

    Attributes
    ----------
    graph : Graph
    states, own, shared : tuple of str
    inflows : mapping from int to Node
        Infusion into a state, by its position.
    rates : tuple of Node
        Of each state, without inflow; conditions on time alone use `MIDDLE`.
    starts : tuple of Node
        Initial value of each state, then starting value of each name of `computed`.
    changing : tuple of str
        Own quantities that a schedule or an event changes, or that keep what others were at the start.
    computed : tuple of str
        Those of them whose starting value follows from others.
    outputs : tuple of Node
    switches : tuple of Node
        Times at which conditions on time alone turn; constant along a patient's course.
    triggers : tuple of Node
        Of each event.
    event_values : tuple of Node
        Delay (0 where there is none) and priority (minus infinity) of each event, the assigned values of all events,
        and what each is to be multiplied by when it is assigned.
    searches : bool
        Whether some trigger turns at a time that must be searched: it depends on states, or not linearly on time.
    """

    graph: Graph
    states: tuple[str, ...]
    own: tuple[str, ...]
    shared: tuple[str, ...]
    inflows: Mapping[int, Node]
    rates: tuple[Node, ...]
    starts: tuple[Node, ...]
    changing: tuple[str, ...]
    computed: tuple[str, ...]
    outputs: tuple[Node, ...]
    switches: tuple[Node, ...]
    triggers: tuple[Node, ...]
    event_values: tuple[Node, ...]
    searches: bool

    @property
    def uses_time(self) -> bool:
        """Whether the rates depend on time explicitly."""
        return bool(symbols(self.rates) & {"time", MIDDLE})


def draw_blueprint(
    system: System,
    varying: Collection[str],
    scheduled: Collection[str],
    infused: Collection[str],
    outputs: Sequence[str],
) -> Blueprint:
    """Blueprint of a model.

    Parameters
    ----------
    varying : collection of str
        Parameters that are given per patient.
    scheduled, infused : collection of str
        Parameters that the schedule sets, and states into which it infuses.
    outputs : sequence of str
    """
    graph = system.graph
    starting = system.starting_values_when_given(varying)
    changing = _changing(system, starting, scheduled)
    constant = {n: starting[n] for n in system.assigned if n in starting and n not in changing}
    computed = tuple(n for n in changing if n in starting)
    own = (*sorted({*varying, *changing}), *(inflow(s) for s in system.states if s in infused))

    def written_out(node: Node) -> Node:
        return graph.substitute(system.free_of_rules(node), constant)

    rates = {s: written_out(system.rates[s]) for s in system.states}
    triggers = [written_out(e.trigger) for e in system.events]
    starts = [starting[name] for name in (*system.states, *computed)]
    event_values = [written_out(node) for node in _event_values(system)]
    recorded = [written_out(system.expanded[o]) for o in outputs]
    clock = _Clock(graph, system.states)
    switches = dict.fromkeys([*clock.switches(list(rates.values())), *clock.switches(triggers)])
    named = symbols([*rates.values(), *starts, *triggers, *event_values, *recorded])
    return Blueprint(
        graph=graph,
        states=system.states,
        own=own,
        shared=tuple(sorted(named - {*system.states, *own, "time"})),
        inflows={i: graph.symbol(inflow(s)) for i, s in enumerate(system.states) if s in infused},
        rates=tuple(clock.by_middle(list(rates.values()))),
        starts=tuple(starts),
        changing=tuple(changing),
        computed=computed,
        outputs=tuple(recorded),
        switches=tuple(switches),
        triggers=tuple(triggers),
        event_values=tuple(event_values),
        searches=bool(symbols(clock.by_middle(triggers)) & {*system.states, "time"}),
    )


def _changing(system: System, starting: Mapping[str, Node], scheduled: Collection[str]) -> dict[str, None]:
    """Parameters that change along a patient's course, or keep what others were at its start."""
    by_events = {target for event in system.events for target in event.assignments}
    changing = dict.fromkeys(p for p in system.parameters if p in scheduled or p in by_events)
    sources = {*changing, "time"}
    return changing | dict.fromkeys(n for n in system.assigned if n in starting and symbols([starting[n]]) & sources)


def _event_values(system: System) -> Iterator[Node]:
    for event in system.events:
        yield event.delay or system.graph.constant(0.0)
        yield event.priority or system.graph.constant(-math.inf)  # SBML leaves its place open: it comes last
    for event in system.events:
        yield from event.assignments.values()
    for event in system.events:
        for target in event.assignments:
            yield event.sizes.get(target, system.graph.constant(1.0))


@final
class _Clock:
    """Finds conditions that compare time, linearly, with what is constant along a patient's course."""

    def __init__(self, graph: Graph, states: Iterable[str]) -> None:
        self._graph = graph
        self._states = frozenset(states)
        self._by_time = Differentiator(graph, {"time"})

    def switches(self, roots: Sequence[Node]) -> list[Node]:
        """Time at which each such condition below `roots` turns."""
        found = (self._switch(node) for node in walk(roots))
        return [time for time in found if time is not None]

    def by_middle(self, roots: Sequence[Node]) -> list[Node]:
        """`roots` with such conditions decided by the middle of the step."""
        graph, middle = self._graph, {"time": self._graph.symbol(MIDDLE)}
        done: dict[Node, Node] = {}
        for node in walk(roots):
            if self._switch(node) is not None:
                done[node] = graph.substitute(node, middle)
            elif node.args:
                done[node] = graph.apply(node.op, *(done[a] for a in node.args))
            else:
                done[node] = node
        return [done[r] for r in roots]

    def _switch(self, node: Node) -> Node | None:
        if node.op not in _ORDER or "time" not in symbols([node]):
            return None
        graph = self._graph
        difference = graph.apply("subtract", *node.args)
        slope = self._by_time.gradient(difference).get("time")
        if slope is None or symbols([difference]) & self._states or "time" in symbols([slope]):
            return None
        at_zero = graph.substitute(difference, {"time": graph.constant(0.0)})
        return graph.apply("negative", graph.apply("divide", at_zero, slope))
