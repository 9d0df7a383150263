"""Decisions on the way: one solve with the schedule that the decisions made has the same bits."""

import numpy as np
import pandas as pd
import pytest

from stromal.compute.errors import InputErrors
from stromal.engine import Final, empty_schedule, load, solve
from stromal.engine.decisions import Decision, solve_adaptive

SYSTEM = load(
    """
    model burden
    drug = 0; load = 1; scar = 0
    drug' = -k*drug
    load' = g*load*(1 - load/top) - kill*drug*load/(1 + drug)
    scar' = 0.05*load^n - 0.02*scar
    k = 0.7; g = 0.3; top = 8; kill = 1.2; n = 1.5
    total := load + 0.1*scar
    end
    """
)
OUTPUTS = ["load", "scar", "total"]
TIMES = np.linspace(0.0, 24.0, 9)
STOPS = np.array([4.0, 8.0, 15.0, 24.0])
N = 17


def patients(n=N):
    random = np.random.default_rng(8)
    drawn = {"g": random.lognormal(-1.2, 0.4, n), "k": random.lognormal(-0.4, 0.3, n)}
    return pd.DataFrame(drawn, index=[f"p{i}" for i in range(n)])


def plan(table):
    rows = [(p, t, "bolus", "drug", 0.5) for p in table.index for t in (0.0, 8.0, 20.0)]
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])


def stops_of_their_own(table):
    """Some stop later, some less often, one never."""
    stops = np.tile(STOPS, (len(table), 1)) + 0.1 * (np.arange(len(table)) % 4)[:, None]
    stops[np.arange(len(table)) % 5 == 1, 0] = np.nan
    stops[np.arange(len(table)) % 5 == 2, 1:3] = np.nan
    stops[np.arange(len(table)) % 7 == 6] = np.nan
    return stops


def actions(rows):
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"]) if rows else empty_schedule()


def dosing(stop, seen):
    """The dose follows the response."""
    return Decision(actions([(p, r["time"], "bolus", "drug", 0.4 * r["load"]) for p, r in seen.iterrows()]))


def rescue(stop, seen):
    """Who is above 2 gets an infusion from the next day for a day, and a parameter changes for good."""
    rows = []
    for p, r in seen[seen["load"] > 2.0].iterrows():
        rows += [(p, r["time"], "set", "kill", 1.5), (p, r["time"] + 1.0, "rate", "drug", 2.0)]
        rows += [(p, r["time"] + 2.0, "rate", "drug", 0.0)]
    return Decision(actions(rows))


def drop_out(stop, seen):
    """Who is above 3 leaves; the others go on as planned."""
    return Decision(leaving=list(seen.index[seen["load"] > 3.0]))


def everything(stop, seen):
    staying = seen[seen["load"] <= 5.0]
    more = pd.concat([dosing(stop, staying).actions, rescue(stop, staying).actions])
    return Decision(more, list(seen.index.difference(staying.index)))


CASES = [dosing, rescue, drop_out, everything]


def adaptive(table, decide, stops, **options):
    return solve_adaptive(SYSTEM, table, plan(table), TIMES, OUTPUTS, stops, decide, **options)


def in_one_go(table, result, stops, **options):
    """Without decisions: the schedule they made, and the stops as output times that end where a patient left."""
    left = result.left.to_numpy()[:, None]
    times = np.concatenate(
        [np.broadcast_to(TIMES, (len(table), len(TIMES))), np.broadcast_to(stops, (len(table), 4))], 1
    )
    times = np.where(times > left, np.nan, times)
    return solve(SYSTEM, table, result.schedule, times, OUTPUTS, **options)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("own", [False, True], ids=["stops of all", "stops of their own"])
@pytest.mark.parametrize("decide", CASES, ids=lambda f: f.__name__)
def test_an_adaptive_solve_is_one_solve_with_the_schedule_it_made(decide, own, side):
    table = patients()
    stops = stops_of_their_own(table) if own else STOPS
    result = adaptive(table, decide, stops, side=side)
    whole = in_one_go(table, result, stops, side=side)
    np.testing.assert_array_equal(result.trajectories.values, whole.values[:, : len(TIMES)])
    np.testing.assert_array_equal(result.trajectories.times, whole.times[:, : len(TIMES)])
    assert len(result.schedule) != len(plan(table))
    for name in ("time", "step", "rejected", "states", "rates", "status"):
        one, other = (getattr(t.final, name) for t in (result.trajectories, whole))
        np.testing.assert_array_equal(one, other, err_msg=name)
    final = result.trajectories.final
    order = [final.slots.index(s) for s in whole.final.slots]
    np.testing.assert_array_equal(final.values[:, order], whole.final.values)
    if side == "before":
        seen = result.seen.set_index(["patient", "stop"])
        for (patient, stop), row in seen.iterrows():
            at = table.index.get_loc(patient)
            np.testing.assert_array_equal(row[OUTPUTS].to_numpy(float), whole.values[at, len(TIMES) + stop])


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("decide", CASES, ids=lambda f: f.__name__)
def test_who_is_solved_together_changes_no_bit(decide, size):
    table = patients()
    stops = stops_of_their_own(table)
    whole = adaptive(table, decide, stops)
    for first in range(0, N, size):
        rows = slice(first, first + size)
        part = adaptive(table.iloc[rows], decide, stops[rows])
        np.testing.assert_array_equal(part.trajectories.values, whole.trajectories.values[rows])
        np.testing.assert_array_equal(part.left, whole.left.iloc[rows])


