"""Courses become rows of a schedule."""

import pandas as pd
import pytest

from stromal.biology import actions, trigger
from stromal.biology.registry import PRODUCTS
from stromal.design import PRODUCTS as CATALOGUE
from stromal.design import Course

TWO = pd.DataFrame({"pot": [1.0, 2.0], "fL": [0.8, 0.9]}, index=["a", "b"])


def rows(schedule, patient):
    own = schedule[schedule["patient"] == patient]
    return list(zip(own["time"], own["kind"], own["target"], own["amount"], strict=True))


def cells(**changes):
    return Course.model_validate(
        {"product": "umbilical_cord_msc", "days": (0,), "dose_per_kg": 2e6, "route": "iv"} | changes
    )


def test_an_infusion_sets_lot_and_donor_and_divides_the_dose():
    schedule = actions([cells()], TWO, entry=[540.0, 600.0])
    assert rows(schedule, "b") == [
        (600.0, "set", "pot", pytest.approx(2.2)),
        (600.0, "set", "mm", 0.7),
        (600.0, "bolus", "Ml", pytest.approx(1.8)),
        (600.0, "bolus", "Ms", pytest.approx(0.02)),
        (600.0, "bolus", "Apo", pytest.approx(0.18)),
    ]
    assert schedule.loc[schedule["kind"] == "bolus"].groupby("patient")["amount"].sum().to_list() == pytest.approx(
        [2, 2]
    )


def test_a_local_injection_goes_to_the_depot_whole():
    schedule = actions([cells(product="autologous_adipose_msc", route="local", dose_per_kg=3e5)], TWO, entry=0)
    assert rows(schedule, "a") == [
        (0.0, "set", "pot", 0.6),
        (0.0, "set", "mm", 0.0),
        (0.0, "bolus", "Ms", pytest.approx(0.3)),
    ]


def test_a_daily_drug_is_taken_from_first_to_last_day():
    course = Course(product="cyclophosphamide", from_day=10, to_day=375, share_of_standard_dose=0.5)
    assert rows(actions([course], TWO, entry=100), "a") == [
        (110.0, "set", "uCYC", 0.5),
        (475.0, "set", "uCYC", 0.0),
    ]


def test_of_two_overlapping_courses_of_a_drug_the_higher_share_counts():
    courses = [
        Course(product="mycophenolate", from_day=0, share_of_standard_dose=0.5),
        Course(product="mycophenolate", from_day=30, to_day=60),
    ]
    taken = [(time, amount) for time, _, _, amount in rows(actions(courses, TWO, entry=0), "a")]
    assert taken == [(0.0, 0.5), (30.0, 1.0), (60.0, 0.5)]


def test_sessions_of_one_day_keep_the_order_of_the_courses():
    courses = [
        Course(product="plasma_exchange", days=(0, 2)),
        Course(product="cyclophosphamide_pulse", days=(0,)),
    ]
    schedule = actions(courses, TWO, entry=5)
    assert [(t, target) for t, _, target, _ in rows(schedule, "a")] == [
        (5.0, "Ab"),
        *((5.0, cell) for cell in ("Th1", "Th2", "Th17", "Treg", "B")),
        (7.0, "Ab"),
    ]
    assert schedule["patient"].is_monotonic_increasing


def test_transplantation_takes_the_patient_s_own_depth():
    own = pd.DataFrame({"aN": [0.05, 0.4]}, index=[1, 2])
    schedule = actions([Course(product="ahsct", days=(0,))], own, entry=0)
    kept = schedule[schedule["target"] == "N"]
    assert kept["amount"].to_list() == [0.05, 0.4]
    assert schedule[schedule["target"] == "Tol"]["kind"].unique().tolist() == ["bolus"]


def test_nothing_given_is_an_empty_schedule_with_the_same_columns():
    schedule = actions([], TWO, entry=0)
    assert schedule.empty
    assert list(schedule.columns) == list(actions([cells()], TWO, entry=0).columns)


def test_the_trigger_lasts_from_time_zero_to_its_end():
    own = pd.DataFrame({"trigT": [30.0, 60.0]}, index=["a", "b"])
    assert rows(trigger(own), "b") == [(0.0, "set", "trigger", 4.0), (60.0, "set", "trigger", 0.0)]


def test_every_product_of_the_catalogue_does_something():
    assert set(PRODUCTS) == set(CATALOGUE)
