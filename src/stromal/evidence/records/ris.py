"""RIS: lines of a tag of two characters, two blanks, a hyphen, a blank and a value, from ``TY`` to ``ER``.

The reader is our own because rispy 0.10 loses data: a second value of a tag that it takes for single, a last record
without ``ER``, the order of tags, line ends inside a value, the place in the file and the bytes. The tests compare
both where rispy is right.

What RIS has no tag for is written so: identifiers as ``AN`` with their prefix (``AN  - PMID:30237797``), a PMCID as
``C2`` (as EndNote does), a type without code as ``TY  - GEN`` and ``M3  - post-weblog``, dates finer or coarser than
year, month and day in the fourth part of ``DA`` as EDTF, and a new line inside a value as a line that begins with six
blanks. A family name of several words without a given name comes back as a ``literal``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, final

from stromal.compute.errors import InputError
from stromal.evidence.records import dates, names
from stromal.evidence.records.bounds import LARGEST_RECORD, Text
from stromal.evidence.records.draft import Draft, grouped
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.record import Record, Rejected, Source
from stromal.evidence.records.vocabulary import CSL_TYPES, pairs

FORMAT: Final = "ris"

_STRICT: Final = re.compile(r"([A-Z][A-Z0-9])  -(?: ([^\r\n]*)|)[\r\n]*\Z")
_LOOSE: Final = re.compile(r"([A-Z][A-Z0-9])[ \t]+-(?:[ \t]([^\r\n]*)|)[\r\n]*\Z")
_PREAMBLE: Final = re.compile(r"(?:Provider|Database|Content|Source|Query|Version)\b ?:")
_NUMBER: Final = re.compile(r"\d+\.")  # some programs number the records
_START: Final = re.compile(r"^TY[ \t]{1,2}-", re.MULTILINE)
_INDENT: Final = "      "
_SHORT_BLANKS: Final = re.compile(rf" {{0,{len(_INDENT) - 1}}}\t*")
_ISBN: Final = re.compile(r"(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx]")

_TYPES: Final[Mapping[str, str]] = pairs(
    """
    JOUR=article-journal MGZN=article-magazine NEWS=article-newspaper BOOK=book CHAP=chapter CONF=paper-conference
    THES=thesis RPRT=report DATA=dataset COMP=software ELEC=webpage BLOG=post-weblog PAT=patent UNPB=manuscript
    GEN=document CASE=legal_case BILL=bill STAT=legislation HEAR=hearing MAP=map MUSIC=musical_score SOUND=song
    VIDEO=motion_picture ART=graphic FIGURE=figure PCOMM=personal_communication ENCYC=entry-encyclopedia
    DICT=entry-dictionary SLIDE=speech STAND=standard JFULL=periodical CLSWK=classic
    """
)
_MORE_TYPES: Final[Mapping[str, str]] = pairs(
    """
    EJOUR=article-journal INPR=article-journal ABST=article-journal CPAPER=paper-conference EBOOK=book EDBOOK=book
    WHOLE=book SER=book ECHAP=chapter MANSCPT=manuscript DBASE=dataset AGGR=dataset WEB=webpage GOVDOC=report
    LEGAL=legislation MPCT=motion_picture ICOMM=personal_communication CHART=figure ANCIENT=classic
    """
)
"""Codes that share a type of CSL with one above: read, and not written."""
_CODES: Final[Mapping[str, str]] = {kind: code for code, kind in _TYPES.items()}

_COPIED: Final = (
    ("title", ("TI", "T1", "CT", "BT")),
    ("title-short", ("ST",)),
    ("container-title", ("JF", "T2", "JO", "BT", "JA", "J2", "J1")),
    ("container-title-short", ("J2", "JA", "J1", "JO")),
    ("volume", ("VL",)),
    ("issue", ("IS",)),
    ("number", ("M1",)),
    ("publisher", ("PB",)),
    ("publisher-place", ("CY", "PP")),
    ("edition", ("ET",)),
    ("language", ("LA",)),
    ("abstract", ("AB", "N2")),
    ("source", ("DB",)),
)
_WRITTEN: Final = (
    *(("title", "TI"), ("title-short", "ST"), ("volume", "VL"), ("issue", "IS"), ("number", "M1")),
    *(("publisher", "PB"), ("publisher-place", "CY"), ("edition", "ET"), ("language", "LA"), ("source", "DB")),
)


def looks_like(head: str) -> int | None:
    """Place of the first ``TY  -`` line in the first text of a file, None if there is none."""
    found = _START.search(head)
    return found.start() if found else None


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of a RIS file, read line by line.

    A record without ``ER`` is taken, with a remark; lines outside records are given as `Rejected`.

    Raises
    ------
    InputError
        The file is not text in UTF-8 (or marked UTF-16), or has no ``TY`` line.
    """
    text = Text(content, file)
    block, stray, found = _Block(), _Block(), False
    for number, line in text.lines():
        if _START.match(line) and (not block.lines or block.tag(line)):
            if block.lines:
                yield _record(block, text, ended=False)
            if stray.lines:
                yield stray.rejected(file)
            block, stray, found = _Block(), _Block(), True
            block.add(number, line)
        elif block.lines:
            block.add(number, line)
            tag = block.tag(line)
            if tag is not None and tag[0] == "ER":
                yield _record(block, text, ended=True)
                block = _Block()
        elif line.strip() and not _NUMBER.fullmatch(line.strip()) and (found or not _PREAMBLE.match(line)):
            stray.add(number, line)
    if block.lines:
        yield _record(block, text, ended=False)
    if not found:
        raise InputError(
            "no line begins with 'TY  -'", file=file, place="line 1", remedy="records as 'TY  - JOUR' ... 'ER  -'"
        )
    if stray.lines:
        yield stray.rejected(file)


