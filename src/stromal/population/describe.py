"""What the population is like: covariates, disease at referral, and how it answers to strong and ordinary drugs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd

from stromal.biology import actions
from stromal.compute.randomness import Streams
from stromal.design.arms import Course
from stromal.design.base import FrozenMapping, Range
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.design.conduct import Measurement
from stromal.design.population import Population
from stromal.engine import Final as FinalState
from stromal.population.candidates import Candidates, draw, joined
from stromal.population.history import course, own_course, to_referral
from stromal.population.measurement import SCREENING, measured_values, true_values
from stromal.population.posterior import Posterior

RAISED_CRP: Final = 8.0
"""Cut-off of the Canadian registry [mg/L]: Muangchan 2012, doi:10.1002/acr.21716, 25.7 % above it."""
REMISSION: Final = 1.5
"""Pathogenic memory below this fold of healthy two years on counts as remission."""
_YEAR: Final = 364
_DRAWS: Final = 50
"""Draws of the posterior over which candidates are spread."""


@final
@dataclass(frozen=True, eq=False)
class PopulationCard:
    """A sample of the population.

    Attributes
    ----------
    people : DataFrame
        Covariates and measured values at referral, one row per candidate.
    shares : dict
        Share of each subset, antibody and sex; share with raised CRP; share in remission two years after a
        transplantation, and two years after the start of one year of a drug.
    """

    people: pd.DataFrame
    shares: dict[str, float]


def describe(posterior: Posterior, n: int, seed: int, diffuse: float = 1.0) -> PopulationCard:
    """Draw candidates within three years of the first symptom from the populations of several draws, and follow them.

    Parameters
    ----------
    n : int
        Candidates.
    diffuse : float
        Share with diffuse disease.
    """
    population = Population(
        subsets=FrozenMapping({"diffuse": diffuse, "limited": 1.0 - diffuse}),
        referral_months=Range(low=3.0, high=36.0),
    )
    sizes = [len(range(r, n, _DRAWS)) for r in range(min(n, _DRAWS))]
    candidates = joined([draw(posterior.recipe(r), population, Streams(seed, r), 0, k) for r, k in enumerate(sizes)])
    referred = to_referral(candidates, population)
    people = candidates.people
    true = true_values(referred, people)
    measured = measured_values(true, people, Measurement(), posterior.base, [SCREENING], seed)
    table = people.assign(
        months_since_first_symptom=(people["referral"] - people["first_symptom"]) / DAYS_PER_MONTH,
        **{name: values[:, 0] for name, values in measured.items()},
    )
    shares = {
        f"{c} {k}": float(v) for c in ("subset", "antibody", "sex") for k, v in table[c].value_counts(True).items()
    }
    shares[f"CRP above {RAISED_CRP:g} mg/L"] = float((table["crp_mg_l"] > RAISED_CRP).mean())
    shares |= _remissions(candidates, referred.final)
    return PopulationCard(table, shares)


def _remissions(candidates: Candidates, start: FinalState) -> dict[str, float]:
    regimens: dict[str, list[Course]] = {
        "no treatment": [],
        "AHSCT": [Course(product="ahsct", days=(0,))],
        "one year of cyclophosphamide": [Course(product="cyclophosphamide", from_day=0, to_day=_YEAR)],
        "one year of mycophenolate": [Course(product="mycophenolate", from_day=0, to_day=_YEAR)],
    }
    referral = candidates.people["referral"]
    by_itself = own_course(candidates, referral + 2.0 * _YEAR)
    shares = {}
    for name, regimen in regimens.items():
        schedule = pd.concat([by_itself, actions(regimen, candidates.parameters, entry=referral)], ignore_index=True)
        times = referral.to_numpy()[:, None] + 2.0 * _YEAR
        memory = course(candidates.parameters, schedule, times, ["N"], start)["N"][:, 0]
        shares[f"remission two years after {name}"] = float(np.mean(memory < REMISSION))
    return shares
