"""Conduct: from enrolled patients to the data a real trial would record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.biology import actions, parameter_table
from stromal.biology.organ_events import organ_events
from stromal.design.trial import TrialDesign
from stromal.engine import Trajectories
from stromal.population.enrolment import Cohort
from stromal.population.history import course, daily_courses, own_course, standing_drugs, stopped_drugs
from stromal.population.measurement import READOUTS, SCREENING, measured_values, true_values
from stromal.population.people import per_person
from stromal.population.recipe import PopulationRecipe, drift_share
from stromal.trial.retention import cumulative_dropout, event_day
from stromal.trial.safety import Infusions, infuse, received

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
HAZARD_GRID: Final = 28
"""Longest interval over which hazards are taken as constant [days]."""
TRANSPLANT_RISK_DAYS: Final = 100.0
"""Transplant-related deaths fall within this time (the definition of the parameter `trm`)."""


@final
@dataclass(frozen=True, eq=False)
class Study:
    """What sets a replicate apart: shifts of its measured values and the size of the treatment effect.

    Attributes
    ----------
    mrss_shift, fvc_shift : (n_patients,)
        Drift of measured values [points; % predicted], on every arm; see `drift_share`.
    expectation : (n_patients,)
        Shift of the measured skin score after baseline, open label only [points].
    effect : (n_patients,)
        `msc_effect` of the patient's replicate.
    """

    mrss_shift: Array
    fvc_shift: Array
    expectation: Array
    effect: Array


@final
@dataclass(frozen=True, eq=False)
class TrialData:
    """Data of simulated trials; rows are patients.

    Attributes
    ----------
    patients : DataFrame
        replicate, patient, candidate, arm, covariates, entry [d after the trigger], and the events
        treatment_related_sae, death, organ_failure, left [day after baseline, infinite for never],
        organ_failure_type, infusions, cells, reactions, status.
    days : (n_visits,)
        Visits [days after baseline].
    true, measured : mapping of measure to (n_patients, n_visits)
        Measured values are NaN once a patient has died or left; true values go on as if nobody had.
    baseline : mapping of measure to (n_patients,)
        The measured value from which changes are counted.
    """

    patients: pd.DataFrame
    days: Array
    true: Mapping[str, Array]
    measured: Mapping[str, Array]
    baseline: Mapping[str, Array]

    def visit(self, day: int) -> int:
        """Column of a visit."""
        return int(np.nonzero(self.days == day)[0][0])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> TrialData:
        """Some of the patients."""
        rows = np.nonzero(rows)[0] if rows.dtype == bool else rows
        return TrialData(
            self.patients.iloc[rows].reset_index(drop=True),
            self.days,
            {k: v[rows] for k, v in self.true.items()},
            {k: v[rows] for k, v in self.measured.items()},
            {k: v[rows] for k, v in self.baseline.items()},
        )


def conduct(
    design: TrialDesign,
    recipe: PopulationRecipe,
    cohort: Cohort,
    arm: NDArray[np.object_],
    study: Study,
    seed: int,
) -> TrialData:
    """Run the trial from baseline to the last visit.

    Parameters
    ----------
    arm : (n_patients,)
        Arm of each patient of the cohort.
    """
    people = cohort.people.assign(arm=arm)
    infusions = infuse(design, people, seed)
    days = np.array(sorted({*design.visits.days, *range(0, design.visits.last, HAZARD_GRID)}), dtype=float)
    solved = _course(design, cohort, people, infusions, study, days)
    at_visits = np.isin(days, design.visits.days)
    true = {m: v[:, at_visits] for m, v in true_values(solved, people).items()}
    patients = _events(design, people, infusions, solved, days, seed)
    measured, baseline = _measured(design, recipe, cohort, people, true, study, seed)
    gone = np.minimum(patients["left"], patients["death"]).to_numpy()
    seen = np.array(design.visits.days, dtype=float) <= gone[:, None]
    data = TrialData(
        patients,
        np.array(design.visits.days, dtype=float),
        true,
        {m: np.where(seen, v, np.nan) for m, v in measured.items()},
        baseline,
    )
    return data.take(infusions.enrolled)


def follow_up(design: TrialDesign, cohort: Cohort, people: pd.DataFrame, infusions: Infusions) -> pd.DataFrame:
    """Schedule of all patients from screening on [d after the trigger].

    Parameters
    ----------
    people : DataFrame
        Of the cohort, with the column arm.
    """
    candidates, parameters, entry = (
        cohort.candidates,
        cohort.candidates.parameters,
        baseline_day(design, people),
    )
    groups = pd.DataFrame(
        {
            "arm": people["arm"],
            "given": [tuple(row) for row in infusions.given],
            "standing": standing_drugs(people),
        }
    )
    parts = [own_course(candidates, entry + design.visits.last), stopped_drugs(candidates, entry)]
    for (name, given, standing), rows in groups.groupby(["arm", "given", "standing"]).groups.items():
        regimen = received(design.arm(name).regimen, dict(zip(infusions.days, given, strict=True)))
        parts.append(actions([*daily_courses(standing), *regimen], parameters.loc[rows], entry=entry[rows]))
    return pd.concat(parts, ignore_index=True)


def baseline_day(design: TrialDesign, people: pd.DataFrame) -> pd.Series:
    """Day of the baseline visit [d after the trigger]."""
    return people["referral"] + design.visits.screening_days_before


def _course(
    design: TrialDesign, cohort: Cohort, people: pd.DataFrame, infusions: Infusions, study: Study, days: Array
) -> Trajectories:
    parameters = cohort.candidates.parameters.assign(eff=study.effect * people["msc_factor"].to_numpy())
    schedule = follow_up(design, cohort, people, infusions)
    outputs = [*READOUTS.values(), "H_death", "H_organ"]
    times = baseline_day(design, people).to_numpy()[:, None] + days
    return course(parameters, schedule, times, outputs, start=cohort.final)


def _events(
    design: TrialDesign,
    people: pd.DataFrame,
    infusions: Infusions,
    solved: Trajectories,
    days: Array,
    seed: int,
) -> pd.DataFrame:
    since = {name: solved[name] - solved[name][:, :1] for name in ("H_death", "H_organ")}
    death = event_day(people, "death", days, since["H_death"], seed)
    death = np.minimum(death, _transplant_death(design, people, seed))
    organ = event_day(people, "organ failure", days, since["H_organ"], seed)
    leaving = cumulative_dropout(design.retention, days, solved["mRSS"], solved["FVC"])
    left = event_day(people, "leaving the trial", days, leaving, seed)
    gone = np.minimum(death, left)
    sae = infusions.first_sae()
    table = organ_events()
    kind = table["type"].to_numpy()[
        np.searchsorted(np.cumsum(table["share"])[:-1], per_person(people, "type of organ failure", 0, seed), "right")
    ]
    organ = np.where(organ <= gone, organ, np.inf)
    dosed = infusions.active & infusions.given & (np.array(infusions.days, dtype=float) <= gone[:, None])
    return people.assign(
        entry=baseline_day(design, people),
        treatment_related_sae=np.where(sae <= gone, sae, np.inf),
        death=np.where(death <= left, death, np.inf),
        left=np.where(left < death, left, np.inf),
        organ_failure=organ,
        organ_failure_type=np.where(np.isfinite(organ), kind, ""),
        infusions=dosed.sum(axis=1),
        cells=_cells(design, people, infusions, dosed),
        reactions=(infusions.reaction & dosed).sum(axis=1),
        status=[str(s) for s in solved.status],
    )


def _cells(design: TrialDesign, people: pd.DataFrame, infusions: Infusions, dosed: Bools) -> Array:
    """Cells (or cell equivalents) that each patient received."""
    per_kg = {
        arm.name: [sum((c.dose_per_kg or 0.0) for c in arm.regimen if d in c.days) for d in infusions.days]
        for arm in design.arms
    }
    dose = np.array([per_kg[a] for a in people["arm"]]).reshape(dosed.shape)
    return np.asarray((dose * dosed).sum(axis=1) * people["weight_kg"].to_numpy())


def _transplant_death(design: TrialDesign, people: pd.DataFrame, seed: int) -> Array:
    """Day of death from a transplantation, infinite for none."""
    day = people["arm"].map(
        {a.name: next((c.days[0] for c in a.regimen if c.kind == "transplant"), np.inf) for a in design.arms}
    )
    dies = per_person(people, "transplant-related death", 0, seed) < _transplant_mortality()
    delay = TRANSPLANT_RISK_DAYS * per_person(people, "delay of the transplant-related death", 0, seed)
    return np.where(dies, day.to_numpy(dtype=float) + delay, np.inf)


def _transplant_mortality() -> float:
    return float(parameter_table().at["trm", "value"])


def _measured(
    design: TrialDesign,
    recipe: PopulationRecipe,
    cohort: Cohort,
    people: pd.DataFrame,
    true: Mapping[str, Array],
    study: Study,
    seed: int,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Measured values at all visits, and those that changes are counted from."""
    share = drift_share(np.array(design.visits.days, dtype=float))
    later = np.array(design.visits.days) > 0
    fvc_ratio = 1.0 + study.fvc_shift[:, None] * share / true["fvc_pct"]
    drifted = {
        **true,
        "mrss": true["mrss"] + study.mrss_shift[:, None] * share + study.expectation[:, None] * later,
        "fvc_pct": true["fvc_pct"] * fvc_ratio,
        "fvc_ml": true["fvc_ml"] * fvc_ratio,
    }
    occasions = [SCREENING + 1 + k for k in range(len(design.visits.days))]
    measured = measured_values(drifted, people, design.measurement, recipe, occasions, seed)
    if design.baseline == "separate":
        return measured, {m: v[:, 0] for m, v in measured.items()}
    return measured, {m: cohort.screening[m].to_numpy() for m in measured}
