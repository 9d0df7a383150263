"""A patient's numbers are the same bit for bit, whoever else is solved and however the work is cut."""

import importlib

import numpy as np
import pandas as pd
import pytest

from stromal.engine import Status, empty_schedule, load, solve

BATCH = importlib.import_module("stromal.engine.batch")
SYSTEM = load(
    """
    x = 1; y = 0.2; z = 0
    x' = a*x*(1 - x) - b*x^n*y/(K^n + x^n) + drug*exp(-q)
    y' = c*x*y - d*y*sqrt(1 + q)
    z' = piecewise(1, x > 0.5, 0) - e*z
    a = 0.8; b = 1.1; c = 0.9; d = 0.4; e = 0.3; K = 0.6; n = 2; q = 1.234567; drug = 0
    score := 10*x + log(1 + y)
    """
)
TIMES = np.linspace(0.0, 30.0, 7)
N = 30


def patients(n=N):
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "a": random.lognormal(0.0, 0.5, n),
            "n": random.choice([1.0, 2.0, 2.5, 1.5], n),
            "d": random.lognormal(-1.0, 0.4, n),
        },
        index=[f"p{i}" for i in range(n)],
    )


def actions(table):
    rows = []
    for k, name in enumerate(table.index):
        rows += [
            (name, 3.0 + k % 5, "set", "q", 0.2 + 0.1 * (k % 3)),
            (name, 5.0, "rate", "x", 0.1 * (k % 4)),
            (name, 10.0, "set", "n", 2.0),
            (name, 15.0, "bolus", "y", 0.3),
            (name, 20.0, "rate", "x", 0.0),
            (name, 25.0, "scale", "x", 0.5),
        ]
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])


def solved(table, schedule=None, times=TIMES, **options):
    schedule = actions(table) if schedule is None else schedule
    return solve(SYSTEM, table, schedule, times, SYSTEM.outputs, **options)


WHOLE = solved(patients())


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_neither_the_size_of_a_chunk_nor_the_number_of_threads_changes_a_bit(chunk, threads, monkeypatch):
    monkeypatch.setattr(BATCH, "CHUNK", chunk)
    result = solved(patients(), threads=threads)
    np.testing.assert_array_equal(result.values, WHOLE.values)
    np.testing.assert_array_equal(result.final.step, WHOLE.final.step)


@pytest.mark.parametrize("precision", ["double", "mixed"])
def test_strict_results_do_not_depend_on_the_width_of_the_lanes(precision):
    results = [solved(patients(), strict=True, width=w, precision=precision, rtol=1e-5, atol=1e-7) for w in (4, 8)]
    np.testing.assert_array_equal(results[0].values, results[1].values)
    np.testing.assert_array_equal(results[0].final.states, results[1].final.states)


def test_mixed_precision_is_bit_identical_for_any_order():
    table = patients()
    options = {"precision": "mixed", "rtol": 1e-4, "atol": 1e-6}
    whole, back = solved(table, **options), solved(table.iloc[::-1], actions(table), **options)
    np.testing.assert_array_equal(back.values[::-1], whole.values)


@pytest.mark.parametrize("rows", [[0], [29], [3, 14, 15], range(0, N, 2), range(N - 1, -1, -1)])
def test_any_subset_in_any_order_has_the_same_bits(rows):
    rows = list(rows)
    table = patients().iloc[rows]
    schedule = actions(patients())
    own = schedule[schedule["patient"].isin(table.index)]
    np.testing.assert_array_equal(solved(table, own).values, WHOLE.values[rows])


def test_giving_a_default_as_a_patients_own_value_changes_no_bit():
    table = patients()
    own = table.assign(**{k: v for k, v in SYSTEM.parameters.items() if k not in table})
    np.testing.assert_array_equal(solved(own, actions(table)).values, WHOLE.values)


