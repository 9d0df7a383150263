"""Laws of pooling that hold for any studies."""

import math
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromal.evidence.pooling import (
    egger,
    log_odds_ratio,
    log_rate_ratio,
    log_risk_ratio,
    mantel_haenszel,
    mean_difference,
    network,
    peto,
    pool,
    regress,
    risk_difference,
    standardised_mean_difference,
    trim_and_fill,
)
from stromal.evidence.pooling.heterogeneity import ESTIMATORS

effects = st.floats(-5.0, 5.0, allow_subnormal=False).map(lambda x: round(x, 3))
variances = st.floats(-3.0, 2.0).map(lambda x: round(10.0**x, 6))
methods = st.sampled_from(list(ESTIMATORS))
random_methods = st.sampled_from([m for m in ESTIMATORS if m != "EE"])
tests = st.sampled_from(["z", "knha", "adhoc"])
some = settings(max_examples=40)
few = settings(max_examples=15)  # where an example pools many times
RESULTS = ("mu", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "h2", "q", "q_p", "p")


@st.composite
def studies(draw, smallest=2, largest=8):
    k = draw(st.integers(smallest, largest))
    y = draw(st.lists(effects, min_size=k, max_size=k))
    return np.array(y), np.array(draw(st.lists(variances, min_size=k, max_size=k)))


def same(one, two, fields=RESULTS, abs_=1e-9):
    for field in fields:
        assert getattr(one, field) == pytest.approx(getattr(two, field), rel=1e-7, abs=abs_, nan_ok=True), field


@some
@given(studies(), methods, tests, st.randoms(use_true_random=False))
def test_the_order_of_the_studies_does_not_matter(data, method, test, random):
    y, v = data
    order = list(range(len(y)))
    random.shuffle(order)
    one, two = pool(y, v, method, test), pool(y[order], v[order], method, test)
    same(one, two)
    assert two.weights == pytest.approx(one.weights[order])


@some
@given(studies(), methods, tests, st.sampled_from([0.01, 0.5, 3.0, 1000.0]))
def test_another_unit_scales_the_result(data, method, test, c):
    y, v = data
    one, two = pool(y, v, method, test), pool(c * y, c * c * v, method, test)
    for field in ("mu", "se", "ci_low", "ci_high", "pi_low", "pi_high"):
        assert getattr(two, field) == pytest.approx(c * getattr(one, field), rel=1e-7, abs=1e-9 * c, nan_ok=True)
    assert two.tau2 == pytest.approx(c * c * one.tau2, rel=1e-7, abs=1e-12 * c * c)
    assert (two.i2, two.q) == pytest.approx((one.i2, one.q), rel=1e-6, abs=1e-6)


@some
@given(studies(), methods, tests, st.sampled_from([-10.0, 0.25, 64.0]))
def test_a_shift_of_all_effects_shifts_the_mean_and_nothing_else(data, method, test, c):
    y, v = data
    one, two = pool(y, v, method, test), pool(y + c, v, method, test)
    assert two.mu == pytest.approx(one.mu + c, rel=1e-8, abs=1e-8)
    same(one, two, ("se", "tau2", "i2", "q"), abs_=1e-7)


@some
@given(studies(), methods, tests)
def test_opposite_effects_give_the_opposite_result(data, method, test):
    y, v = data
    one, two = pool(y, v, method, test), pool(-y, v, method, test)
    assert (two.mu, two.ci_low, two.pi_low) == pytest.approx(
        (-one.mu, -one.ci_high, -one.pi_high), rel=1e-8, abs=1e-9, nan_ok=True
    )
    same(one, two, ("se", "tau2", "p"))


@some
@given(studies())
def test_dersimonian_laird_is_the_common_effect_when_q_is_at_most_its_degrees_of_freedom(data):
    y, v = data
    one, common = pool(y, v, "DL"), pool(y, v, "EE")
    assert (one.tau2 == 0.0) == (one.q <= one.q_df)
    if one.tau2 == 0.0:
        same(one, common, ("mu", "se", "ci_low", "ci_high", "i2", "h2"))
    else:
        assert one.se > common.se
        assert one.i2 == pytest.approx(common.i2, rel=1e-7)


