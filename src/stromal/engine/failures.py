"""Patients whose solve did not come to its end: which, when, and the likely cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from stromal.engine.graph import OPERATIONS, Node, walk
from stromal.engine.system import System
from stromal.engine.trajectories import Trajectories, solved

_CAUSES: Final[Mapping[str, str]] = {
    "step_limit": "the time span needs more steps than allowed: fast oscillations, stiffness or a tolerance too small",
    "step_underflow": "the step became too small to advance: the solution has a pole or a jump there",
    "non_finite": "beyond it a rate has no finite value: the solution has a pole or overflows, or a formula divides by "
    "zero or takes the logarithm or root of a negative number",
    "event_limit": "events of the model trigger each other without end",
}


def failure_table(trajectories: Trajectories) -> pd.DataFrame:
    """Patients whose solve ended early.

    Returns
    -------
    DataFrame
        Columns `patient`, `time` (reached; [time unit of the model]), `state` (the one that made the last step fail,
        if that is known), `status` and `cause`; one row per failed patient.
    """
    rows = np.flatnonzero(~solved(trajectories.status))
    return pd.DataFrame(
        {
            "patient": trajectories.patients[rows],
            "time": trajectories.final.time[rows],
            "state": pd.array(trajectories.final.culprit[rows].tolist(), dtype="str"),
            "status": pd.array([str(s) for s in trajectories.status[rows]], dtype="str"),
            "cause": pd.array([_CAUSES[str(s)] for s in trajectories.status[rows]], dtype="str"),
        }
    )


def likely_cause(
    system: System, trajectories: Trajectories, parameters: pd.DataFrame, row: int = 0, begin: float = 0.0
) -> str:
    """Why one patient's solve ended early, as one sentence.

    Parameters
    ----------
    parameters : DataFrame
        As they were given to `solve`.
    row : int
        Position of the patient.
    begin : float
        Time of the initial state [time unit of the model].

    Returns
    -------
    str
        Time, state and cause. The state named is one whose rate has no finite value at the time reached, else the
        one that changes fastest relative to its size.
    """
    final = trajectories.final
    time = float(final.time[row])
    own = {str(k): float(v) for k, v in parameters.iloc[row].items()}
    plain = {**system.parameters, **own, "time": begin}
    assigned = {k: _value(system.starting_values[k], plain) for k in system.assigned if k not in own}
    values = {**plain, **assigned, **dict(zip(final.slots, final.values[row], strict=True)), "time": time}
    states = dict(zip(system.states, (float(y) for y in final.states[row]), strict=True))
    rates = {name: _value(system.expanded[f"rate of {name}"], {**values, **states}) for name in system.states}
    worst = max(rates, key=lambda name: _speed(rates[name], states[name]))
    status = str(trajectories.status[row])
    return (
        f"the solve ended at time {time:.6g} ({status}): {worst} = {states[worst]:.6g} "
        f"changes by {rates[worst]:.6g} per time unit; {_CAUSES[status]}"
    )


def _speed(rate: float, value: float) -> float:
    """Relative speed; infinite where the rate has no finite value."""
    return abs(rate) / max(abs(value), 1e-9) if np.isfinite(rate) else np.inf


def _value(root: Node, values: Mapping[str, float]) -> float:
    done: dict[Node, Any] = {}
    with np.errstate(all="ignore"):  # what is not finite is what is looked for
        for node in walk([root]):
            if node.op == "constant":
                done[node] = np.float64(node.value)
            elif node.op == "symbol":
                done[node] = np.float64(values[node.name])
            else:
                done[node] = OPERATIONS[node.op](*(done[a] for a in node.args))
    return float(done[root])
