"""One simulated trial, patient by patient, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from stromal.design.trial import TrialDesign
from stromal.trial.conduct import TrialData
from stromal.trial.replicates import pieces, simulate
from stromal.trial.scenarios import Scenario

_WORLD: Final = {"null": "no_effect", "reference": "reference", "prior": "prior"}
"""Scenarios as the tables write them: many programs read the word null as a missing value."""


def example_trial(design: TrialDesign, seed: int) -> dict[Scenario, TrialData]:
    """The first simulated trial of a run with this seed, in every scenario."""
    (piece,) = pieces(design, seed, 1)
    return simulate(piece)[1]


def example_tables(data: Mapping[Scenario, TrialData]) -> dict[str, pd.DataFrame]:
    """Tables of one trial.

    Returns
    -------
    dict
        Patients are numbered from 1, as on the command line.
        ``patients``: one row per scenario and patient with covariates, arm and days of events (empty: none);
        ``visits``: one row per scenario, patient and visit with measured and true values.
    """
    patients = pd.concat([d.patients.assign(scenario=_WORLD[s]) for s, d in data.items()], ignore_index=True)
    patients["patient"] += 1
    patients = patients.replace([np.inf], np.nan).drop(columns=["replicate"])
    return {
        "patients": patients[["scenario", "patient", *patients.columns.drop(["scenario", "patient"])]],
        "visits": pd.concat([_visits(_WORLD[s], d) for s, d in data.items()], ignore_index=True),
    }


def _visits(scenario: str, data: TrialData) -> pd.DataFrame:
    n, k = len(data.patients), len(data.days)
    table = pd.DataFrame(
        {
            "scenario": scenario,
            "patient": np.repeat(data.patients["patient"].to_numpy() + 1, k),
            "arm": np.repeat(data.patients["arm"].to_numpy(), k),
            "day": np.tile(data.days.astype(int), n),
        }
    )
    for measure in data.true:
        table[measure] = data.measured[measure].ravel()
        table[f"{measure}_change"] = (data.measured[measure] - data.baseline[measure][:, None]).ravel()
        table[f"{measure}_true"] = data.true[measure].ravel()
    return table
