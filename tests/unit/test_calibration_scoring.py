"""Scores of predictions: known answers, propriety, and intervals that know which arms share a trial."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from stromal.calibration.scoring import (
    MINIMUM_TRIALS,
    assessable,
    coverage,
    crps_normal,
    crps_sample,
    inside,
    interval_score,
    paired_difference,
    pit_normal,
)
from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams

N = 20_000
REPEATS = 200
NUMBER = st.floats(-1e3, 1e3)
TRUE_TO_95 = 0.95 * REPEATS - 3.0 * math.sqrt(REPEATS * 0.95 * 0.05)
"""Three binomial SDs below what intervals of 95 % confidence hold in `REPEATS` sets."""


@pytest.mark.parametrize(("mean", "sd", "observed"), [(0.0, 1.0, 0.0), (-3.0, 2.5, 1.2), (4.0, 0.3, 2.0), (1, 9, -30)])
def test_the_closed_form_of_the_normal_score_is_the_integral_that_defines_it(mean, sd, observed):
    predicted = stats.norm(mean, sd)
    below = quad(lambda x: predicted.cdf(x) ** 2, min(mean, observed) - 12 * sd, observed)[0]
    above = quad(lambda x: predicted.sf(x) ** 2, observed, max(mean, observed) + 12 * sd)[0]
    assert crps_normal(mean, sd, observed) == pytest.approx(below + above, rel=1e-6)


@given(NUMBER, NUMBER)
def test_a_prediction_without_spread_is_scored_by_its_absolute_error(mean, observed):
    assert crps_normal(mean, 0.0, observed) == abs(observed - mean)
    assert crps_normal(mean, 5e-324, observed) == pytest.approx(abs(observed - mean))
    assert crps_sample([mean, mean, mean], observed) == pytest.approx(abs(observed - mean))


def test_scores_broadcast_and_missing_values_stay_missing():
    score = crps_normal([[0.0], [1.0]], 1.0, [0.0, np.nan, 2.0])
    assert score.shape == (2, 3)
    assert np.isnan(score).tolist() == [[False, True, False]] * 2
    assert np.isnan(crps_normal(np.nan, 0.0, 1.0))
    assert np.isnan(pit_normal(0.0, np.nan, 1.0))


def test_the_fair_score_of_a_sample_is_the_double_sum_over_its_pairs():
    sample, observed = Streams(1, 0).normal("test", 7 * 6).reshape(7, 2, 3), np.array([[0.3, -1, 2], [0, 5, 0.1]])
    pairs = np.abs(sample[:, None] - sample[None]).sum(axis=(0, 1)) / (2 * 7 * 6)
    np.testing.assert_allclose(crps_sample(sample, observed), np.abs(sample - observed).mean(axis=0) - pairs)


@pytest.mark.parametrize("draws", [2, 3, 10])
def test_the_fair_score_of_a_few_draws_is_right_on_average(draws):
    sample = 1.0 + 2.0 * Streams(2, 0).normal("test", draws * N).reshape(draws, N)
    scores = crps_sample(sample, np.full(N, 2.5))
    error = scores.std() / math.sqrt(N)
    assert abs(scores.mean() - crps_normal(1.0, 2.0, 2.5)) < 4 * error


@given(st.permutations([-3.0, 0.5, 0.7, 2.0, 11.0]))
def test_the_order_of_draws_does_not_change_the_score(sample):
    assert crps_sample(sample, 1.0) == crps_sample(sorted(sample), 1.0)


@pytest.mark.parametrize(("mean", "sd"), [(0.2, 1.0), (-0.2, 1.0), (0.0, 0.8), (0.0, 1.25), (0.3, 1.5)])
def test_the_true_distribution_scores_best_on_average(mean, sd):
    truth = Streams(3, 0).normal("truth", N)
    assert crps_normal(0.0, 1.0, truth).mean() < crps_normal(mean, sd, truth).mean()
    reach = stats.norm.isf(0.05)
    own = interval_score(-reach, reach, truth, 0.9).mean()
    assert own < interval_score(mean - sd * reach, mean + sd * reach, truth, 0.9).mean()


def test_an_interval_is_scored_by_width_and_by_twenty_times_what_it_misses_at_90_percent():
    np.testing.assert_allclose(interval_score(1.0, 3.0, [0.5, 1.0, 2.0, 3.0, 3.1], 0.9), [12.0, 2.0, 2.0, 2.0, 4.0])


def test_a_limit_belongs_to_its_interval():
    assert inside(1.0, 3.0, [0.9, 1.0, 2.0, 3.0, 3.1]).tolist() == [False, True, True, True, False]
    assert inside(-np.inf, np.inf, 5.0)


def test_the_transform_is_the_predicted_probability_of_less():
    np.testing.assert_allclose(pit_normal(2.0, 4.0, [2.0, 6.0, -1e9]), [0.5, stats.norm.cdf(1.0), 0.0])
    assert pit_normal(2.0, 0.0, [1.9, 2.0, 2.1]).tolist() == [0.0, 0.5, 1.0]


def test_the_transform_of_calibrated_predictions_is_uniform():
    mean, noise = (Streams(4, 0).normal(purpose, N) for purpose in ("mean", "noise"))
    assert stats.kstest(pit_normal(mean, 2.0, mean + 2.0 * noise), "uniform").pvalue > 0.001
    assert stats.kstest(pit_normal(mean, 2.2, mean + 2.0 * noise), "uniform").pvalue < 0.001


def test_rows_all_inside_give_the_exact_interval_of_as_many_rows_as_trials():
    found = coverage([True] * 6, ["a", "a", "a", "b", "c", "c"], 0.9)
    exact = stats.binomtest(3, 3).proportion_ci(method="exact")
    assert (found.share, found.trials, found.n, found.compatible) == (1.0, 3, 6, True)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    none = coverage([0] * 6, ["a", "a", "a", "b", "c", "c"], 0.9)
    assert (none.low, none.high, none.compatible) == (0.0, pytest.approx(1.0 - exact.low), False)


def test_trials_of_one_row_give_the_textbook_interval_on_the_logit_scale():
    """The jackknife of a mean is its usual variance, here 0.16/9 of ten rows with eight inside."""
    found = coverage([True] * 8 + [False] * 2, range(10), 0.5)
    reach = stats.t.isf(0.025, 9) * math.sqrt(0.16 / 9) / 0.16
    limits = 1.0 / (1.0 + np.exp(-(math.log(4.0) + reach * np.array([-1.0, 1.0]))))
    assert (found.low, found.high) == pytest.approx(tuple(limits))
    assert found.compatible == (limits[0] <= 0.5)


def test_trials_that_agree_by_chance_do_not_make_the_share_certain():
    found = coverage([1, 0] * 4, [1, 1, 2, 2, 3, 3, 4, 4], 0.9)
    reach = stats.t.isf(0.025, 3) * math.sqrt(0.25 / 8) / 0.25
    assert found.high - 0.5 == pytest.approx(0.5 - found.low)
    assert found.high == pytest.approx(1.0 / (1.0 + math.exp(-reach)))


def test_one_trial_says_nothing_about_others():
    found = coverage([True, False], ["a", "a"], 0.9)
    assert (found.share, found.low, found.high, found.trials, found.compatible) == (0.5, 0.0, 1.0, 1, True)


def simulated_sets(share, correlation, trials=20):
    """Flags and labels of `REPEATS` sets of trials with one to four rows; the chance to be inside differs by trial."""
    draw = np.random.default_rng(np.random.Philox(5))
    for _ in range(REPEATS):
        rows = draw.integers(1, 5, trials)
        chance = draw.beta(*(np.array([share, 1.0 - share]) * (1.0 / correlation - 1.0)), trials)
        labels = np.repeat(np.arange(trials), rows)
        yield draw.uniform(size=len(labels)) < chance[labels], labels


@pytest.mark.parametrize("trials", [8, 20])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("correlation", [0.01, 0.3, 0.8])
def test_the_interval_by_trial_holds_the_true_share_as_often_as_it_says(share, correlation, trials):
    found = [coverage(flags, labels, share) for flags, labels in simulated_sets(share, correlation, trials)]
    assert sum(one.compatible for one in found) >= TRUE_TO_95
    assert all(0.0 <= one.low <= one.share <= one.high <= 1.0 for one in found)


def test_counting_rows_as_independent_or_leaving_out_the_logit_would_be_too_sure():
    by_row = by_share = 0
    for flags, labels in simulated_sets(0.9, 0.8):
        exact = stats.binomtest(int(flags.sum()), len(flags)).proportion_ci(method="exact")
        by_row += exact.low <= 0.9 <= exact.high
        without = np.array([flags[labels != trial].mean() for trial in np.unique(labels)])
        se = math.sqrt(19 / 20 * ((without - flags.mean()) ** 2).sum())
        by_share += abs(flags.mean() - 0.9) <= stats.t.isf(0.025, 19) * se
    assert by_row < TRUE_TO_95
    assert by_share < TRUE_TO_95


@given(st.data())
def test_the_order_of_rows_does_not_change_coverage_or_difference(data):
    n = data.draw(st.integers(1, 12))
    flags = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    labels = data.draw(st.lists(st.sampled_from(["CARE", "faSScinate", "SCOT", "ASTIS"]), min_size=n, max_size=n))
    a, b = (np.array(data.draw(st.lists(NUMBER, min_size=n, max_size=n))) for _ in "ab")
    order = data.draw(st.permutations(range(n)))
    moved = [flags[i] for i in order], [labels[i] for i in order]
    assert coverage(*moved, 0.9) == coverage(flags, labels, 0.9)
    found, same = paired_difference(a, b, labels, 1, 50), paired_difference(a[order], b[order], moved[1], 1, 50)
    assert found.trials == same.trials == len(set(labels))
    np.testing.assert_allclose(
        [same.mean, same.low, same.high], [found.mean, found.low, found.high], rtol=1e-9, atol=1e-9
    )


def test_a_difference_is_the_mean_over_rows_with_the_percentiles_of_resampled_trials():
    a, b, labels = np.array([1.0, 2.0, 6.0, 0.0, 3.0]), np.ones(5), ["b", "a", "a", "c", "b"]
    found = paired_difference(a, b, labels, seed=11, draws=300)
    rows = {name: [x - 1.0 for x, label in zip(a, labels, strict=True) if label == name] for name in "abc"}
    uniform = Streams(11, 0).uniform("calibration: trials of a paired difference", 900)
    drawn = [[x for u in three for x in rows["abc"[int(3 * u)]]] for three in uniform.reshape(300, 3)]
    assert found.mean == pytest.approx(7.0 / 5.0)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile([np.mean(one) for one in drawn], [0.025, 0.975])))
    assert found == paired_difference(a, b, labels, seed=11, draws=300)
    assert found.low < found.mean < found.high


def test_a_difference_is_reversed_when_the_predictions_change_places():
    scores, labels = Streams(6, 0).normal("scores", 80).reshape(2, 40), np.repeat(np.arange(10), 4)
    found, back = paired_difference(*scores, labels, 3), paired_difference(*scores[::-1], labels, 3)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))


def test_rows_of_one_trial_do_not_make_a_difference_more_certain():
    shift = np.repeat(Streams(7, 0).normal("trial", 12), 5)
    narrow = paired_difference(shift, np.zeros(60), range(60), 1)
    wide = paired_difference(shift, np.zeros(60), np.repeat(np.arange(12), 5), 1)
    assert wide.high - wide.low > 1.8 * (narrow.high - narrow.low)


def test_one_trial_gives_a_difference_without_interval():
    found = paired_difference([3.0, 1.0], [1.0, 1.0], ["a", "a"], 1)
    assert (found.mean, found.trials) == (1.0, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_calibration_is_judged_from_the_minimum_of_different_trials_on():
    assert assessable(range(MINIMUM_TRIALS))
    assert not assessable([*range(MINIMUM_TRIALS - 1)] * 3)
    assert not assessable([])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: crps_normal(0.0, -1.0, 0.0), "negative SD"),
        (lambda: pit_normal(0.0, [1.0, -1.0], 0.0), "negative SD"),
        (lambda: crps_sample([1.0], 0.0), "too few draws"),
        (lambda: crps_sample(1.0, 0.0), "too few draws"),
        (lambda: crps_sample([1.0, 2.0], [1.0, 2.0]), "differ in shape"),
        (lambda: interval_score(2.0, 1.0, 0.0, 0.9), "above the upper"),
        (lambda: interval_score(1.0, 2.0, 0.0, 1.0), "not a coverage"),
        (lambda: inside(2.0, 1.0, 0.0), "above the upper"),
        (lambda: inside(1.0, 2.0, [1.5, np.nan]), "missing"),
        (lambda: coverage([True, np.nan], ["a", "b"], 0.9), r"neither true nor false.*inside_flags\[1\]"),
        (lambda: coverage([], [], 0.9), "no row"),
        (lambda: coverage([True], ["a", "b"], 0.9), "one trial per row"),
        (lambda: coverage([True, True], ["a", None], 0.9), r"without trial.*\[1\]"),
        (lambda: coverage([True], ["a"], 90), "not a coverage"),
        (lambda: paired_difference([1.0], [1.0, 2.0], ["a"], 1), "same rows"),
        (lambda: paired_difference([1.0, 2.0], [1.0, np.inf], ["a", "b"], 1), r"scores_b\[1\]"),
        (lambda: paired_difference([], [], [], 1), "no row"),
        (lambda: paired_difference([1.0], [1.0], ["a"], 1, draws=0), "no bootstrap sample"),
        (lambda: assessable(["a", math.nan]), "without trial"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_place(call, message):
    with pytest.raises(InputError, match=message):
        call()
