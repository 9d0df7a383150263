"""Variants of the founding record's page: read as it is, or refused or doubted with the reason."""

import html
import time
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.records import catalogue_page, page_head, staff_view
from stromal.evidence.records.formats import read_file
from stromal.evidence.records.record import Record, Rejected

CONTENT = (files("stromal.evidence") / "base" / "founding_record.txt").read_bytes()
TEXT = CONTENT.decode()
HEAD, STAFF = TEXT[: TEXT.index("id doaj-")], TEXT[TEXT.index("id doaj-") :]
DOI = "doi:10.3389/fimmu.2018.02013"


def read(text: str | bytes) -> list[Record | Rejected]:
    return list(catalogue_page.read(text if isinstance(text, bytes) else text.encode(), "page.txt"))


def read_one(text: str | bytes) -> Record:
    (record,) = read(text)
    assert isinstance(record, Record), record
    return record


def without(*names: str) -> str:
    """The page without some fields of its Staff View."""
    view = staff_view.read(STAFF.split("\n"))
    return HEAD + written({field.name: field.values for field in view.fields if field.name not in names})


def written(fields: dict[str, tuple[str, ...]]) -> str:
    return "\n".join(line for name, values in fields.items() for line in (f"{name} {values[0]}", *values[1:]))


def fields() -> dict[str, tuple[str, ...]]:
    return {field.name: field.values for field in staff_view.read(STAFF.split("\n")).fields}


RECORD = read_one(CONTENT)


def in_alphabetical_order(_: str) -> str:
    return HEAD + written(dict(sorted(fields().items())))


def author_first(_: str) -> str:
    return HEAD + written(dict(sorted((name, values) for name, values in fields().items() if name != "_version_")))


SAME: dict[str, Callable[[str], str | bytes]] = {
    "final newline": lambda text: text + "\n",
    "empty lines at the end": lambda text: text + "\n\n\n",
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "byte-order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "alphabetical order": in_alphabetical_order,
    "no head": lambda _: STAFF,
    "no head, alphabetical": lambda _: in_alphabetical_order("").removeprefix(HEAD),
    "tabs behind the names": lambda _: (
        HEAD
        + "\n".join(line.replace(" ", "\t", 1) if staff_view.begins_field(line) else line for line in STAFF.split("\n"))
    ),
    "names before all values": lambda _: (
        HEAD + "\n".join(f"{name} {value}" for name, values in fields().items() for value in values)
    ),
    "empty lines in the Staff View": lambda _: HEAD + STAFF.replace("\ntopic ", "\n\ntopic "),
    "labels in lines of their own": lambda _: HEAD.replace("Series:", "Series:\n") + STAFF,
}


@pytest.mark.parametrize("variant", SAME)
def test_variants_of_the_page_give_the_same_record(variant: str) -> None:
    content = SAME[variant](TEXT)
    record = read_one(content)
    assert record.item == RECORD.item
    assert record.identifiers == RECORD.identifiers
    assert [r for r in record.remarks if "names were left out" not in r] == list(RECORD.remarks)
    raw = content.encode() if isinstance(content, str) else content
    assert record.source.content == raw
    assert catalogue_page.looks_like(raw)


def test_a_stream_is_read_as_its_bytes() -> None:
    (record,) = catalogue_page.read(BytesIO(CONTENT), "page.txt")
    assert record == read_one(CONTENT)


def test_without_version_the_time_of_indexing_is_missing_and_nothing_else() -> None:
    record = read_one(author_first(TEXT))
    assert "indexed" not in record.item["custom"]
    assert record.item["author"] == RECORD.item["author"]
    assert record.item["DOI"] == RECORD.item["DOI"]


def test_without_spelling_there_is_neither_doi_nor_volume_nor_affiliation() -> None:
    record = read_one(without("spelling"))
    assert record.identifiers == ("doaj:222e9dabaf5c4ed0aedb385210026076",)
    assert not {"DOI", "volume"} & set(record.item)
    assert all("affiliation" not in name for name in record.item["author"])
    assert record.item["title"] == RECORD.item["title"]


def test_without_staff_view_only_the_head_is_read_and_said_so() -> None:
    record = read_one(HEAD)
    assert record.title == RECORD.title
    assert record.authors == RECORD.authors
    assert record.item["container-title"] == "Frontiers in Immunology"
    assert record.item["publisher"] == "Frontiers Media S.A."
    assert record.item["issued"] == {"date-parts": [[2018, 9]]}
    assert record.item["abstract"].endswith("in s...")
    assert record.origin["issued"] == "Published"
    remarks = " ".join(record.remarks)
    assert "no Staff View" in remarks
    assert "the summary of the page, which is cut" in remarks
    assert "cut at each comma" in remarks


