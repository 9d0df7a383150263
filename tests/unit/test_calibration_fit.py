"""Emulators, likelihood, sampler and the MSC effect: each against a plain computation or a known answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

from stromal.calibration import cells
from stromal.calibration.emulator import Emulator, fit, terms
from stromal.calibration.likelihood import Emulated, Literature, LogPosterior
from stromal.calibration.sampling import sample
from stromal.calibration.selfcheck import DRAWS, synthetic, uniformity
from stromal.compute.randomness import Streams
from stromal.population.hyperparameters import hyperparameters
from stromal.population.recipe import MscEffect, shipped_recipe

NAMES = hyperparameters().names
SIZE = len(NAMES)


def _emulator(value: np.ndarray, variance: float) -> Emulator:
    """Constant plus a slope on the first hyperparameter."""
    n = len(value)
    coefficients = np.zeros((terms(np.zeros((1, SIZE))).shape[1], n))
    coefficients[0] = value
    coefficients[1] = 0.5
    spread = np.full(n, variance)
    return Emulator(np.zeros(SIZE), np.ones(SIZE), coefficients, spread, np.sqrt(spread), np.ones(n))


def _literature() -> Literature:
    table = pd.DataFrame(
        {
            "trial": ["a", "a", "b"],
            "arm": ["drug", "placebo", "drug"],
            "family": ["skin", "skin", "FVC"],
            "kind": "change",
            "drug": [True, False, True],
            "open_label": [True, False, False],
            "y": [-4.0, -2.0, 1.0],
            "error": [1.0, np.nan, 0.8],
            "n": [30.0, 25.0, 40.0],
            "log_sd": [np.log(7.0), np.nan, np.log(6.0)],
            "log_sd_error": [0.13, 0.14, 0.11],
            "not_fitted": "",
        }
    )
    emulated = Emulated(
        _emulator(np.array([-3.0, -1.0, 0.5]), 0.2),
        _emulator(np.log([6.0, 6.5, 7.0]), 0.01),
        _emulator(np.array([-2.0, 0.0, 1.5]), 0.0),
        np.array([1.0, 1.0, 0.9]),
    )
    return Literature(table, emulated, hyperparameters(), shipped_recipe().study)


def test_a_quadratic_is_emulated_and_its_leave_one_out_error_is_that_of_refitting_without_each_point() -> None:
    points = Streams(1, 0).normal("test points", 60 * 2).reshape(60, 2)
    noise = Streams(1, 0).normal("test noise", 60) * 0.3
    values = 1.0 + points[:, 0] - 0.5 * points[:, 0] * points[:, 1] + noise
    found = fit(points, values[:, None], np.full((60, 1), 0.09), np.zeros(2), np.ones(2))
    assert found(points)[:, 0] == pytest.approx(values, abs=1.2)
    assert found.explained[0] > 0.8
    assert 0.2 < found.leave_one_out[0] < 0.5
    assert found.variance[0] < found.leave_one_out[0] ** 2  # the noise of the simulation is averaged out


def test_a_statistic_with_too_few_points_is_not_emulated_and_missing_points_are_left_out() -> None:
    points = Streams(2, 0).normal("test points", 40 * 2).reshape(40, 2)
    values = np.stack([points[:, 0], points[:, 1]], axis=1)
    values[5:, 0] = np.nan
    values[:3, 1] = np.nan
    found = fit(points, values, np.zeros((40, 2)), np.zeros(2), np.ones(2))
    assert np.isnan(found.variance[0])
    assert found(points)[:, 1] == pytest.approx(points[:, 1], abs=0.05)


def test_the_log_posterior_is_that_of_plain_multivariate_normals() -> None:
    literature = _literature()
    density = LogPosterior(literature)
    points = density.prior_mean + 0.3 * np.arange(2)[:, None] * density.prior_sd

    def plain(point: np.ndarray) -> float:
        slope = 0.5 * point[0]
        drift = dict(zip(("skin_mean", "skin_sd", "fvc_mean", "fvc_sd"), point[SIZE:], strict=True))
        effects = literature.effects
        skin = np.array(
            [-3.0 + slope + drift["skin_mean"] + effects.expectation_mean, -1.0 + slope + drift["skin_mean"]]
        )
        shared = np.exp(2 * drift["skin_sd"]) * np.ones((2, 2))
        shared += np.diag([0.2, 0.2])
        shared[0, 0] += effects.expectation_sd**2 + (effects.treatment_share * (-2.0 + slope)) ** 2 + 1.0
        shared[1, 1] += np.exp(2 * (np.log(6.5) + slope)) / 25.0
        lung = 0.5 + slope + 0.9 * drift["fvc_mean"]
        variance = 0.81 * np.exp(2 * drift["fvc_sd"]) + 0.2 + (effects.treatment_share * (1.5 + slope)) ** 2 + 0.64
        value = multivariate_normal.logpdf([-4.0, -2.0], skin, shared) + norm.logpdf(1.0, lung, np.sqrt(variance))
        for sd, centre, error in ((7.0, 6.0, 0.13), (6.0, 7.0, 0.11)):
            value += norm.logpdf(np.log(sd), np.log(centre) + slope, np.sqrt(error**2 + 0.1**2 + 0.01))
        return float(value + norm.logpdf(point, density.prior_mean, density.prior_sd).sum())

    assert np.diff(density(points))[0] == pytest.approx(plain(points[1]) - plain(points[0]), rel=1e-9)


def test_a_trial_left_out_does_not_move_the_posterior() -> None:
    literature = _literature()
    other = literature.table["y"].to_numpy().copy()
    other[2] += 50.0
    points = LogPosterior(literature).prior_mean[None, :]
    without = LogPosterior(literature, without=["b"])(points)
    assert LogPosterior(literature, y=other, without=["b"])(points) == pytest.approx(without)
    assert LogPosterior(literature, y=other)(points) != pytest.approx(LogPosterior(literature)(points))


def test_the_sampler_finds_a_normal_distribution_and_repeats_itself() -> None:
    centre, scale = np.array([1.0, -2.0, 0.5]), np.array([0.5, 2.0, 1.0])

    def log_density(points: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum(((points - centre) / scale) ** 2, axis=1)

    first, second = (
        sample(log_density, np.zeros(3), np.ones(3), steps=2000, draws=2000, seed=3, purpose="test") for _ in range(2)
    )
    assert np.array_equal(first.draws, second.draws)
    assert first.draws.mean(axis=0) == pytest.approx(centre, abs=4 * 2.0 / np.sqrt(first.effective))
    assert first.draws.std(axis=0) == pytest.approx(scale, rel=0.1)


def _cells(sd: float) -> tuple[np.ndarray, np.ndarray]:
    literature = _literature()
    table = literature.table.assign(error=sd)
    literature = Literature(table, literature.emulated, literature.hyperparameters, literature.effects)
    draws = np.repeat(LogPosterior(literature).prior_mean[None, :], 4000, axis=0)
    more = np.array([0.0, -1.0, -2.5, -4.0, -5.0])
    return cells.learn(literature, draws, more, 1, MscEffect(share_at_zero=0.4, scale=0.6, patient_log_sd=0.6), 1)


def test_a_series_that_says_nothing_leaves_the_prior_of_the_cells() -> None:
    effects, none = _cells(1e4)
    assert none == pytest.approx(0.4, abs=1e-3)
    positive = effects[effects > 0]
    assert positive.mean() == pytest.approx(0.6 * np.sqrt(2 / np.pi), rel=0.05)
    assert (effects == 0.0).mean() == pytest.approx(0.4, abs=0.03)


def test_a_fall_that_the_disease_explains_makes_no_effect_of_cells_more_probable() -> None:
    effects, none = _cells(0.1)  # observed -2.0, expected without cells -1.0 with a drift whose SD is 2
    assert 0.0 < none.mean() < 0.6
    assert effects.min() == 0.0


def test_a_synthetic_literature_is_drawn_from_its_truth_and_ranks_of_even_numbers_pass() -> None:
    literature = _literature()
    first, again, other = (synthetic(literature, 1, k) for k in (0, 0, 1))
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.y, other.y)
    assert np.isnan(first.log_sd[1])
    even = np.arange(200)[:, None] % (DRAWS + 1)
    assert uniformity(even)[0] > 0.9
    assert uniformity(np.zeros((200, 1), dtype=int))[0] < 1e-6
