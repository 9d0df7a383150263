"""Reducers: the chunks a stream is cut into change no bit, and results agree with NumPy on all values at once."""

import tracemalloc
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromal.engine import Status, Trajectories
from stromal.engine.quantiles import Quantiles
from stromal.engine.reducers import Mean, TimeToThreshold, reduce

TIMES = np.array([0.0, 1.0, 2.5])
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
MODERATE = st.floats(-1e6, 1e6)
REDUCERS = (Mean(), Quantiles((0.0, 0.1, 0.5, 1.0)), TimeToThreshold("a", 0.5), TimeToThreshold("b", 0.0, "at_most"))


def trajectories(values, status=None, times=TIMES, first=0):
    values = np.asarray(values, dtype=float)
    n = len(values)
    status = np.full(n, Status.OK, dtype=object) if status is None else np.asarray(status, dtype=object)
    final = SimpleNamespace(time=np.full(n, 1.5), culprit=np.full(n, ""))  # all that a reducer asks of it
    every = np.broadcast_to(times, (n, len(times))).copy()
    return Trajectories(pd.RangeIndex(first, first + n), every, ("a", "b"), values, status, final)


def cut(values, status, sizes):
    """The stream in chunks of the given sizes, then the rest."""
    edges = np.unique(np.clip(np.cumsum([0, *sizes, len(values)]), 0, len(values)))
    for low, high in pairwise(edges):
        yield trajectories(values[low:high], status[low:high], first=low)


