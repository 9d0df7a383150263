"""Why studies differ: meta-regression on properties of the studies.

It compares studies, not patients: a relation across studies may be absent or reversed within them, and study
properties are confounded with each other. With fewer than about ten studies per property little can be learnt
(Cochrane Handbook, chapter 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stromal.compute.errors import InputError
from stromal.evidence.pooling.heterogeneity import ESTIMATORS, estimate_tau2, i2_and_h2, q_profile
from stromal.evidence.pooling.inputs import Array, check_level, columns, one_of, read_studies, same_length
from stromal.evidence.pooling.least_squares import Linear, intercept_only, weighted
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.pool import TESTS, critical, tested
from stromal.evidence.pooling.wording import Scale, count, number, p_value, percent

STUDIES_PER_PROPERTY: Final = 10
"""Fewer studies per coefficient than this earn a caveat."""


def regress(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    moderators: pd.DataFrame | Mapping[str, Any],
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Regression:
    """Regress effects on properties of the studies (mixed-effects meta-regression with an intercept).

    Parameters
    ----------
    yi, vi : (k,)
        Effects and their sampling variances.
    moderators : DataFrame or mapping of columns
        Numbers, or categories (text, booleans, or a pandas Categorical whose first level is the reference; otherwise
        the first in sorted order is).
    method, test, level
        As in `pool`; Student's t and F have k - p degrees of freedom.

    Raises
    ------
    InputError
        What `pool` refuses; missing values; columns that repeat each other; not more studies than coefficients.
    """
    one_of(method, ESTIMATORS, "method")
    one_of(test, TESTS, "test")
    check_level(level)
    studies = read_studies(yi, vi)
    table = columns(moderators, "moderators")
    coding = _code(table)
    x = _design(table, coding)
    coefficients = _coefficients(coding)
    if len(coefficients) < 2:
        raise InputError("there is no moderator", place="moderators", remedy="at least one column that varies")
    same_length(yi=studies.yi, moderators=x)
    if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < x.shape[1]:
        raise InputError(
            "moderators are constant or repeat each other",
            place="moderators",
            value=list(table.columns),
            remedy="columns none of which follows from the others",
        )
    data = Linear(studies.yi, studies.vi, x)
    if data.df < 1:
        raise InputError(
            "not more studies than coefficients", place="yi", value=data.k, remedy=f"at least {x.shape[1] + 1} studies"
        )
    return _fitted(data, coefficients, coding, method, test, float(level))


@final
@dataclass(frozen=True, eq=False)
class Regression:
    """What `regress` returns.

    Attributes
    ----------
    coefficients : DataFrame
        Index `coefficient`; `estimate`, `se`, `ci_low`, `ci_high`, `statistic`, `p`.
    covariance : (p, p)
        Of the coefficients.
    tau2, tau2_low, tau2_high : float
        Variance between studies that the moderators leave, with its Q-profile interval.
    i2, h2 : float
        As in `Pooled`, for what is left.
    r2 : float
        Share of tau² without moderators that they account for [%], cut off at 0; NaN where that tau² is 0.
    qe, qe_df, qe_p : float, int, float
        Test of what is left.
    qm, qm_df, qm_p : float, int, float
        Test of all moderators together: chi², or under ``knha`` and ``adhoc`` an F statistic with `qm_df` and `qe_df`.
    k, method, test, level
    """

    coefficients: pd.DataFrame
    covariance: Array
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float
    h2: float
    r2: float
    qe: float
    qe_df: int
    qe_p: float
    qm: float
    qm_df: int
    qm_p: float
    k: int
    method: str
    test: str
    level: float
    coding: tuple[tuple[str, tuple[Any, ...]], ...]

    def summary(self) -> pd.DataFrame:
        """The coefficients."""
        return self.coefficients.copy()

    def predict(self, moderators: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
        """Mean effect of studies with given properties.

        Returns
        -------
        DataFrame
            One row per row of `moderators`: `estimate`, `se`, `ci_low`, `ci_high`, and `pi_low`, `pi_high` for the true
            effect of one such study (same quantile as the interval; NaN under ``EE``).

        Raises
        ------
        InputError
            A column or a category that the regression did not have.
        """
        table = columns(moderators, "moderators")
        x = _design(table, self.coding)
        estimate = x @ self.coefficients["estimate"].to_numpy()
        se = np.sqrt(np.einsum("ij,jk,ik->i", x, self.covariance, x))
        quantile = critical(self.level, None if self.test == "z" else self.qe_df)
        spread = np.sqrt(se**2 + self.tau2) if self.method != "EE" else np.full(len(x), math.nan)
        return pd.DataFrame(
            {
                "estimate": estimate,
                "se": se,
                "ci_low": estimate - quantile * se,
                "ci_high": estimate + quantile * se,
                "pi_low": estimate - quantile * spread,
                "pi_high": estimate + quantile * spread,
            }
        )

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats."""
        scale = scale or Scale()
        on_log = {"exp": "log ", "logistic": "logit "}.get(scale.back, "")
        slopes = []
        for name, row in self.coefficients.iloc[1:].iterrows():
            span = f"{number(row['ci_low'])} to {number(row['ci_high'])}"
            verdict = "no relation shown" if row["ci_low"] <= 0.0 <= row["ci_high"] else "related"
            slopes.append(f"{name} {number(row['estimate'])} ({span}; {verdict})")
        test = f"F({self.qm_df}, {self.qe_df})" if self.test != "z" else f"chi²({self.qm_df})"
        many = count(self.k, "study", "studies")
        lines = [
            f"The {on_log}{scale.name} of {many} was regressed on properties of the studies.",
            f"Change per unit or against the reference ({percent(self.level)} interval): {'; '.join(slopes)}.",
            f"Together: {test} = {number(self.qm)}, {p_value(self.qm_p)}.",
        ]
        left = f"tau² {number(self.tau2)}, I² {self.i2:.0f} %, Q {number(self.qe)}, {p_value(self.qe_p)}"
        lines.append(
            f"What they leave between studies: {left}"
            + (f"; they account for {self.r2:.0f} % of tau²." if not math.isnan(self.r2) else ".")
        )
        if self.k < STUDIES_PER_PROPERTY * self.qm_df:
            lines.append(f"With {self.k} studies this is exploratory; such findings are often due to chance.")
        lines.append("It compares studies, not patients: other differences between the studies may be the reason.")
        return " ".join(lines)


