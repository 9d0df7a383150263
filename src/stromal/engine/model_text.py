"""What only the text of a model says: its unit of time, and which of its rules are rates of reactions."""

from __future__ import annotations

from typing import Final

import libsbml

from stromal.engine.system import System

_NAMED: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day", 604800.0: "week", 31557600.0: "year"}


def time_unit(system: System) -> str | None:
    """Unit of time of a model in words, e.g. ``day`` or ``0.001 second``; None where the model does not say."""
    model = libsbml.readSBMLFromString(system.sbml).getModel()
    stated = str(model.getTimeUnits() or "time")
    definition = model.getUnitDefinition(stated)
    if definition is None and model.getLevel() < 3:
        return "second"
    if definition is None:
        return stated if stated in ("second", "dimensionless") else None
    if definition.getNumUnits() != 1 or not definition.isVariantOfTime():
        return stated
    unit = definition.getUnit(0)
    seconds = float(unit.getMultiplier() * 10.0 ** unit.getScale())
    return _NAMED.get(seconds, f"{seconds:g} second")


def reactions(system: System) -> frozenset[str]:
    """Ids of the reactions; the rule of that name is the rate of the reaction."""
    model = libsbml.readSBMLFromString(system.sbml).getModel()
    return frozenset(model.getReaction(i).getId() for i in range(model.getNumReactions()))
