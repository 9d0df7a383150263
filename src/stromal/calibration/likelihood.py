"""How probable published results are in a population: a normal distribution for each trial, with what its arms share.

The results of a trial are off by sampling error, by lack of fit of the emulator, by a drift of the measured change that
all its arms share (mean and SD over trials are learned), by an expectation effect where patients and raters knew, and
in each treated arm by a study-by-treatment effect, a stated share of the effect of its treatment. All of these are
normal, so they are integrated out exactly and leave one covariance matrix for each trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.emulator import Emulator
from stromal.calibration.learned import priors
from stromal.population.hyperparameters import Hyperparameters
from stromal.population.recipe import Study as StudyEffects

Array = NDArray[np.float64]
HAZARD_BETWEEN_STUDIES: Final = 0.35
"""SD of the logarithm of the hazard of death between studies of one kind; assumed."""
SD_BETWEEN_STUDIES: Final = 0.1
"""SD of the logarithm of a reported SD between studies beyond sampling; assumed."""


@final
@dataclass(frozen=True, eq=False)
class Emulated:
    """Emulators of all observations.

    Attributes
    ----------
    mean : Emulator
        On the scale of the fit.
    log_sd : Emulator
        Logarithm of the SD between patients.
    effect : Emulator
        Mean less that of the same patients without the arm's regimen, on the scale of the fit.
    loading : (n_observations,)
        Answer of the mean to a unit drift of its study (a point of mRSS, a percent of FVC).
    """

    mean: Emulator
    log_sd: Emulator
    effect: Emulator
    loading: Array


@final
@dataclass(frozen=True, eq=False)
class Literature:
    """Observations of several trials and what predicts them.

    Attributes
    ----------
    table : DataFrame
        Observations, see `observations`.
    emulated : Emulated
    hyperparameters : Hyperparameters
    effects : StudyEffects
        Of the recipe: expectation and study-by-treatment effect, which are not learned.
    """

    table: pd.DataFrame
    emulated: Emulated
    hyperparameters: Hyperparameters
    effects: StudyEffects

    @cached_property
    def fitted(self) -> NDArray[np.int64]:
        """Positions of the observations that are fitted: those that are emulated, with an error that is known."""
        known = np.isfinite(self.table["error"].to_numpy()) | np.isfinite(self.emulated.log_sd.variance)
        emulated = np.isfinite(self.emulated.mean.variance)
        return np.nonzero((self.table["not_fitted"] == "").to_numpy() & emulated & known)[0]

    def predicted(self, points: Array, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean (n_points, n_rows) and covariance without sampling error (n_points, n_rows, n_rows) of one trial.

        The covariance holds lack of fit, drift, expectation and study-by-treatment effect; `rows` are of one trial.
        """
        values, emulated = points[:, : len(self.hyperparameters.names)], self.emulated
        mean, covariance = around(
            self.table.iloc[rows],
            self.effects,
            emulated.mean(values)[:, rows],
            emulated.effect(values)[:, rows],
            emulated.loading[rows],
            points[:, len(self.hyperparameters.names) :],
        )
        return mean, covariance + np.diag(emulated.mean.variance[rows])

    def sampling_variance(self, points: Array, rows: NDArray[np.int64]) -> Array:
        """Sampling variance of results, (n_points, n_rows): as reported, else from the SD that is predicted."""
        error, n = self.table["error"].to_numpy()[rows], self.table["n"].to_numpy()[rows]
        sd = np.exp(self.emulated.log_sd(points[:, : len(self.hyperparameters.names)])[:, rows])
        return np.asarray(np.where(np.isfinite(error), error**2, sd**2 / n))


def around(
    table: pd.DataFrame, effects: StudyEffects, mean: Array, effect: Array, loading: Array, studies: Array
) -> tuple[Array, Array]:
    """Add what a study differs by to the results of a typical study; gives mean and covariance as `predicted` does.

    Parameters
    ----------
    table : DataFrame
        Observations of one trial.
    mean, effect : (n_points, n_rows)
        On the scale of the fit.
    loading : (n_rows,)
    studies : (n_points, 4)
        How studies differ, SDs as logarithms.
    """
    shared = _Shared.of(table, loading, np.arange(len(table))[None, :], effects)
    mean, covariance = shared.apply(mean[:, None, :], effect[:, None, :], _Drift.of(studies))
    return mean[:, 0], covariance[:, 0]


@final
@dataclass(frozen=True, eq=False)
class _Drift:
    skin_mean: Array
    skin_sd: Array
    lung_mean: Array
    lung_sd: Array

    @classmethod
    def of(cls, columns: Array) -> _Drift:
        return cls(columns[:, 0], np.exp(columns[:, 1]), columns[:, 2], np.exp(columns[:, 3]))


