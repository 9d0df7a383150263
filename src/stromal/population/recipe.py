"""The population recipe: a declared distribution of virtual patients."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import Field

from stromal.design.base import FrozenMapping, Range, Spec

Activity = Literal["central", "low", "high"]


class Spread(Spec):
    """Log-normal distribution of a parameter between patients, with the reason for its size.

    Attributes
    ----------
    log_sd : float
    median_factor : float
        Median between patients as a multiple of the model's value.
    reason : str
    """

    log_sd: float
    median_factor: float = 1.0
    reason: str


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


class MscEffect(Spec):
    """Prior of the MSC effect: a spike at zero and half a normal distribution."""

    share_at_zero: float
    scale: float
    patient_log_sd: float


class Study(Spec):
    """Differences between studies; effects on measured values at 12 months."""

    mrss_sd: float
    fvc_sd: float
    treatment_share: float
    expectation_mean: float
    expectation_sd: float


class PopulationRecipe(Spec):
    """How virtual patients differ; the shipped file `recipe.yaml` explains every entry.

    Attributes
    ----------
    activity : mapping of symbol to Spread
        Spreads that make disease activity differ between patients.
    activity_scale : mapping of {"central", "low", "high"} to float
        Factor on all of them: the shipped value and both ends of what is plausible.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    activity: FrozenMapping[Spread]
    activity_scale: FrozenMapping[float]
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

    def with_activity(self, level: Activity) -> PopulationRecipe:
        """The recipe with all activity spreads scaled to one end of what is plausible."""
        factor = self.activity_scale[level]
        scaled = {k: s.model_copy(update={"log_sd": s.log_sd * factor}) for k, s in self.activity.items()}
        return self.model_copy(update={"activity": FrozenMapping(scaled)})


@cache
def shipped_recipe() -> PopulationRecipe:
    """The recipe that comes with the package."""
    text = resources.files("stromal.population").joinpath("recipe.yaml").read_text(encoding="utf-8")
    return PopulationRecipe.model_validate(yaml.safe_load(text))
