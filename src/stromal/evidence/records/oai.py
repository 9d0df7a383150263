"""OAI-PMH answers with ``oai_doaj`` (articles of DOAJ) or ``oai_dc`` (Dublin Core) metadata, or such metadata alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from stromal.evidence.records import names, written_names
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.record import Record, Rejected, Source
from stromal.evidence.records.xml_text import XmlRecord, fields_of, local, text_of, xml_records

FORMAT: Final = "oai"

_RECORDS: Final = frozenset({"record", "doajArticle", "dc"})
_DOAJ_ID: Final = re.compile(r"(?:oai:doaj\.org/article:|doaj-)([0-9a-f]{32})")
_COPIED: Final = (
    *(("title", "title"), ("journalTitle", "container-title"), ("publisher", "publisher"), ("volume", "volume")),
    *(("issue", "issue"), ("abstract", "abstract"), ("language", "language")),
)
_DC_TYPES: Final = {
    "article": "article-journal",
    "book": "book",
    "dataset": "dataset",
    "software": "software",
    "thesis": "thesis",
    "image": "graphic",
    "sound": "song",
    "report": "report",
    "review": "review",
    "preprint": "article",
}


def looks_like(head: str) -> bool:
    """Whether the first text of an XML file is of OAI-PMH, ``oai_doaj`` or ``oai_dc``."""
    return (
        re.search(r"openarchives\.org/OAI/2\.0|doaj\.org/features/oai_doaj|<(?:\w+:)?doajArticle\b", head) is not None
    )


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of an answer to ``ListRecords`` or ``GetRecord``, or of a file of bare metadata.

    A record that the repository has deleted is given as `Rejected`.

    Raises
    ------
    InputError
        The file is not well-formed XML, or is not safe to read; see `xml_text.xml_records`.
    """
    for one in xml_records(content, file, _RECORDS):
        yield _record(one, file) if isinstance(one, XmlRecord) else one


def _record(one: XmlRecord, file: str) -> Record | Rejected:
    element = one.element
    header = _child(element, "header")
    if header is not None and header.get("status") == "deleted":
        return Rejected(file, one.place, f"the repository has deleted {_said(header, 'identifier') or 'this record'}")
    body = _metadata(element)
    if body is None:
        return Rejected(file, one.place, "neither oai_doaj nor oai_dc metadata: ask the repository for one of these")
    draft = Draft(Source(FORMAT, one.content, file, one.place), fields_of(element))
    if header is not None:
        draft.put_custom("harvested", _said(header, "datestamp"), "header/datestamp")
        _take_doaj(draft, _said(header, "identifier"), "header/identifier")
    if local(body.tag) == "doajArticle":
        _doaj_article(draft, body)
    else:
        _dublin_core(draft, body)
    return draft.finished()


def _metadata(element: Element) -> Element | None:
    if local(element.tag) in ("doajArticle", "dc"):
        return element
    return next((part for part in element.iter() if local(part.tag) in ("doajArticle", "dc")), None)


def _child(element: Element | None, name: str) -> Element | None:
    return next((part for part in (element if element is not None else ()) if local(part.tag) == name), None)


def _children(element: Element | None, name: str) -> list[Element]:
    return [part for part in (element if element is not None else ()) if local(part.tag) == name]


def _said(element: Element | None, name: str) -> str:
    return text_of(_child(element, name)).strip()


def _take_doaj(draft: Draft, text: str, origin: str) -> None:
    if found := _DOAJ_ID.search(text):
        draft.identify("doaj", found.group(1), origin)


def _doaj_article(draft: Draft, body: Element) -> None:
    draft.put("type", "article-journal", "doajArticle")
    for theirs, ours in _COPIED:
        for value in map(text_of, _children(body, theirs)):
            draft.put(ours, value, theirs)
    if len(_children(body, "title")) > 1:
        draft.remark("there are titles in several languages; the first was taken")
    _take_doaj(draft, _said(body, "identifier"), "identifier")  # as VuFind's harvester puts it in
    draft.put_custom("harvested", _said(body, "datestamp"), "datestamp")
    _authors(draft, body)
    _date(draft, _said(body, "publicationDate"))
    pages = [_said(body, "startPage"), _said(body, "endPage")]
    draft.put("page", "-".join(dict.fromkeys(page for page in pages if page)), "startPage and endPage")
    draft.identify("doi", _said(body, "doi"), "doi")
    draft.put_custom("publisher_record", _said(body, "publisherRecordId"), "publisherRecordId")
    draft.put_issn((text_of(one) for name in ("issn", "eissn") for one in _children(body, name)), "issn and eissn")
    draft.put_url(_said(body, "fullTextUrl"), "fullTextUrl")
    listed = _children(body, "keywords")
    draft.add_keywords((text_of(word) for some in listed[:1] for word in _children(some, "keyword")), "keywords")
    if len(listed) > 1:
        draft.remark("there are keywords in several languages; the first were taken")
    draft.put("source", "DOAJ", "doajArticle")


