"""Simulate the arms of a published trial in the populations of several draws, and take the statistics it reports.

Candidates are drawn until enough are eligible by measured values; each arm's patients are weighted to its baseline
table. Every statistic is also taken of the same patients without the arm's regimen, so that the effect of treatment is
known. Results depend on seed, draw and trial only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.biology import parameter_table
from stromal.calibration.baseline import Match, match
from stromal.calibration.literature import Result, Study
from stromal.calibration.statistics import SURVIVAL
from stromal.compute.randomness import Streams, stream_key
from stromal.design import Course, Criterion, Measurement, PublishedArm, Retention
from stromal.engine import Final as FinalState
from stromal.engine.trajectories import joined as joined_finals
from stromal.engine.trajectories import solved
from stromal.population.candidates import Candidates, draw, joined
from stromal.population.enrolment import meets
from stromal.population.history import course, from_entry, to_referral
from stromal.population.measurement import READOUTS, SCREENING, measured_values, true_values
from stromal.population.posterior import MSC_EFFECT, Posterior
from stromal.trial.conduct import HAZARD_GRID, TRANSPLANT_RISK_DAYS
from stromal.trial.retention import cumulative_dropout

Array = NDArray[np.float64]
ROUNDS: Final = (96, 160, 320, 480)
"""Candidates of a draw in each round of screening, until enough are eligible."""
FEWEST: Final = 12
"""With fewer patients in a group nothing is predicted from a draw: a mean of so few says nothing."""
DRIFT_STEP: Final = 1.0
"""How the share of responders answers to a drift is found from this shift either way [unit of the measure]."""


@final
@dataclass(frozen=True, eq=False)
class Simulated:
    """Statistics of a study; rows are draws, columns results.

    Attributes
    ----------
    mean, sd : (n_draws, n_results)
        Weighted mean over patients of the quantity reported, and its SD between patients; NaN where too few are left.
    control : (n_draws, n_results)
        The same mean in the same patients without the arm's regimen.
    drift : (n_draws, n_results)
        How the mean answers to a drift of one unit of the measure.
    support : DataFrame
        One row per draw and arm: eligible, screened, effective sample size, features missed.
    failures : int
        Candidates, and patients in arms, whose simulation failed; they count in no statistic.
    """

    mean: Array
    sd: Array
    control: Array
    drift: Array
    support: pd.DataFrame
    failures: int


@final
@dataclass(frozen=True, eq=False)
class _Cohort:
    """Eligible patients of several draws at screening."""

    candidates: Candidates
    measured: pd.DataFrame
    final: FinalState
    screened: pd.Series
    failures: int


def simulate(study: Study, posterior: Posterior, seed: int, draws: Sequence[int], patients: int) -> Simulated:
    """Simulate a study in the populations of some draws of the posterior.

    Parameters
    ----------
    draws : sequence of int
        Numbers of draws, distinct.
    patients : int
        Eligible patients to aim at in each draw; fewer where screening does not find them in all `ROUNDS`.
    """
    followed = follow(study, posterior, seed, draws, patients)
    rows = followed.people.groupby("replicate").indices
    shape = (len(draws), len(study.results))
    tables = {name: np.full(shape, np.nan) for name in ("mean", "sd", "control", "drift")}
    support = []
    for i, number in enumerate(draws):
        people = np.asarray(rows.get(number, ()), dtype=np.int64)
        for name, one in followed.arms.items():
            whole = people[one.solved[people] & followed.untreated.solved[people]]
            own = whole[one.members(one.arm.among, one.arm.eligibility, whole)]
            weights = match(one.baseline(own), study.baselines.get(name, {}))
            support.append(_support(number, name, len(own), int(followed.screened.get(number, 0)), weights))
            for k, result in enumerate(study.results):
                if result.arm.name != name:
                    continue
                group = one.members(result.group.among, result.group.eligibility, own)
                if group.sum() >= FEWEST:
                    found = _statistics(result, one, followed.untreated, own[group], weights.weights[group])
                    for table, value in zip(tables.values(), found, strict=True):
                        table[i, k] = value
    return Simulated(**tables, support=pd.DataFrame(support), failures=followed.failures)


def ess_of(simulated: Simulated, study: Study) -> Array:
    """Effective sample size behind each statistic, (n_draws, n_results), in the order of its draws."""
    by_arm = simulated.support.pivot_table(index="draw", columns="arm", values="ess", sort=False)
    return np.asarray(by_arm[[r.arm.name for r in study.results]].to_numpy())


@final
@dataclass(frozen=True, eq=False)
class Followed:
    """Eligible patients of several draws, in every arm.

    Attributes
    ----------
    people : DataFrame
        As of `Candidates`; `replicate` is the number of the draw.
    arms : mapping of arm to ArmCourse
    untreated : ArmCourse
        The same patients without a regimen.
    screened : Series
        Candidates screened, by draw.
    failures : int
    """

    people: pd.DataFrame
    arms: Mapping[str, ArmCourse]
    untreated: ArmCourse
    screened: pd.Series
    failures: int


def follow(study: Study, posterior: Posterior, seed: int, draws: Sequence[int], patients: int) -> Followed:
    """Enrol patients and follow them in every arm; arguments as of `simulate`."""
    own_seed = stream_key(seed, 0, f"study: {study.trial.trial}", 0) % 2**63
    cohort = _screen(study, posterior, own_seed, draws, patients)
    arms = {r.arm.name: r.arm for r in study.results}
    courses = {name: _course(study, posterior, cohort, arm, own_seed) for name, arm in arms.items()}
    untreated = next((c for c in courses.values() if not c.arm.regimen), None)
    if untreated is None:
        untreated = _course(study, posterior, cohort, PublishedArm(name="without the regimen"), own_seed)
    lost = sum(int((~c.solved).sum()) for c in {id(c): c for c in (*courses.values(), untreated)}.values())
    return Followed(cohort.candidates.people, courses, untreated, cohort.screened, cohort.failures + lost)


def _screen(study: Study, posterior: Posterior, seed: int, draws: Sequence[int], patients: int) -> _Cohort:
    trial, parts = study.trial, []
    short, found, screened, failures = list(draws), dict.fromkeys(draws, 0), dict.fromkeys(draws, 0), 0
    first = 0
    for size in ROUNDS:
        candidates = joined([draw(posterior.recipe(d), trial.population, Streams(seed, d), first, size) for d in short])
        reached = to_referral(candidates, trial.population)
        people, ok = candidates.people, solved(reached.status)
        failures += int((~ok).sum())
        values = measured_values(true_values(reached, people), people, Measurement(), posterior.base, [SCREENING], seed)
        measured = _with_people({k: v[:, 0] for k, v in values.items()}, people)
        for criterion in trial.eligibility:
            ok &= meets(criterion, measured, people)
        rank = people.assign(ok=ok).groupby("replicate")["ok"].cumsum().to_numpy() + people["replicate"].map(found)
        rows = np.nonzero(ok & (rank.to_numpy() <= patients))[0]
        parts.append((candidates.take(rows), measured.iloc[rows].reset_index(drop=True), reached.final.take(rows)))
        for d, count in people["replicate"].iloc[rows].value_counts().items():
            found[int(d)] += int(count)
        for d in short:
            screened[d] += size
        first += size
        short = [d for d in short if found[d] < patients]
        if not short:
            break
    return _Cohort(
        joined([p[0] for p in parts]),
        pd.concat([p[1] for p in parts], ignore_index=True),
        joined_finals([p[2] for p in parts]),
        pd.Series(screened),
        failures,
    )


@final
@dataclass(frozen=True, eq=False)
class ArmCourse:
    """All patients in one arm.

    Attributes
    ----------
    arm : PublishedArm
    days : (n_days,)
        Days after baseline.
    people : DataFrame
    measured : mapping of measure to (n_patients, n_days)
        Values that would be measured if nobody had died or left.
    start : mapping of measure to (n_patients,)
        The measured value from which changes are counted.
    alive, seen : (n_patients, n_days)
        Probability to be alive, and to be alive and still in the trial.
    solved : (n_patients,)
        Whether the course could be simulated.
    """

    arm: PublishedArm
    days: Array
    people: pd.DataFrame
    measured: Mapping[str, Array]
    start: Mapping[str, Array]
    alive: Array
    seen: Array
    solved: NDArray[np.bool_]

    def column(self, day: int) -> int:
        """Column of a day."""
        return int(np.nonzero(self.days == day)[0][0])

    def baseline(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """What is known of some patients at baseline."""
        return _with_people({k: v[rows] for k, v in self.start.items()}, self.people.iloc[rows])

    def members(
        self, among: Sequence[str], eligibility: Sequence[Criterion], rows: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which of some patients belong to a group, by drugs and by values at baseline."""
        people = self.people.iloc[rows].reset_index(drop=True)
        inside = np.ones(len(rows), dtype=bool)
        if among:
            inside &= people["prior_drug"].isin(among).to_numpy()
        for criterion in eligibility:
            inside &= meets(criterion, self.baseline(rows), people)
        return inside


