"""Other libraries read what we write, and read from files what we read, where they are right."""

import json
from pathlib import Path

import bibtexparser
import pytest
import rispy
from bibtexparser import middlewares

from stromal.evidence.records import bibtex, csl, ris, writing
from stromal.evidence.records.record import Record

SAMPLES = Path(__file__).parents[1] / "unit" / "evidence_samples"
ITEM = {
    "type": "article-journal",
    "title": "Cells of 10⁶/kg & SSc: 50% or $5?",
    "author": [
        {"family": "Müller", "given": "Änne"},
        {"family": "van der Berg", "given": "Jan", "suffix": "Jr"},
        {"family": "Band and Sons", "given": "A."},
    ],
    "container-title": "Journal of Results_1",
    "volume": "9",
    "issue": "3",
    "page": "101-109",
    "issued": {"date-parts": [[2018, 9, 1]]},
    "DOI": "10.5555/invented_1",
    "URL": "https://example.org/a_b?c=d&e=%20f",
    "abstract": "One line.\nAnother; with “quotes” and \\backslash.",
    "publisher": "House",
    "language": "eng",
    "ISSN": "1664-3224",
    "custom": {"keywords": ["systemic sclerosis", "Scleroderma, Systemic"]},
}


@pytest.fixture(scope="module")
def record() -> Record:
    (found,) = csl.read(json.dumps(ITEM).encode(), "x")
    assert isinstance(found, Record)
    return found


def test_rispy_reads_what_we_write(record: Record) -> None:
    (entry,) = rispy.loads(writing.text([record], "ris"))
    assert entry["type_of_reference"] == "JOUR"
    assert entry["title"] == record.title
    assert entry["authors"] == ["Müller, Änne", "van der Berg, Jan, Jr", "Band and Sons, A."]
    assert (entry["volume"], entry["number"], entry["start_page"], entry["end_page"]) == ("9", "3", "101", "109")
    assert (entry["year"], entry["date"]) == ("2018", "2018/09/01/")
    assert (entry["doi"], entry["urls"], entry["issn"]) == ("10.5555/invented_1", [ITEM["URL"]], "1664-3224")
    assert entry["keywords"] == list(record.keywords)
    assert entry["abstract"] == record.item["abstract"].replace("\n", " ")
    assert entry["alternate_title3"] == "Journal of Results_1"


def test_we_read_what_rispy_writes() -> None:
    entry = {
        "type_of_reference": "JOUR",
        "title": "A title",
        "authors": ["Peltzer, Juliette", "Aletti, Marc"],
        "journal_name": "J",
        "keywords": ["a", "b"],
        "doi": "10.5555/x",
        "year": "2018",
        "start_page": "1",
        "end_page": "9",
    }
    (found,) = ris.read(rispy.dumps([entry]).encode(), "x")
    assert isinstance(found, Record)
    assert found.authors == ("Juliette Peltzer", "Marc Aletti")
    expected = {"title": "A title", "container-title": "J", "page": "1-9", "DOI": "10.5555/x", "keyword": "a; b"}
    assert {key: found.item.get(key) for key in expected} == expected


def test_bibtexparser_splits_what_we_write_into_the_same_fields(record: Record) -> None:
    library = bibtexparser.parse_string(writing.text([record, record], "bibtex"))
    assert not library.failed_blocks
    first, second = library.entries
    assert first.key != second.key
    fields = first.fields_dict
    assert fields["year"].value == "2018"
    assert fields["month"].value == "sep"
    assert fields["pages"].value == "101--109"
    assert fields["url"].value == ITEM["URL"]
    assert fields["doi"].value == "10.5555/invented_1"
    # pylatexenc knows no braces as text, so the title has none.
    decoded = middlewares.LatexDecodingMiddleware(keep_math_mode=False)
    plain = (
        bibtexparser.parse_string(writing.text([record], "bibtex"), append_middleware=[decoded]).entries[0].fields_dict
    )
    assert plain["title"].value == record.title
    assert plain["journal"].value == "Journal of Results_1"


def test_bibtexparser_and_we_split_the_same_names(record: Record) -> None:
    split = [middlewares.SeparateCoAuthors(), middlewares.SplitNameParts()]
    library = bibtexparser.parse_string(writing.text([record], "bibtex"), append_middleware=split)
    parts = library.entries[0].fields_dict["author"].value
    assert [" ".join(name.last).strip("{}") for name in parts] == ["Müller", "van der Berg", "Band and Sons"]
    assert [" ".join(name.first) for name in parts] == ["Änne", "Jan", "A."]
    assert [" ".join(name.jr) for name in parts] == ["", "Jr", ""]


def test_bibtexparser_and_we_find_the_same_entries_and_raw_fields_in_a_file() -> None:
    text = (SAMPLES / "sample.bib").read_text(encoding="utf-8")
    theirs = bibtexparser.parse_string(text, parse_stack=[]).entries
    ours = [found for found in bibtex.read(text.encode(), "x") if isinstance(found, Record)]
    assert [found.fields[0].values[0] for found in ours] == [entry.key for entry in theirs]
    for found, entry in zip(ours, theirs, strict=True):
        raw = {field.name: field.values[0] for field in found.fields[1:]}
        assert raw == {field.key: _bare(str(field.value)) for field in entry.fields}
        assert found.source.content.decode() == entry.raw


def _bare(value: str) -> str:
    """A raw value without the braces or quotes around it."""
    return value[1:-1] if value[:1] in '{"' else value
