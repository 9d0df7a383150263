"""What calibration learned: draws of the population, one for each simulated trial.

The shipped draws are the file `posterior.csv`; `posterior.json` says which evidence, seed and command made them. A draw
holds the hyperparameters (natural logarithms), the differences between studies, and the MSC effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, final

import pandas as pd

from stromal.compute.errors import InputError
from stromal.population.hyperparameters import hyperparameters
from stromal.population.recipe import PopulationRecipe, shipped_recipe

STUDY: Final = ("mrss_drift", "mrss_sd", "fvc_drift", "fvc_sd")
"""Columns that say how studies differ: mean drift within months and its SD over studies."""
MSC_EFFECT: Final = "msc_effect"


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the population.

    Attributes
    ----------
    base : PopulationRecipe
        What no draw changes.
    draws : DataFrame
        One row per draw; columns: the hyperparameters, `STUDY` and `MSC_EFFECT`.
    """

    base: PopulationRecipe
    draws: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse draws without all of their columns."""
        missing = [c for c in columns() if c not in self.draws.columns]
        if missing or not len(self.draws):
            raise InputError("the posterior is not whole", value=missing or "no draws", remedy=", ".join(columns()))

    def of(self, replicate: int) -> Mapping[str, float]:
        """The draw of a replicate: replicate r takes draw r, and they begin again after the last."""
        return {str(k): float(v) for k, v in self.draws.iloc[replicate % len(self.draws)].items()}

    def recipe(self, replicate: int) -> PopulationRecipe:
        """The population of a replicate."""
        draw = self.of(replicate)
        study = self.base.study.model_copy(update={name: draw[name] for name in STUDY})
        return hyperparameters().recipe(self.base, draw).model_copy(update={"study": study})


def columns() -> tuple[str, ...]:
    """Columns of a table of draws."""
    return (*hyperparameters().names, *STUDY, MSC_EFFECT)


def single(recipe: PopulationRecipe, values: Mapping[str, float] | None = None) -> Posterior:
    """One draw: the medians of the priors, or `values` where they are given, and no MSC effect."""
    priors = hyperparameters()
    study = priors.study
    draw = {
        **{name: prior.mean for name, prior in priors.priors().items()},
        "mrss_drift": study.mrss_drift.mean,
        "mrss_sd": study.mrss_sd.median,
        "fvc_drift": study.fvc_drift.mean,
        "fvc_sd": study.fvc_sd.median,
        MSC_EFFECT: 0.0,
        **(values or {}),
    }
    return Posterior(recipe, pd.DataFrame([draw]))


@cache
def shipped_posterior() -> Posterior:
    """The posterior that comes with the package."""
    with _file("posterior.csv").open(encoding="utf-8") as lines:
        return Posterior(shipped_recipe(), pd.read_csv(lines))


def provenance() -> dict[str, Any]:
    """How the shipped posterior was made: evidence, seed, version, command, and how well the sampler did."""
    found: dict[str, Any] = json.loads(_file("posterior.json").read_text(encoding="utf-8"))
    return found


def _file(name: str) -> Any:
    return resources.files("stromal.population").joinpath(name)
