"""Pooling of 2 x 2 tables without effects of single studies: Mantel-Haenszel and Peto.

Both need no continuity correction and behave well with few events. They assume one common effect. A study without
events (or with nothing but events) has no weight in a ratio; in a risk difference it counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stromal.compute.errors import InputError
from stromal.evidence.pooling.cells import tables, uninformative
from stromal.evidence.pooling.effects import MEASURES, SCALES
from stromal.evidence.pooling.inputs import Array, check_level, one_of
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.pool import critical, tested
from stromal.evidence.pooling.wording import Scale, count, number, p_value, percent


@final
@dataclass(frozen=True, eq=False)
class Stratified:
    """A common effect of several 2 x 2 tables.

    Attributes
    ----------
    measure : {"OR", "RR", "RD"}
        Ratios as logarithms.
    name : str
        Of the method.
    mu, se, ci_low, ci_high, statistic, p : float
        Common effect with its normal interval and test.
    q, q_df, q_p : float, int, float
        Heterogeneity around the common effect (Mantel-Haenszel: inverse-variance weights, zero cells corrected by 0.5).
    cmh, cmh_p : float
        Cochran-Mantel-Haenszel test with continuity correction (odds ratio; NaN otherwise).
    tarone, tarone_p : float
        Breslow-Day test of equal odds ratios with Tarone's correction (odds ratio; NaN otherwise).
    k, informative : int
        Studies, and those among them that have any weight.
    level : float
    """

    measure: str
    name: str
    mu: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p: float
    q: float
    q_df: int
    q_p: float
    cmh: float
    cmh_p: float
    tarone: float
    tarone_p: float
    k: int
    informative: int
    level: float

    def summary(self) -> pd.DataFrame:
        """The result as a table: index `quantity`, columns `value`, `low`, `high`, `p`."""
        none = math.nan
        rows = {
            "effect": (self.mu, self.ci_low, self.ci_high, self.p),
            "q": (self.q, none, none, self.q_p),
            "cmh": (self.cmh, none, none, self.cmh_p),
            "tarone": (self.tarone, none, none, self.tarone_p),
            "studies": (float(self.k), none, none, none),
            "informative": (float(self.informative), none, none, none),
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "p"])
        return table.rename_axis("quantity")

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats."""
        scale = scale or SCALES[self.measure]
        null = scale.text(0.0)
        interval = f"{percent(self.level)} interval {scale.span(self.ci_low, self.ci_high)}"
        verdict = (
            f"which includes no effect ({null})"
            if scale.holds_null(self.ci_low, self.ci_high)
            else f"which lies {'below' if self.mu < 0.0 else 'above'} no effect ({null})"
        )
        many = count(self.k, "study", "studies")
        lines = [
            f"{many} were pooled by the method of {self.name}, as if all estimated one common effect.",
            f"The {scale.name} is {scale.text(self.mu)} ({interval}), {verdict}.",
        ]
        if self.informative < self.k:
            lines.append(f"{count(self.k - self.informative, 'study', 'studies')} without information had no weight.")
        if self.q_df > 0:
            lines.append(f"Whether one common effect fits: Q {number(self.q)}, {self.q_df} df, {p_value(self.q_p)}.")
            if self.q_p < 0.1:
                lines.append("The studies differ by more than chance; a random-effects model would be wider.")
        lines.append("The result is no better than the studies: bias in them is not removed by pooling.")
        return " ".join(lines)


def mantel_haenszel(
    events1: npt.ArrayLike,
    n1: npt.ArrayLike,
    events2: npt.ArrayLike,
    n2: npt.ArrayLike,
    measure: str = "OR",
    level: float = 0.95,
) -> Stratified:
    """Common effect of 2 x 2 tables by Mantel and Haenszel.

    Parameters
    ----------
    events1, n1, events2, n2 : (k,)
        Patients with the event and all patients of groups 1 and 2.
    measure : {"OR", "RR", "RD"}
        Variances: Robins, Breslow and Greenland 1986 (doi:10.2307/2531052) for the odds ratio, Greenland and Robins
        1985 (doi:10.2307/2530643) for the risk ratio, Sato 1989 (Biometrics 45:1323) for the risk difference.
    level : float
        Coverage of the interval.

    Raises
    ------
    InputError
        Counts that are none or do not fit; a ratio where a group has no events (or nothing but events) in any study.
    """
    one_of(measure, _COMMON, "measure")
    check_level(level)
    a, b, c, d = tables(events1, n1, events2, n2)
    if len(a) < 1:
        raise InputError("there is no study", place="events1", value=0, remedy="the counts of at least one study")
    mu, variance = _COMMON[measure](a, b, c, d)
    own = {"OR": ~uninformative(a, b, c, d), "RR": a + c > 0.0, "RD": a + c >= 0.0}[measure]
    counts = (cell[own] for cell in (a, a + b, c, c + d))
    single = MEASURES[measure].function(*counts, double_zero="keep")
    q = float(np.sum((single.yi - mu) ** 2 / single.vi))
    cmh, tarone = math.nan, math.nan
    if measure == "OR":
        cmh, tarone = _cochran(a, b, c, d), _tarone(a, b, c, d, math.exp(mu))
    return _stratified("Mantel and Haenszel", measure, mu, variance, q, cmh, tarone, len(a), int(own.sum()), level)


