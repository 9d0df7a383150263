"""Designs that do not say where they come from, and files that are no design at all."""

from pathlib import Path

import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.compute.findings import Finding
from stromal.design import read_design

EXAMPLES = Path(__file__).parents[2] / "examples"
CARE = (EXAMPLES / "care-ssc.yaml").read_text(encoding="utf-8")
SERIES = (EXAMPLES / "single-arm-series.yaml").read_text(encoding="utf-8")


def findings(tmp_path: Path, text: str) -> tuple[Finding, ...]:
    path = tmp_path / "design.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputErrors) as caught:
        read_design(path)
    return caught.value.findings


SOURCES = {
    "population": ("  assumed: true\n\n# All of these", "\n# All of these", "population"),
    "earlier treatment": (
        "half go on, in every arm alike\n    assumed: true",
        "half go on, in every arm alike",
        "population.prior_treatment",
    ),
    "criterion": (', source: "NCT04356287: age 18 and over"', "", "eligibility[0]"),
    "arm": ('    regimen: []\n    source: "NCT04356287: placebo arm"', "    regimen: []", "arms[0]"),
    "randomisation": (
        '  source: "NCT04356287: within each block the 6 patients are randomised 2:2:2"',
        "",
        "randomisation",
    ),
    "end point": (
        "    estimand: hypothetical\n    assumed: true\n  - name: death",
        "    estimand: hypothetical\n  - name: death",
        "endpoints[4]",
    ),
}


@pytest.mark.parametrize("item", SOURCES)
def test_a_registered_design_must_say_where_each_item_comes_from(tmp_path: Path, item: str) -> None:
    written, becomes, place = SOURCES[item]
    assert written in CARE
    (finding,) = findings(tmp_path, CARE.replace(written, becomes))
    assert finding.place.startswith(f"{place} (line ")
    assert "NCT04356287" in finding.message
    assert "`assumed: true`" in finding.remedy


@pytest.mark.parametrize("part", ["safety", "visits"])
def test_safety_rules_and_visits_need_a_source_too(tmp_path: Path, part: str) -> None:
    text = SERIES.replace("schema: 1\n", "schema: 1\nregistry: NCT00962923\n").replace(
        "  days: [0, 91, 182, 364]\n  assumed: true", "  days: [0, 91, 182, 364]"
    )
    assert part in [finding.place.split(" (")[0] for finding in findings(tmp_path, text)]


def test_sourced_and_assumed_at_once_is_refused(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, CARE.replace('age 18 and over"}', 'age 18 and over", assumed: true}'))
    assert finding.place.startswith("eligibility[0].assumed (line ")
    assert "keep either" in finding.remedy


FILES = {
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "UTF-8"),
    "control characters": (b"schema: 1\ntitle: \x00\x01\n", "plain UTF-8 text"),
    "not YAML": (b"schema: 1\n  title: [unclosed\n", "YAML"),
    "tab": (b"schema: 1\npopulation:\n\tsubsets: {}\n", "indented by spaces"),
    "a list": (b"- 1\n- 2\n", "`key: value` lines"),
    "empty": (b"", "`key: value` lines"),
    "one word": (b"hello", "`key: value` lines"),
    "alias bomb": (b"a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n", "the value itself"),
    "alias": (b"a: *nowhere\n", "the value itself"),
    "object tag": (b"a: !!python/object/apply:os.system ['true']\n", "the value without a tag"),
    "two documents": (b"schema: 1\n---\nschema: 1\n", "one design per file"),
    "list as key": (b"? [a, b]\n: 1\n", "a word as the key"),
    "deep": (b"a: " + b"[" * 5000, "levels deep"),
    "wide": (b"a: [" + b"1," * 30_000 + b"1]", "values"),
    "large": (b"# " + b"x" * 1_000_000, "a design file"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_design_is_refused_with_a_remedy(tmp_path: Path, kind: str) -> None:
    content, remedy = FILES[kind]
    path = tmp_path / "design.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_design(path)
    assert caught.value.file == str(path)
    assert remedy in caught.value.remedy
    assert str(path) in str(caught.value)
    assert "write instead" in str(caught.value)


def test_yaml_that_does_not_parse_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "design.yaml"
    path.write_text("schema: 1\ntitle: a: b\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_design(path)
    assert caught.value.place == "line 2"
    assert caught.value.value == "title: a: b"


def test_a_missing_file_and_a_folder_are_input_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path, "null\0byte.yaml"):
        with pytest.raises(InputError) as caught:
            read_design(path)
        assert caught.value.file == str(path)
        assert "cannot be read" in caught.value.what
