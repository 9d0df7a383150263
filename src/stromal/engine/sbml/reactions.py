"""Reactions: their speeds, and what they change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import libsbml

from stromal.engine.graph import Graph, Node
from stromal.engine.sbml.mathml import Reader


@final
@dataclass(frozen=True)
class Reactions:
    """What the reactions of a model do.

    Attributes
    ----------
    speeds : mapping from str to Node
        Of each reaction [extent per time unit].
    changes : mapping from str to Node
        Of the amount of each species that reactions change [substance unit per time unit].
    """

    speeds: Mapping[str, Node]
    changes: Mapping[str, Node]


def read_reactions(model: libsbml.Model, reader: Reader, graph: Graph, determined: Mapping[str, Node]) -> Reactions:
    """Read all reactions; species that are `determined` by assignment rules are not changed by them."""
    speeds: dict[str, Node] = {}
    terms: dict[str, list[Node]] = {}
    for reaction in (model.getReaction(i) for i in range(model.getNumReactions())):
        speed = _speed(reaction, reader, graph)
        if speed is None:
            continue
        speeds[reaction.getId()] = speed
        for sign, reference in _references(reaction):
            species = model.getSpecies(reference.getSpecies())
            if species.getBoundaryCondition() or species.getConstant() or species.getId() in determined:
                continue
            stoichiometry = _stoichiometry(reference, reader, graph, f"reaction {reaction.getId()}")
            signed = graph.apply("multiply", graph.constant(sign), stoichiometry)
            term = graph.apply("multiply", signed, speed)
            if species.isSetConversionFactor() or model.isSetConversionFactor():
                own = species.isSetConversionFactor()
                factor = species.getConversionFactor() if own else model.getConversionFactor()
                term = graph.apply("multiply", graph.symbol(factor), term)
            terms.setdefault(species.getId(), []).append(term)
    return Reactions(speeds, {name: _sum(graph, parts) for name, parts in terms.items()})


def _speed(reaction: libsbml.Reaction, reader: Reader, graph: Graph) -> Node | None:
    """Speed of a reaction; None, with a finding, if it has none."""
    place = f"reaction {reaction.getId()}"
    law = reaction.getKineticLaw()
    if law is None or not law.isSetMath():
        reader.fault(place, "no kinetic law", "give the reaction a rate")
        return None
    own = {}
    for parameter in (law.getParameter(i) for i in range(law.getNumParameters())):
        if not parameter.isSetValue():
            reader.fault(f"{place}, parameter {parameter.getId()}", "a quantity has no value", "give it a value")
        own[parameter.getId()] = graph.constant(parameter.getValue())
    return reader.number(law.getMath(), place, own)


def _references(reaction: libsbml.Reaction) -> Iterator[tuple[float, libsbml.SpeciesReference]]:
    for i in range(reaction.getNumReactants()):
        yield -1.0, reaction.getReactant(i)
    for i in range(reaction.getNumProducts()):
        yield 1.0, reaction.getProduct(i)


def _stoichiometry(reference: libsbml.SpeciesReference, reader: Reader, graph: Graph, place: str) -> Node:
    """As a number, as the quantity that bears the id of the reference, or as a formula (level 2)."""
    formula = reference.getStoichiometryMath()
    if formula is not None and formula.isSetMath():
        return reader.number(formula.getMath(), f"{place}, stoichiometry of {reference.getSpecies()}")
    if reference.getId():
        return graph.symbol(reference.getId())
    if math.isnan(reference.getStoichiometry()):  # level 2 has the default 1, level 3 has none
        reader.fault(f"{place}, species {reference.getSpecies()}", "no stoichiometry", "give it a number")
    return graph.constant(reference.getStoichiometry() / reference.getDenominator())


def _sum(graph: Graph, parts: list[Node]) -> Node:
    total = parts[0]
    for part in parts[1:]:
        total = graph.apply("add", total, part)
    return total
