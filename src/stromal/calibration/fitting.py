"""Calibration: from published results to draws of the population.

In order: the hyperparameters are spread over their priors and every published study is simulated at each point (first
wave); emulators of all results are fitted and the posterior is sampled on them; new points around it are simulated
(second wave) and the emulators and the sample are made again. The MSC effect comes last, from the one cord-MSC series
that is fitted, given each draw of the rest: cells never teach the model about the disease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.cohorts import Simulated
from stromal.calibration.exploring import (
    Explored,
    Piece,
    collected,
    emulate,
    first_points,
    pieces,
    refined_points,
    run_piece,
    together,
)
from stromal.calibration.likelihood import Literature, LogPosterior
from stromal.calibration.literature import Study, shipped_literature
from stromal.calibration.observations import observations
from stromal.calibration.sampling import Sample, sample
from stromal.compute.executor import run_pieces
from stromal.evidence.arms import arms
from stromal.population.hyperparameters import hyperparameters
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
P = TypeVar("P")
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
STEPS: Final = 3000
REFINED_SPREAD: Final = 2.0
"""The points of the second wave have this many times the covariance of the first posterior."""


@final
@dataclass(frozen=True)
class Plan:
    """Size of a calibration.

    Attributes
    ----------
    first, second : int
        Points of the two waves.
    patients : int
        Eligible patients aimed at for each study and point.
    draws : int
        Draws of the posterior that are kept.
    seed : int
    """

    first: int = 168
    second: int = 120
    patients: int = 48
    draws: int = 400
    seed: int = 1


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """A calibration before the cells.

    Attributes
    ----------
    literature : Literature
        Observations and emulators.
    sample : Sample
        Draws of what is learned, columns `learned.names`.
    explored : Explored
        Everything simulated.
    """

    literature: Literature
    sample: Sample
    explored: Explored


@final
@dataclass(frozen=True, eq=False)
class Store:
    """Where results of pieces are kept, by wave and position: `done` from an earlier run, `keep` for a later one."""

    done: Mapping[tuple[int, int], Simulated]
    keep: Callable[[tuple[int, int], Simulated], None]


def shipped_observations() -> tuple[pd.DataFrame, tuple[Study, ...], pd.DataFrame]:
    """Table of results with reasons, studies, and observations of the shipped base."""
    table, found = shipped_literature()
    sizes = arms().set_index(["trial", "arm"])["n"].dropna().to_dict()
    return table, found, observations(table, found, sizes)


def calibrate(plan: Plan, *, workers: int, store: Store, progress: Progress) -> Fit:
    """Calibrate on the shipped evidence.

    Parameters
    ----------
    workers : int
        Processes; the result does not depend on it.
    store : Store
        Results of pieces that are there already, and where new ones go.
    """
    _, found, table = shipped_observations()
    own = hyperparameters()
    points = first_points(own, plan.first, plan.seed)
    waves = [_wave(pieces(found, points, plan.seed, 0, plan.patients), 0, workers, store, progress)]
    literature, drawn = _posterior(waves, table, plan, "first wave", None)
    around = refined_points(own, drawn.draws, plan.second, plan.seed, REFINED_SPREAD)
    waves.append(_wave(pieces(found, around, plan.seed, 1, plan.patients), 1, workers, store, progress))
    progress("sampling", 0, 1)
    literature, drawn = _posterior(waves, table, plan, "second wave", drawn.draws)
    progress("sampling", 1, 1)
    return Fit(literature, drawn, together(waves))


def _wave(todo: Sequence[Piece], wave: int, workers: int, store: Store, progress: Progress) -> Explored:
    results = run_stored(run_piece, todo, wave, f"wave {wave + 1} of 2", workers, store, progress)
    return collected(todo, results, hyperparameters())


def run_stored(
    function: Callable[[P], Simulated],
    todo: Sequence[P],
    wave: int,
    what: str,
    workers: int,
    store: Store,
    progress: Progress,
) -> list[Simulated]:
    """Results of all pieces of a wave, in their order; those that the store has are not run again."""
    results: dict[int, Simulated] = {k: r for (w, k), r in store.done.items() if w == wave}
    missing = [k for k in range(len(todo)) if k not in results]
    progress(what, len(results), len(todo))
    for position, result in run_pieces(function, [todo[k] for k in missing], workers):
        results[missing[position]] = result
        store.keep((wave, missing[position]), result)
        progress(what, len(results), len(todo))
    return [results[k] for k in range(len(todo))]


def _posterior(
    waves: Sequence[Explored], table: pd.DataFrame, plan: Plan, purpose: str, start: Array | None
) -> tuple[Literature, Sample]:
    own = hyperparameters()
    literature = Literature(table, emulate(together(waves), table, own), own, shipped_recipe().study)
    return literature, draw_posterior(LogPosterior(literature), plan.draws, plan.seed, purpose, start=start)


def draw_posterior(
    density: LogPosterior, draws: int, seed: int, purpose: str, *, steps: int = STEPS, start: Array | None = None
) -> Sample:
    """Sample a posterior on the emulators."""
    return sample(
        density, density.prior_mean, density.prior_sd, steps=steps, draws=draws, seed=seed, purpose=purpose, start=start
    )
