"""Hostile, broken and huge files: a clear error or the good records, in bounded memory."""

import codecs
import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.records import (
    bibtex,
    bounds,
    crossref,
    csl,
    doaj,
    formats,
    nbib,
    oai,
    pubmed,
    registry,
    ris,
    table,
)
from stromal.evidence.records.record import Record, Rejected

SAMPLES = Path(__file__).parent / "evidence_samples"
Read = Callable[[bytes | BinaryIO, str], Iterator[Record | Rejected]]
RIS = b"TY  - JOUR\nTI  - Title %d\nER  - \n"
LINE_OF_JSON = b'{"id": "x%d", "type": "book", "title": "Title"}\n'
NBIB = b"PMID- %d\nTI  - Title\n\n"
ROW = b"book,Title %d\n"
ARTICLE = (
    b"<PubmedArticle><MedlineCitation><PMID>%d</PMID><Article><ArticleTitle>T</ArticleTitle></Article>"
    b"</MedlineCitation></PubmedArticle>\n"
)


class Endless(io.RawIOBase):
    """A stream that goes on for ever, and counts what was taken."""

    def __init__(self, start: bytes, piece: bytes) -> None:
        self.taken = 0
        self._start, self._piece = start, piece

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "all of an endless file was asked for"
        count = size // len(self._piece) + 1
        text = self._start + self._piece * count
        self._start = b""
        self.taken += len(text)
        return text


def records(read: Read, content: bytes) -> list[Record | Rejected]:
    return list(read(content, "file"))


def titles(found: list[Record | Rejected]) -> list[str]:
    return [one.title for one in found if isinstance(one, Record)]


@pytest.mark.parametrize(
    ("read", "start", "piece"),
    [
        (ris.read, b"", RIS),
        (nbib.read, b"", NBIB),
        (csl.read, b"", LINE_OF_JSON),
        (csl.read, b"[", LINE_OF_JSON.strip() + b","),
        (table.read, b"type,title\n", ROW),
        (pubmed.read, b"<PubmedArticleSet>", ARTICLE),
    ],
    ids=["ris", "nbib", "json lines", "json array", "csv", "xml"],
)
def test_a_file_without_end_is_read_record_by_record(
    monkeypatch: pytest.MonkeyPatch, read: Read, start: bytes, piece: bytes
) -> None:
    monkeypatch.setattr(bounds, "PIECE", 2**16)
    stream = Endless(start, piece.replace(b"%d", b"7"))
    first = list(islice(read(cast(BinaryIO, stream), "file"), 200))
    assert all(isinstance(one, Record) for one in first)
    assert stream.taken < 4 * bounds.PIECE


@pytest.mark.parametrize(
    ("read", "start", "piece"),
    [
        (ris.read, b"TY  - JOUR\nTI  - ", b"x" * 4096),
        (nbib.read, b"PMID- 1\nTI  - ", b"word " * 800),
        (csl.read, b'{"a": 1}\n{"title": "', b"x" * 4096),
        (csl.read, b'[{"title": "', b"x" * 4096),
        (csl.read, b"[", b"[" * 4096),
        (csl.read, b'{"title": "', b"x" * 4096),
        (bibtex.read, b"@article{a, title = {", b"x" * 4096),
        (table.read, b'title,type\n"', b"x" * 4096),
        (table.read, b'title,type\n"', b"x\n" * 2048),
        (pubmed.read, b"<PubmedArticleSet><PubmedArticle>", b"<a>x</a>" * 512),
        (pubmed.read, b"<PubmedArticleSet><!-- ", b"x" * 4096),
        (pubmed.read, b"<PubmedArticleSet><PubmedArticle a='", b"x" * 4096),
    ],
)
def test_a_record_or_line_without_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, read: Read, start: bytes, piece: bytes
) -> None:
    for module in (bounds, bibtex, nbib, ris, table):
        monkeypatch.setattr(module, "LARGEST_RECORD", 2**21, raising=False)
    for name in ("stromal.evidence.records.json_text", "stromal.evidence.records.xml_text"):
        monkeypatch.setattr(f"{name}.LARGEST_RECORD", 2**21)
    monkeypatch.setattr(bounds, "LARGEST_WHOLE", 2**22)
    stream = Endless(start, piece)
    with pytest.raises(InputError) as caught:
        list(read(cast(BinaryIO, stream), "file"))
    assert caught.value.file == "file"
    assert stream.taken < 2**23


