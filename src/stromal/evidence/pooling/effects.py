"""Effect sizes of studies from what their arms report, with sampling variances.

Group 1 is the treated one: a ratio above 1 or a difference above 0 means more in group 1. Ratios are analysed as
natural logarithms. Every function takes one value per study and returns `Effects`, ready for `pool`.

Zero cells: where any of the four cells of a study's table is 0, `correction` (0.5) is added to all four cells of that
study and to no other; `Effects.corrected` says where. A study without events in either group, or with nothing but
events, has no information about a ratio, and different conclusions follow from keeping or dropping it: `double_zero`
must say which, and there is no default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from stromal.evidence.pooling.cells import DoubleZero, counts, decide, means, need_correction, tables, uninformative
from stromal.evidence.pooling.inputs import Array, frozen, names, numbers, refuse, same_length
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.wording import Scale


@final
@dataclass(frozen=True, eq=False)
class Effects:
    """Effects of k studies.

    Attributes
    ----------
    measure : str
        A key of `MEASURES`.
    yi, vi : (k,)
        Effects and sampling variances.
    labels : tuple of str
        Names of the studies.
    corrected : (k,) of bool
        Where a continuity correction was added.
    dropped : tuple of str
        Studies without information that were left out as asked.
    """

    measure: str
    yi: Array
    vi: Array
    labels: tuple[str, ...]
    corrected: npt.NDArray[np.bool_]
    dropped: tuple[str, ...] = ()

    @property
    def scale(self) -> Scale:
        """How the effect is written in reports."""
        return SCALES[self.measure]

    def summary(self) -> pd.DataFrame:
        """One row per study: index `study`; `effect`, `se`, `variance`, `corrected`."""
        return pd.DataFrame(
            {"effect": self.yi, "se": np.sqrt(self.vi), "variance": self.vi, "corrected": self.corrected},
            index=pd.Index(self.labels, name="study"),
        )


def log_odds_ratio(
    events1: npt.ArrayLike,
    n1: npt.ArrayLike,
    events2: npt.ArrayLike,
    n2: npt.ArrayLike,
    *,
    correction: float = 0.5,
    double_zero: DoubleZero | None = None,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Logarithm of the odds ratio (Woolf 1955, doi:10.1111/j.1469-1809.1955.tb01348.x).

    Parameters
    ----------
    events1, n1, events2, n2 : (k,)
        Patients with the event and all patients of groups 1 and 2.
    correction : float
        Added to the cells of studies with a zero cell.
    double_zero : {"keep", "drop"}, optional
        What becomes of studies without events, or with nothing but events; must be given where there are any.
    labels : iterable, optional
        Names of the studies.

    Raises
    ------
    InputError
        Counts that are none or do not fit, a zero cell with no correction, an undecided study without information.
    """
    a, b, c, d, rest = _cells(events1, n1, events2, n2, correction, double_zero, labels)
    return _effects("OR", np.log(a) - np.log(b) - np.log(c) + np.log(d), 1 / a + 1 / b + 1 / c + 1 / d, rest)


