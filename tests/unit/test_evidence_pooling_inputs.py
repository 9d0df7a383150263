"""What pooling refuses, and what it does at the edges: one study, two, none left, zero cells, odd networks."""

import dataclasses
import math
import pickle

import numpy as np
import pandas as pd
import pytest

from stromal.compute.errors import InputError
from stromal.evidence.pooling import (
    begg,
    contrasts,
    cumulative,
    egger,
    leave_one_out,
    log_odds_ratio,
    log_rate_ratio,
    log_risk_ratio,
    logit_proportion,
    mantel_haenszel,
    mean_difference,
    network,
    peto,
    pool,
    regress,
    risk_difference,
    single_mean,
    subgroups,
    trim_and_fill,
)
from stromal.evidence.pooling.heterogeneity import ESTIMATORS

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("yi", "vi", "options", "what", "place"),
    [
        ([1.0, NAN], [1.0, 1.0], {}, "missing or infinite", "yi[1]"),
        ([1.0, INF], [1.0, 1.0], {}, "missing or infinite", "yi[1]"),
        ([1.0, None], [1.0, 1.0], {}, "missing or infinite", "yi[1]"),
        ([1.0, 2.0], [1.0, NAN], {}, "missing or infinite", "vi[1]"),
        ([1.0, 2.0], [0.0, 1.0], {}, "not positive", "vi[0]"),
        ([1.0, 2.0], [1.0, -0.1], {}, "not positive", "vi[1]"),
        ([1.0, 2.0], [1.0, 1e-60], {}, "too large or too small", "vi[1]"),
        ([1.0, 1e60], [1.0, 1.0], {}, "too large", "yi[1]"),
        ([1.0, 2.0], [1.0], {}, "differ in length", "vi"),
        ([], [], {}, "no study", "yi"),
        (["a", "b"], [1.0, 1.0], {}, "not a list of numbers", "yi"),
        ([[1.0], [2.0]], [1.0, 1.0], {}, "not a flat list", "yi"),
        (1.0, 1.0, {}, "not a flat list", "yi"),
        ([1.0], [1.0], {"method": "reml"}, "no such method", "method"),
        ([1.0], [1.0], {"test": "t"}, "no such test", "test"),
        ([1.0], [1.0], {"prediction": "t"}, "no such prediction", "prediction"),
        ([1.0], [1.0], {"level": 95}, "not a coverage", "level"),
        ([1.0], [1.0], {"level": 1.0}, "not a coverage", "level"),
        ([1.0], [1.0], {"labels": ["a", "b"]}, "one label per study", "labels"),
    ],
)
def test_bad_effects_and_options_are_refused_with_their_place(yi, vi, options, what, place):
    with pytest.raises(InputError, match=what) as caught:
        pool(yi, vi, **options)
    assert caught.value.place == place
    assert caught.value.remedy


@pytest.mark.parametrize("method", ESTIMATORS)
def test_one_study_is_itself_and_says_nothing_about_others(method):
    r = pool([0.4], [0.09], method, labels=["only"])
    assert (r.mu, r.se) == pytest.approx((0.4, 0.3))
    assert (r.ci_low, r.ci_high) == pytest.approx((0.4 - 1.959964 * 0.3, 0.4 + 1.959964 * 0.3), rel=1e-6)
    assert math.isnan(r.tau2) == (method != "EE")
    assert all(math.isnan(x) for x in (r.i2, r.h2, r.q_p, r.pi_low, r.pi_high, r.tau2_low, r.tau2_high))
    assert (r.q_df, r.k, list(r.weights)) == (0, 1, [100.0])
    assert math.isnan(pool([0.4], [0.09], method, "knha").se)


def test_two_studies_have_no_prediction_interval_with_k_minus_2_degrees_of_freedom():
    r = pool([0.1, 0.9], [0.1, 0.1], prediction="t_k2")
    assert math.isnan(r.pi_low)
    assert pool([0.1, 0.9], [0.1, 0.1], prediction="t_k1").pi_low < r.ci_low


def test_a_common_effect_has_no_prediction_interval():
    r = pool([0.1, 0.9, 0.3], [0.1, 0.1, 0.2], "EE")
    assert math.isnan(r.pi_low)
    assert math.isnan(r.pi_high)