def test_authors_of_a_head_that_may_have_commas_inside_are_left_in_the_fields() -> None:
    record = read_one(HEAD.replace("Juliette Peltzer, Marc Aletti", "Peltzer, Juliette, Aletti, Marc"))
    assert "author" not in record.item
    assert any("cannot be told apart into names" in remark for remark in record.remarks)
    assert any(field.name == "Main Authors" for field in record.fields)


def test_a_text_that_is_no_page_is_rejected_with_what_to_do() -> None:
    (rejected,) = read("A letter about cells.\n\nDear Sir,")
    assert isinstance(rejected, Rejected)
    assert "Staff View" in rejected.reason
    assert not catalogue_page.looks_like(b"A letter about cells.\n\nid cards and format wars")


@pytest.mark.parametrize(
    "start", ["TY  - JOUR\nTI  - id\nER  - ", '{"id": "doaj-1", "title": "x"}', "PMID- 1\nTI  - title"]
)
def test_other_formats_do_not_look_like_a_page(start: str) -> None:
    assert not catalogue_page.looks_like(start.encode())


def test_bytes_that_are_no_text_are_an_error_with_their_place() -> None:
    with pytest.raises(InputError, match="not UTF-8") as error:
        read(CONTENT.replace("é".encode(), b"\xe9"))
    assert "Windows-1252" in str(error.value)
    assert not catalogue_page.looks_like(b"PK\x03\x04" + CONTENT)


TOPICS = [
    "language",
    "format",
    "series",
    "physical activity",
    "url shortening",
    "title page",
    "id 7",
    "contents of cells",
]


@pytest.mark.parametrize("order", ["stored", "alphabetical"])
@pytest.mark.parametrize("topic", TOPICS)
def test_topics_that_look_like_fields_are_topics(topic: str, order: str) -> None:
    text = TEXT.replace("good manufacturing procedures\n", f"{topic}\n")
    text = text.replace("good manufacturing procedures", topic)
    if order == "alphabetical":
        named = {f.name: f.values for f in staff_view.read(text[text.index("id doaj-") :].split("\n")).fields}
        text = HEAD + written(dict(sorted(named.items())))
    record = read_one(text)
    assert record.keywords == ("cell therapy", topic, *RECORD.keywords[2:])
    same = set(record.item) - {"keyword"}
    assert {key: record.item[key] for key in same} == {key: RECORD.item[key] for key in same}


def test_without_copies_a_topic_that_looks_like_a_field_is_told() -> None:
    text = without("spelling", "spellingShingle").replace("immunomodulation", "physical activity")
    record = read_one(text)
    assert any("'physical activity'" in remark and "may be text that goes on" in remark for remark in record.remarks)


def test_an_abstract_of_several_lines_is_kept_with_its_lines() -> None:
    abstract = RECORD.item["abstract"]
    broken = abstract.replace(" Despite improvement", "\ntopic of note: despite improvement", 1)
    text = TEXT.replace(abstract + "\n", broken + "\n").replace(abstract, broken.replace("\n", " "))
    record = read_one(text)
    assert record.item["abstract"] == broken
    assert record.keywords == RECORD.keywords
    assert record.item["DOI"] == RECORD.item["DOI"]


def test_fields_of_a_site_are_kept_under_their_names() -> None:
    text = TEXT.replace("sources DOAJ\n", "sources DOAJ\ndatasource_str_mv one\ntwo\nlocal_rank 7\npartner Frontiers\n")
    record = read_one(text)
    kept = {field.name: field.values for field in record.fields}
    assert kept["datasource_str_mv"] == ("one", "two")
    assert kept["local_rank"] == ("7",)
    assert kept["partner"] == ("Frontiers",)
    assert record.item == RECORD.item


def test_a_name_of_a_field_that_is_not_of_its_form_is_told() -> None:
    record = read_one(without("spelling", "spellingShingle").replace("issn 1664-3224", "issn unknown"))
    assert any("'issn unknown'" in remark and "not of the form" in remark for remark in record.remarks)


def test_pages_behind_each_other_are_records_of_their_own() -> None:
    other = TEXT.replace("222e9dabaf5c4ed0aedb385210026076", "f" * 32).replace("02013", "02014")
    found = read(f"{TEXT}\n{other}")
    assert [one.identifiers[0] for one in found if isinstance(one, Record)] == [DOI, "doi:10.3389/fimmu.2018.02014"]
    assert [one.source.place for one in found if isinstance(one, Record)] == ["line 1", "line 72"]
    assert b"".join(one.source.content for one in found if isinstance(one, Record)).decode() == f"{TEXT}\n{other}"


