"""A `System` made of what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import final

import libsbml
import numpy as np

from stromal.compute.findings import Finding
from stromal.engine.graph import Graph, Node, symbols
from stromal.engine.sbml.events import read_events
from stromal.engine.sbml.mathml import RATE_OF, Reader
from stromal.engine.sbml.quantities import amount_of, given_values, names, read_rules, species_of
from stromal.engine.sbml.rates_of import rates_of
from stromal.engine.sbml.reactions import read_reactions
from stromal.engine.scalar import compile_scalar
from stromal.engine.system import Event, Species, System


def assemble(model: libsbml.Model, sbml: str, name: str) -> tuple[System | None, list[Finding]]:
    """System of a model that libSBML finds correct; None, and why, if it cannot be solved."""
    graph = Graph()
    reader = Reader(graph, model, name)
    parts = _parts(model, reader, graph)
    if "time" in {*parts.order, *parts.rules}:
        reader.fault("time", "the id `time` is kept for the time of the simulation", "another id for the quantity")
    if not reader.faults:
        parts = _with_rates_of(parts, reader, graph)
    if not reader.faults:
        _check(parts, reader)
    if reader.faults:
        return None, reader.faults
    return _system(parts, model.getId(), sbml, graph), []


@final
@dataclass(frozen=True)
class _Parts:
    """What a system is made of.

    Attributes
    ----------
    order : list of str
        Every state and parameter, given a value or not.
    rates, rules : mapping from str to Node
        What determines the states and the rules.
    first : mapping from str to Node
        Value at the start of each state and parameter that has one.
    known_rates : mapping from str to Node
        Rates of change of symbols: those of states, and those that the model gives for a concentration.
    """

    order: list[str]
    rates: Mapping[str, Node]
    rules: Mapping[str, Node]
    first: Mapping[str, Node]
    known_rates: Mapping[str, Node]
    events: tuple[Event, ...]
    species: Mapping[str, Species]


def _parts(model: libsbml.Model, reader: Reader, graph: Graph) -> _Parts:
    """The model's own rules, reactions and events, in terms of states and parameters."""
    ruled = read_rules(model, reader)
    reactions = read_reactions(model, reader, graph, ruled.assignment)
    events = read_events(model, reader)
    species = species_of(model)
    first = {**given_values(model, graph, species), **ruled.initial}
    compartments = {own.compartment for own in species.values()}
    targets = {target for event in events for target in event.assignments}
    resized = compartments & {*ruled.assignment, *ruled.rate, *targets}
    by_amount = {
        s: graph.symbol(own.compartment)
        for s, own in species.items()
        if not own.is_amount and own.compartment in resized and s not in ruled.assignment
    }
    rates = dict(ruled.rate)
    for s, change in reactions.changes.items():
        size = graph.symbol(species[s].compartment)
        rates[s] = change if species[s].is_amount or s in by_amount else graph.apply("divide", change, size)
    known_rates = {s: rate for s, rate in rates.items() if s not in by_amount or s in ruled.rate}
    rules = {**ruled.assignment, **reactions.speeds}
    for s, size in by_amount.items():
        amount = graph.symbol(amount_of(s))
        rules[s] = graph.apply("divide", amount, size)
        if s in ruled.rate:
            swelling = graph.apply("multiply", graph.symbol(s), graph.symbol(RATE_OF + species[s].compartment))
            rates[s] = graph.apply("add", graph.apply("multiply", rates[s], size), swelling)
        if s in rates:
            known_rates[amount_of(s)] = rates[amount_of(s)] = rates.pop(s)
        if s in first:
            first[amount_of(s)] = _first_amount(model.getSpecies(s), s in ruled.initial, first.pop(s), size, graph)
    order = [amount_of(s) if s in by_amount else s for s in names(model) if s not in ruled.assignment]
    events = tuple(_in_amounts(event, by_amount) for event in events)
    return _Parts(order, rates, rules, first, known_rates, events, species)


def _first_amount(species: libsbml.Species, is_assigned: bool, value: Node, size: Node, graph: Graph) -> Node:
    if species.isSetInitialAmount() and not is_assigned:
        return graph.constant(species.getInitialAmount())
    return graph.apply("multiply", value, size)


def _in_amounts(event: Event, by_amount: Mapping[str, Node]) -> Event:
    """An event that assigns amounts where the model assigns concentrations."""
    assignments = {amount_of(s) if s in by_amount else s: node for s, node in event.assignments.items()}
    sizes = {amount_of(s): by_amount[s] for s in event.assignments if s in by_amount}
    return replace(event, assignments=assignments, sizes=sizes)


