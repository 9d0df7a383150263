"""What a trial that was not seen would report: a sample of every result, from draws of the population.

A predicted result carries what is not known about the population (its draws), about the study (drift, expectation,
study-by-treatment effect, differences of hazards and spreads) and the sampling error of an arm of its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.cohorts import Simulated
from stromal.calibration.likelihood import SD_BETWEEN_STUDIES, Literature, around
from stromal.calibration.observations import from_scale, on_scale
from stromal.compute.randomness import Streams
from stromal.population.recipe import Study as StudyEffects

Array = NDArray[np.float64]
REPEATS: Final = 5
"""Studies predicted from each draw."""
LEVELS: Final = {"50": 0.5, "90": 0.9}


@final
@dataclass(frozen=True, eq=False)
class Predictions:
    """Samples of the results of one trial.

    Attributes
    ----------
    results : (n_samples, n_results)
        What an arm of this size would report, in the unit of the result.
    spreads : (n_samples, n_results)
        SD between patients that it would report.
    failures : int
        Candidates, and patients in arms, whose simulation failed; 0 on the emulators.
    """

    results: Array
    spreads: Array
    failures: int = 0


@final
@dataclass(frozen=True, eq=False)
class Direct:
    """A trial simulated at draws of the posterior, in the place of what emulators say of it.

    Attributes
    ----------
    mean, effect, log_sd : (n_draws, n_results)
        As of `Emulated`; the noise of the finite number of simulated patients is shrunk away.
    loading : (n_results,)
    """

    mean: Array
    effect: Array
    log_sd: Array
    loading: Array


def predict(literature: Literature, rows: NDArray[np.int64], draws: Array, seed: int) -> Predictions:
    """Sample the results of one trial on the emulators.

    Parameters
    ----------
    rows : (n_results,)
        Positions of its observations.
    draws : (n_draws, n_learned)
        Of a posterior, best of one that has not seen this trial.
    """
    own = draws[:, : len(literature.hyperparameters.names)]
    mean, covariance = literature.predicted(draws, rows)
    return _sampled(
        literature.table.iloc[rows],
        mean,
        covariance,
        literature.sampling_variance(draws, rows),
        literature.emulated.log_sd(own)[:, rows],
        literature.emulated.log_sd.variance[rows],
        seed,
    )


def direct(table: pd.DataFrame, simulated: Simulated, ess: Array) -> Direct:
    """Statistics of a simulated trial on the scale of the fit.

    Parameters
    ----------
    table : DataFrame
        Observations of the trial.
    ess : (n_draws, n_results)
        Effective sample size behind each statistic.
    """
    found = on_scale(table, simulated.mean, simulated.sd, simulated.control, simulated.drift, ess)
    return Direct(
        _shrunk(found.mean, found.noise),
        _shrunk(found.effect, np.zeros_like(found.effect)),
        _shrunk(found.log_sd, 0.5 / np.maximum(ess, 1.0)),
        found.loading,
    )


def predict_direct(table: pd.DataFrame, effects: StudyEffects, found: Direct, studies: Array, seed: int) -> Predictions:
    """Sample the results of a trial that was simulated at draws of the posterior.

    Parameters
    ----------
    table : DataFrame
        Observations of the trial.
    effects : StudyEffects
        Of the recipe: what is not learned.
    found : Direct
    studies : (n_draws, 4)
        How studies differ in each draw, SDs as logarithms.
    """
    mean, covariance = around(table, effects, found.mean, found.effect, found.loading, studies)
    error, n = table["error"].to_numpy(), table["n"].to_numpy()
    sampling = np.where(np.isfinite(error), error**2, np.exp(2.0 * found.log_sd) / n)
    return _sampled(table, mean, covariance, sampling, found.log_sd, np.zeros(len(n)), seed)


def summary(sample: Array, observed: float) -> dict[str, float | bool]:
    """Mean, SD and intervals of a sample, and whether the observed value lies inside."""
    numbers: dict[str, float | bool] = {"predicted": float(sample.mean()), "sd_predicted": float(sample.std(ddof=1))}
    for name, level in LEVELS.items():
        low, high = np.quantile(sample, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        numbers |= {f"lo{name}": float(low), f"hi{name}": float(high), f"in{name}": bool(low <= observed <= high)}
    return numbers


def _shrunk(values: Array, noise: Array) -> Array:
    """Draws pulled to their mean, so that their variance is what the noise of each leaves.

    A missing draw becomes the mean; where all are missing they stay so.
    """
    known = np.ma.masked_invalid(values)
    centre, total = known.mean(axis=0).filled(np.nan), known.var(axis=0).filled(0.0)
    own = np.ma.masked_invalid(noise).mean(axis=0).filled(0.0)
    kept = np.sqrt(np.clip(1.0 - own / np.where(total > 0.0, total, 1.0), 0.0, 1.0))
    return np.asarray(np.where(np.isfinite(values), centre + kept * (values - centre), centre))


def _sampled(
    table: pd.DataFrame, mean: Array, covariance: Array, sampling: Array, log_sd: Array, lack: Array, seed: int
) -> Predictions:
    n, size = mean.shape
    streams = Streams(seed, 0)
    name = str(table["trial"].iloc[0])
    root = np.linalg.cholesky(covariance + sampling[:, :, None] * np.eye(size))
    kinds, whole = table["kind"].to_numpy(), table["n"].to_numpy()
    results, spreads = [], []
    for repeat in range(REPEATS):
        z = np.stack(
            [streams.normal(f"predicted study: {name}", n, occasion=1000 * repeat + k) for k in range(size)], axis=1
        )
        y = mean + np.einsum("nij,nj->ni", root, z)
        results.append(np.stack([from_scale(kinds[k], y[:, k]) for k in range(size)], axis=1))
        z = np.stack(
            [streams.normal(f"predicted spread: {name}", n, occasion=1000 * repeat + k) for k in range(size)], axis=1
        )
        error = np.sqrt(0.5 / np.maximum(whole - 1.0, 1.0) + SD_BETWEEN_STUDIES**2 + np.nan_to_num(lack))
        spreads.append(np.exp(log_sd + error * z))
    return Predictions(np.concatenate(results), np.concatenate(spreads))
