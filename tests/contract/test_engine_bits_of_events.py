"""Bit for bit the same results with events and delays, whoever else is solved and however the work is cut."""

import importlib

import numpy as np
import pandas as pd
import pytest

from stromal.engine import load, solve

BATCH = importlib.import_module("stromal.engine.batch")
SYSTEM = load(
    """
    x = 1; y = 0; n = 0; m = 0; relief = 0
    x' = a*x*(1 - x/K) - relief*x
    y' = x - b*y
    a = 0.9; b = 0.4; K = 4; wait = 1.5
    at x > 2.2: relief = 2.5, n = n + 1
    at x < 0.8: relief = 0
    at wait after y > 1.1, fromTrigger=false: y = y*0.8, m = m + 1
    at wait + 4 after time > 3: x = x + 0.3
    """
)
TIMES = np.linspace(0.0, 24.0, 9)
N = 40


def patients():
    random = np.random.default_rng(8)
    table = {
        "a": random.lognormal(0.0, 0.3, N),
        "b": random.lognormal(-1.0, 0.2, N),
        "wait": random.uniform(0.0, 3.0, N),
    }
    return pd.DataFrame(table, index=[f"p{i}" for i in range(N)])


def actions(table):
    rows = [(p, 2.0 + k % 7, "bolus", "x", 0.2) for k, p in enumerate(table.index)]
    rows += [(p, 6.5, "set", "K", 3.0 + k % 3) for k, p in enumerate(table.index)]
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])


def solved(table, schedule=None, times=TIMES, **options):
    schedule = actions(table) if schedule is None else schedule
    return solve(SYSTEM, table, schedule, times, SYSTEM.outputs, **options)


WHOLE = solved(patients())


def test_events_of_every_kind_do_happen_in_these_patients():
    assert (WHOLE["n"][:, -1] >= 1).all()
    assert (WHOLE["m"][:, -1] >= 1).any()
    assert set(WHOLE.status) == {"ok"}


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_permuted_patients_threads_and_chunks_change_no_bit(threads, chunk, monkeypatch):
    monkeypatch.setattr(BATCH, "CHUNK", chunk)
    order = np.random.default_rng(chunk).permutation(N)
    schedule = actions(patients()).sample(frac=1.0, random_state=chunk)
    result = solved(patients().iloc[order], schedule, threads=threads)
    np.testing.assert_array_equal(result.values, WHOLE.values[order])
    np.testing.assert_array_equal(result.final.states, WHOLE.final.states[order])
    np.testing.assert_array_equal(result.final.step, WHOLE.final.step[order])


def test_strict_results_do_not_depend_on_the_width_of_the_lanes():
    four, eight = (solved(patients(), strict=True, width=width) for width in (4, 8))
    np.testing.assert_array_equal(four.values, eight.values)


def test_an_infusion_to_one_patient_changes_no_bit_of_the_others():
    table = patients()
    infusion = [("p7", 5.0, "rate", "x", 0.5), ("p7", 9.0, "rate", "x", 0.0)]
    schedule = pd.concat([actions(table), pd.DataFrame(infusion, columns=actions(table).columns)], ignore_index=True)
    result = solved(table, schedule)
    others = table.index != "p7"
    np.testing.assert_array_equal(result.values[others], WHOLE.values[others])
    assert not np.array_equal(result.values[~others], WHOLE.values[~others])


@pytest.mark.parametrize("cut", [3.0, 6.0, 6.5, 12.0])
def test_two_solves_are_one_solve_with_events_pending_across_the_cut(cut):
    table, schedule = patients(), actions(patients())
    times = np.unique(np.append(TIMES, cut))
    whole = solved(table, schedule, times)
    first = solved(table, schedule[schedule["time"] < cut], times[times <= cut])
    assert (first.final.queue.pending > 0).any()
    second = solved(table, schedule[schedule["time"] >= cut], times[times > cut], start=first.final)
    np.testing.assert_array_equal(np.concatenate([first.values, second.values], axis=1), whole.values)
    for name in ("time", "step", "restart", "rejected", "restarting", "states"):
        np.testing.assert_array_equal(getattr(second.final, name), getattr(whole.final, name), err_msg=name)
    for name in ("triggers", "pending"):
        np.testing.assert_array_equal(getattr(second.final.queue, name), getattr(whole.final.queue, name), err_msg=name)
