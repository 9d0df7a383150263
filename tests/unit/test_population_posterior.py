"""The posterior of the population: which draw a replicate takes, what a draw moves, and where its priors come from."""

import numpy as np
import pandas as pd
import pytest

from stromal.biology import parameter_table
from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.population import Posterior, draw, enrol, shipped_posterior, shipped_recipe
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import MSC_EFFECT, STUDY, columns, provenance, single

NAMES = hyperparameters().names


def numbered(n):
    """`n` draws; draw k has k in every column."""
    return Posterior(shipped_recipe(), pd.DataFrame({c: np.arange(float(n)) for c in columns()}))


@pytest.mark.parametrize(("replicate", "taken"), [(0, 0), (4, 4), (5, 0), (12, 2), (-1, 4), (-5, 0), (-6, 4)])
def test_replicate_r_takes_draw_r_and_they_begin_again_after_the_last(replicate, taken):
    posterior = numbered(5)
    assert posterior.of(replicate) == dict.fromkeys(columns(), float(taken))
    recipe = posterior.recipe(replicate)
    assert set(recipe.median_factors.values()) == {np.exp(taken)}
    assert recipe.activity.skin_log_sd == recipe.activity.lung_log_sd == np.exp(taken)
    assert [getattr(recipe.study, name) for name in STUDY] == [taken] * len(STUDY)


@pytest.mark.parametrize("column", columns())
def test_draws_without_a_column_are_refused_by_its_name(column):
    with pytest.raises(InputError, match=rf"not whole.*{column}"):
        Posterior(shipped_recipe(), numbered(2).draws.drop(columns=column))


def test_an_empty_table_of_draws_is_refused():
    with pytest.raises(InputError, match="no draws"):
        Posterior(shipped_recipe(), numbered(2).draws.iloc[:0])


def test_the_shipped_draws_are_whole_finite_and_possible():
    draws = shipped_posterior().draws
    assert set(columns()) == set(draws.columns)
    assert np.isfinite(draws.to_numpy()).all()
    assert (draws[["mrss_sd", "fvc_sd"]] > 0.0).all(axis=None)
    assert (draws[MSC_EFFECT] >= 0.0).all()
    assert provenance()["command"]


def test_no_parameter_is_moved_by_two_hyperparameters():
    moved = [symbol for h in hyperparameters().hyperparameters.values() for symbol in h.moves]
    assert len(moved) == len(set(moved))
    assert set(moved) <= set(parameter_table().index)


@pytest.mark.parametrize("name", NAMES)
def test_a_hyperparameter_moves_exactly_the_medians_that_it_names(two_arm, name):
    """Half of one number: its parameters halve (but for those at a bound), and everything else stays bit for bit."""
    own, zero = hyperparameters().hyperparameters[name], dict.fromkeys(NAMES, 0.0)
    recipes = (hyperparameters().recipe(shipped_recipe(), v) for v in (zero, zero | {name: np.log(0.5)}))
    before, after = (draw(r, two_arm.population, Streams(1, 0), 0, 30) for r in recipes)
    pd.testing.assert_frame_equal(after.people, before.people, check_exact=True)
    others = before.parameters.columns.drop(list(own.moves))
    pd.testing.assert_frame_equal(after.parameters[others], before.parameters[others], check_exact=True)
    for symbol in own.moves:
        bound = shipped_recipe().bounds.get(symbol)
        free = before.parameters[symbol] < (np.inf if bound is None else bound.high)
        assert free.any()
        np.testing.assert_allclose(after.parameters[symbol][free], 0.5 * before.parameters[symbol][free], rtol=1e-12)
    for k, organ in enumerate(("skin", "lung")):
        factor = 0.5 if own.fluctuation == organ else 1.0
        np.testing.assert_allclose(after.activity[:, :, k], factor * before.activity[:, :, k], rtol=1e-12)


def test_a_prior_does_not_depend_on_the_shipped_values_but_on_their_ranges(monkeypatch):
    """exp(mean of the prior) times the shipped value stays where it is when another value is shipped."""
    table = parameter_table()
    own = {name: h for name, h in hyperparameters().hyperparameters.items() if h.moves}
    before = hyperparameters().priors()
    monkeypatch.setattr(
        "stromal.population.hyperparameters.parameter_table", lambda: table.assign(value=3.0 * table["value"])
    )
    after = hyperparameters().priors()
    for name, h in own.items():
        value = np.exp(np.log(table.loc[list(h.moves), "value"].astype(float)).mean())
        assert np.exp(after[name].mean) * 3.0 * value == pytest.approx(np.exp(before[name].mean) * value, rel=1e-12)
        assert after[name].sd == before[name].sd
    assert len(own) == len(NAMES) - 2


def test_the_range_of_a_parameter_holds_95_percent_of_its_prior():
    (symbol,) = hyperparameters().hyperparameters["skin_oedema"].moves
    row, prior = parameter_table().loc[symbol], hyperparameters().priors()["skin_oedema"]
    ends = row["value"] * np.exp(prior.mean + 1.959964 * prior.sd * np.array([-1.0, 1.0]))
    np.testing.assert_allclose(ends, [row["low"], row["high"]], rtol=1e-6)


def test_a_single_draw_is_the_middle_of_the_priors_without_an_effect_of_cells():
    drawn = single(shipped_recipe(), {"skin_activity": -1.0}).of(7)
    assert drawn["skin_activity"] == -1.0
    assert drawn["hazard"] == hyperparameters().priors()["hazard"].mean
    assert drawn["mrss_sd"] == hyperparameters().study.mrss_sd.median
    assert drawn[MSC_EFFECT] == 0.0


def test_each_replicate_is_enrolled_from_the_population_of_its_draw(two_arm, stable_disease):
    """A parameter that is the same in all patients of a draw tells from which draw they are."""
    one = single(shipped_recipe())
    posterior = Posterior(one.base, pd.concat([one.draws.assign(hazard=h) for h in (-1.0, 0.0, 1.0)]))
    cohort = enrol(two_arm, posterior, 1, [0, 1, 5, -1], 4)
    factor = cohort.candidates.parameters["h0"] / parameter_table().at["h0", "value"]
    expected = cohort.people["replicate"].map({0: np.exp(-1.0), 1: 1.0, 5: np.exp(1.0), -1: np.exp(1.0)})
    np.testing.assert_allclose(factor, expected, rtol=1e-12)
