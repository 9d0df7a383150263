"""CSL-JSON and Crossref: items taken whole, in one form, with what they say of retractions."""

import json
from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import crossref, csl, writing
from stromal.evidence.records.record import Record

SAMPLES = Path(__file__).parent / "evidence_samples"


def one(item: Any) -> Record:
    (record,) = csl.read(json.dumps(item).encode(), "x.json")
    assert isinstance(record, Record)
    return record


def test_items_are_read_with_the_bytes_of_each() -> None:
    content = (SAMPLES / "sample.csl.json").read_bytes()
    first, second = csl.read(content, "x.json")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert json.loads(first.source.content) == json.loads(content)[0]
    assert json.loads(second.source.content) == json.loads(content)[1]
    assert first.identifiers == ("doi:10.5555/invented.1", "pmid:12345", "pmcid:PMC678")
    assert first.item["author"] == [
        {
            "family": "van Beethoven",
            "given": "Ludwig",
            "affiliation": [{"name": "Bonn"}],
            "ORCID": "https://orcid.org/0000-0002-1825-0097",
        },
        {"literal": "Example Study Group"},
    ]
    assert (first.title, first.item["volume"], first.keywords) == ('Invented "trial" of MSC in SSc', "9", ("a", "b"))
    assert first.item["issued"] == {"date-parts": [[2018, 9]]}
    assert first.item["unknown-key"] == [1, {"b": None}]
    assert first.item["custom"]["sample"] == {"n": 18}
    assert first.origin["PMID"] == "note"
    assert second.item["issued"] == {"date-parts": [[2003]], "season": 1}
    assert second.source.place == "record 2"


def test_fields_hold_every_key_in_its_order() -> None:
    said = {
        field.name: field.values
        for field in one(
            {"id": "a", "type": "book", "title": "t\nu", "author": [{"family": "A"}], "x": {"y": [1, "z"]}, "n": None}
        ).fields
    }
    assert said == {
        "id": ("a",),
        "type": ("book",),
        "title": ("t\nu",),
        "author": ('{"family": "A"}',),
        "x.y": ("1", "z"),
        "n": ("null",),
    }


@pytest.mark.parametrize(
    ("said", "issued"),
    [
        ({"date-parts": [["2018", "9", "1"]]}, {"date-parts": [[2018, 9, 1]]}),
        ({"date-parts": [[2018]], "season": "Autumn"}, {"date-parts": [[2018]], "season": 3}),
        ({"date-parts": [[2018]], "circa": True}, {"date-parts": [[2018]], "circa": True}),
        ({"date-parts": [[2018, 12], [2019, 1]]}, {"date-parts": [[2018, 12], [2019, 1]]}),
        ({"literal": "2018 Sep"}, {"date-parts": [[2018, 9]]}),
        ({"literal": "soon"}, {"literal": "soon"}),
        ({"date-parts": [[]]}, None),
        ({"date-parts": [[2018, 13]]}, None),
        ({"date-parts": [["x"]]}, None),
        ({"date-parts": 7}, None),
    ],
)
def test_dates_come_in_one_form(said: dict[str, Any], issued: dict[str, Any] | None) -> None:
    record = one({"type": "book", "title": "t", "issued": said})
    assert record.item.get("issued") == issued
    assert issued is not None or any(remark.startswith("issued") for remark in record.remarks)


@pytest.mark.parametrize("lines", [True, False])
def test_custom_values_affiliations_and_keywords_survive(lines: bool) -> None:
    item = {
        "type": "dataset",
        "title": "t",
        "author": [
            {
                "family": "A",
                "given": "B",
                "affiliation": [{"name": "Lab"}],
                "ORCID": "https://orcid.org/0000-0002-1825-0097",
            }
        ],
        "custom": {
            "registry": {"arms": [{"label": "MSC", "n": None}], "value": 1.5},
            "work_keys": ["AT a t"],
            "retracted": True,
            "keywords": ["a; b", "c, d", "e"],
            "identifiers": ["nct:NCT01234567", "doaj:222e9dab000000000000000000006076"],
        },
    }
    first = one(item)
    assert first.keywords == ("a; b", "c, d", "e")
    assert first.identifiers == ("nct:NCT01234567", "doaj:222e9dab000000000000000000006076")
    (again,) = csl.read(writing.text([first], "jsonl" if lines else "csl").encode(), "y")
    assert isinstance(again, Record)
    assert again.item == first.item
    assert again.keywords == first.keywords
    assert again.identifiers == first.identifiers


def test_an_unknown_type_is_a_document_and_is_kept_aside() -> None:
    record = one({"type": "clinical_trial", "title": "t"})
    assert record.item["type"] == "document"
    assert record.item["custom"] == {"type": "clinical_trial"}
    assert any("clinical_trial" in remark for remark in record.remarks)


def test_a_work_of_crossref_is_read_whole() -> None:
    (record,) = crossref.read((SAMPLES / "sample.crossref.json").read_bytes(), "x.json")
    assert isinstance(record, Record)
    expected = {
        "type": "article-journal",
        "title": "Invented trial & MSC: a report",
        "container-title": "Journal of Invented Results",
        "page": "2013",
        "abstract": "One < two.\n\nThree.",
        "issued": {"date-parts": [[2018, 9, 1]]},
        "ISSN": "1664-3224",
        "custom": {
            "retracted": True,
            "relations": [
                {"type": "corrects", "id": "doi:10.5555/older", "text": "Erratum"},
                {"type": "retracted_by", "id": "doi:10.5555/notice", "text": "Retraction"},
                {"type": "has_preprint", "id": "doi:10.5555/preprint"},
            ],
        },
    }
    assert {key: record.item.get(key) for key in expected} == expected
    assert record.item["author"][0]["affiliation"] == [{"name": "Lab"}]
    assert record.item["author"][1] == {"literal": "Example Study Group"}
    assert record.origin["page"] == "article-number"


def test_a_single_message_and_lines_of_works_are_read_too() -> None:
    whole = json.loads((SAMPLES / "sample.crossref.json").read_bytes())
    work = whole["message"]["items"][0]
    for content in (json.dumps({"message-type": "work", "message": work}), f"{json.dumps(work)}\n{json.dumps(work)}\n"):
        found = list(crossref.read(content.encode(), "x"))
        assert all(isinstance(record, Record) and record.id == "doi:10.5555/invented.1" for record in found)
        assert found


def test_raised_and_lowered_text_stays_so() -> None:
    work = {
        "DOI": "10.5555/x",
        "title": ["10<sup>6</sup> cells of CO<sub>2</sub> x<sup>ab</sup> a < b"],
        "type": "journal-article",
    }
    (record,) = crossref.read(json.dumps(work).encode(), "x")
    assert isinstance(record, Record)
    assert record.title == "10⁶ cells of CO₂ xab a < b"
