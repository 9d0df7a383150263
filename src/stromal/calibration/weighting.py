"""Maximum-entropy weights: patients weighted so that their means are those of a published baseline table.

Of all weights that reach the targets, those nearest to equal weights (in relative entropy) are taken: entropy
balancing, Hainmueller 2012, doi:10.1093/pan/mpr025. A target has a standard error, so it is reached as closely as it
is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LARGEST_MISS: Final = 0.25
"""A mean further than this from its target, in SDs of the feature, is not reached: a quarter of the difference between
patients would be seen in any table."""
FEWEST_EFFECTIVE: Final = 10.0
"""With a smaller effective sample the weighted patients are a handful."""
_STEPS: Final = 60
_EXACT: Final = 1e-10


@final
@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of patients.

    Attributes
    ----------
    weights : (n_patients,)
        Positive, with sum 1.
    ess : float
        Effective sample size, ``1 / sum(weights**2)`` (Kish).
    missed : (n_features,)
        Weighted mean less target, in SDs of the feature among the unweighted patients; 0 where no target was given.
    supported : bool
        No target is missed by more than `LARGEST_MISS`, and the effective sample is not below `FEWEST_EFFECTIVE`.
    """

    weights: Array
    ess: float
    missed: Array
    supported: bool


def weigh(features: Array, targets: Array, errors: Array) -> Weights:
    """Weights nearest to equal ones that bring weighted means to their targets.

    Minimises ``KL(w, 1/n) + sum((w.f - target)**2 / error**2) / 2`` by Newton's method on the dual. A target outside
    the reach of the patients is approached as far as its error allows, and `supported` says so.

    Parameters
    ----------
    features : (n_patients, n_features)
    targets : (n_features,)
        NaN for a feature without a target.
    errors : (n_features,)
        Standard error of each target, positive.
    """
    n = len(features)
    missed = np.zeros(features.shape[1])
    if n == 0:
        return Weights(np.zeros(0), 0.0, missed, supported=False)
    spread = features.std(axis=0)
    varies = spread > _EXACT * np.abs(features).max(axis=0)
    use = np.isfinite(targets) & varies
    scale = np.where(varies, spread, np.maximum(np.abs(features).max(axis=0), 1.0))
    z = ((features - np.where(np.isfinite(targets), targets, 0.0)) / scale)[:, use]
    tolerance = (np.maximum(errors, _EXACT) / scale)[use] ** 2
    weights = _tilted(z, _dual(z, tolerance))
    given = np.isfinite(targets)
    missed[given] = ((weights @ features - targets) / scale)[given]
    ess = float(1.0 / np.sum(weights**2))
    return Weights(weights, ess, missed, bool(ess >= FEWEST_EFFECTIVE and np.all(np.abs(missed) <= LARGEST_MISS)))


def _tilted(z: Array, multipliers: Array) -> Array:
    exponent = z @ multipliers
    weights = np.exp(exponent - exponent.max())
    return np.asarray(weights / weights.sum())


def _dual(z: Array, tolerance: Array) -> Array:
    """Multipliers that minimise the convex dual ``log mean exp(z.m) + m.(tolerance*m)/2``."""
    m = np.zeros(z.shape[1])
    value = _dual_value(z, tolerance, m)
    for _ in range(_STEPS):
        weights = _tilted(z, m)
        mean = weights @ z
        gradient = mean + tolerance * m
        if np.abs(gradient).max(initial=0.0) < _EXACT:
            break
        curvature = (z * weights[:, None]).T @ z - np.outer(mean, mean) + np.diag(tolerance + _EXACT)
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        while length > _EXACT and (tried := _dual_value(z, tolerance, m - length * step)) > value:
            length /= 2.0
        if length <= _EXACT:
            break
        m, value = m - length * step, tried
    return m


def _dual_value(z: Array, tolerance: Array, m: Array) -> float:
    exponent = z @ m
    top = exponent.max()
    return float(top + np.log(np.mean(np.exp(exponent - top))) + 0.5 * np.sum(tolerance * m**2))
