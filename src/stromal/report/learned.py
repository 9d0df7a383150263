"""What calibration learned about the population: before (prior) and after (posterior), as text."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from stromal.population.hyperparameters import Hyperparameter, hyperparameters
from stromal.population.posterior import shipped_posterior
from stromal.population.recipe import LogNormal, Normal
from stromal.report.wording import number, plain

Array = NDArray[np.float64]
Row = dict[str, str]
MIDDLE: Final = (0.05, 0.95)
"""Ends of the interval that is shown: it holds 90 %."""
_STUDY: Final = {
    "mrss_drift": ("mean drift of the measured skin score in a study within months", "points"),
    "mrss_sd": ("its SD between studies", "points"),
    "fvc_drift": ("mean drift of the measured vital capacity in a study within months", "% predicted"),
    "fvc_sd": ("its SD between studies", "% predicted"),
}


def hyperparameter_rows() -> list[Row]:
    """One row per number learned: name, meaning, what it moves, and 90 % of its prior and its posterior."""
    draws = shipped_posterior().draws
    rows = [
        {
            "name": plain(name),
            "meaning": h.meaning,
            "moves": _moves(h),
            "prior": _ends(np.exp(_quantiles(h.log_prior()))),
            "posterior": _ends(np.exp(_quantiles(draws[name]))),
        }
        for name, h in hyperparameters().hyperparameters.items()
    ]
    priors = hyperparameters().study
    rows += [
        {
            "name": plain(name),
            "meaning": meaning,
            "moves": unit,
            "prior": _ends(_quantiles(getattr(priors, name))),
            "posterior": _ends(_quantiles(draws[name])),
        }
        for name, (meaning, unit) in _STUDY.items()
    ]
    return rows


@cache
def learned_medians() -> dict[str, str]:
    """For each parameter that a hyperparameter moves: 90 % of the factors that the draws put on its median."""
    draws = shipped_posterior().draws
    return {
        symbol: f"median learned: factor {_ends(np.exp(_quantiles(draws[name])))} (90 %)"
        for name, h in hyperparameters().hyperparameters.items()
        for symbol in h.moves
    }


def _moves(hyperparameter: Hyperparameter) -> str:
    if hyperparameter.fluctuation is None:
        return f"factor on the median of {', '.join(hyperparameter.moves)}"
    return f"SD of the logarithm of {hyperparameter.fluctuation}_activity"


def _quantiles(of: pd.Series | Normal | LogNormal) -> Array:
    if isinstance(of, Normal):
        return np.asarray(stats.norm.ppf(MIDDLE, of.mean, of.sd))
    if isinstance(of, LogNormal):
        return np.asarray(of.median * np.exp(stats.norm.ppf(MIDDLE, 0.0, of.log_sd)))
    return np.asarray(np.quantile(of, MIDDLE))


def _ends(values: Array) -> str:
    return " to ".join(number(float(v), 2) for v in values)