@pytest.mark.parametrize("cut", [3, 5, 10, 15, 20, 25])
def test_two_solves_are_one_solve(cut):
    """The second knows from `final` which infusions run, which parameters were set, and the next step."""
    table, schedule = patients(), actions(patients())
    times = np.unique(np.append(TIMES, cut))
    whole = solved(table, schedule, times)
    first = solved(table, schedule[schedule["time"] < cut], times[times <= cut])
    second = solved(table, schedule[schedule["time"] >= cut], times[times > cut], start=first.final)
    both = np.concatenate([first.values, second.values], axis=1)
    np.testing.assert_array_equal(both, whole.values)
    for name in ("time", "step", "restart", "rejected", "restarting", "states", "rates"):
        np.testing.assert_array_equal(getattr(second.final, name), getattr(whole.final, name), err_msg=name)
    order = [second.final.slots.index(s) for s in whole.final.slots]
    np.testing.assert_array_equal(second.final.values[:, order], whole.final.values)


def test_some_patients_may_go_on_alone():
    table, schedule = patients(), actions(patients())
    first = solved(table, schedule[schedule["time"] <= 10.0], TIMES[TIMES <= 10.0], side="after")
    rows = [29, 2, 11]
    later = schedule[(schedule["time"] > 10.0) & schedule["patient"].isin(table.index[rows])]
    second = solved(table.iloc[rows], later, TIMES[TIMES > 10.0], start=first.final.take(rows))
    np.testing.assert_array_equal(second.values, WHOLE.values[rows][:, TIMES > 10.0])


BLOW_UP = load("x = 1\np = 1\nl = 1\nx' = p*x^2 + 0*log(l)\n")


def blow_up(**options):
    """Patient 1 has a pole at time 0.5 (1/x(0)p = 0.5), patient 3 a logarithm of a negative number."""
    table = pd.DataFrame({"p": [0.01, 2.0, 0.02, 0.01, -1.0], "l": [1.0, 1.0, 1.0, -1.0, 1.0]})
    return solve(BLOW_UP, table, empty_schedule(), [0.1, 1.0, 2.0], **options)


def test_a_patient_whose_solution_ends_gets_a_status_and_disturbs_nobody():
    result = blow_up()
    assert [str(s) for s in result.status] == ["ok", str(result.status[1]), "ok", "non_finite", "ok"]
    assert result.status[1] in (Status.STEP_UNDERFLOW, Status.NON_FINITE)
    assert np.isnan(result["x"]).tolist() == [[False] * 3, [False, True, True], [False] * 3, [True] * 3, [False] * 3]
    assert result["x"][1, 0] == pytest.approx(1.0 / 0.8, rel=1e-6)
    assert result.final.time[1] == pytest.approx(0.5, abs=1e-6)
    alone = solve(BLOW_UP, pd.DataFrame({"p": [0.01, 0.02, -1.0], "l": 1.0}), empty_schedule(), [0.1, 1.0, 2.0])
    np.testing.assert_array_equal(result.values[[0, 2, 4]], alone.values)


def test_a_patient_that_needs_too_many_steps_is_stopped_and_the_others_go_on():
    system = load("x = 1\nv = 0\nw = 1\nx' = w*v\nv' = -w*x\n")
    table = pd.DataFrame({"w": [1.0, 1e5, 2.0]})
    result = solve(system, table, empty_schedule(), [1.0], max_steps=300)
    assert [str(s) for s in result.status] == ["ok", "step_limit", "ok"]
    others = solve(system, table.iloc[[0, 2]], empty_schedule(), [1.0])
    np.testing.assert_array_equal(result.values[[0, 2]], others.values)
    assert np.isnan(result.values[1]).all()


def test_a_failed_patient_stays_failed_when_the_others_go_on():
    first = blow_up()
    table = pd.DataFrame({"p": [0.01, 2.0, 0.02, 0.01, -1.0], "l": [1.0, 1.0, 1.0, -1.0, 1.0]})
    second = solve(BLOW_UP, table, empty_schedule(), [3.0], start=first.final)
    assert list(second.status) == list(first.status)
    assert np.isnan(second["x"][:, 0]).tolist() == [False, True, False, True, False]
