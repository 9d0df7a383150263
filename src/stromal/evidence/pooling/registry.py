"""Every method of this package, each with its source and the test that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stromal.evidence.pooling.binary_tables import METHODS as BINARY_TABLES
from stromal.evidence.pooling.contrasts import CONTRASTS
from stromal.evidence.pooling.effects import MEASURES
from stromal.evidence.pooling.heterogeneity import ESTIMATORS, INTERVALS
from stromal.evidence.pooling.influence import METHODS as INFLUENCE
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.network import METHODS as NETWORK
from stromal.evidence.pooling.pool import PREDICTIONS, TESTS
from stromal.evidence.pooling.regression import METHODS as REGRESSION
from stromal.evidence.pooling.small_study import METHODS as SMALL_STUDY
from stromal.evidence.pooling.subgroups import METHODS as SUBGROUPS

METHODS: Final[Mapping[str, Mapping[str, Method]]] = {
    "effect size": MEASURES,
    "variance between studies": ESTIMATORS,
    "interval of the variance between studies": INTERVALS,
    "interval of the mean": TESTS,
    "prediction interval": PREDICTIONS,
    "2 x 2 tables": BINARY_TABLES,
    "properties of studies": REGRESSION,
    "groups of studies": SUBGROUPS,
    "influence": INFLUENCE,
    "small studies": SMALL_STUDY,
    "contrasts from arms": CONTRASTS,
    "network": NETWORK,
}
"""By kind and name."""
