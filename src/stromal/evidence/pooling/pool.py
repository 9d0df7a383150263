"""One effect from several studies, with what it says about the next study."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stromal.evidence.pooling.findings import pooled_report
from stromal.evidence.pooling.heterogeneity import (
    ESTIMATORS,
    estimate_tau2,
    i2_and_h2,
    profile_likelihood,
    q_profile,
    tau2_standard_error,
)
from stromal.evidence.pooling.inputs import Array, check_level, frozen, one_of, read_studies
from stromal.evidence.pooling.least_squares import intercept_only, weighted
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.wording import Scale


def pool(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    method: str = "REML",
    test: str = "z",
    prediction: str = "z",
    level: float = 0.95,
    *,
    labels: Iterable[object] | None = None,
) -> Pooled:
    """Pool the effects of independent studies.

    Parameters
    ----------
    yi, vi : (k,)
        Effects and their sampling variances; ratios as logarithms.
    method : {"REML", "ML", "DL", "PM", "HE", "HS", "SJ", "EE"}
        How the variance between studies is estimated; ``EE`` assumes one common effect.
    test : {"z", "knha", "adhoc"}
        ``z``: normal interval. ``knha``: Hartung-Knapp-Sidik-Jonkman, variance scaled by
        ``q = y'Py/(k - 1)`` and Student's t with k - 1. ``adhoc``: the same with q at least 1.
    prediction : {"z", "t_k1", "t_k2"}
        Quantile of the prediction interval: normal, t with k - 1, or t with k - 2 degrees of freedom.
    level : float
        Coverage of all intervals.
    labels : iterable, optional
        Names of the studies.

    Returns
    -------
    Pooled
        With one study `mu` is its effect and everything about other studies is NaN; ``knha`` and ``adhoc`` then have no
        standard error either. The prediction interval is NaN under ``EE`` and for ``t_k2`` with two studies.

    Raises
    ------
    InputError
        What `inputs.read_studies` refuses, or an option that does not exist.

    Notes
    -----
    Intervals: Hartung and Knapp 2001, doi:10.1002/sim.1009; ad-hoc floor: Knapp and Hartung 2003, doi:10.1002/sim.1482;
    prediction: Higgins, Thompson and Spiegelhalter 2009, doi:10.1111/j.1467-985X.2008.00552.x.
    """
    one_of(method, ESTIMATORS, "method")
    one_of(test, TESTS, "test")
    one_of(prediction, PREDICTIONS, "prediction")
    check_level(level)
    studies = read_studies(yi, vi, labels)
    data = intercept_only(studies.yi, studies.vi)
    tau2 = estimate_tau2(data, method)
    fit = weighted(data, 0.0 if math.isnan(tau2) else tau2)
    q = float(weighted(data, 0.0).q[0])
    mu = float(fit.beta[0, 0])
    scale = TESTS[test].function(float(fit.q[0]), data.df)
    se = math.sqrt(float(fit.covariance[0, 0, 0]) * scale)
    quantile = critical(level, None if test == "z" else data.df)
    low, high = mu - quantile * se, mu + quantile * se
    spread = math.nan if method == "EE" else math.sqrt(se * se + tau2)
    reach = PREDICTIONS[prediction].function(level, data.k) * spread
    i2, h2 = i2_and_h2(data, tau2, method)
    tau2_low, tau2_high = q_profile(data, level)
    statistic, p = tested(mu, se, None if test == "z" else data.df)
    return Pooled(
        mu=mu,
        se=se,
        ci_low=low,
        ci_high=high,
        pi_low=mu - reach,
        pi_high=mu + reach,
        tau2=tau2,
        i2=i2,
        h2=h2,
        q=q,
        q_p=float(stats.chi2.sf(q, data.df)) if data.df > 0 else math.nan,
        q_df=data.df,
        statistic=statistic,
        p=p,
        tau2_se=tau2_standard_error(data, tau2, method),
        tau2_low=tau2_low,
        tau2_high=tau2_high,
        k=data.k,
        weights=frozen(100.0 * fit.weights[0] / fit.weights[0].sum()),
        yi=studies.yi,
        vi=studies.vi,
        labels=studies.labels,
        method=method,
        test=test,
        prediction=prediction,
        level=float(level),
    )


@final
@dataclass(frozen=True, eq=False)
class Pooled:
    """What `pool` returns; everything is on the scale of the effects.

    Attributes
    ----------
    mu, se, ci_low, ci_high : float
        Mean effect, its standard error and interval.
    pi_low, pi_high : float
        Prediction interval: where the true effect of a new, similar study is expected.
    tau2, tau2_se, tau2_low, tau2_high : float
        Variance of true effects between studies, its standard error (``REML`` and ``ML``) and its Q-profile interval,
        which does not depend on the estimator and need not contain it.
    i2, h2 : float
        Share of the variance of the results that is between studies [%]; ``1/(1 - I²)``.
    q, q_df, q_p : float, int, float
        Cochran's Q around the common effect, its degrees of freedom and p-value.
    statistic, p : float
        Test of no mean effect: z, or t with ``k - 1`` degrees of freedom; two-sided.
    k : int
        Number of studies.
    weights : (k,)
        Weight of each study [%].
    yi, vi, labels
        The studies.
    method, test, prediction, level
        As asked for.
    """

    mu: float
    se: float
    ci_low: float
    ci_high: float
    pi_low: float
    pi_high: float
    tau2: float
    i2: float
    h2: float
    q: float
    q_p: float
    q_df: int
    statistic: float
    p: float
    tau2_se: float
    tau2_low: float
    tau2_high: float
    k: int
    weights: Array
    yi: Array
    vi: Array
    labels: tuple[str, ...]
    method: str
    test: str
    prediction: str
    level: float

    def again(self, keep: npt.ArrayLike) -> Pooled:
        """Pool the studies that `keep` (indices or a mask) selects, with the same options."""
        index = np.arange(self.k)[np.asarray(keep)]
        return pool(
            self.yi[index],
            self.vi[index],
            self.method,
            self.test,
            self.prediction,
            self.level,
            labels=[self.labels[i] for i in index],
        )

    def profile_likelihood(self) -> tuple[float, float]:
        """Profile-likelihood interval of tau², for ``REML`` and ``ML`` (NaN otherwise)."""
        return profile_likelihood(intercept_only(self.yi, self.vi), self.tau2, self.method, self.level)

    def studies(self) -> pd.DataFrame:
        """One row per study.

        Returns
        -------
        DataFrame
            Index `study`; `effect`, `se`, `ci_low`, `ci_high` (normal), `weight` [%], and `shrunken`: the best guess of
            the study's own true effect, drawn towards the mean (NaN where tau² is).
        """
        se, quantile = np.sqrt(self.vi), critical(self.level, None)
        share = self.tau2 / (self.tau2 + self.vi)
        return pd.DataFrame(
            {
                "effect": self.yi,
                "se": se,
                "ci_low": self.yi - quantile * se,
                "ci_high": self.yi + quantile * se,
                "weight": self.weights,
                "shrunken": share * self.yi + (1.0 - share) * self.mu,
            },
            index=pd.Index(self.labels, name="study"),
        )

    def summary(self) -> pd.DataFrame:
        """The result as a table: index `quantity`, columns `value`, `low`, `high` (interval) and `p`."""
        none = math.nan
        rows = {
            "effect": (self.mu, self.ci_low, self.ci_high, self.p),
            "prediction": (self.mu, self.pi_low, self.pi_high, none),
            "tau2": (self.tau2, self.tau2_low, self.tau2_high, none),
            "i2": (self.i2, none, none, none),
            "h2": (self.h2, none, none, none),
            "q": (self.q, none, none, self.q_p),
            "studies": (float(self.k), none, none, none),
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "p"])
        return table.rename_axis("quantity")

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats; `scale` says what the effect is and how it is written."""
        return pooled_report(self, scale or Scale())


