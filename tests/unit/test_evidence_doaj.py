"""DOAJ's JSON and OAI-PMH: the same article from both, deleted and foreign records said."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import doaj, oai
from stromal.evidence.records.record import Record, Rejected

SAMPLES = Path(__file__).parent / "evidence_samples"
ARTICLE = json.loads((SAMPLES / "sample.doaj.json").read_bytes())["results"][0]
OAI_DOAJ = (SAMPLES / "sample.oai_doaj.xml").read_bytes()


def from_json(said: Any) -> Record:
    (record,) = doaj.read(json.dumps(said).encode(), "x.json")
    assert isinstance(record, Record)
    return record


def from_xml(content: bytes) -> Record:
    record = next(oai.read(content, "x.xml"))
    assert isinstance(record, Record)
    return record


@pytest.mark.parametrize("record", [from_json(ARTICLE), from_xml(OAI_DOAJ)], ids=["json", "oai_doaj"])
def test_an_article_is_the_same_from_both(record: Record) -> None:
    expected = {
        "type": "article-journal",
        "container-title": "Journal of Invented Results",
        "volume": "9",
        "issue": "3",
        "page": "101-109",
        "issued": {"date-parts": [[2018, 9]]},
        "publisher": "House",
        "abstract": "One.\nTwo.",
        "ISSN": "1664-3224, 1664-323X",
        "URL": "https://example.org/full",
        "source": "DOAJ",
    }
    assert record.identifiers == ("doi:10.5555/invented.1", "doaj:222e9dab000000000000000000006076")
    assert {key: record.item.get(key) for key in expected} == expected
    assert record.authors[:2] == ("Juliette Peltzer", "Jan van der Berg")
    assert record.item["author"][0]["affiliation"] == [{"name": "Lab, Clamart"}]
    assert record.item["author"][1]["family"] == "van der Berg"
    assert record.keywords == ("systemic sclerosis", "MSC")
    assert set(record.origin) >= set(record.item) - {"custom"}


@pytest.mark.parametrize(
    "said", [ARTICLE, [ARTICLE], {"results": [ARTICLE]}, {"total": 1, "page": 1, "pageSize": 1, "results": [ARTICLE]}]
)
def test_single_articles_lists_and_answers_of_the_search_are_read(said: Any) -> None:
    record = from_json(said)
    assert record.id == "doi:10.5555/invented.1"
    assert json.loads(record.source.content) == ARTICLE


def test_languages_of_the_journal_and_names_kept_whole_are_said() -> None:
    remarks = from_json(ARTICLE).remarks
    assert any("2 languages (EN, FR)" in remark for remark in remarks)
    assert any("Example Study Group" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("bibjson", "issued"),
    [
        ({"year": "2018", "month": "9"}, {"date-parts": [[2018, 9]]}),
        ({"year": "2018", "month": "September"}, {"date-parts": [[2018, 9]]}),
        ({"year": 2018}, {"date-parts": [[2018]]}),
        ({}, None),
    ],
)
def test_dates_are_no_finer_than_the_source(bibjson: dict[str, Any], issued: Any) -> None:
    assert from_json({"bibjson": {"title": "x", **bibjson}}).item.get("issued") == issued


def test_an_object_that_is_no_article_is_rejected() -> None:
    found = list(doaj.read(json.dumps({"results": [{"admin": {}}, {"bibjson": []}, ARTICLE]}).encode(), "x"))
    assert [type(one) for one in found] == [Rejected, Rejected, Record]
    assert [one.place for one in found if isinstance(one, Rejected)] == ["record 1", "record 2"]


def test_deleted_and_foreign_records_of_oai_are_rejected_and_the_others_read() -> None:
    found = list(oai.read(OAI_DOAJ, "x.xml"))
    assert [type(one) for one in found] == [Record, Rejected, Rejected]
    reasons = [one.reason for one in found if isinstance(one, Rejected)]
    assert "deleted oai:doaj.org/article:0" in reasons[0]
    assert "neither oai_doaj nor oai_dc" in reasons[1]


def test_what_has_no_word_in_csl_stands_in_custom() -> None:
    assert from_xml(OAI_DOAJ).item["custom"] == {"harvested": "2020-11-24T21:36:14Z", "publisher_record": "406327"}
    assert from_json(ARTICLE).item["custom"]["subjects"] == [
        {"scheme": "LCC", "term": "Immunology", "code": "RC581-607"}
    ]


def test_fields_hold_every_text_and_the_source_its_bytes() -> None:
    record = from_xml(OAI_DOAJ)
    said = {field.name: field.values for field in record.fields}
    assert said["metadata/doajArticle/publisherRecordId"] == ("406327",)
    assert said["metadata/doajArticle/title@language"] == ("eng",)
    assert said["metadata/doajArticle/keywords/keyword"] == ("systemic sclerosis", "MSC")
    assert said["metadata/doajArticle/abstract"] == ("One.\nTwo.",)
    assert record.source.content == OAI_DOAJ[OAI_DOAJ.index(b"<record>") : OAI_DOAJ.index(b"</record>") + 9]
    nested = {field.name: field.values for field in from_json(ARTICLE).fields}
    assert nested["bibjson.journal.language"] == ("EN", "FR")


def test_january_of_oai_may_be_any_month() -> None:
    record = from_xml(OAI_DOAJ.replace(b"2018-09-01", b"2018-01-01"))
    assert record.item["issued"] == {"date-parts": [[2018]]}
    assert any("January" in remark for remark in record.remarks)


def test_bare_articles_as_a_harvester_stores_them_are_read() -> None:
    article = OAI_DOAJ[OAI_DOAJ.index(b"<oai_doaj:doajArticle>") : OAI_DOAJ.index(b"</metadata>")].strip()
    named = article.replace(
        b"<oai_doaj:doajArticle>",
        b'<oai_doaj:doajArticle xmlns:oai_doaj="http://doaj.org/features/oai_doaj/1.0/">'
        b"<identifier>doaj-222e9dab000000000000000000006076</identifier>",
    )
    record = from_xml(named)
    assert record.identifiers == ("doi:10.5555/invented.1", "doaj:222e9dab000000000000000000006076")


def test_dublin_core_is_read_with_what_its_words_tell() -> None:
    record = from_xml((SAMPLES / "sample.oai_dc.xml").read_bytes())
    assert record.identifiers == ("doi:10.5555/invented.1", "doaj:222e9dab000000000000000000006076")
    expected = {
        "type": "article-journal",
        "title": "Invented trial of MSC",
        "container-title": "Journal of Invented Results",
        "volume": "9",
        "ISSN": "1664-3224",
        "issued": {"date-parts": [[2018, 9, 1]]},
    }
    assert {key: record.item.get(key) for key in expected} == expected
    assert record.authors == ("Juliette Peltzer", "Marc Aletti")


def test_a_prefix_of_the_namespace_does_not_matter() -> None:
    other = re.sub(
        rb"oai_doaj:(?=[a-zA-Z])|:oai_doaj(?==)", lambda m: b":d" if m.group().startswith(b":") else b"d:", OAI_DOAJ
    )
    assert b"<d:title" in other
    assert from_xml(other).item == from_xml(OAI_DOAJ).item
