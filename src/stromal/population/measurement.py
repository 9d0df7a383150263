"""What is measured: true read-outs with the error of each measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.design.conduct import Measurement
from stromal.engine import Trajectories
from stromal.population.people import per_person
from stromal.population.recipe import PopulationRecipe

Array = NDArray[np.float64]

READOUTS: Final = {
    "mrss": "mRSS",
    "fvc_pct": "FVC",
    "fvc_ml": "FVC_mL",
    "dlco_pct": "DLCO",
    "crp_mg_l": "CRP",
    "ct_extent_pct": "CT_extent",
}
"""Measures of a design by the read-out of the model that they measure."""

HIGHEST_MRSS: Final = 51.0
SCREENING: Final = 0
"""Occasion of the screening visit; visit k of the design is occasion k + 1."""


def true_values(trajectories: Trajectories, people: pd.DataFrame) -> dict[str, Array]:
    """True read-outs, each (n_patients, n_times); CRP carries the patient's lasting factor."""
    values = {measure: trajectories[name] for measure, name in READOUTS.items()}
    values["crp_mg_l"] = values["crp_mg_l"] * people["crp_factor"].to_numpy()[:, None]
    return values


def measured_values(
    true: Mapping[str, Array],
    people: pd.DataFrame,
    measurement: Measurement,
    recipe: PopulationRecipe,
    occasions: Sequence[int],
    seed: int,
) -> dict[str, Array]:
    """Measured read-outs.

    Errors are drawn per patient and occasion, so that arms, scenarios and designs share them. The skin score is a
    whole number from 0 to 51; a rater's bias stays with the patient until another rater takes over.

    Parameters
    ----------
    true : mapping of measure to (n_patients, n_occasions)
    people : DataFrame with columns replicate and candidate (n_patients rows)
    occasions : sequence of int
        `SCREENING`, or 1 for the first visit of the design, 2 for the second, ...
    """
    visits: list[dict[str, Array]] = []
    for column, occasion in enumerate(occasions):
        draws = _errors(people, occasion, seed)
        bias = _rater_bias(people, measurement, occasion, seed)
        visits.append(_measure_once({m: v[:, column] for m, v in true.items()}, draws, bias, measurement, recipe))
    return {measure: np.column_stack([v[measure] for v in visits]) for measure in true}


def _measure_once(
    true: dict[str, Array],
    z: dict[str, Array],
    bias: Array,
    measurement: Measurement,
    recipe: PopulationRecipe,
) -> dict[str, Array]:
    score = true["mrss"] + bias + measurement.mrss_visit_sd * z["mRSS"]
    fvc = np.maximum(true["fvc_pct"] + measurement.fvc_visit_sd * z["FVC"], 0.0)
    within = np.sqrt(np.log1p(recipe.crp_within_patient_cv**2 + measurement.crp_assay_cv**2))
    return {
        "mrss": np.clip(np.rint(score), 0.0, HIGHEST_MRSS),
        "fvc_pct": fvc,
        "fvc_ml": fvc * (true["fvc_ml"] / true["fvc_pct"]),
        "dlco_pct": np.maximum(true["dlco_pct"] + measurement.dlco_visit_sd * z["DLCO"], 0.0),
        "crp_mg_l": true["crp_mg_l"] * np.exp(within * z["CRP"]),
        "ct_extent_pct": np.clip(true["ct_extent_pct"] + measurement.ct_extent_sd * z["CT extent"], 0.0, 100.0),
    }


def _errors(people: pd.DataFrame, occasion: int, seed: int) -> dict[str, Array]:
    names = ("mRSS", "FVC", "DLCO", "CRP", "CT extent")
    return {name: per_person(people, f"visit error of {name}", occasion, seed, normal=True) for name in names}


def _rater_bias(people: pd.DataFrame, measurement: Measurement, occasion: int, seed: int) -> Array:
    """Bias of the rater who scores at this occasion; the first rater scores at screening."""
    bias = per_person(people, "rater bias", SCREENING, seed, normal=True)
    if measurement.rater_change_per_visit > 0.0:
        for visit in range(1, occasion + 1):
            changes = per_person(people, "rater change", visit, seed) < measurement.rater_change_per_visit
            bias = np.where(changes, per_person(people, "rater bias", visit, seed, normal=True), bias)
    return measurement.mrss_rater_sd * bias
