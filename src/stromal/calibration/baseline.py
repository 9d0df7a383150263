"""The baseline table of a published arm as targets for weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.weighting import weigh

Array = NDArray[np.float64]
MOMENTS: Final = {
    "mrss": "baseline_mrss",
    "fvc_pct": "baseline_fvc_pct",
    "disease_duration_months": "disease_duration_mo",
}
"""Measures by the stem of their columns ``_mean`` and ``_sd``."""
SHARES: Final = {
    "pct_dcssc": ("subset", "diffuse"),
    "pct_ATA": ("antibody", "ATA"),
    "pct_ACA": ("antibody", "ACA"),
    "pct_RNAP3": ("antibody", "RNAP3"),
    "pct_female": ("sex", "female"),
}
"""Shares [% of patients] by group and member."""
CLOSEST: Final = 0.1
"""No target is met more closely than a tenth of the SD between patients: tables of large registries would leave a
handful of patients with all the weight."""
MEDIAN_ERROR: Final = 2.0
"""A table whose note speaks of medians is trusted half as much: means of skewed values differ from them."""
SMALLEST_N: Final = 10.0
"""Patients of an arm whose number is not known."""


@final
@dataclass(frozen=True, eq=False)
class Match:
    """Weights of an arm's patients, and how well they meet its table.

    Attributes
    ----------
    weights : (n_patients,)
    ess : float
        Effective sample size.
    missed : str
        Features missed, with by how many SDs; empty if none.
    supported : bool
    """

    weights: Array
    ess: float
    missed: str
    supported: bool


def match(values: pd.DataFrame, table: Mapping[str, float]) -> Match:
    """Weigh patients to a baseline table.

    Parameters
    ----------
    values : DataFrame
        Measured values at baseline and the groups of each patient.
    table : mapping of column of ``ssc_arms.csv`` to number
        What is reported; empty for equal weights.
    """
    if not len(values):
        return Match(np.zeros(0), 0.0, "no patient", supported=False)
    features = list(_features(values, table))
    if not features:
        return Match(np.full(len(values), 1.0 / len(values)), float(len(values)), "", supported=True)
    names, columns, targets, errors = zip(*features, strict=True)
    found = weigh(np.column_stack(columns), np.array(targets), np.array(errors))
    missed = "; ".join(f"{n} {m:+.2f} SD" for n, m in zip(names, found.missed, strict=True) if abs(m) > 0.25)
    return Match(found.weights, found.ess, missed, found.supported)


def _features(values: pd.DataFrame, table: Mapping[str, float]) -> Iterator[tuple[str, Array, float, float]]:
    """Name, value of each patient, target and its standard error."""
    root_n = np.sqrt(max(table.get("n", SMALLEST_N), 2.0))
    trust = MEDIAN_ERROR if table.get("median") else 1.0
    for measure, stem in MOMENTS.items():
        mean, sd = table.get(f"{stem}_mean"), table.get(f"{stem}_sd")
        if mean is None:
            continue
        own = values[measure].to_numpy(dtype=float)
        spread = sd if sd is not None else float(own.std())
        yield measure, own, mean, max(trust * spread / root_n, CLOSEST * float(own.std()))
        if sd is not None:
            squares = (own - mean) ** 2
            error = max(np.sqrt(2.0) * sd**2 / root_n, CLOSEST * float(squares.std()))
            yield f"variance of {measure}", squares, sd**2, error
    for column, (group, member) in SHARES.items():
        percent = table.get(column)
        if percent is None:
            continue
        share = min(max(percent / 100.0, 0.5 / root_n**2), 1.0 - 0.5 / root_n**2)
        own = (values[group] == member).to_numpy(dtype=float)
        error = max(np.sqrt(share * (1.0 - share)) / root_n, CLOSEST * float(own.std()))
        yield member, own, percent / 100.0, error
