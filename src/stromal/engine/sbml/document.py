"""What libSBML finds wrong with a document, and what this engine does not solve."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Final

import libsbml

from stromal.compute.findings import Finding

_UNDERSTOOD: Final = frozenset({"l3v2extendedmath", "layout", "render", "groups"})
"""Packages that change nothing in the mathematics, or whose mathematics is read."""
_LARGEST_EXPANSION: Final = 100_000
"""Most operations that a function definition may have when the functions it calls are written out."""
_DEEPEST_CALLS: Final = 30
_LONGEST_CHAIN: Final = 200
"""Deepest calls of function definitions and longest chain of assignments: libSBML's own checks take minutes beyond."""


def findings(document: libsbml.SBMLDocument, name: str, *, units: bool) -> list[Finding]:
    """Everything that is wrong with a document; errors of reading hide those of consistency.

    Parameters
    ----------
    units : bool
        Whether to check units where SBML only recommends that they fit (level 2 version 4, and level 3).
    """
    found = _messages(document, name)
    if any(f.severity == "error" for f in found):
        return found
    model = document.getModel()
    if model is None:
        return [*found, Finding("error", name, "holds no SBML model", "give an SBML or Antimony file")]
    found += _packages(document, name) + _functions(model, name) + _chains(model, name)
    if any(f.severity == "error" for f in found):
        return found
    document.getErrorLog().clearLog()
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    fit_is_a_rule = (document.getLevel(), document.getVersion()) < (2, 4)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, units or fit_is_a_rule)
    document.checkConsistency()
    return found + _messages(document, name) + list(_unsupported(model, name))


def _messages(document: libsbml.SBMLDocument, name: str) -> list[Finding]:
    found = []
    for error in (document.getError(i) for i in range(document.getNumErrors())):
        severe = error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
        message = " ".join(error.getMessage().split())
        place = f"{name}, line {error.getLine()}"
        found.append(Finding("error" if severe else "warning", place, message, _remedy(error)))
    return list(dict.fromkeys(found))


def _remedy(error: libsbml.SBMLError) -> str:
    if error.getCategory() == libsbml.LIBSBML_CAT_UNITS_CONSISTENCY:
        return "units that fit on both sides"
    return f"what SBML asks for there (rule {error.getErrorId()})"


def _packages(document: libsbml.SBMLDocument, name: str) -> list[Finding]:
    packages = [document.getPlugin(i).getPackageName() for i in range(document.getNumPlugins())]
    required = [p for p in packages if p not in _UNDERSTOOD and document.getPackageRequired(p)]
    required += [document.getUnknownPackagePrefix(i) for i in range(document.getNumUnknownPackages())]
    remedy = "a model in SBML core, for instance flattened by the tool that wrote it"
    return [
        Finding("error", name, f"the model needs the SBML package {p}, which is not read", remedy) for p in required
    ]


def _functions(model: libsbml.Model, name: str) -> list[Finding]:
    """Function definitions that call each other in a circle, too deeply, or so that they grow beyond bounds."""
    definitions = [model.getFunctionDefinition(i) for i in range(model.getNumFunctionDefinitions())]
    calls = {d.getId(): [n for n in _names(d.getBody()) if n] for d in definitions if d.getBody() is not None}
    pieces = {d.getId(): sum(1 for _ in _names(d.getBody())) for d in definitions if d.getBody() is not None}
    try:
        order = list(TopologicalSorter({f: sorted(set(c) & calls.keys()) for f, c in calls.items()}).static_order())
    except CycleError as error:
        circle = f"{name}: {', '.join(error.args[1])}"
        message = "functions call each other in a circle"
        return [Finding("error", circle, message, "functions that call only earlier ones")]
    sizes: dict[str, int] = {}
    depths: dict[str, int] = {}
    for function in order:
        inner = [c for c in calls[function] if c in calls]
        sizes[function] = pieces[function] + sum(sizes[c] for c in inner)
        depths[function] = 1 + max((depths[c] for c in inner), default=0)
        if depths[function] > _DEEPEST_CALLS or sizes[function] > _LARGEST_EXPANSION:
            message = "the functions that it calls are nested too deeply, or too large when they are written out"
            remedy = f"at most {_DEEPEST_CALLS} levels and {_LARGEST_EXPANSION} operations"
            return [Finding("error", f"{name}: function {function}", message, remedy)]
    return []


def _chains(model: libsbml.Model, name: str) -> list[Finding]:
    """Assignments of which each needs the one before, in a chain too long for libSBML's search for circles."""
    assignments = [model.getRule(i) for i in range(model.getNumRules()) if model.getRule(i).isAssignment()]
    assignments += [model.getInitialAssignment(i) for i in range(model.getNumInitialAssignments())]
    formulas = {_target(a): a.getMath() for a in assignments if a.isSetMath()}
    needs = {n: sorted(set(_names(m, libsbml.AST_NAME)) & formulas.keys()) for n, m in formulas.items()}
    lengths: dict[str, int] = {}
    try:
        for symbol in TopologicalSorter(needs).static_order():
            lengths[symbol] = 1 + max((lengths[n] for n in needs[symbol]), default=0)
    except CycleError as error:
        circle = f"{name}: {', '.join(error.args[1])}"
        return [Finding("error", circle, "assignments form a circle", "break the circle")]
    longest = max(lengths, key=lambda n: lengths[n], default="")
    if not longest or lengths[longest] <= _LONGEST_CHAIN:
        return []
    message = f"the assignment stands at the end of a chain of {lengths[longest]} that need each other"
    return [Finding("error", f"{name}: {longest}", message, f"chains of at most {_LONGEST_CHAIN} assignments")]


def _target(assignment: libsbml.AssignmentRule | libsbml.InitialAssignment) -> str:
    is_rule = isinstance(assignment, libsbml.AssignmentRule)
    return str(assignment.getVariable() if is_rule else assignment.getSymbol())


def _names(root: libsbml.ASTNode, kind: int = libsbml.AST_FUNCTION) -> Iterator[str]:
    """For each node of a formula its name if it is of this kind, else nothing."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node.getName() if node.getType() == kind else ""
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))


def _unsupported(model: libsbml.Model, name: str) -> Iterator[Finding]:
    for i in range(model.getNumRules()):
        if model.getRule(i).isAlgebraic():
            remedy = "solve it for one variable by an assignment rule"
            yield Finding("error", f"{name}: rule {i + 1}", "algebraic rule", remedy)
    for reaction in (model.getReaction(i) for i in range(model.getNumReactions())):
        if reaction.isSetFast() and reaction.getFast():
            remedy = "write the equilibrium as an assignment rule"
            yield Finding("error", f"{name}: reaction {reaction.getId()}", "fast reaction", remedy)
