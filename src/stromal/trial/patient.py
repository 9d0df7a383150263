"""One virtual patient of a trial, from the trigger to the last visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.biology import model
from stromal.compute.errors import InputError
from stromal.design.base import suggestion
from stromal.design.trial import TrialDesign
from stromal.population.candidates import NONE
from stromal.population.enrolment import Cohort, enrol
from stromal.population.history import course, until_referral
from stromal.population.posterior import shipped_posterior
from stromal.trial.conduct import baseline_day, follow_up
from stromal.trial.safety import infuse, infusion_days

Array = NDArray[np.float64]

OUTPUTS: Final = (
    *("mRSS", "FVC", "DLCO", "CapLoss", "CRP", "CT_extent", "Ab"),
    *("N", "E", "Th1", "Treg", "M1s", "MFs", "Cs", "Xs", "Ds", "MFl", "Cl", "Xl", "Tol", "Mreg", "Ml"),
)
"""Read-outs and states that are shown of a patient."""
REPLICATE: Final = 0


@final
@dataclass(frozen=True, eq=False)
class VirtualPatient:
    """A patient's course.

    Attributes
    ----------
    person : mapping
        Covariates, history and measured screening values.
    parameters : mapping of symbol to float
        Values that differ from the defaults, the MSC effect among them.
    schedule : DataFrame
        All actions: time [d after the trigger], kind, target, amount.
    course : DataFrame
        Index: days after the trigger; columns `OUTPUTS` (true values).
    marks : mapping of str to float
        What happened when [d after the trigger].
    """

    person: Mapping[str, object]
    parameters: Mapping[str, float]
    schedule: pd.DataFrame
    course: pd.DataFrame
    marks: Mapping[str, float]


def virtual_patient(design: TrialDesign, arm: str, number: int, seed: int) -> VirtualPatient:
    """Patient `number` of the first simulated trial, treated in `arm`, with the effect that the design states.

    The patient is the same in every arm.

    Parameters
    ----------
    number : int
        1 for the first patient enrolled.

    Raises
    ------
    InputError
        No such arm, or no such patient.
    """
    names = [a.name for a in design.arms]
    if arm not in names:
        raise InputError("the design has no such arm", place="--arm", value=arm, remedy=suggestion(arm, names))
    if not 1 <= number <= design.sample_size:
        raise InputError("no such patient", place="--patient", value=number, remedy=f"1 to {design.sample_size}")
    cohort = _only(enrol(design, shipped_posterior(), seed, [REPLICATE], design.sample_size), number - 1)
    people = cohort.people.assign(arm=arm)
    effect = design.effect.msc_effect * float(people["msc_factor"].iloc[0])
    parameters = cohort.candidates.parameters.assign(eff=effect)
    schedule = pd.concat(
        [
            until_referral(cohort.candidates, design.population),
            follow_up(design, cohort, people, infuse(design, people, seed)),
        ],
        ignore_index=True,
    )
    baseline = float(baseline_day(design, people).iloc[0])
    days = _days(design, arm, baseline)
    solved = course(parameters, schedule, days, OUTPUTS)
    return VirtualPatient(
        {**people.iloc[0].to_dict(), "screening": cohort.screening.iloc[0].to_dict()},
        {k: float(v) for k, v in parameters.iloc[0].items()},
        schedule.drop(columns="patient"),
        pd.DataFrame(solved.values[0], index=pd.Index(days, name="day"), columns=list(OUTPUTS)),
        _marks(design, arm, people.iloc[0], baseline),
    )


def _days(design: TrialDesign, arm: str, baseline: float) -> Array:
    """Every second day, and the hours after each infusion, in which the cells are seen."""
    last = baseline + design.visits.last
    after = [baseline + day + np.arange(0.05, 4.0, 0.25) for day in infusion_days(design.arm(arm))]
    return np.unique(np.concatenate([np.arange(0.0, last + 1.0, 2.0), *after]))


def _marks(design: TrialDesign, arm: str, person: pd.Series, baseline: float) -> dict[str, float]:
    """What is done to the patient and when, by its name."""
    marks = {"first symptom": float(person["first_symptom"])}
    if person["prior_drug"] != NONE:
        marks[f"start of {person['prior_drug']}"] = float(person["prior_start"])
    marks |= {"screening": float(person["referral"]), "baseline": baseline}
    if person["background"] != NONE:
        marks[f"background {person['background']}"] = baseline
    treatments = sorted({(d, c.product) for c in design.arm(arm).regimen for d in (c.days or (c.from_day or 0,))})
    return marks | {f"{product.replace('_', ' ')}, day {day}": baseline + day for day, product in treatments}


def model_parameters(parameters: Mapping[str, float]) -> dict[str, float]:
    """Those of a patient's parameters that the model itself has; the others are used by actions only."""
    known = model().parameters
    return {k: v for k, v in parameters.items() if k in known}


def _only(cohort: Cohort, row: int) -> Cohort:
    return Cohort(
        cohort.candidates.take([row]),
        cohort.screening.iloc[[row]].reset_index(drop=True),
        cohort.final.take([row]),
        cohort.screened,
        cohort.failures,
    )
