"""Pooling within groups of studies, and whether the groups differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stromal.compute.errors import InputError
from stromal.evidence.pooling.inputs import read_studies, same_length
from stromal.evidence.pooling.least_squares import intercept_only, weighted
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.pool import Pooled, pool
from stromal.evidence.pooling.wording import Scale, count, number, p_value, percent


def subgroups(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    groups: Iterable[object],
    method: str = "REML",
    test: str = "z",
    prediction: str = "z",
    level: float = 0.95,
    *,
    labels: Iterable[object] | None = None,
) -> Subgroups:
    """Pool within groups of studies, each with its own tau², and test whether the groups differ.

    Parameters
    ----------
    groups : iterable of length k
        The group of each study; groups come in order of first appearance.
    yi, vi, method, test, prediction, level, labels
        As in `pool`.

    Raises
    ------
    InputError
        What `pool` refuses, a missing group, or a length that differs.
    """
    studies = read_studies(yi, vi, labels)
    of_study = np.array(list(groups), dtype=object)
    same_length(yi=studies.yi, groups=of_study)
    if pd.isna(of_study).any():
        raise InputError("a study has no group", place="groups", remedy="a group for every study")
    of_study = np.array([str(g) for g in of_study], dtype=object)
    parts: dict[str, Pooled] = {}
    for group in dict.fromkeys(of_study):
        own = of_study == group
        parts[group] = pool(
            studies.yi[own],
            studies.vi[own],
            method,
            test,
            prediction,
            level,
            labels=[n for n, o in zip(studies.labels, own, strict=True) if o],
        )
    means = np.array([p.mu for p in parts.values()])
    variances = np.array([_unscaled_variance(p) for p in parts.values()])
    q = float(weighted(intercept_only(means, variances), 0.0).q[0])
    df = len(parts) - 1
    return Subgroups(
        groups=tuple(parts),
        pooled=tuple(parts.values()),
        overall=pool(studies.yi, studies.vi, method, test, prediction, level, labels=studies.labels),
        q_between=q,
        q_between_df=df,
        q_between_p=float(stats.chi2.sf(q, df)) if df > 0 else math.nan,
    )


@final
@dataclass(frozen=True, eq=False)
class Subgroups:
    """What `subgroups` returns.

    Attributes
    ----------
    groups : tuple of str
    pooled : tuple of Pooled
        One per group.
    overall : Pooled
        All studies.
    q_between, q_between_df, q_between_p : float, int, float
        Test that the groups have one mean (from standard errors without the Hartung-Knapp factor).
    """

    groups: tuple[str, ...]
    pooled: tuple[Pooled, ...]
    overall: Pooled
    q_between: float
    q_between_df: int
    q_between_p: float

    def summary(self) -> pd.DataFrame:
        """One row per group and one for all: index `group`; `k`, `effect`, interval, `tau2`, `i2`, `q`, `q_p`."""
        rows = [
            {
                "k": p.k,
                "effect": p.mu,
                "se": p.se,
                "ci_low": p.ci_low,
                "ci_high": p.ci_high,
                "pi_low": p.pi_low,
                "pi_high": p.pi_high,
                "tau2": p.tau2,
                "i2": p.i2,
                "q": p.q,
                "q_p": p.q_p,
            }
            for p in (*self.pooled, self.overall)
        ]
        return pd.DataFrame(rows, index=pd.Index([*self.groups, "all studies"], name="group"))

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats."""
        scale = scale or Scale()
        parts = [
            f"{g} ({count(p.k, 'study', 'studies')}): {scale.text(p.mu)}"
            + (f" ({scale.span(p.ci_low, p.ci_high)})" if not math.isnan(p.ci_low) else " (no interval)")
            for g, p in zip(self.groups, self.pooled, strict=True)
        ]
        lines = [f"Pooled {scale.name} by group ({percent(self.overall.level)} interval): {'; '.join(parts)}."]
        if self.q_between_df > 0:
            verdict = "differ" if self.q_between_p < 0.05 else "are not shown to differ"
            q = f"Q {number(self.q_between)}, {self.q_between_df} df, {p_value(self.q_between_p)}"
            lines.append(
                f"The groups {verdict} ({q}); that one interval includes no effect and another does not is no test."
            )
        alone = [g for g, p in zip(self.groups, self.pooled, strict=True) if p.k == 1]
        if alone:
            lines.append(f"A group of one study says nothing about differences within it ({', '.join(alone)}).")
        lines.append("Studies were not randomised to groups: other differences between them may be the reason.")
        return " ".join(lines)


METHODS: Final[Mapping[str, Method]] = {
    "subgroups": Method(
        subgroups,
        "subgroups with their own tau², and the test between them",
        "10.1002/9780470743386",
        "test_bcg_subgroups_equal_metafor",
    )
}


def _unscaled_variance(pooled: Pooled) -> float:
    tau2 = 0.0 if math.isnan(pooled.tau2) else pooled.tau2
    return 1.0 / float(np.sum(1.0 / (pooled.vi + tau2)))
