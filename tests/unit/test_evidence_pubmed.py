"""PubMed as text and as XML: the same paper from both, with retractions, trials and the odd dates of MEDLINE."""

from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import nbib, pubmed
from stromal.evidence.records.record import Record, Rejected

SAMPLES = Path(__file__).parent / "evidence_samples"
NBIB = (SAMPLES / "sample.nbib").read_bytes()
XML = (SAMPLES / "sample.pubmed.xml").read_bytes()


def first(read: Any, content: bytes) -> Record:
    record = next(read(content, "x"))
    assert isinstance(record, Record)
    return record


def text(*lines: str) -> Record:
    return first(nbib.read, "\n".join(("PMID- 1", "TI  - x", *lines)).encode())


@pytest.mark.parametrize(("read", "content"), [(nbib.read, NBIB), (pubmed.read, XML)], ids=["nbib", "xml"])
def test_a_paper_is_the_same_from_both(read: Any, content: bytes) -> None:
    record = first(read, content)
    assert record.identifiers == ("doi:10.5555/invented.1", "pmid:12345", "pmcid:PMC678")
    expected = {
        "type": "article-journal",
        "container-title": "Journal of invented results",
        "container-title-short": "J Invent Res",
        "volume": "9",
        "issue": "3",
        "page": "101-109",
        "language": "eng",
        "ISSN": "1664-3224",
        "PMID": "12345",
        "PMCID": "PMC678",
        "source": "PubMed",
    }
    assert {key: record.item.get(key) for key in expected} == expected
    names = [{key: name.get(key) for key in ("family", "given", "suffix", "literal")} for name in record.item["author"]]
    assert names == [
        {"family": "Peltzer", "given": "Juliette", "suffix": None, "literal": None},
        {"family": "Walker", "given": "John", "suffix": "Jr", "literal": None},
        {"family": None, "given": None, "suffix": None, "literal": "Example Study Group"},
    ]
    assert record.item["author"][0]["ORCID"] == "https://orcid.org/0000-0002-1825-0097"
    custom = record.item["custom"]
    assert custom["retracted"] is True
    assert custom["trials"] == ["nct:NCT01234567"]
    assert custom["publication_types"] == ["Journal Article", "Retracted Publication"]
    assert "Scleroderma, Systemic/*therapy" in custom["mesh"]
    assert {"MSC", "Scleroderma, Systemic"} <= set(record.keywords)
    assert {"type": "retracted_by", "id": "pmid:23456"}.items() <= custom["relations"][0].items()


def test_text_goes_on_over_lines_and_a_line_with_a_hyphen_is_no_tag() -> None:
    record = first(nbib.read, NBIB)
    assert record.title.endswith("with a title that goes on")
    assert record.item["abstract"] == "BACKGROUND: IL - 6 was measured in all. METHODS: none."
    assert record.item["author"][0]["affiliation"] == [
        {"name": "Lab, Clamart, France."},
        {"name": "Hospital, Paris, France."},
    ]
    assert record.origin["title"] == "TI (without its full stop)"


def test_raised_text_abstract_parts_and_electronic_dates_of_xml() -> None:
    record = first(pubmed.read, XML)
    assert record.title == "Invented trial of ex vivo MSC at 10⁶/kg"
    assert record.item["abstract"] == "BACKGROUND: One.\nMETHODS: Two < three."
    assert record.item["issued"] == {"date-parts": [[2018, 9, 1]]}
    assert record.item["available-date"] == {"date-parts": [[2018, 8, 15]]}
    assert {"type": "corrects", "id": "doi:10.5555/older"}.items() <= record.item["custom"]["relations"][1].items()


def test_identifiers_of_cited_papers_are_not_those_of_the_paper() -> None:
    assert "doi:10.5555/cited" not in first(pubmed.read, XML).identifiers
    assert not any("several DOIs" in remark for remark in first(pubmed.read, XML).remarks)


def test_fields_and_bytes_are_kept() -> None:
    record = first(nbib.read, NBIB)
    assert record.source.content == NBIB[NBIB.index(b"PMID") : NBIB.index(b"\n\nPMID- 54321") + 1]
    assert [field.name for field in record.fields][:4] == ["PMID", "OWN", "STAT", "IS"]
    assert {field.name: field.values for field in record.fields}["STAT"] == ("MEDLINE",)
    found = first(pubmed.read, XML)
    assert found.source.content == XML[XML.index(b"<PubmedArticle>") : XML.index(b"</PubmedArticle>") + 16]
    said = {field.name: field.values for field in found.fields}
    assert said["MedlineCitation/Article/Journal/ISSN@IssnType"] == ("Electronic",)
    assert said["MedlineCitation/Article/ArticleTitle"] == (
        "Invented trial of <i>ex vivo</i> MSC at 10<sup>6</sup>/kg.",
    )
    assert len(said["MedlineCitation/Article/AuthorList/Author"]) == 3
    # A record cut out of its file is read as before.
    assert first(pubmed.read, found.source.content).item == found.item


