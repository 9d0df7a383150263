"""The quantities of a model, how their symbols are read, and what they are at the start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import libsbml

from stromal.engine.graph import Graph, Node
from stromal.engine.sbml.mathml import Reader
from stromal.engine.system import Species


def amount_of(species: str) -> str:
    """Name of the amount of a species whose symbol is a concentration in a compartment of changing size."""
    return f"amount of {species}"


@final
@dataclass(frozen=True)
class Rules:
    """Rules and assignments of a model by the symbol that they determine.

    Those without a formula mean nothing (SBML level 3 version 2) and are not here.
    """

    assignment: Mapping[str, Node]
    rate: Mapping[str, Node]
    initial: Mapping[str, Node]


def read_rules(model: libsbml.Model, reader: Reader) -> Rules:
    """Read all rules and initial assignments."""
    assignment: dict[str, Node] = {}
    rate: dict[str, Node] = {}
    for rule in (model.getRule(i) for i in range(model.getNumRules())):
        if rule.isSetMath() and not rule.isAlgebraic():
            kind = rate if rule.isRate() else assignment
            kind[rule.getVariable()] = reader.number(rule.getMath(), f"rule for {rule.getVariable()}")
    initial = {}
    for start in (model.getInitialAssignment(i) for i in range(model.getNumInitialAssignments())):
        if start.isSetMath():
            symbol = start.getSymbol()
            initial[symbol] = reader.number(start.getMath(), f"initial assignment of {symbol}")
    return Rules(assignment, rate, initial)


def names(model: libsbml.Model) -> list[str]:
    """Every quantity, in the order in which systems list them: species, parameters, compartments, stoichiometries."""
    lists = [
        [model.getSpecies(i) for i in range(model.getNumSpecies())],
        [model.getParameter(i) for i in range(model.getNumParameters())],
        [model.getCompartment(i) for i in range(model.getNumCompartments())],
        [s for s in _stoichiometries(model) if s.getId()],
    ]
    return [item.getId() for items in lists for item in items]


def species_of(model: libsbml.Model) -> dict[str, Species]:
    """How the symbol of each species is read. What is in a point (a compartment without dimensions) is an amount."""
    result = {}
    for species in (model.getSpecies(i) for i in range(model.getNumSpecies())):
        compartment = model.getCompartment(species.getCompartment())
        is_point = compartment.getSpatialDimensionsAsDouble() == 0.0 and not compartment.isSetSize()
        is_amount = species.getHasOnlySubstanceUnits() or is_point
        result[species.getId()] = Species(compartment.getId(), bool(is_amount))
    return result


def given_values(model: libsbml.Model, graph: Graph, species: Mapping[str, Species]) -> dict[str, Node]:
    """Value that the attributes of each quantity give to its symbol; quantities without one are left out."""
    return dict(_given(model, graph, species))


def _given(model: libsbml.Model, graph: Graph, species: Mapping[str, Species]) -> Iterator[tuple[str, Node]]:
    for compartment in (model.getCompartment(i) for i in range(model.getNumCompartments())):
        if compartment.isSetSize():
            yield compartment.getId(), graph.constant(compartment.getSize())
    for parameter in (model.getParameter(i) for i in range(model.getNumParameters())):
        if parameter.isSetValue():
            yield parameter.getId(), graph.constant(parameter.getValue())
    for item in (model.getSpecies(i) for i in range(model.getNumSpecies())):
        own = species[item.getId()]
        size = graph.symbol(own.compartment)
        if item.isSetInitialAmount():
            amount = graph.constant(item.getInitialAmount())
            yield item.getId(), amount if own.is_amount else graph.apply("divide", amount, size)
        elif item.isSetInitialConcentration():
            concentration = graph.constant(item.getInitialConcentration())
            yield item.getId(), graph.apply("multiply", concentration, size) if own.is_amount else concentration
    for reference in _stoichiometries(model):
        if reference.getId() and not math.isnan(reference.getStoichiometry()):
            yield reference.getId(), graph.constant(reference.getStoichiometry() / reference.getDenominator())


def _stoichiometries(model: libsbml.Model) -> Iterator[libsbml.SpeciesReference]:
    for reaction in (model.getReaction(i) for i in range(model.getNumReactions())):
        for k in range(reaction.getNumReactants()):
            yield reaction.getReactant(k)
        for k in range(reaction.getNumProducts()):
            yield reaction.getProduct(k)
