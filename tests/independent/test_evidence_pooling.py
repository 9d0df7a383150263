"""Pooling against statsmodels, regression models, exact arithmetic, and likelihoods written out with full matrices."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.api import GLM, WLS, families
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from stromal.evidence.pooling import (
    contrasts,
    cumulative,
    egger,
    log_odds_ratio,
    log_rate_ratio,
    log_risk_ratio,
    logit_proportion,
    mantel_haenszel,
    mean_difference,
    network,
    pool,
    regress,
    risk_difference,
    single_mean,
    standardised_mean_difference,
    subgroups,
)
from stromal.evidence.pooling.effects import small_sample_factor

YI = np.array([0.10, 0.30, -0.22, 0.75, 0.41, 0.05, 0.62])
VI = np.array([0.04, 0.09, 0.15, 0.06, 0.02, 0.11, 0.30])
seeds = st.integers(0, 10_000)


def studies(seed, k, tau=0.4):
    random = np.random.default_rng(seed)
    v = random.gamma(2.0, 0.05, k) + 1e-3
    return random.normal(0.3, np.sqrt(v + tau**2)), v


def restricted_log_likelihood(y, covariance, x):
    """Written with full matrices, as in a textbook of mixed models."""
    inverse = np.linalg.inv(covariance)
    information = x.T @ inverse @ x
    r = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    return -0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1] + r @ inverse @ r)


def log_likelihood(y, covariance, x):
    inverse = np.linalg.inv(covariance)
    r = y - x @ np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    return -0.5 * (np.linalg.slogdet(covariance)[1] + r @ inverse @ r)


def spread(y, v):
    """Whether Q exceeds its degrees of freedom; statsmodels goes on with negative variances otherwise."""
    mean = np.average(y, weights=1 / v)
    return np.sum((y - mean) ** 2 / v) > len(y) - 1


@settings(max_examples=25)
@given(seeds, st.integers(2, 20))
def test_dersimonian_laird_agrees_with_statsmodels(seed, k):
    y, v = studies(seed, k)
    assume(spread(y, v))
    found, other = pool(y, v, "DL"), combine_effects(y, v, method_re="dl")
    assert (found.mu, found.se, found.tau2) == pytest.approx(
        (other.mean_effect_re, other.sd_eff_w_re, other.tau2), rel=1e-9
    )
    common = pool(y, v, "EE")
    assert (common.mu, common.se) == pytest.approx((other.mean_effect_fe, other.sd_eff_w_fe), rel=1e-9)
    assert (common.q, common.i2) == pytest.approx((other.q, 100.0 * other.i2), rel=1e-9)


@settings(max_examples=25)
@given(seeds, st.integers(3, 20))
def test_paule_mandel_agrees_with_statsmodels(seed, k):
    y, v = studies(seed, k, tau=0.8)
    assume(spread(y, v))
    # statsmodels stops within 1e-5 of the root; asked for more it steps over it by rounding, and gives 0
    other = combine_effects(y, v, method_re="iterated")
    assert pool(y, v, "PM").tau2 == pytest.approx(other.tau2, rel=1e-4, abs=1e-5)


@pytest.mark.filterwarnings("ignore:`use_t=True` requires")  # for intervals of single studies, not used here
@settings(max_examples=25)
@given(seeds, st.integers(3, 20))
def test_hartung_knapp_agrees_with_statsmodels(seed, k):
    y, v = studies(seed, k, tau=1.0)
    assume(spread(y, v))
    row = combine_effects(y, v, method_re="dl", use_t=True).summary_frame().loc["random effect wls"]
    found = pool(y, v, "DL", "knha")
    assert (found.mu, found.se) == pytest.approx((row["eff"], row["sd_eff"]), rel=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx((row["ci_low"], row["ci_upp"]), rel=1e-9)


def test_cumulative_pooling_agrees_with_statsmodels_step_by_step():
    years = [2009, 2001, 2015, 2004, 2012, 2001, 2007]
    r = cumulative(pool(YI, VI, "DL"), years)
    order = [1, 5, 3, 6, 0, 4, 2]  # studies of one year stay in their order
    assert list(r.added) == [f"study {i + 1}" for i in order]
    for n in range(2, 8):
        y, v = YI[order[:n]], VI[order[:n]]
        other = combine_effects(y, v, method_re="dl")
        same = "random effect" if spread(y, v) else "fixed effect"
        row = other.summary_frame().loc[same]
        assert (r.steps[n - 1].mu, r.steps[n - 1].se) == pytest.approx((row["eff"], row["sd_eff"]), rel=1e-9)


@settings(max_examples=25)
@given(seeds, st.integers(2, 12))
def test_mantel_haenszel_odds_ratio_agrees_with_statsmodels(seed, k):
    random = np.random.default_rng(seed)
    n1, n2 = random.integers(5, 200, k), random.integers(5, 200, k)
    a, c = random.binomial(n1, 0.3), random.binomial(n2, 0.2)
    if a.sum() == 0 or c.sum() == 0:
        return
    other = StratifiedTable(np.array([[a, n1 - a], [c, n2 - c]], dtype=float))
    found = mantel_haenszel(a, n1, c, n2, "OR")
    assert found.mu == pytest.approx(other.logodds_pooled, rel=1e-9, abs=1e-12)
    assert found.se == pytest.approx(other.logodds_pooled_se, rel=1e-9)
    excess = float(np.sum(a - n1 * (a + c) / (n1 + n2)))
    # below the correction of 1/2 statsmodels squares a negative number
    expected = other.test_null_odds(correction=True).statistic if abs(excess) > 0.5 else 0.0
    assert found.cmh == pytest.approx(expected, rel=1e-8, abs=1e-9)
    if ((a > 0) & (c > 0) & (a < n1) & (c < n2)).all():
        assert found.tarone == pytest.approx(other.test_equal_odds(adjust=True).statistic, rel=1e-6, abs=1e-8)


@settings(max_examples=25)
@given(seeds, st.integers(4, 15), st.sampled_from(["REML", "ML"]))
def test_likelihood_estimates_beat_every_other_value_of_tau2(seed, k, method):
    y, v = studies(seed, k)
    one = np.ones((k, 1))
    likelihood = restricted_log_likelihood if method == "REML" else log_likelihood
    best = likelihood(y, np.diag(v + pool(y, v, method).tau2), one)
    for t in np.concatenate([[0.0], np.geomspace(1e-6, 100.0, 80)]):
        assert best >= likelihood(y, np.diag(v + t), one) - 1e-9


@pytest.mark.parametrize(
    ("y", "v", "low", "high", "chosen"),
    [
        ([0.21, 0.32, 22.32, 7.64, 0.01], [0.00019, 9.1, 40.9, 25.8, 1.95], 0.0, 43.6, "high"),
        ([-0.34, -25.26, 0.86, 0.06, -0.49, 1.49], [1.36, 36.1, 0.0869, 1.64, 16.1, 0.00045], 0.48, 47.4, "low"),
        ([-10.04, 0.97, 0.78, -0.07, 17.51], [19.6, 0.00055, 0.00059, 25.5, 10.7], 0.0185, 80.7, "high"),
    ],
)
def test_the_higher_of_two_maxima_is_taken(y, v, low, high, chosen):
    y, one = np.array(y), np.ones((len(y), 1))
    values = np.concatenate([[0.0], np.geomspace(1e-6, 1e3, 2001)])
    curve = np.array([restricted_log_likelihood(y, np.diag(v + t), one) for t in values])
    padded = np.concatenate([[-np.inf], curve, [-np.inf]])
    maxima = values[(padded[1:-1] > padded[:-2]) & (padded[1:-1] > padded[2:])]
    assert maxima == pytest.approx([low, high], rel=0.02)
    assert pool(y, v).tau2 == pytest.approx({"low": low, "high": high}[chosen], rel=0.02)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_likelihood_estimates_are_stationary_to_the_last_digits(method):
    r = pool(YI * 3, VI, method)
    assert r.tau2 > 0.0
    total = VI + r.tau2
    w = 1 / total
    p = np.diag(w) - np.outer(w, w) / w.sum()
    trace = np.trace(p) if method == "REML" else w.sum()
    assert (YI * 3) @ p @ p @ (YI * 3) == pytest.approx(trace, rel=1e-12)
    squared = np.trace(p @ p) if method == "REML" else (w**2).sum()
    assert r.tau2_se == pytest.approx(math.sqrt(2 / squared), rel=1e-12)


@pytest.mark.parametrize("smallest", [1e-4, 1e-8, 1e-12, 1e-20])
def test_variances_of_very_different_size_lose_no_digits(smallest):
    y, v = [0.3, -0.7, 1.1, 2.0, 0.1], [1.0, smallest, 2.0, 0.5, 3.0]
    effects, weights = [Fraction(x) for x in y], [1 / Fraction(x) for x in v]
    total = sum(weights)
    mu = sum(w * x for w, x in zip(weights, effects, strict=True)) / total
    q = sum(w * (x - mu) ** 2 for w, x in zip(weights, effects, strict=True))
    tau2 = max(Fraction(0), (q - 4) / (total - sum(w * w for w in weights) / total))
    found = pool(y, v, "DL")
    assert found.q == pytest.approx(float(q), rel=1e-13)
    assert found.tau2 == pytest.approx(float(tau2), rel=1e-12)
    random = [1 / (Fraction(x) + tau2) for x in v]
    assert found.mu == pytest.approx(
        float(sum(w * x for w, x in zip(random, effects, strict=True)) / sum(random)), rel=1e-12
    )


def test_two_dominant_studies_do_not_spoil_a_regression():
    y, v = [0.3, -0.7, 1.1, 2.0, 0.1, 0.9], [1e-14, 1.0, 1e-14, 2.0, 0.5, 3.0]
    x = [1.0, 2.0, 4.0, 5.0, 7.0, 3.0]
    w, design = [1 / Fraction(a) for a in v], [(Fraction(1), Fraction(a)) for a in x]
    effects = [Fraction(a) for a in y]
    a, b, c = (sum(u * d[i] * d[j] for u, d in zip(w, design, strict=True)) for i, j in ((0, 0), (0, 1), (1, 1)))
    p, q = (sum(u * d[i] * z for u, d, z in zip(w, design, effects, strict=True)) for i in (0, 1))
    det = a * c - b * b
    slope, base = (a * q - b * p) / det, (c * p - b * q) / det
    rest = [z - base - slope * d[1] for z, d in zip(effects, design, strict=True)]
    residual = sum(u * r * r for u, r in zip(w, rest, strict=True))
    leverage = sum(u * u * (c - 2 * b * d[1] + a * d[1] ** 2) / det for u, d in zip(w, design, strict=True))
    tau2 = float(max(Fraction(0), (residual - 4) / (sum(w) - leverage)))
    found = regress(y, v, {"x": x}, "DL")
    assert found.qe == pytest.approx(float(residual), rel=1e-9)
    assert found.tau2 == pytest.approx(tau2, rel=1e-9, abs=1e-300)


def test_meta_regression_agrees_with_weighted_least_squares():
    x = np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 3.0])
    other = WLS(YI, np.column_stack([np.ones(7), x]), weights=1 / VI).fit()
    found = regress(YI, VI, {"x": x}, "EE", "knha")
    assert found.coefficients["estimate"].to_numpy() == pytest.approx(other.params, rel=1e-10)
    assert found.coefficients["se"].to_numpy() == pytest.approx(other.bse, rel=1e-10)
    assert found.coefficients["p"].to_numpy() == pytest.approx(other.pvalues, rel=1e-9)
    assert found.qm_p == pytest.approx(float(other.f_pvalue), rel=1e-9)
    line = other.get_prediction(np.array([[1.0, 6.0]])).summary_frame()
    row = found.predict({"x": [6.0]}).iloc[0]
    assert (row["estimate"], row["ci_low"]) == pytest.approx((line["mean"][0], line["mean_ci_lower"][0]), rel=1e-9)


def test_classic_egger_agrees_with_weighted_least_squares():
    other = WLS(YI, np.column_stack([np.ones(7), np.sqrt(VI)]), weights=1 / VI).fit()
    found = egger(pool(YI, VI), "classic")
    assert (found.statistic, found.p, found.limit) == pytest.approx(
        (other.tvalues[1], other.pvalues[1], other.params[0]), rel=1e-9
    )


def test_a_regression_on_a_category_gives_the_means_of_its_groups():
    groups = ["a", "b", "a", "b", "a", "b", "b"]
    means = {g: pool(YI[[h == g for h in groups]], VI[[h == g for h in groups]], "EE") for g in "ab"}
    found = regress(YI, VI, {"group": groups}, "EE")
    assert found.coefficients["estimate"].to_numpy() == pytest.approx(
        [means["a"].mu, means["b"].mu - means["a"].mu], rel=1e-9
    )
    split = subgroups(YI, VI, groups, "EE")
    assert split.q_between == pytest.approx(found.qm, rel=1e-9)
    assert split.q_between + sum(p.q for p in split.pooled) == pytest.approx(split.overall.q, rel=1e-9)


def test_mean_difference_has_welchs_standard_error():
    random = np.random.default_rng(4)
    x, y = random.normal(3.0, 2.0, 17), random.normal(1.0, 5.0, 12)
    found = mean_difference([x.mean()], [x.std(ddof=1)], [17], [y.mean()], [y.std(ddof=1)], [12])
    other = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    assert found.yi[0] == pytest.approx(x.mean() - y.mean())
    assert math.sqrt(found.vi[0]) == pytest.approx(other.std_meandiff_separatevar, rel=1e-12)


@given(st.integers(2, 40), st.integers(2, 40), st.floats(-3.0, 3.0))
def test_the_exact_factor_makes_hedges_g_unbiased(n1, n2, delta):
    # Cohen's d times sqrt(n1 n2/(n1 + n2)) is noncentral t, whose mean SciPy knows
    df = n1 + n2 - 2
    if df < 2:
        return
    size = math.sqrt(n1 * n2 / (n1 + n2))
    mean = float(stats.nct.mean(df, delta * size)) / size
    assert float(small_sample_factor(df)) * mean == pytest.approx(delta, rel=1e-7, abs=1e-9)


def test_standardised_mean_difference_by_hand():
    found = standardised_mean_difference([5.0], [2.0], [10], [3.0], [3.0], [14])
    sd = math.sqrt((9 * 4.0 + 13 * 9.0) / 22)
    g = 2.0 / sd * (1 - 3 / (4 * 22 - 1))  # Hedges' approximation to the exact factor
    assert found.yi[0] == pytest.approx(g, rel=1e-4)
    assert found.vi[0] == pytest.approx(1 / 10 + 1 / 14 + found.yi[0] ** 2 / 48, rel=1e-12)


def test_rate_ratio_agrees_with_poisson_regression():
    found = log_rate_ratio([12], [340.0], [31], [402.5])
    # each group as two records, since a saturated model has no degree of freedom
    design = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    other = GLM([5, 7, 20, 11], design, family=families.Poisson(), exposure=[140.0, 200.0, 202.5, 200.0]).fit()
    assert (found.yi[0], math.sqrt(found.vi[0])) == pytest.approx((other.params[1], other.bse[1]), rel=1e-6)


def patients(events, n):
    return np.repeat([1.0, 0.0], [events, n - events])


def test_logit_proportion_agrees_with_logistic_regression():
    found = logit_proportion([7], [25])
    other = GLM(patients(7, 25), np.ones((25, 1)), family=families.Binomial()).fit()
    assert (found.yi[0], math.sqrt(found.vi[0])) == pytest.approx((other.params[0], other.bse[0]), rel=1e-6)


@pytest.mark.filterwarnings("ignore:The Log link function")
def test_odds_and_risk_ratio_agree_with_generalised_linear_models():
    outcome = np.concatenate([patients(9, 40), patients(4, 44)])
    design = np.column_stack([np.ones(84), np.repeat([1.0, 0.0], [40, 44])])
    odds, risk = log_odds_ratio([9], [40], [4], [44]), log_risk_ratio([9], [40], [4], [44])
    logit = GLM(outcome, design, family=families.Binomial()).fit()
    log = GLM(outcome, design, family=families.Binomial(families.links.Log())).fit(start_params=[-2.3, 0.8])
    assert (odds.yi[0], math.sqrt(odds.vi[0])) == pytest.approx((logit.params[1], logit.bse[1]), rel=1e-6)
    assert (risk.yi[0], math.sqrt(risk.vi[0])) == pytest.approx((log.params[1], log.bse[1]), rel=1e-5)


def test_single_mean_has_the_standard_error_of_the_mean():
    x = np.random.default_rng(2).normal(size=23)
    found = single_mean([x.mean()], [x.std(ddof=1)], [23])
    assert math.sqrt(found.vi[0]) == pytest.approx(stats.sem(x), rel=1e-12)


def network_studies(seed):
    """Two- and three-arm studies of four treatments, with arm means and variances."""
    random = np.random.default_rng(seed)
    designs = ["AB", "AC", "BC", "ABC", "BCD", "AD", "ABD", "CD", "AB"]
    true = dict(zip("ABCD", random.normal(0.0, 1.0, 4), strict=True))
    arms = []
    for i, design in enumerate(designs):
        for t in design:
            v = random.gamma(3.0, 0.02) + 0.01
            arms.append((f"s{i}", t, random.normal(true[t], math.sqrt(v + 0.1)), v))
    return pd.DataFrame(arms, columns=["study", "treatment", "mean", "v"])


def as_contrasts(arms):
    rows = []
    for study, own in arms.groupby("study", sort=False):
        for (_, a), (_, b) in combinations(own.iterrows(), 2):
            rows.append((study, a["treatment"], b["treatment"], a["mean"] - b["mean"], math.sqrt(a["v"] + b["v"])))
    return pd.DataFrame(rows, columns=["study", "treat1", "treat2", "te", "se"])


def full_matrices(arms):
    """Effects against the *last* arm of each study with their full covariance: V, and D with tau² on the diagonal."""
    y, x, v, d = [], [], [], []
    for _, own in arms.groupby("study", sort=False):
        *rest, base = own.to_dict("records")
        y += [r["mean"] - base["mean"] for r in rest]
        x += [[(r["treatment"] == t) - float(base["treatment"] == t) for t in "BCD"] for r in rest]
        v.append(np.diag([r["v"] for r in rest]) + base["v"])
        d.append(0.5 * (np.eye(len(rest)) + 1.0))
    return np.array(y), np.array(x, dtype=float), _blocks(v), _blocks(d)


def _blocks(parts):
    n = sum(len(p) for p in parts)
    full, at = np.zeros((n, n)), 0
    for p in parts:
        full[at : at + len(p), at : at + len(p)] = p
        at += len(p)
    return full


@settings(max_examples=25)
@given(seeds)
def test_network_agrees_with_generalised_least_squares_and_full_matrices(seed):
    arms = network_studies(seed)
    y, x, v, d = full_matrices(arms)
    inverse = np.linalg.inv(v)
    p = inverse - inverse @ x @ np.linalg.solve(x.T @ inverse @ x, x.T @ inverse)
    q, df = y @ p @ y, len(y) - 3
    tau2 = max(0.0, (q - df) / np.trace(p @ d))
    covariance = np.linalg.inv(x.T @ np.linalg.solve(v + tau2 * d, x))
    beta = covariance @ x.T @ np.linalg.solve(v + tau2 * d, y)
    found = network(as_contrasts(arms), reference="A")
    assert (found.q, found.q_df) == (pytest.approx(q, rel=1e-9), df)
    assert found.tau2 == pytest.approx(tau2, rel=1e-8, abs=1e-12)
    table = found.summary()
    assert table["effect"].to_numpy() == pytest.approx(beta, rel=1e-7, abs=1e-9)
    assert table["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_network_reml_maximises_the_likelihood_of_full_matrices(seed):
    arms = network_studies(seed)
    y, x, v, d = full_matrices(arms)
    best = optimize.minimize_scalar(
        lambda t: -restricted_log_likelihood(y, v + t * d, x),
        bounds=(0.0, 5.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    found = network(as_contrasts(arms), tau2="REML").tau2
    assert found == pytest.approx(best.x, abs=1e-6)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "MD", "IRR"])
def test_contrasts_of_two_arms_are_the_effect_sizes(measure):
    columns = {
        "MD": {"mean": [3.0, 1.5], "sd": [2.0, 2.5], "n": [20, 25]},
        "IRR": {"events": [0, 9], "time": [80.0, 95.0]},
    }.get(measure, {"events": [0, 9], "n": [40, 44]})
    arms = pd.DataFrame({"study": "s", "treatment": ["new", "old"], **columns})
    function = {
        "OR": log_odds_ratio,
        "RR": log_risk_ratio,
        "RD": risk_difference,
        "MD": mean_difference,
        "IRR": log_rate_ratio,
    }[measure]
    one = function(*([c[0]] for c in columns.values()), *([c[1]] for c in columns.values()))
    row = contrasts(arms, measure).iloc[0]
    assert (row["treat1"], row["treat2"]) == ("new", "old")
    assert (row["te"], row["se"]) == pytest.approx((one.yi[0], math.sqrt(one.vi[0])), rel=1e-12)