@final
class _Block:
    """Lines that belong together."""

    def __init__(self) -> None:
        self.number = 0
        self.lines: list[str] = []
        self.size = 0
        self._pattern = _STRICT

    def add(self, number: int, line: str) -> None:
        if not self.lines:
            self.number = number
            # Some programs write one blank before the hyphen; then lines of text such as "IL - 6" cannot be told.
            self._pattern = _STRICT if _STRICT.match(line) else _LOOSE
        self.size += len(line)
        if self.size <= LARGEST_RECORD:
            self.lines.append(line)

    def tag(self, line: str) -> tuple[str, str] | None:
        found = self._pattern.match(line)
        return (found.group(1), found.group(2) or "") if found else None

    def rejected(self, file: str) -> Rejected:
        shown = self.lines[0].strip()[:60]
        return Rejected(file, f"line {self.number}", f"text outside a record ({shown!r}): records go from TY to ER")

    def pairs(self) -> list[tuple[str, str]]:
        """Tags and values; lines without a tag go on with the value before them, after a line end."""
        found: list[tuple[str, str]] = []
        empty = 0
        for line in self.lines:
            tag = self.tag(line)
            if tag is not None:
                found.append(tag)
                empty = 0
            elif (text := line.rstrip("\r\n")).startswith(_INDENT) or text.strip():
                name, value = found[-1]
                found[-1] = (name, value + "\n" * (empty + 1) + text.removeprefix(_INDENT))
                empty = 0
            else:
                empty += 1
        return found


def _record(block: _Block, text: Text, *, ended: bool) -> Record | Rejected:
    place = f"line {block.number}"
    if block.size > LARGEST_RECORD:
        return Rejected(text.file, place, f"a record of more than {LARGEST_RECORD:,} characters")
    pairs = block.pairs()
    content = text.bytes_of("".join(block.lines))
    draft = Draft(Source(FORMAT, content, text.file, place), grouped(pairs))
    if not ended:
        draft.remark("the record has no end (no ER line): it may be cut off")
    tags: dict[str, list[str]] = {}
    for tag, value in pairs:
        if value.strip():
            tags.setdefault(tag, []).append(value)
    _fill(draft, tags)
    return draft.finished()


