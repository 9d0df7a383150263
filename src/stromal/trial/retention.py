"""Who stays: deaths, organ failure and leaving the trial, as hazards that follow the patient's state."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.design.conduct import Retention
from stromal.population.people import per_person

Array = NDArray[np.float64]
DAYS_PER_YEAR = 12 * DAYS_PER_MONTH


def event_day(people: pd.DataFrame, purpose: str, days: Array, cumulative: Array, seed: int) -> Array:
    """Day on which a cumulative hazard reaches the patient's threshold, infinite if it does not.

    The threshold is exponential with mean 1; between grid days the hazard is taken as constant.

    Parameters
    ----------
    days : (n_days,)
        Grid [days after baseline].
    cumulative : (n_patients, n_days)
        Cumulative hazard since baseline (0 on the first day).
    """
    threshold = -np.log(per_person(people, purpose, 0, seed))
    reached = cumulative >= threshold[:, None]
    after = np.argmax(reached, axis=1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(people))
    low, high = cumulative[rows, before], cumulative[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(high > low, (threshold - low) / (high - low), 0.0)
    day = days[before] + part * (days[after] - days[before])
    return np.where(reached.any(axis=1), day, np.inf)


def cumulative_dropout(retention: Retention, days: Array, mrss: Array, fvc: Array) -> Array:
    """Cumulative hazard of leaving, (n_patients, n_days); worsening since baseline raises it.

    Parameters
    ----------
    mrss, fvc : (n_patients, n_days)
        True skin score and FVC [% predicted]; the state at the beginning of an interval drives it.
    """
    base = -np.log1p(-retention.dropout_per_year) / DAYS_PER_YEAR
    worse = retention.log_hazard_per_mrss_point * np.maximum(mrss - mrss[:, :1], 0.0)
    worse += retention.log_hazard_per_fvc_point * np.maximum(fvc[:, :1] - fvc, 0.0)
    added = base * np.exp(worse[:, :-1]) * np.diff(days)
    return np.concatenate([np.zeros((len(mrss), 1)), np.cumsum(added, axis=1)], axis=1)
