"""Who fails is solved again by other means, and goes on; who cannot be solved is listed, and disturbs nobody."""

import numpy as np
import pandas as pd
import pytest

from stromal.engine import Status, empty_schedule, load, solve
from stromal.engine.failures import failure_table, likely_cause

COLUMNS = ["patient", "time", "kind", "target", "amount"]
TIMES = [0.5, 1.5, 2.5]
OSCILLATOR = load("x = 1; v = 0; x' = w*v; v' = -w*x; w = 1; n = 0; at time > 1.2: n = 7\n")
SPEEDS = pd.DataFrame({"w": [1.0, 60.0, 2.0]}, index=["slow", "fast", "other"])
LIMIT = 100
"""Steps that are enough for all but the fast one, which would need more than the 500 of the second try."""


def oscillated(table=SPEEDS, schedule=None, times=TIMES, **options):
    schedule = empty_schedule() if schedule is None else schedule
    settings = {"rtol": 1e-8, "atol": 1e-10, "max_steps": LIMIT} | options
    return solve(OSCILLATOR, table, schedule, times, ["x", "v", "n"], **settings)


def test_whom_only_the_reference_method_solves_is_rescued_with_the_right_values():
    result = oscillated()
    assert dict(zip(SPEEDS.index, map(str, result.status), strict=True)) == {
        "slow": "ok",
        "fast": "rescued",
        "other": "ok",
    }
    np.testing.assert_allclose(result["x"][1], np.cos(60.0 * np.array(TIMES)), atol=1e-4)
    assert result["n"][1].tolist() == [0.0, 7.0, 7.0]
    assert failure_table(result).empty


def test_more_steps_with_tighter_settings_are_tried_first():
    """The tolerances of the second try are a hundredth, its steps five times as many."""
    result = oscillated(pd.DataFrame({"w": [6.0]}), max_steps=100)
    assert list(result.status) == [Status.RESCUED]
    tight = oscillated(pd.DataFrame({"w": [6.0]}), rtol=1e-10, atol=1e-12, max_steps=500)
    assert list(tight.status) == [Status.OK]
    np.testing.assert_array_equal(result.values, tight.values)


def test_a_rescued_patient_goes_on_with_its_infusion_and_its_events():
    schedule = pd.DataFrame([("fast", 0.7, "rate", "x", 3.0), ("fast", 0.8, "set", "w", 0.0)], columns=COLUMNS)
    first = oscillated(schedule=schedule, times=[0.5, 1.0])
    assert first.status[1] == Status.RESCUED
    second = oscillated(times=[1.5, 2.5], start=first.final)
    whole = oscillated(schedule=schedule, times=[0.5, 1.0, 1.5, 2.5], max_steps=10_000)
    assert set(whole.status) == {Status.OK}
    assert second.status[1] == Status.RESCUED
    np.testing.assert_allclose(second.values[1], whole.values[1, 2:], atol=1e-4)
    assert second["x"][1, 1] - second["x"][1, 0] == pytest.approx(3.0)
    assert second["n"][1].tolist() == [7.0, 7.0]


def test_the_neighbours_of_a_rescued_patient_keep_every_bit():
    alone = oscillated(SPEEDS.drop("fast"))
    np.testing.assert_array_equal(oscillated().values[[0, 2]], alone.values)


POLE = load("x = 1; x' = p*x^2; p = 1; y = 0; y' = 1\n")


def test_what_nothing_solves_keeps_its_status_and_is_listed_with_time_state_and_cause():
    table = pd.DataFrame({"p": [0.1, 2.0, 0.2]}, index=["a", "b", "c"])
    result = solve(POLE, table, empty_schedule(), [0.2, 1.0], ["x", "y"])
    assert [s.solved for s in result.status] == [True, False, True]
    assert np.isnan(result["x"][1]).tolist() == [False, True]
    assert result["x"][1, 0] == pytest.approx(1.0 / 0.6, rel=1e-6)
    (row,) = failure_table(result).itertuples(index=False)
    assert (row.patient, row.status) == ("b", str(result.status[1]))
    assert row.time == pytest.approx(0.5, rel=1e-3)
    assert result.final.culprit.tolist() == ["", "x", ""]
    assert "x = " in likely_cause(POLE, result, table, 1)
    others = solve(POLE, table.drop("b"), empty_schedule(), [0.2, 1.0], ["x", "y"])
    np.testing.assert_array_equal(result.values[[0, 2]], others.values)


@pytest.mark.parametrize(
    "text, exact",
    [
        ("x = 1; x' = -sqrt(x)\n", lambda t: np.maximum(1.0 - t / 2.0, 0.0) ** 2),
        ("x = 0; x' = 1 - sqrt(x)*0\n", lambda t: t),
        ("x = 0; x' = (1 + x)^0.5\n", lambda t: t + t**2 / 4.0),
    ],
)
def test_a_root_of_a_state_that_starts_at_or_reaches_zero_is_solved(text, exact):
    times = np.array([0.5, 1.9, 3.0])
    result = solve(load(text), pd.DataFrame(index=[0]), empty_schedule(), times)
    assert result.status[0].solved
    np.testing.assert_allclose(result["x"][0], exact(times), atol=1e-5)