def test_a_large_record_between_others_is_rejected_and_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ris, "LARGEST_RECORD", 200)
    found = records(ris.read, RIS % 1 + b"TY  - JOUR\nTI  - a\n" + b"KW  - word\n" * 50 + b"ER  - \n" + RIS % 2)
    assert titles(found) == ["Title 1", "Title 2"]
    assert "200 characters" in next(one.reason for one in found if isinstance(one, Rejected))


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.ris", RIS % 1)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (zipped(), "zip"),
        (gzip.compress(RIS % 1, mtime=0), "gunzip"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"SQLite format 3\x00" + b"\0" * 100, "SQLite"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"TY  - JOUR\nTI  - a\0b\nER  - \n", "zero byte"),
        ((RIS % 1).decode().encode("utf-16-le"), "byte-order mark"),
        (codecs.BOM_UTF32_LE + (RIS % 1).decode().encode("utf-32-le"), "UTF-32"),
        (b"<!DOCTYPE html><html><body>TY  - JOUR</body></html>", "web page"),
        (b"Just a few words about nothing.", "not known"),
        (b'<?xml version="1.0"?><records><other/></records>', "<records>"),
        (b'{"foo": 1}', "foo"),
        (b"42", "not known"),
    ],
)
def test_what_is_no_file_of_records_is_refused_with_a_remedy(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "records.ris"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        formats.read_file(path)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("path", ["missing.ris", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="file"):
        formats.read_file(tmp_path / path)


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bibtex"):
        formats.read_file(tmp_path / "x", format="endnote")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "sample", ["sample.ris", "sample.nbib", "sample.bib", "sample.csl.json", "sample.csv", "sample.oai_doaj.xml"]
)
def test_encodings_and_line_ends_do_not_matter(tmp_path: Path, sample: str, encoding: str, end: str) -> None:
    if sample.endswith((".xml", ".bib", ".csv")) and end == "\r" and not sample.endswith(".xml"):
        end = "\r\n"  # a lone carriage return is no line end in these
    text = (SAMPLES / sample).read_text(encoding="utf-8-sig")
    plain = list(formats.read_file(SAMPLES / sample))
    changed = text.replace("\r\n", "\n").replace("\n", end).replace('encoding="UTF-8"', "")
    path = tmp_path / "x"
    path.write_bytes(changed.encode(encoding))
    again = list(formats.read_file(path))
    assert [one.item for one in again if isinstance(one, Record)] == [
        one.item for one in plain if isinstance(one, Record)
    ]
    # The bytes of each record are bytes of the file.
    assert all(one.source.content in path.read_bytes() for one in again if isinstance(one, Record))


@pytest.mark.parametrize("read", [ris.read, bibtex.read, csl.read, nbib.read, table.read])
def test_a_byte_of_another_encoding_is_named_with_its_place(read: Read) -> None:
    content = b"TY  - JOUR\nTI  - caf\xe9\nER  - \n"
    with pytest.raises(InputError) as caught:
        records(read, content)
    assert caught.value.place == "byte 21 (line 2)"
    assert caught.value.value == "0xE9"
    assert "WINDOWS-1252" in caught.value.remedy
    assert "'é'" in caught.value.remedy


def test_a_character_cut_by_a_piece_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PIECE", 7)
    content = "TY  - JOUR\r\nTI  - ééé李明😀\r\nER  - \r\n".encode()
    assert titles(records(ris.read, content)) == ["ééé李明😀"]
    late = content.replace(b"ER", b"\xff")
    with pytest.raises(InputError, match=r"byte 37 \(line 3\)"):
        records(ris.read, late)


BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;"><!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;">
]><PubmedArticleSet><PubmedArticle>&lol3;</PubmedArticle></PubmedArticleSet>"""


@pytest.mark.parametrize("read", [pubmed.read, oai.read])
@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><record>&x;</record>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://example.invalid/x.dtd">%x;]><record/>',
        b"<!DOCTYPE a [<!ELEMENT a ANY>]><record/>",
    ],
)
def test_xml_with_declarations_of_its_own_is_refused(read: Read, content: bytes) -> None:
    with pytest.raises(InputError, match="not safe"):
        records(read, content)


def test_an_external_document_type_is_let_through_and_not_fetched() -> None:
    content = b'<!DOCTYPE PubmedArticleSet PUBLIC "x" "http://example.invalid/x.dtd"><PubmedArticleSet>' + ARTICLE % 7
    assert titles(records(pubmed.read, content + b"</PubmedArticleSet>")) == ["T"]
    undefined = content.replace(b"<ArticleTitle>T", b"<ArticleTitle>&eacute;")
    with pytest.raises(InputError, match="undefined entity"):
        records(pubmed.read, undefined)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deeply_nested_files_are_refused(depth: int) -> None:
    with pytest.raises(InputError, match="deeper"):
        records(pubmed.read, b"<a>" * depth)
    with pytest.raises(InputError, match="deeper"):
        records(csl.read, b'{"a":' * depth + b"1" + b"}" * depth)
    found = records(bibtex.read, b"@article{a, title = {" + b"{" * depth + b"}" * depth + b"}}\n@article{b, title={B}}")
    assert titles(found) == ["B"]


def test_an_array_that_is_all_depth_is_rejected_or_refused() -> None:
    (rejected,) = records(csl.read, b"[" * 100 + b"]" * 100)
    assert isinstance(rejected, Rejected)
    assert "deeper" in rejected.reason
    with pytest.raises(InputError, match="deeper"):
        records(csl.read, b"[" * 100_000 + b"]" * 100_000)


def test_a_deep_record_does_not_take_the_others_with_it() -> None:
    deep = b'{"id": "d", "title": ' + b"[" * 500 + b"]" * 500 + b"}"
    ok = b'{"id": "%d", "type": "book", "title": "ok"}'
    found = records(csl.read, b"[" + ok % 1 + b"," + deep + b"," + ok % 2 + b"]")
    assert [type(one) for one in found] == [Record, Rejected, Record]
    assert found[1].place == "record 2"  # type: ignore[union-attr]  # Rejected, as was just seen


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"type": "book", "title": "a", "title": "b"}', "twice"),
        ('{"title": "\\ud800"}', "surrogate"),
        ('{"title": "a\\u0000b"}', "zero character"),
        ('{"title": NaN}', "NaN"),
        ('{"title": tru}', "not JSON"),
        ('{"title": ' + "1" * 5000 + "}", "digits"),
        ('"text"', "not an object"),
        ("[]", "not an object"),
        ("{}", "neither title"),
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_a_broken_record_of_json_is_rejected_with_its_place(bad: str, said: str, lines: bool) -> None:
    good = '{"type": "book", "title": "good"}'
    text = "\n".join((good, bad, good)) if lines else f"[{good},\n{bad},\n{good}]"
    found = records(csl.read, text.encode())
    assert titles(found) == ["good", "good"]
    (rejected,) = (one for one in found if isinstance(one, Rejected))
    assert said in rejected.reason
    assert rejected.place == ("line 2" if lines else "record 2")


def cut_off(sample: str, mark: bytes) -> bytes:
    content = (SAMPLES / sample).read_bytes()
    return content[: content.rindex(mark)]


@pytest.mark.parametrize(
    ("read", "sample", "mark"),
    [
        (csl.read, "sample.csl.json", b"chapter"),
        (pubmed.read, "sample.pubmed.xml", b"</PubmedBookArticle>"),
        (bibtex.read, "sample.bib", b"University"),
    ],
)
def test_of_a_file_that_breaks_off_the_whole_records_are_read_and_the_rest_is_said(
    read: Read, sample: str, mark: bytes
) -> None:
    found = records(read, cut_off(sample, mark))
    assert isinstance(found[0], Record)
    assert isinstance(found[-1], Rejected)


def test_a_ris_record_that_breaks_off_says_so() -> None:
    (_, last) = (one for one in records(ris.read, cut_off("sample.ris", b"ER")) if isinstance(one, Record))
    assert any("cut off" in remark for remark in last.remarks)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (csl.read, b'[{"a": '),
        (csl.read, b"nothing"),
        (crossref.read, b'{"message": {"items": [{"DOI": '),
        (doaj.read, b'{"results": 3'),
        (registry.read, b'{"studies": [}'),
        (pubmed.read, b"<PubmedArticleSet><PubmedArticle>"),
        (pubmed.read, b'<?xml version="1.0" encoding="no-such"?><a/>'),
        (oai.read, b"no xml"),
        (ris.read, b"no tags\n"),
        (nbib.read, b"no tags\n"),
        (bibtex.read, b"no entries\n"),
        (table.read, b"a,b\n1,2\n"),
        (table.read, b'title,type\n"x"y,z\n'),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_an_error_with_a_place_and_a_remedy(read: Read, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        records(read, content)
    assert caught.value.file == "file"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (ris.read, b"TY  - JOUR\nSN  - " + b" (" * 200_000 + b"\nER  - \n"),
        (ris.read, b"TY  - JOUR\nTI  - x\nDA  - " + b"Jan " * 100_000 + b"\nER  - \n"),
        (bibtex.read, b"@a{" * 100_000),
        (bibtex.read, b"\n@a{b,c=d" * 30_000),
        (bibtex.read, b"@article{a, title={" + b"$" * 100_000 + b"\\'" * 100_000 + b"}}"),
        (bibtex.read, b"@article{a, title={x}, author={" + b" and" * 50_000 + b"}}"),
        (nbib.read, b"PMID- 1\nTI  - x\n" + b"AU  - \n" * 100_000),
        (csl.read, b"[" + b'{"a":,},' * 20_000 + b'{"title": "x", "type": "book"}]'),
        (crossref.read, json.dumps({"title": ["<" * 200_000 + "<a " * 100_000]}).encode()),
        (table.read, b'title,author\nx,"' + b"\\;," * 40_000 + b'"\n'),
    ],
    ids=range(10),
)
def test_hostile_text_takes_no_more_than_a_moment(read: Read, content: bytes) -> None:
    start = time.process_time()
    list(read(content, "file"))
    # Linear work takes a tenth of this on a slow core; work in the square of the length takes hours.
    assert time.process_time() - start < 10.0


@pytest.mark.parametrize(
    "keys", [("title", 7), ("author", "x"), ("author", [7, None]), ("issued", "2018"), ("custom", 3), ("keyword", {})]
)
def test_values_of_the_wrong_kind_are_left_out_with_a_remark(keys: tuple[str, Any]) -> None:
    name, value = keys
    (found,) = records(csl.read, json.dumps({"type": "book", "title": "t", "DOI": "10.5555/x", name: value}).encode())
    assert isinstance(found, Record)
    assert found.item.get(name) != value or name == "keyword"
    assert dict.fromkeys(field.name for field in found.fields).keys() >= {name}
