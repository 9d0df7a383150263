"""Content hashes, and pieces of work in one process or several."""

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromal.compute import content
from stromal.compute.content import canonical_json, content_hash
from stromal.compute.executor import processors, run_pieces
from stromal.compute.provenance import provenance

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_the_order_of_keys_does_not_change_the_hash(value):
    reverse = dict(reversed(value.items()))
    assert content_hash(reverse) == content_hash(value)


@given(JSON, JSON)
def test_two_values_have_one_hash_only_if_their_json_is_the_same(first, second):
    same = canonical_json(first) == canonical_json(second)
    assert (content_hash(first) == content_hash(second)) == same


def test_canonical_json_is_short_sorted_and_keeps_every_digit():
    value = {"b": [1, 2.5], "a": "é", "c": 0.1 + 0.2}
    assert canonical_json(value) == '{"a":"é","b":[1,2.5],"c":0.30000000000000004}'
    assert content_hash(value) == hashlib.sha256(canonical_json(value).encode()).hexdigest()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_write_is_refused(number):
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": [number]})


def test_the_hash_of_the_source_changes_with_any_file_that_can_change_a_result(tmp_path, monkeypatch):
    def hash_of_package():
        content.source_hash.cache_clear()
        return content.source_hash()

    real = hash_of_package()
    monkeypatch.setattr(content, "PACKAGE", tmp_path)
    seen = {real, hash_of_package()}
    for name in ("solve.py", "skin.ant", "parameters.csv", "recipe.yaml"):
        (tmp_path / name).write_text("1")
        seen.add(hash_of_package())
        (tmp_path / name).write_text("2")
        seen.add(hash_of_package())
    assert len(seen) == 10
    (tmp_path / "notes.txt").write_text("not a result")
    assert hash_of_package() in seen
    monkeypatch.undo()
    assert hash_of_package() == real


@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_comes_back_once_with_its_position(workers):
    results = dict(run_pieces(math.isqrt, [625, 9, 64, 1], workers))
    assert results == {0: 25, 1: 3, 2: 8, 3: 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_piece_raises_is_raised_here(workers):
    with pytest.raises(ValueError, match="nonnegative"):
        list(run_pieces(math.isqrt, [1, -13, 4], workers))


def test_work_in_this_process_is_done_only_as_it_is_asked_for():
    calls = []
    stream = run_pieces(calls.append, [1, 2, 3], 1)
    next(stream)
    assert calls == [1]


def test_no_pieces_are_no_work():
    assert list(run_pieces(math.isqrt, [], 4)) == []


def test_there_is_a_processor():
    assert processors() >= 1


def test_provenance_names_the_command_the_source_the_libraries_and_the_machine():
    origin = provenance("stromal trial run x.yaml")
    assert origin["command"] == "stromal trial run x.yaml"
    assert origin["software"]["source_sha256"] == content.source_hash()
    assert {"numpy", "scipy", "pandas"} <= set(origin["libraries"])
    assert all(origin["machine"].values())
    canonical_json(origin)
