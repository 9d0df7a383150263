"""Infusions, the adverse events that may follow them, and the rules that the design draws from these.

These events do not depend on the state of the disease, so who is dosed is known before the course is solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.design.arms import Arm, Course
from stromal.design.trial import TrialDesign
from stromal.population.people import per_person

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
INFUSED = ("cells", "vesicles")
"""Kinds of product whose infusions the safety rules of a design are about."""


@final
@dataclass(frozen=True, eq=False)
class Infusions:
    """What happened at each infusion day of the trial.

    Attributes
    ----------
    days : tuple of int
        Every day on which some arm infuses; the other arms have a sham infusion then.
    active, given : (n_patients, n_days)
        Whether the patient's arm infuses cells on that day, and whether the infusion (or sham) was given.
    sae_day : (n_patients, n_days)
        Day after baseline of a treatment-related severe adverse event, infinite where there was none.
    reaction : (n_patients, n_days)
        Whether an infusion reaction followed.
    enrolled : (n_patients,)
        False for patients of blocks that did not open.
    """

    days: tuple[int, ...]
    active: Bools
    given: Bools
    sae_day: Array
    reaction: Bools
    enrolled: Bools

    def first_sae(self) -> Array:
        """Day of each patient's first treatment-related severe adverse event, infinite for none."""
        return np.asarray(np.min(self.sae_day, axis=1, initial=np.inf))


def infusion_days(arm: Arm) -> tuple[int, ...]:
    """Days on which an arm infuses cells or vesicles."""
    return tuple(sorted({d for c in arm.regimen if c.kind in INFUSED for d in c.days}))


def infuse(design: TrialDesign, people: pd.DataFrame, seed: int) -> Infusions:
    """Draw the events that follow infusions and apply the rules of the design.

    Parameters
    ----------
    people : DataFrame with columns replicate, candidate, patient and arm
    """
    by_arm = {arm.name: infusion_days(arm) for arm in design.arms}
    days = tuple(sorted({d for own in by_arm.values() for d in own}))
    active = np.array([[d in by_arm[arm] for d in days] for arm in people["arm"]], dtype=bool)
    active = active.reshape(len(people), len(days))
    given = np.ones_like(active)
    sae_day = np.full(active.shape, np.inf)
    reaction = np.zeros_like(active)
    safety = design.safety
    risk = np.where(active, safety.treatment_related_sae_per_infusion, safety.treatment_related_sae_per_control_visit)
    for k, day in enumerate(days):
        if safety.gate_next_dose and k:
            given[:, k] = given[:, k - 1] & np.isinf(sae_day[:, k - 1])
        happens = per_person(people, "treatment-related severe adverse event", k, seed) < risk[:, k]
        delay = safety.within_days * per_person(people, "delay of the severe adverse event", k, seed)
        sae_day[:, k] = np.where(happens & given[:, k], day + delay, np.inf)
        reacts = per_person(people, "infusion reaction", k, seed) < safety.infusion_reaction_per_infusion
        reaction[:, k] = reacts & active[:, k] & given[:, k]
    return Infusions(days, active, given, sae_day, reaction, _enrolled(design, people, sae_day))


def received(regimen: tuple[Course, ...], doses: Mapping[int, bool]) -> tuple[Course, ...]:
    """The regimen without the infusions that were withheld; `doses` tells for each infusion day."""
    kept = []
    for course in regimen:
        if course.kind not in INFUSED:
            kept.append(course)
            continue
        days = tuple(d for d in course.days if doses[d])
        if days:
            kept.append(course.model_copy(update={"days": days}))
    return tuple(kept)


def _enrolled(design: TrialDesign, people: pd.DataFrame, sae_day: Array) -> Bools:
    """A block opens only if no patient of the block before had an event after the first infusion."""
    if not design.safety.gate_next_block or not sae_day.shape[1]:
        return np.ones(len(people), dtype=bool)
    block = people["patient"] // design.randomisation.block_size
    event = pd.Series(np.isfinite(sae_day[:, 0]), index=people.index)
    stopped = event.groupby([people["replicate"], block]).any()
    first = stopped[stopped].reset_index().groupby("replicate")["patient"].min()
    last_open = people["replicate"].map(first).fillna(np.inf)
    return np.asarray(block <= last_open)
