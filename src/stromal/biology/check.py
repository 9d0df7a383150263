"""Check the model as data: what is wrong comes back as a list of findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import libsbml
import pandas as pd

from stromal.biology.composition import formulas, model, ports, sbml, source_texts
from stromal.biology.parameters import DISTRIBUTIONS, ORIGINS, SBML_UNITS, TABLE, names_in, parameter_table
from stromal.biology.registry import COURSE_NUMBERS, THERAPIES
from stromal.compute.findings import Finding, Severity
from stromal.engine import System

RESIDUAL: Final = 1e-12
"""Largest rate of change [1/d] that counts as steady."""

HAZARDS: Final = frozenset({"H_death", "H_organ"})
"""States that accumulate by definition."""

TRIGGER: Final = frozenset({"trigA", "trigT"})
"""Parameters that `trigger` reads."""

_UPPER_FLOORS: Final = ("population: ", "trial: ")
_CATEGORIES: Final = (
    libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
    libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
    libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
)


def check() -> list[Finding]:
    """Everything that is wrong with the shipped model; an empty list if nothing is.

    Looked at: consistency, units and modelling practice of the SBML (by libSBML); every parameter documented
    and used where it says; every port acted on; every species annotated or its lack explained; health steady.
    """
    return [
        *sbml_findings(sbml()),
        *table_findings(parameter_table()),
        *use_findings(parameter_table()),
        *_port_findings(),
        *_annotation_findings(),
        *steady_findings(model()),
    ]


def sbml_findings(text: str) -> Iterator[Finding]:
    """What libSBML says about an SBML text, in all of its categories."""
    document = libsbml.readSBMLFromString(text)
    for category in _CATEGORIES:
        document.setConsistencyChecks(category, True)
    document.checkConsistency()
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        severity: Severity = "error" if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR else "warning"
        yield Finding(severity, f"SBML line {error.getLine()}", " ".join(error.getMessage().split()), "valid SBML")


def table_findings(table: pd.DataFrame) -> Iterator[Finding]:
    """Whether each row of a parameter table is complete and consistent."""
    for symbol in table.index[table.index.duplicated()]:
        yield Finding("error", f"{TABLE.name}, {symbol}", "has two rows", "one row per symbol")
    for row in table.itertuples():
        place = f"{TABLE.name}, {row.symbol}"
        if not row.name.strip() or not row.source.strip():
            yield Finding("error", place, "has no name or no source", "what it means, and where its value is from")
        for column, allowed in (
            ("unit", tuple(SBML_UNITS)),
            ("origin", ORIGINS),
            ("distribution", DISTRIBUTIONS),
        ):
            if getattr(row, column) not in allowed:
                yield Finding("error", place, f"{column} {getattr(row, column)!r}", f"one of: {', '.join(allowed)}")
        if (row.distribution == "lognormal") != (row.spread > 0):
            yield Finding(
                "error",
                place,
                f"spread {row.spread} of a {row.distribution}",
                "a spread for a lognormal only",
            )
        if not row.low <= row.value <= row.high:
            yield Finding("error", place, f"{row.value} is not in {row.low} to {row.high}", "bounds around the value")


def uses() -> dict[str, str]:
    """Where each symbol acts, as the column `used_by` should say it (floors above the biology left out)."""
    files: dict[str, list[str]] = {}
    for stem, text in source_texts().items():
        for name in formulas(stem, text):
            files.setdefault(name, []).append(stem)
    actions: dict[str, list[str]] = {}
    for therapy in THERAPIES:
        changes = [c for action in therapy.products.values() for c in (*action.changes, *action.local)]
        for name in {n for change in changes for n in names_in(change.amount)} - COURSE_NUMBERS:
            actions.setdefault(name, []).append(therapy.name)
    symbols = parameter_table().index
    result = {}
    for symbol in symbols:
        parts = []
        if symbol in files:
            parts.append(f"equation: {', '.join(files[symbol])}")
        if symbol in actions:
            parts.append(f"action: {', '.join(actions[symbol])}")
        if symbol in TRIGGER:
            parts.append("trigger")
        result[str(symbol)] = "; ".join(parts)
    return result


def use_findings(table: pd.DataFrame) -> Iterator[Finding]:
    """Whether each parameter acts, and where the table says it does."""
    computed = uses()
    for symbol, stated in table["used_by"].items():
        declared = [part for part in stated.split("; ") if part.startswith(_UPPER_FLOORS)]
        here = "; ".join(part for part in stated.split("; ") if part not in declared)
        place = f"{TABLE.name}, {symbol}"
        if here != computed[symbol]:
            yield Finding("error", place, f"used_by says {here!r}", repr(computed[symbol]))
        if not computed[symbol] and not declared:
            yield Finding("error", place, "nothing uses it", "remove the row, or say which floor reads it")


def _port_findings() -> Iterator[Finding]:
    for port in ports(source_texts()).values():
        if not port.filled_by:
            yield Finding("warning", f"{port.file}.ant, {port.name}", "nothing acts on the port", "remove it")


def _annotation_findings() -> Iterator[Finding]:
    document = libsbml.readSBMLFromString(sbml())
    reasons = unannotated()
    for i in range(document.getModel().getNumSpecies()):
        species = document.getModel().getSpecies(i)
        if bool(species.getNumCVTerms()) == (species.getId() in reasons):
            yield Finding(
                "error",
                f"species {species.getId()}",
                "has both or neither of an identity and a reason for having none",
                'NAME identity "https://identifiers.org/...", or `// no identity: reason` after its name',
            )


def unannotated() -> dict[str, str]:
    """States without an identity, with the reason that their file gives."""
    pattern = re.compile(r"species (?P<name>\w+) in .*// no identity: (?P<reason>.+)")
    lines = (line for text in source_texts().values() for line in text.splitlines())
    return {match["name"]: match["reason"].strip() for match in map(pattern.search, lines) if match}


def steady_findings(system: System) -> Iterator[Finding]:
    """Whether the initial state of a system is steady, but for the accumulated hazards."""
    for state, rate in initial_rates(system).items():
        if state not in HAZARDS and not abs(rate) <= RESIDUAL:
            yield Finding("error", f"state {state}", f"changes by {rate:.3g} per day in health", "equal gain and loss")


def initial_rates(system: System, changed: Mapping[str, float] | None = None) -> dict[str, float]:
    """Rate of change of each state at the initial state [1/d].

    Parameters
    ----------
    changed : mapping, optional
        Parameters and states that take another value.
    """
    graph = system.graph
    numbers = {name: graph.constant(value) for name, value in {**system.parameters, "time": 0.0}.items()}
    start = {name: graph.substitute(system.expanded[f"initial {name}"], numbers) for name in system.states}
    values = numbers | start | {name: graph.constant(value) for name, value in (changed or {}).items()}
    return {s: graph.substitute(system.expanded[f"rate of {s}"], values).value for s in system.states}
