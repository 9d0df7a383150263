"""Works as Crossref's REST API gives them: one (``message``), a list (``message.items``), or one per line."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.evidence.records import dates, names, relations
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.json_text import Element, elements, fields_of, list_of, object_of, objects_of, text_of
from stromal.evidence.records.record import Record, Rejected, Source
from stromal.evidence.records.scripts import lowered, raised
from stromal.evidence.records.vocabulary import pairs

FORMAT: Final = "crossref"

_TYPES: Final[Mapping[str, str]] = pairs(
    """
    journal-article=article-journal posted-content=article proceedings-article=paper-conference book-chapter=chapter
    book-section=chapter book-part=chapter reference-entry=entry book=book monograph=book edited-book=book
    reference-book=book proceedings=book dissertation=thesis report=report report-component=report dataset=dataset
    database=dataset peer-review=review journal=periodical standard=standard
    """
)
_COPIED: Final = (
    *(("container-title", "container-title"), ("short-container-title", "container-title-short")),
    *(("volume", "volume"), ("issue", "issue"), ("page", "page"), ("article-number", "page")),
    *(("publisher", "publisher"), ("publisher-location", "publisher-place"), ("language", "language")),
    *(("edition-number", "edition"), ("source", "source")),
)
_MARKUP: Final = re.compile(r"</?(?:[a-z]+:)?[a-zA-Z][\w.-]*(?:\s[^<>]*)?/?>")
_RAISED: Final = re.compile(r"<(?:jats:)?sup>([^<>]*)</(?:jats:)?sup>")
_LOWERED: Final = re.compile(r"<(?:jats:)?sub>([^<>]*)</(?:jats:)?sub>")
_NEW_PARAGRAPH: Final = re.compile(r"</?(?:jats:)?(?:p|sec|title|list|list-item)\b[^<>]*>")
LISTS: Final = (("message", "items"), ("message",))


def looks_like(keys: frozenset[str]) -> bool:
    """Whether an object with these keys is an answer of Crossref, or a work in one."""
    return {"message", "message-type"} <= keys or {"DOI", "prefix", "member"} <= keys


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Works of a file of Crossref's JSON.

    Raises
    ------
    InputError
        The file is not JSON, or none of it can be read.
    """
    for element in elements(content, file, LISTS):
        yield _record(element, file) if isinstance(element, Element) else element


def _record(element: Element, file: str) -> Record | Rejected:
    said = element.value
    draft = Draft(Source(FORMAT, element.content, file, element.place), fields_of(said))
    kind = str(said.get("type", ""))
    draft.put("type", _TYPES.get(kind, "document"), "type")
    if kind not in _TYPES:
        draft.remark(f"type: {kind!r} has no counterpart in CSL; taken for a document")
    title, subtitle = _first(said.get("title")), _first(said.get("subtitle"))
    if title and subtitle and subtitle.lower() not in title.lower():
        draft.put("title", plain(f"{title.rstrip(':')}: {subtitle}"), "title and subtitle")
    draft.put("title", plain(title), "title")
    for theirs, ours in _COPIED:
        draft.put(ours, plain(_first(said.get(theirs))), theirs)
    for key in ("author", "editor"):
        draft.put_names(key, map(_name, list_of(said.get(key))), key)
    for theirs in ("issued", "published", "published-print", "published-online"):
        date, doubt = dates.normal(said.get(theirs)) if theirs in said else (None, "")
        draft.put("issued", date, theirs)
        draft.remark(f"{theirs}: {doubt}" if doubt and "issued" not in draft.item else "")
    abstract = plain(_NEW_PARAGRAPH.sub("\n", _first(said.get("abstract"))))
    draft.put("abstract", re.sub(r"^\s*Abstract\s*\n", "", abstract), "abstract")
    draft.add_keywords((plain(str(word)) for word in list_of(said.get("subject"))), "subject")
    draft.identify("doi", str(said.get("DOI", "")), "DOI")
    draft.put_url(_first(said.get("URL")), "URL")
    draft.put_issn(map(str, list_of(said.get("ISSN"))), "ISSN")
    draft.put("ISBN", ", ".join(map(str, list_of(said.get("ISBN")))), "ISBN")
    trials = (
        normalised("nct", str(t.get("clinical-trial-number", "")))
        for t in objects_of(said.get("clinical-trial-number"))
    )
    for trial in filter(None, trials):
        draft.add_custom("trials", trial, "clinical-trial-number")
    _relate(draft, said)
    return draft.finished()


def _relate(draft: Draft, said: Mapping[str, Any]) -> None:
    for key, direction in (("update-to", 0), ("updated-by", 1)):
        for update in objects_of(said.get(key)):
            kind = relations.CROSSREF.get(str(update.get("type", "")).lower(), relations.CROSSREF_OTHER)[direction]
            draft.relate(kind, normalised("doi", str(update.get("DOI", ""))), str(update.get("label", "")), key)
    for kind, others in object_of(said.get("relation")).items():
        for other in objects_of(others):
            name = str(other.get("id", ""))
            curie = normalised("doi", name) if other.get("id-type") == "doi" else None
            draft.relate(kind.replace("-", "_"), curie, "" if curie else name, f"relation.{kind}")


def _name(said: Any) -> dict[str, Any] | None:
    name = names.normal(said)
    return (
        {key: value for key, value in name.items() if key not in ("sequence", "authenticated-orcid")} if name else None
    )


def plain(text: str) -> str:
    """Text without markup of JATS or HTML and with its characters for entities."""
    text = _RAISED.sub(lambda m: raised(m.group(1)) or m.group(1), text)
    text = _LOWERED.sub(lambda m: lowered(m.group(1)) or m.group(1), text)
    return html.unescape(_MARKUP.sub("", text))


def _first(value: Any) -> str:
    return text_of(value[0] if isinstance(value, list) and value else value)
