"""Whether direct and indirect evidence of a network agree, by design.

A design is the set of treatments that a study compares. Q of the whole network splits into what studies of one design
disagree among each other (heterogeneity, within designs) and what designs disagree (inconsistency, between designs):
Krahn, Binder and König 2013, doi:10.1186/1471-2288-13-35. Because heterogeneity alone makes designs disagree, the
second part is also taken with the tau² that the studies show within their designs (the full design-by-treatment
interaction model: Higgins et al. 2012, doi:10.1002/jrsm.1044; Jackson et al. 2012, doi:10.1002/sim.5453).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import pandas as pd
from scipy import stats

from stromal.evidence.pooling.heterogeneity import estimate_tau2
from stromal.evidence.pooling.least_squares import Linear, weighted
from stromal.evidence.pooling.network_studies import Block, linear
from stromal.evidence.pooling.wording import number, p_value


@final
@dataclass(frozen=True, eq=False)
class Consistency:
    """What `by_design` returns.

    Attributes
    ----------
    table : DataFrame
        Index `part` (``total``, ``within designs``, ``between designs``); `q`, `df`, `p` with common effects.
    designs : DataFrame
        Index `design`; `studies` and its share of what is within designs: `q`, `df`, `p`.
    tau2_within : float
        Variance between studies of one design (method of moments); NaN where no design has two studies.
    q_random, p_random : float
        Between designs, with weights that contain `tau2_within` (0 where it is NaN).
    """

    table: pd.DataFrame
    designs: pd.DataFrame
    tau2_within: float
    q_random: float
    p_random: float

    def summary(self) -> pd.DataFrame:
        """The split of Q, and the test between designs with random effects as the row ``between designs (random)``."""
        df = self.table.loc["between designs", "df"]
        extra = pd.DataFrame(
            {"q": [self.q_random], "df": [df], "p": [self.p_random]}, index=["between designs (random)"]
        )
        return pd.concat([self.table, extra]).rename_axis("part")

    def report(self) -> str:
        """The finding in plain language."""
        between = self.table.loc["between designs"]
        if between["df"] == 0:
            return "Direct and indirect evidence cannot be compared: the network has no loop of studies."
        common = f"Q {number(between['q'])}, {between['df']:.0f} df, {p_value(between['p'])}"
        random = f"Q {number(self.q_random)}, {p_value(self.p_random)}"
        verdict = (
            "Direct and indirect evidence disagree, beyond the differences between studies"
            if self.p_random < 0.05
            else "No disagreement between direct and indirect evidence is shown beyond the differences between studies"
        )
        unknown = (
            " No two studies have the same design, so such differences cannot be told from disagreement."
            if math.isnan(self.tau2_within)
            else ""
        )
        return (
            f"{verdict} (between designs with random effects: {random}; with common effects: {common}); such tests "
            f"have little power.{unknown}"
        )


def by_design(studies: Sequence[Block]) -> Consistency:
    """Split Q of a network into within and between designs.

    Parameters
    ----------
    studies : sequence of Block
        `Network.studies`.
    """
    treatments = sorted({t for block in studies for t in block.treatments})
    whole = {t: i for i, t in enumerate(treatments[1:])}
    data = linear(studies, [whole] * len(studies), len(whole))
    members: dict[tuple[str, ...], list[Block]] = {}
    for block in studies:
        members.setdefault(block.treatments, []).append(block)
    columns, width = _own_columns(tuple(members))
    free = linear(studies, [columns[block.treatments] for block in studies], width)
    total, within = _q(data, 0.0), _q(free, 0.0)
    parts = {"total": (total, data.df), "within designs": (within, free.df)}
    parts["between designs"] = (max(0.0, total - within), data.df - free.df)
    tau2 = estimate_tau2(free, "DL")
    weight = 0.0 if math.isnan(tau2) else tau2
    q_random = max(0.0, _q(data, weight) - _q(free, weight)) if data.df > free.df else 0.0
    return Consistency(
        table=_tests(parts).rename_axis("part"),
        designs=_designs(members),
        tau2_within=tau2,
        q_random=q_random,
        p_random=_p(q_random, data.df - free.df),
    )


def _own_columns(designs: tuple[tuple[str, ...], ...]) -> tuple[dict[tuple[str, ...], dict[str, int]], int]:
    """Coefficients of the model in which every design has effects of its own."""
    columns: dict[tuple[str, ...], dict[str, int]] = {}
    width = 0
    for design in designs:
        columns[design] = {t: width + i for i, t in enumerate(design[1:])}
        width += len(design) - 1
    return columns, width


def _designs(members: dict[tuple[str, ...], list[Block]]) -> pd.DataFrame:
    parts = {}
    for design, found in members.items():
        own = {t: i for i, t in enumerate(design[1:])}
        data = linear(found, [own] * len(found), len(own))
        parts[" : ".join(design)] = (_q(data, 0.0) if data.df else 0.0, data.df)
    table = _tests(parts).rename_axis("design")
    table.insert(0, "studies", [len(found) for found in members.values()])
    return table


def _tests(parts: dict[str, tuple[float, int]]) -> pd.DataFrame:
    rows = [(q, df, _p(q, df)) for q, df in parts.values()]
    return pd.DataFrame(rows, index=list(parts), columns=["q", "df", "p"])


def _p(q: float, df: int) -> float:
    return float(stats.chi2.sf(q, df)) if df > 0 else math.nan


def _q(data: Linear, tau2: float) -> float:
    return float(weighted(data, tau2).q[0])