def peto(
    events1: npt.ArrayLike, n1: npt.ArrayLike, events2: npt.ArrayLike, n2: npt.ArrayLike, level: float = 0.95
) -> Stratified:
    """Common odds ratio from observed minus expected events (Yusuf et al. 1985, doi:10.1016/S0033-0620(85)80003-7).

    Good for rare events, small effects and arms of similar size; biased otherwise. Parameters as `mantel_haenszel`.

    Raises
    ------
    InputError
        Counts that are none or do not fit, or no study with both events and non-events.
    """
    check_level(level)
    a, b, c, d = tables(events1, n1, events2, n2)
    excess, variance = _hypergeometric(a, b, c, d)
    own = variance > 0.0
    if not own.any():
        raise InputError("no study has both events and non-events", place="events1", remedy="studies with events")
    total = float(variance.sum())
    mu = float(excess.sum()) / total
    q = float(np.sum((excess[own] - mu * variance[own]) ** 2 / variance[own]))
    return _stratified("Peto", "OR", mu, 1.0 / total, q, math.nan, math.nan, len(a), int(own.sum()), level)


METHODS: Final[Mapping[str, Method]] = {
    "mantel_haenszel": Method(
        mantel_haenszel,
        "Mantel-Haenszel, for OR, RR and RD",
        "10.2307/2531052",
        "test_bcg_mantel_haenszel_equals_metafor",
    ),
    "peto": Method(peto, "Peto's odds ratio", "10.1016/S0033-0620(85)80003-7", "test_bcg_peto_equals_metafor"),
}


def _stratified(
    name: str,
    measure: str,
    mu: float,
    variance: float,
    q: float,
    cmh: float,
    tarone: float,
    k: int,
    informative: int,
    level: float,
) -> Stratified:
    se = math.sqrt(variance)
    reach = critical(level, None) * se
    statistic, p = tested(mu, se, None)
    df = informative - 1
    return Stratified(
        measure=measure,
        name=name,
        mu=mu,
        se=se,
        ci_low=mu - reach,
        ci_high=mu + reach,
        statistic=statistic,
        p=p,
        q=q,
        q_df=df,
        q_p=float(stats.chi2.sf(q, df)) if df > 0 else math.nan,
        cmh=cmh,
        cmh_p=float(stats.chi2.sf(cmh, 1)),
        tarone=tarone,
        tarone_p=float(stats.chi2.sf(tarone, df)) if df > 0 else math.nan,
        k=k,
        informative=informative,
        level=float(level),
    )


def _odds_ratio(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float]:
    n = a + b + c + d
    agree, differ = a * d / n, b * c / n
    r, s = _positive(agree), _positive(differ)
    p, q = (a + d) / n, (b + c) / n
    variance = (
        np.sum(p * agree) / (2.0 * r**2)
        + np.sum(p * differ + q * agree) / (2.0 * r * s)
        + np.sum(q * differ) / (2.0 * s**2)
    )
    return math.log(r / s), float(variance)


def _risk_ratio(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float]:
    n1, n2 = a + b, c + d
    n = n1 + n2
    r, s = _positive(a * n2 / n), _positive(c * n1 / n)
    variance = np.sum((n1 * n2 * (a + c) - a * c * n) / n**2) / (r * s)
    return math.log(r / s), float(variance)


def _risk_difference(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float]:
    n1, n2 = a + b, c + d
    n = n1 + n2
    weight = float(np.sum(n1 * n2 / n))
    mu = float(np.sum((a * n2 - c * n1) / n)) / weight
    linear = np.sum((n1**2 * c - n2**2 * a + n1 * n2 * (n2 - n1) / 2.0) / n**2)
    constant = np.sum((a * d + b * c) / n) / 2.0
    return mu, float(mu * linear + constant) / weight**2


_COMMON: Final[Mapping[str, Callable[[Array, Array, Array, Array], tuple[float, float]]]] = {
    "OR": _odds_ratio,
    "RR": _risk_ratio,
    "RD": _risk_difference,
}


def _positive(terms: Array) -> float:
    total = float(terms.sum())
    if total <= 0.0:
        raise InputError(
            "a group has no events (or nothing but events) in any study: a ratio cannot be estimated",
            place="events",
            remedy='measure="RD"',
        )
    return total


def _hypergeometric(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Observed minus expected events of group 1, and their variance, given the margins; one patient has no variance."""
    n1, n2, m1, m2 = a + b, c + d, a + c, b + d
    n = n1 + n2
    return a - n1 * m1 / n, n1 * n2 * m1 * m2 / (n**2 * np.maximum(n - 1.0, 1.0))


def _cochran(a: Array, b: Array, c: Array, d: Array) -> float:
    excess, variance = _hypergeometric(a, b, c, d)
    return max(0.0, abs(float(excess.sum())) - 0.5) ** 2 / float(variance.sum())


def _tarone(a: Array, b: Array, c: Array, d: Array, odds: float) -> float:
    """Breslow-Day with Tarone's correction (Tarone 1985, doi:10.1093/biomet/72.1.91)."""
    n1, n2, m1 = a + b, c + d, a + c
    # The expected events e solve e (n2 - m1 + e) = odds (n1 - e)(m1 - e), written so that odds = 1 is no exception.
    p, q = odds - 1.0, odds * (n1 + m1) + n2 - m1
    expected = 2.0 * odds * n1 * m1 / (q + np.sqrt(np.maximum(q**2 - 4.0 * p * odds * n1 * m1, 0.0)))
    cells = np.stack([expected, n1 - expected, m1 - expected, n2 - m1 + expected])
    own = (cells > 1e-12 * (n1 + n2)).all(axis=0)
    variance = 1.0 / np.sum(1.0 / cells[:, own], axis=0)
    rest = (a - expected)[own]
    return float(np.sum(rest**2 / variance) - rest.sum() ** 2 / variance.sum())
