"""Settings of all tests (Hypothesis repeats its examples unless asked to explore), designs, a stand-in disease."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

from stromal.biology import parameter_table
from stromal.design import Range, TrialDesign, read_design
from stromal.engine import Final, Status, Trajectories
from stromal.engine.trajectories import EventQueue
from stromal.population.measurement import READOUTS

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

settings.register_profile(
    "repeatable",
    derandomize=True,  # a test run gives the same answer on every machine
    database=None,
    deadline=None,  # the first call compiles a model; time is not what these tests claim
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def two_arm() -> TrialDesign:
    """A placebo-controlled trial of 60 patients, from the shipped examples."""
    return read_design(EXAMPLES / "two-arm-60.yaml")


@pytest.fixture(scope="session")
def care() -> TrialDesign:
    """Three arms, blocks of six with safety gates, from the shipped examples."""
    return read_design(EXAMPLES / "care-ssc.yaml")


@pytest.fixture(scope="session")
def series() -> TrialDesign:
    """An open-label series without a control arm, from the shipped examples."""
    return read_design(EXAMPLES / "single-arm-series.yaml")


@pytest.fixture(scope="session")
def tiny(care: TrialDesign) -> TrialDesign:
    """Six adults early in their disease, followed for half a year: short courses, one round of screening."""
    return care.model_copy(
        update={
            "sample_size": 6,
            "visits": care.visits.model_copy(update={"days": (0, 91, 182)}),
            "safety": care.safety.model_copy(update={"treatment_related_sae_per_infusion": 0.2}),
            "endpoints": tuple(e.model_copy(update={"day": min(e.day, 182)}) for e in care.endpoints),
            "eligibility": care.eligibility[:1],
            "population": care.population.model_copy(update={"referral_months": Range(low=3, high=9)}),
        }
    )


class StableDisease:
    """Stands in for the solver: every patient's true values stay as they are at referral.

    The true skin score is normal over candidates: it follows one log-normal parameter that no draw of the population
    moves.
    """

    mean, sd = 20.0, 6.0
    others: ClassVar = {"FVC": 80.0, "FVC_mL": 3000.0, "DLCO": 70.0, "CRP": 5.0, "CT_extent": 10.0}

    def __init__(self) -> None:
        self.hazards = {"H_death": 0.0, "H_organ": 0.0}  # per day

    def score(self, parameters: pd.DataFrame) -> np.ndarray:
        """True skin score of each patient."""
        table = parameter_table()
        z = np.log(parameters["kMF"].to_numpy() / table.at["kMF", "value"]) / table.at["kMF", "spread"]
        return self.mean + self.sd * z

    def course(self, parameters, _schedule, times, outputs, start=None) -> Trajectories:
        """As `stromal.population.history.course`."""
        n = len(parameters)
        times = np.array(np.broadcast_to(times, (n, np.shape(times)[-1])), dtype=float)
        known = {name: np.full(times.shape, value) for name, value in self.others.items()}
        known["mRSS"] = np.repeat(self.score(parameters)[:, None], times.shape[1], axis=1)
        known |= {name: rate * (times - times[:, :1]) for name, rate in self.hazards.items()}
        status = np.full(n, Status.OK, dtype=object)
        none, nobody, quiet = np.zeros((n, 0)), np.full(n, "", dtype=object), np.zeros(n, bool)
        queue = EventQueue(none.astype(int), np.zeros(n, int), none.astype(int), none, none[:, :, None])
        one = np.ones(n)
        final = Final(times[:, -1], one, one, quiet, quiet, none, none, (), none, status, nobody, queue)
        values = np.stack([known[name] for name in outputs], axis=2)
        return Trajectories(parameters.index, times, tuple(outputs), values, status, final if start is None else start)

    def to_referral(self, candidates, _population) -> Trajectories:
        """As `stromal.population.history.to_referral`."""
        referral = candidates.people["referral"].to_numpy()[:, None]
        return self.course(candidates.parameters, None, referral, list(READOUTS.values()))


@pytest.fixture
def stable_disease(monkeypatch) -> StableDisease:
    """Replace the disease by one that does not change; enrolment, conduct and measurement are the real ones."""
    disease = StableDisease()
    monkeypatch.setattr("stromal.population.enrolment.to_referral", disease.to_referral)
    monkeypatch.setattr("stromal.trial.conduct.course", disease.course)
    return disease
