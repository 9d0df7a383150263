"""A record out of the stored fields of VuFind's Solr index, wherever these were read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from stromal.evidence.records import spelling, written_names
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.names import one_line, orcid

Said = Mapping[str, tuple[str, ...]]
"""Values by the name of the field."""

_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("article", "journal article", "electronic article", "earticle"), "article-journal"),
    **dict.fromkeys(("book chapter", "chapter", "book part", "ebook chapter"), "chapter"),
    **dict.fromkeys(("book", "ebook", "electronic book", "print book"), "book"),
    **dict.fromkeys(("journal", "ejournal", "serial", "periodical", "electronic journal"), "periodical"),
    **dict.fromkeys(("thesis", "dissertation", "theses", "doctoral thesis"), "thesis"),
    **dict.fromkeys(("conference proceeding", "conference paper", "conference proceedings"), "paper-conference"),
    **dict.fromkeys(("report", "technical report", "government document"), "report"),
    **dict.fromkeys(("dataset", "data set", "research data"), "dataset"),
    **dict.fromkeys(("newspaper", "newspaper article"), "article-newspaper"),
    **dict.fromkeys(("website", "web resource", "web page"), "webpage"),
    **dict.fromkeys(("video", "dvd", "film"), "motion_picture"),
    "preprint": "article",
    "manuscript": "manuscript",
    "map": "map",
    "patent": "patent",
    "software": "software",
    "review": "review",
    "musical score": "musical_score",
}
_IN_A_JOURNAL: Final = frozenset({"article-journal", "article-newspaper", "review", "paper-conference"})
_EDITORS: Final = re.compile(r"(?:edt|ed|editor|hrsg)\b.*", re.IGNORECASE)
_AUTHORS: Final = re.compile(r"(?:aut|author|creator|cre|verfasser)\b.*|", re.IGNORECASE)
_TITLES: Final = ("title", "title_full", "title_fullStr", "title_full_unstemmed", "title_short")
_ISBD: Final = re.compile(r"\s*[/:;,=]\s*\Z")
_FIRST_CLOCK: Final = datetime(2010, 1, 1, tzinfo=UTC)  # Solr has had the field since 2012
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def fill(draft: Draft, said: Said, *, heading: str = "") -> None:
    """Put what the fields say into a record.

    Parameters
    ----------
    draft : Draft
    said : mapping of str to tuple of str
        Values of every field.
    heading : str
        Title as it stands above the fields; taken where they have none.
    """
    from_doaj = _from_doaj(said)
    spelled = _spelled(said, heading) if from_doaj or _only(said, "spelling") else None
    if spelled is None and from_doaj and said.get("spelling"):
        draft.remark("spelling: not of the form that DOAJ's records give; nothing was taken from it")
    _type(draft, said)
    _title(draft, said, heading, exact=from_doaj)
    _container(draft, said)
    _people(draft, said, spelled)
    _date(draft, said, spelled, from_doaj=from_doaj)
    _plain(draft, said, from_doaj=from_doaj)
    _identify(draft, said, spelled)
    draft.add_keywords(
        said.get("topic") or said.get("topic_facet", ()), "topic" if said.get("topic") else "topic_facet"
    )
    if spelled is not None:
        _from_spelling(draft, spelled)
    _times(draft, said)
    draft.put_custom("work_keys", list(said.get("work_keys_str_mv", ())), "work_keys_str_mv")


def _only(said: Said, name: str) -> str:
    """The first value of a field, empty if there is none."""
    return next(iter(said.get(name, ())), "")


def _from_doaj(said: Said) -> bool:
    return normalised("doaj", _only(said, "id")) is not None


def _spelled(said: Said, heading: str) -> spelling.Spelling | None:
    numbers = ("container_volume", "container_issue", "container_start_page")
    volume, issue, page = (_only(said, name) for name in numbers)
    known = spelling.Known(
        identifier=_only(said, "id"),
        publisher=_only(said, "publisher"),
        journal=_only(said, "series") or _only(said, "container_title"),
        issns=tuple(said.get("issn", ())),
        date=_only(said, "publishDate"),
        numbers=(volume, issue, page),
        title=_only(said, "title") or heading,
        authors=tuple(said.get("author", ())),
        abstract=_only(said, "description"),
        addresses=tuple(said.get("url", ())),
        dois=tuple(value for name in ("doi_str_mv", "doi_str") for value in said.get(name, ())),
        topics=tuple(said.get("topic", ())),
    )
    return spelling.read("\n".join(said.get("spelling", ())), known)


def _type(draft: Draft, said: Said) -> None:
    for value in said.get("format", ()):
        draft.put("type", _TYPES.get(one_line(value).lower()), "format")
    if "type" not in draft.item:
        draft.put("type", "document", "format")
        if said.get("format"):
            draft.remark(f"format: {', '.join(map(repr, said['format']))} is no type of CSL; 'document' was taken")


def _title(draft: Draft, said: Said, heading: str, *, exact: bool) -> None:
    for name in _TITLES:
        value = _only(said, name)
        draft.put("title", value if exact else _ISBD.sub("", value), name)
    if "title" not in draft.item and heading:
        draft.put("title", heading, "heading of the page")
        draft.remark("no field gives the title; that of the heading was taken")
    short = _ISBD.sub("", one_line(_only(said, "title_short")))
    if short and short != draft.item.get("title"):
        draft.put("title-short", short, "title_short")


def _container(draft: Draft, said: Said) -> None:
    draft.put("container-title", _only(said, "container_title"), "container_title")
    series = said.get("series", ())
    key = "container-title" if draft.item["type"] in _IN_A_JOURNAL else "collection-title"
    for value in series[:1]:
        draft.put(key, _ISBD.sub("", value), "series")
    if len(series) > 1:
        draft.remark(f"series: {len(series)} values; the first was taken for the journal or series")
    draft.put("volume", _only(said, "container_volume"), "container_volume")
    draft.put("issue", _only(said, "container_issue"), "container_issue")
    draft.put("page", _only(said, "container_start_page"), "container_start_page")


def _people(draft: Draft, said: Said, spelled: spelling.Spelling | None) -> None:
    names = [written_names.split(name) for name in said.get("author", ())]
    if spelled is not None and spelled.contributors:
        for name, more in zip(names, spelled.contributors, strict=True):
            if more.affiliation:
                name["affiliation"] = [{"name": more.affiliation}]
                draft.origin.setdefault("author.affiliation", f"spelling ({spelled.how_cut})")
            if address := orcid(more.orcid):
                name["ORCID"] = address
                draft.origin.setdefault("author.ORCID", "spelling (behind the name)")
            if more.email:
                name["email"] = more.email
                draft.origin.setdefault("author.email", "spelling (behind the name)")
    origins = ["author"] * bool(names)
    editors = []
    roles = (*said.get("author2_role", ()), *said.get("author2-role", ()))
    for number, text in enumerate(said.get("author2", ())):
        role = roles[number] if len(roles) == len(said["author2"]) else ""
        if _EDITORS.fullmatch(role):
            editors.append(written_names.split(text))
        elif _AUTHORS.fullmatch(role):
            names.append(written_names.split(text))
            origins.append("author2")
        else:
            draft.remark(f"author2: {text!r} is {role!r}, neither author nor editor; left in the fields")
    bodies = [{"literal": one_line(body)} for body in said.get("author_corporate", ())]
    origins += ["author_corporate"] * bool(bodies)
    how = f" ({written_names.HOW})" if any("family" in name for name in names) else ""
    draft.put_names("author", (*names, *bodies), " and ".join(dict.fromkeys(origins)) + how)
    draft.put_names("editor", editors, f"author2 and author2_role ({written_names.HOW})")
    draft.remark(written_names.kept_whole((*names, *editors)))
    for name in draft.item.get("author", ())[:1]:
        draft.put_custom("author_sort", written_names.sorting(name), "author (the first, by family name)")


def _date(draft: Draft, said: Said, spelled: spelling.Spelling | None, *, from_doaj: bool) -> None:
    dates = [(value, "publishDate") for value in said.get("publishDate", ())]
    if spelled is not None and spelled.date and not dates:
        dates = [(spelled.date, "spelling (between ISSN and title)")]
    for text, origin in dates[:1]:
        parts = re.fullmatch(r"(\d{4})-(\d\d)-01", text.strip()) if from_doaj else None
        if parts is None:
            draft.put_date("issued", text, origin)
        elif parts.group(2) == "01":
            draft.put("issued", {"date-parts": [[int(parts.group(1))]]}, f"{origin} (the year of {text!r})")
            draft.remark(f"{origin}: {text!r} may stand for January or for no month; only the year was taken")
        else:
            month = [int(parts.group(1)), int(parts.group(2))]
            draft.put("issued", {"date-parts": [month]}, f"{origin} (the month of {text!r}: DOAJ knows no day)")
    if len(dates) > 1:
        draft.remark(f"publishDate: {len(dates)} values; the first was taken")


def _plain(draft: Draft, said: Said, *, from_doaj: bool) -> None:
    first = (("publisher", "publisher"), ("edition", "edition"), ("description", "abstract"), ("collection", "source"))
    for name, key in first:
        value = _only(said, name)
        draft.put(key, value if from_doaj or name == "description" else _ISBD.sub("", value), name)
    language = "language (that of the journal)" if from_doaj else "language"
    draft.put("language", _only(said, "language"), language)
    for name in ("publisher", "language"):
        if len(said.get(name, ())) > 1:
            draft.remark(f"{name}: {len(said[name])} values; the first was taken")
    draft.put_issn(said.get("issn", ()), "issn")
    draft.put("ISBN", ", ".join(dict.fromkeys(map(one_line, said.get("isbn", ())))), "isbn")


def _identify(draft: Draft, said: Said, spelled: spelling.Spelling | None) -> None:
    for name, values in said.items():
        scheme = re.fullmatch(r"(doi|pmid|pmcid)_(?:str|isn|txt)(?:_mv)?", name)
        for value in values if scheme else ():
            draft.identify(scheme.group(1), value, name)  # type: ignore[union-attr]
    identifier = _only(said, "id")
    if normalised("doaj", identifier):
        draft.identify("doaj", identifier, "id")
    else:
        draft.put_custom("catalogue_id", one_line(identifier), "id")
    if spelled is not None and spelled.numbers.doi:
        draft.identify("doi", spelled.numbers.doi, "spelling (behind publishDate, up to where the DOI in url ends)")
    for address in said.get("url", ()):
        if spelled is None or spelled.complete:
            draft.put_url(address, "url")
        else:
            draft.put("URL", address, "url")
            draft.remark("url: may be cut off, for spelling does not end as it should; no identifier was taken from it")


def _from_spelling(draft: Draft, spelled: spelling.Spelling) -> None:
    numbers = spelled.numbers
    for key, value in (("volume", numbers.volume), ("issue", numbers.issue), ("page", numbers.page)):
        draft.put(key, value, numbers.how)
    draft.put_custom("publisher_record", numbers.publisher_record, "spelling (between the DOI and title)")
    draft.put_custom("unsplit_numbers", numbers.unsplit, "spelling (between publishDate and title)")
    draft.put_custom("unsplit_doi", numbers.unsplit_doi, "spelling (between publishDate and title)")
    draft.put_custom("affiliations", spelled.affiliations, "spelling (between author and description)")
    draft.put_issn(spelled.issns, "spelling (before publishDate)")
    draft.put_custom("harvested", spelled.stamp, "spelling (behind id: when DOAJ last changed its record)")
    draft.put_custom("language_code", spelled.language, "spelling (behind the time stamp)")
    for remark in spelled.remarks:
        draft.remark(remark)


def _times(draft: Draft, said: Said) -> None:
    for key in ("first_indexed", "last_indexed"):
        draft.put_custom(key, _only(said, key), key)
    text = _only(said, "_version_").strip()
    if not text:
        return
    time = indexed(int(text)) if text.isdecimal() else None
    if time is None:
        draft.remark(f"_version_: {text!r} is not a time of Solr's clock")
    else:
        draft.put_custom("indexed", time, "_version_ (its upper bits: milliseconds since 1970)")


def indexed(version: int) -> str | None:
    """When Solr took a document in, by its ``_version_``: ISO 8601, UTC, milliseconds; None if it is no such time.

    The lower 20 bits count documents within one millisecond.
    """
    try:
        time = _EPOCH + timedelta(milliseconds=version >> 20)
    except OverflowError:
        return None
    if time < _FIRST_CLOCK:
        return None
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def relabel(draft: Draft, labels: Mapping[str, str]) -> None:
    """Write origins with the names that a source has for the fields of the index."""
    for key, origin in draft.origin.items():
        words = (labels.get(word, word) for word in origin.split(" (", 1)[0].split(" "))
        draft.origin[key] = " ".join(words) + origin[len(origin.split(" (", 1)[0]) :]


def said_by(fields: Iterable[tuple[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """Values by name; those of a name that is given more than once are joined."""
    said: dict[str, tuple[str, ...]] = {}
    for name, values in fields:
        said[name] = (*said.get(name, ()), *values)
    return said
