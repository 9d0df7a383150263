"""Solutions known in closed form: growth, decay, and every kind of scheduled action."""

import numpy as np
import pandas as pd
import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.engine import Status, empty_schedule, load, solve
from stromal.engine.machine.tableau import RODAS5, RODAS5P

DECAY = load("x = 2\nk = 0.4\nx' = -k*x\n")
LOGISTIC = load("x = 0.1\nr = 0.9\nK = 5\nx' = r*x*(1 - x/K)\n")
TIMES = np.linspace(0.0, 10.0, 11)
TIGHT = {"rtol": 1e-10, "atol": 1e-13}


def schedule(*rows):
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])


def solved(system, *rows, times=TIMES, patients=1, **options):
    table = pd.DataFrame(index=range(patients))
    actions = schedule(*rows) if rows else empty_schedule()
    return solve(system, table, actions, times, **(TIGHT | options))


def test_exponential_decay_of_many_patients_each_with_a_rate_of_its_own():
    k = np.geomspace(0.01, 20.0, 25)
    result = solve(DECAY, pd.DataFrame({"k": k}), empty_schedule(), TIMES, **TIGHT)
    np.testing.assert_allclose(result["x"], 2.0 * np.exp(-k[:, None] * TIMES), rtol=1e-7, atol=1e-11)
    assert set(result.status) == {Status.OK}


def test_logistic_growth():
    x = solved(LOGISTIC)["x"][0]
    np.testing.assert_allclose(x, 5.0 / (1.0 + (5.0 / 0.1 - 1.0) * np.exp(-0.9 * TIMES)), rtol=1e-8)


def test_an_oscillator_comes_back_after_many_periods():
    system = load("x = 1\nv = 0\nx' = v\nv' = -x\n")
    end = solved(system, times=[20.0 * np.pi]).values[0, 0]
    np.testing.assert_allclose(end, [1.0, 0.0], atol=1e-7)


def test_an_infusion_runs_from_its_rate_to_the_next_rate():
    """x' = -k x + u with u = 3 on [2, 5): the solution is piecewise exponential."""
    x = solved(DECAY, (0, 2.0, "rate", "x", 3.0), (0, 5.0, "rate", "x", 0.0))["x"][0]

    def flow(start, time, inflow):
        return inflow / 0.4 + (start - inflow / 0.4) * np.exp(-0.4 * time)

    at_2 = flow(2.0, 2.0, 0.0)
    at_5 = flow(at_2, 3.0, 3.0)
    expected = [
        flow(2.0, t, 0.0) if t <= 2 else flow(at_2, t - 2, 3.0) if t <= 5 else flow(at_5, t - 5, 0.0) for t in TIMES
    ]
    np.testing.assert_allclose(x, expected, rtol=1e-9)


def test_a_new_rate_replaces_the_old_one():
    x = solved(load("x = 0\nx' = 0\n"), (0, 0.0, "rate", "x", 3.0), (0, 4.0, "rate", "x", 1.0))["x"][0]
    np.testing.assert_allclose(x[[4, 10]], [12.0, 18.0], rtol=1e-12)


def test_a_bolus_adds_a_scale_multiplies_and_a_set_changes_the_parameter_from_then_on():
    actions = [(0, 2.0, "bolus", "x", 5.0), (0, 4.0, "scale", "x", 0.25), (0, 6.0, "set", "k", 0.0)]
    x = solved(DECAY, *actions)["x"][0]
    at_2 = 2.0 * np.exp(-0.8)
    at_4 = (at_2 + 5.0) * np.exp(-0.8)
    at_6 = at_4 / 4.0 * np.exp(-0.8)
    np.testing.assert_allclose(x[[2, 4, 6, 8, 10]], [at_2, at_4, at_6, at_6, at_6], rtol=1e-9)


def test_actions_of_one_time_apply_in_the_order_of_their_rows():
    add, double = (0, 3.0, "bolus", "x", 1.0), (0, 3.0, "scale", "x", 2.0)
    still = load("x = 2\nx' = 0\n")
    assert solved(still, add, double)["x"][0, -1] == 6.0
    assert solved(still, double, add)["x"][0, -1] == 5.0


def test_actions_apply_in_the_order_of_time_whatever_the_order_of_rows():
    late, early = (0, 3.0, "scale", "x", 2.0), (0, 1.0, "bolus", "x", 1.0)
    still = load("x = 2\nx' = 0\n")
    assert solved(still, late, early)["x"][0].tolist() == [2, 2, 3, 3, 6, 6, 6, 6, 6, 6, 6]


def test_outputs_see_the_state_before_or_after_the_actions_of_their_time():
    still = load("x = 2\nk = 7\nx' = 0\n")
    actions = [(0, 0.0, "bolus", "x", 1.0), (0, 3.0, "bolus", "x", 10.0), (0, 3.0, "set", "k", 8.0)]
    before = solved(still, *actions, outputs=["x", "k"], times=[0.0, 3.0, 4.0])
    after = solved(still, *actions, outputs=["x", "k"], times=[0.0, 3.0, 4.0], side="after")
    assert before.values[0].tolist() == [[2.0, 7.0], [3.0, 7.0], [13.0, 8.0]]
    assert after.values[0].tolist() == [[3.0, 7.0], [13.0, 8.0], [13.0, 8.0]]


def test_an_action_is_felt_by_its_patient_only():
    actions = [(0, 2.0, "bolus", "x", 5.0), (1, 2.0, "set", "k", 0.0), (2, 2.0, "rate", "x", 1.0)]
    result = solved(DECAY, *actions, patients=4)["x"]
    np.testing.assert_allclose(result[3], 2.0 * np.exp(-0.4 * TIMES), rtol=1e-8)
    assert len({*result[:, -1]}) == 4


