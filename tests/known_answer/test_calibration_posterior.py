"""What the shipped posterior must hold: published spreads, the registry split and survival lie in its predictions.

These results were fitted, so this is no validation (docs/scorecard.md is); it is what a population that calls itself
calibrated cannot miss.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from stromal.calibration.artefact import evidence_hash, read_literature
from stromal.calibration.fitting import shipped_observations
from stromal.calibration.prediction import Predictions, predict
from stromal.calibration.validation import shipped_draws
from stromal.population.posterior import MSC_EFFECT, provenance, shipped_posterior


@cache
def _observed() -> pd.DataFrame:
    return shipped_observations()[2].reset_index(drop=True)


@cache
def _predicted(trial: str) -> Predictions:
    literature = read_literature(_observed())
    return predict(literature, np.nonzero((_observed()["trial"] == trial).to_numpy())[0], shipped_draws(), 1)


def _column(trial: str, **where: object) -> int:
    own = _observed()[_observed()["trial"] == trial].reset_index(drop=True)
    chosen = np.ones(len(own), dtype=bool)
    for name, value in where.items():
        chosen &= (own[name] == value).to_numpy()
    return int(np.nonzero(chosen)[0][0])


def test_the_posterior_and_the_emulators_are_of_the_evidence_that_is_shipped() -> None:
    assert provenance()["evidence_sha256"] == evidence_hash(_observed())
    assert provenance()["draws"] == len(shipped_posterior().draws) >= 200


@pytest.mark.parametrize(
    ("trial", "arm", "family"),
    [
        ("ASSET", "placebo", "skin"),
        ("ASSET", "placebo", "FVC"),
        ("ESOS", "no immunosuppressant", "skin"),
        ("EUSTAR glucocorticoids (Mongin 2025)", "immunosuppression alone", "skin"),
        ("SLS I", "placebo", "FVC"),
        ("SLS I", "cyclophosphamide", "FVC"),
    ],
)
def test_the_reported_spread_between_patients_at_a_year_is_one_that_is_predicted(
    trial: str, arm: str, family: str
) -> None:
    own = _observed()[_observed()["trial"] == trial].reset_index(drop=True)
    rows = own[(own["arm"] == arm) & (own["family"] == family) & (own["week"] == 52.0) & own["log_sd"].notna()]
    sample = _predicted(trial).spreads[:, rows.index[0]]
    low, high = np.quantile(sample, [0.05, 0.95])
    assert low <= rows["sd"].iloc[0] <= high


@pytest.mark.parametrize("endpoint", ["mRSS_regressor_pct", "mRSS_stable_pct", "mRSS_progressor_pct"])
def test_the_registry_split_of_regression_stability_and_progression_is_one_that_is_predicted(endpoint: str) -> None:
    trial = "EUSTAR skin regression 2024"
    sample = _predicted(trial).results[:, _column(trial, endpoint=endpoint)]
    observed = _observed().loc[(_observed()["trial"] == trial) & (_observed()["endpoint"] == endpoint), "value"].iloc[0]
    assert np.quantile(sample, 0.05) <= observed <= np.quantile(sample, 0.95)


@pytest.mark.parametrize("arm", ["dcSSc", "lcSSc"])
def test_survival_of_diffuse_and_limited_disease_is_one_that_is_predicted(arm: str) -> None:
    trial = "RESCLE Spain (2016)"
    own = _observed()[(_observed()["trial"] == trial)].reset_index(drop=True)
    for place, row in own[own["arm"] == arm].iterrows():
        sample = _predicted(trial).results[:, place]
        assert np.quantile(sample, 0.025) <= row["value"] <= np.quantile(sample, 0.975)


def test_the_msc_effect_keeps_mass_at_zero() -> None:
    none = float((shipped_posterior().draws[MSC_EFFECT] == 0.0).mean())
    said = provenance()["msc_effect"]
    assert none == pytest.approx(said["posterior_none"], abs=0.06)
    assert 0.1 < none < 0.9