@some
@given(studies(), methods)
def test_i2_is_a_share_below_all_and_fits_h2(data, method):
    r = pool(*data, method)
    assert 0.0 <= r.i2 < 100.0
    assert r.h2 >= 1.0
    assert r.i2 == pytest.approx(100.0 * (1.0 - 1.0 / r.h2), abs=1e-9)
    assert 0.0 <= r.tau2_low <= r.tau2_high


@some
@given(studies(smallest=3))
def test_paule_mandel_needs_no_hartung_knapp_factor(data):
    z, t = pool(*data, "PM"), pool(*data, "PM", "knha")
    assume(z.tau2 > 0.0)
    assert t.se == pytest.approx(z.se, rel=1e-8)


@some
@given(studies(), methods)
def test_the_ad_hoc_floor_acts_only_where_studies_agree_too_well(data, method):
    z, t, floor = (pool(*data, method, test) for test in ("z", "knha", "adhoc"))
    assert floor.se == pytest.approx(max(z.se, t.se), rel=1e-12)
    assert floor.ci_high - floor.ci_low >= (z.ci_high - z.ci_low) * (1 - 1e-12)


@some
@given(studies(smallest=3), random_methods, tests)
def test_the_next_study_is_less_certain_than_the_mean(data, method, test):
    r = pool(*data, method, test, "t_k1")
    slack = 1e-9 + 1e-9 * abs(r.mu)
    if test != "z":
        assert r.pi_low <= r.ci_low + slack
        assert r.pi_high >= r.ci_high - slack
    wide = pool(*data, method, test, "t_k2")
    assert wide.pi_high - wide.pi_low >= (r.pi_high - r.pi_low) * (1 - 1e-12)


@some
@given(studies(), methods)
def test_weights_are_shares_and_the_mean_lies_among_the_effects(data, method):
    r = pool(*data, method)
    assert (r.weights > 0).all()
    assert r.weights.sum() == pytest.approx(100.0)
    assert r.mu == pytest.approx(np.average(r.yi, weights=r.weights), rel=1e-9, abs=1e-9)


@some
@given(effects, st.lists(variances, min_size=2, max_size=8), methods)
def test_studies_that_agree_exactly_have_no_variance_between_them(y, v, method):
    r = pool([y] * len(v), v, method)
    assert r.tau2 == pytest.approx(0.0, abs=1e-12)
    assert r.mu == pytest.approx(y, rel=1e-12, abs=1e-12)
    assert (r.tau2_low, r.tau2_high) == (0.0, 0.0)


@few
@given(studies(smallest=2, largest=2))
def test_two_studies_of_equal_precision_have_the_variance_of_their_difference(data):
    y, v = data
    v = np.full(2, v[0])
    expected = max(0.0, (y[0] - y[1]) ** 2 / 2.0 - v[0])
    for method in ("DL", "PM", "REML", "HE"):
        assert pool(y, v, method).tau2 == pytest.approx(expected, rel=1e-8, abs=1e-12)


@few
@given(studies(smallest=4))
def test_pooling_parts_first_gives_the_common_effect_of_all(data):
    y, v = data
    parts = [pool(y[:2], v[:2], "EE"), pool(y[2:], v[2:], "EE")]
    again = pool([p.mu for p in parts], [p.se**2 for p in parts], "EE")
    everything = pool(y, v, "EE")
    assert (again.mu, again.se) == pytest.approx((everything.mu, everything.se), rel=1e-9, abs=1e-12)


@few
@given(studies(smallest=4), random_methods)
def test_a_regression_is_blind_to_the_unit_of_its_moderator(data, method):
    x = np.arange(len(data[0]), dtype=float)
    one, two = regress(*data, {"x": x}, method), regress(*data, {"x": 10.0 * x + 3.0}, method)
    assert two.tau2 == pytest.approx(one.tau2, rel=1e-6, abs=1e-9)
    assert two.coefficients.loc["x", "estimate"] * 10.0 == pytest.approx(
        one.coefficients.loc["x", "estimate"], rel=1e-6, abs=1e-8
    )
    assert (two.qm, two.qe) == pytest.approx((one.qm, one.qe), rel=1e-5, abs=1e-6)


