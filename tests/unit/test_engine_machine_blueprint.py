"""What is the same for all patients, what is each one's own, and when conditions on time turn."""

import numpy as np
import pandas as pd
import pytest

from stromal.engine import load, solve
from stromal.engine.graph import symbols
from stromal.engine.machine.blueprint import MIDDLE, draw_blueprint, inflow

DRUG = """
    x = x0; x' = -k*x + piecewise(dose, (time >= start) && (time < stop), 0)
    k = 0.5; x0 = 2*k; dose = 3; start = 1; stop = start + 2; unused = 7
    level := x/k
"""


def blueprint(text, varying=(), scheduled=(), infused=(), outputs=()):
    return draw_blueprint(load(text), varying, scheduled, infused, outputs)


def switch_times(drawn, **symbols_):
    """Values of the times of switches (their formulas are sums, differences and quotients)."""
    numbers = {name: drawn.graph.constant(value) for name, value in symbols_.items()}
    return sorted(drawn.graph.substitute(node, numbers).value for node in drawn.switches)


def test_what_varies_is_the_patients_own_and_everything_else_that_is_used_is_shared():
    drawn = blueprint(DRUG, varying=["dose"], outputs=["level"])
    assert drawn.own == ("dose",)
    assert drawn.shared == ("k", "start")
    assert drawn.states == ("x",)
    assert drawn.changing == drawn.computed == ()


def test_what_the_schedule_sets_is_own_and_changing_and_what_followed_from_it_at_the_start_keeps_its_value():
    drawn = blueprint(DRUG, scheduled=["start"])
    assert set(drawn.changing) == {"start", "stop"}
    assert drawn.computed == ("stop",)
    assert drawn.own == ("start", "stop")


def test_a_parameter_that_follows_from_others_follows_a_patients_own_value_until_it_is_given_itself():
    assert "stop" not in blueprint(DRUG, varying=["start"]).own
    assert blueprint(DRUG, varying=["start", "stop"]).own == ("start", "stop")


def test_an_infusion_is_an_own_quantity_that_is_no_part_of_the_rate():
    drawn = blueprint(DRUG, infused=["x"])
    assert drawn.own == (inflow("x"),)
    assert drawn.inflows == {0: drawn.graph.symbol(inflow("x"))}
    assert inflow("x") not in symbols(drawn.rates)


def test_conditions_on_time_turn_at_their_times_and_are_decided_by_the_middle_of_the_step():
    drawn = blueprint(DRUG)
    assert switch_times(drawn, start=1.0) == [1.0, 3.0]
    assert MIDDLE in symbols(drawn.rates)
    assert "time" not in symbols(drawn.rates)
    assert drawn.uses_time


@pytest.mark.parametrize(
    "condition, times",
    [
        ("time > 4", [4.0]),
        ("2*time - 3 >= time/2", [2.0]),
        ("5 < a - time", [1.0]),
        ("time*a > 12", [2.0]),
        ("time^2 > 4", []),
        ("time > x", []),
        ("a > 5", []),
    ],
)
def test_only_conditions_that_compare_time_linearly_are_switches(condition, times):
    drawn = blueprint(f"x = 1; x' = piecewise(1, {condition}, 0); a = 6\n")
    assert switch_times(drawn, a=6.0) == times
    assert (MIDDLE in symbols(drawn.rates)) == bool(times)


@pytest.mark.parametrize(
    "trigger, searches", [("time > 3", False), ("x > 3", True), ("time^2 > 3", True), ("(time > 1) && (k > 2)", False)]
)
def test_only_triggers_that_no_switch_announces_are_searched(trigger, searches):
    assert blueprint(f"x = 0; x' = 1; k = 1; n = 0; at {trigger}: n = 1\n").searches == searches


def test_what_an_event_assigns_is_the_patients_own():
    drawn = blueprint("x = 0; x' = k; k = 1; m = 2; at x > 3: k = m\n")
    assert drawn.own == drawn.changing == ("k",)
    assert drawn.shared == ("m",)


def test_every_patient_switches_at_a_time_of_its_own():
    """x' = 3 between start and start + 2, else 0 (no decay): 6 is gained, wherever the outputs are."""
    starts = np.array([0.0, 0.3, 1.7, 4.99])
    table = pd.DataFrame({"start": starts, "k": 0.0, "x0": 1.0})
    schedule = pd.DataFrame({"patient": [], "time": [], "kind": [], "target": [], "amount": []})
    times = np.array([0.5, 1.0, 2.0, 5.0, 9.0])
    x = solve(load(DRUG), table, schedule.astype({"kind": str, "target": str}), times, ["x"])["x"]
    gained = 3.0 * np.clip(times - starts[:, None], 0.0, 2.0)
    np.testing.assert_allclose(x, 1.0 + gained, rtol=1e-12)


def test_a_schedule_that_sets_a_source_does_not_move_what_followed_from_it_at_the_start():
    """SBML: an initial assignment holds at the start only. Here stop = start + 2 = 3 stays, and start moves to 2."""
    schedule = pd.DataFrame([(0, 0.5, "set", "start", 2.0)], columns=["patient", "time", "kind", "target", "amount"])
    table = pd.DataFrame({"k": [0.0], "x0": [1.0]})
    result = solve(load(DRUG), table, schedule, [1.5, 2.5, 9.0], ["x", "start", "stop"])
    np.testing.assert_allclose(result.values[0], [[1.0, 2.0, 3.0], [2.5, 2.0, 3.0], [4.0, 2.0, 3.0]], rtol=1e-12)


def test_a_computed_quantity_starts_from_each_patients_own_source():
    schedule = pd.DataFrame([(1, 0.5, "set", "k", 9.0)], columns=["patient", "time", "kind", "target", "amount"])
    text = "x = 0; x' = 0; k = 1; twice = 2*k; four = 2*twice\n"
    result = solve(load(text), pd.DataFrame({"k": [3.0, 5.0]}), schedule, [0.0, 1.0], ["k", "twice", "four"])
    assert result.values.tolist() == [[[3, 6, 12]] * 2, [[5, 10, 20], [9, 10, 20]]]
