"""Network meta-analysis: several treatments, compared directly and through others, in one model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal, final

import numpy as np
import pandas as pd
from scipy import stats

from stromal.compute.errors import InputError
from stromal.evidence.pooling.consistency import Consistency, by_design
from stromal.evidence.pooling.heterogeneity import ESTIMATORS, estimate_tau2
from stromal.evidence.pooling.inputs import Array, check_level, frozen, one_of
from stromal.evidence.pooling.least_squares import weighted
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.network_studies import (
    Block,
    Comparison,
    blocks,
    check_connected,
    linear,
    read_comparisons,
)
from stromal.evidence.pooling.pool import critical
from stromal.evidence.pooling.wording import Scale, count, listed, number, percent


def network(
    studies: pd.DataFrame | Mapping[str, Any],
    model: str = "random",
    tau2: str = "DL",
    *,
    reference: str | None = None,
    level: float = 0.95,
) -> Network:
    """Compare several treatments through a network of studies.

    Parameters
    ----------
    studies : DataFrame or mapping of columns
        One row per comparison within a study: `study`, `treat1`, `treat2`, `te` (effect of `treat1` minus that of
        `treat2`; ratios as logarithms) and `se`. A study of t arms gives all t(t - 1)/2 comparisons.
    model : {"random", "common"}
        ``random``: all comparisons share one variance between studies.
    tau2 : {"DL", "REML", "ML", "PM", ...}
        Its estimator, a key of `heterogeneity.ESTIMATORS` other than ``EE``; ``DL`` is the generalised method of
        moments. Not used by ``common``.
    reference : str, optional
        What tables compare with; the treatment in most studies otherwise (ties: first in sorted order).
    level : float
        Coverage of intervals.

    Returns
    -------
    Network
        Where no degree of freedom is left, tau² is NaN and the effects are those of the common-effect model.

    Raises
    ------
    InputError
        What `network_studies` refuses, a network in parts, an unknown reference or option.

    Notes
    -----
    Equivalent to the graph-theoretical approach of Rücker 2012, doi:10.1002/jrsm.1058.
    """
    one_of(model, ("random", "common"), "model")
    one_of(tau2, [name for name in ESTIMATORS if name != "EE"], "tau2")
    check_level(level)
    comparisons = read_comparisons(studies)
    if not comparisons:
        raise InputError("there is no study", place="studies", value=0, remedy="at least one comparison")
    found = blocks(comparisons)
    check_connected(found)
    treatments = tuple(sorted({t for block in found for t in block.treatments}))
    if reference is not None:
        one_of(reference, treatments, "reference")
    column = {t: i for i, t in enumerate(treatments[1:])}
    data = linear(found, [column] * len(found), len(column))
    between = estimate_tau2(data, tau2) if model == "random" else 0.0
    fit = weighted(data, 0.0 if math.isnan(between) else between)
    # Contrasts between all treatments, the first of which has the effect 0 by definition.
    beta = np.concatenate([[0.0], fit.beta[0]])
    covariance = np.zeros((len(beta), len(beta)))
    covariance[1:, 1:] = fit.covariance[0]
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))
    q = float(weighted(data, 0.0).q[0])
    return Network(
        treatments=treatments,
        reference=reference or _most_studied(found, treatments),
        effects=frozen(beta[:, None] - beta[None, :]),
        se=frozen(spread),
        tau2=between,
        q=q,
        q_df=data.df,
        q_p=float(stats.chi2.sf(q, data.df)) if data.df > 0 else math.nan,
        i2=100.0 * max(0.0, 1.0 - data.df / q) if data.df > 0 and q > 0.0 else (0.0 if data.df > 0 else math.nan),
        k=len(found),
        model=model,
        method=tau2 if model == "random" else "EE",
        level=float(level),
        comparisons=comparisons,
        studies=found,
    )


@final
@dataclass(frozen=True, eq=False)
class Network:
    """What `network` returns.

    Attributes
    ----------
    treatments : tuple of str
        Sorted; the order of rows and columns.
    reference : str
    effects, se : (t, t)
        Effect of the row's treatment minus that of the column's, and its standard error.
    tau2 : float
        Variance between studies of any comparison; 0 under ``common``.
    q, q_df, q_p, i2 : float, int, float, float
        All disagreement, within and between designs; I² [%] from Q.
    k : int
        Number of studies.
    model, method, level
        As asked for.
    comparisons, studies
        The rows of the table, and the studies as they entered the model.
    """

    treatments: tuple[str, ...]
    reference: str
    effects: Array
    se: Array
    tau2: float
    q: float
    q_df: int
    q_p: float
    i2: float
    k: int
    model: str
    method: str
    level: float
    comparisons: tuple[Comparison, ...]
    studies: tuple[Block, ...]

    def difference(self, treat1: str, treat2: str) -> pd.Series:
        """Effect of `treat1` minus that of `treat2`: `effect`, `se`, `ci_low`, `ci_high`, `p`, `pi_low`, `pi_high`.

        The prediction interval, for the true difference in a new study, has Student's t with the degrees of freedom of
        Q; it is NaN under ``common`` and with fewer than two.
        """
        for treatment in (treat1, treat2):
            one_of(treatment, self.treatments, "treatment")
        i, j = self.treatments.index(treat1), self.treatments.index(treat2)
        effect, se = float(self.effects[i, j]), float(self.se[i, j])
        reach = critical(self.level, None) * se
        further = math.nan
        if self.model == "random" and self.q_df > 1:
            further = critical(self.level, self.q_df) * math.sqrt(se**2 + self.tau2)
        return pd.Series(
            {
                "effect": effect,
                "se": se,
                "ci_low": effect - reach,
                "ci_high": effect + reach,
                "p": 2.0 * float(stats.norm.sf(abs(effect / se))) if se > 0.0 else math.nan,
                "pi_low": effect - further,
                "pi_high": effect + further,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Every treatment against the reference.

        Returns
        -------
        DataFrame
            Index `treatment` without the reference; what `difference` gives, and `direct`: the number of studies that
            compare the two.
        """
        others = [t for t in self.treatments if t != self.reference]
        table = pd.DataFrame([self.difference(t, self.reference) for t in others])
        table["direct"] = [self.direct(t, self.reference) for t in others]
        table.index = pd.Index(others, name="treatment")
        return table

    def direct(self, treat1: str, treat2: str) -> int:
        """Number of studies that compare two treatments."""
        return sum({treat1, treat2} <= set(block.treatments) for block in self.studies)

    def pairs(self) -> pd.DataFrame:
        """All comparisons: index `treat1`, `treat2`; what `difference` gives, and `direct`."""
        every = list(combinations(self.treatments, 2))
        table = pd.DataFrame([self.difference(a, b) for a, b in every])
        table["direct"] = [self.direct(a, b) for a, b in every]
        table.index = pd.MultiIndex.from_tuples(every, names=["treat1", "treat2"])
        return table

    def league(self, scale: Scale | None = None) -> pd.DataFrame:
        """Text table of all comparisons: the row's treatment against the column's, with its interval."""
        scale = scale or Scale()
        table = pd.DataFrame("", index=list(self.treatments), columns=list(self.treatments))
        for a in self.treatments:
            for b in self.treatments:
                if a == b:
                    table.loc[a, b] = a
                    continue
                d = self.difference(a, b)
                table.loc[a, b] = f"{number(scale.value(d['effect']))} ({scale.span(d['ci_low'], d['ci_high'])})"
        return table

    def p_scores(self, better: Literal["lower", "higher"]) -> pd.Series:
        """P-scores (Rücker and Schwarzer 2015, doi:10.1186/s12874-015-0060-8), highest first.

        The mean certainty, over all other treatments, that a treatment is better; 1 is certainly best, 0 certainly
        worst. A rank says nothing about how large a difference is.

        Parameters
        ----------
        better : {"lower", "higher"}
            Whether lower or higher values of the effect are better.
        """
        one_of(better, ("lower", "higher"), "better")
        sign = 1.0 if better == "higher" else -1.0
        n = len(self.treatments)
        apart = ~np.eye(n, dtype=bool)
        z = np.divide(sign * self.effects, self.se, out=np.zeros((n, n)), where=apart)
        scores = np.where(apart, stats.norm.cdf(z), 0.0).sum(axis=1) / (n - 1)
        table = pd.Series(scores, index=pd.Index(self.treatments, name="treatment"), name="p_score")
        return table.sort_values(ascending=False, kind="stable")

    def consistency(self) -> Consistency:
        """Whether designs agree: Q within and between designs (see `consistency.by_design`)."""
        return by_design(self.studies)

    def report(self, better: Literal["lower", "higher"], scale: Scale | None = None) -> str:
        """The finding in plain language, with its caveats."""
        scale = scale or Scale()
        table = self.summary()
        best = self.p_scores(better)
        apart = [t for t, row in table.iterrows() if not scale.holds_null(row["ci_low"], row["ci_high"])]
        indirect = [t for t, row in table.iterrows() if row["direct"] == 0]
        how = (
            "a common-effect model"
            if self.model == "common"
            else f"a random-effects model ({ESTIMATORS[self.method].words})"
        )
        many = f"{count(self.k, 'study', 'studies')} compare {count(len(self.treatments), 'treatment')}"
        lines = [f"{many} in one network, with {how}."]
        effects = "; ".join(
            f"{t} {scale.text(row['effect'])} ({scale.span(row['ci_low'], row['ci_high'])})"
            for t, row in table.iterrows()
        )
        lines.append(f"{scale.name.capitalize()} against {self.reference} ({percent(self.level)} interval): {effects}.")
        lines.append(
            f"The interval excludes no effect for {listed(apart)}." if apart else "No interval excludes no effect."
        )
        if indirect:
            lines.append(f"No study compares {listed(indirect)} with {self.reference} directly.")
        if not math.isnan(self.tau2) and self.model == "random":
            lines.append(
                f"Between studies the true effect varies with a standard deviation of {number(math.sqrt(self.tau2))} "
                f"(tau² {number(self.tau2)}, I² {self.i2:.0f} %)."
            )
        if math.isnan(self.tau2):
            lines.append("There are too few studies to see whether they differ: intervals assume that they do not.")
        lines.append(self.consistency().report())
        lines.append(
            f"Ranked by P-score, {best.index[0]} comes first ({number(float(best.iloc[0]))}); ranks ignore how small "
            "the differences are and how good the studies."
        )
        return " ".join(lines)


METHODS: Final[Mapping[str, Method]] = {
    "network": Method(
        network,
        "network meta-analysis, common and random effects",
        "10.1002/jrsm.1058",
        "test_senn_network_equals_netmeta",
    ),
    "p_scores": Method(Network.p_scores, "P-scores", "10.1186/s12874-015-0060-8", "test_senn_p_scores_equal_netmeta"),
    "league": Method(
        Network.league, "league table", "10.1002/jrsm.1058", "test_senn_league_table_holds_every_comparison_of_netmeta"
    ),
    "by_design": Method(
        by_design, "consistency by design", "10.1186/1471-2288-13-35", "test_senn_q_decomposition_equals_netmeta"
    ),
}


def _most_studied(found: tuple[Block, ...], treatments: tuple[str, ...]) -> str:
    return max(treatments, key=lambda t: sum(t in block.treatments for block in found))