@final
@dataclass(frozen=True, eq=False)
class _Shared:
    """What results of a trial share, for several trials with the same number of results (n_trials, n_rows).

    Attributes
    ----------
    skin, lung : (n_trials, n_rows)
        Loading on the drift of the skin score and of FVC.
    expectation : (n_trials, n_rows)
        Mean of the expectation effect.
    constant : (n_trials, n_rows, n_rows)
        Covariance that does not depend on what is learned.
    arm : (n_trials, n_rows, n_rows)
        The share of the effect squared, where two results are of one treated arm.
    """

    skin: Array
    lung: Array
    expectation: Array
    constant: Array
    arm: Array

    @classmethod
    def of(cls, table: pd.DataFrame, loading: Array, rows: NDArray[np.int64], effects: StudyEffects) -> _Shared:
        family = table["family"].to_numpy().astype(str)[rows]
        load = loading.reshape(rows.shape)
        skin, lung = (np.where(np.char.startswith(family, f), load, 0.0) for f in ("skin", "FVC"))
        knew = np.where(table["open_label"].to_numpy()[rows], skin, 0.0)
        deaths = np.where(family == "survival", HAZARD_BETWEEN_STUDIES, 0.0)
        names, treated = table["arm"].to_numpy()[rows], table["drug"].to_numpy()[rows]
        same = (names[:, :, None] == names[:, None, :]) & treated[:, :, None]
        constant = effects.expectation_sd**2 * _outer(knew) + _outer(deaths)
        return cls(skin, lung, effects.expectation_mean * knew, constant, effects.treatment_share**2 * same)

    def apply(self, mean: Array, effect: Array, drift: _Drift) -> tuple[Array, Array]:
        """Mean and covariance, (n_points, n_trials, n_rows) and (n_points, n_trials, n_rows, n_rows)."""
        mean = mean + drift.skin_mean[:, None, None] * self.skin + drift.lung_mean[:, None, None] * self.lung
        covariance = drift.skin_sd[:, None, None, None] ** 2 * _outer(self.skin)
        covariance = covariance + drift.lung_sd[:, None, None, None] ** 2 * _outer(self.lung) + self.constant
        return mean + self.expectation, covariance + self.arm * _outer(effect)


def _outer(values: Array) -> Array:
    return np.asarray(values[..., :, None] * values[..., None, :])


@final
class LogPosterior:
    """Logarithm of the posterior density of what is learned, for many points at once.

    Parameters
    ----------
    literature : Literature
    y : (n_observations,), optional
        Other results in the place of the published ones, on the scale of the fit.
    log_sd : (n_observations,), optional
        Other logarithms of SDs.
    without : sequence of str
        Trials left out.
    """

    def __init__(
        self,
        literature: Literature,
        y: Array | None = None,
        log_sd: Array | None = None,
        without: Sequence[str] = (),
    ) -> None:
        table = literature.table
        self.literature = literature
        y = table["y"].to_numpy() if y is None else y
        log_sd = table["log_sd"].to_numpy() if log_sd is None else log_sd
        used = literature.fitted[~table["trial"].isin(without).to_numpy()[literature.fitted]]
        self._used, self._y = used, y[used]
        by_trial = table.iloc[used].reset_index(drop=True).groupby("trial").indices.values()
        sizes = sorted({len(rows) for rows in by_trial})
        self._blocks = [np.stack([rows for rows in by_trial if len(rows) == size]) for size in sizes]
        loading = literature.emulated.loading
        self._shared = [_Shared.of(table, loading[used[b]], used[b], literature.effects) for b in self._blocks]
        self._error, self._n = table["error"].to_numpy()[used], table["n"].to_numpy()[used]
        self._lack = literature.emulated.mean.variance[used]
        self._mean, self._effect, self._log_sd = (
            e.only(used) for e in (literature.emulated.mean, literature.emulated.effect, literature.emulated.log_sd)
        )
        self._spreads = np.nonzero(np.isfinite(log_sd[used]) & np.isfinite(self._log_sd.variance))[0]
        self._reported = log_sd[used][self._spreads]
        self._spread_variance = (
            table["log_sd_error"].to_numpy()[used][self._spreads] ** 2
            + SD_BETWEEN_STUDIES**2
            + self._log_sd.variance[self._spreads]
        )
        self.prior_mean, self.prior_sd = priors(literature.hyperparameters)

    def __call__(self, points: Array) -> Array:
        """Log density up to a constant, (n_points,), at points (n_points, n_learned)."""
        n_own = len(self.literature.hyperparameters.names)
        values, drift = points[:, :n_own], _Drift.of(points[:, n_own:])
        mean, effect, log_sd = self._mean(values), self._effect(values), self._log_sd(values)
        sampling = np.where(np.isfinite(self._error), self._error**2, np.exp(2.0 * log_sd) / self._n) + self._lack
        value = -0.5 * np.sum(((points - self.prior_mean) / self.prior_sd) ** 2, axis=1)
        for rows, shared in zip(self._blocks, self._shared, strict=True):
            centre, covariance = shared.apply(mean[:, rows], effect[:, rows], drift)
            covariance = covariance + sampling[:, rows][..., None] * np.eye(rows.shape[1])
            value += _log_normal(self._y[rows] - centre, covariance).sum(axis=1)
        off = self._reported - log_sd[:, self._spreads]
        return np.asarray(value - 0.5 * np.sum(off**2 / self._spread_variance, axis=1))


def _log_normal(residual: Array, covariance: Array) -> Array:
    """Log density of zero-mean normals up to a constant, over the last axis of `residual`."""
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, residual[..., None])[..., 0]
    halves = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.asarray(-0.5 * np.sum(white**2, axis=-1) - halves)
