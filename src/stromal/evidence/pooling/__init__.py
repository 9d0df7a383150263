"""Meta-analysis: from what arms report to one finding, with what it does not show.

>>> from stromal.evidence.pooling import log_risk_ratio, pool
>>> effects = log_risk_ratio([4, 6, 3], [123, 306, 231], [11, 29, 11], [139, 303, 220])
>>> pooled = pool(effects.yi, effects.vi, method="REML", test="knha")
>>> text = pooled.report(effects.scale)

Definitions that differ between programs are stated in `heterogeneity`; `METHODS` lists everything with its source and
the test that checks it.
"""

from stromal.evidence.pooling.binary_tables import Stratified, mantel_haenszel, peto
from stromal.evidence.pooling.consistency import Consistency, by_design
from stromal.evidence.pooling.contrasts import contrasts
from stromal.evidence.pooling.effects import (
    SCALES,
    Effects,
    log_odds_ratio,
    log_rate_ratio,
    log_risk_ratio,
    logit_proportion,
    mean_difference,
    risk_difference,
    single_mean,
    standardised_mean_difference,
)
from stromal.evidence.pooling.influence import Cumulative, LeaveOneOut, cumulative, leave_one_out
from stromal.evidence.pooling.network import Network, network
from stromal.evidence.pooling.pool import Pooled, pool
from stromal.evidence.pooling.registry import METHODS
from stromal.evidence.pooling.regression import Regression, regress
from stromal.evidence.pooling.small_study import Asymmetry, TrimFill, begg, egger, trim_and_fill
from stromal.evidence.pooling.subgroups import Subgroups, subgroups
from stromal.evidence.pooling.wording import Scale

__all__ = [
    "pool",
    "Pooled",
    "network",
    "Network",
    "Consistency",
    "by_design",
    "log_odds_ratio",
    "log_risk_ratio",
    "risk_difference",
    "mean_difference",
    "standardised_mean_difference",
    "log_rate_ratio",
    "logit_proportion",
    "single_mean",
    "Effects",
    "contrasts",
    "mantel_haenszel",
    "peto",
    "Stratified",
    "regress",
    "Regression",
    "subgroups",
    "Subgroups",
    "leave_one_out",
    "LeaveOneOut",
    "cumulative",
    "Cumulative",
    "egger",
    "begg",
    "Asymmetry",
    "trim_and_fill",
    "TrimFill",
    "Scale",
    "SCALES",
    "METHODS",
]
