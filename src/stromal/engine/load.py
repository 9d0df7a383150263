"""Read SBML or Antimony into a `System`, or say everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import libsbml

from stromal.compute.errors import InputError, InputErrors
from stromal.compute.findings import Finding
from stromal.engine.sbml import document, text
from stromal.engine.sbml.assemble import assemble
from stromal.engine.sbml.events import unseen_turns
from stromal.engine.sbml.from_antimony import antimony_to_sbml
from stromal.engine.system import System

__all__ = ["antimony_to_sbml", "examine", "load"]


def load(source: str | Path) -> System:
    """Read a model.

    Parameters
    ----------
    source : path or str
        A file, or the text itself (it holds a line break), in SBML (level 1, 2 or 3) or Antimony.

    Returns
    -------
    System
        With time in the model's own unit (days for the shipped model).

    Raises
    ------
    InputErrors
        The file cannot be read, is not a model, or holds constructs that this engine does not solve: all of them.
    """
    system, found = _read(source, units=False)
    errors = [f for f in found if f.severity == "error"]
    if system is None or errors:
        raise InputErrors(errors)
    return system


def examine(source: str | Path, *, units: bool = True) -> list[Finding]:
    """Everything that is wrong with a model, as errors; units that do not fit and doubtful triggers, as warnings.

    Whatever the content of the file, this is an answer and not an exception; without an error, `load` reads it.

    Parameters
    ----------
    source : path or str
        As for `load`.
    units : bool
        Whether units are checked; many models declare none, and are told so at length.
    """
    return _read(source, units=units)[1]


def _read(source: str | Path, *, units: bool) -> tuple[System | None, list[Finding]]:
    content, name, found = text.read_text(source)
    if found:
        return None, found
    if not content.lstrip().startswith("<"):
        try:
            content = antimony_to_sbml(content, name)
        except InputError as error:
            return None, [Finding("error", name, error.what, error.remedy)]
    found = text.screen(content, name)
    if found:
        return None, found
    parsed = libsbml.readSBMLFromString(content)
    found = document.findings(parsed, name, units=units)
    if any(f.severity == "error" for f in found):
        return None, found
    system, more = assemble(parsed.getModel(), content, name)
    return system, [*found, *more, *(unseen_turns(system, name) if system is not None else ())]
