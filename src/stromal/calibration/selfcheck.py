"""Simulation-based calibration: literatures made by the model itself, learned again by the same machinery.

Hyperparameters are drawn from their priors, a literature is drawn from them with every error the likelihood knows, and
the posterior is sampled. If all is right, the rank of the true value among the draws is uniform for every number
(Talts et al. 2018, arXiv:1804.06788).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from stromal.calibration.cohorts import Simulated
from stromal.calibration.exploring import Explored
from stromal.calibration.fitting import draw_posterior
from stromal.calibration.likelihood import SD_BETWEEN_STUDIES, Literature, LogPosterior, around
from stromal.calibration.prediction import direct
from stromal.compute.randomness import Streams

Array = NDArray[np.float64]
STEPS: Final = 1500
DRAWS: Final = 99
"""Draws per literature, so that ranks run from 0 to 99."""
BINS: Final = 10


@final
@dataclass(frozen=True, eq=False)
class Synthetic:
    """A made-up literature.

    Attributes
    ----------
    truth : (n_learned,)
        What it was drawn from.
    y, log_sd : (n_observations,)
        In the place of the published results.
    """

    truth: Array
    y: Array
    log_sd: Array


def synthetic(literature: Literature, seed: int, number: int) -> Synthetic:
    """Draw a literature; `number` tells one from another."""
    density = LogPosterior(literature)
    streams = Streams(seed, number)
    truth = density.prior_mean + density.prior_sd * streams.normal(
        "synthetic literature: truth", len(density.prior_mean)
    )
    point = truth[None, :]
    table = literature.table
    y, log_sd = table["y"].to_numpy().copy(), table["log_sd"].to_numpy().copy()
    z = streams.normal("synthetic literature: results", len(y))
    for rows in table.reset_index(drop=True).groupby("trial").indices.values():
        known = rows[np.isfinite(literature.emulated.mean.variance[rows])]
        mean, covariance = literature.predicted(point, known)
        sampling = literature.sampling_variance(point, known)[0]
        y[known] = mean[0] + np.linalg.cholesky(covariance[0] + np.diag(sampling)) @ z[known]
    emulated = literature.emulated.log_sd
    predicted = emulated(point[:, : len(literature.hyperparameters.names)])[0]
    variance = table["log_sd_error"].to_numpy() ** 2 + SD_BETWEEN_STUDIES**2 + emulated.variance
    drawn = predicted + np.sqrt(variance) * streams.normal("synthetic literature: spreads", len(y))
    return Synthetic(truth, y, np.where(np.isfinite(log_sd), drawn, np.nan))


def ranks(literature: Literature, seed: int, number: int) -> NDArray[np.int64]:
    """Rank of the truth among the draws of its posterior, (n_learned,), from 0 to `DRAWS`."""
    made = synthetic(literature, seed, number)
    density = LogPosterior(literature, y=made.y, log_sd=made.log_sd)
    drawn = draw_posterior(density, DRAWS, seed, f"synthetic literature {number}", steps=STEPS)
    return np.asarray((drawn.draws < made.truth).sum(axis=0), dtype=np.int64)


def uniformity(table: NDArray[np.int64]) -> Array:
    """Probability of ranks as uneven as these if they are uniform, for each number, by a chi-square of ten bins.

    Parameters
    ----------
    table : (n_literatures, n_learned)
    """
    width = (DRAWS + 1) // BINS
    counts = np.stack([np.bincount(column // width, minlength=BINS) for column in table.T])
    expected = len(table) / BINS
    return np.asarray(chi2.sf(((counts - expected) ** 2 / expected).sum(axis=1), BINS - 1))


def direct_log_density(explored: Explored, literature: Literature, draws: Array, made: Synthetic) -> Array:
    """Log posterior density of draws whose studies were simulated directly, up to a constant, (n_draws,).

    As `LogPosterior`, with simulated statistics in the place of the emulators; the variance that stands for lack of fit
    stays, since the made-up literature was drawn with it.

    Parameters
    ----------
    explored : Explored
        Studies simulated at the draws, in their order; all observations.
    """
    table, emulated = literature.table, literature.emulated
    found = direct(
        table,
        Simulated(explored.mean, explored.sd, explored.control, explored.drift, explored.support, 0),
        explored.ess,
    )
    density = LogPosterior(literature)
    value = -0.5 * np.sum(((draws - density.prior_mean) / density.prior_sd) ** 2, axis=1)
    fitted = table.iloc[literature.fitted].assign(place=literature.fitted)
    for rows in (g["place"].to_numpy() for _, g in fitted.groupby("trial")):
        mean, covariance = around(
            table.iloc[rows],
            literature.effects,
            found.mean[:, rows],
            found.effect[:, rows],
            found.loading[rows],
            draws[:, len(literature.hyperparameters.names) :],
        )
        error, n = table["error"].to_numpy()[rows], table["n"].to_numpy()[rows]
        sampling = np.where(np.isfinite(error), error**2, np.exp(2.0 * found.log_sd[:, rows]) / n)
        whole = covariance + (sampling + emulated.mean.variance[rows])[:, :, None] * np.eye(len(rows))
        root = np.linalg.cholesky(whole)
        white = np.linalg.solve(root, (made.y[rows] - mean)[:, :, None])[:, :, 0]
        value += -0.5 * np.sum(white**2, axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    rows = literature.fitted[np.isfinite(made.log_sd[literature.fitted])]
    variance = table["log_sd_error"].to_numpy()[rows] ** 2 + SD_BETWEEN_STUDIES**2 + emulated.log_sd.variance[rows]
    off = made.log_sd[rows] - found.log_sd[:, rows]
    return np.asarray(value - 0.5 * np.sum(off**2 / variance, axis=1))
