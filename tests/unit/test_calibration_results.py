"""Published results as statistics and observations, and trials of a user's own tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromal.calibration.baseline import match
from stromal.calibration.fitting import shipped_observations
from stromal.calibration.observations import from_scale, slope_of_scale, to_scale
from stromal.calibration.scorecard import arm_means
from stromal.calibration.statistics import Statistic, statistic_of
from stromal.calibration.trials import described
from stromal.compute.errors import InputError

START, THEN = np.array([20.0, 20.0, 20.0, 40.0]), np.array([14.0, 26.0, 17.0, 31.0])


def _row(endpoint: str, detail: str = "", week: float = 52.0) -> pd.Series:
    return pd.Series({"endpoint": endpoint, "endpoint_detail": detail, "timepoint_weeks": week})


@pytest.mark.parametrize(
    ("endpoint", "detail", "expected"),
    [
        ("mRSS_change", "", -4.0 + 1.0),
        ("mRSS_value", "", 22.0),
        ("mRSS_responder_pct", ">=20% improvement", 50.0),
        ("mRSS_responder_pct", ">=4.7 units (MCID)", 50.0),
        ("mRSS_regressor_pct", "change >5 points and >=25%", 25.0),
        ("mRSS_progressor_pct", "increase >5 and >=25%", 25.0),
        ("mRSS_stable_pct", "change >5 points and >=25%", 50.0),
        ("mRSS_declined_pct", "", 75.0),
        ("FVC_decline_pct", "absolute decline >5 % predicted", 50.0),
        ("FVC_decline_pct", "relative decline (mL) >25 %", 25.0),
        ("FVC_decline_ge10_pct", "", 0.0),
    ],
)
def test_a_result_is_the_statistic_that_its_name_says(endpoint: str, detail: str, expected: float) -> None:
    statistic = statistic_of(_row(endpoint, detail))
    assert isinstance(statistic, Statistic)
    assert statistic.per_patient(START, THEN).mean() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("endpoint", "detail", "week", "reason"),
    [
        ("mRSS_change", "", 0.0, "baseline"),
        ("overall_survival_pct", "", 1040.0, "ten years"),
        ("treatment_related_mortality_pct", "", 52.0, "an input"),
        ("mRSS_responder_pct", "much better", 52.0, "definition"),
        ("HAQ_change", "", 52.0, "the model has no HAQ_change"),
    ],
)
def test_what_is_not_predicted_has_a_reason(endpoint: str, detail: str, week: float, reason: str) -> None:
    found = statistic_of(_row(endpoint, detail, week))
    assert isinstance(found, str)
    assert reason in found


@given(st.sampled_from(["share", "survival", "mortality", "change"]), st.floats(1.0, 99.0))
def test_scales_are_inverted_and_their_slope_is_right(kind: str, value: float) -> None:
    assert from_scale(kind, to_scale(kind, value, 100.0)) == pytest.approx(value, rel=1e-6)
    step = 1e-4
    numeric = (to_scale(kind, value + step, 1e4) - to_scale(kind, value - step, 1e4)) / (2 * step)
    assert slope_of_scale(kind, value, 1e4) == pytest.approx(numeric, rel=1e-3)


def test_one_result_per_arm_end_point_and_time_is_fitted_and_every_other_has_a_reason() -> None:
    table, _, observed = shipped_observations()
    fitted = observed[observed["not_fitted"] == ""]
    means = fitted[fitted["family"].isin(["skin", "FVC"])]
    assert not means.duplicated(["trial", "arm", "family", "week"]).any()
    assert not fitted["cells"].any()
    predicted = set(observed["row"])
    assert all((table["reason"].iloc[k] == "") == (k in predicted) for k in range(len(table)))


def test_the_summary_has_one_row_per_arm_and_end_point_on_a_common_scale() -> None:
    _, _, observed = shipped_observations()
    means = arm_means(observed)
    assert not means.duplicated(["trial", "arm", "family"]).any()
    assert (means["week"] <= 52.0).all()
    slope = means[(means["trial"] == "SENSCIS") & (means["arm"] == "placebo") & (means["family"] == "FVC")]
    assert slope["value"].iloc[0] == pytest.approx(-93.3 / 34.0)
    assert means["value"].abs().max() < 25.0


def test_weighted_patients_have_the_mean_and_spread_of_the_table() -> None:
    values = pd.DataFrame(
        {
            "mrss": np.linspace(5.0, 40.0, 400),
            "fvc_pct": np.tile(np.linspace(50.0, 110.0, 20), 20),
            "disease_duration_months": 20.0,
            "subset": ["diffuse", "limited"] * 200,
            "antibody": "ATA",
            "sex": "female",
        }
    )
    table = {"n": 200.0, "baseline_mrss_mean": 26.0, "baseline_mrss_sd": 6.0, "pct_dcssc": 80.0}
    found = match(values, table)
    mean = found.weights @ values["mrss"].to_numpy()
    assert mean == pytest.approx(26.0, abs=0.6)
    assert np.sqrt(found.weights @ (values["mrss"].to_numpy() - mean) ** 2) == pytest.approx(6.0, abs=0.6)
    assert found.weights @ (values["subset"] == "diffuse").to_numpy() == pytest.approx(0.8, abs=0.03)
    assert found.supported
    assert not match(values, {"n": 200.0, "baseline_mrss_mean": 60.0, "baseline_mrss_sd": 3.0}).supported


def _arms(**columns: object) -> pd.DataFrame:
    base = {"trial": "new", "arm": ["drug", "placebo"], "arm_class": ["drug", "placebo"], "n": 30.0, "design": "blind"}
    return pd.DataFrame({**base, "pct_dcssc": 100.0, "disease_duration_mo_mean": 20.0, **columns})


def test_a_trial_of_ones_own_is_described_by_columns_or_by_the_class_of_its_arms() -> None:
    own = described(_arms(regimen=["tocilizumab 162mg/wk d0-", ""], eligibility=["mrss>=15", ""], background=["", ""]))
    trial = own["new"]
    assert [c.product for c in trial.arms[0].regimen] == ["tocilizumab"]
    assert trial.arms[1].regimen == ()
    assert len(trial.eligibility) == 1
    bare = described(_arms())["new"]
    assert bare.arms[0].not_simulated is not None
    assert "regimen" in bare.arms[0].not_simulated
    assert bare.arms[1].not_simulated is None


def test_a_wrong_regimen_names_its_arm_and_column() -> None:
    with pytest.raises(InputError, match="tocilizumab") as error:
        described(_arms(regimen=["tocilizumap d0-", ""]))
    assert "column regimen" in str(error.value)
