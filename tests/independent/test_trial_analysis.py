"""Each analysis against other software, the normal equations, or published intervals."""

import ast
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols

from stromal.trial.analysis import ANALYSES, Values, ancova, mean_change, proportion, risk_difference

TESTS = Path(__file__).resolve().parents[1]


def trial(seed, n=40, effect=-2.0):
    random = np.random.default_rng(seed)
    treated = random.permutation(np.arange(n) % 2 == 0)
    baseline = random.normal(25.0, 7.0, n)
    outcome = -0.3 * (baseline - 25.0) + effect * treated + random.normal(0.0, 6.0, n)
    return Values(outcome, baseline, treated)


def counted(a, n, b, m):
    outcome = np.concatenate([np.arange(n) < a, np.arange(m) < b]).astype(float)
    return Values(outcome, np.zeros(n + m), np.arange(n + m) < n)


@given(st.integers(0, 10_000), st.sampled_from([5, 17, 60]), st.sampled_from([0.05, 0.1, 0.01]))
def test_ancova_agrees_with_the_normal_equations(seed, n, alpha):
    values = trial(seed, n)
    x = np.column_stack([np.ones(n), values.treated, values.baseline])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ values.outcome
    residual = values.outcome - x @ beta
    se = math.sqrt(residual @ residual / (n - 3) * inverse[1, 1])
    t = stats.t(n - 3)
    result = ancova(values, alpha)
    assert result.estimate == pytest.approx(beta[1], rel=1e-8)
    assert result.se == pytest.approx(se, rel=1e-8)
    assert result.p_value == pytest.approx(2 * t.sf(abs(beta[1] / se)), rel=1e-6)
    assert (result.ci_low, result.ci_high) == pytest.approx(
        (beta[1] - t.isf(alpha / 2) * se, beta[1] + t.isf(alpha / 2) * se), rel=1e-8
    )
    assert result.n_treated + result.n_control == n


def test_ancova_agrees_with_a_formula_fitted_by_statsmodels():
    values = trial(3)
    data = pd.DataFrame({"y": values.outcome, "b": values.baseline, "arm": np.where(values.treated, "T", "C")})
    fit = ols("y ~ C(arm, Treatment('C')) + b", data).fit()
    name = "C(arm, Treatment('C'))[T.T]"
    result = ancova(values, 0.05)
    assert result.estimate == pytest.approx(fit.params[name], rel=1e-9)
    assert result.p_value == pytest.approx(fit.pvalues[name], rel=1e-9)
    assert (result.ci_low, result.ci_high) == pytest.approx(tuple(fit.conf_int().loc[name]), rel=1e-9)


def test_ancova_without_an_association_with_baseline_is_nearly_the_t_test():
    random = np.random.default_rng(1)
    n = 4000
    values = Values(random.normal(size=n), random.normal(size=n), np.arange(n) % 2 == 0)
    t = stats.ttest_ind(values.outcome[values.treated], values.outcome[~values.treated])
    assert ancova(values, 0.05).p_value == pytest.approx(t.pvalue, abs=0.02)


@pytest.mark.parametrize(
    "values",
    [
        Values(np.array([1.0, 2.0, 4.0]), np.array([1.0, 5.0, 2.0]), np.array([True, False, True])),
        Values(np.arange(6.0), np.full(6, 20.0), np.arange(6) < 3),
        Values(np.arange(6.0), np.arange(6.0), np.ones(6, bool)),
        Values(np.empty(0), np.empty(0), np.empty(0, bool)),
    ],
    ids=["three patients", "one baseline value", "one arm", "nobody"],
)
def test_ancova_is_not_estimable_where_there_is_too_little(values):
    result = ancova(values, 0.05)
    assert all(math.isnan(x) for x in (result.estimate, result.se, result.p_value, result.ci_low, result.ci_high))
    assert result.n_treated == values.treated.sum()


NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
]


@pytest.mark.parametrize(("counts", "interval"), NEWCOMBE)
def test_risk_difference_gives_newcombes_published_intervals(counts, interval):
    """Newcombe 1998, Stat Med 17:873, Table II, method 10 (hybrid score), contrasts a, b and d;
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I."""
    result = risk_difference(counted(*counts), 0.05)
    assert (round(result.ci_low, 4), round(result.ci_high, 4)) == interval
    a, n, b, m = counts
    assert result.estimate == pytest.approx(a / n - b / m)
    mirrored = risk_difference(counted(b, m, a, n), 0.05)
    assert (mirrored.ci_low, mirrored.ci_high) == pytest.approx((-result.ci_high, -result.ci_low))


@given(st.integers(0, 12), st.integers(0, 12))
def test_the_test_of_a_risk_difference_is_fishers_exact_test(a, b):
    """Two-sided by the sum of all tables that are no more likely, computed from the hypergeometric law."""
    n, m = 12, 14
    result = risk_difference(counted(a, n, b, m), 0.05)
    law = stats.hypergeom(n + m, a + b, n)
    tables = law.pmf(np.arange(max(0, a + b - m), min(n, a + b) + 1))
    p = tables[tables <= law.pmf(a) * (1 + 1e-7)].sum()
    assert result.p_value == pytest.approx(p, rel=1e-6)
    assert result.se == pytest.approx(math.sqrt(a / n * (1 - a / n) / n + b / m * (1 - b / m) / m))


WILSON = [
    ((81, 263), (0.2553, 0.3662)),
    ((15, 148), (0.0624, 0.1605)),
    ((0, 20), (0.0, 0.1611)),
    ((1, 29), (0.0061, 0.1718)),
]


@pytest.mark.parametrize(("counts", "interval"), WILSON)
def test_proportion_gives_wilsons_published_interval(counts, interval):
    """Newcombe 1998, Stat Med 17:857, Table I, method 3 (score interval without continuity correction)."""
    events, n = counts
    outcome = (np.arange(n) < events).astype(float)
    result = proportion(Values(outcome, np.zeros(n), np.ones(n, bool)), 0.05)
    assert (round(result.ci_low, 4), round(result.ci_high, 4)) == interval
    assert result.estimate == pytest.approx(events / n)
    assert math.isnan(result.p_value)


@given(st.lists(st.floats(-20.0, 20.0), min_size=3, max_size=30, unique=True), st.sampled_from([0.05, 0.2]))
def test_mean_change_agrees_with_the_one_sample_t_test(changes, alpha):
    outcome = np.array(changes)
    result = mean_change(Values(outcome, np.zeros(len(outcome)), np.ones(len(outcome), bool)), alpha)
    expected = stats.ttest_1samp(outcome, 0.0)
    interval = expected.confidence_interval(1 - alpha)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (result.ci_low, result.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-12)
    assert result.estimate == pytest.approx(outcome.mean(), abs=1e-12)


@pytest.mark.parametrize("outcome", [[], [1.0], [2.0, 2.0, 2.0]])
def test_mean_change_is_not_estimable_without_a_spread(outcome):
    result = mean_change(Values(np.array(outcome), np.zeros(len(outcome)), np.ones(len(outcome), bool)), 0.05)
    assert math.isnan(result.estimate)
    assert math.isnan(result.p_value)


def test_every_analysis_names_a_test_that_exists():
    functions = {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for name, analysis in ANALYSES.items():
        assert analysis.checked_by in functions, name
        assert name.split("_")[0] in analysis.checked_by
