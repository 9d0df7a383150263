"""The numbers that calibration learns: what each moves, its prior, and the population that a set of them means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal

import numpy as np
import yaml
from pydantic import Field

from stromal.biology import parameter_table
from stromal.design.base import FrozenMapping, Spec
from stromal.population.recipe import LogNormal, Normal, PopulationRecipe

ENDS: Final = 1.959963984540054
"""The ends of a parameter's range lie this many SD from the middle of its prior."""
LOWEST_SHARE: Final = 0.1
"""A range that begins at 0 is taken from this share of its upper end: the logarithm of 0 has no middle."""


class Hyperparameter(Spec):
    """One number to learn.

    Attributes
    ----------
    moves : tuple of str
        Parameters whose median between patients it multiplies.
    fluctuation : {"skin", "lung"}, optional
        Or: the activity whose fluctuation it sizes.
    prior : LogNormal, optional
        Where no range gives it (assumed).
    meaning : str
    """

    moves: tuple[str, ...] = Field(default=(), strict=False)
    fluctuation: Literal["skin", "lung"] | None = None
    prior: LogNormal | None = None
    meaning: str

    def log_prior(self) -> Normal:
        """Prior of the number itself, a natural logarithm."""
        if self.prior is not None:
            return Normal(mean=float(np.log(self.prior.median)), sd=self.prior.log_sd)
        table = parameter_table().loc[list(self.moves)]
        value, high = table["value"].to_numpy(dtype=float), table["high"].to_numpy(dtype=float)
        low = table["low"].to_numpy(dtype=float)
        low = np.where(low > 0.0, low, LOWEST_SHARE * high)
        middle, width = np.log(np.sqrt(low * high) / value), np.log(high / low) / 2.0
        return Normal(mean=float(middle.mean()), sd=float(width.mean() / ENDS))


class StudyPriors(Spec):
    """Priors of what differs between studies; shifts at one year, on measured values."""

    mrss_drift: Normal
    fvc_drift: Normal
    mrss_sd: LogNormal
    fvc_sd: LogNormal


class Hyperparameters(Spec):
    """All of them; the shipped file `hyperparameters.yaml` explains every entry."""

    schema_version: Literal[1] = Field(alias="schema")
    hyperparameters: FrozenMapping[Hyperparameter]
    study: StudyPriors

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(self.hyperparameters)

    def priors(self) -> dict[str, Normal]:
        """Prior of each number, a natural logarithm."""
        return {name: h.log_prior() for name, h in self.hyperparameters.items()}

    def recipe(self, base: PopulationRecipe, values: Mapping[str, float]) -> PopulationRecipe:
        """The population that a set of numbers means.

        Parameters
        ----------
        values : mapping of name to float
            One natural logarithm for each hyperparameter.
        """
        medians: dict[str, float] = {}
        activity = base.activity
        for name, hyperparameter in self.hyperparameters.items():
            factor = float(np.exp(values[name]))
            medians |= dict.fromkeys(hyperparameter.moves, factor)
            if hyperparameter.fluctuation is not None:
                activity = activity.model_copy(update={f"{hyperparameter.fluctuation}_log_sd": factor})
        return base.model_copy(update={"median_factors": FrozenMapping(medians), "activity": activity})


@cache
def hyperparameters() -> Hyperparameters:
    """The hyperparameters that come with the package."""
    text = resources.files("stromal.population").joinpath("hyperparameters.yaml").read_text(encoding="utf-8")
    return Hyperparameters.model_validate(yaml.safe_load(text))
