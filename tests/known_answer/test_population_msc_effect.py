"""The prior of the MSC effect: a spike at zero, and a scale that is worth 2 points of skin score."""

import pytest
from scipy import stats

from stromal.compute.randomness import Streams
from stromal.population.msc_effect import SCALE_POINTS, draw_msc_effects, points_of_effect, solve_scale
from stromal.population.recipe import shipped_recipe

PRIOR = shipped_recipe().msc_effect
N = 4000


def test_the_shipped_scale_is_the_solved_one():
    assert solve_scale() == PRIOR.scale


def test_the_scale_is_worth_two_points_and_less_effect_is_worth_less():
    points = points_of_effect([0.0, PRIOR.scale / 2, PRIOR.scale, 2 * PRIOR.scale])
    assert points[0] == 0.0
    assert points[2] == pytest.approx(SCALE_POINTS, abs=1e-3)
    assert points[3] < points[2] < points[1] < 0.0


def test_forty_percent_of_draws_are_zero_and_the_rest_is_half_normal():
    """False-alarm rate of each comparison 1e-6; the seed is fixed."""
    draws = draw_msc_effects(PRIOR, Streams(1, 0), N)
    zeros = int((draws == 0.0).sum())
    assert PRIOR.share_at_zero == 0.4
    assert stats.binomtest(zeros, N, 0.4).pvalue > 1e-6
    assert (draws >= 0.0).all()
    assert stats.kstest(draws[draws > 0.0] / PRIOR.scale, "halfnorm").pvalue > 1e-6