def test_each_stop_asks_once_for_all_who_stop_there_in_their_order():
    table, asked = patients(), []

    def note(stop, seen):
        asked.append((stop, list(seen.index), list(seen.columns), seen["time"].tolist()))
        return Decision()

    stops = stops_of_their_own(table)
    adaptive(table, note, stops)
    assert [a[0] for a in asked] == [0, 1, 2, 3]
    for stop, index, columns, times in asked:
        own = ~np.isnan(stops[:, stop])
        assert index == list(table.index[own])
        assert columns == ["time", *OUTPUTS]
        assert times == stops[own, stop].tolist()


def test_the_state_is_seen_before_what_is_given_at_that_time():
    table = patients(2)
    result = solve_adaptive(SYSTEM, table, plan(table), TIMES, ["drug"], [0.0], lambda *_: Decision(), side="after")
    assert result.seen["drug"].tolist() == [0.0, 0.0]
    assert result.trajectories["drug"][:, 0].tolist() == [0.5, 0.5]


def test_who_leaves_has_no_outputs_and_no_actions_afterwards():
    table = patients()
    result = adaptive(table, drop_out, STOPS)
    left = result.left.dropna()
    assert 0 < len(left) < N
    for patient, time in left.items():
        row = table.index.get_loc(patient)
        recorded = ~np.isnan(result.trajectories["load"][row])
        assert recorded.tolist() == (time >= TIMES).tolist()
        assert (result.schedule.loc[result.schedule["patient"] == patient, "time"] < time).all()
        assert result.trajectories.final.time[row] == time
        assert result.seen.loc[result.seen["patient"] == patient, "time"].max() == time


def test_a_response_dependent_dose_acts():
    table = patients()
    treated = adaptive(table, dosing, STOPS[:2]).trajectories
    untreated = adaptive(table, lambda *_: Decision(), STOPS[:2]).trajectories
    assert (treated["load"][:, -1] < untreated["load"][:, -1]).all()
    assert (treated["load"][:, TIMES <= 4.0] == untreated["load"][:, TIMES <= 4.0]).all()


def test_an_adaptive_solve_goes_on_from_where_another_ended():
    table = patients()
    stops = np.array([8.0, 15.0])
    whole = solve_adaptive(SYSTEM, table, plan(table), TIMES, OUTPUTS, stops, rescue)
    early, late = (plan(table).query(q) for q in ("time < 12", "time >= 12"))
    first = solve_adaptive(SYSTEM, table, early, TIMES[TIMES <= 12.0], OUTPUTS, stops[:1], rescue)
    assert isinstance(first.trajectories.final, Final)
    second = solve_adaptive(
        *(SYSTEM, table, late, TIMES[TIMES > 12.0], OUTPUTS, stops[1:], rescue), start=first.trajectories.final
    )
    both = np.concatenate([first.trajectories.values, second.trajectories.values], axis=1)
    np.testing.assert_array_equal(both, whole.trajectories.values)


def test_a_patient_whose_solve_failed_stops_no_more():
    pole = load("x = 1\np = 1\nx' = p*x^2\n")
    table = pd.DataFrame({"p": [0.1, 2.0]}, index=["well", "ill"])
    asked = []

    def note(stop, seen):
        asked.append(list(seen.index))
        return Decision()

    result = solve_adaptive(pole, table, empty_schedule(), [0.1, 3.0], ["x"], [0.25, 1.0, 2.0], note)
    assert asked == [["well", "ill"], ["well"], ["well"]]
    assert [str(s) == "ok" for s in result.trajectories.status] == [True, False]
    assert result.left.isna().all()


def test_without_stops_it_is_a_plain_solve():
    table = patients(3)
    result = adaptive(table, dosing, np.empty(0))
    plain = solve(SYSTEM, table, plan(table), TIMES, OUTPUTS)
    np.testing.assert_array_equal(result.trajectories.values, plain.values)
    assert len(result.seen) == 0


def at_first(rows=(), leaving=()):
    return lambda stop, _seen: Decision(actions(list(rows)), leaving) if stop == 0 else Decision()


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (at_first([("p0", 3.9, "bolus", "drug", 1.0)]), "a time before the stop: 3.9"),
        (at_first([("p0", np.nan, "bolus", "drug", 1.0)]), "a time before the stop: nan"),
        (at_first([("nobody", 5.0, "bolus", "drug", 1.0)]), "a patient who does not stop here: 'nobody'"),
        (at_first([("p0", 5.0, "bolus", "drug", 1.0)], ["p0"]), "an action for a patient who leaves: 'p0'"),
        (at_first([], ["p1", "nobody"]), "a patient leaves who does not stop here: 'nobody'"),
        (at_first([("p0", 5.0, "swallow", "drug", 1.0)]), "'swallow' cannot be used"),
        (at_first([("p0", 5.0, "bolus", "pill", 1.0)]), "'pill' cannot be used"),
        (lambda *_: Decision(pd.DataFrame({"patient": ["p0"]})), "columns .* are missing"),
    ],
)
def test_a_decision_that_cannot_be_followed_is_refused(decide, message):
    with pytest.raises(InputErrors) as refused:
        adaptive(patients(3), decide, STOPS)
    assert refused.match(message)


@pytest.mark.parametrize("stops", [[4.0, 4.0], [8.0, 4.0], [-1.0, 4.0], [4.0, np.inf], [8.0, np.nan, 4.0]])
def test_stops_out_of_order_or_before_the_start_are_refused(stops):
    with pytest.raises(InputErrors, match=r"decision_times\[0, \d\]"):
        adaptive(patients(3), dosing, stops)


def test_a_plan_that_cannot_be_used_is_refused_before_any_decision():
    def never(stop, seen):
        raise AssertionError(stop, seen)

    table = patients(3)
    for change in ({"time": -1.0}, {"time": np.nan}, {"patient": "nobody"}, {"target": "pill"}):
        with pytest.raises(InputErrors):
            solve_adaptive(SYSTEM, table, plan(table).assign(**change), TIMES, OUTPUTS, STOPS, never)
