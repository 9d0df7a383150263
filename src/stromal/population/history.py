"""A candidate's course from the trigger to referral, and the drugs that go on from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pandas as pd
from numpy.typing import ArrayLike

from stromal.biology import actions, model, trigger
from stromal.design.arms import Course
from stromal.design.catalogue import PRODUCTS
from stromal.design.population import Population
from stromal.engine import Final as FinalState
from stromal.engine import Trajectories, solve
from stromal.population.activity import activity_changes
from stromal.population.candidates import NONE, Candidates
from stromal.population.measurement import READOUTS

_DAILY: Final = {
    name: Course(product=name, from_day=0) for name, product in PRODUCTS.items() if product.kind == "drug_daily"
}
RTOL: Final = 1e-6
ATOL: Final = 1e-7
"""Tolerances of every simulated course; the error is far below any measurement error (see docs/performance.md)."""


def course(
    parameters: pd.DataFrame,
    schedule: pd.DataFrame,
    times: ArrayLike,
    outputs: Sequence[str],
    start: FinalState | None = None,
) -> Trajectories:
    """Solve the shipped model; parameters that only actions use are left to the actions.

    Parameters
    ----------
    times : (n_times,) or (n_patients, n_times)
        [d after the trigger].
    """
    system = model()
    own = parameters[[c for c in parameters.columns if c in system.parameters]]
    return solve(system, own, schedule, times, outputs, rtol=RTOL, atol=ATOL, start=start)


def until_referral(candidates: Candidates, population: Population) -> pd.DataFrame:
    """Schedule from the trigger to referral: the trigger, the activity of the disease, the drugs taken before."""
    referral = candidates.people["referral"].to_numpy()
    schedule = pd.concat([trigger(candidates.parameters), *_prior_drugs(candidates, population)], ignore_index=True)
    until = schedule[schedule["time"] <= referral[schedule["patient"]]]
    return pd.concat([activity_changes(candidates.activity, -1.0, referral), until], ignore_index=True)


def to_referral(candidates: Candidates, population: Population) -> Trajectories:
    """Solve each candidate from the trigger to referral; one output time, referral."""
    referral = candidates.people["referral"].to_numpy()
    schedule = until_referral(candidates, population)
    return course(candidates.parameters, schedule, referral[:, None], list(READOUTS.values()))


def own_course(candidates: Candidates, until: ArrayLike) -> pd.DataFrame:
    """What happens after referral by itself: changes of activity, and the end of a trigger that lasts that long.

    Parameters
    ----------
    until : (n_candidates,) or ()
        Last day of interest [d after the trigger].
    """
    referral = candidates.people["referral"].to_numpy()
    schedule = trigger(candidates.parameters)
    late = schedule[schedule["time"] > referral[schedule["patient"]]]
    return pd.concat([activity_changes(candidates.activity, referral, until), late], ignore_index=True)


def standing_drugs(people: pd.DataFrame) -> pd.Series:
    """Drugs that each person takes from baseline on, as sorted names: background, and prior drugs that go on."""

    def names(background: str, prior: str, goes_on: bool) -> tuple[str, ...]:
        return tuple(sorted({background, prior if goes_on else NONE} - {NONE}))

    rows = zip(people["background"], people["prior_drug"], people["prior_continues"], strict=True)
    return pd.Series([names(*row) for row in rows], index=people.index, dtype=object)


def daily_courses(names: Iterable[str]) -> list[Course]:
    """Courses of daily drugs from baseline on, at the standard dose."""
    return [_DAILY[name] for name in names]


def stopped_drugs(candidates: Candidates, baseline: pd.Series) -> pd.DataFrame:
    """Actions at `baseline` [d after the trigger] that end the drugs taken before."""
    people = candidates.people
    ends = (people["prior_drug"] != NONE) & ~people["prior_continues"]
    parts = [
        _off(product, candidates.parameters.loc[rows], baseline[rows])
        for product, rows in people[ends].groupby("prior_drug").groups.items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else actions([], candidates.parameters, entry=baseline)


def from_entry(
    candidates: Candidates, entry: pd.Series, until: ArrayLike, regimen: Sequence[Course], parameters: pd.DataFrame
) -> pd.DataFrame:
    """Schedule of all candidates from referral on, with one regimen for all: their own course, drugs that end or go on.

    Parameters
    ----------
    entry : Series
        Day 0 of the regimen [d after the trigger], index of the candidates.
    until : (n_candidates,) or ()
        Last day of interest [d after the trigger].
    parameters : DataFrame
        Of the candidates, as actions see them.
    """
    parts = [own_course(candidates, until), stopped_drugs(candidates, entry)]
    standing = standing_drugs(candidates.people)
    for drugs, rows in standing.groupby(standing).groups.items():
        parts.append(actions([*daily_courses(drugs), *regimen], parameters.loc[rows], entry=entry[rows]))
    return pd.concat(parts, ignore_index=True)


def _off(product: str, parameters: pd.DataFrame, day: pd.Series) -> pd.DataFrame:
    return actions([_DAILY[product]], parameters, entry=day).assign(amount=0.0)


def _prior_drugs(candidates: Candidates, population: Population) -> Iterator[pd.DataFrame]:
    """Each drug is off for everybody at the trigger, and on for its takers from their start.

    So every replicate and every round of screening has the same set of changing parameters.
    """
    people, parameters = candidates.people, candidates.parameters
    for product in sorted({*population.prior_treatment.products, *population.background}):
        yield _off(product, parameters, pd.Series(0.0, index=people.index))
        takes = people["prior_drug"] == product
        yield actions([_DAILY[product]], parameters[takes], entry=people.loc[takes, "prior_start"])