def _course(study: Study, posterior: Posterior, cohort: _Cohort, arm: PublishedArm, seed: int) -> ArmCourse:
    trial, candidates, regimen = study.trial, cohort.candidates, arm.regimen
    people = candidates.people
    entry = people["referral"] + trial.visits.screening_days_before
    days = np.array(study.days, dtype=float)
    grid = np.unique(np.concatenate([days, np.arange(0.0, days[-1], 2.0 * HAZARD_GRID)]))
    parameters = candidates.parameters
    if any(c.kind in ("cells", "vesicles") for c in regimen):
        effect = people["replicate"].map({d: posterior.of(int(d))[MSC_EFFECT] for d in people["replicate"].unique()})
        parameters = parameters.assign(eff=effect * people["msc_factor"])
    schedule = from_entry(candidates, entry, entry + days[-1], regimen, parameters)
    outputs = [*READOUTS.values(), "H_death"]
    reached = course(
        parameters,
        schedule,
        entry.to_numpy()[:, None] + grid,
        outputs,
        start=cohort.final,
    )
    at = np.isin(grid, days)
    true = {m: v[:, at] for m, v in true_values(reached, people).items()}
    measured = measured_values(
        true, people, Measurement(), posterior.base, [SCREENING + 1 + k for k in range(len(days))], seed
    )
    hazard = reached["H_death"] - reached["H_death"][:, :1]
    leaving = cumulative_dropout(Retention(), grid, reached["mRSS"], reached["FVC"])
    alive = np.exp(-hazard)[:, at] * _survives_transplant(regimen, days)
    start = {m: v[:, 0] for m, v in measured.items()}
    if trial.baseline == "screening":
        start = {m: cohort.measured[m].to_numpy() for m in measured}
    return ArmCourse(arm, days, people, measured, start, alive, alive * np.exp(-leaving)[:, at], solved(reached.status))


