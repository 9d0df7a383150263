"""RIS: every tag kept, odd variants of programs understood, doubts said."""

from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import ris
from stromal.evidence.records.record import Record, Rejected

SAMPLE = (Path(__file__).parent / "evidence_samples" / "sample.ris").read_bytes()


def one(*lines: str) -> Record:
    (record,) = ris.read(("\n".join(("TY  - JOUR", *lines, "ER  - ")) + "\n").encode(), "x.ris")
    assert isinstance(record, Record)
    return record


def test_every_value_is_read_and_knows_its_tag() -> None:
    first = next(ris.read(SAMPLE, "x.ris"))
    assert isinstance(first, Record)
    assert first.identifiers == ("doi:10.5555/invented.1",)
    assert dict(first.item) == {
        "type": "article-journal",
        "title": "Mesenchymal stromal cells in systemic sclerosis: an invented trial",
        "container-title": "Journal of Invented Results",
        "container-title-short": "J Invent Res",
        "volume": "9",
        "issue": "3",
        "page": "101-109",
        "issued": {"date-parts": [[2018, 9, 1]]},
        "author": [
            {"family": "Peltzer", "given": "Juliette"},
            {"family": "van der Berg", "given": "Jan", "suffix": "Jr"},
            {"literal": "Example Study Group"},
        ],
        "abstract": "Background: IL-6 and\nIL - 10 were measured.\n\nAB was not.",
        "keyword": "systemic sclerosis; Scleroderma, Systemic",
        "DOI": "10.5555/invented.1",
        "ISSN": "1664-3224",
        "URL": "https://example.org/1?a=b&c=d",
        "language": "eng",
        "note": "a note",
        "custom": {"other_urls": ["https://example.org/1.pdf"]},
    }
    assert first.keywords == ("systemic sclerosis", "Scleroderma, Systemic")
    assert {key: first.origin[key] for key in ("title", "container-title", "page", "issued", "DOI", "keywords")} == {
        "title": "TI",
        "container-title": "T2",
        "page": "SP and EP",
        "issued": "DA",
        "DOI": "DO",
        "keywords": "KW",
    }
    assert set(first.origin) >= set(first.item) - {"custom"}


def test_fields_hold_every_tag_in_its_order_and_the_source_its_bytes() -> None:
    first, second = ris.read(SAMPLE, "x.ris")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert [field.name for field in first.fields] == (
        [
            "TY",
            "AU",
            "TI",
            "T2",
            "JA",
            "PY",
            "DA",
            "VL",
            "IS",
            "SP",
            "EP",
            "SN",
            "DO",
            "UR",
            "AB",
            "KW",
            "C1",
            "LA",
            "N1",
            "ER",
        ]
    )
    said = {field.name: field.values for field in first.fields}
    assert said["C1"] == ("kept though unknown",)
    assert said["TI"] == ("Mesenchymal stromal cells in systemic sclerosis: an invented\ntrial",)
    assert said["DO"] == ("https://doi.org/10.5555/INVENTED.1",)
    assert len(said["AU"]) == 3
    assert first.source.content == SAMPLE[SAMPLE.index(b"TY") : SAMPLE.index(b"\n\nTY  - CHAP") + 1]
    assert second.source.content == SAMPLE[SAMPLE.index(b"TY  - CHAP") :]
    assert (first.source.place, second.source.place) == ("line 4", "line 33")


def test_a_chapter_has_its_book_editor_season_and_pubmed_number() -> None:
    _, chapter = ris.read(SAMPLE, "x.ris")
    assert isinstance(chapter, Record)
    assert chapter.identifiers == ("pmid:12345",)
    expected = {
        "type": "chapter",
        "title": "A chapter",
        "container-title": "The book",
        "editor": [{"family": "Éditeur", "given": "Zoé"}],
        "issued": {"date-parts": [[2003]], "season": 1},
        "page": "e12",
        "ISBN": "978-3-16-148410-0",
    }
    assert {key: chapter.item.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("lines", "issued"),
    [
        (["PY  - 2018"], {"date-parts": [[2018]]}),
        (["PY  - 2018/09/01/"], {"date-parts": [[2018, 9, 1]]}),
        (["PY  - 2018///"], {"date-parts": [[2018]]}),
        (["Y1  - 2018/9"], {"date-parts": [[2018, 9]]}),
        (["PY  - 2018", "DA  - Sep 15"], {"date-parts": [[2018, 9, 15]]}),
        (["PY  - 2018", "DA  - 2018/09//online"], {"date-parts": [[2018, 9]]}),
        (["DA  - 2018-09-01"], {"date-parts": [[2018, 9, 1]]}),
        (["PY  - in press"], {"literal": "in press"}),
        (["PY  - abc///def"], {"literal": "abc"}),
        (["DA  - ///in press"], {"literal": "in press"}),
    ],
)
def test_dates_of_many_programs_are_understood(lines: list[str], issued: dict[str, Any]) -> None:
    assert one("TI  - x", *lines).item["issued"] == issued


