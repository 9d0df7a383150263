"""Read SBML or Antimony text into a `System`.

The subset read here: compartments of constant size, species as amounts or concentrations, parameters, function
definitions, initial assignments, assignment and rate rules, reactions with constant stoichiometry. Anything else
(events, algebraic rules, delays, fast reactions, changing compartments) is refused with its place and a remedy,
never ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Final

import antimony
import libsbml

from stromal.compute.errors import InputError, InputErrors
from stromal.compute.findings import Finding
from stromal.engine.graph import Graph, Node, symbols
from stromal.engine.mathml import Reader, UnsupportedMathError
from stromal.engine.system import System

LARGEST_FILE: Final = 20_000_000
"""Largest model file that is read [bytes]."""


def load(source: str | Path) -> System:
    """Read a model.

    Parameters
    ----------
    source : path or str
        A file, or the text itself (it holds a line break), in SBML (level 2 or 3) or Antimony.

    Returns
    -------
    System
        With time in the model's own unit (days for the shipped model).

    Raises
    ------
    InputError, InputErrors
        The file cannot be read, is not a model, or holds a construct that this engine does not solve.
    """
    text, name = _read(source)
    sbml = text if text.lstrip().startswith("<") else antimony_to_sbml(text, name)
    if "<!DOCTYPE" in sbml or "<!ENTITY" in sbml:
        raise InputError("the XML declares a document type or entities", file=name, remedy="SBML without a DOCTYPE")
    document = libsbml.readSBMLFromString(sbml)
    faults = _violations(document, name)
    model = document.getModel()
    if model is None and not faults:
        faults = [Finding("error", name, "holds no SBML model", "give an SBML or Antimony file")]
    faults = faults or list(_unsupported(model, name))
    if faults:
        raise InputErrors(tuple(faults))
    return _system(model, sbml, name)


def _violations(document: libsbml.SBMLDocument, name: str) -> list[Finding]:
    """What breaks the rules of SBML itself: those of reading, and if these hold those of consistency."""

    def errors() -> list[Finding]:
        return [
            Finding("error", f"{name}, line {e.getLine()}", e.getMessage().strip(), "correct the SBML")
            for e in (document.getError(i) for i in range(document.getNumErrors()))
            if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
        ]

    found = errors()
    if not found:
        for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
            document.setConsistencyChecks(category, False)
        document.checkConsistency()
        found = errors()
    return found


def antimony_to_sbml(text: str, name: str = "Antimony text") -> str:
    """SBML of an Antimony text (its main module).

    Antimony cannot give units to numbers inside function definitions; they are pure numbers in every function
    this project writes, so they are marked `dimensionless` here, and a unit check can then be complete.

    Raises
    ------
    InputError
        The text is not valid Antimony; the message gives the line.
    """
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise InputError(antimony.getLastError().strip(), file=name, remedy="valid Antimony")
    document = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName()))
    model = document.getModel()
    for i in range(model.getNumFunctionDefinitions()):
        definition = model.getFunctionDefinition(i)
        body = definition.getMath().deepCopy()
        _mark_dimensionless(body)
        definition.setMath(body)
    return str(libsbml.writeSBMLToString(document))


def _mark_dimensionless(node: libsbml.ASTNode) -> None:
    if node.isNumber() and not node.hasUnits():
        node.setUnits("dimensionless")
    for i in range(node.getNumChildren()):
        _mark_dimensionless(node.getChild(i))


def _read(source: str | Path) -> tuple[str, str]:
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("<")):
        return source, "model text"
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("the model file is too large", file=str(path), remedy=f"at most {LARGEST_FILE} bytes")
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the model cannot be read: {error}",
            file=str(path),
            remedy="a UTF-8 text file in SBML or Antimony",
        ) from error


def _unsupported(model: libsbml.Model, name: str) -> Iterator[Finding]:
    def finding(place: str, what: str, remedy: str) -> Finding:
        return Finding("error", f"{name}: {place}", what, remedy)

    if model.getNumEvents():
        yield finding("listOfEvents", "events in the model", "give scheduled actions to `solve` instead")
    for i in range(model.getNumRules()):
        if model.getRule(i).isAlgebraic():
            yield finding(f"rule {i + 1}", "algebraic rule", "solve it for one variable by an assignment rule")
    for i in range(model.getNumCompartments()):
        compartment = model.getCompartment(i)
        if model.getRule(compartment.getId()) is not None or not compartment.getConstant():
            yield finding(f"compartment {compartment.getId()}", "compartment of changing size", "make it constant")
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        place = f"reaction {reaction.getId()}"
        if reaction.isSetFast() and reaction.getFast():
            yield finding(place, "fast reaction", "write the equilibrium as an assignment rule")
        if reaction.getKineticLaw() is None:
            yield finding(place, "no kinetic law", "give the reaction a rate")
        for reference in _references(reaction):
            if not _is_fixed(reference, model):
                yield finding(place, "stoichiometry is not a number", "write the rate with the factor in it")
    species = [model.getSpecies(i) for i in range(model.getNumSpecies())]
    converted = [s for s in species if s.isSetConversionFactor()]
    if model.isSetConversionFactor() or converted:
        place = ", ".join(f"species {s.getId()}" for s in converted) or "model"
        yield finding(place, "conversion factor", "write rates in the unit of the species")


def _is_fixed(reference: libsbml.SpeciesReference, model: libsbml.Model) -> bool:
    """Whether a stoichiometry is a plain number."""
    own = reference.getId()
    changes = own and (model.getRule(own) is not None or model.getInitialAssignment(own) is not None)
    return not (changes or reference.isSetStoichiometryMath() or math.isnan(reference.getStoichiometry()))


def _references(reaction: libsbml.Reaction) -> list[libsbml.SpeciesReference]:
    return [reaction.getReactant(i) for i in range(reaction.getNumReactants())] + [
        reaction.getProduct(i) for i in range(reaction.getNumProducts())
    ]


def _system(model: libsbml.Model, sbml: str, name: str) -> System:
    graph = Graph()
    reader = Reader(graph, model)
    try:
        parameters = dict(_constants(model))
        rules = {r.getVariable(): reader.read(r.getMath()) for r in _rules(model, libsbml.SBML_ASSIGNMENT_RULE)}
        rates = {r.getVariable(): reader.read(r.getMath()) for r in _rules(model, libsbml.SBML_RATE_RULE)}
        rates |= _reaction_rates(model, reader, graph, rules)
        assigned = dict(_converted(model, graph)) | {
            a.getSymbol(): reader.read(a.getMath())
            for a in (model.getInitialAssignment(i) for i in range(model.getNumInitialAssignments()))
        }
    except UnsupportedMathError as error:
        raise InputError(str(error), file=name, remedy="write it with the functions that are supported") from error
    rules = _in_order(rules, name)
    initial = {s: assigned.pop(s, graph.constant(_initial_value(model, s))) for s in rates}
    for state in rates:
        parameters.pop(state, None)
    for symbol in rules:
        parameters.pop(symbol, None)
        assigned.pop(symbol, None)
    parameters |= _evaluate_assigned(graph, assigned, parameters, name)
    missing = [p for p, v in parameters.items() if math.isnan(v)]
    missing += [s for s, node in initial.items() if math.isnan(node.value)]
    if missing:
        raise InputError(
            "a quantity has no value", file=name, place=", ".join(sorted(missing)), remedy="give it a value"
        )
    _refuse_unknown({**rates, **rules, **initial}, {*rates, *rules, *parameters, "time"}, name)
    initial = _of_parameters(graph, initial, rules, name)
    states = tuple(sorted(rates, key=_document_order(model).__getitem__))
    return System(model.getId(), graph, states, initial, rates, parameters, rules, sbml)


def _converted(model: libsbml.Model, graph: Graph) -> Iterator[tuple[str, Node]]:
    """Initial values that must be converted by the size of a compartment that is itself assigned."""
    for i in range(model.getNumSpecies()):
        species = model.getSpecies(i)
        size = species.getCompartment()
        if model.getInitialAssignment(size) is None:
            continue
        if species.isSetInitialAmount() and not species.getHasOnlySubstanceUnits():
            amount = graph.constant(species.getInitialAmount())
            yield species.getId(), graph.apply("divide", amount, graph.symbol(size))
        if species.isSetInitialConcentration() and species.getHasOnlySubstanceUnits():
            concentration = graph.constant(species.getInitialConcentration())
            yield species.getId(), graph.apply("multiply", concentration, graph.symbol(size))


def _refuse_unknown(formulas: Mapping[str, Node], known: Set[str], name: str) -> None:
    """Refuse formulas that use the speed of a reaction or a stoichiometry: they have no value here."""
    for place, node in formulas.items():
        unknown = symbols([node]) - known
        if unknown:
            raise InputError(
                "a formula uses something that is not a quantity of the model",
                file=name,
                place=place,
                value=", ".join(sorted(unknown)),
                remedy="a species, compartment, parameter or `time`; write the rate of a reaction out",
            )


def _of_parameters(graph: Graph, initial: Mapping[str, Node], rules: Mapping[str, Node], name: str) -> dict[str, Node]:
    """Initial values as expressions of parameters only, in the order of `initial`."""
    known: dict[str, Node] = {}
    for rule, node in rules.items():
        known[rule] = graph.substitute(node, known)
    values: dict[str, Node] = {}
    for state, node in _in_order({s: graph.substitute(n, known) for s, n in initial.items()}, name).items():
        values[state] = graph.substitute(node, values)
    return {state: values[state] for state in initial}


def _rules(model: libsbml.Model, kind: int) -> list[libsbml.Rule]:
    return [r for r in (model.getRule(i) for i in range(model.getNumRules())) if r.getTypeCode() == kind]


def _constants(model: libsbml.Model) -> Iterator[tuple[str, float]]:
    """Every quantity with its number: what no rule or reaction determines is a parameter."""
    for i in range(model.getNumCompartments()):
        compartment = model.getCompartment(i)
        yield compartment.getId(), compartment.getSize()
    for i in range(model.getNumParameters()):
        yield model.getParameter(i).getId(), model.getParameter(i).getValue()
    for i in range(model.getNumSpecies()):
        species = model.getSpecies(i)
        yield species.getId(), _initial_value(model, species.getId())


def _initial_value(model: libsbml.Model, name: str) -> float:
    """Initial value in the unit in which formulas use the symbol."""
    species = model.getSpecies(name)
    if species is None:
        return float(model.getParameter(name).getValue())
    size = model.getCompartment(species.getCompartment()).getSize()
    if species.isSetInitialAmount():
        amount = species.getInitialAmount()
        return float(amount if species.getHasOnlySubstanceUnits() else amount / size)
    concentration = species.getInitialConcentration()
    return float(concentration * size if species.getHasOnlySubstanceUnits() else concentration)


def _reaction_rates(model: libsbml.Model, reader: Reader, graph: Graph, rules: Mapping[str, Node]) -> dict[str, Node]:
    terms: dict[str, list[Node]] = {}
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        speed = reader.read_kinetic_law(reaction)
        for k, reference in enumerate(_references(reaction)):
            species = model.getSpecies(reference.getSpecies())
            if species.getBoundaryCondition() or species.getConstant() or species.getId() in rules:
                continue
            sign = -1.0 if k < reaction.getNumReactants() else 1.0
            term = graph.apply("multiply", graph.constant(sign * reference.getStoichiometry()), speed)
            if not species.getHasOnlySubstanceUnits():
                term = graph.apply("divide", term, graph.symbol(species.getCompartment()))
            terms.setdefault(species.getId(), []).append(term)
    return {name: _sum(graph, parts) for name, parts in terms.items()}


def _sum(graph: Graph, parts: list[Node]) -> Node:
    total = parts[0]
    for part in parts[1:]:
        total = graph.apply("add", total, part)
    return total


def _evaluate_assigned(
    graph: Graph, assigned: Mapping[str, Node], parameters: Mapping[str, float], name: str
) -> dict[str, float]:
    values: dict[str, Node] = {k: graph.constant(v) for k, v in parameters.items() if k not in assigned}
    result: dict[str, float] = {}
    for symbol, node in _in_order(assigned, name).items():
        folded = graph.substitute(node, values)
        if folded.op != "constant":
            raise InputError(
                "an initial assignment depends on a state",
                file=name,
                place=symbol,
                remedy="use parameters only",
            )
        values[symbol] = folded
        result[symbol] = folded.value
    return result


def _in_order(rules: Mapping[str, Node], name: str) -> dict[str, Node]:
    """Rules sorted so that each uses only those before it."""
    ordered: dict[str, Node] = {}
    pending = dict(rules)
    while pending:
        ready = [k for k, node in pending.items() if not symbols([node]) & pending.keys()]
        if not ready:
            raise InputError(
                "assignments form a circle", file=name, place=", ".join(pending), remedy="break the circle"
            )
        for k in ready:
            ordered[k] = pending.pop(k)
    return ordered


def _document_order(model: libsbml.Model) -> dict[str, int]:
    names = [model.getSpecies(i).getId() for i in range(model.getNumSpecies())]
    names += [model.getParameter(i).getId() for i in range(model.getNumParameters())]
    return {name: i for i, name in enumerate(names)}
