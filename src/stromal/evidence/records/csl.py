"""CSL-JSON: an array of items, one item, or one item per line (JSON lines).

What CSL has no word for stands in ``custom``: the identifiers beyond DOI, PMID and PMCID (``custom.identifiers``), the
keywords one by one where the single text of ``keyword`` could not be cut again (``custom.keywords``), and whatever
other readers of this package put there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.evidence.records import dates, names
from stromal.evidence.records.draft import KEYWORD_SEPARATOR, Draft
from stromal.evidence.records.json_text import Element, elements, fields_of
from stromal.evidence.records.record import CSL_FIELDS, Record, Rejected, Source
from stromal.evidence.records.vocabulary import CSL_TYPES

FORMAT: Final = "csl"

NAME_KEYS: Final = frozenset(
    [
        "author",
        "chair",
        "collection-editor",
        "compiler",
        "composer",
        "container-author",
        "contributor",
        "curator",
        "director",
        "editor",
        "editor-translator",
        "editorial-director",
        "executive-producer",
        "guest",
        "host",
        "illustrator",
        "interviewer",
        "narrator",
        "organizer",
        "original-author",
        "performer",
        "producer",
        "recipient",
        "reviewed-author",
        "script-writer",
        "series-creator",
        "translator",
    ]
)
DATE_KEYS: Final = frozenset({"accessed", "available-date", "event-date", "issued", "original-date", "submitted"})
_APART: Final = frozenset({"id", "type", "custom", "keyword", "DOI", "PMID", "PMCID", "URL", "ISSN", "note"})
_IN_NOTE: Final = re.compile(r"^(PMID|PMCID|DOI): *(\S+)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_TELLING: Final = frozenset({"title", "container-title", "issued", "author", "DOI", "URL", "citation-key", "abstract"})


def looks_like(keys: frozenset[str]) -> bool:
    """Whether an object with these keys is an item of CSL-JSON."""
    return bool(keys & _TELLING) and bool(keys & {"id", "type"})


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Items of a file of CSL-JSON.

    Raises
    ------
    InputError
        The file is not JSON, or none of it can be read.
    """
    for element in elements(content, file):
        yield _record(element, file) if isinstance(element, Element) else element


def _record(element: Element, file: str) -> Record | Rejected:
    said = element.value
    draft = Draft(Source(FORMAT, element.content, file, element.place), fields_of(said))
    custom = said.get("custom")
    if custom is not None and not isinstance(custom, dict):
        draft.remark("custom is not an object; left out of the item")
    custom = custom if isinstance(custom, dict) else {}
    _type(draft, said)
    for key, value in said.items():
        if key in NAME_KEYS:
            _names(draft, key, value)
        elif key in DATE_KEYS:
            date, doubt = dates.normal(value)
            draft.put(key, date, key)
            draft.remark(f"{key}: {doubt}" if doubt else "")
        elif key not in _APART:
            _value(draft, key, value)
    for key, value in custom.items():
        if key not in ("identifiers", "keywords"):
            draft.put_custom(key, value, f"custom.{key}")
    _keywords(draft, said.get("keyword"), custom.get("keywords"))
    _identify(draft, said, custom)
    return draft.finished()


def _type(draft: Draft, said: Mapping[str, Any]) -> None:
    kind = said.get("type")
    if kind not in CSL_TYPES:
        draft.remark(f"type: {kind!r} is no type of CSL; taken for a document" if kind else "there is no type")
        draft.put_custom("type", kind if isinstance(kind, str) else None, "type")
        kind = "document"
    draft.put("type", kind, "type")


def _names(draft: Draft, key: str, value: Any) -> None:
    people = [names.normal(name) for name in (value if isinstance(value, list) else [value])]
    if None in people:
        draft.remark(f"{key}: not all are names; the others were taken")
    draft.put_names(key, people, key)


def _value(draft: Draft, key: str, value: Any) -> None:
    if key not in CSL_FIELDS and not isinstance(value, str):
        draft.put(key, value, key)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        draft.put(key, str(value), key)
    elif isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        draft.put(key, value[0], key)
        draft.remark(f"{key} is a list; its first text was taken" if len(value) > 1 else "")
    elif value is not None:
        draft.remark(f"{key} is not a text; left out of the item")


def _keywords(draft: Draft, joined: Any, single: Any) -> None:
    words = [word for word in joined if isinstance(word, str)] if isinstance(joined, list) else _cut(str(joined or ""))
    if isinstance(single, list) and all(isinstance(word, str) for word in single):
        draft.add_keywords(single, "custom.keywords")
    draft.add_keywords(words if not draft.keywords else (), "keyword")


def _cut(joined: str) -> list[str]:
    """Keywords of one text: cut at semicolons, else at commas."""
    return [word.strip() for word in joined.split(";" if ";" in joined else ",") if word.strip()]


def _identify(draft: Draft, said: Mapping[str, Any], custom: Mapping[str, Any]) -> None:
    for key, scheme in (("DOI", "doi"), ("PMID", "pmid"), ("PMCID", "pmcid")):
        if said.get(key) is not None:
            draft.identify(scheme, str(said[key]), key)
    draft.identify_any(str(said.get("id", "")), "id")
    others = custom.get("identifiers")
    for curie in others if isinstance(others, list) else ():
        draft.identify_any(str(curie), "custom.identifiers")
    draft.put_url(str(said.get("URL") or ""), "URL")
    note = said.get("note")
    if isinstance(note, str):
        draft.put("note", note, "note")
        for name, value in _IN_NOTE.findall(note):  # where Zotero keeps them
            draft.identify(name.lower(), value, "note")
    issn = said.get("ISSN")
    listed = issn if isinstance(issn, list) else re.split(r"[;, ]+", str(issn or ""))
    draft.put_issn((str(number) for number in listed if number), "ISSN")


def item_of(record: Record) -> dict[str, Any]:
    """The record as an item of CSL-JSON with its ``id``; `read` gives the same record again."""
    custom = dict(record.item.get("custom", {}))
    others = [c for c in record.identifiers if c.split(":", 1)[0] not in ("doi", "pmid", "pmcid", "url")]
    if others:
        custom["identifiers"] = others
    if _cut(KEYWORD_SEPARATOR.join(record.keywords)) != list(record.keywords):
        custom["keywords"] = list(record.keywords)
    item = {"id": record.id, **{key: value for key, value in record.item.items() if key != "custom"}}
    return {**item, "custom": custom} if custom else item


def write(record: Record) -> str:
    """The record as one line of JSON, without the line end."""
    return json.dumps(item_of(record), ensure_ascii=False)
