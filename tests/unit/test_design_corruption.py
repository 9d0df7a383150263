"""Whatever is done to one field of a good design, reading it never ends in a defect."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from stromal.compute.errors import InputError, InputErrors
from stromal.design import TrialDesign, read_design, resolved_yaml
from stromal.design.text import dump, parse

CARE = (Path(__file__).parents[2] / "examples" / "care-ssc.yaml").read_text(encoding="utf-8")
DATA = parse(CARE).data
Place = tuple[str | int, ...]


def _places(data: Any, place: Place = ()) -> list[Place]:
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place, *(inner for step, value in steps for inner in _places(value, (*place, step)))]


def _changed(data: Any, place: Place, change: Any) -> Any:
    if not place:
        return change(data)
    copy = data.copy()
    copy[place[0]] = _changed(copy[place[0]], place[1:], change)
    return copy


PLACES = _places(DATA)
WORDS = st.sampled_from(["active", "placebo", "mrss", "umbilical_cord_msc", "rituximab", "event", "limited", "iv"])
JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.text(max_size=8)
    | st.sampled_from(PLACES).map(lambda place: _at(DATA, place))
    | st.lists(st.integers(-5, 400) | WORDS, max_size=3)
    | st.dictionaries(
        st.sampled_from(["any_of", "failed", "subset", "low", "name", "x"]), st.integers() | WORDS, max_size=3
    )
)


def _at(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def outcome(text: str) -> TrialDesign | InputError | InputErrors:
    """The design, or the refusal; anything else is raised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "design.yaml"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            return read_design(path)
        except (InputError, InputErrors) as refusal:
            return refusal


def check(result: TrialDesign | InputError | InputErrors) -> None:
    if isinstance(result, TrialDesign):
        assert outcome(resolved_yaml(result)) == result
    elif isinstance(result, InputErrors):
        assert all(finding.place and finding.message and finding.remedy for finding in result.findings)
    else:
        assert result.remedy


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
@example(("arms",), {"name": 1})
@example(("eligibility", 1, "any_of"), [[]])
@example(("endpoints", 0, "contrast"), [])
@example(("schema",), True)
def test_a_field_replaced_by_anything_is_read_or_refused(place: Place, junk: Any) -> None:
    check(outcome(dump(_changed(DATA, place, lambda _: junk))))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([place for place in PLACES if place and isinstance(place[-1], str)]), st.text(max_size=10))
def test_a_key_renamed_or_dropped_is_read_or_refused(place: Place, name: str) -> None:
    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {(name if key == place[-1] else key): value for key, value in data.items() if name or key != place[-1]}

    check(outcome(dump(_changed(DATA, place[:-1], rename))))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(CARE) - 1), st.integers(0, 3), st.text(max_size=4))
def test_characters_replaced_anywhere_are_read_or_refused(start: int, length: int, junk: str) -> None:
    check(outcome(CARE[:start] + junk + CARE[start + length :]))
