"""End points: what each patient contributes, as observed and in truth.

The estimand of an end point follows from its kind. A change is *hypothetical*: the value had nobody died or
left; the analysis uses those who were seen. A responder is *composite*: who died or left is no responder. An
event is *treatment policy*: counted whatever else happened, as far as it was observed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stromal.design.endpoints import EndPoint
from stromal.design.trial import TrialDesign
from stromal.engine.trajectories import solved
from stromal.trial.analysis import Values
from stromal.trial.conduct import TrialData

Array = NDArray[np.float64]


def observed(endpoint: EndPoint, data: TrialData) -> Array:
    """Each patient's observed outcome, (n_patients,); NaN where it is missing."""
    if endpoint.kind == "event":
        return np.asarray(data.patients[str(endpoint.event)].to_numpy() <= endpoint.day, dtype=float)
    measure = str(endpoint.measure)
    change = data.measured[measure][:, data.visit(endpoint.day)] - data.baseline[measure]
    if endpoint.kind == "change":
        return np.asarray(change)
    fall = -change
    responds = fall >= (endpoint.fall_points or 0.0)
    responds &= fall >= (endpoint.fall_share or 0.0) * data.baseline[measure]
    return np.where(np.isnan(change), 0.0, responds)


def true_outcome(endpoint: EndPoint, data: TrialData) -> Array:
    """Each patient's outcome as the estimand means it, (n_patients,); a change is the true one."""
    if endpoint.kind != "change":
        return observed(endpoint, data)
    values = data.true[str(endpoint.measure)]
    return np.asarray(values[:, data.visit(endpoint.day)] - values[:, 0])


def values_for(design: TrialDesign, endpoint: EndPoint, data: TrialData) -> Values:
    """What the analysis of the end point sees: patients of its arms with an outcome."""
    arm = data.patients["arm"].to_numpy()
    groups = endpoint.contrast or (design.arms[0].name,)
    members = [np.isin(arm, design.arms_in(g)) for g in groups]
    outcome = observed(endpoint, data)
    rows = np.any(members, axis=0) & ~np.isnan(outcome) & solved(data.patients["status"])
    measure = endpoint.measure
    baseline = data.baseline[measure] if measure is not None else np.zeros(len(arm))
    return Values(outcome[rows], baseline[rows], members[0][rows])
