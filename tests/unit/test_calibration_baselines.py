"""Predictions without a model: they are the pool that the others make, and know nothing of the trial left out."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromal.calibration.baselines import KINDS, Predicted, imputed, naive, pool
from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.evidence import pooling

ARMS = pd.DataFrame(
    [
        ("A", "control", -1.0, 0.50),
        ("A", "drug", -3.0, 0.40),
        ("B", "control", -2.5, 0.90),
        ("B", "drug", -4.5, np.nan),
        ("C", "control", 0.5, 0.30),
        ("C", "transplant", -12.0, 2.00),
        ("D", "control", -1.5, 0.70),
        ("D", "cells", -8.0, np.nan),
        ("E", "drug", -2.0, 0.20),
    ],
    columns=["trial", "kind", "value", "variance"],
)
BOTH = pytest.mark.parametrize("predict", [naive, pool])
ROW = st.tuples(
    st.sampled_from("ABCD"),
    st.sampled_from(KINDS),
    st.floats(-30.0, 30.0),
    st.one_of(st.just(math.nan), st.floats(0.01, 20.0)),
)
MORE = [("A", "drug", -1.0, 1.0), ("B", "drug", 2.0, 1.5), ("C", "drug", 0.0, 0.5)]
"""Rows that make every table sufficient for both baselines, whichever trial is left out."""


def table_of(rows) -> pd.DataFrame:
    return pd.DataFrame([*rows, *MORE], columns=["trial", "kind", "value", "variance"])


def test_the_naive_prediction_is_one_more_of_all_other_arms():
    others = np.array([-2.5, -4.5, 0.5, -12.0, -1.5, -8.0, -2.0])
    found = naive(ARMS, "A")
    np.testing.assert_allclose(found.mean, np.full(2, others.mean()))
    np.testing.assert_allclose(found.sd, np.full(2, np.std(others, ddof=1) * math.sqrt(8 / 7)))


def test_an_arm_is_predicted_by_the_pool_of_the_same_kind_where_three_others_are_there():
    pooled = pooling.pool([-2.5, 0.5, -1.5], [0.9, 0.3, 0.7], method="REML", test="knha")
    found = pool(ARMS, "A")
    assert found.mean[0] == pytest.approx(pooled.mu)
    assert found.sd[0] == pytest.approx(math.sqrt(pooled.tau2 + pooled.se**2 + 0.5))


def test_an_arm_is_predicted_by_the_pool_of_all_others_where_fewer_are_alike():
    rest = ARMS[ARMS["trial"] != "A"]
    median = np.median([0.9, 0.3, 2.0, 0.7, 0.2])
    pooled = pooling.pool(rest["value"], rest["variance"].fillna(median), method="REML", test="knha")
    found = pool(ARMS, "A")
    assert found.mean[1] == pytest.approx(pooled.mu)
    assert found.sd[1] == pytest.approx(math.sqrt(pooled.tau2 + pooled.se**2 + 0.4))


def test_arms_of_a_third_trial_make_a_kind_large_enough():
    more = pd.concat([ARMS, pd.DataFrame([("F", "drug", -5.0, 0.6)], columns=ARMS.columns)], ignore_index=True)
    pooled = pooling.pool([-4.5, -2.0, -5.0], [0.65, 0.2, 0.6], method="REML", test="knha")
    assert np.median([0.9, 0.3, 2.0, 0.7, 0.2, 0.6]) == pytest.approx(0.65)
    assert pool(more, "A").mean[1] == pytest.approx(pooled.mu)


def test_a_missing_variance_is_the_median_of_those_of_other_trials():
    variance = np.array([1.0, np.nan, 3.0, 10.0, 1000.0])
    found = imputed(variance, np.array([True, True, True, True, False]))
    assert found.tolist() == [1.0, 3.0, 3.0, 10.0, 1000.0]
    assert np.isnan(variance[1])


def test_a_larger_arm_is_predicted_more_narrowly_by_the_pool_only():
    larger = ARMS.assign(variance=ARMS["variance"].mask(ARMS.index == 0, 0.01))
    assert pool(larger, "A").sd[0] < pool(ARMS, "A").sd[0]
    np.testing.assert_array_equal(naive(larger, "A").sd, naive(ARMS, "A").sd)


@BOTH
@settings(max_examples=40)
@given(
    st.lists(ROW, max_size=8), st.lists(st.one_of(st.floats(allow_nan=True), st.just(0.0)), min_size=11, max_size=11)
)
def test_the_values_of_the_trial_left_out_never_change_its_prediction(predict, rows, replaced):
    table = table_of(rows)
    own = table["trial"] == "A"
    other = table.assign(value=table["value"].where(~own, pd.Series(replaced[: len(table)])))
    found, again = predict(table, "A"), predict(other, "A")
    np.testing.assert_array_equal(found.mean, again.mean)
    np.testing.assert_array_equal(found.sd, again.sd)
    assert found.mean.shape == found.sd.shape == (own.sum(),)


@BOTH
def test_values_of_other_trials_do_change_it(predict):
    other = ARMS.assign(value=ARMS["value"].mask(ARMS["trial"] == "B", 7.0))
    assert (predict(other, "A").mean != predict(ARMS, "A").mean).all()


@BOTH
@settings(max_examples=40)
@given(st.lists(ROW, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_arms_does_not_change_their_predictions(predict, rows, random):
    table = table_of(rows)
    order = random.sample(range(len(table)), len(table))
    moved = table.iloc[order]
    place = [i for i in order if table["trial"][i] == "A"]
    by_row = pd.DataFrame(vars(predict(table, "A")), index=np.flatnonzero(table["trial"] == "A"))
    np.testing.assert_allclose(by_row.loc[place, "mean"], predict(moved, "A").mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_row.loc[place, "sd"], predict(moved, "A").sd, rtol=1e-4, atol=1e-4)


@BOTH
def test_predictions_of_exchangeable_trials_hold_what_they_should(predict):
    """Trials of one arm each from one normal distribution: 90 % intervals hold about 90 % of the arms left out."""
    n, repeats = 30, 20
    held = 0
    for repeat in range(repeats):
        normal = Streams(1, repeat).normal("arms", 2 * n)
        values = -4.0 + 2.0 * normal[:n] + 1.0 * normal[n:]
        table = pd.DataFrame({"trial": range(n), "kind": "drug", "value": values, "variance": 1.0})
        for trial in range(n):
            found = predict(table, trial)
            held += abs(values[trial] - found.mean[0]) < 1.6449 * found.sd[0]
    assert 0.87 < held / (n * repeats) < 0.93


@BOTH
def test_the_table_is_left_alone_and_the_prediction_cannot_be_changed(predict):
    before = ARMS.copy(deep=True)
    found = predict(ARMS, "D")
    pd.testing.assert_frame_equal(ARMS, before)
    assert isinstance(found, Predicted)
    with pytest.raises(ValueError, match="read-only"):
        found.mean[0] = 0.0


@BOTH
@pytest.mark.parametrize(
    ("table", "trial", "message"),
    [
        (ARMS.drop(columns="variance"), "A", "column is missing"),
        (ARMS, "Z", "no such trial.*A, B, C, D, E"),
        (ARMS.assign(trial=ARMS["trial"].mask(ARMS.index == 3)), "A", "arm without trial"),
        (ARMS.assign(kind="placebo"), "A", "no such kind"),
        (ARMS.assign(value=ARMS["value"].mask(ARMS.index == 3)), "A", r"value is missing.*value\[3\]"),
        (ARMS.assign(variance=ARMS["variance"].mask(ARMS.index == 3, 0.0)), "A", r"not positive.*variance\[3\]"),
        (ARMS.assign(variance=ARMS["variance"].mask(ARMS.index == 0, np.inf)), "A", r"not positive.*variance\[0\]"),
        (ARMS.iloc[[0, 1, 2]], "A", "too few arms"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_place(predict, table, trial, message):
    with pytest.raises(InputError, match=message):
        predict(table, trial)


def test_a_pool_needs_a_variance_from_another_trial():
    unknown = ARMS.assign(variance=ARMS["variance"].where(ARMS["trial"] == "A"))
    assert np.isfinite(naive(unknown, "A").sd).all()
    with pytest.raises(InputError, match="no other trial reports a variance"):
        pool(unknown, "A")
