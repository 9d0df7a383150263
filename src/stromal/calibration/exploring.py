"""Simulate the literature at many points of the hyperparameters, in pieces that can be stored and gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from stromal.calibration.cohorts import Simulated, ess_of, simulate
from stromal.calibration.emulator import fit
from stromal.calibration.likelihood import Emulated
from stromal.calibration.literature import Study
from stromal.calibration.observations import on_scale
from stromal.compute.randomness import Streams, stream_key
from stromal.population.hyperparameters import Hyperparameters
from stromal.population.posterior import Posterior, columns, single
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
POINTS_PER_PIECE: Final = 24
WIDER: Final = 1.2
"""The first points are spread by this times the prior's SD, so that the posterior lies well inside of them."""
FARTHEST: Final = 2.5
"""No point lies farther than this many SD of the prior from its mean [SD]."""


@final
@dataclass(frozen=True, eq=False)
class Piece:
    """One study in the populations of some points.

    Attributes
    ----------
    study : Study
    points : DataFrame
        All points of the wave, as draws of a posterior.
    numbers : tuple of int
        Points of this piece.
    seed : int
    patients : int
    """

    study: Study
    points: pd.DataFrame
    numbers: tuple[int, ...]
    seed: int
    patients: int


def run_piece(piece: Piece) -> Simulated:
    """Simulate a piece."""
    posterior = Posterior(shipped_recipe(), piece.points)
    return simulate(piece.study, posterior, piece.seed, piece.numbers, piece.patients)


def pieces(studies: Sequence[Study], points: pd.DataFrame, seed: int, wave: int, patients: int) -> list[Piece]:
    """Cut a wave into pieces: by study, then by points."""
    own = stream_key(seed, wave, "wave of the calibration", 0) % 2**63
    blocks = [tuple(range(a, min(a + POINTS_PER_PIECE, len(points)))) for a in range(0, len(points), POINTS_PER_PIECE)]
    return [Piece(s, points, block, own, patients) for s in studies for block in blocks]


def first_points(hyperparameters: Hyperparameters, n: int, seed: int) -> pd.DataFrame:
    """Points spread over the prior by a scrambled Sobol sequence (Owen 1998, doi:10.1006/jcom.1998.0487)."""
    priors = hyperparameters.priors()
    engine = qmc.Sobol(len(priors), scramble=True, rng=np.random.default_rng(stream_key(seed, 0, "first points", 0)))
    shares = engine.random_base2(int(np.ceil(np.log2(n))))[:n]
    z = np.clip(WIDER * ndtri(np.clip(shares, 1e-9, 1.0 - 1e-9)), -FARTHEST, FARTHEST)
    return _as_draws({name: p.mean + p.sd * z[:, k] for k, (name, p) in enumerate(priors.items())})


def refined_points(hyperparameters: Hyperparameters, sample: Array, n: int, seed: int, spread: float) -> pd.DataFrame:
    """Points drawn around an earlier posterior: normal with its mean and `spread` times its covariance."""
    names, priors = hyperparameters.names, hyperparameters.priors()
    own = sample[:, : len(names)]
    root = np.linalg.cholesky(spread * np.cov(own, rowvar=False) + 1e-9 * np.eye(len(names)))
    streams = Streams(seed, 0)
    z = np.stack([streams.normal("refined points", n, occasion=k) for k in range(len(names))], axis=1)
    points = own.mean(axis=0) + z @ root.T
    low, high = (np.array([p.mean + s * FARTHEST * p.sd for p in priors.values()]) for s in (-1.0, 1.0))
    return _as_draws(dict(zip(names, np.clip(points, low, high).T, strict=True)))


@final
@dataclass(frozen=True, eq=False)
class Explored:
    """What all studies report at all points.

    Attributes
    ----------
    points : (n_points, n_hyperparameters)
    mean, sd, control, drift, ess : (n_points, n_observations)
        As of `Simulated`; the effective sample behind each.
    support : DataFrame
        One row per point, trial and arm.
    failures : int
    """

    points: Array
    mean: Array
    sd: Array
    control: Array
    drift: Array
    ess: Array
    support: pd.DataFrame
    failures: int


def collected(todo: Sequence[Piece], results: Sequence[Simulated], hyperparameters: Hyperparameters) -> Explored:
    """Put the pieces of one wave together; observations in the order of studies and results."""
    n = len(todo[0].points)
    tables: dict[str, list[Array]] = {k: [] for k in ("mean", "sd", "control", "drift", "ess")}
    by_study: dict[str, dict[str, Array]] = {}
    support = []
    for piece, result in zip(todo, results, strict=True):
        name, size = piece.study.trial.trial, (n, len(piece.study.results))
        own = by_study.setdefault(name, {k: np.full(size, np.nan) for k in tables})
        rows = np.array(piece.numbers)
        for k in ("mean", "sd", "control", "drift"):
            own[k][rows] = getattr(result, k)
        own["ess"][rows] = ess_of(result, piece.study)
        support.append(result.support.assign(trial=name))
    for own in by_study.values():
        for k, table in tables.items():
            table.append(own[k])
    joined = {k: np.concatenate(v, axis=1) for k, v in tables.items()}
    points = todo[0].points[list(hyperparameters.names)].to_numpy()
    return Explored(
        points, **joined, support=pd.concat(support, ignore_index=True), failures=sum(r.failures for r in results)
    )


def together(waves: Sequence[Explored]) -> Explored:
    """Several waves as one."""
    joined = {
        k: np.concatenate([getattr(w, k) for w in waves]) for k in ("points", "mean", "sd", "control", "drift", "ess")
    }
    support = pd.concat([w.support.assign(wave=k) for k, w in enumerate(waves)], ignore_index=True)
    return Explored(**joined, support=support, failures=sum(w.failures for w in waves))


def emulate(explored: Explored, table: pd.DataFrame, hyperparameters: Hyperparameters) -> Emulated:
    """Emulators of all observations.

    Parameters
    ----------
    table : DataFrame
        Observations, in the order of the columns of `explored`.
    """
    priors = hyperparameters.priors()
    centre, scale = np.array([p.mean for p in priors.values()]), np.array([p.sd for p in priors.values()])
    found = on_scale(table, explored.mean, explored.sd, explored.control, explored.drift, explored.ess)
    noise_of_sd = 0.5 / np.maximum(explored.ess, 1.0)
    mean, log_sd, effect = (
        fit(explored.points, values, noise, centre, scale)
        for values, noise in (
            (found.mean, found.noise),
            (found.log_sd, noise_of_sd),
            (found.effect, np.zeros_like(found.effect)),
        )
    )
    return Emulated(mean, log_sd, effect, found.loading)


def _as_draws(values: Mapping[str, Array]) -> pd.DataFrame:
    """Points as draws of a posterior: studies as in the medians of their priors, cells without effect."""
    base = single(shipped_recipe()).draws.iloc[0]
    n = len(next(iter(values.values())))
    return pd.DataFrame({c: values.get(c, np.full(n, base[c])) for c in columns()})
