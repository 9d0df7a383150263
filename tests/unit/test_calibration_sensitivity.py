"""Sensitivity: known effects of simple functions, the same for any number of workers, and no effect without cells."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stromal.biology import parameter_table
from stromal.calibration.sensitivity import elementary_effects, sensitivity, unit_trajectories, what_to_measure
from stromal.calibration.sensitivity_cohort import (
    ELIGIBILITY,
    INFUSION,
    POPULATION,
    RESULTS,
    fixed_cohort,
    results_at,
)
from stromal.calibration.sensitivity_factors import MEASUREMENTS, all_factors
from stromal.compute.errors import InputError
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import MSC_EFFECT
from stromal.report.sensitivity_figure import sensitivity_figure

PATIENTS = 12
NAMES = ("skin_exhaustion", MSC_EFFECT, "kMr", "hazard")


@pytest.fixture(scope="module")
def four():
    own = {f.name: f for f in all_factors()}
    return tuple(own[name] for name in NAMES)


@pytest.fixture(scope="module")
def small(four):
    return sensitivity(3, 2, 1, factors=four, patients=PATIENTS)


@pytest.fixture(scope="module")
def cohort():
    return fixed_cohort(3, PATIENTS)


def test_effects_of_a_linear_function_are_its_slopes():
    slopes = np.array([3.0, -2.0, 0.0, 0.5, -7.0])
    names = [f"x{k}" for k in range(len(slopes))]
    shares = unit_trajectories(names, 7, seed=5)
    assert shares.shape == (7 * 6, 5)
    assert ((shares >= 0.0) & (shares <= 1.0)).all()
    found = elementary_effects(names, shares, 11.0 + shares @ slopes, seed=5)
    assert found["factor"].tolist() == names
    np.testing.assert_allclose(found["mu"], slopes, atol=1e-12)
    np.testing.assert_allclose(found["mu_star"], np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(found[["sigma", "mu_star_conf"]], 0.0, atol=1e-12)


def test_an_interaction_shows_in_sigma_and_a_cancelling_effect_only_in_mu_star():
    names = ["a", "b", "c"]
    shares = unit_trajectories(names, 60, seed=5)
    y = 4.0 * (shares[:, 0] - 0.5) * np.where(shares[:, 1] > 0.5, 1.0, -1.0) + shares[:, 2]
    found = elementary_effects(names, shares, y, seed=5).set_index("factor")
    assert found.at["a", "mu_star"] == pytest.approx(4.0)
    assert found.at["a", "sigma"] == pytest.approx(4.0, rel=0.1)
    assert abs(found.at["a", "mu"]) < 1.5
    assert found.at["c", "sigma"] == pytest.approx(0.0, abs=1e-12)


def test_trajectories_move_one_factor_at_a_time_and_repeat_with_the_seed():
    shares = unit_trajectories(["a", "b", "c"], 4, seed=1)
    moved = np.diff(shares.reshape(4, 4, 3), axis=1) != 0.0
    assert (moved.sum(axis=2) == 1).all()
    assert (moved.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(shares, unit_trajectories(["a", "b", "c"], 4, seed=1))
    assert (shares != unit_trajectories(["a", "b", "c"], 4, seed=2)).any()


def test_the_result_is_the_same_with_two_workers(four, small):
    again = sensitivity(3, 2, 2, factors=four, patients=PATIENTS)
    pd.testing.assert_frame_equal(again.table, small.table, check_exact=True)
    pd.testing.assert_frame_equal(again.points, small.points, check_exact=True)


def test_cells_without_effect_add_nothing(cohort):
    found, failures = results_at(pd.DataFrame({MSC_EFFECT: [0.0, 1.0]}), cohort)
    assert failures == 0
    np.testing.assert_allclose(found.loc[0, ["mrss_difference", "fvc_difference"]].astype(float), 0.0, atol=1e-5)
    assert found.at[1, "mrss_difference"] < -0.1


def test_without_cells_nothing_depends_on_what_cells_do(cohort):
    found, _ = results_at(pd.DataFrame({"kMr": [0.01, 0.1], "KTol": [0.08, 0.48], MSC_EFFECT: [0.1, 1.5]}), cohort)
    assert found.at[0, "mrss_change"] == found.at[1, "mrss_change"]
    assert found.at[0, "mrss_change_sd"] == found.at[1, "mrss_change_sd"]


def test_a_point_does_not_depend_on_the_points_beside_it(cohort):
    points = pd.DataFrame({"skin_exhaustion": [0.5, 2.0, 0.5], "kMr": [0.02, 0.02, 0.05]})
    together, _ = results_at(points, cohort)
    alone, _ = results_at(points.iloc[[2]].reset_index(drop=True), cohort)
    np.testing.assert_allclose(together.iloc[2], alone.iloc[0], rtol=1e-6, atol=1e-6)


def test_a_factor_at_its_base_changes_nothing(cohort):
    base = {f.name: [f.base] for f in all_factors()}
    moved, _ = results_at(pd.DataFrame(base), cohort)
    still, _ = results_at(pd.DataFrame(index=[0]), cohort)
    np.testing.assert_allclose(moved, still, rtol=1e-6, atol=1e-6)


def test_factors_are_all_hyperparameters_the_msc_effect_and_what_cord_cells_do():
    kinds = {f.name: f.kind for f in all_factors()}
    assert tuple(n for n, k in kinds.items() if k == "disease") == hyperparameters().names
    assert {n for n, k in kinds.items() if k == "effect"} == {MSC_EFFECT}
    cells = {n for n, k in kinds.items() if k == "cells"}
    assert {"kMr", "kTol", "KTol", "iTol", "gDC", "gM1", "gTreg", "aTolM", "aE", "aS", "KLic", "Mmax"} <= cells
    assert not cells & {"fL", "kMl", "potBM", "mmAuto", "eff", "pot", "mm", "kEV", "aTol"}
    table = parameter_table()
    assert set(table.loc[list(cells), "origin"]) <= {"assumed", "calibrated"}


def test_ranges_are_those_of_the_sources():
    own = {f.name: f for f in all_factors()}
    assert own["kMr"].value(np.array([0.0, 0.5, 1.0])) == pytest.approx([0.01, np.sqrt(0.001), 0.1])
    assert own["aE"].value(np.array([0.0, 0.5, 1.0])) == pytest.approx([0.0, 2.0, 4.0])
    prior = hyperparameters().priors()["skin_activity"]
    expected = np.exp(prior.mean + 1.6448536 * prior.sd * np.array([-1.0, 0.0, 1.0]))
    assert own["skin_activity"].value(np.array([0.0, 0.5, 1.0])) == pytest.approx(expected)


def test_every_factor_says_what_would_have_to_be_measured():
    assert set(MEASUREMENTS) == {f.name for f in all_factors()}


def test_patients_are_those_of_the_shipped_example(two_arm):
    assert two_arm.population == POPULATION
    assert set(ELIGIBILITY) <= set(two_arm.eligibility)
    assert {(c.product, c.dose_per_kg, c.route) for c in two_arm.arms[1].regimen} == {
        (INFUSION.product, INFUSION.dose_per_kg, INFUSION.route)
    }


def test_ranks_are_by_mean_absolute_effect_and_shares_sum_to_one(small):
    ranked = what_to_measure(small)
    assert ranked["mu_star"].is_monotonic_decreasing
    assert ranked["share"].sum() == pytest.approx(1.0)
    assert set(ranked["factor"]) == set(NAMES)
    assert ranked["measurement"].str.len().min() > 0
    np.testing.assert_allclose(ranked["share_conf"] * ranked["mu_star"], ranked["share"] * ranked["mu_star_conf"])


def test_signs_are_those_of_the_mechanisms(small):
    mu = small.table.pivot_table(index="factor", columns="result", values="mu")
    assert mu.at["kMr", "mrss_difference"] > 0.0
    assert mu.at[MSC_EFFECT, "mrss_difference"] < 0.0
    assert mu.at["skin_exhaustion", "mrss_change"] < 0.0
    assert set(small.table["result"]) == set(RESULTS)
    assert mu.loc["hazard"].abs().max() < 1e-5


def test_report_names_the_measurement_and_the_results(small):
    text = small.report()
    assert what_to_measure(small)["measurement"][0] in text
    assert "10 points" in text
    assert "12 early diffuse patients" in text
    assert "could not be solved" not in text
    assert "2 courses could not be solved" in replace(small, failures=2).report()


def test_too_few_trajectories_or_factors_are_refused(four):
    with pytest.raises(InputError, match="too few trajectories"):
        sensitivity(1, 1, 1, factors=four)
    with pytest.raises(InputError, match="too few factors"):
        sensitivity(1, 2, 1, factors=four[:1])


def test_figure_is_the_same_each_time_and_names_the_factors(small):
    svg = sensitivity_figure(small)
    assert svg == sensitivity_figure(small)
    text = svg.decode()
    for name in ("kMr", "skin exhaustion", "hazard", "What cells add to the skin score"):
        assert name in text
    assert sensitivity_figure(small, "png").startswith(b"\x89PNG")
