"""Chunks: no number depends on where they are cut, nothing is drawn before its time, and a file is whole or absent."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import stromal
from stromal.compute.errors import InputError, InputErrors
from stromal.engine import Status, empty_schedule, load, solve
from stromal.engine.ensemble import solve_chunks
from stromal.engine.parquet import METADATA, write_parquet
from stromal.engine.quantiles import Quantiles
from stromal.engine.reducers import Mean, TimeToThreshold, reduce

SYSTEM = load(
    """
    model growth
    unit time_unit = 86400 second
    x = 1; y = 0.2; drug = 0; q = 1
    x' = a*x*(1 - x/3) - q*drug*x
    y' = x - y
    drug' = -drug
    a = 0.5
    ratio := y/x
    end
    """
)
TIMES = np.array([0.0, 2.0, 5.0, 9.0])
OUTPUTS = ["x", "ratio"]
N = 23


def patients(n=N, first=0):
    random = np.random.default_rng(2)
    return pd.DataFrame({"a": random.lognormal(-0.7, 0.5, 100)[first : first + n]}, index=range(first, first + n))


ARMS = pd.Series(["none" if k % 3 == 0 else "low" if k % 3 == 1 else "high" for k in range(N)], index=range(N))
BY_ARM = pd.DataFrame(
    [
        ("high", 3.0, "set", "q", 2.0),
        ("high", 1.0, "bolus", "drug", 1.0),
        ("low", 1.0, "bolus", "drug", 0.3),
        ("high", 1.0, "scale", "x", 0.5),
    ],
    columns=["arm", "time", "kind", "target", "amount"],
)


def of_patients(table):
    rows = [(p, *row[1:]) for p in table.index for row in BY_ARM.itertuples(index=False) if row.arm == ARMS[p]]
    return pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])


BY_PATIENT = of_patients(patients()).sample(frac=1.0, random_state=1).sort_values("time", kind="stable")
WHOLE = solve(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS)


def values(chunks):
    return np.concatenate([c.values for c in chunks])


@pytest.mark.parametrize("chunk", [1, 4, 22, 23, 1000])
def test_a_chunk_of_any_size_changes_no_bit(chunk):
    chunks = list(solve_chunks(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, chunk=chunk))
    assert {len(c.patients) for c in chunks[:-1]} <= {chunk}
    assert [p for c in chunks for p in c.patients] == list(range(N))
    np.testing.assert_array_equal(values(chunks), WHOLE.values)


@pytest.mark.parametrize(
    ("schedule", "arms"),
    [(BY_PATIENT, None), (of_patients, None), (BY_ARM, ARMS), (BY_ARM, ARMS.sample(frac=1.0, random_state=3))],
    ids=["a table by patient", "a function of the chunk", "a table by arm", "arms in another order"],
)
def test_every_way_to_give_a_schedule_is_the_same_schedule(schedule, arms):
    chunks = solve_chunks(SYSTEM, patients(), schedule, TIMES, OUTPUTS, arms=arms, chunk=5)
    np.testing.assert_array_equal(values(chunks), WHOLE.values)


def test_patients_may_be_drawn_as_they_are_needed():
    drawn = []

    def cohort():
        for first in range(0, N, 3):
            drawn.append(first)
            yield patients(min(3, N - first), first)

    chunks = solve_chunks(SYSTEM, cohort(), BY_PATIENT, TIMES, OUTPUTS, chunk=5)
    first = next(chunks)
    assert drawn == [0, 3]
    assert len(first.patients) == 5
    np.testing.assert_array_equal(values([first, *chunks]), WHOLE.values)


def test_times_and_starts_of_each_patients_own_go_with_their_rows():
    times = TIMES + 0.1 * np.arange(N)[:, None]
    whole = solve(SYSTEM, patients(), BY_PATIENT, times, OUTPUTS)
    np.testing.assert_array_equal(
        values(solve_chunks(SYSTEM, patients(), BY_PATIENT, times, OUTPUTS, chunk=4)), whole.values
    )
    later = solve(SYSTEM, patients(), empty_schedule(), [20.0], OUTPUTS, start=whole.final)
    chunks = solve_chunks(SYSTEM, patients(), empty_schedule(), [20.0], OUTPUTS, chunk=4, start=whole.final)
    np.testing.assert_array_equal(values(chunks), later.values)


def test_statistics_and_options_reach_through_the_chunks():
    reducers = [Mean(), Quantiles(), TimeToThreshold("x", 1.5)]
    one, other = (
        reduce(solve_chunks(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, chunk=c, rtol=1e-5), reducers).tables
        for c in (3, 100)
    )
    for first, second in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)
    coarse = solve(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, rtol=1e-5)
    np.testing.assert_allclose(one[0]["mean"], coarse.values.mean(axis=0).T.ravel(), rtol=1e-12)


@pytest.mark.parametrize(("threads", "chunk"), [(2, 700), (3, 1500), (2, 256)])
def test_threads_and_chunks_together_change_no_bit_of_a_statistic(threads, chunk):
    random = np.random.default_rng(6)
    table = pd.DataFrame({"a": random.lognormal(-0.7, 0.5, 1500)})
    reducers = [Mean(), Quantiles(), TimeToThreshold("x", 1.5)]

    def reduced(**options):
        return reduce(solve_chunks(SYSTEM, table, empty_schedule(), TIMES, OUTPUTS, **options), reducers).tables

    for one, other in zip(reduced(threads=threads, chunk=chunk), reduced(), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_progress_is_told_after_each_chunk():
    told = []
    for parameters, total in ((patients(), N), (iter([patients()]), None)):
        list(solve_chunks(SYSTEM, parameters, empty_schedule(), TIMES, chunk=10, progress=lambda *a: told.append(a)))
        assert told == [(10, total), (20, total), (23, total)]
        told.clear()


@pytest.mark.parametrize(
    ("parameters", "schedule", "options", "message"),
    [
        (patients(), BY_PATIENT.assign(patient=99), {}, "not in the table of parameters.*99"),
        (iter([patients()]), BY_PATIENT.assign(patient=99), {}, "not in the table of parameters.*99"),
        (patients().iloc[[0, 0]], empty_schedule(), {"chunk": 1}, "a patient occurs twice"),
        (iter([patients(3), patients(3)]), empty_schedule(), {}, "a patient occurs twice"),
        (iter([patients(3), patients(3, 3).assign(q=1.0)]), empty_schedule(), {}, "unlike columns"),
        (patients(), BY_ARM, {}, "column patient is missing"),
        (patients(), BY_PATIENT, {"arms": ARMS}, "column arm is missing"),
        (patients(), of_patients, {"arms": ARMS}, "no use for arms"),
        (patients(), BY_ARM, {"arms": ARMS.iloc[:5]}, "a patient has no arm.*5"),
        (patients(), BY_ARM.assign(arm="lwo"), {"arms": ARMS}, "no patient is in this arm.*lwo"),
        (patients(), empty_schedule(), {"chunk": 0}, "one patient or more"),
    ],
)
def test_what_cannot_be_solved_in_chunks_is_refused(parameters, schedule, options, message):
    with pytest.raises(InputError, match=message):
        list(solve_chunks(SYSTEM, parameters, schedule, TIMES, OUTPUTS, **options))


def test_too_few_rows_of_times_are_refused():
    with pytest.raises(InputError, match="more patients than rows of times"):
        list(solve_chunks(SYSTEM, patients(), empty_schedule(), np.tile(TIMES, (5, 1)), OUTPUTS, chunk=4))


def test_a_fault_in_a_later_chunk_is_found_when_it_is_solved():
    chunks = solve_chunks(SYSTEM, patients(), lambda t: of_patients(t).assign(target="nothing"), TIMES, chunk=4)
    with pytest.raises(InputErrors, match="nothing"):
        list(chunks)


def written(tmp_path, chunk=7):
    return write_parquet(
        SYSTEM, solve_chunks(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, chunk=chunk), tmp_path / "course.parquet"
    )


def test_a_file_holds_every_patient_and_time_and_says_what_it_is(tmp_path):
    path = written(tmp_path)
    table = pd.read_parquet(path)
    assert table.columns.tolist() == ["patient", "visit", "time", "status", *OUTPUTS]
    assert len(table) == N * len(TIMES)
    np.testing.assert_array_equal(table[OUTPUTS].to_numpy().reshape(N, len(TIMES), 2), WHOLE.values)
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 4
    assert json.loads(file.schema_arrow.metadata[METADATA]) == {
        "model": "growth",
        "time_unit": "day",
        "outputs": OUTPUTS,
        "software": f"stromal {stromal.__version__}",
    }


def test_the_rows_of_a_file_do_not_depend_on_the_chunks(tmp_path):
    first, second = (pd.read_parquet(written(tmp_path, chunk)) for chunk in (1, 100))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_failed_patients_are_in_the_file_with_their_status_and_times_not_asked_for_are_not(tmp_path):
    pole = load("x = 1\np = 1\nx' = p*x^2\n")
    table = pd.DataFrame({"p": [0.1, 2.0]}, index=["well", "ill"])
    times = [[0.1, 1.0, np.nan], [0.1, 1.0, 2.0]]
    path = write_parquet(pole, [solve(pole, table, empty_schedule(), times)], tmp_path / "pole.parquet")
    rows = pd.read_parquet(path)
    assert rows["patient"].tolist() == ["well"] * 2 + ["ill"] * 3
    assert rows["visit"].tolist() == [0, 1, 0, 1, 2]
    assert (rows["status"] == str(Status.OK)).tolist() == [True, True, False, False, False]
    assert rows["x"].isna().tolist() == [False, False, False, True, True]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, StoppedError])
def test_an_interrupted_file_leaves_what_was_there_before_and_nothing_else(tmp_path, interruption):
    before = written(tmp_path).read_bytes()

    def interrupted():
        yield from list(solve_chunks(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, chunk=7))[:2]
        raise interruption

    with pytest.raises(interruption):
        write_parquet(SYSTEM, interrupted(), tmp_path / "course.parquet")
    assert (tmp_path / "course.parquet").read_bytes() == before
    with pytest.raises(interruption):
        write_parquet(SYSTEM, interrupted(), tmp_path / "another.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["course.parquet"]


def test_a_progress_callback_may_interrupt_the_work(tmp_path):
    def stop(done, _total):
        if done > 10:
            raise KeyboardInterrupt

    chunks = solve_chunks(SYSTEM, patients(), BY_PATIENT, TIMES, OUTPUTS, chunk=7, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        write_parquet(SYSTEM, chunks, tmp_path / "course.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    one = solve(SYSTEM, patients(2), empty_schedule(), TIMES, OUTPUTS)
    other = solve(SYSTEM, patients(2), empty_schedule(), TIMES, ["x"])
    taken = load("status = 1; status' = -status\n")
    for system, chunks, path, message in (
        (SYSTEM, [], "a.parquet", "no chunk"),
        (SYSTEM, [one, other], "a.parquet", "not alike"),
        (SYSTEM, [one], "no/a.parquet", "folder does not exist"),
        (taken, [solve(taken, patients(1)[[]], empty_schedule(), TIMES)], "a.parquet", "name of a column"),
    ):
        with pytest.raises(InputError, match=message):
            write_parquet(system, chunks, tmp_path / path)
    assert list(tmp_path.iterdir()) == []