def test_each_patient_has_output_times_of_its_own_and_none_where_they_are_nan():
    times = np.array([[1.0, 2.0, np.nan], [4.0, np.nan, 0.5]])
    x = solved(DECAY, patients=2, times=times)["x"]
    np.testing.assert_allclose(x, 2.0 * np.exp(-0.4 * times), rtol=1e-8)
    assert np.isnan(x).tolist() == [[False, False, True], [False, True, False]]


def test_a_solve_may_begin_at_any_time():
    system = load("x = 0\nx' = 2*time\n")
    assert solved(system, times=[3.0, 5.0], begin=3.0)["x"][0] == pytest.approx([0.0, 16.0], rel=1e-9)


def test_no_patients_and_no_states_are_no_special_case():
    assert solved(DECAY, patients=0).values.shape == (0, 11, 1)
    nothing = load("k = 3\ny := 2*k\n")
    assert solved(nothing, outputs=["y"], times=[0.0, 9.0]).values[0, :, 0].tolist() == [6.0, 6.0]


def test_the_error_follows_the_tolerance():
    exact = 5.0 / (1.0 + (5.0 / 0.1 - 1.0) * np.exp(-0.9 * TIMES))
    errors = [
        np.abs(solved(LOGISTIC, rtol=rtol, atol=rtol * 1e-3)["x"][0] / exact - 1.0).max()
        for rtol in (1e-4, 1e-6, 1e-8, 1e-10)
    ]
    assert all(error < 20.0 * rtol for error, rtol in zip(errors, (1e-4, 1e-6, 1e-8, 1e-10), strict=True))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("tableau", [RODAS5P, RODAS5], ids=lambda t: t.name)
@pytest.mark.parametrize("stiffness", [0.0, -3.0])
def test_halving_the_step_divides_the_error_by_two_to_the_fifth(tableau, stiffness):
    """``y' = s (y - sin t) + cos t`` from the written-out scheme: checks every coefficient, those of time included."""

    def error_after(steps):
        y, t, h = 0.3, 0.0, 3.0 / steps
        for _ in range(steps):
            y, t = rosenbrock_step(tableau, y, t, h, stiffness), t + h
        return abs(y - np.sin(t) - 0.3 * np.exp(stiffness * t))

    steps = np.array([10, 20, 40, 80])
    order = -np.polyfit(np.log(steps), np.log([error_after(n) for n in steps]), 1)[0]
    assert 4.7 < order < 5.6


def rosenbrock_step(tableau, y, t, h, s):
    """One step of a Rosenbrock method for ``y' = s (y - sin t) + cos t``, as `tableau` writes it down."""
    stages, value = [], y
    by_time = -s * np.cos(t) - np.sin(t)
    for i in range(tableau.stages):
        if i < len(tableau.a):
            value = y + sum(a * u for a, u in zip(tableau.a[i], stages, strict=True))
        else:
            value += stages[-1]
        at = t + tableau.nodes[i] * h
        right = s * (value - np.sin(at)) + np.cos(at) + tableau.time_weights[i] * h * by_time
        right += sum(c * u for c, u in zip(tableau.c[i], stages, strict=True)) / h
        stages.append(right / (1.0 / (tableau.g * h) - s))
    return value + stages[-1]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ((9, 1.0, "bolus", "x", 1.0), "patient"),
        ((0, 1.0, "push", "x", 1.0), "kind"),
        ((0, 1.0, "bolus", "k", 1.0), "target"),
        ((0, 1.0, "set", "x", 1.0), "target"),
        ((0, -1.0, "bolus", "x", 1.0), "time"),
        ((0, np.nan, "bolus", "x", 1.0), "time"),
        ((0, 1.0, "bolus", "x", np.inf), "amount"),
    ],
)
def test_a_schedule_that_cannot_be_used_is_refused_with_its_row(row, place):
    with pytest.raises(InputErrors, match=rf"schedule row 1, {place}: .*write instead: \S"):
        solved(DECAY, (0, 1.0, "bolus", "x", 1.0), row)


def test_a_schedule_without_its_columns_is_refused():
    with pytest.raises(InputErrors, match=r"patient.*write instead: the columns patient, time"):
        solve(DECAY, pd.DataFrame(index=[0]), pd.DataFrame({"time": [1.0]}), [1.0])


@pytest.mark.parametrize("time", [-1.0, np.inf])
def test_an_output_before_the_start_or_never_is_refused(time):
    with pytest.raises(InputErrors, match=r"output_times\[0, 1\]"):
        solved(DECAY, times=[1.0, time])


@pytest.mark.parametrize(
    ("parameters", "outputs", "what"),
    [
        (pd.DataFrame({"ghost": [1.0]}), ["x"], "ghost"),
        (pd.DataFrame({"k": [1.0]}), ["ghost"], "ghost"),
        (pd.DataFrame(index=[0, 0]), ["x"], "twice"),
    ],
)
def test_unknown_names_and_repeated_patients_are_refused(parameters, outputs, what):
    with pytest.raises(InputError, match=f"{what}.*write instead"):
        solve(DECAY, parameters, empty_schedule(), [1.0], outputs)


def test_trajectories_carry_names_times_and_statuses_to_xarray():
    array = solved(LOGISTIC, patients=2, outputs=["x", "r"]).to_xarray()
    assert array.dims == ("patient", "visit", "output")
    assert array.sel(patient=1, output="r").to_numpy().tolist() == [0.9] * 11
    assert array["time"].sel(patient=0).to_numpy().tolist() == TIMES.tolist()
    assert array["status"].to_numpy().tolist() == ["ok", "ok"]
