"""Validate: predict published trials by posteriors that have not seen them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration import cells
from stromal.calibration.artefact import read_cells, read_literature
from stromal.calibration.cohorts import ess_of, simulate
from stromal.calibration.fitting import draw_posterior, shipped_observations
from stromal.calibration.learned import as_draws, as_points
from stromal.calibration.likelihood import Literature, LogPosterior
from stromal.calibration.literature import Study, studies
from stromal.calibration.observations import observations
from stromal.calibration.patients import TRIAL, PatientCheck, check_patients
from stromal.calibration.prediction import Predictions, direct, predict, predict_direct, summary
from stromal.calibration.scorecard import Scorecard, arm_means, scorecard
from stromal.calibration.trials import described
from stromal.compute.executor import run_pieces
from stromal.compute.randomness import Streams
from stromal.evidence.arms import arms
from stromal.evidence.usable import with_derived
from stromal.population.hyperparameters import hyperparameters
from stromal.population.msc_effect import draw_msc_effects
from stromal.population.posterior import MSC_EFFECT, Posterior, shipped_posterior
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
STEPS: Final = 1000
DRAWS: Final = 400
SIMULATED_DRAWS: Final = 96
SIMULATED_PATIENTS: Final = 60
TOO_FEW: Final = "too few simulated patients belong to this group"


@final
@dataclass(frozen=True, eq=False)
class _Left:
    """A trial to leave out of the shipped posterior."""

    trial: str
    seed: int


def validate(
    designs: pd.DataFrame | None = None,
    results: pd.DataFrame | None = None,
    *,
    seed: int = 1,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> Scorecard:
    """Predict trials and compare with what they reported.

    Parameters
    ----------
    designs, results : DataFrame, optional
        Tables of arms and of results, with the columns of the shipped ones; `designs` may also have the columns
        regimen, background and eligibility. Without them the shipped trials are predicted, each left out in turn.
    workers : int
        Processes; the result does not depend on it.

    Returns
    -------
    Scorecard
    """
    if designs is None or results is None:
        return _shipped(seed, workers, progress)
    return _given(designs, results, seed, workers, progress)


def _shipped(seed: int, workers: int, progress: Progress) -> Scorecard:
    table, found, observed = shipped_observations()
    literature = read_literature(observed)
    emulated = np.isfinite(literature.emulated.mean.variance) & np.isfinite(literature.emulated.log_sd.variance)
    trials = list(dict.fromkeys(observed["trial"][emulated]))
    sampled = _left_out(trials, literature, seed, workers, progress)
    places = {t: np.nonzero(emulated & (observed["trial"] == t).to_numpy())[0] for t in trials}
    predictions = {t: predict(literature, places[t], sampled[t], seed) for t in trials}
    predictions |= _with_cells(predictions, literature, observed, places, seed)
    table = table.assign(reason=table["reason"].where(~_at(table, observed["row"][~emulated]), TOO_FEW))
    own = _own_priors(observed, found)
    return scorecard(table, observed[emulated], predictions, _tuned(), own, seed)


def _at(table: pd.DataFrame, places: pd.Series) -> NDArray[np.bool_]:
    return np.isin(np.arange(len(table)), places)


def _left_out(
    trials: Sequence[str], literature: Literature, seed: int, workers: int, progress: Progress
) -> dict[str, Array]:
    """Posterior draws for each trial, from which that trial was left out."""
    fitted = set(literature.table["trial"].iloc[literature.fitted])
    whole = shipped_draws()
    todo = [_Left(t, seed) for t in trials if t in fitted]
    drawn = dict.fromkeys(trials, whole)
    progress("leaving trials out", 0, len(todo))
    for done, (position, draws) in enumerate(run_pieces(_leave_out, todo, workers), start=1):
        drawn[todo[position].trial] = draws
        progress("leaving trials out", done, len(todo))
    return drawn


def _leave_out(piece: _Left) -> Array:
    _, _, observed = shipped_observations()
    literature = read_literature(observed)
    density = LogPosterior(literature, without=[piece.trial])
    return draw_posterior(
        density, DRAWS, piece.seed, f"without {piece.trial}", steps=STEPS, start=shipped_draws()
    ).draws


def shipped_draws() -> Array:
    """Draws of the shipped posterior as points."""
    return as_points(shipped_posterior().draws)


def _with_cells(
    predictions: Mapping[str, Predictions],
    literature: Literature,
    observed: pd.DataFrame,
    places: Mapping[str, NDArray[np.int64]],
    seed: int,
) -> dict[str, Predictions]:
    """Predictions of trials with cells: effects drawn from the prior where the fitted series is left out.

    Results later than a year, of which the effect of cells was not simulated, stay as without effect.
    """
    changed = {}
    for trial, (mean, _) in read_cells().items():
        if trial not in predictions:
            continue
        n = len(predictions[trial].results)
        effects = _effects(trial, n, seed)
        results = predictions[trial].results.copy()
        rows = observed.iloc[places[trial]]
        short = np.nonzero(((rows["day"] <= cells.LAST_DAY) & (rows["kind"] == "change")).to_numpy())[0]
        for j, k in enumerate(short):
            added = cells.at_effects(mean[:, j], effects)
            results[:, k] += added * (1.0 + literature.effects.treatment_share * _unit(n, f"{trial} {k}", seed))
        changed[trial] = Predictions(results, predictions[trial].spreads)
    return changed


def _unit(n: int, name: str, seed: int) -> Array:
    return Streams(seed, 0).normal(f"study-by-treatment effect of cells: {name}", n)


def _tuned() -> dict[str, bool]:
    table = arms()
    return {str(t): bool((g["tuned_prototype"] == "yes").any()) for t, g in table.groupby("trial")}


def _own_priors(observed: pd.DataFrame, found: Sequence[Study]) -> dict[tuple[str, str], bool]:
    """Whether an arm's treatment has no other fitted trial, by (trial, arm)."""
    given: dict[tuple[str, str], frozenset[str]] = {
        (s.trial.trial, r.arm.name): frozenset(c.product for c in r.arm.regimen) for s in found for r in s.results
    }
    fitted = {(t, a) for t, a in observed.loc[observed["not_fitted"] == "", ["trial", "arm"]].itertuples(index=False)}
    return {
        (trial, arm): bool(products) and not all(any(p in given[o] for o in fitted if o[0] != trial) for p in products)
        for (trial, arm), products in given.items()
    }