def _survives_transplant(regimen: Sequence[Course], days: Array) -> Array:
    """Share that has survived the transplantation itself, (n_days,)."""
    day = next((c.days[0] for c in regimen if c.kind == "transplant"), None)
    if day is None:
        return np.ones(len(days))
    risk = float(parameter_table().at["trm", "value"])
    return 1.0 - risk * np.clip((days - day) / TRANSPLANT_RISK_DAYS, 0.0, 1.0)


def _with_people(values: Mapping[str, Array], people: pd.DataFrame) -> pd.DataFrame:
    """Measured values with what criteria and baseline tables ask of a person."""
    months = (people["referral"] - people["first_symptom"]).to_numpy() / (365.25 / 12)
    own = {"disease_duration_months": months, **{c: people[c].to_numpy() for c in ("age_years", "weight_kg")}}
    groups = {c: people[c].to_numpy() for c in ("subset", "antibody", "sex")}
    return pd.DataFrame({**values, **own, **groups})


def _statistics(
    result: Result, arm: ArmCourse, untreated: ArmCourse, rows: NDArray[np.int64], weights: Array
) -> tuple[float, float, float, float]:
    """Mean, SD, mean without treatment, answer of the mean to a drift."""
    statistic = result.statistic
    k = arm.column(statistic.day)
    if statistic.kind in SURVIVAL:
        mean, control = (
            float(np.average(statistic.per_patient(a.alive[rows, k], a.alive[rows, k]), weights=weights))
            for a in (arm, untreated)
        )
        share = mean / 100.0
        return mean, 100.0 * float(np.sqrt(max(share * (1.0 - share), 0.0))), control, 0.0
    start, then = arm.start[statistic.measure][rows], arm.measured[statistic.measure][rows, k]
    seen = weights * arm.seen[rows, k]
    values = statistic.per_patient(start, then)
    mean = float(np.average(values, weights=seen))
    sd = float(np.sqrt(np.average((values - mean) ** 2, weights=seen)))
    other = statistic.per_patient(
        untreated.start[statistic.measure][rows], untreated.measured[statistic.measure][rows, k]
    )
    control = float(np.average(other, weights=weights * untreated.seen[rows, k]))
    ahead, behind = (statistic.per_patient(start, then, s * DRIFT_STEP) for s in (1.0, -1.0))
    drift = float(np.average(ahead - behind, weights=seen)) / (2.0 * DRIFT_STEP)
    return mean, sd, control, drift


def _support(number: int, arm: str, eligible: int, screened: int, weights: Match) -> dict[str, object]:
    return {
        "draw": number,
        "arm": arm,
        "eligible": eligible,
        "screened": screened,
        "ess": weights.ess,
        "missed": weights.missed,
        "supported": weights.supported,
    }
