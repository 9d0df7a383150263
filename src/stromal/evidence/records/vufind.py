"""JSON of VuFind and of its Solr index: answers of ``/api/v1/record`` and ``/api/v1/search``, of Solr, documents.

The API names its fields otherwise than the index (``publicationDates`` is ``publishDate``); with ``rawData`` an answer
has both, and those of the index are taken. A ``fullRecord`` in DOAJ's XML or Dublin Core adds what they do not say;
other full records (MARC) are kept and not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.compute.errors import InputError
from stromal.evidence.records import oai, solr_record
from stromal.evidence.records.bounds import HEAD, head_text
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.json_text import Element, elements, fields_of, list_of, object_of, text_of
from stromal.evidence.records.record import Record, Rejected, Source

FORMAT: Final = "vufind"

LISTS: Final = (("records",), ("response", "docs"), ("docs",), ("record",))

_INDEX_KEYS: Final = re.compile(
    r'"(record_format|recordtype|title_(?:short|full|fullStr|sort|auth)|author_(?:facet|sort)|spelling|spellingShingle'
    r'|publishDate|fullrecord|work_keys_str_mv|_version_)"\s*:'
)
_API_KEYS: Final = re.compile(r'"(formats|languages|subjects|urls|primaryAuthors|cleanDoi|recordPage|rawData)"\s*:')
_ANSWER: Final = re.compile(r'\s*\{\s*"(?:resultCount|responseHeader)"\s*:|"response"\s*:\s*\{[^{}\[\]]*"docs"\s*:')

_API: Final[Mapping[str, str]] = {
    "id": "id",
    "title": "title",
    "shortTitle": "title_short",
    "subTitle": "title_sub",
    "formats": "format",
    "languages": "language",
    "publishers": "publisher",
    "publicationDates": "publishDate",
    "summary": "description",
    "isbns": "isbn",
    "issns": "issn",
    "cleanDoi": "doi_str",
    "containerTitle": "container_title",
    "containerVolume": "container_volume",
    "containerIssue": "container_issue",
    "containerStartPage": "container_start_page",
    "edition": "edition",
    "primaryAuthors": "author",
    "secondaryAuthors": "author2",
    "corporateAuthors": "author_corporate",
}
"""Fields of the API that are fields of the index."""
_GROUPS: Final = (("primary", "author"), ("secondary", "author2"), ("corporate", "author_corporate"))


def looks_like(content: bytes) -> bool:
    """Whether the first bytes of a file are JSON of VuFind or Solr."""
    try:
        text = head_text(content[:HEAD], "")
    except InputError:
        return False
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return False
    keys, names = set(_INDEX_KEYS.findall(text)), set(_API_KEYS.findall(text))
    return _ANSWER.search(text) is not None or len(keys) >= 2 or ({"formats", "languages"} <= names and len(names) > 2)


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of a file of VuFind's or Solr's JSON.

    Raises
    ------
    InputError
        The file is not JSON, or none of it can be read.
    """
    for element in elements(content, file, LISTS):
        if isinstance(element, Rejected):
            yield element
        elif not _is_empty_answer(element.value):
            yield _record(element, file)


def _is_empty_answer(value: Mapping[str, Any]) -> bool:
    return value.get("resultCount") == 0 and "records" not in value


def _record(element: Element, file: str) -> Record | Rejected:
    value = element.value
    if value.get("status") == "ERROR":
        reason = f"the server answered with an error: {text_of(value.get('statusMessage')) or 'no reason given'}"
        return Rejected(file, element.place, f"{reason}; ask it again")
    draft = Draft(Source(FORMAT, element.content, file, element.place), fields_of(value))
    raw = object_of(value.get("rawData"))
    if raw or not _API_KEYS.search("".join(f'"{key}":' for key in value)):
        said = _of_index({**value, **raw} if raw else value)
        solr_record.fill(draft, said)
    else:
        said = _of_api(value)
        solr_record.fill(draft, said)
        labels = {ours: theirs for theirs, ours in _API.items() if theirs in value}
        groups = {name: f"authors.{group}" for group, name in _GROUPS if name not in labels}
        solr_record.relabel(draft, {**groups, **labels, "topic": "subjects", "url": "urls"})
    _end_page(draft, value)
    for text in (*_texts(value.get("fullRecord")), *said.get("fullrecord", ())):
        _add_full_record(draft, text, file)
    return draft.finished()


def _of_index(document: Mapping[str, Any]) -> solr_record.Said:
    """Values of a document of the index; those that are neither text nor number are none."""
    return {name: tuple(_texts(value)) for name, value in document.items() if _texts(value)}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in map(text_of, values) if text.strip()]


def _of_api(value: Mapping[str, Any]) -> solr_record.Said:
    """Values of an answer of the API, under the names of the index."""
    said = {ours: _texts(value.get(theirs)) for theirs, ours in _API.items()}
    said["description"] = ["\n".join(said["description"])] if said["description"] else []
    said["series"] = [_named(one, "name") for one in list_of(value.get("series"))]
    said["url"] = [_named(one, "url") for one in list_of(value.get("urls"))]
    said["topic"] = [" -- ".join(_texts(one)) for one in list_of(value.get("subjects"))]
    authors = object_of(value.get("authors"))
    roles: list[str] = []
    for group, name in _GROUPS:
        # PHP writes an empty list where there is none, else an object of names.
        people = object_of(authors.get(group))
        if people and not said[name]:
            said[name] = list(people)
            if group == "secondary":
                roles = [next(iter(_texts(object_of(more).get("role"))), "").strip("-") for more in people.values()]
    said["author2_role"] = roles if any(roles) else []
    return {name: tuple(filter(str.strip, values)) for name, values in said.items() if any(map(str.strip, values))}


def _named(value: Any, key: str) -> str:
    return text_of(value.get(key)) if isinstance(value, dict) else text_of(value)


def _end_page(draft: Draft, value: Mapping[str, Any]) -> None:
    first, last = draft.item.get("page", ""), text_of(value.get("containerEndPage"))
    if first and last and "-" not in first and first != last:
        draft.item["page"] = f"{first}-{last}"
        draft.origin["page"] = f"{draft.origin['page']} and containerEndPage"


def _add_full_record(draft: Draft, text: str, file: str) -> None:
    """Put in what the XML of the record says and its other fields do not."""
    if not text.lstrip().startswith("<") or ("doajArticle" not in text and "oai_dc" not in text):
        return
    try:
        inner = next(oai.read(text.encode(), file), None)
    except InputError as error:
        draft.remark(f"fullRecord: {error.what}; it was kept and not read")
        return
    if not isinstance(inner, Record):
        return
    for key, value in inner.item.items():
        if key not in ("custom", "keyword"):
            draft.put(key, value, f"fullRecord ({inner.origin.get(key, key)})")
    for key, value in inner.item.get("custom", {}).items():
        draft.put_custom(key, value, f"fullRecord ({inner.origin.get(f'custom.{key}', key)})")
    for curie in inner.identifiers:
        draft.identify_any(curie, f"fullRecord ({inner.origin.get('DOI', 'its identifier')})")