def stream(seed, n):
    """Values over many decades, some missing, some of patients who failed."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, 3, 2)) * 10.0 ** random.integers(-9, 9, size=(n, 3, 2))
    values[random.random(values.shape) < 0.05] = np.nan
    status = np.where(random.random(n) < 0.03, Status.STEP_LIMIT, Status.OK).astype(object)
    return values, status


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.integers(1, 5000),
    st.lists(st.integers(1, 2500), max_size=12),
)
def test_chunks_of_any_sizes_give_the_same_bits(seed, n, sizes):
    values, status = stream(seed, n)
    whole = reduce(cut(values, status, []), REDUCERS)
    pieces = reduce(cut(values, status, sizes), REDUCERS)
    assert pieces.patients == whole.patients == n
    pd.testing.assert_series_equal(pieces.statuses, whole.statuses)
    pd.testing.assert_frame_equal(pieces.failures, whole.failures)
    for one, other in zip(pieces.tables, whole.tables, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_chunks_of_one_patient_give_the_same_bits():
    values, status = stream(3, 2500)
    whole = reduce(cut(values, status, []), REDUCERS)
    singly = reduce(cut(values, status, [1] * 2500), REDUCERS)
    for one, other in zip(singly.tables, whole.tables, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_the_layout_in_memory_changes_no_bit():
    """The engine records outputs outermost; a chunk that was cut or copied may lie otherwise."""
    values, status = stream(4, 3000)
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(values, 2, 0)), 0, 2)
    (one,), (other,) = (reduce([trajectories(v, status)], [Mean()]).tables for v in (values, turned))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@settings(max_examples=40)
@given(st.lists(st.tuples(MODERATE, MODERATE), min_size=2, max_size=60))
def test_mean_and_standard_deviation_are_those_of_numpy(pairs):
    values = np.repeat(np.array(pairs)[:, None, :], 3, axis=1)
    (table,) = reduce([trajectories(values)], [Mean()]).tables
    for k, output in enumerate("ab"):
        row = table[(table["output"] == output) & (table["visit"] == 2)].iloc[0]
        expected = values[:, 2, k]
        scale = np.abs(expected).max()
        assert row["mean"] == pytest.approx(expected.mean(), rel=1e-12, abs=1e-13 * scale)
        assert row["sd"] == pytest.approx(expected.std(ddof=1), rel=1e-9, abs=1e-13 * scale)


def test_a_small_spread_around_a_large_mean_is_not_lost():
    random = np.random.default_rng(0)
    values = 1e9 + random.normal(size=(5000, 3, 2))
    (table,) = reduce(cut(values, np.full(5000, Status.OK, dtype=object), [700, 900]), [Mean()]).tables
    exact = values - 1e9  # without rounding, as both are near
    np.testing.assert_allclose(table["mean"] - 1e9, exact.mean(axis=0).T.ravel(), atol=2e-7)
    np.testing.assert_allclose(table["sd"], exact.std(axis=0, ddof=1).T.ravel(), rtol=1e-9)


def within(value, true, error):
    return abs(value - true) <= max(error * abs(true), np.finfo(float).tiny)


@settings(max_examples=100)
@given(
    st.lists(FINITE, min_size=1, max_size=50),
    st.sampled_from([0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0]),
    st.sampled_from([0.25, 0.1, 0.004, 1e-3, 1e-6]),
)
def test_a_quantile_lies_within_its_relative_error(numbers, level, error):
    """Negative numbers, zeros, the largest and the smallest doubles among them."""
    values = np.repeat(np.array(numbers)[:, None], 6, axis=1).reshape(-1, 3, 2)
    (table,) = reduce([trajectories(values)], [Quantiles((level,), error)]).tables
    true = np.quantile(numbers, level, method="inverted_cdf")
    assert len(table) == 6
    assert all(within(value, true, error) for value in table["value"])


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_quantiles_do_not_depend_on_the_order_of_the_patients(seed, random):
    values, status = stream(seed, 300)
    order = list(range(300))
    random.shuffle(order)
    one, other = (
        reduce([trajectories(values[rows], status[rows])], [Quantiles()]).tables[0] for rows in (slice(None), order)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_quantiles_of_many_patients_are_those_of_numpy_within_the_error():
    values, status = stream(11, 20_000)
    (table,) = reduce(cut(values, status, [4096] * 4), [Quantiles((0.05, 0.5, 0.95), 1e-3)]).tables
    ok = status == Status.OK
    for _, row in table.iterrows():
        own = values[ok][:, row["visit"], "ab".index(row["output"])]
        true = np.quantile(own[np.isfinite(own)], row["level"], method="inverted_cdf")
        assert within(row["value"], true, 1e-3)


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([np.nan, 0.0, 1.0, 2.0]), min_size=3, max_size=3), min_size=1, max_size=30),
    st.sampled_from(["at_least", "at_most"]),
)
def test_the_first_time_at_a_threshold_is_found_for_each_patient(courses, direction):
    values = np.repeat(np.array(courses)[:, :, None], 2, axis=2)
    (table,) = reduce([trajectories(values)], [TimeToThreshold("a", 1.0, direction)]).tables
    expected = [0, 0, 0]
    for course in courses:
        there = [v >= 1.0 if direction == "at_least" else v <= 1.0 for v in course]
        if any(there):
            expected[there.index(True)] += 1
    assert table["first"].tolist() == expected
    assert table["reached"].tolist() == np.cumsum(expected).tolist()
    assert table["share"].iloc[-1] == pytest.approx(sum(expected) / len(courses))


def peak_memory(n):
    """Most memory that Python and NumPy hold while `n` patients pass in chunks of 512 [bytes]."""
    grid = np.exp(np.linspace(-3.0, 3.0, 512))[:, None, None] * np.ones((1, 3, 2))

    def chunks():
        for first in range(0, n, 512):
            yield trajectories(grid, first=first)

    tracemalloc.start()
    result = reduce(chunks(), [Mean(), Quantiles(), TimeToThreshold("a", 0.5)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.patients == n
    return peak


def test_memory_does_not_grow_with_the_number_of_patients(monkeypatch):
    monkeypatch.setattr("stromal.engine.quantiles._PENDING", 4096)  # a buffer of fixed size, soon full
    peak_memory(1024)  # what is made once and kept
    assert peak_memory(65_536) < 1.2 * peak_memory(4096)