@few
@given(studies(smallest=3))
def test_small_study_methods_mirror_with_the_effects(data):
    y, v = data
    assume(len(set(v)) > 2)
    one, two = egger(pool(y, v, "DL")), egger(pool(-y, v, "DL"))
    assert two.estimate == pytest.approx(-one.estimate, rel=1e-6, abs=1e-8)
    left, right = trim_and_fill(pool(y, v, "DL"), "left"), trim_and_fill(pool(-y, v, "DL"), "right")
    if len(set(y)) == len(y):  # ties keep the order of the studies
        assert left.filled == right.filled
        assert left.after.mu == pytest.approx(-right.after.mu, rel=1e-7, abs=1e-8)
    assert left.after.k == len(y) + left.filled


counts = st.tuples(st.integers(1, 30), st.integers(1, 60), st.integers(1, 30), st.integers(1, 60))


@few
@given(st.lists(counts, min_size=1, max_size=5))
def test_swapping_the_groups_or_the_event_mirrors_the_effect(tables):
    a, b, c, d = (np.array(column) for column in zip(*tables, strict=True))
    for function in (log_odds_ratio, log_risk_ratio, risk_difference):
        one, two = function(a, a + b, c, c + d), function(c, c + d, a, a + b)
        assert two.yi == pytest.approx(-one.yi)
        assert two.vi == pytest.approx(one.vi)
    assert log_odds_ratio(b, a + b, d, c + d).yi == pytest.approx(-log_odds_ratio(a, a + b, c, c + d).yi)
    assert log_rate_ratio(c, c + d, a, a + b).yi == pytest.approx(-log_rate_ratio(a, a + b, c, c + d).yi)
    for measure in ("OR", "RR", "RD"):
        one, two = mantel_haenszel(a, a + b, c, c + d, measure), mantel_haenszel(c, c + d, a, a + b, measure)
        assert (two.mu, two.se, two.q) == pytest.approx((-one.mu, one.se, one.q), rel=1e-8, abs=1e-10)
    assert peto(c, c + d, a, a + b).mu == pytest.approx(-peto(a, a + b, c, c + d).mu, abs=1e-12)


@some
@given(counts)
def test_mantel_haenszel_of_one_table_is_the_effect_of_that_table(table):
    a, b, c, d = table
    for measure, function in (("OR", log_odds_ratio), ("RR", log_risk_ratio), ("RD", risk_difference)):
        one, crude = mantel_haenszel([a], [a + b], [c], [c + d], measure), function([a], [a + b], [c], [c + d])
        assert one.mu == pytest.approx(crude.yi[0], abs=1e-12)
        if measure != "RD":  # Sato's variance is another estimator
            assert one.se == pytest.approx(math.sqrt(crude.vi[0]), rel=1e-9)


@some
@given(
    st.floats(-50, 50),
    st.floats(0.1, 20),
    st.integers(2, 90),
    st.floats(-50, 50),
    st.floats(0.1, 20),
    st.integers(2, 90),
)
def test_a_standardised_difference_has_no_unit(m1, s1, n1, m2, s2, n2):
    one = standardised_mean_difference([m1], [s1], [n1], [m2], [s2], [n2])
    two = standardised_mean_difference([7 * m1], [7 * s1], [n1], [7 * m2], [7 * s2], [n2])
    assert two.yi == pytest.approx(one.yi, rel=1e-9, abs=1e-12)
    assert two.vi == pytest.approx(one.vi, rel=1e-9)
    raw = mean_difference([m1], [s1], [n1], [m2], [s2], [n2])
    assert np.sign(raw.yi) == np.sign(one.yi)


def table(rows):
    return pd.DataFrame(rows, columns=["study", "treat1", "treat2", "te", "se"])


@st.composite
def networks(draw):
    """A connected network of four treatments with studies of two and three arms."""
    designs = ["AB", "BC", "CD", *draw(st.lists(st.sampled_from(["AC", "AD", "ABC", "BCD", "AB", "CD"]), max_size=5))]
    rows = []
    for i, design in enumerate(designs):
        arms = {t: (draw(effects), draw(variances)) for t in design}
        for a, b in combinations(design, 2):
            rows.append((f"s{i}", a, b, arms[a][0] - arms[b][0], math.sqrt(arms[a][1] + arms[b][1])))
    return table(rows)