def test_pages_that_run_into_each_other_are_refused() -> None:
    """The first ends with topics, and the heading of the second is not its title."""
    first = written(
        {name: values for name, values in fields().items() if name not in ("url", "work_keys_str_mv", "_version_")}
    )
    second = TEXT.replace("Rational and Challenges\n\n", "Rational and Challenges?\n\n", 1)
    found = read(f"{HEAD}{first}\n{second}")
    assert isinstance(found[0], Rejected)
    assert "file" in found[0].reason
    assert isinstance(found[1], Record)
    assert found[1].item == RECORD.item
    assert any("head of the page" in remark for remark in found[1].remarks)


def test_heads_without_staff_view_behind_each_other_are_refused() -> None:
    (rejected,) = read(f"{HEAD}\n{HEAD}")
    assert isinstance(rejected, Rejected)
    assert "2 page heads" in rejected.reason


def test_text_behind_the_page_is_kept_and_told() -> None:
    record = read_one(f"{TEXT}\nSimilar Items\nAnother paper")
    assert record.item == RECORD.item
    assert any("2 lines behind the Staff View" in remark for remark in record.remarks)
    assert any(field.values == ("Similar Items", "Another paper") for field in record.fields)


@pytest.mark.parametrize(
    "place", ["Interne", "sources DOAJ", "Martinaud\nauthor_sort", "series Front", "randomized prosp", "topic cell"]
)
def test_a_page_that_is_cut_off_says_so(place: str) -> None:
    text = TEXT[: TEXT.rindex(place) + len(place)]
    record = read_one(text)
    assert any("cut off" in remark or "differ" in remark for remark in record.remarks)
    assert "DOI" not in record.item
    assert record.title == RECORD.title


def test_an_address_that_is_cut_off_ends_no_doi() -> None:
    text = in_alphabetical_order(TEXT)
    record = read_one(text[: text.index("fimmu.2018.02013/full\nwork_keys") + len("fimmu.2018.020")])
    assert "DOI" not in record.item
    assert record.item["custom"]["unsplit_doi"] == "10.3389/fimmu.2018.02013406327"
    assert any("cut off" in remark for remark in record.remarks)


def test_a_head_of_another_page_is_told() -> None:
    text = (
        HEAD.replace("Systemic Sclerosis: Rational", "Sclerosis: Rational").replace("Marc Aletti", "Mark Allet") + STAFF
    )
    remarks = " ".join(read_one(text.replace("Systemic Sclerosis (SSc) is", "SSc is", 1)).remarks)
    assert "heading of the page is not the title" in remarks
    assert "summary of the page is not the beginning" in remarks
    assert "Main Authors of the page are not those" in remarks


def test_other_work_keys_than_those_of_the_record_are_told() -> None:
    record = read_one(TEXT.replace("AT marcaletti ", "AT mallet "))
    assert any("work_keys_str_mv: not the keys" in remark for remark in record.remarks)


@pytest.mark.parametrize(
    "description",
    ["short", "x" * 300, "x" * 301, "Crohn's & \"" * 60, "a" * 297 + "'s tail", "a" * 299 + "<b> and more"],
)
def test_a_summary_is_recognised_wherever_its_html_is_cut(description: str) -> None:
    summary = page_head.summary_of(description)
    assert page_head.begins(summary, description)
    whole = len(html.escape(description).replace("&#x27;", "&#039;")) <= 300
    assert (summary == description) == whole
    assert not page_head.begins(summary, "Something else")


def test_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "any.dat"
    path.write_bytes(CONTENT)
    (record,) = read_file(path)
    assert isinstance(record, Record)
    assert record.source.format == "catalogue_page"
    assert record.identifiers == RECORD.identifiers


def test_hostile_pages_take_bounded_time_and_give_records_or_reasons() -> None:
    many = "\n".join(f"physical thing {number}" for number in range(2000))
    start = time.perf_counter()
    assert len(read_one(TEXT.replace("immunomodulation\n", f"{many}\n")).fields) == len(RECORD.fields)
    assert len(read("id 1\n" * 5000)) == 1
    assert len(read("id 1\ntitle x\nauthor_facet y\n_version_ 1\n" * 500)) == 500
    assert isinstance(read_one(TEXT.replace("cell therapy", "physical " + "x" * 100_000)), Record)
    assert time.perf_counter() - start < 30