def _formulas(parts: _Parts) -> Iterator[tuple[str, Node]]:
    """Every formula with its place."""
    for kind, formulas in (("rate", parts.rates), ("rule", parts.rules), ("initial value", parts.first)):
        for name, node in formulas.items():
            yield f"{kind} of {name}", node
    for event in parts.events:
        nodes = [event.trigger, event.delay, event.priority, *event.assignments.values(), *event.sizes.values()]
        yield from ((f"event {event.name}", node) for node in nodes if node is not None)


def _with_rates_of(parts: _Parts, reader: Reader, graph: Graph) -> _Parts:
    """The same without ``rateOf``."""
    try:
        found = rates_of(graph, [node for _, node in _formulas(parts)], parts.known_rates, parts.rules)
    except RecursionError as error:
        reader.fault(str(error), "a rate of change follows from itself", "write the rate out")
        return parts
    asked = {name.removeprefix(RATE_OF) for name in found}
    for name in sorted(asked - parts.known_rates.keys() - parts.rules.keys() - set(parts.order) - {"time"}):
        reader.fault(f"rateOf({name})", "not a quantity of the model", "a species, compartment or parameter")
    ordered = _ordered({**parts.rules, **found}, reader)
    if not found or reader.faults:
        return parts
    plain: dict[str, Node] = {}
    for name in (n for n in ordered if n in found):
        plain[name] = graph.substitute(found[name], plain)

    def written_out(formulas: Mapping[str, Node]) -> dict[str, Node]:
        return {name: graph.substitute(node, plain) for name, node in formulas.items()}

    def one(node: Node | None) -> Node | None:
        return None if node is None else graph.substitute(node, plain)

    events = tuple(
        replace(
            event,
            trigger=graph.substitute(event.trigger, plain),
            delay=one(event.delay),
            priority=one(event.priority),
            assignments=written_out(event.assignments),
        )
        for event in parts.events
    )
    rules = written_out({name: parts.rules[name] for name in ordered if name in parts.rules})
    return replace(parts, rates=written_out(parts.rates), rules=rules, first=written_out(parts.first), events=events)


def _check(parts: _Parts, reader: Reader) -> None:
    """Find names that nothing defines, circles, and quantities without a value that something uses."""
    quantities = {*parts.order, *parts.rules, "time"}
    valued = {*parts.first, *parts.rules, "time"}
    used: set[str] = set(parts.rates)
    for place, node in _formulas(parts):
        names = symbols([node])
        used |= names
        for unknown in sorted(names - quantities):
            remedy = "a species, compartment, parameter, reaction or `time`"
            reader.fault(place, f"`{unknown}` is not a quantity of the model", remedy)
    for name in sorted((used & quantities) - valued):
        reader.fault(name, "a quantity has no value", "give it a value")
    _ordered({**parts.rules, **parts.first}, reader)


def _ordered(formulas: Mapping[str, Node], reader: Reader) -> list[str]:
    """Names so that each formula uses only those before it; a circle is a fault, and gives no order."""
    needed = {name: sorted(symbols([node]) & formulas.keys()) for name, node in formulas.items()}
    try:
        return list(TopologicalSorter(needed).static_order())
    except CycleError as error:
        reader.fault(", ".join(error.args[1]), "assignments form a circle", "break the circle")
        return []


def _system(parts: _Parts, name: str, sbml: str, graph: Graph) -> System:
    states = tuple(n for n in parts.order if n in parts.rates)
    constants = [n for n in parts.order if n not in parts.rates and n in parts.first]
    assigned = {n: parts.first[n] for n in constants if parts.first[n].op != "constant"}
    system = System(
        name,
        graph,
        states,
        {s: parts.first[s] for s in states},
        {s: parts.rates[s] for s in states},
        {n: parts.first[n].value for n in constants},
        assigned,
        {n: parts.rules[n] for n in _sorted(parts.rules)},
        parts.events,
        parts.species,
        sbml,
    )
    return replace(system, parameters={**system.parameters, **_defaults(system)})


def _sorted(rules: Mapping[str, Node]) -> Iterable[str]:
    needed = {name: sorted(symbols([node]) & rules.keys()) for name, node in rules.items()}
    return TopologicalSorter(needed).static_order()


def _defaults(system: System) -> dict[str, float]:
    """Assigned parameters for the defaults of all others, at time 0."""
    plain = {n: np.float64(v) for n, v in system.parameters.items() if n not in system.assigned}
    plain["time"] = np.float64(0.0)
    formulas = [system.starting_values[n] for n in system.assigned]
    with np.errstate(all="ignore"):  # a value that is not finite is what the model says
        values = compile_scalar(formulas, list(plain))(list(plain.values()))
    return {n: float(v) for n, v in zip(system.assigned, values, strict=True)}
