"""Candidates: the same person whoever else is drawn, with the shares and ranges of design and recipe."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stromal.biology import parameter_table
from stromal.compute.randomness import Streams
from stromal.design.base import FrozenMapping
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.population import draw, shipped_recipe
from stromal.population.candidates import NONE

N = 4000
FALSE_ALARM = 1e-6  # of each comparison; the seed is fixed


@pytest.fixture(scope="module")
def many(two_arm):
    return draw(shipped_recipe(), two_arm.population, Streams(1, 0), 0, N)


@pytest.mark.parametrize(("start", "n"), [(0, 1), (0, 50), (17, 5), (999, 300), (N - 3, 3)])
def test_a_candidate_is_the_same_in_any_range(many, two_arm, start, n):
    own = draw(shipped_recipe(), two_arm.population, Streams(1, 0), start, n)
    for part, whole in ((own.people, many.people), (own.parameters, many.parameters)):
        expected = whole.iloc[start : start + n].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, expected, check_exact=True)
    np.testing.assert_array_equal(own.activity, many.activity[start : start + n])


def test_another_replicate_has_other_people(many, two_arm):
    other = draw(shipped_recipe(), two_arm.population, Streams(1, 1), 0, N)
    for name in ("age_years", "height_cm", "referral", "crp_factor", "msc_factor"):
        assert not np.intersect1d(many.people[name], other.people[name]).size


def share_agrees(events, share):
    return stats.binomtest(int(np.sum(events)), len(events), share).pvalue > FALSE_ALARM


def test_shares_are_those_of_recipe_and_design(many, two_arm):
    people, recipe, population = many.people, shipped_recipe(), two_arm.population
    assert (people["subset"] == "diffuse").all()
    assert share_agrees(people["sex"] == "female", recipe.female_share)
    for name, share in recipe.antibody_shares["diffuse"].items():
        assert share_agrees(people["antibody"] == name, share)
    for name, share in recipe.ancestry_shares.items():
        assert share_agrees(people["ancestry"] == name, share)
    for name, share in population.prior_treatment.products.items():
        assert share_agrees(people["prior_drug"] == name, share)
    none = 1.0 - sum(population.prior_treatment.products.values())
    assert share_agrees(people["prior_drug"] == NONE, none)
    assert share_agrees(people["background"] == "mycophenolate", population.background["mycophenolate"])
    assert not people["prior_continues"].any()


def test_times_lie_in_their_ranges_and_in_order(many, two_arm):
    people, population = many.people, two_arm.population
    lag, months = shipped_recipe().symptom_lag_days, population.referral_months
    assert people["first_symptom"].between(lag.low, lag.high).all()
    since = (people["referral"] - people["first_symptom"]) / DAYS_PER_MONTH
    assert stats.kstest(since, "uniform", (months.low, months.high - months.low)).pvalue > FALSE_ALARM
    assert (people["prior_start"] >= people["first_symptom"]).all()
    before = (people["referral"] - people["prior_start"]) / DAYS_PER_MONTH
    prior = population.prior_treatment.months
    early = people["prior_start"] > people["first_symptom"]
    assert before[early].between(prior.low, prior.high).all()


def test_ages_follow_the_truncated_normal_distribution(many):
    age = shipped_recipe().age_years
    limits = [(x - age.mean) / age.sd for x in (age.low, age.high)]
    assert many.people["age_years"].between(age.low, age.high).all()
    expected = stats.truncnorm(*limits, loc=age.mean, scale=age.sd)
    assert stats.kstest(many.people["age_years"], expected.cdf).pvalue > FALSE_ALARM


def shifted():
    """Parameters that depend on subset or antibody."""
    recipe = shipped_recipe()
    return {s for e in (recipe.subset_effects, recipe.antibody_effects) for m in e.values() for s in m}


def test_parameters_are_log_normal_around_their_values_within_bounds(many):
    recipe, table = shipped_recipe(), parameter_table()
    checked = 0
    for symbol in many.parameters.columns:
        if symbol in {*shifted(), *recipe.bounds, "FVCpred"}:
            continue
        z = np.log(many.parameters[symbol] / table.at[symbol, "value"]) / table.at[symbol, "spread"]
        assert stats.kstest(z, "norm").pvalue > FALSE_ALARM, symbol
        checked += 1
    assert checked > 20
    for symbol, bound in recipe.bounds.items():
        if symbol in many.parameters:
            assert many.parameters[symbol].between(bound.low, bound.high).all(), symbol


def test_no_two_parameters_of_a_patient_move_together_by_accident(many):
    symbols = [s for s in many.parameters if parameter_table()["spread"].get(s, 0.0) > 0.0 and s not in shifted()]
    assert len(symbols) > 20
    ranks = many.parameters[symbols].rank().to_numpy()
    correlation = np.corrcoef(ranks.T) - np.eye(len(symbols))
    assert np.abs(correlation).max() < 6.0 / np.sqrt(N)


@pytest.mark.parametrize("symbol", ["kCs", "h0"])
def test_a_factor_on_a_median_moves_that_parameter_and_nothing_else(many, two_arm, symbol):
    """Of a parameter that differs between patients, and of one that is the same in all of them."""
    recipe = shipped_recipe().model_copy(update={"median_factors": FrozenMapping({symbol: 1.5})})
    moved = draw(recipe, two_arm.population, Streams(1, 0), 0, N)
    before = many.parameters[symbol] if symbol in many.parameters else parameter_table().at[symbol, "value"]
    np.testing.assert_allclose(moved.parameters[symbol] / before, 1.5, rtol=1e-12)
    others = moved.parameters.columns.drop(symbol)
    same = many.parameters[others]
    pd.testing.assert_frame_equal(moved.parameters[others], same, check_exact=True)
    pd.testing.assert_frame_equal(moved.people, many.people, check_exact=True)
    np.testing.assert_array_equal(moved.activity, many.activity)


def test_limited_disease_has_the_factors_of_the_recipe(series):
    recipe = shipped_recipe()
    mixed = draw(recipe, series.population, Streams(1, 0), 0, N)
    limited = mixed.people["subset"] == "limited"
    assert share_agrees(limited, series.population.subsets["limited"])
    same = mixed.people["antibody"] == "other"
    factor = recipe.subset_effects["limited"]["sS"]
    logs = np.log(mixed.parameters["sS"])
    difference = logs[same & limited].mean() - logs[same & ~limited].mean()
    error = logs.std() * np.sqrt(1 / (same & limited).sum() + 1 / (same & ~limited).sum())
    assert abs(difference - np.log(factor)) < 5.0 * error