def test_all_records_of_a_file_are_read_also_chapters() -> None:
    _, second, chapter = pubmed.read(XML, "x")
    assert isinstance(second, Record)
    assert isinstance(chapter, Record)
    assert second.item["issued"] == {"date-parts": [[2003, 12], [2004, 1]]}
    assert (chapter.item["type"], chapter.title, chapter.item["container-title"]) == (
        "chapter",
        "A chapter",
        "The book",
    )
    assert chapter.source.place == "record 3 (line 29)"
    _, short = nbib.read(NBIB, "x")
    assert isinstance(short, Record)
    assert short.item["type"] == "article"
    assert short.item["author"] == [{"family": "de la Cruz", "given": "MA"}, {"literal": "3rd Group"}]


@pytest.mark.parametrize(
    ("said", "issued"),
    [
        ("2018 Sep 1", {"date-parts": [[2018, 9, 1]]}),
        ("2018 Sep-Oct", {"date-parts": [[2018, 9], [2018, 10]]}),
        ("2018 Sep 28-Oct 4", {"date-parts": [[2018, 9, 28], [2018, 10, 4]]}),
        ("2018 Dec-2019 Jan", {"date-parts": [[2018, 12], [2019, 1]]}),
        ("2018 Winter", {"date-parts": [[2018]], "season": 4}),
        ("2018", {"date-parts": [[2018]]}),
        ("1998-1999", {"date-parts": [[1998], [1999]]}),
        ("2018 1st Quart", {"date-parts": [[2018]]}),
    ],
)
def test_dates_of_medline(said: str, issued: dict[str, Any]) -> None:
    assert text(f"DP  - {said}").item["issued"] == issued


@pytest.mark.parametrize(
    ("pages", "page"),
    [
        ("101-9", "101-109"),
        ("1013-25", "1013-1025"),
        ("e12", "e12"),
        ("S12-5", "S12-5"),
        ("101-9, 115", "101-9, 115"),
        ("9-12", "9-12"),
    ],
)
def test_shortened_pages_are_written_out(pages: str, page: str) -> None:
    assert text(f"PG  - {pages}").item["page"] == page


@pytest.mark.parametrize(
    ("tag", "relation"),
    [
        ("RIN", "retracted_by"),
        ("ROF", "retracts"),
        ("EIN", "corrected_by"),
        ("EFR", "corrects"),
        ("UIN", "updated_by"),
        ("ECI", "concern_in"),
    ],
)
def test_references_to_other_papers_are_relations(tag: str, relation: str) -> None:
    record = text(f"{tag} - J Invent Res. 2019;1:1. doi: 10.5555/n. PMID: 99")
    assert record.item["custom"]["relations"] == [
        {"type": relation, "id": "pmid:99", "text": "J Invent Res. 2019;1:1. doi: 10.5555/n. PMID: 99"}
    ]
    assert record.item["custom"].get("retracted", False) is (tag == "RIN")


def test_a_line_that_is_neither_tag_nor_continuation_rejects_its_record_only() -> None:
    found = list(nbib.read(b"PMID- 1\nTI  - a\nlost words\n\nPMID- 2\nTI  - b\n", "x"))
    assert isinstance(found[0], Rejected)
    assert found[0].place == "line 1"
    assert "line 3" in found[0].reason
    assert [one.title for one in found if isinstance(one, Record)] == ["b"]


def test_an_article_without_citation_is_rejected() -> None:
    found = list(pubmed.read(b"<PubmedArticleSet><PubmedArticle><Other/></PubmedArticle></PubmedArticleSet>", "x"))
    assert [type(one) for one in found] == [Rejected]


def test_several_dois_are_said_and_the_first_is_taken() -> None:
    record = text("AID - 10.5555/a [doi]", "LID - 10.5555/b [doi]")
    assert record.identifiers == ("doi:10.5555/a", "pmid:1")
    assert record.item["custom"]["other_dois"] == ["10.5555/b"]
    assert any("several DOIs" in remark for remark in record.remarks)