METHODS: Final[Mapping[str, Method]] = {
    "regress": Method(
        regress, "meta-regression", "10.1002/sim.1482", "test_bcg_meta_regression_on_latitude_equals_metafor"
    ),
}


def _fitted(
    data: Linear,
    coefficients: list[str],
    coding: tuple[tuple[str, tuple[Any, ...]], ...],
    method: str,
    test: str,
    level: float,
) -> Regression:
    tau2 = estimate_tau2(data, method)
    fit, plain = weighted(data, tau2), weighted(data, 0.0)
    covariance = fit.covariance[0] * TESTS[test].function(float(fit.q[0]), data.df)
    beta, se = fit.beta[0], np.sqrt(np.diag(covariance))
    df = None if test == "z" else data.df
    tests = [tested(float(b), float(s), df) for b, s in zip(beta, se, strict=True)]
    quantile = critical(level, df)
    m = len(beta) - 1
    chi2 = _wald(beta[1:], covariance[1:, 1:])
    without = estimate_tau2(intercept_only(data.y, data.v), method)
    i2, h2 = i2_and_h2(data, tau2, method)
    low, high = q_profile(data, level)
    return Regression(
        coefficients=pd.DataFrame(
            {
                "estimate": beta,
                "se": se,
                "ci_low": beta - quantile * se,
                "ci_high": beta + quantile * se,
                "statistic": [t[0] for t in tests],
                "p": [t[1] for t in tests],
            },
            index=pd.Index(coefficients, name="coefficient"),
        ),
        covariance=covariance,
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        i2=i2,
        h2=h2,
        r2=100.0 * max(0.0, 1.0 - tau2 / without) if without > 0.0 else math.nan,
        qe=float(plain.q[0]),
        qe_df=data.df,
        qe_p=float(stats.chi2.sf(plain.q[0], data.df)),
        qm=chi2 if test == "z" else chi2 / m,
        qm_df=m,
        qm_p=float(stats.chi2.sf(chi2, m) if test == "z" else stats.f.sf(chi2 / m, m, data.df)),
        k=data.k,
        method=method,
        test=test,
        level=level,
        coding=coding,
    )


def _wald(beta: Array, covariance: Array) -> float:
    """NaN where the covariance is 0 (a perfect fit under Hartung-Knapp)."""
    if not np.diag(covariance).all():
        return math.nan
    return float(beta @ np.linalg.solve(covariance, beta))


def _code(table: pd.DataFrame) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Columns with their categories, the reference first; none for numbers."""
    coding: list[tuple[str, tuple[Any, ...]]] = []
    for name in table.columns:
        column = table[name]
        if column.isna().any():
            at = int(column.isna().to_numpy().argmax())
            raise InputError("a property is missing", place=f"{name}[{at}]", remedy="a value, or leave the study out")
        if isinstance(column.dtype, pd.CategoricalDtype):
            levels = tuple(column.cat.remove_unused_categories().cat.categories)
        elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            levels = ()
        else:
            levels = tuple(sorted(set(column), key=str))
        coding.append((str(name), levels))
    return tuple(coding)


def _coefficients(coding: tuple[tuple[str, tuple[Any, ...]], ...]) -> list[str]:
    found = ["intercept"]
    for name, levels in coding:
        found += [f"{name}[{level}]" for level in levels[1:]] if levels else [name]
    return found


def _design(table: pd.DataFrame, coding: tuple[tuple[str, tuple[Any, ...]], ...]) -> Array:
    """Intercept, numbers as they are, one indicator per category but the first."""
    found = [np.ones(len(table))]
    for name, levels in coding:
        if name not in table.columns:
            raise InputError("a moderator is missing", place="moderators", value=list(table.columns), remedy=name)
        column = table[name]
        if levels:
            unknown = ~column.isin(levels).to_numpy()
            if unknown.any():
                value = column.iloc[int(unknown.argmax())]
                remedy = ", ".join(str(level) for level in levels)
                raise InputError("no such category", place=name, value=value, remedy=remedy)
            found += [(column == level).to_numpy(dtype=float) for level in levels[1:]]
            continue
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        if not np.isfinite(values).all():
            at = int((~np.isfinite(values)).argmax())
            raise InputError("not a number", place=f"{name}[{at}]", value=column.iloc[at], remedy="a finite number")
        found.append(values)
    return np.column_stack(found)
