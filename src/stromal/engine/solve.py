"""Solve a model for many patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.compute.errors import InputError
from stromal.engine import timeline
from stromal.engine.audit import audit
from stromal.engine.batch import Batch, Limits
from stromal.engine.machine.program import Options, Precision
from stromal.engine.rescue import rescue
from stromal.engine.system import System
from stromal.engine.trajectories import Final, Trajectories

Array = NDArray[np.float64]


def solve(
    system: System,
    parameters: pd.DataFrame,
    schedule: pd.DataFrame,
    output_times: ArrayLike,
    outputs: Sequence[str] | None = None,
    *,
    rtol: float = 1e-7,
    atol: ArrayLike = 1e-9,
    side: Literal["before", "after"] = "before",
    max_steps: int = 200_000,
    begin: float = 0.0,
    start: Final | None = None,
    precision: Precision = "double",
    strict: bool = False,
    width: int = 0,
    threads: int = 1,
) -> Trajectories:
    """Solve a model for many patients, each on time steps of its own.

    Every output and every action is a step boundary. What a patient gets does not depend on the other patients,
    their number or order, nor on the number of threads; solving to a time and going on from `final` equals one solve,
    bit for bit.

    Parameters
    ----------
    parameters : DataFrame, one row per patient, one column per parameter that differs from its default
    schedule : DataFrame with columns patient, time, kind, target, amount
        `kind` is ``bolus`` (amount is added to a state), ``scale`` (a state is multiplied), ``rate`` (amount per
        time unit flows into a state until the next rate row of that state) or ``set`` (a parameter takes a value).
        Rows at equal times apply in row order.
    output_times : (n_times,) or (n_patients, n_times)
        [time unit of the model]; NaN asks for nothing.
    outputs : sequence of str, optional
        States, rules or parameters; default all states.
    rtol : float
    atol : float or (n_states,)
        Tolerance of the local error of each state: ``atol + rtol*|y|``; about 0.1 to 1 times `rtol` times the usual
        size of the state serves well.
    side : {"before", "after"}
        Whether outputs see the state before or after the actions of the same time. Events of the model are executed
        as soon as they are due, so an output at that time sees what they did.
    max_steps : int
        Per patient; beyond it the status is ``step_limit``.
    begin : float
        Time of the initial state when `start` is not given.
    start : Final, optional
        Where an earlier solve of the same patients (same rows) ended.
    precision : {"double", "mixed"}
        ``mixed`` takes steps in single precision, for screening: faster on stiff models, with errors of 1e-5 to 1e-3
        whatever the tolerance. A sample is solved in double precision too, and `audit` of the result says how far
        off it is. Not for models with events.
    strict : bool
        Never fuse products and sums: a little slower, and results do not depend on `width` or the kind of processor.
    width : int
        Patients per instruction; 0 for what suits the processor.
    threads : int
        Threads that share the work.

    Returns
    -------
    Trajectories
        A patient that fails is solved again with tighter settings, then by the reference method (status
        ``rescued``); if both fail it has a status and NaN, and never stops the others.

    Raises
    ------
    InputError, InputErrors
        Unknown names, or times, amounts or settings that cannot be used.
    """
    names = tuple(outputs) if outputs is not None else system.states
    _check_names(system, parameters, names)
    tolerances = _tolerances(system, rtol, atol)
    options = Options(precision, strict, width)
    _check_options(system, options, max_steps, threads)
    n = len(parameters)
    times = np.array(np.broadcast_to(np.asarray(output_times, dtype=float), (n, np.shape(output_times)[-1])))
    origin = start.time if start is not None else np.full(n, begin)
    slots = start.slots if start is not None else ()
    line = timeline.build(system, list(parameters.index), schedule, times, origin, side, slots)
    batch = Batch(system, parameters, line, times, names, start, begin, side, options)
    limits = Limits(tolerances, max_steps)
    solved = batch.run(limits, threads)
    rescue(batch, solved, schedule, limits)
    checked = audit(batch, solved, limits, threads) if precision == "mixed" and n else None
    return replace(batch.trajectories(solved), audit=checked)


def _tolerances(system: System, rtol: float, atol: ArrayLike) -> Array:
    """Relative tolerance, then the absolute one of each state."""
    absolute = np.broadcast_to(np.asarray(atol, dtype=float), (len(system.states),))
    if not (np.isfinite(rtol) and rtol > 0.0 and np.isfinite(absolute).all() and (absolute >= 0.0).all()):
        raise InputError(
            "a tolerance cannot be used",
            place="rtol, atol",
            value=(rtol, atol),
            remedy="rtol above 0, atol 0 or more, finite",
        )
    return np.concatenate([[rtol], absolute])


def _check_options(system: System, options: Options, max_steps: int, threads: int) -> None:
    if options.precision == "mixed" and system.events:
        raise InputError(
            "the model has events, whose time is searched in double precision",
            place="precision",
            value=options.precision,
            remedy="double",
        )
    for name, value, allowed in (
        ("precision", options.precision, ("double", "mixed")),
        ("width", options.width, (0, 1, 2, 4, 8, 16)),
    ):
        if value not in allowed:
            raise InputError("not a setting", place=name, value=value, remedy=f"one of {', '.join(map(str, allowed))}")
    for name, number in (("max_steps", max_steps), ("threads", threads)):
        if number < 1:
            raise InputError("too small", place=name, value=number, remedy="1 or more")


def _check_names(system: System, parameters: pd.DataFrame, outputs: Sequence[str]) -> None:
    unknown = [c for c in parameters.columns if c not in system.parameters]
    if unknown:
        raise InputError("not a parameter of the model", place="parameters", value=unknown[0], remedy="a parameter")
    if not parameters.index.is_unique:
        raise InputError("a patient occurs twice", place="parameters", remedy="one row per patient")
    missing = [o for o in outputs if o not in system.outputs]
    if missing:
        raise InputError("not an output of the model", place="outputs", value=missing[0], remedy="a state or rule")
