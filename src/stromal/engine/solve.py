"""Solve a model for many patients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.compute.errors import InputError
from stromal.engine import timeline
from stromal.engine.block import Block, Compiled, Limits
from stromal.engine.codegen import Kernel, compile_kernel
from stromal.engine.system import System
from stromal.engine.trajectories import Final as FinalState
from stromal.engine.trajectories import Trajectories, joined

Array = NDArray[np.float64]
LANES: Final = 2048
BLOCK: Final = 16_384
"""Patients that advance together, and patients whose records are in memory at once: neither changes a result."""


def solve(
    system: System,
    parameters: pd.DataFrame,
    schedule: pd.DataFrame,
    output_times: ArrayLike,
    outputs: Sequence[str] | None = None,
    *,
    rtol: float = 1e-7,
    atol: float = 1e-9,
    side: Literal["before", "after"] = "before",
    max_steps: int = 200_000,
    begin: float = 0.0,
    start: FinalState | None = None,
) -> Trajectories:
    """Solve a model for many patients, each on time steps of its own.

    Every output and every action is a step boundary. What a patient gets does not depend on the other patients,
    their number or order; solving to a time and going on from `final` equals one solve, bit for bit.

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
    rtol, atol : float
        Tolerance of the local error of each state: ``atol + rtol*|y|``.
    side : {"before", "after"}
        Whether outputs see the state before or after the actions of the same time.
    max_steps : int
        Per patient; beyond it the status is ``step_limit``.
    begin : float
        Time of the initial state when `start` is not given.
    start : Final, optional
        Where an earlier solve of the same patients (same rows) ended.

    Returns
    -------
    Trajectories
        A failed patient has a status and NaN, and never stops the others.

    Raises
    ------
    InputError, InputErrors
        Unknown names, or times and amounts that cannot be used.
    """
    names = tuple(outputs) if outputs is not None else system.states
    _check_names(system, parameters, names)
    n = len(parameters)
    times = np.array(np.broadcast_to(np.asarray(output_times, dtype=float), (n, np.shape(output_times)[-1])))
    origin = start.time if start is not None else np.full(n, begin)
    line = timeline.build(
        system,
        list(parameters.index),
        schedule,
        times,
        origin,
        side,
        start.slots if start is not None else (),
    )
    varying = tuple(c for c in parameters.columns if c not in line.slots)
    compiled = _compiled(system, names, line.slots, varying)
    limits = Limits(rtol, atol, max_steps)
    records = np.full((len(names), n, times.shape[1]), np.nan)
    finals = []
    for first in range(0, n, BLOCK):
        rows = np.arange(first, min(first + BLOCK, n))
        here = start.take(rows) if start is not None else None
        with np.errstate(all="ignore"):  # a value that is not finite becomes the patient's status
            block = Block(system, compiled, parameters.iloc[rows], line, rows, here, begin, limits, LANES)
            finals.append(block.run(times[rows], records[:, rows[0] : rows[-1] + 1]))
    final_state = joined(finals, line.slots, len(system.states))
    return Trajectories(parameters.index, times, names, np.moveaxis(records, 0, 2), final_state.status, final_state)


def _check_names(system: System, parameters: pd.DataFrame, outputs: Sequence[str]) -> None:
    unknown = [c for c in parameters.columns if c not in system.parameters]
    if unknown:
        raise InputError("not a parameter of the model", place="parameters", value=unknown[0], remedy="a parameter")
    if not parameters.index.is_unique:
        raise InputError("a patient occurs twice", place="parameters", remedy="one row per patient")
    missing = [o for o in outputs if o not in system.outputs]
    if missing:
        raise InputError("not an output of the model", place="outputs", value=missing[0], remedy="a state or rule")


@lru_cache(maxsize=32)
def _compiled(system: System, outputs: tuple[str, ...], slots: tuple[str, ...], varying: tuple[str, ...]) -> Compiled:
    flat = system.expanded
    fixed = {k: v for k, v in system.parameters.items() if k not in varying and k not in slots}

    def kernel(names: Sequence[str]) -> Kernel:
        expressions = [flat[name] for name in names]
        return compile_kernel(
            system.graph, expressions, states=system.states, slots=slots, varying=varying, fixed=fixed
        )

    rates = kernel([f"rate of {s}" for s in system.states])
    initial = kernel([f"initial {s}" for s in system.states])
    return Compiled(rates, kernel(outputs), initial, varying, slots)
