"""Pieces of a run: some replicates of a trial in all scenarios, or some patients of the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.randomness import Streams
from stromal.design.endpoints import EndPoint
from stromal.design.trial import TrialDesign
from stromal.engine.trajectories import solved
from stromal.population.enrolment import Cohort, enrol
from stromal.population.posterior import Posterior, shipped_posterior
from stromal.trial.allocation import allocate
from stromal.trial.analysis import ANALYSES
from stromal.trial.conduct import TrialData, conduct
from stromal.trial.endpoints import true_outcome, values_for
from stromal.trial.scenarios import SCENARIOS, Scenario, effect_of, studies

Array = NDArray[np.float64]
PATIENTS_PER_PIECE: Final = 1000
"""About how many enrolled patients a piece holds: it changes the speed and how often progress is stored."""
TRUTH_PER_REPLICATE: Final = 50
"""Truth patients enrolled under one (negative) replicate number, so from the population of one draw."""


@final
@dataclass(frozen=True)
class Piece:
    """Some replicates of a run.

    Attributes
    ----------
    replicates : tuple of int
        Numbers of simulated trials; negative numbers are groups of patients for the truth.
    scenarios : tuple of str
    keep_data : bool
        Whether the trial data go into the result, for trajectories.
    """

    design: TrialDesign
    seed: int
    replicates: tuple[int, ...]
    scenarios: tuple[Scenario, ...] = SCENARIOS
    keep_data: bool = True

    @property
    def posterior(self) -> Posterior:
        """The draws of the population."""
        return shipped_posterior()

    @property
    def is_truth(self) -> bool:
        """Whether the piece computes the truth."""
        return self.replicates[0] < 0


@final
@dataclass(frozen=True, eq=False)
class PieceResult:
    """What a piece gives back; everything is in order of replicate.

    Attributes
    ----------
    estimates : DataFrame
        One row per scenario, replicate and end point.
    screened : DataFrame
        One row per replicate: candidates screened, enrolled, failed by criterion.
    failures : DataFrame
        Patients whose simulation failed.
    data : mapping of scenario to TrialData
        Empty unless the piece keeps them.
    truth : DataFrame
        One row per patient, one column per end point: the individual contrast of potential outcomes.
    """

    is_truth: bool
    estimates: pd.DataFrame
    screened: pd.DataFrame
    failures: pd.DataFrame
    data: Mapping[Scenario, TrialData]
    truth: pd.DataFrame


def pieces(
    design: TrialDesign,
    seed: int,
    replicates: int,
    scenarios: tuple[Scenario, ...] = SCENARIOS,
    *,
    first: int = 0,
    keep_data: bool = True,
    patients: int = PATIENTS_PER_PIECE,
) -> list[Piece]:
    """Cut the replicates `first` to ``replicates - 1`` into pieces of about `patients` enrolled patients."""
    width = max(1, patients // design.sample_size)
    return [
        Piece(design, seed, tuple(range(a, min(a + width, replicates))), scenarios, keep_data)
        for a in range(first, replicates, width)
    ]


def truth_pieces(design: TrialDesign, seed: int, patients: int) -> list[Piece]:
    """Pieces that compute the truth from `patients` patients (a multiple of `TRUTH_PER_REPLICATE`)."""
    groups = -(-patients // TRUTH_PER_REPLICATE)
    width = PATIENTS_PER_PIECE // TRUTH_PER_REPLICATE
    numbers = [-1 - k for k in range(groups)]
    return [Piece(design, seed, tuple(numbers[a : a + width]), keep_data=False) for a in range(0, groups, width)]


def run_piece(piece: Piece) -> PieceResult:
    """Simulate a piece."""
    return _truth(piece) if piece.is_truth else _replicates(piece)


def simulate(piece: Piece) -> tuple[Cohort, dict[Scenario, TrialData]]:
    """Enrol the patients of a piece and conduct its trials in every scenario."""
    design, posterior, seed = piece.design, piece.posterior, piece.seed
    cohort = enrol(design, posterior, seed, piece.replicates, design.sample_size)
    arm = allocate(design.randomisation, cohort.people, seed)
    replicate = cohort.people["replicate"]
    data = {
        s: conduct(design, posterior.base, cohort, arm, studies(s, design, posterior, seed, replicate), seed)
        for s in piece.scenarios
    }
    return cohort, data


def _replicates(piece: Piece) -> PieceResult:
    cohort, data = simulate(piece)
    estimates = pd.concat([_estimates(piece, s, d) for s, d in data.items()], ignore_index=True)
    failures = pd.concat([cohort.failures, *(_failures(s, d) for s, d in data.items())], ignore_index=True)
    kept = data if piece.keep_data else {}
    return PieceResult(False, estimates, cohort.screened, failures, kept, pd.DataFrame())


def _estimates(piece: Piece, scenario: Scenario, data: TrialData) -> pd.DataFrame:
    rows = []
    by_replicate = data.patients.groupby("replicate").indices
    for replicate in piece.replicates:
        trial = data.take(by_replicate[replicate])
        effect = effect_of(scenario, piece.design, piece.posterior, Streams(piece.seed, replicate))
        for endpoint in piece.design.endpoints:
            estimate = ANALYSES[endpoint.analysis].function(values_for(piece.design, endpoint, trial), endpoint.alpha)
            rows.append(
                {
                    "scenario": scenario,
                    "replicate": replicate,
                    "endpoint": endpoint.name,
                    "msc_effect": effect,
                    "randomised": len(trial.patients),
                    **vars(estimate),
                    **_decision(endpoint, estimate.estimate, estimate.p_value),
                }
            )
    return pd.DataFrame(rows)


def _decision(endpoint: EndPoint, estimate: float, p_value: float) -> dict[str, bool]:
    """Whether the test rejects at all, and whether it does in favour of treatment."""
    good = estimate < 0.0 if endpoint.benefit == "lower" else estimate > 0.0
    level = 2.0 * endpoint.alpha if endpoint.sides == 1 else endpoint.alpha
    rejects = bool(p_value < level) and (endpoint.sides == 2 or good)
    return {"rejects": rejects, "favours_treatment": rejects and good}


def _failures(scenario: Scenario, data: TrialData) -> pd.DataFrame:
    failed = data.patients[~solved(data.patients["status"])]
    return failed[["replicate", "candidate", "status"]].assign(scenario=scenario)


def _truth(piece: Piece) -> PieceResult:
    """Potential outcomes: the same patients in every arm, under the effect that the design states."""
    design = piece.design.model_copy(
        update={"safety": piece.design.safety.model_copy(update={"gate_next_block": False})}
    )
    posterior, seed = piece.posterior, piece.seed
    cohort = enrol(design, posterior, seed, piece.replicates, TRUTH_PER_REPLICATE)
    study = studies("reference", design, posterior, seed, cohort.people["replicate"])
    in_arm = {
        arm.name: conduct(
            design, posterior.base, cohort, np.full(len(cohort.people), arm.name, dtype=object), study, seed
        )
        for arm in design.arms
    }
    contrasts = {e.name: _individual_contrast(design, e, in_arm) for e in design.endpoints}
    none = pd.DataFrame()
    failures = pd.concat([_failures("reference", d) for d in in_arm.values()], ignore_index=True)
    return PieceResult(True, none, cohort.screened, failures, {}, pd.DataFrame(contrasts))


def _individual_contrast(design: TrialDesign, endpoint: EndPoint, in_arm: Mapping[str, TrialData]) -> Array:
    """Each patient's outcome in the first group less that in the second; a pool is weighted by allocation."""

    def outcome(group: str) -> Array:
        arms: Sequence[str] = design.arms_in(group)
        weights = np.array([design.randomisation.allocation[a] for a in arms], dtype=float)
        outcomes = [true_outcome(endpoint, in_arm[a]) for a in arms]
        return np.asarray(np.average(outcomes, axis=0, weights=weights))

    if endpoint.contrast is None:
        return outcome(design.arms[0].name)
    return outcome(endpoint.contrast[0]) - outcome(endpoint.contrast[1])
