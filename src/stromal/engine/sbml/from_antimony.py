"""Antimony text translated into SBML."""

from __future__ import annotations

import antimony
import libsbml

from stromal.compute.errors import InputError


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
        raise InputError(_message(), file=name, remedy="valid Antimony")
    document = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName()))
    model = document.getModel()
    for i in range(model.getNumFunctionDefinitions()):
        definition = model.getFunctionDefinition(i)
        body = definition.getMath().deepCopy()
        _mark_dimensionless(body)
        definition.setMath(body)
    return str(libsbml.writeSBMLToString(document))


def _message() -> str:
    try:
        return str(antimony.getLastError()).strip()
    except UnicodeDecodeError:  # Antimony cuts the offending text between the bytes of one character
        return "not valid Antimony where the text holds characters beyond ASCII"


def _mark_dimensionless(root: libsbml.ASTNode) -> None:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.isNumber() and not node.hasUnits():
            node.setUnits("dimensionless")
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))