@few
@given(studies(), st.sampled_from(["DL", "REML", "ML", "PM", "HE", "HS", "SJ"]))
def test_a_network_of_two_treatments_is_a_pairwise_meta_analysis(data, method):
    y, v = data
    rows = table([(f"s{i}", "new", "old", a, math.sqrt(b)) for i, (a, b) in enumerate(zip(y, v, strict=True))])
    for model, pairwise in (("random", pool(y, v, method, prediction="t_k1")), ("common", pool(y, v, "EE"))):
        found = network(rows, model, method, reference="old")
        d = found.difference("new", "old")
        assert (d["effect"], d["se"]) == pytest.approx((pairwise.mu, pairwise.se), rel=1e-7, abs=1e-9)
        assert found.tau2 == pytest.approx(pairwise.tau2, rel=1e-7, abs=1e-9)
        assert (found.q, found.q_df) == (pytest.approx(pairwise.q, rel=1e-9, abs=1e-12), pairwise.q_df)
        if model == "random" and len(y) > 2:
            assert (d["pi_low"], d["pi_high"]) == pytest.approx((pairwise.pi_low, pairwise.pi_high), rel=1e-6, abs=1e-8)


@few
@given(networks(), st.sampled_from(["DL", "REML"]))
def test_network_effects_are_consistent(rows, method):
    found = network(rows, tau2=method)
    for a, b, c in permutations(range(4), 3):
        assert found.effects[a, b] + found.effects[b, c] == pytest.approx(found.effects[a, c], abs=1e-9)
    assert np.allclose(found.effects, -found.effects.T)
    assert np.allclose(found.se, found.se.T)
    scores = found.p_scores("higher")
    assert scores.mean() == pytest.approx(0.5)
    assert (scores + found.p_scores("lower")).to_numpy() == pytest.approx(np.ones(4))


@few
@given(networks(), st.integers(0, 2**20), st.randoms(use_true_random=False))
def test_a_network_is_blind_to_reference_order_and_direction(rows, swapped, random):
    other = [
        (study, b, a, -te, se) if swapped >> i & 1 else (study, a, b, te, se)
        for i, (study, a, b, te, se) in enumerate(rows.itertuples(index=False))
    ]
    random.shuffle(other)
    one, two = network(rows, reference="A"), network(table(other), reference="D")
    assert two.treatments == one.treatments
    assert two.effects == pytest.approx(one.effects, rel=1e-7, abs=1e-8)
    assert two.se == pytest.approx(one.se, rel=1e-7)
    assert (two.tau2, two.q) == pytest.approx((one.tau2, one.q), rel=1e-7, abs=1e-9, nan_ok=True)
    assert two.summary().loc["A", "effect"] == pytest.approx(-one.summary().loc["D", "effect"], rel=1e-7, abs=1e-8)


@few
@given(networks())
def test_other_names_of_the_treatments_change_nothing(rows):
    names = {"A": "zeta", "B": "alpha", "C": "mu", "D": "beta"}
    other = rows.replace({"treat1": names, "treat2": names})
    one, two = network(rows), network(other)
    for a, b in combinations("ABCD", 2):
        d, e = one.difference(a, b), two.difference(names[a], names[b])
        assert (d["effect"], d["se"]) == pytest.approx((e["effect"], e["se"]), rel=1e-7, abs=1e-8)


@few
@given(networks())
def test_q_splits_into_designs_and_what_is_between_them(rows):
    found = network(rows)
    split = found.consistency()
    q, df = split.table["q"], split.table["df"]
    assert q["total"] == pytest.approx(found.q, rel=1e-9)
    assert q["within designs"] + q["between designs"] == pytest.approx(q["total"], rel=1e-7, abs=1e-8)
    assert df["within designs"] + df["between designs"] == df["total"]
    assert split.designs["q"].sum() == pytest.approx(q["within designs"], rel=1e-7, abs=1e-8)
    assert (q >= -1e-9).all()


@few
@given(st.lists(st.tuples(effects, variances), min_size=3, max_size=5))
def test_one_study_of_several_arms_gives_its_own_contrasts(arms):
    rows = [
        ("only", f"t{i}", f"t{j}", a[0] - b[0], math.sqrt(a[1] + b[1]))
        for (i, a), (j, b) in combinations(enumerate(arms), 2)
    ]
    found = network(table(rows))
    assert math.isnan(found.tau2)
    for _, a, b, te, se in rows:
        d = found.difference(a, b)
        assert (d["effect"], d["se"]) == pytest.approx((te, se), rel=1e-8, abs=1e-9)
