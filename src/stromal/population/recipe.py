"""The population recipe: a declared distribution of virtual patients."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import Final, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from stromal.design.base import FrozenMapping, Range, Spec


class Normal(Spec):
    """A normal distribution."""

    mean: float
    sd: float


class TruncatedNormal(Normal):
    """A normal distribution between two limits."""

    low: float
    high: float


class LogNormal(Spec):
    """A log-normal distribution."""

    median: float
    log_sd: float


class Activity(Spec):
    """How the activity of the disease waxes and wanes in each organ: SD of its logarithm, and how long it remembers."""

    skin_log_sd: float
    lung_log_sd: float
    correlation_days: float


class MscEffect(Spec):
    """Prior of the MSC effect: a spike at zero and half a normal distribution."""

    share_at_zero: float
    scale: float
    patient_log_sd: float

    @property
    def mean(self) -> float:
        """Mean of the prior."""
        return (1.0 - self.share_at_zero) * self.scale * math.sqrt(2.0 / math.pi)


DRIFT_DAYS: Final = 91.0
"""A study's drift of the measured change comes within months, as ``1 - exp(-day / DRIFT_DAYS)``: arms of 12 to 26 weeks
fall nearly as much as arms of a year (assumed from the published placebo arms)."""


def drift_share(days: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Share of a study's drift that is there after some days."""
    return np.asarray(1.0 - np.exp(-np.asarray(days, dtype=float) / DRIFT_DAYS))


class Study(Spec):
    """Differences between studies: drift of measured values on every arm (see `drift_share`), mean and SD over them."""

    mrss_drift: float
    mrss_sd: float
    fvc_drift: float
    fvc_sd: float
    treatment_share: float
    expectation_mean: float
    expectation_sd: float


class PopulationRecipe(Spec):
    """How virtual patients differ; the shipped file `recipe.yaml` explains every entry.

    Attributes
    ----------
    activity : Activity
        Fluctuation of each patient's disease.
    median_factors : mapping of symbol to float
        Median between patients as a multiple of the model's value; a draw of the posterior sets them.
    bounds : mapping of symbol to Range
        A draw beyond them is set to the bound.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    activity: Activity
    median_factors: FrozenMapping[float] = FrozenMapping({})
    bounds: FrozenMapping[Range]
    symptom_lag_days: Range
    subset_effects: FrozenMapping[FrozenMapping[float]]
    antibody_effects: FrozenMapping[FrozenMapping[float]]
    antibody_shares: FrozenMapping[FrozenMapping[float]]
    female_share: float
    age_years: TruncatedNormal
    height_cm: FrozenMapping[Normal]
    body_mass_index: LogNormal
    ancestry_shares: FrozenMapping[float]
    crp_factor_log_sd: float
    crp_within_patient_cv: float
    msc_effect: MscEffect
    study: Study


@cache
def shipped_recipe() -> PopulationRecipe:
    """The recipe that comes with the package."""
    text = resources.files("stromal.population").joinpath("recipe.yaml").read_text(encoding="utf-8")
    return PopulationRecipe.model_validate(yaml.safe_load(text))
