"""A stable disease and no drug: what is seen is error, selection and rounding alone.

Each comparison is within 5 Monte Carlo standard errors (false-alarm rate 6e-7); the seeds are fixed.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stromal.compute.randomness import Streams
from stromal.population import draw, enrol, shipped_recipe
from stromal.population.measurement import measured_values
from stromal.population.posterior import single
from stromal.trial.conduct import Study, conduct

N = 6000
LOW, HIGH = 15.0, 40.0  # of the skin score at screening


def without_other_criteria(design, **changes):
    criteria = tuple(c for c in design.eligibility if getattr(c, "measure", "") == "mrss")
    assert (criteria[0].at_least, criteria[0].at_most) == (LOW, HIGH)
    return design.model_copy(update={"eligibility": criteria} | changes)


def change_after_a_year(design):
    """Observed change of everybody seen at one year, on placebo."""
    recipe = shipped_recipe()
    cohort = enrol(design, single(recipe), 1, [0], N)
    nothing = np.zeros(N)
    study = Study(nothing, nothing, nothing, nothing)
    placebo = np.full(N, "placebo", dtype=object)
    data = conduct(design, recipe, cohort, placebo, study, 1)
    change = data.measured["mrss"][:, data.visit(364)] - data.baseline["mrss"]
    return change[~np.isnan(change)]


def within_error(values, expected, slack=0.0):
    return abs(values.mean() - expected) < 5.0 * values.std() / np.sqrt(len(values)) + slack


def test_with_a_baseline_of_its_own_the_mean_change_of_a_stable_disease_is_zero(two_arm, stable_disease):
    change = change_after_a_year(without_other_criteria(two_arm, baseline="separate"))
    assert len(change) > 0.85 * N
    assert within_error(change, 0.0)


def test_with_the_screening_value_as_baseline_a_stable_disease_seems_to_improve(two_arm, stable_disease):
    """By the error that selection brings in: for a normal sum S of truth, rater bias and visit error e,
    E(e | S in the limits) = var(e)/var(S) * (E(S | S in the limits) - E(S)). Rounding widens the limits by 1/2."""
    change = change_after_a_year(without_other_criteria(two_arm, baseline="screening"))
    m = two_arm.measurement
    sd = np.sqrt(stable_disease.sd**2 + m.mrss_rater_sd**2 + m.mrss_visit_sd**2)
    limits = [(x - stable_disease.mean) / sd for x in (LOW - 0.5, HIGH + 0.5)]
    selected = stats.truncnorm(*limits, loc=stable_disease.mean, scale=sd).mean()
    expected = -(m.mrss_visit_sd**2) / sd**2 * (selected - stable_disease.mean)
    assert expected < -0.3
    assert change.mean() < 0.0
    assert within_error(change, expected, slack=0.02)  # the score ends at 0 and 51


def people(two_arm):
    return draw(shipped_recipe(), two_arm.population, Streams(1, 0), 0, N).people


def measured(two_arm, occasions, **errors):
    measurement = two_arm.measurement.model_copy(update=errors)
    true = {
        "mrss": np.full((N, len(occasions)), 25.0),
        "fvc_pct": np.full((N, len(occasions)), 80.0),
        "fvc_ml": np.full((N, len(occasions)), 3000.0),
        "dlco_pct": np.full((N, len(occasions)), 70.0),
        "crp_mg_l": np.full((N, len(occasions)), 5.0),
        "ct_extent_pct": np.full((N, len(occasions)), 30.0),
    }
    return measured_values(true, people(two_arm), measurement, shipped_recipe(), occasions, 1)


def variance_agrees(values, variance):
    """Five standard errors of a variance of normal values."""
    return abs(values.var(ddof=1) - variance) < 5.0 * variance * np.sqrt(2.0 / (len(values) - 1))


ROUNDING = 1.0 / 12.0  # variance of rounding to whole points


def test_the_bias_of_a_rater_cancels_in_a_change_while_the_rater_stays(two_arm):
    one = measured(two_arm, [1, 3])["mrss"]
    visit = two_arm.measurement.mrss_visit_sd**2
    rater = two_arm.measurement.mrss_rater_sd**2
    assert variance_agrees(one[:, 0], rater + visit + ROUNDING)
    assert variance_agrees(one[:, 1] - one[:, 0], 2.0 * (visit + ROUNDING))


def test_another_rater_at_every_visit_adds_both_biases_to_the_change(two_arm):
    one = measured(two_arm, [1, 3], rater_change_per_visit=1.0)["mrss"]
    visit, rater = two_arm.measurement.mrss_visit_sd**2, two_arm.measurement.mrss_rater_sd**2
    assert variance_agrees(one[:, 1] - one[:, 0], 2.0 * (visit + rater + ROUNDING))


def test_a_rater_who_may_change_keeps_the_bias_until_then(two_arm):
    """With a chance of 0.3 per visit, the rater of occasion 1 is still there at occasion 3 with 0.49."""
    one = measured(two_arm, [1, 3], rater_change_per_visit=0.3, mrss_visit_sd=0.0)["mrss"]
    stays = one[:, 1] == one[:, 0]
    same_by_chance = 0.07  # two raters may agree to the point
    assert abs(stays.mean() - 0.49 - 0.51 * same_by_chance) < 5.0 * 0.5 / np.sqrt(N) + 0.03


def test_errors_have_the_size_that_the_design_says_and_do_not_shift_the_mean(two_arm):
    values, m, recipe = measured(two_arm, [2]), two_arm.measurement, shipped_recipe()
    for name, mean, sd in (
        ("fvc_pct", 80.0, m.fvc_visit_sd),
        ("dlco_pct", 70.0, m.dlco_visit_sd),
        ("ct_extent_pct", 30.0, m.ct_extent_sd),
    ):
        assert within_error(values[name][:, 0], mean)
        assert variance_agrees(values[name][:, 0], sd**2)
    logs = np.log(values["crp_mg_l"][:, 0] / 5.0)
    assert within_error(logs, 0.0)
    assert variance_agrees(logs, np.log1p(recipe.crp_within_patient_cv**2 + m.crp_assay_cv**2))


def test_vital_capacity_in_litres_and_in_percent_is_one_measurement(two_arm):
    values = measured(two_arm, [1, 2])
    np.testing.assert_allclose(values["fvc_ml"], values["fvc_pct"] * 3000.0 / 80.0, rtol=1e-12)


def test_a_skin_score_is_a_whole_number_between_0_and_51(two_arm):
    score = measured(two_arm, [1], mrss_visit_sd=20.0)["mrss"]
    assert np.array_equal(score, np.rint(score))
    assert (score.min(), score.max()) == (0.0, 51.0)


@pytest.mark.parametrize("rows", [[0], [5, 3], range(0, N, 7)])
def test_a_measured_value_does_not_depend_on_who_else_is_measured(two_arm, rows):
    everybody = people(two_arm)
    true = {m: np.full((N, 1), 30.0) for m in ("mrss", "fvc_pct", "fvc_ml", "dlco_pct", "crp_mg_l", "ct_extent_pct")}
    options = (two_arm.measurement, shipped_recipe(), [4], 1)
    whole = measured_values(true, everybody, *options)
    rows = list(rows)
    some = measured_values({m: v[rows] for m, v in true.items()}, everybody.iloc[rows], *options)
    pd.testing.assert_frame_equal(
        pd.DataFrame({m: v[:, 0] for m, v in some.items()}),
        pd.DataFrame({m: v[rows, 0] for m, v in whole.items()}),
        check_exact=True,
    )