def _fill(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    _type(draft, tags)
    for key, wanted in _COPIED:
        for tag in wanted:
            if tag in ("T2", "BT") and key == "container-title" and draft.item["type"] == "book":
                continue  # the titles of the series and of the book itself
            for value in tags.get(tag, ())[:1]:
                if key != "container-title-short" or draft.item.get("container-title") != names.one_line(value):
                    draft.put(key, value, tag)
    series = "T2" if draft.item["type"] == "book" else "C3"
    draft.put("collection-title", tags.get(series, [""])[0], series)
    _people(draft, tags)
    _date(draft, tags)
    _pages(draft, tags)
    draft.put("note", "\n".join(tags.get("N1", ())), "N1")
    draft.add_keywords((word for value in tags.get("KW", ()) for word in value.split("\n")), "KW")
    if any(";" in word for word in draft.keywords):
        draft.remark("KW: a keyword has a semicolon and may be several; it was kept as one")
    _identify(draft, tags)
    for tag in ("TI", "T1", "AB", "PY", "VL", "IS", "DO", "JF", "T2"):
        if len(set(tags.get(tag, ()))) > 1:
            draft.remark(f"{tag} is given {len(tags[tag])} times; the first was taken")


def _type(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    code = tags.get("TY", [""])[0].strip()
    stated = tags.get("M3", [""])[0].strip()
    if code == "GEN" and stated in CSL_TYPES:
        draft.put("type", stated, "M3")
    else:
        known = _TYPES.get(code.upper()) or _MORE_TYPES.get(code.upper())
        draft.put("type", known or "document", "TY")
    if code.upper() not in {**_TYPES, **_MORE_TYPES}:
        draft.remark(f"TY: {code!r} is no known type of reference; taken for a document")


def _people(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    for key, wanted in (("author", ("AU", "A1")), ("editor", ("ED", "A2"))):
        for tag in wanted:
            written = [one for value in tags.get(tag, ()) for one in value.split("\n") if one.strip()]
            people = [names.inverted(one) for one in written]
            draft.put_names(key, people, tag)
            unsure = [n["literal"] for n, one in zip(people, written, strict=True) if "literal" in n and "," not in one]
            if unsure:
                draft.remark(f"{tag}: {unsure[0]!r} has no comma between family and given name; kept as one text")


def _date(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    """The finest of the dates of the record; years that differ are remarked on."""
    found = []
    for tag in ("DA", "PY", "Y1"):
        for value in tags.get(tag, ())[:1]:
            # Some databases write a day without its year.
            bare = tag == "DA" and not re.search(r"\d{4}", value) and "PY" in tags
            found.append((tag, *_parsed(f"{tags['PY'][0].strip(' /')} {value}" if bare else value)))
    if not found:
        return
    known = [f for f in found if "date-parts" in f[1]] or found
    best = max(known, key=lambda f: (len(f[1].get("date-parts", [[]])[0]), len(f[1]), len(f[1].get("date-parts", ()))))
    draft.put("issued", best[1], best[0])
    draft.remark(f"{best[0]}: {best[2]}" if best[2] else "")
    if len({f[1]["date-parts"][0][0] for f in known if "date-parts" in f[1]}) > 1:
        draft.remark(f"{' and '.join(f[0] for f in known)} give different years; {best[0]} was taken")


def _parsed(value: str) -> tuple[dict[str, Any], str]:
    """A date as ``year/month/day/other``, any of which may be missing; `other` counts if it goes with the year."""
    year, month, day, other = ([part.strip() for part in value.split("/", 3)] + [""] * 3)[:4]
    plain = dates.parsed("-".join(part for part in (year, month, day) if part) or other)
    if not other or month or value.count("/") < 3:
        return plain
    for said in (other, f"{year} {other}"):
        date, doubt = dates.parsed(said)
        if not doubt and (not year or date["date-parts"][0][:1] == plain[0].get("date-parts", [[]])[0][:1]):
            return date, doubt
    return plain


def _pages(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    start, end = (names.one_line(tags.get(tag, [""])[0]) for tag in ("SP", "EP"))
    whole = start if not end or (start.endswith(f"-{end}")) else f"{start}-{end}"
    draft.put("page", whole, "SP" if whole == start else "SP and EP")
    draft.put("page", tags.get("C7", [""])[0], "C7")


def _identify(draft: Draft, tags: Mapping[str, list[str]]) -> None:
    for value in tags.get("DO", ()):
        draft.identify("doi", value, "DO")
    for tag in ("M3", "L3"):  # where some publishers put it
        for value in tags.get(tag, ()):
            if "DOI" not in draft.item and normalised("doi", value.strip()):
                draft.identify("doi", value, tag)
    databases = " ".join((*tags.get("DB", ()), *tags.get("DP", ())))
    for value in tags.get("AN", ()):
        known = draft.identify_any(value, "AN")
        if not known and value.strip().isdigit() and re.search(r"pubmed|medline", databases, re.IGNORECASE):
            draft.identify("pmid", value, "AN (the database is PubMed)")
    for value in tags.get("C2", ()):
        if normalised("pmcid", value.strip()):
            draft.identify("pmcid", value, "C2")
    for value in tags.get("ID", ()):
        draft.identify_any(value, "ID")
    for value in tags.get("UR", ()):
        for address in value.split("\n"):
            draft.put_url(address, "UR")
    numbers = [
        one for value in tags.get("SN", ()) for one in re.split(r"[;,\n]| \([^()]*\)| (?=\d{4}-)", value) if one.strip()
    ]
    books = [one.strip() for one in numbers if _ISBN.fullmatch(one.strip())]
    draft.put("ISBN", ", ".join(books), "SN")
    draft.put_issn([one for one in numbers if one.strip() not in books], "SN")


def write(record: Record) -> str:
    """The record in RIS, with line feeds and an empty line after it."""
    item = record.item
    lines: list[tuple[str, str]] = []
    kind = str(item.get("type", "document"))
    lines.append(("TY", _CODES.get(kind, "GEN")))
    if kind not in _CODES:
        lines.append(("M3", kind))
    lines += (("AU", names.written_inverted(name)) for name in item.get("author", ()))
    lines += (("ED", names.written_inverted(name)) for name in item.get("editor", ()))
    lines += ((tag, str(item[key])) for key, tag in _WRITTEN if key in item)
    whole = "JF" if kind in ("article-journal", "book") else "T2"
    series = "T2" if kind == "book" else "C3"
    places = (("container-title", whole), ("container-title-short", "J2"), ("collection-title", series))
    lines += ((tag, str(item[key])) for key, tag in places if key in item)
    lines += _written_date(item.get("issued", {}))
    page = str(item.get("page", ""))
    span = re.fullmatch(r"(\S+?)-(\S+)", page)
    pages = (("SP", span.group(1)), ("EP", span.group(2))) if span else (("SP", page),)
    lines += (line for line in pages if line[1])
    lines += (("SN", number) for key in ("ISSN", "ISBN") for number in str(item.get(key, "")).split(", ") if number)
    lines += _written_identifiers(record)
    lines += (("KW", word) for word in record.keywords)
    lines += ((tag, str(item[key])) for key, tag in (("abstract", "AB"), ("note", "N1")) if key in item)
    body = "".join(f"{tag}  - {value.replace(chr(10), chr(10) + _INDENT)}\n" for tag, value in lines)
    return f"{body}ER  - \n\n"


def _written_date(issued: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    text = dates.written(issued)
    simple = re.fullmatch(r"(-?\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d\d))?)?", text)
    year = re.match(r"-?\d{4}(?!\d)", text) if "date-parts" in issued else None
    if year:
        yield "PY", year.group()
    if simple and simple.group(2):
        yield "DA", "/".join(part or "" for part in (*simple.groups(), ""))
    elif text and not simple:
        yield "DA", f"{year.group() if year else ''}///{text}"


def _written_identifiers(record: Record) -> Iterator[tuple[str, str]]:
    for curie in record.identifiers:
        scheme, accession = curie.split(":", 1)
        if scheme == "doi":
            yield "DO", accession
        elif scheme == "pmcid":
            yield "C2", accession
        elif scheme == "pmid":
            yield "AN", f"PMID:{accession}"
        elif scheme != "url":
            yield "AN", curie
    for address in (record.item.get("URL"), *record.item.get("custom", {}).get("other_urls", ())):
        if address:
            yield "UR", str(address)
