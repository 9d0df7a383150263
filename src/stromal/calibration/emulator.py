"""What a simulated literature says as a smooth function of the hyperparameters.

A full quadratic in standardised hyperparameters is fitted to each statistic by ridge regression, its penalty chosen
by leave-one-out error (scikit-learn's RidgeCV). The leave-one-out error is split: what the finite number of simulated
patients explains is noise that the fit averages out, the rest is lack of fit and is added to the variance of every
prediction, with the uncertainty of the fit itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

Array = NDArray[np.float64]
PENALTIES: Final = tuple(10.0**k for k in range(-2, 4))
FEWEST_POINTS: Final = 1.3
"""A statistic is emulated if it has this many times as many points as the quadratic has terms."""


@final
@dataclass(frozen=True, eq=False)
class Emulator:
    """Quadratics for several statistics.

    Attributes
    ----------
    centre, scale : (n_hyperparameters,)
        Standardisation.
    coefficients : (n_terms, n_statistics)
        NaN for a statistic that was not emulated.
    variance : (n_statistics,)
        Lack of fit and uncertainty of the fit, added to every prediction.
    leave_one_out : (n_statistics,)
        Root mean square leave-one-out error, noise of the simulation included.
    explained : (n_statistics,)
        Share of the variance over the design that the quadratic predicts for points left out.
    """

    centre: Array
    scale: Array
    coefficients: Array
    variance: Array
    leave_one_out: Array
    explained: Array

    def __call__(self, points: Array) -> Array:
        """Predicted statistics, (n_points, n_statistics), at points (n_points, n_hyperparameters)."""
        return np.asarray(terms((points - self.centre) / self.scale) @ self.coefficients)

    def only(self, columns: NDArray[np.int64]) -> Emulator:
        """Some of the statistics."""
        return Emulator(
            self.centre,
            self.scale,
            self.coefficients[:, columns],
            self.variance[columns],
            self.leave_one_out[columns],
            self.explained[columns],
        )


def terms(z: Array) -> Array:
    """Constant, linear and quadratic terms of standardised hyperparameters, (n_points, n_terms)."""
    first, second = np.triu_indices(z.shape[1])
    return np.concatenate([np.ones((len(z), 1)), z, z[:, first] * z[:, second]], axis=1)


def fit(points: Array, statistics: Array, noise: Array, centre: Array, scale: Array) -> Emulator:
    """Fit the quadratics.

    Parameters
    ----------
    points : (n_points, n_hyperparameters)
    statistics : (n_points, n_statistics)
        NaN where a point has no value.
    noise : (n_points, n_statistics)
        Variance of each value due to the finite number of simulated patients.
    centre, scale : (n_hyperparameters,)
    """
    design = terms((points - centre) / scale)
    n_terms, n = design.shape[1], statistics.shape[1]
    coefficients = np.full((n_terms, n), np.nan)
    variance, error, explained = (np.full(n, np.nan) for _ in range(3))
    known = np.isfinite(statistics)
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for k in range(patterns.shape[1]):
        rows, columns = patterns[:, k], np.nonzero(which.ravel() == k)[0]
        if rows.sum() < FEWEST_POINTS * n_terms:
            continue
        with threadpool_limits(1):  # threads of the linear algebra could change the last digit
            found = _ridge(design[rows][:, 1:], statistics[rows][:, columns])
        coefficients[:, columns] = found.coefficients
        own_noise = np.nanmean(noise[rows][:, columns], axis=0)
        uncertainty = found.squared_error * found.degrees / rows.sum()
        variance[columns] = np.maximum(found.squared_error - own_noise, 0.0) + uncertainty
        error[columns] = np.sqrt(found.squared_error)
        total = statistics[rows][:, columns].var(axis=0)
        explained[columns] = 1.0 - found.squared_error / np.where(total > 0.0, total, np.nan)
    return Emulator(centre, scale, coefficients, variance, error, explained)


@final
@dataclass(frozen=True, eq=False)
class _Ridge:
    coefficients: Array
    squared_error: Array
    degrees: Array


def _ridge(x: Array, y: Array) -> _Ridge:
    """Ridge regressions of several statistics at the same points, each with its own penalty."""
    ridge = RidgeCV(alphas=PENALTIES, alpha_per_target=True, store_cv_results=True).fit(x, y)
    penalties = np.broadcast_to(ridge.alpha_, (y.shape[1],))
    places = np.array([PENALTIES.index(a) for a in penalties])
    squared = ridge.cv_results_.reshape(len(x), y.shape[1], len(PENALTIES))[:, np.arange(y.shape[1]), places]
    spectrum = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    degrees = 1.0 + np.array([np.sum(spectrum / (spectrum + a)) for a in penalties])
    slopes = ridge.coef_.reshape(y.shape[1], -1).T
    intercept = np.broadcast_to(ridge.intercept_, (y.shape[1],))
    return _Ridge(np.concatenate([intercept[None, :], slopes]), squared.mean(axis=0), degrees)
