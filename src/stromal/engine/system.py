"""The dynamic system that an SBML or Antimony model describes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

from stromal.engine.graph import Graph, Node, symbols, walk


@final
@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens when a condition becomes true (SBML level 3 version 2, section 4.11).

    Attributes
    ----------
    name : str
    trigger : Node
        A truth value; the event is triggered when it turns from false to true.
    initially : bool
        Value of the trigger before the start of the simulation.
    persistent : bool
        Whether a triggered event is executed even when its trigger has become false again before its time.
    delay : Node or None
        Time from trigger to execution [time unit of the model], evaluated when the event is triggered.
    priority : Node or None
        Of events due at the same time the one of highest priority goes first; evaluated at that time.
    values_from_trigger_time : bool
        Whether the assigned values are those of the time of triggering, or of the time of execution.
    assignments : mapping from str to Node
        New value of each state or parameter that the event changes. All are evaluated before any is assigned.
    sizes : mapping from str to Node
        Of the assigned amounts whose assignment gives a concentration: the size of the compartment that the value is
        to be multiplied by. Always evaluated at the time of execution, before anything is assigned.
    """

    name: str
    trigger: Node
    initially: bool
    persistent: bool
    delay: Node | None
    priority: Node | None
    values_from_trigger_time: bool
    assignments: Mapping[str, Node]
    sizes: Mapping[str, Node]


@final
@dataclass(frozen=True)
class Species:
    """How the symbol of a species is to be read.

    Attributes
    ----------
    compartment : str
    is_amount : bool
        Whether the symbol means an amount; a concentration otherwise.
    """

    compartment: str
    is_amount: bool


@final
@dataclass(frozen=True, eq=False)
class System:
    """States with their rates, parameters with their defaults, assignment rules and events.

    All expressions live in `graph`. A rule, rate or event refers to states, parameters, rules and ``time`` by
    symbol; rules are in an order in which each uses only those before it.

    Attributes
    ----------
    name : str
        Id of the model.
    states : tuple of str
        Names in the order of state vectors. The amount of a species whose compartment changes its size is a state
        named ``amount of NAME``; the symbol of the species is then a rule.
    initial : mapping from str to Node
        Initial value of each state.
    rates : mapping from str to Node
        Time derivative of each state [substance unit per time unit of the model].
    parameters : mapping from str to float
        Every other quantity with its default; it may be given per patient, or changed by a schedule or an event.
    assigned : mapping from str to Node
        Of those parameters whose value at the start follows from other quantities: the formula. `parameters` holds
        its value for the defaults. In these formulas and in `initial` a state means its initial value, and ``time``
        the time of the start.
    rules : mapping from str to Node
        Assignment rules in order of evaluation.
    events : tuple of Event
        In the order of the model.
    species : mapping from str to Species
        How to read the symbols of species.
    sbml : str
        The SBML text the system was read from.
    """

    name: str
    graph: Graph
    states: tuple[str, ...]
    initial: Mapping[str, Node]
    rates: Mapping[str, Node]
    parameters: Mapping[str, float]
    assigned: Mapping[str, Node]
    rules: Mapping[str, Node]
    events: tuple[Event, ...]
    species: Mapping[str, Species]
    sbml: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Every name that `solve` can record: states, rules and parameters."""
        return (*self.states, *self.rules, *self.parameters)

    def free_of_rules(self, node: Node) -> Node:
        """`node` with every rule written out: only states, parameters and ``time`` are left."""
        return self.graph.substitute(node, self._rules)

    @cached_property
    def _rules(self) -> Mapping[str, Node]:
        rules: dict[str, Node] = {}
        for name, node in self.rules.items():
            rules[name] = self.graph.substitute(node, rules)
        return rules

    @cached_property
    def starting_values(self) -> Mapping[str, Node]:
        """Initial value of each state and value of each assigned parameter, of plain parameters and ``time`` only."""
        return self.starting_values_when_given(())

    def starting_values_when_given(self, given: Collection[str]) -> Mapping[str, Node]:
        """As `starting_values`, where the assigned parameters `given` have values of their own and stay symbols."""
        wanted = {**self.initial, **self.assigned}
        pending = {name: self.free_of_rules(node) for name, node in wanted.items() if name not in given}
        done: dict[str, Node] = {}

        def resolve(name: str) -> Node:
            if name not in done:
                node = pending[name]
                needed = {s: resolve(s) for s in symbols([node]) if s in pending}
                done[name] = self.graph.substitute(node, needed)
            return done[name]

        return {name: resolve(name) for name in pending}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all formulas and names; equal for systems that differ in default numbers of parameters only."""
        formulas = {"rates": self.rates, "initial": self.initial, "assigned": self.assigned, "rules": self.rules}
        roots = {f"{kind} {name}": node for kind, nodes in formulas.items() for name, node in nodes.items()}
        for i, event in enumerate(self.events):
            roots[f"{i} trigger"] = event.trigger
            roots |= {f"{i} {k}": n for k, n in (("delay", event.delay), ("priority", event.priority)) if n is not None}
            roots |= {f"{i} assign {k}": n for k, n in event.assignments.items()}
            roots |= {f"{i} size {k}": n for k, n in event.sizes.items()}
        digest = hashlib.sha256(repr((self.states, tuple(self.parameters), tuple(roots))).encode())
        places: dict[Node, int] = {}
        for node in walk(roots.values()):
            places[node] = len(places)
            digest.update(repr((node.op, node.name, node.value, [places[a] for a in node.args])).encode())
        digest.update(repr([places[n] for n in roots.values()]).encode())
        return digest.hexdigest()

    @cached_property
    def expanded(self) -> Mapping[str, Node]:
        """Rates (as ``rate of NAME``), initial values (``initial NAME``) and outputs, free of rules."""
        flat = {**self._rules} | {name: self.graph.symbol(name) for name in (*self.states, *self.parameters)}
        for name in self.states:
            flat[f"rate of {name}"] = self.free_of_rules(self.rates[name])
            flat[f"initial {name}"] = self.starting_values[name]
        return flat
