"""The format of a file is told by its content, whatever its name, and each format by one key."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stromal.evidence.records import formats, writing
from stromal.evidence.records.bounds import HEAD
from stromal.evidence.records.record import Record, Rejected

SAMPLES = Path(__file__).parent / "evidence_samples"
KEYS = {
    "sample.ris": "ris",
    "sample.bib": "bibtex",
    "sample.csl.json": "csl",
    "sample.crossref.json": "crossref",
    "sample.doaj.json": "doaj",
    "sample.oai_doaj.xml": "oai",
    "sample.oai_dc.xml": "oai",
    "sample.nbib": "nbib",
    "sample.pubmed.xml": "pubmed",
    "sample.registry.json": "registry",
    "sample.csv": "csv",
    "sample.vufind.json": "vufind",
    "sample.catalogue_page.txt": "catalogue_page",
}


def records(path: Path) -> list[Record]:
    return [one for one in formats.read_file(path) if isinstance(one, Record)]


def test_there_is_a_sample_of_every_format() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(KEYS)
    assert set(KEYS.values()) == set(formats.FORMATS)


@pytest.mark.parametrize("sample", KEYS)
def test_each_format_is_told_from_all_others(sample: str) -> None:
    content = (SAMPLES / sample).read_bytes()
    assert formats.detected(content, "x") == KEYS[sample]
    found = records(SAMPLES / sample)
    assert found
    assert {one.source.format for one in found} == {KEYS[sample]}


@pytest.mark.parametrize("sample", KEYS)
def test_the_name_of_the_file_does_not_matter(tmp_path: Path, sample: str) -> None:
    for name in ("records.ris", "records.json", "records"):
        path = tmp_path / name
        path.write_bytes((SAMPLES / sample).read_bytes())
        assert [one.item for one in records(path)] == [one.item for one in records(SAMPLES / sample)]


@pytest.mark.parametrize("sample", KEYS)
def test_blank_lines_and_marks_before_the_content_do_not_matter(sample: str) -> None:
    content = (SAMPLES / sample).read_bytes().removeprefix(b"\xef\xbb\xbf")
    for start in (b"\xef\xbb\xbf", b"\n\n", b"\r\n"):
        if sample.endswith(".pubmed.xml") and start != b"\xef\xbb\xbf":
            continue  # an XML declaration must come first
        assert formats.detected(start + content, "x") == KEYS[sample]


def hidden(quoted: str) -> Iterator[tuple[str, str]]:
    """Files whose abstract quotes the beginning of another format, by key."""
    yield "ris", f"TY  - JOUR\nTI  - x\nAB  - y\n{quoted}\nER  - \n"
    yield "bibtex", f"@article{{a,\n title = {{x}},\n abstract = {{y\n{quoted}}}\n}}\n"
    yield "csl", json.dumps([{"id": "a", "type": "book", "title": "x", "abstract": quoted}])
    yield "nbib", "PMID- 1\nTI  - x\nAB  - y\n      " + quoted.replace("\n", "\n      ") + "\n"
    yield "csv", 'title,type,abstract\nx,book,"' + quoted.replace('"', '""') + '"\n'
    text = quoted.replace("&", "&amp;").replace("<", "&lt;")
    yield "pubmed", f"<PubmedArticleSet><PubmedArticle><a>{text}</a></PubmedArticle></PubmedArticleSet>"


@pytest.mark.parametrize(
    "quoted",
    [
        "TY  - JOUR\nTI  - z",
        "@article{b, title = q}",
        '{"protocolSection": {"identificationModule": 1}, "bibjson": {}}',
        '"response": {"docs": []}, "record_format": "x", "spelling": "y"',
        "PMID- 7\nOWN - NLM",
        "<PubmedArticleSet><OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'>",
        "title,author,type\na,b,c",
    ],
)
def test_a_format_quoted_inside_another_is_not_taken_for_it(quoted: str) -> None:
    for key, text in hidden(quoted):
        assert formats.detected(text.encode(), "x") == key, key


@pytest.mark.parametrize("form", ["ris", "bibtex", "csl", "jsonl", "csv"])
@pytest.mark.parametrize("sample", KEYS)
def test_what_is_written_is_told_and_names_the_same_works(tmp_path: Path, sample: str, form: str) -> None:
    path = tmp_path / "export"
    before = records(SAMPLES / sample)
    assert writing.write(before, path, form) == len(before)
    assert formats.detected(path.read_bytes()[:HEAD], "x") == ("csl" if form == "jsonl" else form)
    after = records(path)
    assert [one.identifiers for one in after] == [one.identifiers for one in before]
    for key in (
        "type",
        "title",
        "container-title",
        "volume",
        "issue",
        "page",
        "issued",
        "DOI",
        "PMID",
        "URL",
        "abstract",
        "ISSN",
    ):
        assert [one.item.get(key) for one in after] == [one.item.get(key) for one in before], key
    assert [one.authors for one in after] == [one.authors for one in before]


def test_a_json_list_without_records_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("[]\n")
    assert list(formats.read_file(path)) == []


def test_a_first_record_longer_than_the_head_is_told_by_its_first_keys() -> None:
    long = json.dumps([{"id": "a", "type": "book", "title": "x", "abstract": '\\"[{' * HEAD}]).encode()
    assert formats.detected(long[:HEAD], "x") == "csl"


def test_a_given_format_is_taken_at_its_word(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes((SAMPLES / "sample.ris").read_bytes())
    assert len(list(formats.read_file(path, "ris"))) == 2
    with pytest.raises(Exception, match="no BibTeX entry"):
        list(formats.read_file(path, "bibtex"))


def test_records_know_their_file_and_place() -> None:
    for sample in KEYS:
        for one in formats.read_file(SAMPLES / sample):
            file = one.file if isinstance(one, Rejected) else one.source.file
            place = one.place if isinstance(one, Rejected) else one.source.place
            assert file == str(SAMPLES / sample)
            assert place.startswith(("line ", "record "))
