"""Analyses: from the data of one trial to an estimate with its interval and test.

Each takes the values of the treated and of the control group and gives an `Estimate`. `ANALYSES` is the
registry; a new analysis is one function and one line there, with the name of the test that checks it
independently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Estimate:
    """Result of an analysis; NaN where the data do not allow it.

    Attributes
    ----------
    estimate, se : float
        In the unit of the end point (a proportion for events).
    p_value : float
        Two-sided.
    ci_low, ci_high : float
        Interval of coverage ``1 - alpha``.
    n_treated, n_control : int
        Patients analysed.
    """

    estimate: float
    se: float
    p_value: float
    ci_low: float
    ci_high: float
    n_treated: int
    n_control: int


@final
@dataclass(frozen=True, eq=False)
class Values:
    """What an analysis sees.

    Attributes
    ----------
    outcome : (n,)
        Change from baseline, or 1 for an event and 0 for none; no missing values.
    baseline : (n,)
        Value at baseline (of a change).
    treated : (n,) of bool
    """

    outcome: Array
    baseline: Array
    treated: NDArray[np.bool_]


def ancova(values: Values, alpha: float) -> Estimate:
    """Difference in change between the groups, adjusted for baseline, by least squares."""
    n_treated, n_control = _sizes(values)
    design = np.column_stack([np.ones(len(values.outcome)), values.treated, values.baseline])
    if min(n_treated, n_control) < 1 or len(design) < 4 or np.linalg.matrix_rank(design) < 3:
        return _not_estimable(n_treated, n_control)
    fit = OLS(values.outcome, design).fit()
    low, high = fit.conf_int(alpha)[1]
    return Estimate(
        float(fit.params[1]),
        float(fit.bse[1]),
        float(fit.pvalues[1]),
        float(low),
        float(high),
        n_treated,
        n_control,
    )


def risk_difference(values: Values, alpha: float) -> Estimate:
    """Difference in proportions with Newcombe's interval; the test is Fisher's exact test.

    Reference: Newcombe 1998, Stat Med 17:873 (hybrid score interval).
    """
    n_treated, n_control = _sizes(values)
    if min(n_treated, n_control) < 1:
        return _not_estimable(n_treated, n_control)
    a, b = int(values.outcome[values.treated].sum()), int(values.outcome[~values.treated].sum())
    p, q = a / n_treated, b / n_control
    low, high = confint_proportions_2indep(a, n_treated, b, n_control, method="newcomb", compare="diff", alpha=alpha)
    p_value = stats.fisher_exact([[a, n_treated - a], [b, n_control - b]]).pvalue
    se = math.sqrt(p * (1 - p) / n_treated + q * (1 - q) / n_control)
    return Estimate(p - q, se, float(p_value), float(low), float(high), n_treated, n_control)


def mean_change(values: Values, alpha: float) -> Estimate:
    """Mean change of a single group with Student's interval, tested against no change."""
    n = len(values.outcome)
    if n < 2 or np.ptp(values.outcome) == 0.0:
        return _not_estimable(n, 0)
    mean, se = float(values.outcome.mean()), float(stats.sem(values.outcome))
    low, high = stats.t.interval(1.0 - alpha, n - 1, loc=mean, scale=se)
    return Estimate(mean, se, float(2.0 * stats.t.sf(abs(mean / se), n - 1)), float(low), float(high), n, 0)


def proportion(values: Values, alpha: float) -> Estimate:
    """Share of a single group with Wilson's interval; there is nothing to test it against."""
    n = len(values.outcome)
    if n < 1:
        return _not_estimable(n, 0)
    p = float(values.outcome.mean())
    low, high = proportion_confint(int(values.outcome.sum()), n, alpha=alpha, method="wilson")
    return Estimate(p, math.sqrt(p * (1 - p) / n), math.nan, float(low), float(high), n, 0)


@final
@dataclass(frozen=True)
class Analysis:
    """An entry of the registry: the function, and the test that checks it by independent means."""

    function: Callable[[Values, float], Estimate]
    checked_by: str


ANALYSES: Final[Mapping[str, Analysis]] = {
    "ancova": Analysis(ancova, "test_ancova_agrees_with_the_normal_equations"),
    "risk_difference": Analysis(risk_difference, "test_risk_difference_gives_newcombes_published_intervals"),
    "mean_change": Analysis(mean_change, "test_mean_change_agrees_with_the_one_sample_t_test"),
    "proportion": Analysis(proportion, "test_proportion_gives_wilsons_published_interval"),
}


def _sizes(values: Values) -> tuple[int, int]:
    return int(values.treated.sum()), int((~values.treated).sum())


def _not_estimable(n_treated: int, n_control: int) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, math.nan, math.nan, n_treated, n_control)
