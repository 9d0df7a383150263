"""The three worlds in which every trial is run on the same random numbers.

In all of them replicate r takes the population of draw r of the posterior. ``null``: the cells do nothing.
``reference``: the effect that the design states. ``prior``: the effect is that of the draw, and it differs between
studies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd

from stromal.compute.randomness import Streams
from stromal.design.trial import TrialDesign
from stromal.population.posterior import MSC_EFFECT, Posterior
from stromal.trial.conduct import Study

Scenario = Literal["null", "reference", "prior"]
SCENARIOS: Final[tuple[Scenario, ...]] = ("null", "reference", "prior")


def effect_of(scenario: Scenario, design: TrialDesign, posterior: Posterior, streams: Streams) -> float:
    """`msc_effect` of a replicate."""
    if scenario == "null":
        return 0.0
    if scenario == "reference":
        return design.effect.msc_effect
    share = posterior.base.study.treatment_share
    between_studies = 1.0 + share * streams.normal("study-by-treatment effect", 1)[0]
    return float(posterior.of(streams.replicate)[MSC_EFFECT] * max(between_studies, 0.0))


def studies(
    scenario: Scenario,
    design: TrialDesign,
    posterior: Posterior,
    seed: int,
    replicate: Sequence[int] | pd.Series,
) -> Study:
    """The study of each patient, given the patient's replicate."""
    known = {int(r): _of_replicate(scenario, design, posterior, Streams(seed, int(r))) for r in np.unique(replicate)}
    rows = np.array([known[int(r)] for r in replicate]).reshape(-1, 4)
    return Study(*(rows[:, k].copy() for k in range(4)))


def _of_replicate(
    scenario: Scenario, design: TrialDesign, posterior: Posterior, streams: Streams
) -> tuple[float, float, float, float]:
    study = posterior.recipe(streams.replicate).study
    expectation = study.expectation_mean + study.expectation_sd * streams.normal("open-label expectation", 1)[0]
    return (
        float(study.mrss_drift + study.mrss_sd * streams.normal("study effect on mRSS", 1)[0]),
        float(study.fvc_drift + study.fvc_sd * streams.normal("study effect on FVC", 1)[0]),
        0.0 if design.blinded else float(expectation),
        effect_of(scenario, design, posterior, streams),
    )