@final
@dataclass(frozen=True, eq=False)
class _Trial:
    study: Study
    observed: pd.DataFrame
    draws: Array
    seed: int


def _given(designs: pd.DataFrame, results: pd.DataFrame, seed: int, workers: int, progress: Progress) -> Scorecard:
    table = with_derived(results)
    found, reasons = studies(table, designs, described(designs))
    table = table.assign(reason=reasons)
    if not found:
        return scorecard(table, pd.DataFrame(), {}, {}, {}, seed)
    sizes = designs.set_index(["trial", "arm"])["n"].dropna().to_dict()
    observed = observations(table, found, sizes)
    _, shipped, learned = shipped_observations()
    literature = read_literature(learned)
    names = [s.trial.trial for s in found]
    known = set(learned["trial"].iloc[literature.fitted])
    sampled = _left_out([n for n in names if n in known], literature, seed, workers, progress)
    whole = shipped_draws()
    todo = [
        _Trial(s, observed[observed["study"] == k], sampled.get(s.trial.trial, whole), seed)
        for k, s in enumerate(found)
    ]
    predictions: dict[str, Predictions] = {}
    progress("simulating trials", 0, len(todo))
    for done, (position, prediction) in enumerate(run_pieces(_simulate, todo, workers), start=1):
        predictions[todo[position].study.trial.trial] = prediction
        progress("simulating trials", done, len(todo))
    own = _own_priors(pd.concat([learned, observed], ignore_index=True), [*shipped, *found])
    table, observed, predictions = _predicted_only(table, observed, predictions)
    return scorecard(table, observed, predictions, _tuned(), own, seed, others=arm_means(learned))


