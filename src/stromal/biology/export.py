"""Write the model, or one treated patient, in the field's exchange forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import libsbml
import pandas as pd

from stromal.biology.composition import compose, sbml
from stromal.biology.parameters import parameter_table
from stromal.compute.errors import InputError

FORMATS: Final = ("sbml", "antimony")


def export(form: str) -> str:
    """The shipped model as text.

    Parameters
    ----------
    form : {"sbml", "antimony"}
        SBML level 3 version 2, or the composed Antimony source with its comments.

    Raises
    ------
    InputError
        No such form.
    """
    if form == "antimony":
        return compose()
    if form == "sbml":
        return sbml()
    raise InputError("no such export format", value=form, remedy=f"one of: {', '.join(FORMATS)}")


def export_patient(schedule: pd.DataFrame, parameters: Mapping[str, float]) -> str:
    """SBML of one patient with the whole schedule as events, for another simulator.

    There is one event per distinct time: rows of equal time are composed, in their order, into simultaneous
    assignments. A rate flows through a reaction of its own until the next rate of that state.

    Parameters
    ----------
    schedule : DataFrame
        Columns ``time, kind, target, amount``, of one patient; the trigger is part of it.
    parameters : mapping
        The patient's values; those that only actions read (such as `fL`) are in the amounts already.

    Raises
    ------
    InputError
        An unknown parameter, target or kind, or more than one patient.
    """
    if "patient" in schedule and schedule["patient"].nunique() > 1:
        raise InputError("the schedule is of several patients", place="patient", remedy="the rows of one patient")
    document = libsbml.readSBMLFromString(sbml())
    described = document.getModel()
    _set_parameters(described, parameters)
    for number, (time, rows) in enumerate(schedule.groupby("time", sort=True)):
        _add_event(described, number, float(str(time)), rows)
    return str(libsbml.writeSBMLToString(document))


def _set_parameters(described: libsbml.Model, parameters: Mapping[str, float]) -> None:
    known = parameter_table().index
    for name, value in parameters.items():
        parameter = described.getParameter(name)
        if parameter is not None and described.getAssignmentRule(name) is None:
            parameter.setValue(float(value))
        elif name not in known:
            raise InputError("not a parameter of the model", value=name, remedy="a symbol of the parameter table")


def _add_event(described: libsbml.Model, number: int, time: float, rows: pd.DataFrame) -> None:
    event = described.createEvent()
    event.setId(f"schedule_{number}")
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(False)  # so that actions at time 0 happen
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time >= {time!r} day"))
    for target, formula in _assignments(described, rows).items():
        assignment = event.createEventAssignment()
        assignment.setVariable(target)
        assignment.setMath(libsbml.parseL3Formula(formula))


def _assignments(described: libsbml.Model, rows: pd.DataFrame) -> dict[str, str]:
    """Formula that each target takes: sequential rows composed into ``factor * target + addend``."""
    linear: dict[str, tuple[float, float]] = {}
    values: dict[str, str] = {}
    for row in rows.itertuples():
        target, kind, amount = str(row.target), str(row.kind), float(str(row.amount))
        if kind == "set":
            values[_settable(described, target)] = f"{amount!r} {described.getParameter(target).getUnits()}"
        elif kind == "rate":
            values[_infusion(described, target)] = f"{amount!r} per_day"
        elif kind in ("bolus", "scale"):
            _refuse_unknown_state(described, target)
            factor, addend = linear.get(target, (1.0, 0.0))
            linear[target] = (factor, addend + amount) if kind == "bolus" else (factor * amount, addend * amount)
        else:
            raise InputError("no such kind of action", value=kind, remedy="bolus, scale, rate or set")
    states = {s: f"{f!r} dimensionless * {s} + {a!r} dimensionless" for s, (f, a) in linear.items()}
    return states | values


def _settable(described: libsbml.Model, target: str) -> str:
    parameter = described.getParameter(target)
    if parameter is None or described.getAssignmentRule(target) is not None:
        raise InputError("a schedule sets what is no parameter", value=target, remedy="a parameter of the model")
    parameter.setConstant(False)
    return target


def _infusion(described: libsbml.Model, state: str) -> str:
    """Parameter that holds the rate into a state; made with its reaction when it is first needed."""
    _refuse_unknown_state(described, state)
    name = f"infusion_{state}"
    if described.getParameter(name) is None:
        parameter = described.createParameter()
        parameter.setId(name)
        parameter.setValue(0.0)
        parameter.setUnits("per_day")
        parameter.setConstant(False)
        reaction = described.createReaction()
        reaction.setId(f"infusion_of_{state}")
        reaction.setReversible(False)
        product = reaction.createProduct()
        product.setSpecies(state)
        product.setStoichiometry(1.0)
        product.setConstant(True)
        reaction.createKineticLaw().setMath(libsbml.parseL3Formula(name))
    return name


def _refuse_unknown_state(described: libsbml.Model, state: str) -> None:
    if described.getSpecies(state) is None:
        raise InputError("an action changes what is no state", value=state, remedy="a state of the model")
