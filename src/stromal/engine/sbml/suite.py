"""Cases of the SBML Test Suite: what is asked for, and the table that answers it.

A case is a model with a settings file (lines ``key: value``) that says at which times which variables are to be
written, and which species of them as amounts or as concentrations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.errors import InputError
from stromal.engine.reference import solve_one
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.timeline import empty_schedule
from stromal.engine.trajectories import Status

Array = NDArray[np.float64]
Solver = Callable[[System, Array, Sequence[str]], Array]
"""Values (n_times, n_outputs) of a model at its defaults."""

RTOL: Final = 1e-9
ATOL: Final = 1e-13
"""Tolerances of the solves: the suite asks for a relative error of 1e-4, mostly."""


@final
@dataclass(frozen=True)
class Settings:
    """What a case asks for.

    Attributes
    ----------
    times : tuple of float
    variables : tuple of str
        Columns of the table, after the time.
    amounts, concentrations : frozenset of str
        Species to be written as amounts, or as concentrations, whatever their symbols mean.
    absolute, relative : float
        A value is right if it differs by no more than ``absolute + relative * |expected|``.
    """

    times: tuple[float, ...]
    variables: tuple[str, ...]
    amounts: frozenset[str]
    concentrations: frozenset[str]
    absolute: float
    relative: float


def read_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises
    ------
    InputError
        It cannot be read, or an entry is missing or not a number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        start, steps = float(entries["start"]), int(entries["steps"])
        times = np.linspace(start, start + float(entries["duration"]), steps + 1)
        absolute, relative = float(entries["absolute"]), float(entries["relative"])
    except (OSError, ValueError, KeyError) as error:
        remedy = "start, duration, steps, variables, amount, concentration, absolute and relative, one a line"
        raise InputError(f"not settings of a test case: {error}", file=path, remedy=remedy) from error
    return Settings(
        tuple(times.tolist()),
        _names(entries, "variables"),
        frozenset(_names(entries, "amount")),
        frozenset(_names(entries, "concentration")),
        absolute,
        relative,
    )


def _names(entries: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in entries.get(key, "").split(",") if name.strip())


def by_reference(system: System, times: Array, outputs: Sequence[str]) -> Array:
    """Solve by `stromal.engine.reference`.

    Raises
    ------
    ArithmeticError
        The solve failed, with the cause.
    """
    course = solve_one(system, {}, [], times, outputs, rtol=RTOL, atol=ATOL)
    if course.status != Status.OK:
        raise ArithmeticError(f"{course.status}: {course.cause}")
    return course.values


def by_engine(system: System, times: Array, outputs: Sequence[str]) -> Array:
    """Solve by `stromal.engine.solve`.

    Raises
    ------
    ArithmeticError
        The solve failed, with its status.
    """
    one = pd.DataFrame(index=["case"])
    result = solve(system, one, empty_schedule(), times, outputs, rtol=RTOL, atol=ATOL)
    if result.status[0] != Status.OK:
        raise ArithmeticError(f"{result.status[0]} at time {result.final.time[0]}")
    values: Array = result.values[0]
    return values


def table(system: System, settings: Settings, solver: Solver = by_engine) -> pd.DataFrame:
    """What a case asks for: column ``time``, then one for each variable.

    Raises
    ------
    InputError
        A variable is not a quantity of the model.
    """
    unknown = [v for v in settings.variables if v not in system.outputs]
    if unknown:
        raise InputError("not a quantity of the model", place="variables", value=unknown[0], remedy="an id")
    read = [v for v in settings.variables if v in system.species]
    sizes = [system.species[v].compartment for v in read if system.species[v].compartment in system.outputs]
    outputs = list(dict.fromkeys([*settings.variables, *sizes]))
    times = np.array(settings.times)
    values = dict(zip(outputs, solver(system, times, outputs).T, strict=True))
    columns = {"time": times}
    for variable in settings.variables:
        columns[variable] = values[variable]
        species = system.species.get(variable)
        if species is not None and not species.is_amount and variable in settings.amounts:
            columns[variable] = values[variable] * values[species.compartment]
        if species is not None and species.is_amount and variable in settings.concentrations:
            columns[variable] = values[variable] / values[species.compartment]
    return pd.DataFrame(columns)


def wrong(got: pd.DataFrame, want: pd.DataFrame, settings: Settings) -> list[str]:
    """Variables that are not what is expected; a value that is not finite must be the same.

    Parameters
    ----------
    want : DataFrame
        Expected values with at least the columns of `got`.
    """
    result = []
    for variable in settings.variables:
        mine, theirs = got[variable].to_numpy(dtype=float), want[variable].to_numpy(dtype=float)
        finite = np.isfinite(theirs)
        near = np.abs(mine[finite] - theirs[finite]) <= settings.absolute + settings.relative * np.abs(theirs[finite])
        if not near.all() or not np.array_equal(mine[~finite], theirs[~finite], equal_nan=True):
            result.append(variable)
    return result
