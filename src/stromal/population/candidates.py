"""Candidates: people with the disease who are referred to a trial, drawn by keyed streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import truncnorm

from stromal.biology import parameter_table
from stromal.compute.randomness import Streams
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.design.population import Population
from stromal.population.activity import draw_activity
from stromal.population.recipe import PopulationRecipe
from stromal.population.spirometry import predicted_fvc_ml

Array = NDArray[np.float64]
NONE: Final = "none"
"""The product of those who take none."""


@final
@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows are candidates.

    Attributes
    ----------
    people : DataFrame
        Covariates and history: replicate, candidate, subset, antibody, sex, age_years, height_cm, weight_kg, ancestry,
        crp_factor, msc_factor, first_symptom and referral [d after the trigger], prior_drug, prior_start [d after the
        trigger], prior_continues, background.
    parameters : DataFrame
        Model parameters that differ between patients or draws of the posterior; same index.
    activity : (n_candidates, n_steps, 2)
        Logarithm of the activity of skin and lung from the trigger on; see `activity`.
    """

    people: pd.DataFrame
    parameters: pd.DataFrame
    activity: Array

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Candidates:
        """Some of the candidates, by position; rows are numbered anew."""
        return Candidates(
            self.people.iloc[rows].reset_index(drop=True),
            self.parameters.iloc[rows].reset_index(drop=True),
            self.activity[rows],
        )


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Candidates of several draws, one after another, numbered anew."""
    return Candidates(
        pd.concat([p.people for p in parts], ignore_index=True),
        pd.concat([p.parameters for p in parts], ignore_index=True),
        np.concatenate([p.activity for p in parts]),
    )


def draw(recipe: PopulationRecipe, population: Population, streams: Streams, start: int, n: int) -> Candidates:
    """Draw candidates `start` to ``start + n - 1`` of a replicate.

    A candidate is the same whoever else is drawn.
    """
    draws = _Draws(streams, start, n)
    people = _covariates(recipe, population, draws)
    people["first_symptom"] = draws.between("symptom lag", recipe.symptom_lag_days.low, recipe.symptom_lag_days.high)
    months = population.referral_months
    people["referral"] = people["first_symptom"] + DAYS_PER_MONTH * draws.between("referral", months.low, months.high)
    prior = population.prior_treatment
    people["prior_drug"] = draws.choice("prior drug", prior.products)
    before = DAYS_PER_MONTH * draws.between("prior drug start", prior.months.low, prior.months.high)
    people["prior_start"] = np.maximum(people["first_symptom"], people["referral"] - before)
    people["prior_continues"] = draws.uniform("prior drug continues") < prior.continues
    people["background"] = draws.choice("background drug", population.background)
    people.insert(0, "candidate", np.arange(start, start + n))
    people.insert(0, "replicate", streams.replicate)
    return Candidates(people, _parameters(recipe, people, draws), draw_activity(recipe, streams, start, n))


@final
@dataclass(frozen=True)
class _Draws:
    """Draws for one range of candidates."""

    streams: Streams
    start: int
    n: int

    def uniform(self, purpose: str) -> Array:
        return self.streams.uniform(f"candidate: {purpose}", self.n, start=self.start)

    def normal(self, purpose: str) -> Array:
        return self.streams.normal(f"candidate: {purpose}", self.n, start=self.start)

    def between(self, purpose: str, low: float, high: float) -> Array:
        return low + (high - low) * self.uniform(purpose)

    def choice(self, purpose: str, shares: Mapping[str, float]) -> NDArray[np.object_]:
        """One name each; what the shares leave of 1 is `NONE`."""
        names = np.array([*shares, NONE], dtype=object)
        return names[np.searchsorted(np.cumsum(list(shares.values())), self.uniform(purpose), side="right")]


def _covariates(recipe: PopulationRecipe, population: Population, draws: _Draws) -> pd.DataFrame:
    subset = draws.choice("subset", _summing_to_one(population.subsets))
    antibodies = {s: draws.choice("antibody", _summing_to_one(recipe.antibody_shares[s])) for s in population.subsets}
    antibody = np.select([subset == s for s in antibodies], list(antibodies.values()), default=NONE)
    sex = np.where(draws.uniform("sex") < recipe.female_share, "female", "male")
    age = recipe.age_years
    low, high = (age.low - age.mean) / age.sd, (age.high - age.mean) / age.sd
    years = truncnorm.ppf(draws.uniform("age"), low, high, loc=age.mean, scale=age.sd)
    z = draws.normal("height")
    height = np.where(
        sex == "female",
        recipe.height_cm["female"].mean + recipe.height_cm["female"].sd * z,
        recipe.height_cm["male"].mean + recipe.height_cm["male"].sd * z,
    )
    index = recipe.body_mass_index
    body_mass_index = index.median * np.exp(index.log_sd * draws.normal("body mass index"))
    return pd.DataFrame(
        {
            "subset": subset,
            "antibody": antibody,
            "sex": sex,
            "age_years": years,
            "height_cm": height,
            "weight_kg": body_mass_index * (height / 100.0) ** 2,
            "ancestry": draws.choice("ancestry", _summing_to_one(recipe.ancestry_shares)),
            "crp_factor": np.exp(recipe.crp_factor_log_sd * draws.normal("CRP factor")),
            "msc_factor": np.exp(recipe.msc_effect.patient_log_sd * draws.normal("MSC responsiveness")),
        }
    )


def _summing_to_one(shares: Mapping[str, float]) -> dict[str, float]:
    """The same shares, the last one reaching beyond 1 so that rounding never leaves a rest."""
    names = [name for name, share in shares.items() if share > 0.0]
    return {name: 2.0 if name == names[-1] else shares[name] for name in names}


def _parameters(recipe: PopulationRecipe, people: pd.DataFrame, draws: _Draws) -> pd.DataFrame:
    medians, spreads = _values_and_spreads()
    shifts = (
        _shifts(people["subset"], recipe.subset_effects),
        _shifts(people["antibody"], recipe.antibody_effects),
    )
    values: dict[str, Array] = {}
    for symbol in sorted({*spreads, *recipe.median_factors}):
        drawn = np.full(len(people), medians[symbol] * recipe.median_factors.get(symbol, 1.0))
        if symbol in spreads:
            drawn *= np.exp(spreads[symbol] * draws.normal(f"parameter {symbol}"))
        for shift in shifts:
            drawn *= shift.get(symbol, 1.0)
        bound = recipe.bounds.get(symbol)
        values[symbol] = np.clip(drawn, bound.low, bound.high) if bound is not None else drawn
    values["FVCpred"] = predicted_fvc_ml(people["sex"], people["age_years"], people["height_cm"], people["ancestry"])
    return pd.DataFrame(values, index=people.index)


@cache
def _values_and_spreads() -> tuple[dict[str, float], dict[str, float]]:
    """Value of each parameter, and log-SD of those that differ between patients."""
    table = parameter_table()
    spreads = table.loc[table["distribution"] == "lognormal", "spread"].to_dict()
    spreads.pop("eff")  # the MSC effect is set by the scenario, times the patient's factor
    return table["value"].astype(float).to_dict(), spreads


def _shifts(group: pd.Series, effects: Mapping[str, Mapping[str, float]]) -> dict[str, Array]:
    """Factor on each parameter that a covariate shifts, (n_candidates,)."""
    symbols = sorted({symbol for effect in effects.values() for symbol in effect})
    names = group.to_numpy()
    return {
        symbol: np.prod([np.where(names == name, e.get(symbol, 1.0), 1.0) for name, e in effects.items()], axis=0)
        for symbol in symbols
    }