def _date(draft: Draft, text: str) -> None:
    """The date of issue: DOAJ knows at most year and month, and writes 01 for what it does not know."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-01", text)
    if found and found.group(2) == "01":
        draft.put_date("issued", found.group(1), f"publicationDate (the year of {text!r})")
        draft.remark(f"publicationDate: {text!r} may stand for January or for no month; only the year was taken")
    elif found:
        draft.put_date("issued", text[:7], f"publicationDate (the month of {text!r}: DOAJ knows no day)")
    draft.put_date("issued", text, "publicationDate")


def _authors(draft: Draft, body: Element) -> None:
    places = {
        one.get("affiliationId", ""): text_of(one)
        for one in _children(_child(body, "affiliationsList"), "affiliationName")
    }
    people = []
    for author in _children(_child(body, "authors"), "author"):
        if not _said(author, "name"):
            continue
        person = written_names.split(_said(author, "name"))
        person.update(
            names.affiliations([places.get(text_of(one).strip(), "") for one in _children(author, "affiliationId")])
        )
        if address := names.orcid(_said(author, "orcid_id")):
            person["ORCID"] = address
        people.append(person)
    draft.put_names("author", people, f"authors ({written_names.HOW})")
    draft.remark(written_names.kept_whole(people))


def _dublin_core(draft: Draft, body: Element) -> None:
    said: dict[str, list[str]] = {}
    for part in body:
        if text_of(part).strip():
            said.setdefault(local(part.tag), []).append(text_of(part).strip())
    kinds = [kind.rpartition("/")[2].lower() for kind in said.get("type", ())]
    kind = next((_DC_TYPES[one] for one in kinds if one in _DC_TYPES), "")
    draft.put("type", kind or "document", "type")
    if not kind:
        draft.remark(f"type: {', '.join(said.get('type', ())) or 'none'}: taken for a document")
    for theirs, ours in (
        ("title", "title"),
        ("publisher", "publisher"),
        ("description", "abstract"),
        ("language", "language"),
    ):
        draft.put(ours, said.get(theirs, [""])[0], theirs)
        if len(said.get(theirs, ())) > 1:
            draft.remark(f"{theirs} is given {len(said[theirs])} times; the first was taken")
    people = [written_names.split(name) for name in said.get("creator", ())]
    draft.put_names("author", people, f"creator ({written_names.HOW})")
    draft.remark(written_names.kept_whole(people))
    dates = said.get("date", [])
    if dates:
        draft.put_date("issued", min(dates, key=lambda d: (d[:4], -len(d))), "date")
        if len({date[:4] for date in dates}) > 1:
            draft.remark(f"there are dates of several years ({', '.join(dates)}); the earliest was taken")
    draft.add_keywords(said.get("subject", ()), "subject")
    journal = said.get("source", [""])[0]
    draft.put("container-title", re.split(r", Vol\b|, Iss\b|;|, \d", journal)[0], "source (its beginning)")
    volume = re.search(r"\bVol\.? (\w+)", journal)
    issue = re.search(r"\b(?:Iss|No)\.? (\w+)", journal)
    pages = re.search(r"\bpp?\.? ([\w.]+(?:-[\w.]+)?)", journal)
    for key, found in (("volume", volume), ("issue", issue), ("page", pages)):
        draft.put(key, found.group(1) if found else "", "source (inside it)")
    _dc_identifiers(draft, said)


def _dc_identifiers(draft: Draft, said: dict[str, list[str]]) -> None:
    everything = [(name, value) for name in ("identifier", "relation") for value in said.get(name, ())]
    for name, value in everything:
        if name == "identifier" and normalised("doi", value):
            draft.identify("doi", value, name)
        elif re.match(r"(?:https?://)?doaj\.org/article/", value):
            draft.identify("doaj", value if "://" in value else f"https://{value}", name)
    for name, value in everything:
        if name == "identifier" and value.startswith(("http://", "https://")):
            draft.put_url(value, name)
    issns = [v for n, v in everything if n == "identifier" and re.fullmatch(r"(?:ISSN:? ?)?\d{4}-?\d{3}[\dXx]", v)]
    draft.put_issn((value[-9:].strip(" :N") for value in issns), "identifier")
