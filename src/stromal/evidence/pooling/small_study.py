"""Whether small studies show larger effects: Egger's and Begg's tests, trim and fill.

Asymmetry of this kind has many causes besides unpublished studies: small studies may be worse, or in sicker patients,
or it may be chance. None of these methods proves or excludes publication bias.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stromal.compute.errors import InputError
from stromal.evidence.pooling.inputs import one_of
from stromal.evidence.pooling.least_squares import intercept_only, weighted
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.pool import Pooled, pool
from stromal.evidence.pooling.regression import regress
from stromal.evidence.pooling.wording import Scale, count, p_value

ENOUGH: Final = 10
"""With fewer studies a test for asymmetry has little power (Sterne et al. 2011, doi:10.1136/bmj.d4002)."""
_EXACT: Final = 50


@final
@dataclass(frozen=True)
class Asymmetry:
    """What `egger` and `begg` return.

    Attributes
    ----------
    name : str
        Of the test.
    estimate : float
        Slope of effect on standard error (Egger), or Kendall's tau (Begg).
    statistic : float
        z, t, or tau again.
    df : int or None
        Of t.
    p : float
        Two-sided.
    limit : float
        Egger: the effect that the line gives at a standard error of 0; NaN for Begg.
    k : int
    """

    name: str
    estimate: float
    statistic: float
    df: int | None
    p: float
    limit: float
    k: int

    def summary(self) -> pd.DataFrame:
        """The test as a table of one row: index `test`; `estimate`, `statistic`, `df`, `p`, `limit`, `k`."""
        row = {
            "estimate": self.estimate,
            "statistic": self.statistic,
            "df": math.nan if self.df is None else float(self.df),
            "p": self.p,
            "limit": self.limit,
            "k": self.k,
        }
        return pd.DataFrame([row], index=pd.Index([self.name], name="test"))

    def report(self) -> str:
        """The finding in plain language, with its caveats."""
        if math.isnan(self.p):
            return f"{self.name}: cannot be computed; the studies are equally precise."
        found = (
            "small studies show other effects than large ones; unpublished studies are one possible reason"
            if self.p < 0.1
            else "no relation between effect and size of study was found, which does not exclude unpublished studies"
        )
        few = f" With {count(self.k, 'study', 'studies')} the test has little power." if self.k < ENOUGH else ""
        return f"{self.name}: {found} ({p_value(self.p)}).{few}"


def egger(pooled: Pooled, model: Literal["mixed", "classic"] = "mixed") -> Asymmetry:
    """Regression of effect on standard error (Egger et al. 1997, doi:10.1136/bmj.315.7109.629).

    Parameters
    ----------
    pooled : Pooled
        Three studies or more; its estimator of tau² is used by ``mixed``.
    model : {"mixed", "classic"}
        ``mixed``: meta-regression with tau², z test. ``classic``: weights 1/variance with a free scale, t test.

    Raises
    ------
    InputError
        Fewer than three studies, or all with one standard error.
    """
    one_of(model, ("mixed", "classic"), "model")
    _enough(pooled)
    se = np.sqrt(pooled.vi)
    options = (pooled.method, "z") if model == "mixed" else ("EE", "knha")
    fit = regress(pooled.yi, pooled.vi, {"se": se}, *options, pooled.level)
    slope = fit.coefficients.loc["se"]
    return Asymmetry(
        name=f"Egger's test ({'mixed-effects' if model == 'mixed' else 'classic'} regression)",
        estimate=float(slope["estimate"]),
        statistic=float(slope["statistic"]),
        df=None if model == "mixed" else fit.qe_df,
        p=float(slope["p"]),
        limit=float(fit.coefficients.loc["intercept", "estimate"]),
        k=pooled.k,
    )


def begg(pooled: Pooled) -> Asymmetry:
    """Rank correlation of standardised effect and variance (Begg and Mazumdar 1994, doi:10.2307/2533446).

    Exact up to 50 studies without ties, normal approximation otherwise. NaN where all variances are equal.

    Raises
    ------
    InputError
        Fewer than three studies.
    """
    _enough(pooled)
    common = weighted(intercept_only(pooled.yi, pooled.vi), 0.0)
    spread = np.sqrt(pooled.vi - common.covariance[0, 0, 0])
    standardised = (pooled.yi - common.beta[0, 0]) / spread
    tied = len(np.unique(standardised)) < pooled.k or len(np.unique(pooled.vi)) < pooled.k
    method = "exact" if pooled.k <= _EXACT and not tied else "asymptotic"
    tau, p = stats.kendalltau(standardised, pooled.vi, method=method)
    return Asymmetry("Begg's test (rank correlation)", float(tau), float(tau), None, float(p), math.nan, pooled.k)


@final
@dataclass(frozen=True, eq=False)
class TrimFill:
    """What `trim_and_fill` returns.

    Attributes
    ----------
    before, after : Pooled
        Without and with the imputed studies.
    filled : int
        Studies imputed.
    side : {"left", "right"}
        Where they were missing.
    """

    before: Pooled
    after: Pooled
    filled: int
    side: str

    def summary(self) -> pd.DataFrame:
        """Two rows, `before` and `after`: `k`, `effect`, `se`, `ci_low`, `ci_high`, `tau2`."""
        rows = [
            {"k": p.k, "effect": p.mu, "se": p.se, "ci_low": p.ci_low, "ci_high": p.ci_high, "tau2": p.tau2}
            for p in (self.before, self.after)
        ]
        return pd.DataFrame(rows, index=["before", "after"])

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats."""
        scale = scale or Scale()
        if self.filled == 0:
            return (
                "Trim and fill finds no study missing; it often misses what is missing, above all where studies differ."
            )
        return (
            f"To make the results symmetric, trim and fill imputes {count(self.filled, 'study', 'studies')} with "
            f"{'larger' if self.side == 'right' else 'smaller'} values; the pooled {scale.name} would change from "
            f"{scale.text(self.before.mu)} to {scale.text(self.after.mu)} "
            f"({scale.span(self.after.ci_low, self.after.ci_high)}). The imputed studies are not data: this is a "
            "sensitivity analysis, and unreliable where studies differ."
        )


