"""Screening and enrolment: candidates are screened once each, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.design.eligibility import AntibodyCriterion, AnyOf, Criterion, FailedTreatment, MeasureCriterion
from stromal.design.trial import TrialDesign
from stromal.engine import Final
from stromal.engine.trajectories import joined as joined_finals
from stromal.engine.trajectories import solved
from stromal.population.candidates import Candidates, draw, joined
from stromal.population.history import to_referral
from stromal.population.measurement import SCREENING, measured_values, true_values
from stromal.population.posterior import Posterior

Bools = NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class Cohort:
    """Enrolled patients of one or more replicates, in order of replicate and enrolment.

    Attributes
    ----------
    candidates : Candidates
        People and parameters; `people` has the columns of `Candidates` and patient (number within the replicate).
    screening : DataFrame
        Measured values at screening, same rows.
    final : Final
        The engine's state at screening.
    screened : DataFrame
        Per replicate: candidates screened, enrolled, and failed by the first criterion that failed
        (``failed 1``, ``failed 2``, ... in the order of the design).
    failures : DataFrame
        Candidates whose simulation failed: replicate, candidate, time [d], status.
    """

    candidates: Candidates
    screening: pd.DataFrame
    final: Final
    screened: pd.DataFrame
    failures: pd.DataFrame

    @property
    def people(self) -> pd.DataFrame:
        """Covariates and history of the enrolled."""
        return self.candidates.people


def enrol(design: TrialDesign, posterior: Posterior, seed: int, replicates: Sequence[int], n: int) -> Cohort:
    """Screen candidates of each replicate, from the population of its draw, until `n` are enrolled.

    Raises
    ------
    InputError
        More than `max_candidates_per_patient` candidates per patient would be needed.
    """
    size = 2 * n
    rounds: list[_Round] = []
    short = list(replicates)
    start = 0
    limit = design.population.max_candidates_per_patient * n
    while short:
        if start >= limit:
            raise _cannot_recruit(rounds, limit)
        rounds.append(_screen(design, posterior, seed, short, start, min(size, limit - start)))
        start += size
        size = max(n // 2, 8)
        enrolled = pd.concat([r.eligible_people["replicate"] for r in rounds]).value_counts()
        short = [r for r in short if enrolled.get(r, 0) < n]
    return _cohort(design, rounds, n)


def meets(criterion: Criterion, measured: pd.DataFrame, people: pd.DataFrame) -> Bools:
    """Whether each candidate meets a criterion by measured values, (n_candidates,)."""
    if isinstance(criterion, AnyOf):
        alternatives = [
            np.all([meets(c, measured, people) for c in alternative], axis=0) for alternative in criterion.any_of
        ]
        return np.asarray(np.any(alternatives, axis=0), dtype=bool)
    if isinstance(criterion, MeasureCriterion):
        value = measured[criterion.measure].to_numpy()
        held = np.ones(len(value), dtype=bool)
        for limit, test in (
            (criterion.above, np.greater),
            (criterion.at_least, np.greater_equal),
            (criterion.below, np.less),
            (criterion.at_most, np.less_equal),
        ):
            if limit is not None:
                held &= test(value, limit)
        return held
    if isinstance(criterion, FailedTreatment):
        months = (people["referral"] - people["prior_start"]).to_numpy() / DAYS_PER_MONTH
        return np.asarray(people["prior_drug"].isin(criterion.failed) & (months >= criterion.at_least_months))
    if isinstance(criterion, AntibodyCriterion):
        return np.asarray(people["antibody"].isin(criterion.antibody), dtype=bool)
    return np.asarray(people["subset"].isin(criterion.subset), dtype=bool)


@final
@dataclass(frozen=True, eq=False)
class _Round:
    """Candidates of one range of numbers, screened."""

    candidates: Candidates
    measured: pd.DataFrame
    failed: NDArray[np.int64]
    """0 eligible, k failed criterion k first, -1 the simulation failed."""
    final: Final

    @property
    def eligible_people(self) -> pd.DataFrame:
        return self.candidates.people[self.failed == 0]


def _screen(
    design: TrialDesign, posterior: Posterior, seed: int, replicates: Sequence[int], start: int, n: int
) -> _Round:
    candidates = joined([draw(posterior.recipe(r), design.population, Streams(seed, r), start, n) for r in replicates])
    course = to_referral(candidates, design.population)
    people = candidates.people
    true = true_values(course, people)
    values = measured_values(true, people, design.measurement, posterior.base, [SCREENING], seed)
    measured = pd.DataFrame({name: v[:, 0] for name, v in values.items()})
    measured["disease_duration_months"] = (people["referral"] - people["first_symptom"]) / DAYS_PER_MONTH
    measured["age_years"], measured["weight_kg"] = people["age_years"], people["weight_kg"]
    failed = np.zeros(len(people), dtype=np.int64)
    for number, criterion in reversed(list(enumerate(design.eligibility, start=1))):
        failed[~meets(criterion, measured, people)] = number
    failed[~solved(course.status)] = -1
    return _Round(candidates, measured, failed, course.final)


def _cohort(design: TrialDesign, rounds: Sequence[_Round], n: int) -> Cohort:
    candidates = joined([r.candidates for r in rounds])
    people = candidates.people.assign(failed=np.concatenate([r.failed for r in rounds]))
    order = people.sort_values(["replicate", "candidate"], kind="stable")
    order["patient"] = (order["failed"] == 0).groupby(order["replicate"]).cumsum() - 1
    seen = order[order["patient"] < n]  # candidates beyond the last one enrolled were never screened
    last = order[(order["failed"] == 0) & (order["patient"] == n - 1)].set_index("replicate")["candidate"]
    seen = seen[seen["candidate"] <= seen["replicate"].map(last)]
    enrolled = seen[seen["failed"] == 0]
    rows = enrolled.index.to_numpy()
    chosen = candidates.take(rows)
    chosen.people["patient"] = enrolled["patient"].to_numpy()
    measured = pd.concat([r.measured for r in rounds], ignore_index=True).iloc[rows].reset_index(drop=True)
    finals = joined_finals([r.final for r in rounds])
    broken = seen[seen["failed"] == -1]
    failures = pd.DataFrame(
        {
            "replicate": broken["replicate"],
            "candidate": broken["candidate"],
            "time": finals.time[broken.index],
            "status": [str(s) for s in finals.status[broken.index]],
        }
    ).reset_index(drop=True)
    counts = seen.groupby("replicate")["failed"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=range(-1, len(design.eligibility) + 1), fill_value=0)
    screened = pd.DataFrame({"screened": counts.sum(axis=1), "enrolled": counts[0]})
    for number in range(1, len(design.eligibility) + 1):
        screened[f"failed {number}"] = counts[number]
    return Cohort(chosen, measured, finals.take(rows), screened.reset_index(), failures)


def _cannot_recruit(rounds: Sequence[_Round], limit: int) -> InputError:
    failed = np.concatenate([r.failed for r in rounds])
    worst = int(np.bincount(failed[failed > 0]).argmax()) if (failed > 0).any() else 0
    place = f"eligibility[{worst - 1}]" if worst else "population"
    return InputError(
        f"{limit} candidates were screened and the trial is not full ({np.mean(failed == 0):.2%} were eligible); "
        f"most failed at {place}",
        place=place,
        remedy="wider eligibility, other referral_months, or a larger population.max_candidates_per_patient",
    )
