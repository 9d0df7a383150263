"""The formats of records, and how a file's format is told: by its content, never by its name alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, final

from stromal.compute.errors import InputError
from stromal.evidence.records import (
    bibtex,
    catalogue_page,
    crossref,
    csl,
    doaj,
    nbib,
    oai,
    pubmed,
    registry,
    ris,
    table,
    vufind,
)
from stromal.evidence.records.bounds import HEAD, head_text, refuse_binary
from stromal.evidence.records.record import Record, Rejected

Read = Callable[[bytes | BinaryIO, str], Iterator[Record | Rejected]]
"""A reader: content of a file and its name, for messages, to its records."""


@final
@dataclass(frozen=True)
class Format:
    """A format of records.

    Attributes
    ----------
    name : str
        What people call it.
    read : callable
        Its reader.
    """

    name: str
    read: Read


FORMATS: Final[Mapping[str, Format]] = {
    "catalogue_page": Format("text of a VuFind record page", catalogue_page.read),
    "vufind": Format("VuFind or Solr JSON", vufind.read),
    doaj.FORMAT: Format("DOAJ article JSON", doaj.read),
    oai.FORMAT: Format("OAI-PMH XML (oai_doaj, oai_dc)", oai.read),
    pubmed.FORMAT: Format("PubMed XML", pubmed.read),
    nbib.FORMAT: Format("PubMed text (nbib, MEDLINE)", nbib.read),
    ris.FORMAT: Format("RIS", ris.read),
    bibtex.FORMAT: Format("BibTeX", bibtex.read),
    csl.FORMAT: Format("CSL-JSON, also one item per line", csl.read),
    crossref.FORMAT: Format("Crossref JSON", crossref.read),
    registry.FORMAT: Format("ClinicalTrials.gov JSON (API version 2)", registry.read),
    table.FORMAT: Format("CSV with columns named as in CSL", table.read),
}
"""Formats that can be read, by key."""

_OBJECT_KEYS: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("\s*:)?|([\[\]{}])', re.DOTALL)
_JSON: Final = (
    (registry.FORMAT, registry.looks_like),
    (doaj.FORMAT, doaj.looks_like),
    (crossref.FORMAT, crossref.looks_like),
    (csl.FORMAT, csl.looks_like),
)
_LINES: Final = ((ris.FORMAT, ris.looks_like), (nbib.FORMAT, nbib.looks_like), (bibtex.FORMAT, bibtex.looks_like))


def read_file(path: str | Path, format: str | None = None) -> Iterator[Record | Rejected]:  # noqa: A002 - its name for users
    """Records of a file.

    Parameters
    ----------
    path : path
    format : str, optional
        A key of `FORMATS`; told from the content if it is not given.

    Returns
    -------
    iterator of Record or Rejected
        In the order of the file; a part that is no record is a `Rejected`, and the others go on.

    Raises
    ------
    InputError
        At once: there is no such file or format, it is no text, or its format cannot be told. While reading: the file
        as a whole cannot be read (broken XML or JSON, another encoding, too large).
    """
    path = Path(path)
    file = str(path)
    if format is not None and format not in FORMATS:
        raise InputError("unknown format", value=format, remedy=f"one of {', '.join(FORMATS)}")
    try:
        if path.exists() and not path.is_file():
            raise InputError("not a file", file=file, remedy="a file with records (not a folder or device)")
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", file=file, remedy="an existing file you may read"
        ) from None
    refuse_binary(head, file)
    return _records(path, FORMATS[format or detected(head, file)].read)


def _records(path: Path, read: Read) -> Iterator[Record | Rejected]:
    with path.open("rb") as stream:
        yield from read(stream, str(path))


def detected(head: bytes, file: str) -> str:
    """Key of the format in `FORMATS` that content with this beginning has.

    Parameters
    ----------
    head : bytes
        The content, or at least its first `bounds.HEAD` bytes.
    file : str
        Name of the file, for messages; it does not matter for the answer.

    Raises
    ------
    InputError
        The content is no text, or of no known format.
    """
    refuse_binary(head, file)
    if _is_xml(head):
        return _xml(head, file)
    text = re.sub(r"\r\n|\r", "\n", head_text(head[:HEAD], file)).lstrip("\ufeff \t\n")
    if text[:1] in ("{", "["):
        return _json(head, text, file)
    if catalogue_page.looks_like(head):
        return "catalogue_page"
    if table.looks_like(text):
        return table.FORMAT
    # An abstract may quote another format: the first line that begins a record decides.
    places = [(place, key) for key, looks_like in _LINES if (place := looks_like(text)) is not None]
    if places:
        return min(places)[1]
    raise _unknown(file, text[:60], "")


def _unknown(file: str, value: str, hint: str) -> InputError:
    names = "; ".join(f"{key} ({known.name})" for key, known in FORMATS.items())
    return InputError(f"the format of the file is not known{hint}", file=file, value=value, remedy=names)


def _is_xml(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<"


def _xml(head: bytes, file: str) -> str:
    text = head[:HEAD].replace(b"\0", b"").decode("ascii", "ignore")  # names and addresses are ASCII in any encoding
    start = re.sub(r"<!--(?:[^-]|-(?!-))*-->", "", text)
    if re.match(r"[^<]*(?:<\?.*?\?>\s*)?<(?:!doctype\s+html|html)\b", start, re.IGNORECASE):
        remedy = "the export of the page (RIS, BibTeX or JSON)"
        raise InputError("a web page (HTML), not a file of records", file=file, value=text[:40], remedy=remedy)
    if pubmed.looks_like(start):
        return pubmed.FORMAT
    if oai.looks_like(start):
        return oai.FORMAT
    root = re.search(r"<([A-Za-z][\w:.-]*)", start)
    raise _unknown(file, f"<{root.group(1)}>" if root else text[:40], " (XML)")


def _json(head: bytes, text: str, file: str) -> str:
    keys = first_keys(text)
    # An item of CSL has a type, which no record of VuFind has; both may have little more than an id and a title.
    if "type" not in keys and not registry.looks_like(keys) and not doaj.looks_like(keys) and vufind.looks_like(head):
        return "vufind"
    for key, looks_like in _JSON:
        if looks_like(keys):
            return key
    if not keys and re.fullmatch(r"\[\s*\]\s*", text):
        return csl.FORMAT  # no records, in any of them
    raise _unknown(file, ", ".join(sorted(keys)[:8]), " (JSON with the keys shown)")


def first_keys(text: str) -> frozenset[str]:
    """Keys of the first object of a JSON text that may be cut off; not those of objects inside it."""
    keys: set[str] = set()
    depth = 0
    base = 1 if text[:1] == "{" else 2
    for found in _OBJECT_KEYS.finditer(text):
        if found.group(3):
            depth += 1 if found.group(3) in "[{" else -1
            if depth < base and found.group(3) == "}":
                break
        elif found.group(2) and depth == base:
            keys.add(found.group(1))
    return frozenset(keys)
