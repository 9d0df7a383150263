"""What reducers say about patients who failed, left, or were not asked, and what they refuse."""

import numpy as np
import pandas as pd
import pytest

from stromal.compute.errors import InputError
from stromal.engine import Status, empty_schedule, load, solve
from stromal.engine.ensemble import solve_chunks
from stromal.engine.quantiles import Quantiles
from stromal.engine.reducers import Mean, TimeToThreshold, reduce

POLE = load("model pole\nx = 1\np = 1\nx' = p*x^2\nend\n")
"""x(t) = 1/(1 - p t): a pole at 1/p."""
SPEEDS = pd.DataFrame({"p": [0.1, 2.0, 0.2, 4.0, 0.05]}, index=list("abcde"))
TIMES = [0.0, 0.1, 1.0]


def chunks(chunk=2, times=TIMES):
    return solve_chunks(POLE, SPEEDS, empty_schedule(), times, ["x"], chunk=chunk)


def test_failed_patients_are_counted_and_listed_with_patient_time_and_status():
    result = reduce(chunks(), [])
    assert result.patients == 5
    assert result.statuses["ok"] == 3
    assert result.statuses.sum() == 5
    assert result.failures["patient"].tolist() == ["b", "d"]
    assert result.failures["time"].tolist() == pytest.approx([0.5, 0.25], rel=1e-4)
    assert set(result.failures["status"]) <= {str(Status.STEP_UNDERFLOW), str(Status.NON_FINITE)}


def test_a_patient_who_fails_later_is_in_no_statistic_at_any_time():
    (table,) = reduce(chunks(), [Mean()]).tables
    assert table["n"].tolist() == [3, 3, 3]
    assert table["failed"].tolist() == [2, 2, 2]
    assert table["missing"].tolist() == [0, 0, 0]
    expected = np.mean([1.0 / (1.0 - p) for p in (0.1, 0.2, 0.05)])
    assert table["mean"].iloc[2] == pytest.approx(expected, rel=1e-6)


def test_solved_patients_without_a_value_are_counted_as_missing():
    times = np.tile(np.array(TIMES), (5, 1))
    times[0, 2] = np.nan
    (table,) = reduce(chunks(times=times), [Mean()]).tables
    assert table["n"].tolist() == [3, 3, 2]
    assert table["missing"].tolist() == [0, 0, 1]
    assert table["time"].tolist() == TIMES


def test_a_visit_at_a_time_of_each_patients_own_has_no_common_time():
    times = np.tile(np.array(TIMES), (5, 1))
    times[2, 1] = 0.05
    (table,) = reduce(chunks(times=times), [Mean()]).tables
    assert np.isnan(table["time"]).tolist() == [False, True, False]


def test_where_nobody_has_a_value_there_is_no_statistic():
    only = solve(POLE, SPEEDS.loc[["b"]], empty_schedule(), TIMES, ["x"])
    mean, quantiles, first = reduce([only], [Mean(), Quantiles((0.5,)), TimeToThreshold("x", 2.0)]).tables
    assert mean["n"].tolist() == [0, 0, 0]
    assert mean[["mean", "sd"]].isna().all(axis=None)
    assert quantiles["value"].isna().all()
    assert first["share"].isna().all()


def test_no_patients_give_tables_of_the_usual_shape():
    nobody = solve_chunks(POLE, SPEEDS.iloc[:0], empty_schedule(), TIMES, ["x"])
    result = reduce(nobody, [Mean(), Quantiles()])
    assert result.patients == 0
    assert len(result.failures) == 0
    assert [len(t) for t in result.tables] == [3, 9]


def test_one_patient_has_a_mean_and_no_standard_deviation():
    (table,) = reduce([solve(POLE, SPEEDS.loc[["a"]], empty_schedule(), TIMES, ["x"])], [Mean()]).tables
    assert table["mean"].iloc[0] == 1.0
    assert table["sd"].isna().all()


def test_equal_values_have_that_value_as_every_quantile():
    (table,) = reduce(chunks(), [Quantiles((0.0, 0.3, 1.0))]).tables
    assert table.loc[table["visit"] == 0, "value"].tolist() == [1.0, 1.0, 1.0]


def test_a_threshold_from_above_and_from_below():
    up, down = reduce(chunks(), [TimeToThreshold("x", 1.1), TimeToThreshold("x", 1.05, "at_most")]).tables
    assert up["first"].tolist() == [0, 0, 2]
    assert up["share"].iloc[-1] == pytest.approx(2 / 3)
    assert down["first"].tolist() == [3, 0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: reduce([], [Mean()]), "no chunk"),
        (lambda: reduce(chunks(), [TimeToThreshold("y", 1.0)]), "not recorded"),
        (lambda: reduce(chunks(times=[1.0, 0.1, 0.0]), [TimeToThreshold("x", 1.0)]), "times in order"),
        (lambda: reduce([*chunks(), *chunks(times=[0.0])], [Mean()]), "not alike"),
        (lambda: Quantiles((0.5, 1.1)), "not a level"),
        (lambda: Quantiles(relative_error=0.0), "not an error"),
    ],
)
def test_what_cannot_be_reduced_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
