"""One run of any model: what `stromal model simulate` does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, final

import numpy as np
import pandas as pd

from stromal.compute.errors import InputError, InputErrors, shown
from stromal.compute.findings import Finding
from stromal.engine.failures import likely_cause
from stromal.engine.graph import symbols
from stromal.engine.model_text import reactions, time_unit
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.timeline import empty_schedule
from stromal.engine.trajectories import solved

RTOL: Final = 1e-7
ATOL: Final = 1e-12
"""Tolerances that suit models whose quantities are not much smaller than 1e-9 in their units."""


@final
@dataclass(frozen=True, eq=False)
class Simulation:
    """The course of a model.

    Attributes
    ----------
    model : str
        Id of the model.
    time_unit : str or None
        In words; None where the model does not say.
    table : DataFrame
        The column `time`, then one column per output; NaN after a solve has failed.
    status : str
        ``ok``, or how the solve ended.
    failure : str or None
        Of a solve that failed: time, state and likely cause.
    """

    model: str
    time_unit: str | None
    table: pd.DataFrame
    status: str
    failure: str | None


def simulate(
    system: System,
    *,
    end: float,
    points: int,
    begin: float = 0.0,
    values: Mapping[str, float] | None = None,
    outputs: Sequence[str] | None = None,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> Simulation:
    """Simulate a model once, as its text describes it.

    Parameters
    ----------
    begin, end : float
        [time unit of the model].
    points : int
        Number of equidistant times, `begin` and `end` among them; at least 2.
    values : mapping of str to float, optional
        Other values of parameters, and other initial values of states. Initial values that the model computes from
        them follow.
    outputs : sequence of str, optional
        Default `changing`.
    rtol, atol : float
        As for `solve`.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError, InputErrors
        Unknown names (with the nearest known one), values that are not finite, times that cannot be used.
    """
    own = dict(values or {})
    names = tuple(outputs) if outputs else changing(system)
    _check(system, own, names, begin, end, points, rtol, atol)
    starts = {k: f"initial value of {k}" for k in own if k in system.states}
    changed = _started_by_parameters(system, starts)
    parameters = pd.DataFrame({starts.get(k, k): [v] for k, v in own.items()}, index=[0])
    times = np.linspace(begin, end, points)
    result = solve(changed, parameters, empty_schedule(), times, names, rtol=rtol, atol=atol, begin=begin)
    table = pd.DataFrame({"time": times, **dict(zip(names, result.values[0].T, strict=True))})
    failure = None if solved(result.status)[0] else likely_cause(changed, result, parameters, begin=begin)
    return Simulation(system.name, time_unit(system), table, str(result.status[0]), failure)


def changing(system: System) -> tuple[str, ...]:
    """What changes in the course of a simulation: species first, then other states, rules and parameters.

    A rule changes when it depends on a state, on time, or on a parameter that an event changes. Amounts of species
    that are concentrations, and rates of reactions, are left out: whoever wants them can name them.
    """
    by_events = [name for event in system.events for name in event.assignments if name in system.parameters]
    moving = {"time", *system.states, *by_events}
    rules = [name for name, node in system.rules.items() if symbols([system.free_of_rules(node)]) & moving]
    hidden = {f"amount of {name}" for name in system.species} | reactions(system)
    names = [name for name in dict.fromkeys((*system.states, *rules, *by_events)) if name not in hidden]
    species = [name for name in system.species if name in names]
    return tuple(dict.fromkeys((*species, *names)))


def _started_by_parameters(system: System, starts: Mapping[str, str]) -> System:
    """The system in which the initial values of some states are parameters of the given names.

    The compiled code is then the same for any number, and what the model computes from an initial value follows.
    """
    return replace(
        system,
        initial={**system.initial, **{state: system.graph.symbol(name) for state, name in starts.items()}},
        parameters={**system.parameters, **dict.fromkeys(starts.values(), 0.0)},
    )


def assigned_values(texts: Iterable[str], place: str = "--set") -> dict[str, float]:
    """Values written as ``name=number``.

    Raises
    ------
    InputErrors
        Every text that is not of this form, and every name that occurs twice.
    """
    values: dict[str, float] = {}
    faults = []
    for text in texts:
        name, _, number = (part.strip() for part in text.partition("="))
        if name in values:
            faults.append(Finding("error", place, f"{shown(name)} is set twice", "one value"))
        try:
            values[name] = float(number)
        except ValueError:
            message = f"{shown(text)} is not a name and a number"
            faults.append(Finding("error", place, message, "name=number, e.g. k=0.5"))
    if faults:
        raise InputErrors(faults)
    return values


def _check(
    system: System,
    values: Mapping[str, float],
    outputs: Sequence[str],
    begin: float,
    end: float,
    points: int,
    rtol: float,
    atol: float,
) -> None:
    if not outputs:
        raise InputError("nothing changes in this model", file=system.name, remedy="the outputs to be recorded")
    if not (math.isfinite(begin) and math.isfinite(end) and end > begin):
        raise InputError("not a span of time", place="begin, end", value=(begin, end), remedy="an end after the begin")
    if points < 2:
        raise InputError("too few points", place="points", value=points, remedy="2 or more")
    for place, tolerance in (("rtol", rtol), ("atol", atol)):
        if not 0.0 < tolerance < 1.0:
            raise InputError("not a tolerance", place=place, value=tolerance, remedy="a number between 0 and 1")
    settable = (*system.parameters, *system.states)
    faults = [
        Finding("error", "set", f"{shown(k)} is not a parameter or state of the model", _nearest(k, settable))
        for k in values
        if k not in settable
    ]
    faults += [
        Finding("error", f"set {k}", f"{v} is not a finite number", "a finite number")
        for k, v in values.items()
        if not math.isfinite(v)
    ]
    faults += [
        Finding("error", "output", f"{shown(o)} is not a quantity of the model", _nearest(o, system.outputs))
        for o in outputs
        if o not in system.outputs
    ]
    if faults:
        raise InputErrors(faults)


def _nearest(name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    near = get_close_matches(name, listed, n=3, cutoff=0.6)
    lower = {k.lower(): k for k in listed}
    near = near or [lower[k] for k in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.6)]
    some = ", ".join(listed[:8]) + (", ..." if len(listed) > 8 else "")
    return " or ".join(near) if near else f"one of {some}"
