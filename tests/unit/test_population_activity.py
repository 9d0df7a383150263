"""Activity of the disease: an Ornstein-Uhlenbeck course of each candidate's own, the same however the work is cut."""

import numpy as np
import pandas as pd
import pytest

from stromal.compute.randomness import Streams
from stromal.population import draw, shipped_recipe
from stromal.population.activity import STEP, activity_changes, draw_activity
from stromal.population.history import course, own_course, to_referral, until_referral
from stromal.population.measurement import READOUTS

N = 4000
ORGANS = {"skin": 0, "lung": 1}
OUTPUTS = list(READOUTS.values())


def with_activity(**changes):
    recipe = shipped_recipe()
    return recipe.model_copy(update={"activity": recipe.activity.model_copy(update=changes)})


@pytest.fixture(scope="module")
def activity():
    recipe = with_activity(skin_log_sd=0.5, lung_log_sd=0.8, correlation_days=365.0)
    return draw_activity(recipe, Streams(1, 0), 0, N)


@pytest.fixture(scope="module")
def candidates(two_arm):
    return draw(shipped_recipe(), two_arm.population, Streams(1, 0), 0, 6)


@pytest.mark.parametrize("step", [0, 1, 40, 79])
@pytest.mark.parametrize(("organ", "log_sd"), [("skin", 0.5), ("lung", 0.8)])
def test_between_patients_activity_has_mean_zero_and_the_same_sd_at_any_time(activity, organ, log_sd, step):
    """Within 5 standard errors (false-alarm rate 6e-7 each; the seed is fixed)."""
    values = activity[:, step, ORGANS[organ]]
    assert abs(values.mean()) < 5.0 * log_sd / np.sqrt(N)
    assert abs(values.std() / log_sd - 1.0) < 5.0 / np.sqrt(2.0 * N)


@pytest.mark.parametrize("start", [0, 30])
@pytest.mark.parametrize("days", [91, 364])
@pytest.mark.parametrize("organ", ORGANS)
def test_activity_is_remembered_for_a_year(activity, organ, days, start):
    """The correlation of two times is exp(-days / 365); within 5 standard errors of Fisher's z."""
    values = activity[:, :, ORGANS[organ]]
    seen = np.corrcoef(values[:, start], values[:, start + round(days / STEP)])[0, 1]
    assert abs(np.arctanh(seen) - np.arctanh(np.exp(-days / 365.0))) < 5.0 / np.sqrt(N - 3)


def test_skin_and_lung_wax_and_wane_independently(activity):
    skin, lung = np.moveaxis(activity, 2, 0)
    assert max(abs(np.corrcoef(skin[:, k], lung[:, k])[0, 1]) for k in range(80)) < 6.0 / np.sqrt(N)


def test_the_course_of_a_candidate_does_not_depend_on_who_else_is_drawn(two_arm):
    all_twenty = draw(shipped_recipe(), two_arm.population, Streams(1, 0), start=0, n=20)
    three = draw(shipped_recipe(), two_arm.population, Streams(1, 0), start=5, n=3)
    np.testing.assert_array_equal(three.activity, all_twenty.activity[5:8])
    np.testing.assert_array_equal(all_twenty.take([7, 5]).activity, three.activity[[2, 0]])


def test_another_sd_scales_the_same_course(activity):
    recipe = with_activity(skin_log_sd=1.0, lung_log_sd=0.8, correlation_days=365.0)
    other = draw_activity(recipe, Streams(1, 0), 0, N)
    np.testing.assert_allclose(other[:, :, 0], 2.0 * activity[:, :, 0], rtol=1e-12)
    np.testing.assert_array_equal(other[:, :, 1], activity[:, :, 1])


@pytest.mark.parametrize("cut", [0.0, 90.0, 91.0, 300.0])
def test_changes_before_and_after_a_cut_are_those_of_the_whole_course(activity, cut):
    some = activity[:3]
    parts = [activity_changes(some, -1.0, cut), activity_changes(some, cut, 364.0)]
    together = pd.concat(parts).sort_values(["patient", "time"], kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(together, activity_changes(some, -1.0, 364.0), check_exact=True)
    assert set(together["time"]) == {0.0, 91.0, 182.0, 273.0, 364.0}


def test_changes_set_the_activity_of_both_organs_to_its_value(activity):
    changes = activity_changes(activity[:2], 91.0, 182.0)
    assert changes["target"].tolist() == ["skin_activity", "lung_activity"] * 2
    assert (changes["kind"] == "set").all()
    np.testing.assert_array_equal(changes["amount"], np.exp(activity[:2, 2]).ravel())


def test_the_course_cut_at_referral_is_that_of_one_solution(candidates, two_arm):
    referral = candidates.people["referral"].to_numpy()[:, None]
    before = to_referral(candidates, two_arm.population)
    own = own_course(candidates, referral[:, 0] + 364.0)
    after = course(candidates.parameters, own, referral + np.array([91.0, 364.0]), OUTPUTS, before.final)
    schedule = pd.concat([until_referral(candidates, two_arm.population), own], ignore_index=True)
    whole = course(candidates.parameters, schedule, referral + np.array([0.0, 91.0, 364.0]), OUTPUTS)
    assert (whole.status == "ok").all()
    np.testing.assert_array_equal(whole.values[:, :1], before.values)
    np.testing.assert_array_equal(whole.values[:, 1:], after.values)


def test_activity_that_does_not_fluctuate_gives_the_course_without_any_changes(two_arm):
    """To the tolerance of the solver: each change, also to the same value, is the boundary of a step."""
    quiet = draw(with_activity(skin_log_sd=0.0, lung_log_sd=0.0), two_arm.population, Streams(1, 0), 0, 6)
    assert (quiet.activity == 0.0).all()
    schedule = until_referral(quiet, two_arm.population)
    changes = schedule["target"].isin(["skin_activity", "lung_activity"])
    assert changes.any()
    times = quiet.people["referral"].to_numpy()[:, None]
    with_changes, without = (course(quiet.parameters, s, times, OUTPUTS) for s in (schedule, schedule[~changes]))
    np.testing.assert_allclose(with_changes.values, without.values, rtol=1e-3)


def test_fluctuating_activity_moves_skin_and_lung(candidates, two_arm):
    schedule = until_referral(candidates, two_arm.population)
    quiet = schedule[~schedule["target"].isin(["skin_activity", "lung_activity"])]
    times = candidates.people["referral"].to_numpy()[:, None]
    moved, still = (course(candidates.parameters, s, times, ["mRSS", "FVC"]).values for s in (schedule, quiet))
    assert (np.abs(moved - still) > 0.01).all()