@pytest.mark.parametrize(
    ("lines", "remark"),
    [
        (["PY  - 2018"], "only the year"),
        (["PY  - 2018/13/01/"], "PY: of the date"),
        (["PY  - 2017", "DA  - 2018/01/01/"], "different years"),
        (["AU  - Juliette Peltzer"], "has no comma"),
        (["DO  - 10.5555/a", "DO  - 10.5555/b"], "10.5555/b was not taken"),
        (["DO  - see the paper"], "not of the form of a DOI"),
        (["DO  - 10.5555/a."], "at the end"),
        (["KW  - a; b"], "semicolon"),
        (["TI  - another"], "TI is given 2 times"),
        (["TI  - x", "T1  - Retracted: x"], ""),
    ],
)
def test_what_is_doubtful_is_remarked_on(lines: list[str], remark: str) -> None:
    assert any(remark in said for said in one("TI  - x", *lines).remarks) or not remark


def test_a_title_that_says_retracted_is_remarked_on() -> None:
    assert any("retracted" in said for said in one("TI  - RETRACTED: a paper").remarks)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Peltzer, Juliette", {"family": "Peltzer", "given": "Juliette"}),
        ("Peltzer,Juliette", {"family": "Peltzer", "given": "Juliette"}),
        ("Peltzer, J., Jr.", {"family": "Peltzer", "given": "J.", "suffix": "Jr."}),
        ("Plato", {"family": "Plato"}),
        ("WHO,", {"literal": "WHO"}),
        ("University of California,, Berkeley", {"literal": "University of California, Berkeley"}),
        ("World Health Organization", {"literal": "World Health Organization"}),
        ("O'Brien-Smith, Mary Ann", {"family": "O'Brien-Smith", "given": "Mary Ann"}),
        ("李, 明", {"family": "李", "given": "明"}),
    ],
)
def test_names_are_split_only_where_the_source_splits_them(name: str, read: dict[str, str]) -> None:
    assert one("TI  - x", f"AU  - {name}").item["author"] == [read]


def test_keywords_and_names_on_lines_without_a_tag_are_single_ones_as_endnote_writes_them() -> None:
    record = one("TI  - x", "KW  - a", "b", "c", "AU  - A, B", "C, D")
    assert record.keywords == ("a", "b", "c")
    assert record.authors == ("B A", "D C")


def test_one_blank_before_the_hyphen_is_read_where_the_whole_record_is_so() -> None:
    content = b"TY - JOUR\nAU - Peltzer, J\nTI - A title\nER -\n"
    (record,) = ris.read(content, "x")
    assert isinstance(record, Record)
    assert (record.title, record.authors) == ("A title", ("J Peltzer",))


def test_a_record_without_end_is_taken_with_a_remark_and_the_next_begins() -> None:
    first, second = ris.read(b"TY  - JOUR\nTI  - a\n\nTY  - BOOK\nTI  - b\nER  - \n", "x")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.title, second.title) == ("a", "b")
    assert any("no end" in remark for remark in first.remarks)
    assert not any("no end" in remark for remark in second.remarks)


def test_lines_outside_records_and_empty_records_are_rejected_with_their_place() -> None:
    found = list(
        ris.read(b"TY  - JOUR\nTI  - a\nER  - \nAU  - lost\nTY  - JOUR\nER  - \nTY  - X\nTI  - c\nER  - \n", "x")
    )
    rejected = [one for one in found if isinstance(one, Rejected)]
    assert [(one.place, one.reason[:12]) for one in rejected] == [
        ("line 4", "text outside"),
        ("line 5", "neither titl"),
    ]
    assert [one.title for one in found if isinstance(one, Record)] == ["a", "c"]


def test_an_unknown_type_is_a_document_with_a_remark() -> None:
    (record,) = ris.read(b"TY  - XYZ\nTI  - a\nER  - \n", "x")
    assert isinstance(record, Record)
    assert record.item["type"] == "document"
    assert any("'XYZ'" in remark for remark in record.remarks)


def test_pages_given_twice_over_are_taken_once() -> None:
    assert one("TI  - x", "SP  - 101-109", "EP  - 109").item["page"] == "101-109"


def test_a_record_known_by_nothing_bears_the_hash_of_its_bytes() -> None:
    record = one("TI  - x")
    assert record.identifiers == (f"sha256:{record.source.sha256}",)
    (again,) = ris.read(ris.write(record).encode(), "y")
    assert isinstance(again, Record)
    assert again.identifiers == record.identifiers


def test_numbers_before_records_are_passed_over() -> None:
    found = list(ris.read(b"1.\nTY  - JOUR\nTI  - a\nER  - \n\n2.\nTY  - JOUR\nTI  - b\nER  - \n", "x"))
    assert [one.title for one in found if isinstance(one, Record)] == ["a", "b"]
    assert len(found) == 2
