"""The reference path: schedules, events, and going on from a moment."""

import math

import numpy as np
import pytest

from stromal.compute.errors import InputError
from stromal.engine import load
from stromal.engine.reference import Action, solve_one

DECAY = "A = 8; A' = -k*A; k = 0.5\n"


def course(text, times, outputs=("A",), actions=(), **options):
    result = solve_one(load(text), {}, [Action(*a) for a in actions], times, outputs, **options)
    assert result.status == "ok", result.cause
    return result.values[:, 0]


def test_outputs_are_recorded_before_the_actions_of_their_time_unless_asked_otherwise():
    actions = [(1.0, "bolus", "A", 2.0), (1.0, "scale", "A", 3.0)]
    before, after = 8.0 * math.exp(-0.5), 3.0 * (8.0 * math.exp(-0.5) + 2.0)
    assert course(DECAY, [1.0], actions=actions)[0] == pytest.approx(before, rel=1e-7)
    assert course(DECAY, [1.0], actions=actions, side="after")[0] == pytest.approx(after, rel=1e-7)


def test_a_rate_flows_until_the_next_rate_and_a_set_parameter_stays_set():
    actions = [(0.0, "rate", "A", 4.0), (0.0, "set", "k", 0.0), (2.0, "rate", "A", 0.0)]
    assert course(DECAY, [2.0, 5.0], actions=actions) == pytest.approx([16.0, 16.0], rel=1e-9)


def test_a_trigger_is_found_where_the_state_crosses_it():
    text = DECAY + "n = 0; at A < 3: n = time\n"
    assert course(text, [10.0], ["n"])[0] == pytest.approx(math.log(8.0 / 3.0) / 0.5, rel=1e-8)


@pytest.mark.parametrize("sign, at_once", [(">=", 1.0), (">", 0.0)])
def test_a_condition_on_time_is_met_exactly(sign, at_once):
    text = f"n = 0; A = 1; A' = 0; at time {sign} 5: n = n + 1\n"
    just_after = math.nextafter(5.0, 6.0)
    assert course(text, [4.999, 5.0, just_after], ["n"]).tolist() == [0.0, at_once, 1.0]


def test_a_delayed_event_assigns_the_values_of_its_trigger_or_of_its_time_as_it_says():
    text = "A = 0; A' = 1; n = 0; at 2 after A > 1{}: n = A\n"
    assert course(text.format(""), [4.0], ["n"])[0] == pytest.approx(1.0, rel=1e-8)
    assert course(text.format(", fromTrigger=false"), [4.0], ["n"])[0] == pytest.approx(3.0, rel=1e-8)


@pytest.mark.parametrize("persistent, happened", [("true", 1.0), ("false", 0.0)])
def test_only_a_persistent_event_survives_the_end_of_its_trigger(persistent, happened):
    text = f"A = 0; A' = 1; n = 0; at 2 after (A > 1) && (A < 2), persistent={persistent}: n = 1\n"
    assert course(text, [5.0], ["n"])[0] == happened


@pytest.mark.parametrize("before, happened", [("true", 0.0), ("false", 1.0)])
def test_a_trigger_that_holds_at_the_start_counts_if_it_was_false_before(before, happened):
    text = f"A = 1; A' = 0; n = 0; at A > 0, t0={before}: n = 1\n"
    assert course(text, [0.0], ["n"])[0] == happened


def test_the_event_of_higher_priority_goes_first():
    text = "n = 1; at time >= 1, priority=1: n = n + 1\nat time >= 1, priority=2, fromTrigger=false: n = n*10\n"
    text = text.replace("priority=1:", "priority=1, fromTrigger=false:")
    assert course(text, [1.0], ["n"])[0] == 11.0


def test_events_trigger_events():
    text = "n = 0; m = 0; at time >= 1: n = 1\nat n > 0: m = n + 1\n"
    assert course(text, [1.0], ["m"])[0] == 2.0


def test_events_that_trigger_each_other_without_end_are_a_failure_with_a_cause():
    text = "n = 0; at n < 1, t0=false: n = 1\nat n > 0: n = 0\n"
    result = solve_one(load(text), {}, [], [0.0, 1.0], ["n"])
    assert result.status == "step_limit"
    assert "without end" in result.cause
    assert np.isnan(result.values).all()


def test_going_on_from_a_moment_equals_one_solve():
    text = DECAY + "at 3 after A < 4: A = A + 10\n"
    whole = course(text, [1.0, 4.0, 6.0])
    first = solve_one(load(text), {}, [Action(0.5, "rate", "A", 0.25)], [2.0], ["A"])
    assert first.end.waiting
    second = solve_one(load(text), {}, [], [4.0, 6.0], ["A"], start=first.end)
    at_once = course(text, [4.0, 6.0], actions=[(0.5, "rate", "A", 0.25)])
    assert second.values[:, 0] == pytest.approx(at_once, rel=1e-7)
    assert not np.allclose(at_once, whole[1:], rtol=1e-3)


def test_a_state_that_grows_beyond_all_numbers_is_a_failure_with_its_time():
    result = solve_one(load("A = 1; A' = A^2\n"), {}, [], [0.5, 2.0], ["A"])
    assert result.status != "ok"
    assert result.values[0, 0] == pytest.approx(2.0, rel=1e-7)
    assert np.isnan(result.values[1, 0])
    assert result.end.time == pytest.approx(1.0, abs=1e-3)


def test_times_before_the_start_are_refused():
    with pytest.raises(InputError, match="before the start"):
        solve_one(load(DECAY), {}, [], [1.0], ["A"], begin=2.0)


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau", "RK45", "DOP853"])
def test_every_method_gives_the_same(method):
    assert course(DECAY, [3.0], method=method)[0] == pytest.approx(8.0 * math.exp(-1.5), rel=1e-6)
