r"""Records as a table in CSV: one row each, columns named as in CSL.

Several names, keywords or identifiers stand in one cell, separated by ``"; "``; in them ``\;``, ``\,`` and ``\\`` stand
for the sign itself. A cell that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a
tab or a wide form of these) gets an apostrophe before it, as does one that begins with an apostrophe; the reader takes
it off again. Only tables with these columns are read, with cells of at most 131,072 characters (a spreadsheet holds a
quarter of that).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, final

from stromal.compute.errors import InputError
from stromal.evidence.records import dates
from stromal.evidence.records.bounds import LARGEST_RECORD, Text
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.record import Field, Record, Rejected, Source
from stromal.evidence.records.vocabulary import CSL_TYPES

FORMAT: Final = "csv"

_TEXTS: Final = (
    *("title", "title-short", "container-title", "container-title-short", "volume", "issue", "page", "number"),
    *("publisher", "publisher-place", "edition", "language", "source", "abstract", "note"),
)
COLUMNS: Final = (
    *("type", "author", "title", "container-title", "issued", "volume", "issue", "page", "DOI", "PMID", "PMCID", "URL"),
    *("abstract", "keyword", "ISSN", "ISBN", "publisher", "language", "editor", "identifiers"),
    *("title-short", "container-title-short", "publisher-place", "edition", "number", "source", "note"),
)
_FORMULA: Final = "=+-@\t\r＝＋－＠'"  # noqa: RUF001 - the wide forms are meant
_SIGN: Final = re.compile(r"\\.|.", re.DOTALL)


def looks_like(head: str) -> bool:
    """Whether the first line of a file names columns of this table: the title and at least one more."""
    first = next(csv.reader([re.split(r"[\r\n]", head.lstrip("\r\n"), maxsplit=1)[0]]), [])
    return "title" in first and len(set(first) & set(COLUMNS)) > 1


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of a table, row by row.

    Raises
    ------
    InputError
        The file is not text in UTF-8 (or marked UTF-16), has no column ``title``, or a quotation mark is not closed.
    """
    text = Text(content, file)
    lines = _Kept(text.lines())
    rows = csv.reader(lines, strict=True)
    number = 1
    try:
        header = next(rows, [])
        if "title" not in header or len(set(header)) < len(header):
            raise InputError(
                "the first line does not name the columns, or names one twice",
                file=file,
                place="line 1",
                value=header[:8],
                remedy=f"title and any of {', '.join(COLUMNS)}",
            )
        lines.taken()
        for row in rows:
            number, raw = lines.number, lines.taken()
            if any(row):
                yield _row(header, row, Source(FORMAT, text.bytes_of(raw), file, f"line {lines.first}"))
    except csv.Error as error:
        place = f"line {max(number, lines.number)}"
        raise InputError(
            f"not CSV: {error}", file=file, place=place, remedy='cells in "...", quotes in them doubled'
        ) from None


@final
class _Kept:
    """Lines that remember what was read since the last row."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self.number = self.first = 0
        self._lines = lines
        self._held: list[str] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        self._size += len(line)
        if self._size > LARGEST_RECORD:
            raise csv.Error(f"a row of more than {LARGEST_RECORD:,} characters")
        self._held.append(line)
        return line

    def taken(self) -> str:
        """The text of the row that was just read; `first` is its first line."""
        text = "".join(self._held)
        self.first = self.number - len(self._held) + 1
        self._held, self._size = [], 0
        return text


def _row(header: list[str], row: list[str], source: Source) -> Record | Rejected:
    if len(row) != len(header):
        return Rejected(source.file, source.place, f"{len(row)} cells where the first line has {len(header)} columns")
    draft = Draft(source, tuple(Field(name, (value,)) for name, value in zip(header, row, strict=True)))
    said = {name: _bare(value) for name, value in zip(header, row, strict=True)}
    kind = said.get("type", "")
    draft.put("type", kind if kind in CSL_TYPES else "document", "type")
    if kind not in CSL_TYPES:
        draft.remark(f"type: {kind!r} is no type of CSL; taken for a document")
    for key in _TEXTS:
        draft.put(key, said.get(key, ""), key)
    for key in ("author", "editor"):
        draft.put_names(key, map(_name, _singles(said.get(key, ""))), key)
    draft.put_date("issued", said.get("issued", ""), "issued")
    draft.add_keywords(map(_unescaped, _singles(said.get("keyword", ""))), "keyword")
    for key in ("DOI", "PMID", "PMCID"):
        draft.identify(key.lower(), said.get(key, ""), key)
    for curie in _singles(said.get("identifiers", "")):
        draft.identify_any(curie, "identifiers")
    draft.put_url(said.get("URL", ""), "URL")
    draft.put_issn(filter(None, re.split(r"[;, ]+", said.get("ISSN", ""))), "ISSN")
    draft.put("ISBN", said.get("ISBN", ""), "ISBN")
    return draft.finished()


def _bare(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in _FORMULA else cell


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] and cell[0] in _FORMULA else cell


def _singles(cell: str) -> list[str]:
    return [part for part in _cut(cell, ";") if part]


def _cut(text: str, at: str) -> list[str]:
    """Parts between the signs `at` that no backslash stands before."""
    parts = [""]
    for sign in _SIGN.findall(text):
        if sign == at:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip(" ") for part in parts]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text)


def _name(text: str) -> dict[str, Any]:
    """A name as ``Family, Given, Suffix``; without a comma it is a literal."""
    parts = [_unescaped(part) for part in _cut(text, ",")]
    if len(parts) == 1:
        return {"literal": parts[0]}
    return {key: part for key, part in zip(("family", "given", "suffix"), parts, strict=False) if part}


def _written_name(name: Mapping[str, Any]) -> str:
    if "family" not in name:
        return _escaped(str(name.get("literal", "")))
    family, given, suffix = (_escaped(str(name.get(key, ""))) for key in ("family", "given", "suffix"))
    return ", ".join((family, given, suffix)[: 3 if suffix else 2]).rstrip(" ")


def header() -> str:
    """The first line of the table, after the mark by which spreadsheets know UTF-8."""
    return "\ufeff" + _line(COLUMNS)


def write(record: Record) -> str:
    """The record as a row, with its line end."""
    item = record.item
    others = [c for c in record.identifiers if c.split(":", 1)[0] not in ("doi", "pmid", "pmcid", "url")]
    cells = {key: str(item.get(key, "")) for key in COLUMNS}
    for key in ("author", "editor"):
        cells[key] = "; ".join(map(_written_name, item.get(key, ())))
    cells["issued"] = dates.written(item.get("issued", {}))
    cells["keyword"] = "; ".join(map(_escaped, record.keywords))
    cells["identifiers"] = "; ".join(others)
    return _line(_safe(cells[key]) for key in COLUMNS)


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
