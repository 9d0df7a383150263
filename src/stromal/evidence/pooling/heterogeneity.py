r"""The variance of true effects between studies, tau².

Study :math:`i` with effect :math:`y_i` and known sampling variance :math:`v_i` follows
:math:`y_i = x_i\beta + u_i + e_i` with :math:`u_i \sim N(0, \tau^2)` and :math:`e_i \sim N(0, v_i)`; pooling is the
case where the only regressor is 1. With :math:`w_i = 1/(v_i + \tau^2)`, W their diagonal matrix and
:math:`P = W - WX(X'WX)^{-1}X'W`, every estimator is a statement about :math:`y'Py`, :math:`y'PPy` and tr P.
Definitions that differ between programs are fixed here to those of R's metafor, whose numbers the tests hold:

* HS is :math:`(Q - k)/\sum w_i`, with the number of studies k, not the degrees of freedom;
* SJ starts from :math:`\tau_0^2 = \sum (y_i - \bar y)^2 / k`, not k - 1;
* I² comes from tau² and the typical sampling variance :math:`s^2 = (k - p)/\mathrm{tr}P` of Higgins and Thompson.

All estimates are cut off at 0. REML and ML take the highest of all maxima of the likelihood, found as the zeros of its
derivative between bounds that hold for any data, so neither a starting value nor a stopping rule enters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from scipy import optimize, stats

from stromal.evidence.pooling.inputs import Array
from stromal.evidence.pooling.least_squares import Linear, trace_of_square, weighted
from stromal.evidence.pooling.method import Method

_GRID: Final = 256
"""Values of tau² at which the derivative of a likelihood is looked at; 10 to 50 per factor of ten in common data."""


def estimate_tau2(data: Linear, method: str) -> float:
    """Variance between studies by one of `ESTIMATORS`.

    Returns
    -------
    float
        Square of the unit of `y`. NaN where no degree of freedom is left to estimate it (0 under ``EE``).
    """
    if data.df < 1 and method != "EE":
        return math.nan
    return float(ESTIMATORS[method].function(data))


def tau2_standard_error(data: Linear, tau2: float, method: str) -> float:
    """Standard error of the ``REML`` or ``ML`` estimate from the expected information; NaN for other estimators."""
    if method not in ("REML", "ML") or math.isnan(tau2):
        return math.nan
    information = trace_of_square(data, tau2) if method == "REML" else float(np.sum((data.v + tau2) ** -2.0))
    return math.sqrt(2.0 / information)


def q_profile(data: Linear, level: float) -> tuple[float, float]:
    """Confidence interval of tau² whatever its estimator: where the generalised Q equals quantiles of chi².

    It is exact under the model (Viechtbauer 2007, doi:10.1002/sim.2514). Ends that would be negative are 0; both are 0
    where the effects are closer together than their standard errors allow. NaN without a degree of freedom.
    """
    if data.df < 1:
        return math.nan, math.nan
    tail = (1.0 - level) / 2.0
    return (
        _where_q_equals(data, float(stats.chi2.isf(tail, data.df))),
        _where_q_equals(data, float(stats.chi2.ppf(tail, data.df))),
    )


def typical_variance(data: Linear) -> float:
    """The typical sampling variance, ``(k - p)/tr P`` at tau² = 0; NaN without a degree of freedom."""
    return data.df / float(weighted(data, 0.0).trace[0]) if data.df > 0 else math.nan


def profile_likelihood(data: Linear, tau2: float, method: str, level: float) -> tuple[float, float]:
    """Confidence interval of a ``REML`` or ``ML`` estimate: where twice its log-likelihood is lower by chi² of one df.

    Hardy and Thompson 1996, doi:10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A. The outermost such
    values are taken, 0 where there is none below. NaN for other estimators, or without a degree of freedom.
    """
    if method not in ("REML", "ML") or math.isnan(tau2):
        return math.nan, math.nan

    def log_likelihood(t: Array) -> Array:
        fit = weighted(data, t)
        return fit.log_restricted if method == "REML" else fit.log_likelihood

    needed = float(log_likelihood(np.array([tau2]))[0]) - 0.5 * float(stats.chi2.isf(1.0 - level, 1))

    def above(t: float) -> float:
        return float(log_likelihood(np.array([t]))[0]) - needed

    smallest = float(data.v.min())
    top = max(tau2, smallest)
    while above(top) > 0.0:
        top *= 2.0
    grid = np.geomspace(min(smallest * 1e-3, top * 1e-3), top * (1.0 + 1e-9), _GRID)
    grid = np.unique(np.concatenate([[0.0, tau2], grid]))
    inside = np.flatnonzero(log_likelihood(grid) > needed)
    first, last = int(inside[0]), int(inside[-1])
    high = _root(above, float(grid[last]), float(grid[last + 1]), data)
    low = _root(above, float(grid[first - 1]), float(grid[first]), data) if first > 0 else 0.0
    return low, high


def i2_and_h2(data: Linear, tau2: float, method: str) -> tuple[float, float]:
    """Share of the variance that is between studies [%], and H² = 1/(1 - I²).

    Under ``EE`` they come from Q, otherwise from tau² and the typical sampling variance; for ``DL`` these agree. Both
    are NaN without a degree of freedom. H² is never below 1 (metafor prints Q/df below 1 under ``EE``).
    """
    if data.df < 1:
        return math.nan, math.nan
    from_q = max(1.0, float(weighted(data, 0.0).q[0]) / data.df)
    h2 = from_q if method == "EE" else 1.0 + tau2 / typical_variance(data)
    return 100.0 * (1.0 - 1.0 / h2), h2


def _common(_data: Linear) -> float:
    return 0.0


def _dersimonian_laird(data: Linear) -> float:
    fit = weighted(data, 0.0)
    return max(0.0, (float(fit.q[0]) - data.df) / float(fit.trace[0]))


def _paule_mandel(data: Linear) -> float:
    return _where_q_equals(data, float(data.df))


def _hedges(data: Linear) -> float:
    plain = weighted(Linear(data.y, np.ones(data.k), data.x), 0.0)
    basis, _ = np.linalg.qr(data.x)
    sampling = float(data.v @ (1.0 - np.sum(basis**2, axis=1)))
    return max(0.0, (float(plain.q[0]) - sampling) / data.df)


def _hunter_schmidt(data: Linear) -> float:
    fit = weighted(data, 0.0)
    return max(0.0, (float(fit.q[0]) - data.k) / float(fit.weights.sum()))


def _sidik_jonkman(data: Linear) -> float:
    start = float(np.mean((data.y - data.y.mean()) ** 2))
    return start * float(weighted(data, start).q[0]) / data.df


def _restricted_likelihood(data: Linear) -> float:
    return _highest(
        data,
        data.df,
        lambda t: (fit := weighted(data, t)).ppy - fit.trace,
        lambda t: weighted(data, t).log_restricted,
    )


def _likelihood(data: Linear) -> float:
    return _highest(
        data,
        data.k,
        lambda t: (fit := weighted(data, t)).ppy - fit.weights.sum(axis=1),
        lambda t: weighted(data, t).log_likelihood,
    )


ESTIMATORS: Final[Mapping[str, Method]] = {
    "EE": Method(_common, "one common effect", "10.1002/jrsm.12", "test_bcg_estimates_equal_metafor"),
    "DL": Method(
        _dersimonian_laird, "DerSimonian-Laird", "10.1016/0197-2456(86)90046-2", "test_bcg_estimates_equal_metafor"
    ),
    "PM": Method(_paule_mandel, "Paule-Mandel", "10.6028/jres.087.022", "test_paule_mandel_agrees_with_statsmodels"),
    "REML": Method(
        _restricted_likelihood,
        "restricted maximum likelihood",
        "10.3102/10769986030003261",
        "test_bcg_estimates_equal_metafor",
    ),
    "ML": Method(
        _likelihood, "maximum likelihood", "10.3102/10769986030003261", "test_van_houwelingen_published_log_odds_ratios"
    ),
    "HE": Method(
        _hedges, "Hedges (variance components)", "10.3102/10769986030003261", "test_teacher_expectancy_published_table"
    ),
    "HS": Method(_hunter_schmidt, "Hunter-Schmidt", "10.3102/10769986030003261", "test_bcg_estimates_equal_metafor"),
    "SJ": Method(
        _sidik_jonkman, "Sidik-Jonkman", "10.1111/j.1467-9876.2005.00489.x", "test_bcg_estimates_equal_metafor"
    ),
}
"""How tau² can be estimated; a method is one function here and one line with its test."""

INTERVALS: Final[Mapping[str, Method]] = {
    "q_profile": Method(q_profile, "Q-profile", "10.1002/sim.2514", "test_bcg_q_profile_interval_equals_metafor"),
    "profile_likelihood": Method(
        profile_likelihood,
        "profile likelihood (REML and ML)",
        "10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A",
        "test_bcg_profile_likelihood_intervals",
    ),
}
"""Intervals of tau²."""


def _squares(data: Linear) -> float:
    """Unweighted residual sum of squares."""
    return float(weighted(Linear(data.y, np.ones(data.k), data.x), 0.0).q[0])


def _where_q_equals(data: Linear, target: float) -> float:
    """The tau² where the generalised Q, which falls as tau² grows, equals `target`; 0 where it starts below."""

    def excess(tau2: float) -> float:
        return float(weighted(data, tau2).q[0]) - target

    if excess(0.0) <= 0.0:
        return 0.0
    # Q is at most the unweighted sum of squares over (smallest v + tau²), so it has fallen below the target here.
    upper = max(_squares(data) / target - data.v.min(), data.v.min() * 1e-3)
    while excess(upper) > 0.0:
        upper *= 2.0
    return _root(excess, 0.0, upper, data)


def _highest(
    data: Linear, count: int, derivative: Callable[[Array], Array], log_likelihood: Callable[[Array], Array]
) -> float:
    """The tau² of the highest maximum of a likelihood, 0 included.

    `derivative` is proportional to that of the likelihood. With S the unweighted sum of squares, y'PPy is at most
    ``S/(smallest v + tau²)²`` and the trace at least ``count/(largest v + tau²)``: beyond the root of the quadratic
    equation that these make, the likelihood only falls.
    """
    smallest, largest, s = float(data.v.min()), float(data.v.max()), _squares(data)
    upper = (s + math.sqrt(s * s + 4.0 * count * s * (largest - smallest))) / (2.0 * count) - smallest
    if upper <= 0.0:
        return 0.0
    lowest = min(smallest * 1e-3, upper * 1e-3)
    grid = np.concatenate([[0.0], np.geomspace(lowest, upper * (1.0 + 1e-9), _GRID)])
    rising = derivative(grid) > 0.0
    maxima = [] if rising[0] else [0.0]
    maxima += [
        _root(lambda t: float(derivative(np.array([t]))[0]), float(grid[i]), float(grid[i + 1]), data)
        for i in np.flatnonzero(rising[:-1] & ~rising[1:])
    ]
    if not maxima:  # rising to the very end: rounding at the bound
        return float(grid[-1])
    return maxima[int(np.argmax(log_likelihood(np.array(maxima))))]


def _root(function: Callable[[float], float], low: float, high: float, data: Linear) -> float:
    """A zero between `low` and `high`, to the last digits (or to 1e-14 of the smallest sampling variance)."""
    nearest = 1e-14 * float(data.v.min())
    return float(optimize.brentq(function, low, high, xtol=nearest, rtol=4.0 * np.finfo(float).eps, maxiter=1000))
