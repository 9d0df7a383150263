"""The dynamic system that an SBML or Antimony model describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

from stromal.engine.graph import Graph, Node


@final
@dataclass(frozen=True, eq=False)
class System:
    """States with their rates, parameters with their defaults, and assignment rules.

    All expressions live in `graph`. A rule or rate refers to states, parameters, other rules and ``time`` by
    symbol; rules are in an order in which each uses only those before it.

    Attributes
    ----------
    name : str
        Id of the model.
    states : tuple of str
        Names in the order of state vectors.
    initial : mapping from str to Node
        Initial value of each state, an expression of parameters.
    rates : mapping from str to Node
        Time derivative of each state [substance unit per time unit of the model].
    parameters : mapping from str to float
        Default values; every name may be given per patient or changed by a schedule.
    rules : mapping from str to Node
        Assignment rules in order of evaluation.
    sbml : str
        The SBML text the system was read from.
    """

    name: str
    graph: Graph
    states: tuple[str, ...]
    initial: Mapping[str, Node]
    rates: Mapping[str, Node]
    parameters: Mapping[str, float]
    rules: Mapping[str, Node]
    sbml: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Every name that `solve` can record: states, rules and parameters."""
        return (*self.states, *self.rules, *self.parameters)

    @cached_property
    def expanded(self) -> Mapping[str, Node]:
        """Rates (as ``rate of NAME``), initial values (``initial NAME``) and outputs, free of rules."""
        rules: dict[str, Node] = {}
        for name, node in self.rules.items():
            rules[name] = self.graph.substitute(node, rules)
        flat = dict(rules)
        for name in (*self.states, *self.parameters):
            flat[name] = self.graph.symbol(name)
        for name in self.states:
            flat[f"rate of {name}"] = self.graph.substitute(self.rates[name], rules)
            flat[f"initial {name}"] = self.graph.substitute(self.initial[name], rules)
        return flat