def trim_and_fill(pooled: Pooled, side: Literal["auto", "left", "right"] = "auto") -> TrimFill:
    """Impute the studies that asymmetry suggests are missing, their number by the estimator L0.

    Duval and Tweedie 2000, doi:10.1111/j.0006-341X.2000.00455.x.

    Parameters
    ----------
    pooled : Pooled
        Three studies or more.
    side : {"auto", "left", "right"}
        Where studies are missing; ``auto`` takes the side of the small studies' deficit from Egger's slope.

    Returns
    -------
    TrimFill
        Where the number of missing studies does not settle, the largest of the numbers it alternates between is taken.

    Raises
    ------
    InputError
        Fewer than three studies.
    """
    one_of(side, ("auto", "left", "right"), "side")
    _enough(pooled)
    missing = side if side != "auto" else _deficit(pooled)
    sign = -1.0 if missing == "right" else 1.0
    order = np.argsort(sign * pooled.yi, kind="stable")
    filled, centre = _missing(pooled, order, sign)
    last = order[pooled.k - filled :]
    after = pool(
        np.concatenate([pooled.yi, 2.0 * centre - pooled.yi[last]]),
        np.concatenate([pooled.vi, pooled.vi[last]]),
        pooled.method,
        pooled.test,
        pooled.prediction,
        pooled.level,
        labels=[*pooled.labels, *(f"imputed opposite {pooled.labels[i]}" for i in last)],
    )
    return TrimFill(pooled, after, filled, missing)


METHODS: Final[Mapping[str, Method]] = {
    "egger": Method(egger, "Egger's test", "10.1136/bmj.315.7109.629", "test_bcg_small_study_tests_equal_metafor"),
    "begg": Method(begg, "Begg's test", "10.2307/2533446", "test_bcg_small_study_tests_equal_metafor"),
    "trim_and_fill": Method(
        trim_and_fill, "trim and fill (L0)", "10.1111/j.0006-341X.2000.00455.x", "test_bcg_trim_and_fill_equals_metafor"
    ),
}


def _enough(pooled: Pooled) -> None:
    if pooled.k < 3:
        raise InputError("too few studies", place="pooled", value=pooled.k, remedy="three or more studies")


def _deficit(pooled: Pooled) -> str:
    """Small studies with lower effects leave a gap on the right."""
    se = np.sqrt(pooled.vi)
    if np.ptp(se) == 0.0:
        return "left"
    slope = regress(pooled.yi, pooled.vi, {"se": se}, pooled.method).coefficients.loc["se", "estimate"]
    return "right" if slope < 0.0 else "left"


def _missing(pooled: Pooled, order: npt.NDArray[np.intp], sign: float) -> tuple[int, float]:
    """Number of missing studies, and the centre to mirror around; steps repeat until a number comes back."""
    k, filled = pooled.k, 0
    centres: dict[int, float] = {}
    while filled not in centres:
        centre = centres[filled] = pooled.again(order[: k - filled]).mu
        apart = sign * (pooled.yi[order] - centre)
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(apart), kind="stable")] = np.arange(1, k + 1)
        above = float(ranks[apart > 0.0].sum())
        filled = min(k - 1, max(0, round((4.0 * above - k * (k + 1)) / (2.0 * k - 1.0))))
    numbers = list(centres)
    chosen = max(numbers[numbers.index(filled) :])
    return chosen, centres[chosen]
