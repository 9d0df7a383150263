"""JSON of VuFind's interface and of its Solr index."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.records import catalogue_page, staff_view, vufind
from stromal.evidence.records.formats import read_file
from stromal.evidence.records.record import Record, Rejected

TEXT = (files("stromal.evidence") / "base" / "founding_record.txt").read_text(encoding="utf-8")
FIELDS = {f.name: f.values for f in staff_view.read(TEXT[TEXT.index("id doaj-") :].split("\n")).fields}
ONE_VALUE = {"_version_", "id", "record_format", "author_sort", "description"} | {
    n for n in FIELDS if n.startswith("title")
}
DOCUMENT: dict[str, Any] = {n: values[0] if n in ONE_VALUE else list(values) for n, values in FIELDS.items()}
DOCUMENT["_version_"] = int(DOCUMENT["_version_"])
API: dict[str, Any] = {
    "id": "doaj-222e9dabaf5c4ed0aedb385210026076",
    "title": DOCUMENT["title"],
    "authors": {"primary": {name: {"role": ["-"]} for name in DOCUMENT["author"]}, "secondary": [], "corporate": []},
    "formats": ["Article"],
    "languages": ["English"],
    "series": [{"name": "Frontiers in Immunology"}],
    "subjects": [[topic] for topic in DOCUMENT["topic"]],
    "urls": [{"url": DOCUMENT["url"][0], "desc": DOCUMENT["url"][0]}],
    "summary": [DOCUMENT["description"]],
    "publishers": ["Frontiers Media S.A."],
    "publicationDates": ["2018-09-01"],
    "issns": ["1664-3224"],
    "cleanDoi": "10.3389/FIMMU.2018.02013",
    "containerVolume": "9",
    "containerStartPage": "2013",
    "containerEndPage": "2020",
}
BOOK = {
    "id": "123456",
    "recordtype": "marc",
    "title": "Scleroderma :",
    "title_short": "Scleroderma :",
    "format": ["Book", "Electronic"],
    "author": ["Lee, Ann, 1950-"],
    "author2": ["Ray, Jo", "Kay, Di", "Doe, Al"],
    "author2_role": ["editor.", "author", "illustrator"],
    "author_corporate": ["World Scleroderma Foundation"],
    "publisher": ["Oxford Press,"],
    "publishDate": ["c2018."],
    "series": ["Skin books ;"],
    "isbn": ["9780306406157 (pbk.)"],
    "topic": ["Scleroderma", "Skin -- Diseases"],
    "online_boolean": True,
    "callnumber-first": None,
}


def read(value: Any) -> list[Record | Rejected]:
    return list(vufind.read(json.dumps(value).encode(), "answer.json"))


def read_one(value: Any) -> Record:
    (record,) = read(value)
    assert isinstance(record, Record), record
    return record


ANSWERS = {
    "document": DOCUMENT,
    "documents": [DOCUMENT],
    "Solr's answer": {"responseHeader": {"status": 0}, "response": {"numFound": 1, "start": 0, "docs": [DOCUMENT]}},
    "VuFind's answer": {"resultCount": 1, "records": [{**API, "rawData": DOCUMENT}], "status": "OK"},
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_founding_record_as_json_is_that_of_its_page(answer: str) -> None:
    record = read_one(ANSWERS[answer])
    (page,) = catalogue_page.read(TEXT.encode(), "page.txt")
    assert isinstance(page, Record)
    assert record.identifiers == page.identifiers
    assert record.item == page.item
    assert record.keywords == page.keywords
    assert vufind.looks_like(json.dumps(ANSWERS[answer]).encode())


def test_without_raw_data_the_fields_of_the_interface_are_read() -> None:
    record = read_one({"resultCount": 1, "records": [API], "status": "OK"})
    assert record.identifiers == ("doi:10.3389/fimmu.2018.02013", "doaj:222e9dabaf5c4ed0aedb385210026076")
    item = record.item
    families = [name["family"] for name in item["author"]]
    assert families == ["Peltzer", "Aletti", "Frescaline", "Busson", "Lataillade", "Martinaud"]
    assert item["container-title"] == "Frontiers in Immunology"
    assert item["issued"] == {"date-parts": [[2018, 9]]}
    assert (item["volume"], item["page"]) == ("9", "2013-2020")
    assert item["abstract"] == DOCUMENT["description"]
    assert record.keywords == tuple(DOCUMENT["topic"])
    wanted = {"author": "authors.primary", "issued": "publicationDates", "DOI": "cleanDoi", "container-title": "series"}
    wanted |= {"keywords": "subjects", "URL": "urls", "page": "containerStartPage", "publisher": "publishers"}
    assert {key: record.origin[key].split(" ")[0] for key in wanted} == wanted


def test_a_book_of_a_library_is_read_with_its_editors_and_without_its_punctuation() -> None:
    record = read_one(BOOK)
    item = record.item
    assert (item["type"], item["title"], item["publisher"]) == ("book", "Scleroderma", "Oxford Press")
    assert item["collection-title"] == "Skin books"
    assert item["author"] == [
        {"family": "Lee", "given": "Ann"},
        {"family": "Kay", "given": "Di"},
        {"literal": "World Scleroderma Foundation"},
    ]
    assert item["editor"] == [{"family": "Ray", "given": "Jo"}]
    assert item["issued"] == {"date-parts": [[2018]]}
    assert item["custom"]["catalogue_id"] == "123456"
    assert record.keywords == ("Scleroderma", "Skin -- Diseases")
    assert any("'Doe, Al' is 'illustrator'" in remark for remark in record.remarks)
    kept = {field.name: field.values for field in record.fields}
    assert kept["online_boolean"] == ("true",)
    assert kept["author2_role"] == ("editor.", "author", "illustrator")


def test_each_record_of_an_answer_has_its_own_bytes() -> None:
    content = json.dumps({"response": {"docs": [DOCUMENT, BOOK]}}, ensure_ascii=False).encode()
    found = list(vufind.read(content, "answer.json"))
    assert [one.source.content for one in found if isinstance(one, Record)] == [
        json.dumps(document, ensure_ascii=False).encode() for document in (DOCUMENT, BOOK)
    ]


def test_a_full_record_of_doaj_adds_what_the_index_does_not_say() -> None:
    xml = (
        '<oai_doaj:doajArticle xmlns:oai_doaj="http://doaj.org/features/oai_doaj/1.0/"><oai_doaj:volume>9</oai_doaj:volume>'
        "<oai_doaj:issue>2</oai_doaj:issue><oai_doaj:doi>10.3389/fimmu.2018.02013</oai_doaj:doi>"
        "<oai_doaj:title>Another title</oai_doaj:title></oai_doaj:doajArticle>"
    )
    record = read_one(
        {name: value for name, value in DOCUMENT.items() if name not in ("spelling", "url")} | {"fullrecord": xml}
    )
    assert record.identifiers[0] == "doi:10.3389/fimmu.2018.02013"
    assert (record.item["volume"], record.item["issue"]) == ("9", "2")
    assert record.item["title"] == DOCUMENT["title"]
    assert record.origin["issue"].startswith("fullRecord ")


@pytest.mark.parametrize(
    "xml", ["<oai_doaj:doajArticle><unclosed>", "01234cam a22 \u001e\u001f", "<record>MARC</record>"]
)
def test_a_full_record_that_cannot_be_read_is_kept(xml: str) -> None:
    record = read_one({**DOCUMENT, "fullrecord": xml})
    assert record.item["title"] == DOCUMENT["title"]
    assert any(field.name == "fullrecord" and field.values == (xml,) for field in record.fields)
    assert any("fullRecord" in remark for remark in record.remarks) == xml.startswith("<oai_doaj")


def test_values_of_another_kind_than_expected_are_no_values() -> None:
    record = read_one(
        {"id": "x1", "title": "Skin", "author": [{"name": "Lee"}, None, 7], "topic": {"a": "b"}, "format": []}
    )
    assert record.title == "Skin"
    assert record.item["author"] == [{"literal": "7"}]
    assert record.keywords == ()


def test_an_error_of_the_server_and_an_empty_answer_give_no_record() -> None:
    (rejected,) = read({"status": "ERROR", "statusMessage": "Invalid request"})
    assert isinstance(rejected, Rejected)
    assert "Invalid request" in rejected.reason
    assert read({"resultCount": 0, "status": "OK"}) == []
    assert read({"response": {"numFound": 0, "docs": []}}) == []
    (empty,) = read({"records": [{"formats": ["Book"]}]})
    assert isinstance(empty, Rejected)


def test_broken_json_is_an_error_with_its_place() -> None:
    with pytest.raises(InputError, match="not JSON") as error:
        list(vufind.read(b'{"response": {"docs": [', "answer.json"))
    assert error.value.file == "answer.json"


@pytest.mark.parametrize(
    "value",
    [
        {"bibjson": {"title": "x"}, "id": "1"},
        [{"id": "1", "type": "article-journal", "title": "x", "publisher": "y"}],
        {"status": "ok", "message": {"items": [{"DOI": "10.1/x", "title": ["x"]}]}},
        {"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}},
    ],
)
def test_other_json_does_not_look_like_vufind(value: Any) -> None:
    assert not vufind.looks_like(json.dumps(value).encode())


def test_other_text_does_not_look_like_vufind() -> None:
    assert not vufind.looks_like(TEXT.encode())
    assert not vufind.looks_like(b"\xff\xd8\xff{")


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    for number, answer in enumerate((*ANSWERS.values(), API, [API], BOOK)):
        path = tmp_path / f"{number}.txt"
        path.write_text(json.dumps(answer, indent=number % 2), encoding="utf-8")
        (record,) = read_file(path)
        assert isinstance(record, Record)
        assert record.source.format == "vufind"
