"""The MSC effect, learned last: what cord cells would add to the cohorts that had them, and what their series say.

Cells never teach the model about the disease: each draw of the population keeps its weight, and takes one value of
`msc_effect` from the distribution that the fitted series leaves, given that draw. The prior has mass at no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm

from stromal.calibration.cohorts import Simulated, simulate
from stromal.calibration.likelihood import Literature
from stromal.calibration.literature import Study
from stromal.compute.randomness import Streams, stream_key
from stromal.population.posterior import MSC_EFFECT, Posterior
from stromal.population.recipe import MscEffect, shipped_recipe

Array = NDArray[np.float64]
LEVELS: Final = (0.0, 0.2, 0.6, 1.5, 4.0)
"""Effects that are simulated; between them a monotone curve is drawn."""
GRID: Final = np.concatenate([np.linspace(0.0, 1.0, 41), np.linspace(1.05, 4.0, 60)])
LAST_DAY: Final = 364
"""What cells add is simulated for changes up to this day [days after baseline]."""
DRAWS: Final = 100
"""Draws in which cells are simulated; what they add is taken as its mean over these."""
FITTED: Final = "UMSCT 5-year (Nanjing 2024)"
"""The series that is fitted: the largest, with SDs; Zhang 2017 overlaps with it and is kept for validation."""
OVERLAPPING: Final = frozenset({FITTED, "Zhang 2017 (PE+UC-MSC)"})
"""Series that share patients with the fitted one: leaving one out leaves the prior."""
_NUMERIC: Final = 1e-12


@final
@dataclass(frozen=True, eq=False)
class Piece:
    """A study with cells at one effect, in the populations of some draws."""

    study: Study
    draws: pd.DataFrame
    numbers: tuple[int, ...]
    effect: float
    seed: int
    patients: int


def run_piece(piece: Piece) -> Simulated:
    """Simulate a piece; the same patients at every effect."""
    draws = piece.draws.assign(**{MSC_EFFECT: piece.effect})
    return simulate(piece.study, Posterior(shipped_recipe(), draws), piece.seed, piece.numbers, piece.patients)


def pieces(studies: Sequence[Study], draws: pd.DataFrame, seed: int, patients: int, per_piece: int = 25) -> list[Piece]:
    """All pieces: by study, effect and draws; results more than a year off are left out."""
    own = stream_key(seed, 0, "cells", 0) % 2**63
    blocks = [tuple(range(a, min(a + per_piece, len(draws)))) for a in range(0, len(draws), per_piece)]
    short = [_first_year(s) for s in studies]
    return [Piece(s, draws, b, e, own, patients) for s in short if s.results for e in LEVELS for b in blocks]


def added(todo: Sequence[Piece], results: Sequence[Simulated]) -> dict[str, Array]:
    """What cells add to each result, by trial: (n_levels, n_draws, n_results), 0 without effect."""
    found: dict[str, Array] = {}
    for piece, result in zip(todo, results, strict=True):
        name = piece.study.trial.trial
        own = found.setdefault(name, np.full((len(LEVELS), len(piece.draws), len(piece.study.results)), np.nan))
        own[LEVELS.index(piece.effect), list(piece.numbers)] = result.mean
    return {name: table - table[:1] for name, table in found.items()}


def learn(
    literature: Literature, draws: Array, more: Array, row: int, prior: MscEffect, seed: int
) -> tuple[Array, Array]:
    """One value of the effect for each draw.

    Parameters
    ----------
    draws : (n_draws, n_learned)
    more : (n_levels,)
        What cells add to the fitted result at each of `LEVELS`.
    row : int
        The fitted result among the observations.

    Returns
    -------
    effects : (n_draws,)
    weight_of_none : (n_draws,)
        Probability of no effect given each draw.
    """
    rows = np.array([row])
    base, covariance = literature.predicted(draws, rows)
    curve = _curve(more[:, None])
    share = literature.effects.treatment_share
    variance = covariance[:, 0, 0] + literature.sampling_variance(draws, rows)[:, 0]
    residual = literature.table["y"].to_numpy()[row] - base[:, 0][:, None] - curve
    density = norm.pdf(residual, scale=np.sqrt(variance[:, None] + (share * curve) ** 2))
    mass = np.gradient(GRID) * 2.0 * norm.pdf(GRID, scale=prior.scale)
    slab = density * mass / mass.sum() * (1.0 - prior.share_at_zero)
    spike = density[:, 0] * prior.share_at_zero
    none = spike / (spike + slab.sum(axis=1))
    streams = Streams(seed, 0)
    first, second = (streams.uniform(f"MSC effect: {k}", len(draws)) for k in ("none", "size"))
    cumulative = np.cumsum(slab, axis=1) / np.maximum(slab.sum(axis=1, keepdims=True), _NUMERIC)
    sizes = np.array([np.interp(u, c, GRID) for u, c in zip(second, cumulative, strict=True)])
    return np.where(first < none, 0.0, sizes), none


def at_effects(more: Array, effects: Array) -> Array:
    """What cells add at some effects, (n,), from what they add at `LEVELS`."""
    return np.asarray(np.interp(effects, GRID, _curve(more[:, None])[0]))


def _curve(more: Array) -> Array:
    """What cells add over `GRID`, (n_curves, n_grid), from (n_levels, n_curves)."""
    return np.asarray(PchipInterpolator(LEVELS, more, axis=0)(GRID).T)


def _first_year(study: Study) -> Study:
    kept = tuple(r for r in study.results if r.statistic.day <= LAST_DAY and r.statistic.kind == "change")
    return Study(study.trial, kept, study.baselines)