def critical(level: float, df: int | None) -> float:
    """Half-width of an interval in standard errors: normal, or Student's t where `df` is given (NaN below 1)."""
    tail = (1.0 - level) / 2.0
    if df is None:
        return float(stats.norm.isf(tail))
    return float(stats.t.isf(tail, df)) if df > 0 else math.nan


def tested(estimate: float, se: float, df: int | None) -> tuple[float, float]:
    """Statistic and two-sided p-value of an estimate against 0; NaN where the standard error is 0 or missing."""
    if not se > 0.0:
        return math.nan, math.nan
    statistic = estimate / se
    tail = stats.norm.sf(abs(statistic)) if df is None else stats.t.sf(abs(statistic), df)
    return statistic, 2.0 * float(tail)


def _unscaled(_q: float, _df: int) -> float:
    return 1.0


def _hartung_knapp(q: float, df: int) -> float:
    return q / df if df > 0 else math.nan


def _at_least_one(q: float, df: int) -> float:
    return max(1.0, q / df) if df > 0 else math.nan


TESTS: Final[Mapping[str, Method]] = {
    "z": Method(_unscaled, "normal", "10.1016/0197-2456(86)90046-2", "test_bcg_estimates_equal_metafor"),
    "knha": Method(
        _hartung_knapp,
        "Hartung-Knapp-Sidik-Jonkman",
        "10.1002/sim.1009",
        "test_hartung_knapp_agrees_with_statsmodels",
    ),
    "adhoc": Method(
        _at_least_one,
        "Hartung-Knapp-Sidik-Jonkman, never narrower than its variance without scaling",
        "10.1002/sim.1482",
        "test_the_ad_hoc_floor_acts_only_where_studies_agree_too_well",
    ),
}
"""Standard errors and intervals: each function gives the factor on the variance of the mean from y'Py and k - 1."""


def _t(less: int) -> Callable[[float, int], float]:
    def quantile(level: float, k: int) -> float:
        return critical(level, k - less)

    return quantile


def _z(level: float, k: int) -> float:
    return critical(level, None) if k > 1 else math.nan


PREDICTIONS: Final[Mapping[str, Method]] = {
    "z": Method(_z, "normal quantile", "10.18637/jss.v036.i03", "test_bcg_prediction_intervals_equal_metafor"),
    "t_k1": Method(
        _t(1),
        "t with k - 1 degrees of freedom",
        "10.1002/jrsm.1319",
        "test_bcg_prediction_intervals_equal_metafor",
    ),
    "t_k2": Method(
        _t(2),
        "t with k - 2 degrees of freedom",
        "10.1111/j.1467-985X.2008.00552.x",
        "test_bcg_prediction_intervals_equal_metafor",
    ),
}
"""Prediction intervals: each function gives the quantile from the coverage and the number of studies."""
