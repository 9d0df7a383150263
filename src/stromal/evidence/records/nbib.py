"""The MEDLINE text of PubMed (nbib): a tag of up to four characters, a hyphen, a blank; six blanks go on with a value.

The reader is our own: the package nbib drops fields, and rispy does not read this format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.compute.errors import InputError
from stromal.evidence.records import names, pubmed_terms
from stromal.evidence.records.bounds import LARGEST_RECORD, Text
from stromal.evidence.records.draft import Draft, grouped
from stromal.evidence.records.record import Record, Rejected, Source
from stromal.evidence.records.relations import NBIB

FORMAT: Final = "nbib"

_START: Final = re.compile(r"^PMID- ?\d+[ \t]*\r?$", re.MULTILINE)
_TAG: Final = re.compile(r"([A-Z][A-Z0-9]{1,3}) *- ?(.*)", re.DOTALL)
_IDENTIFIER: Final = re.compile(r"(.*) \[(\w+)\]")
_COPIED: Final = (
    *(("JT", "container-title"), ("TA", "container-title-short"), ("VI", "volume"), ("IP", "issue")),
    *(
        ("AB", "abstract"),
        ("LA", "language"),
        ("TT", "original-title"),
        ("PB", "publisher"),
        ("BTI", "container-title"),
    ),
)
_PERSON: Final = {"FAU": "author", "AU": "author", "CN": "author", "FED": "editor", "ED": "editor"}


def looks_like(head: str) -> int | None:
    """Place of the first ``PMID-`` line in the first text of a file, None if there is none."""
    found = _START.search(head)
    return found.start() if found else None


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of an nbib file, read line by line; each begins with its ``PMID``.

    Raises
    ------
    InputError
        The file is not text in UTF-8 (or marked UTF-16), or no line begins with ``PMID-``.
    """
    text = Text(content, file)
    first, lines, size, found = 0, [""], 0, False
    for number, line in text.lines():
        if _START.match(line):
            if found:
                yield _record(first, lines, size, text)
            elif any(one.strip() for one in lines):
                yield Rejected(file, "line 1", "text before the first record: a record begins with 'PMID- '")
            first, lines, size, found = number, [], 0, True
        size += len(line)
        if size <= LARGEST_RECORD:
            lines.append(line)
    if not found:
        raise InputError(
            "no line begins with 'PMID-'", file=file, place="line 1", remedy="text that PubMed saved as nbib"
        )
    yield _record(first, lines, size, text)


def _record(first: int, lines: list[str], size: int, text: Text) -> Record | Rejected:
    place = f"line {first}"
    if size > LARGEST_RECORD:
        return Rejected(text.file, place, f"a record of more than {LARGEST_RECORD:,} characters")
    while lines and not lines[-1].strip():
        lines.pop()
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(lines, first):
        bare = line.rstrip("\r\n")
        tag = _TAG.fullmatch(bare) if not bare.startswith("   ") else None
        if tag is not None:
            pairs.append((tag.group(1), tag.group(2)))
        elif bare.strip() and bare.startswith("   "):
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {bare.strip()}")
        elif bare.strip():
            return Rejected(
                text.file, place, f"line {number}: neither a tag nor six blanks at its beginning: {bare[:40]!r}"
            )
    draft = Draft(Source(FORMAT, text.bytes_of("".join(lines)), text.file, place), grouped(pairs))
    tags: dict[str, list[str]] = {}
    for name, value in pairs:
        tags.setdefault(name, []).append(value)
    _fill(draft, pairs, tags)
    return draft.finished()


def _fill(draft: Draft, pairs: list[tuple[str, str]], tags: Mapping[str, list[str]]) -> None:
    pubmed_terms.put_types(draft, tags.get("PT", ()), "PT")
    pubmed_terms.put_title(draft, tags.get("TI", [""])[0], "TI")
    for tag, key in _COPIED:
        draft.put(key, tags.get(tag, [""])[0], tag)
    pubmed_terms.put_pages(draft, tags.get("PG", [""])[0], "PG")
    if len(tags.get("LA", ())) > 1:
        draft.remark(f"LA: the paper is in {', '.join(tags['LA'])}; the first was taken")
    _people(draft, pairs)
    draft.put_date("issued", tags.get("DP", [""])[0], "DP")
    draft.add_keywords((word.lstrip("*") for word in tags.get("OT", ())), "OT")
    headings = tags.get("MH", ())
    draft.put_custom("mesh", list(headings), "MH")
    draft.add_keywords((heading.split("/")[0].strip("*") for heading in headings), "MH")
    draft.put_issn((value.split(" ")[0] for value in tags.get("IS", ())), "IS")
    draft.put("source", pubmed_terms.SOURCE, "the format of the file")
    draft.identify("pmid", tags.get("PMID", [""])[0], "PMID")
    draft.identify("pmcid", tags.get("PMC", [""])[0], "PMC")
    for tag in ("AID", "LID"):
        for value in tags.get(tag, ()):
            found = _IDENTIFIER.fullmatch(value.strip())
            if found and found.group(2) == "doi":
                draft.identify("doi", found.group(1), tag)
            elif found and found.group(2) == "pii":
                draft.put_custom("pii", found.group(1), tag)
    pubmed_terms.put_trials(draft, tags.get("SI", ()), "SI")
    for tag, value in pairs:
        if tag in NBIB:
            pubmed_terms.relate(draft, NBIB[tag], value, tag)


def _people(draft: Draft, pairs: list[tuple[str, str]]) -> None:
    """Names in their order: the short form counts only where no full one stands before it."""
    found: dict[str, list[dict[str, Any]]] = {"author": [], "editor": []}
    last: dict[str, Any] | None = None
    full = False
    for tag, value in pairs:
        if tag in ("AU", "ED") and full:
            full = False
        elif tag in _PERSON and value.strip():
            by_tag = {"FAU": names.medline_full, "FED": names.medline_full, "AU": names.medline, "ED": names.medline}
            last = by_tag[tag](value) if tag in by_tag else {"literal": names.one_line(value)}
            found[_PERSON[tag]].append(last)
            full = tag in ("FAU", "FED")
        elif tag == "AD" and last is not None:
            last.setdefault("affiliation", []).extend(names.affiliations(value).get("affiliation", ()))
        elif tag == "AUID" and last is not None and (address := names.orcid(value)):
            last["ORCID"] = address
    draft.put_names("author", found["author"], "FAU" if any(tag == "FAU" for tag, _ in pairs) else "AU")
    draft.put_names("editor", found["editor"], "FED")
