"""What is learned, as rows of numbers for the sampler and as a table of draws for the population.

The sampler sees hyperparameters and how studies differ, SDs as logarithms; the population reads SDs as they are, and an
MSC effect with each draw.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.population.hyperparameters import Hyperparameters, hyperparameters
from stromal.population.posterior import MSC_EFFECT, STUDY, columns

Array = NDArray[np.float64]
STUDY_SDS: Final = tuple(name for name in STUDY if name.endswith("_sd"))
"""Of how studies differ, what is an SD."""


def names() -> tuple[str, ...]:
    """What is learned, in the order of the columns of points: hyperparameters, then how studies differ."""
    return (*hyperparameters().names, *STUDY)


def priors(own: Hyperparameters) -> tuple[Array, Array]:
    """Mean and SD of the normal prior of each number, in the order of `names`."""
    study = own.study
    both = [
        *((p.mean, p.sd) for p in own.priors().values()),
        (study.mrss_drift.mean, study.mrss_drift.sd),
        (np.log(study.mrss_sd.median), study.mrss_sd.log_sd),
        (study.fvc_drift.mean, study.fvc_drift.sd),
        (np.log(study.fvc_sd.median), study.fvc_sd.log_sd),
    ]
    table = np.array(both, dtype=float)
    return np.asarray(table[:, 0]), np.asarray(table[:, 1])


def as_points(draws: pd.DataFrame) -> Array:
    """Draws of a population as points, (n_draws, n_learned)."""
    table = draws[list(names())].copy()
    table[list(STUDY_SDS)] = np.log(table[list(STUDY_SDS)])
    return np.asarray(table.to_numpy(dtype=float))


def as_draws(points: Array, effects: Array) -> pd.DataFrame:
    """Points as draws of a population.

    Parameters
    ----------
    points : (n_draws, n_learned)
    effects : (n,)
        MSC effects; they begin again after the last.
    """
    table = pd.DataFrame(points, columns=list(names()))
    table[list(STUDY_SDS)] = np.exp(table[list(STUDY_SDS)])
    return table.assign(**{MSC_EFFECT: effects[np.arange(len(table)) % len(effects)]})[list(columns())]