def log_risk_ratio(
    events1: npt.ArrayLike,
    n1: npt.ArrayLike,
    events2: npt.ArrayLike,
    n2: npt.ArrayLike,
    *,
    correction: float = 0.5,
    double_zero: DoubleZero | None = None,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Logarithm of the risk ratio (Katz 1978, doi:10.2307/2530610); parameters as `log_odds_ratio`."""
    a, b, c, d, rest = _cells(events1, n1, events2, n2, correction, double_zero, labels)
    estimate = np.log(a) - np.log(a + b) - np.log(c) + np.log(c + d)
    return _effects("RR", estimate, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), rest)


def risk_difference(
    events1: npt.ArrayLike,
    n1: npt.ArrayLike,
    events2: npt.ArrayLike,
    n2: npt.ArrayLike,
    *,
    correction: float = 0.5,
    double_zero: DoubleZero | None = None,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Difference of the risks; parameters as `log_odds_ratio`.

    A study without events says something here (the risks differ little), so ``keep`` is the usual choice; its
    variance is that of the corrected cells.
    """
    a, b, c, d, rest = _cells(events1, n1, events2, n2, correction, double_zero, labels)
    n, m = a + b, c + d
    return _effects("RD", a / n - c / m, a * b / n**3 + c * d / m**3, rest)


def mean_difference(
    mean1: npt.ArrayLike,
    sd1: npt.ArrayLike,
    n1: npt.ArrayLike,
    mean2: npt.ArrayLike,
    sd2: npt.ArrayLike,
    n2: npt.ArrayLike,
    *,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Difference of means in their unit, variance ``sd1²/n1 + sd2²/n2`` (groups may differ in spread).

    Parameters
    ----------
    mean1, sd1, n1, mean2, sd2, n2 : (k,)
        Mean, standard deviation between patients, and patients, of groups 1 and 2.
    labels : iterable, optional
        Names of the studies.

    Raises
    ------
    InputError
        Missing values, a standard deviation that is not positive, or fewer than two patients.
    """
    x, s, n, y, t, m = means(mean1=mean1, sd1=sd1, n1=n1, mean2=mean2, sd2=sd2, n2=n2)
    return _effects("MD", x - y, s**2 / n + t**2 / m, _plain(labels, len(x)))


def standardised_mean_difference(
    mean1: npt.ArrayLike,
    sd1: npt.ArrayLike,
    n1: npt.ArrayLike,
    mean2: npt.ArrayLike,
    sd2: npt.ArrayLike,
    n2: npt.ArrayLike,
    *,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Hedges' g: the difference of means in pooled standard deviations, without small-sample bias.

    The factor is the exact one of Hedges (1981, doi:10.3102/10769986006002107), `small_sample_factor`; RevMan uses the
    approximation ``1 - 3/(4m - 1)``. The variance is ``1/n1 + 1/n2 + g²/(2(n1 + n2))``. Parameters as
    `mean_difference`.
    """
    x, s, n, y, t, m = means(mean1=mean1, sd1=sd1, n1=n1, mean2=mean2, sd2=sd2, n2=n2)
    df = n + m - 2.0
    pooled = np.sqrt(((n - 1.0) * s**2 + (m - 1.0) * t**2) / df)
    g = small_sample_factor(df) * (x - y) / pooled
    return _effects("SMD", g, 1 / n + 1 / m + g**2 / (2.0 * (n + m)), _plain(labels, len(x)))


def small_sample_factor(df: npt.ArrayLike) -> Array:
    """J(m) of Hedges, ``Γ(m/2) / (√(m/2) Γ((m - 1)/2))``: the mean of Cohen's d is the true value over J."""
    m = np.asarray(df, dtype=float)
    return np.asarray(np.exp(gammaln(m / 2.0) - gammaln((m - 1.0) / 2.0)) / np.sqrt(m / 2.0))


def log_rate_ratio(
    events1: npt.ArrayLike,
    time1: npt.ArrayLike,
    events2: npt.ArrayLike,
    time2: npt.ArrayLike,
    *,
    correction: float = 0.5,
    double_zero: DoubleZero | None = None,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Logarithm of the ratio of incidence rates.

    Parameters
    ----------
    events1, time1, events2, time2 : (k,)
        Events and time at risk (such as patient-years) of groups 1 and 2.
    correction : float
        Added to both counts of studies where one is 0.
    double_zero : {"keep", "drop"}, optional
        What becomes of studies without events; must be given where there are any.
    labels : iterable, optional
        Names of the studies.

    Raises
    ------
    InputError
        Negative or missing counts, a time that is not positive, or as for `log_odds_ratio`.
    """
    x, t = numbers(events1, "events1"), numbers(time1, "time1")
    y, u = numbers(events2, "events2"), numbers(time2, "time2")
    same_length(events1=x, time1=t, events2=y, time2=u)
    for place, values in (("events1", x), ("events2", y)):
        refuse(~(np.isfinite(values) & (values >= 0)), "not a count", place, values, "a number of events")
    for place, values in (("time1", t), ("time2", u)):
        refuse(~(np.isfinite(values) & (values > 0)), "not a time at risk", place, values, "a time above 0")
    zero, keep = (x == 0) | (y == 0), decide((x == 0) & (y == 0), double_zero)
    need_correction(zero & keep, correction)
    a, c = x + correction * zero, y + correction * zero
    every = names(labels, len(x))
    with np.errstate(divide="ignore", invalid="ignore"):  # of studies that are dropped
        estimate, variance = np.log(a / t) - np.log(c / u), 1 / a + 1 / c
    return _effects("IRR", estimate[keep], variance[keep], _rest(every, zero, keep))


def logit_proportion(
    events: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    correction: float = 0.5,
    labels: Iterable[object] | None = None,
) -> Effects:
    """Logit of the proportion in a single arm, variance ``1/events + 1/(n - events)``.

    A single arm has no control: what is pooled says what happened, not what the treatment did.

    Raises
    ------
    InputError
        Counts that are none or do not fit, or a zero cell with no correction.
    """
    x, size = counts(events, n, "events", "n")
    zero = (x == 0) | (x == size)
    need_correction(zero, correction)
    a, b = x + correction * zero, size - x + correction * zero
    keep = np.ones(len(x), dtype=bool)
    return _effects("PLO", np.log(a) - np.log(b), 1 / a + 1 / b, _rest(names(labels, len(x)), zero, keep))


def single_mean(
    mean: npt.ArrayLike, sd: npt.ArrayLike, n: npt.ArrayLike, *, labels: Iterable[object] | None = None
) -> Effects:
    """Mean of a single arm (such as a change from baseline), variance ``sd²/n``.

    A single arm has no control: a change over time contains regression to the mean and everything else that happened.
    """
    x, s, size = means(mean=mean, sd=sd, n=n)
    return _effects("MN", x, s**2 / size, _plain(labels, len(x)))


SCALES: Final[Mapping[str, Scale]] = {
    "OR": Scale("odds ratio", back="exp"),
    "RR": Scale("risk ratio", back="exp"),
    "RD": Scale("risk difference"),
    "MD": Scale("mean difference"),
    "SMD": Scale("standardised mean difference"),
    "IRR": Scale("rate ratio", back="exp"),
    "PLO": Scale("proportion", back="logistic", null=None),
    "MN": Scale("mean", null=None),
}
"""How each measure is written in reports."""

MEASURES: Final[Mapping[str, Method]] = {
    "OR": Method(
        log_odds_ratio,
        "log odds ratio",
        "10.1111/j.1469-1809.1955.tb01348.x",
        "test_bcg_log_odds_ratios_and_risk_differences_equal_metafor",
    ),
    "RR": Method(log_risk_ratio, "log risk ratio", "10.2307/2530610", "test_bcg_log_risk_ratios_from_the_counts"),
    "RD": Method(
        risk_difference,
        "risk difference",
        "10.1002/9780470743386",
        "test_bcg_log_odds_ratios_and_risk_differences_equal_metafor",
    ),
    "MD": Method(
        mean_difference, "mean difference", "10.1002/9780470743386", "test_mean_difference_has_welchs_standard_error"
    ),
    "SMD": Method(
        standardised_mean_difference,
        "standardised mean difference (Hedges' g, exact)",
        "10.3102/10769986006002107",
        "test_the_exact_factor_makes_hedges_g_unbiased",
    ),
    "IRR": Method(
        log_rate_ratio,
        "log incidence rate ratio",
        "10.1002/9780470743386",
        "test_rate_ratio_agrees_with_poisson_regression",
    ),
    "PLO": Method(
        logit_proportion,
        "logit of a single proportion",
        "10.1002/9780470743386",
        "test_logit_proportion_agrees_with_logistic_regression",
    ),
    "MN": Method(
        single_mean, "single mean", "10.1002/9780470743386", "test_single_mean_has_the_standard_error_of_the_mean"
    ),
}
"""The measures; 10.1002/9780470743386 is Borenstein et al. 2009, Introduction to Meta-Analysis."""

_Rest = tuple[tuple[str, ...], npt.NDArray[np.bool_], tuple[str, ...]]


def _effects(measure: str, yi: Array, vi: Array, rest: _Rest) -> Effects:
    labels, corrected, dropped = rest
    corrected.setflags(write=False)
    return Effects(measure, frozen(np.array(yi)), frozen(np.array(vi)), labels, corrected, dropped)


def _plain(labels: Iterable[object] | None, k: int) -> _Rest:
    return names(labels, k), np.zeros(k, dtype=bool), ()


def _rest(every: tuple[str, ...], zero: npt.NDArray[np.bool_], keep: npt.NDArray[np.bool_]) -> _Rest:
    kept = tuple(name for name, k in zip(every, keep, strict=True) if k)
    dropped = tuple(name for name, k in zip(every, keep, strict=True) if not k)
    return kept, zero[keep], dropped


def _cells(
    events1: npt.ArrayLike,
    n1: npt.ArrayLike,
    events2: npt.ArrayLike,
    n2: npt.ArrayLike,
    correction: float,
    double_zero: DoubleZero | None,
    labels: Iterable[object] | None,
) -> tuple[Array, Array, Array, Array, _Rest]:
    """Corrected cells (events and none, group 1 and 2) of the studies that stay, and what `_effects` needs besides."""
    a, b, c, d = tables(events1, n1, events2, n2)
    zero = (a == 0) | (b == 0) | (c == 0) | (d == 0)
    keep = decide(uninformative(a, b, c, d), double_zero)
    need_correction(zero & keep, correction)
    rest = _rest(names(labels, len(a)), zero, keep)
    a, b, c, d = ((cell + correction * zero)[keep] for cell in (a, b, c, d))
    return a, b, c, d, rest
