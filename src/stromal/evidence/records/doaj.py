"""Articles of the Directory of Open Access Journals as JSON: one, a list, an answer of its search, or one per line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from stromal.evidence.records import names, written_names
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.json_text import Element, elements, fields_of, list_of, object_of, objects_of, text_of
from stromal.evidence.records.record import Record, Rejected, Source

FORMAT: Final = "doaj"

LISTS: Final = (("results",),)


def looks_like(keys: frozenset[str]) -> bool:
    """Whether an object with these keys is an article of DOAJ or an answer of its search."""
    return "bibjson" in keys or {"results", "page", "pageSize"} <= keys or {"results", "total", "query"} <= keys


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Articles of a file of DOAJ's JSON.

    Raises
    ------
    InputError
        The file is not JSON, or none of it can be read.
    """
    for element in elements(content, file, LISTS):
        yield _record(element, file) if isinstance(element, Element) else element


def _record(element: Element, file: str) -> Record | Rejected:
    said = element.value
    source = Source(FORMAT, element.content, file, element.place)
    bibjson = said.get("bibjson")
    if not isinstance(bibjson, dict):
        return Rejected(file, element.place, "there is no object bibjson: an article of DOAJ has one")
    draft = Draft(source, fields_of(said))
    draft.put("type", "article-journal", "bibjson (DOAJ holds articles of journals)")
    draft.put("title", text_of(bibjson.get("title")), "bibjson.title")
    draft.put("abstract", text_of(bibjson.get("abstract")), "bibjson.abstract")
    _journal(draft, object_of(bibjson.get("journal")))
    _authors(draft, objects_of(bibjson.get("author")))
    year, month = text_of(bibjson.get("year")), text_of(bibjson.get("month"))
    if month.isdigit():
        draft.put_date("issued", f"{year}-{month}", "bibjson.year and bibjson.month")
    draft.put_date("issued", f"{year} {month}".strip(), "bibjson.year and bibjson.month" if month else "bibjson.year")
    pages = [text_of(bibjson.get(key)) for key in ("start_page", "end_page")]
    draft.put("page", "-".join(dict.fromkeys(p for p in pages if p)), "bibjson.start_page and bibjson.end_page")
    draft.add_keywords(map(text_of, list_of(bibjson.get("keywords"))), "bibjson.keywords")
    for subject in objects_of(bibjson.get("subject")):
        draft.add_custom("subjects", {key: text_of(subject[key]) for key in subject}, "bibjson.subject")
    _identify(draft, said, bibjson)
    draft.put("source", "DOAJ", "the format of the file")
    draft.put_custom("updated", text_of(said.get("last_updated")), "last_updated")
    draft.put_custom("created", text_of(said.get("created_date")), "created_date")
    return draft.finished()


def _journal(draft: Draft, journal: Mapping[str, Any]) -> None:
    named = (("title", "container-title"), ("volume", "volume"), ("number", "issue"), ("publisher", "publisher"))
    for theirs, ours in named:
        draft.put(ours, text_of(journal.get(theirs)), f"bibjson.journal.{theirs}")
    languages = journal.get("language")
    spoken = [text_of(one) for one in (languages if isinstance(languages, list) else [languages]) if one]
    if spoken:
        draft.put("language", spoken[0], "bibjson.journal.language")
        if len(spoken) > 1:
            draft.remark(f"the journal has {len(spoken)} languages ({', '.join(spoken)}); the first was taken")


def _authors(draft: Draft, authors: list[dict[str, Any]]) -> None:
    people = []
    for author in authors:
        name = text_of(author.get("name"))
        if not name.strip():
            continue
        person = written_names.split(name)
        if address := names.orcid(text_of(author.get("orcid_id"))):
            person["ORCID"] = address
        people.append({**person, **names.affiliations(text_of(author.get("affiliation")))})
    draft.put_names("author", people, f"bibjson.author ({written_names.HOW})")
    draft.remark(written_names.kept_whole(people))


def _identify(draft: Draft, said: Mapping[str, Any], bibjson: Mapping[str, Any]) -> None:
    known = [
        (text_of(one.get("type")).lower(), text_of(one.get("id"))) for one in objects_of(bibjson.get("identifier"))
    ]
    for kind, value in known:
        if kind == "doi":
            draft.identify("doi", value, "bibjson.identifier (doi)")
    draft.put_issn(
        (value for kind, value in known if kind in ("pissn", "eissn", "issn") and value), "bibjson.identifier"
    )
    if text_of(said.get("id")):
        draft.identify("doaj", text_of(said.get("id")), "id")
    for link in objects_of(bibjson.get("link")):
        draft.put_url(text_of(link.get("url")), "bibjson.link")
