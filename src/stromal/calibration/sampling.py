"""Draws from a posterior by the affine-invariant ensemble sampler (emcee).

Goodman and Weare 2010, doi:10.2140/camcos.2010.5.65; Foreman-Mackey et al. 2013, doi:10.1086/670067. It needs no
gradients, evaluates half of its walkers at once, and does well on the mild, nearly normal posteriors met here. What
proposes moves is seeded by key, so equal seeds give equal draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

import emcee
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from stromal.compute.randomness import Streams, stream_key

Array = NDArray[np.float64]
WALKERS: Final = 64
START: Final = 0.3
"""Walkers start within this share of the prior's SD around its mean, or spread as an earlier sample."""


@final
@dataclass(frozen=True, eq=False)
class Sample:
    """Draws of a posterior.

    Attributes
    ----------
    draws : (n_draws, n_learned)
    log_density : (n_draws,)
    effective : float
        Independent draws that the chains are worth: steps of all walkers over the longest integrated autocorrelation
        time (over the kept half of the chains).
    acceptance : float
        Share of proposals accepted.
    """

    draws: Array
    log_density: Array
    effective: float
    acceptance: float


def sample(
    log_density: Callable[[Array], Array],
    centre: Array,
    scale: Array,
    *,
    steps: int,
    draws: int,
    seed: int,
    purpose: str,
    start: Array | None = None,
) -> Sample:
    """Sample a log density.

    Parameters
    ----------
    log_density : callable
        (n_points, n_dimensions) to (n_points,).
    centre, scale : (n_dimensions,)
        Where walkers start.
    steps : int
        Of each walker; the first half is dropped.
    draws : int
        Kept, at random from the second half of all walkers (a fixed stride could meet few of them).
    seed, purpose
        Key of the random numbers.
    start : (n, n_dimensions), optional
        An earlier sample to start from instead.
    """
    size = len(centre)
    rows = np.arange(WALKERS)
    streams = Streams(seed, 0)
    if start is None:
        normal = np.stack([streams.normal(f"{purpose}: start", WALKERS, occasion=k) for k in range(size)], axis=1)
        first = centre + START * scale * normal
    else:
        first = start[(rows * len(start)) // WALKERS]
    sampler = emcee.EnsembleSampler(WALKERS, size, log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(stream_key(seed, 0, f"{purpose}: moves", 0) % 2**32).get_state()
    with threadpool_limits(1):  # many small products: threads get in the way, and could change the last digit
        sampler.run_mcmc(first, steps, skip_initial_state_check=start is not None)
    kept = sampler.get_chain(discard=steps // 2)
    density = sampler.get_log_prob(discard=steps // 2)
    time = float(np.max(emcee.autocorr.integrated_time(kept, tol=0, quiet=True)))
    flat = kept.reshape(-1, size)
    chosen = np.argsort(streams.uniform(f"{purpose}: draws", len(flat)), kind="stable")[:draws]
    return Sample(
        flat[chosen],
        density.reshape(-1)[chosen],
        float(len(flat) / max(time, 1.0)),
        float(np.mean(sampler.acceptance_fraction)),
    )