def test_a_variance_estimate_of_zero_is_the_boundary_not_an_error():
    for method in ESTIMATORS:
        assert pool([0.30, 0.31, 0.29], [1.0, 2.0, 0.5], method).tau2 == pytest.approx(0.0, abs=1e-3)
    for method in ("DL", "PM", "REML", "ML", "HE", "HS"):
        assert pool([0.30, 0.31, 0.29], [1.0, 2.0, 0.5], method).tau2 == 0.0


def test_a_level_sets_the_width_of_every_interval():
    narrow, wide = pool([0.1, 0.9, 0.4], [0.1] * 3, level=0.8), pool([0.1, 0.9, 0.4], [0.1] * 3, level=0.99)
    for low, high in (("ci_low", "ci_high"), ("pi_low", "pi_high"), ("tau2_low", "tau2_high")):
        assert getattr(wide, high) - getattr(wide, low) > getattr(narrow, high) - getattr(narrow, low)


def test_tables_of_pandas_are_taken_by_position():
    y = pd.Series([0.1, 0.9], index=[7, 3])
    assert pool(y, pd.Series([0.1, 0.2], index=[1, 2])).mu == pool([0.1, 0.9], [0.1, 0.2]).mu


def test_results_are_frozen_and_travel_between_processes():
    r = pool([0.1, 0.9, 0.4], [0.1, 0.2, 0.1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        r.mu = 0.0
    with pytest.raises(ValueError, match="read-only"):
        r.weights[0] = 1.0
    again = pickle.loads(pickle.dumps(r))  # noqa: S301 - made here
    assert (again.mu, again.labels) == (r.mu, r.labels)
    n = network({"study": ["s"], "treat1": ["a"], "treat2": ["b"], "te": [1.0], "se": [0.5]})
    assert pickle.loads(pickle.dumps(n)).effects[0, 1] == n.effects[0, 1]  # noqa: S301


def test_a_result_does_not_follow_later_changes_of_its_input():
    y, v = np.array([0.1, 0.9, 0.4]), np.array([0.3, 0.2, 0.1])
    r = pool(y, v)
    y[0], v[0] = 5.0, 5.0
    assert (r.yi[0], r.vi[0]) == (0.1, 0.3)


def test_only_studies_with_a_zero_cell_are_corrected():
    r = log_odds_ratio([0, 5], [20, 20], [4, 8], [20, 20])
    assert list(r.corrected) == [True, False]
    assert r.yi[0] == pytest.approx(math.log(0.5 * 16.5 / (20.5 * 4.5)))
    assert r.vi[0] == pytest.approx(1 / 0.5 + 1 / 20.5 + 1 / 4.5 + 1 / 16.5)
    assert r.yi[1] == pytest.approx(math.log(5 * 12 / (15 * 8)))
    full = log_risk_ratio([20], [20], [8], [20])
    assert full.yi[0] == pytest.approx(math.log((20.5 / 21) / (8.5 / 21)))
    other = log_odds_ratio([0], [20], [4], [20], correction=0.1)
    assert other.yi[0] == pytest.approx(math.log(0.1 * 16.1 / (20.1 * 4.1)))


def test_a_study_without_events_must_be_decided_upon():
    counts = ([0, 3], [10, 30], [0, 9], [12, 30])
    for function in (log_odds_ratio, log_risk_ratio, risk_difference):
        with pytest.raises(InputError, match="no events") as caught:
            function(*counts)
        assert caught.value.place == "study 1"
        kept, dropped = function(*counts, double_zero="keep"), function(*counts, double_zero="drop", labels="ab")
        assert (len(kept.yi), len(dropped.yi)) == (2, 1)
        assert (dropped.labels, dropped.dropped) == (("b",), ("a",))
        assert np.isfinite(kept.yi).all()
        assert (kept.vi > 0).all()
    with pytest.raises(InputError, match="no events"):
        log_odds_ratio([10], [10], [12], [12])
    with pytest.raises(InputError, match="double_zero"):
        log_odds_ratio(*counts, double_zero="ignore")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: log_odds_ratio([5], [4], [1], [9]), "more events than patients"),
        (lambda: log_odds_ratio([-1], [4], [1], [9]), "not a count"),
        (lambda: log_odds_ratio([1], [0], [1], [9]), "not a number of patients"),
        (lambda: log_odds_ratio([1, 2], [4, 4], [1], [9]), "differ in length"),
        (lambda: log_odds_ratio([0], [4], [1], [9], correction=0.0), "zero cell"),
        (lambda: log_odds_ratio([1], [4], [1], [9], correction=-1.0), "not a correction"),
        (lambda: mean_difference([1.0], [0.0], [5], [1.0], [1.0], [5]), "not a standard deviation"),
        (lambda: mean_difference([1.0], [1.0], [1], [1.0], [1.0], [5]), "too few patients"),
        (lambda: mean_difference([NAN], [1.0], [9], [1.0], [1.0], [5]), "not a mean"),
        (lambda: log_rate_ratio([3], [0.0], [3], [10.0]), "not a time at risk"),
        (lambda: log_rate_ratio([0], [9.0], [0], [10.0]), "no events"),
        (lambda: log_rate_ratio([0], [9.0], [2], [10.0], correction=0.0), "zero cell"),
        (lambda: logit_proportion([9], [8]), "more events"),
        (lambda: single_mean([1.0], [NAN], [8]), "not a standard deviation"),
        (lambda: mantel_haenszel([0, 0], [9, 9], [1, 2], [9, 9], "OR"), "a ratio cannot be estimated"),
        (lambda: mantel_haenszel([], [], [], []), "no study"),
        (lambda: mantel_haenszel([1], [9], [1], [9], "PETO"), "no such measure"),
        (lambda: peto([0], [9], [0], [9]), "both events and non-events"),
        (lambda: leave_one_out(pool([1.0], [1.0])), "nothing is left"),
        (lambda: cumulative(pool([1.0, 2.0], [1.0, 1.0]), [2001]), "one number per study"),
        (lambda: cumulative(pool([1.0, 2.0], [1.0, 1.0]), [2001, NAN]), "one number per study"),
        (lambda: egger(pool([1.0, 2.0], [1.0, 2.0])), "too few studies"),
        (lambda: egger(pool([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])), "constant or repeat"),
        (lambda: egger(pool([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), "old"), "no such model"),
        (lambda: begg(pool([1.0, 2.0], [1.0, 2.0])), "too few studies"),
        (lambda: trim_and_fill(pool([1.0, 2.0], [1.0, 2.0])), "too few studies"),
        (lambda: trim_and_fill(pool([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), "up"), "no such side"),
        (lambda: subgroups([1.0, 2.0], [1.0, 1.0], ["a"]), "differ in length"),
        (lambda: subgroups([1.0, 2.0], [1.0, 1.0], ["a", None]), "no group"),
    ],
)
def test_bad_arms_tables_and_groups_are_refused(call, what):
    with pytest.raises(InputError, match=what):
        call()


@pytest.mark.parametrize(
    ("moderators", "what"),
    [
        ({}, "no moderator"),
        ({"x": [1.0, 1.0, 1.0, 1.0]}, "constant or repeat"),
        ({"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 4.0, 6.0, 8.0]}, "constant or repeat"),
        ({"x": [1.0, NAN, 3.0, 4.0]}, "property is missing"),
        ({"x": [1.0, INF, 3.0, 4.0]}, "not a number"),
        ({"x": [1.0, 2.0]}, "differ in length"),
        ({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0]}, "differ in length"),
        ({"x": ["a", "b", "c", "d"]}, "not more studies than coefficients"),
        (5, "not a table"),
    ],
)
def test_bad_moderators_are_refused(moderators, what):
    with pytest.raises(InputError, match=what):
        regress([0.1, 0.2, 0.3, 0.9], [1.0, 1.0, 1.0, 1.0], moderators)


def test_the_reference_category_is_the_first_and_can_be_chosen():
    y, v, kinds = [0.1, 0.2, 0.8, 0.9, 0.5], [0.1] * 5, ["open", "blind", "open", "blind", "open"]
    assert list(regress(y, v, {"d": kinds}).coefficients.index) == ["intercept", "d[open]"]
    chosen = regress(y, v, {"d": pd.Categorical(kinds, categories=["open", "blind"])})
    assert list(chosen.coefficients.index) == ["intercept", "d[blind]"]
    flags = regress(y, v, pd.DataFrame({"late": [True, False, True, False, False]}))
    assert list(flags.coefficients.index) == ["intercept", "late[True]"]
    row = chosen.predict({"d": ["blind"]}).iloc[0]
    assert row["estimate"] == pytest.approx(chosen.coefficients["estimate"].sum())
    with pytest.raises(InputError, match="no such category"):
        chosen.predict({"d": ["single-blind"]})
    with pytest.raises(InputError, match="moderator is missing"):
        chosen.predict({"e": ["blind"]})


ROW = {"study": ["s", "t"], "treat1": ["a", "b"], "treat2": ["b", "c"], "te": [1.0, 0.5], "se": [0.5, 0.4]}
TRIANGLE = pd.DataFrame(
    [("s", "a", "b", 1.0, 0.5), ("s", "b", "c", 0.5, 0.5), ("s", "a", "c", 1.5, 0.5)], columns=list(ROW)
)


@pytest.mark.parametrize(
    ("studies", "options", "what"),
    [
        ({k: v for k, v in ROW.items() if k != "se"}, {}, "columns are missing"),
        (ROW | {"se": [0.5, 0.0]}, {}, "standard error is not positive"),
        (ROW | {"se": [0.5, NAN]}, {}, "missing or infinite"),
        (ROW | {"te": [NAN, 0.1]}, {}, "missing or infinite"),
        (ROW | {"treat2": ["b", "b"]}, {}, "compared with itself"),
        (ROW | {"treat2": ["b", " "]}, {}, "no name"),
        (ROW | {"study": ["s", None]}, {}, "no name"),
        (ROW | {"treat1": ["a", "d"]}, {}, "parts that no study connects"),
        (ROW | {"study": ["s", "s"]}, {}, "lacks comparisons"),
        ({"study": ["s", "s"], "treat1": ["a", "b"], "treat2": ["b", "a"], "te": [1, -1], "se": [1, 1]}, {}, "twice"),
        (TRIANGLE.assign(te=[1.0, 0.5, 0.9]), {}, "do not add up"),
        (TRIANGLE.assign(se=[0.1, 0.1, 5.0]), {}, "standard errors of a study do not fit"),
        ({k: [] for k in ROW}, {}, "no study"),
        (ROW, {"model": "fixed"}, "no such model"),
        (ROW, {"tau2": "EE"}, "no such tau2"),
        (ROW, {"reference": "z"}, "no such reference"),
        (ROW, {"level": 0.0}, "not a coverage"),
    ],
)
def test_bad_networks_are_refused(studies, options, what):
    with pytest.raises(InputError, match=what):
        network(studies, **options)


def test_rounded_contrasts_of_a_study_are_accepted():
    exact, rounded = network(TRIANGLE), network(TRIANGLE.assign(te=[1.0, 0.5, 1.51]))
    assert rounded.effects == pytest.approx(exact.effects, abs=0.01)


def test_a_chain_of_single_studies_adds_effects_and_variances():
    found = network(ROW)
    assert math.isnan(found.tau2)
    d = found.difference("a", "c")
    assert (d["effect"], d["se"]) == pytest.approx((1.5, math.hypot(0.5, 0.4)))
    assert found.direct("a", "c") == 0
    assert found.reference == "b"
    with pytest.raises(InputError, match="no such treatment"):
        found.difference("a", "x")
    with pytest.raises(InputError, match="no such better"):
        found.p_scores("big")


ARMS = pd.DataFrame(
    {"study": ["s", "s", "t", "t"], "treatment": ["a", "b", "a", "b"], "events": [0, 0, 2, 5], "n": [9, 9, 20, 20]}
)


def test_contrasts_decide_on_studies_without_events_as_effects_do():
    with pytest.raises(InputError, match="no events"):
        contrasts(ARMS)
    assert list(contrasts(ARMS, double_zero="drop")["study"]) == ["t"]
    kept = contrasts(ARMS, double_zero="keep")
    assert kept["te"][0] == pytest.approx(0.0)
    full = log_odds_ratio([0], [9], [0], [9], double_zero="keep")
    assert kept["se"][0] == pytest.approx(math.sqrt(full.vi[0]))


@pytest.mark.parametrize(
    ("arms", "options", "what"),
    [
        (ARMS.drop(columns="n"), {}, "columns are missing"),
        (ARMS.assign(treatment="a"), {}, "a treatment twice"),
        (ARMS.iloc[:3], {"double_zero": "drop"}, "one arm only"),
        (ARMS.assign(n=[9, 9, 20, 4]), {}, "more events"),
        (ARMS.assign(events=[-1, 0, 1, 1]), {}, "not a value of events"),
        (ARMS, {"measure": "SMD"}, "no such measure"),
        (ARMS, {"correction": 0.0, "double_zero": "keep"}, "zero cell"),
    ],
)
def test_bad_arms_of_a_network_are_refused(arms, options, what):
    with pytest.raises(InputError, match=what):
        contrasts(arms, **options)