def _predicted_only(
    table: pd.DataFrame, observed: pd.DataFrame, predictions: Mapping[str, Predictions]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Predictions]]:
    """Leave out results of groups to which too few simulated patients belong, and say so in the table."""
    kept, whole = {}, np.zeros(len(observed), dtype=bool)
    for trial, predicted in predictions.items():
        places = np.nonzero((observed["trial"] == trial).to_numpy())[0]
        there = np.isfinite(predicted.results).all(axis=0) & np.isfinite(predicted.spreads).all(axis=0)
        whole[places[there]] = True
        kept[trial] = replace(predicted, results=predicted.results[:, there], spreads=predicted.spreads[:, there])
    if len(observed):
        missing = _at(table, observed["row"][~whole])
        table = table.assign(reason=table["reason"].where(~missing, TOO_FEW))
    return table, observed[whole], kept


def _simulate(piece: _Trial) -> Predictions:
    points, recipe = _thinned(piece.draws), shipped_recipe()
    draws = as_draws(points, _effects(piece.study.trial.trial, len(points), piece.seed))
    simulated = simulate(piece.study, Posterior(recipe, draws), piece.seed, range(len(draws)), SIMULATED_PATIENTS)
    found = direct(piece.observed, simulated, ess_of(simulated, piece.study))
    differences = points[:, len(hyperparameters().names) :]
    predicted = predict_direct(piece.observed, recipe.study, found, differences, piece.seed)
    return replace(predicted, failures=simulated.failures)


def _thinned(points: Array) -> Array:
    """Every so many-th point, `SIMULATED_DRAWS` in all."""
    return points[:: max(len(points) // SIMULATED_DRAWS, 1)][:SIMULATED_DRAWS]


def _effects(trial: str, n: int, seed: int) -> Array:
    """MSC effects for a trial: draws of the prior for one that shares patients with the series that was fitted."""
    if trial in cells.OVERLAPPING:
        return draw_msc_effects(shipped_recipe().msc_effect, Streams(seed, 0), n)
    shipped = shipped_posterior().draws[MSC_EFFECT].to_numpy()
    return np.asarray(shipped[np.arange(n) % len(shipped)])


def validate_patients(
    table: pd.DataFrame, baseline_mean: float, *, seed: int = 1, workers: int = 1, progress: Progress = lambda *_: None
) -> PatientCheck:
    """Compare FVC by patient with bands from a posterior that has not seen the Scleroderma Lung Study I.

    Parameters
    ----------
    table : DataFrame
        Of `read_patients`.
    baseline_mean : float
        Mean FVC at baseline [% predicted] from which `fvc0_centred` counts.
    """
    _, _, learned = shipped_observations()
    drawn = _left_out([TRIAL], read_literature(learned), seed, workers, progress)[TRIAL]
    progress("simulating patients", 0, 1)
    posterior = Posterior(shipped_recipe(), as_draws(_thinned(drawn), np.zeros(1)))
    found = check_patients(table, baseline_mean, posterior, seed)
    progress("simulating patients", 1, 1)
    return found


def without_cells(seed: int = 1) -> pd.DataFrame:
    """Series of patients with systemic MSC, predicted as if the cells did nothing.

    No result after cells is fitted before the MSC effect, so the prediction has not seen them.

    Returns
    -------
    DataFrame
        One row per change of the skin score within a year: trial, week, observed, predicted, lo90, hi90 [points], share
        (of the published change that is predicted without any effect of cells).
    """
    _, _, observed = shipped_observations()
    literature = read_literature(observed)
    rows = []
    for place in np.nonzero((observed["cells"] & (observed["endpoint"] == "mRSS_change")).to_numpy())[0]:
        o = observed.iloc[place]
        if o["day"] <= cells.LAST_DAY:
            found = summary(predict(literature, np.array([place]), shipped_draws(), seed).results[:, 0], o["value"])
            named = {"trial": o["trial"], "week": o["week"], "observed": o["value"]}
            rows.append(named | {k: found[k] for k in ("predicted", "lo90", "hi90")})
    table = pd.DataFrame(rows, columns=["trial", "week", "observed", "predicted", "lo90", "hi90"])
    return table.assign(share=table["predicted"] / table["observed"])
