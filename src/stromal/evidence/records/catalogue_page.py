"""The text of a VuFind record page: heading and summary, "Bibliographic Details", and the Staff View with all fields.

This is the form of the founding record of this package's evidence base. Pages of any VuFind are read: with the Staff
View in stored or alphabetical order, without the head, or without the Staff View; and several, one behind the other, if
the place where each begins is certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from stromal.compute.errors import InputError
from stromal.evidence.records import page_head, solr_record, staff_view
from stromal.evidence.records import vufind_schema as schema
from stromal.evidence.records.bounds import HEAD, LARGEST_WHOLE, Text, head_text
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.names import one_line
from stromal.evidence.records.page_head import Head
from stromal.evidence.records.page_parts import Part, parts
from stromal.evidence.records.record import Field, Record, Rejected, Source

FORMAT: Final = "catalogue_page"

_TELLING: Final = re.compile(
    r"^(?:id|_version_|recordtype|record_format|spelling|spellingShingle|author_facet|author_sort|title_(?:short|full|sort)"
    r"|title_fullStr|publishDate|work_keys_str_mv)[ \t]\S"
)
_PUBLISHED: Final = re.compile(r"(.*?)[ ,]*(\[?c?\d{4}(?:-\d\d){0,2}\]?)\.?")
_FILLER: Final = re.compile(r"(\d{4})-(\d\d)-01")
_SEPARATOR: Final = ", "
_LAST: Final = frozenset({"_version_", "topic", "topic_facet", "url"})
"""Fields of the schema that may be the last of a Staff View, in stored or in alphabetical order."""
_LABELS: Final[Mapping[str, str]] = {
    "format": "Format",
    "language": "Language",
    "series": "Series",
    "url": "Online Access",
    "topic": "Subjects",
    "publisher": "Published",
    "publishDate": "Published",
    "description": "(summary)",
    "edition": "Edition",
}
"""Label in the head of a page for a field, where one value of the field is one line."""


def looks_like(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a VuFind record page as text."""
    try:
        text = head_text(content[:HEAD], "")
    except InputError:
        return False
    lines = re.split(r"\r\n|\r|\n", text)
    fields = {line.split()[0] for line in lines if _TELLING.match(line)}
    if len(fields) >= 3 and fields & {"id", "_version_"}:
        return True
    table = any(line.strip() == page_head.MARKER for line in lines)
    return table and (sum(map(page_head.is_label, lines)) >= 2 or bool(fields))


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Records of the text of one or more VuFind pages.

    Parameters
    ----------
    content : bytes or binary stream
        UTF-8 (or marked UTF-16); any line ends.
    file : str
        Name of the file, for messages.

    Yields
    ------
    Record or Rejected
        A part that cannot be told from its neighbours, or has neither Staff View nor head, is rejected with the reason.

    Raises
    ------
    InputError
        The file is not text, or larger than `bounds.LARGEST_WHOLE`.
    """
    whole = content if isinstance(content, bytes) else content.read(LARGEST_WHOLE + 1)
    text = Text(whole, file)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text.whole())
    found = list(parts([line.rstrip("\r\n") for line in lines]))
    for part in found:
        place = f"line {part.start + 1}"
        if part.problem:
            yield Rejected(file, place, part.problem)
            continue
        alone = len(found) == 1
        source = Source(FORMAT, whole if alone else text.bytes_of("".join(lines[part.start : part.end])), file, place)
        yield _record(part, source)


def _record(part: Part, source: Source) -> Record | Rejected:
    head = page_head.read(part.head)
    if not part.staff:
        if head is None or not head.details:
            reason = (
                "no record: neither a Staff View nor Bibliographic Details; copy the whole page with its Staff View"
            )
            return Rejected(source.file, source.place, reason)
        return _from_head(head, source)
    view = staff_view.read(part.staff, part.staff_start + 1)
    behind = tuple(line for line in part.behind if line.strip())
    others = (Field("(lines behind the Staff View)", behind),) if behind else ()
    draft = Draft(source, (*(head.fields() if head else ()), *view.fields, *others))
    said = solr_record.said_by((one.name, one.values) for one in view.fields)
    for remark in (*part.remarks, *view.remarks):
        draft.remark(remark)
    if behind:
        draft.remark(f"{len(behind)} lines behind the Staff View ({behind[0][:60]!r}) were not read")
    solr_record.fill(draft, said, heading=head.heading if head else "")
    if head is not None:
        _compare(draft, head, said)
        if "description" not in said and head.summary:
            draft.put("abstract", head.summary, "summary of the page")
            if head.cut:
                draft.remark("there is no description; the abstract is the summary of the page, which is cut")
    last = view.fields[-1].name
    if "title" not in said or (last in schema.SINGLE | schema.SEVERAL and last not in _LAST):
        draft.remark(f"the Staff View ends with {last}: it may be cut off")
    return draft.finished()


def _compare(draft: Draft, head: Head, said: solr_record.Said) -> None:
    """Remarks on what the head says otherwise than the Staff View."""
    title = one_line(" ".join(said.get("title", ())))
    short = one_line(" ".join((*said.get("title_short", ()), *said.get("title_sub", ()))))
    if title and one_line(head.heading) not in (title, short):
        draft.remark(f"the heading of the page is not the title: {head.heading[:80]!r}")
    description = " ".join(said.get("description", ()))
    if head.summary and description and not page_head.begins(head.summary, description):
        draft.remark("the summary of the page is not the beginning of the description")
    authors = one_line(_SEPARATOR.join(said.get("author", ())))
    for label in ("Main Author", "Main Authors"):
        shown = one_line(_SEPARATOR.join(head.details.get(label, ())))
        if shown and authors and shown != authors and not authors.startswith(shown):
            draft.remark(f"{label} of the page are not those of the Staff View: {shown[:80]!r}")
    for name in ("format", "language", "series", "url"):
        shown_values = head.details.get(_LABELS[name], [])
        values = {one_line(value) for value in said.get(name, ())}
        if shown_values and values and not any(value in one_line(" ".join(shown_values)) for value in values):
            draft.remark(f"{_LABELS[name]} of the page is not {name} of the Staff View: {shown_values[0][:80]!r}")


def _from_head(head: Head, source: Source) -> Record | Rejected:
    """What a page says that has no Staff View."""
    draft = Draft(source, head.fields())
    draft.remark("there is no Staff View: only what the head of the page shows was read")
    said: dict[str, tuple[str, ...]] = {"title": (head.heading,)}
    for name in ("format", "language", "series", "topic", "edition"):
        said[name] = tuple(head.details.get(_LABELS[name], ()))
    said["url"] = tuple(one for one in head.details.get("Online Access", ()) if schema.fits("url", one))
    said["description"] = (head.summary,) if head.summary else ()
    if head.cut:
        draft.remark("the abstract is the summary of the page, which is cut")
    said["author"] = _authors(draft, head)
    said.update(_published(draft, head))
    solr_record.fill(draft, said)
    solr_record.relabel(draft, {**_LABELS, "author": "Main Authors", "title": "(heading)"})
    return draft.finished()


def _authors(draft: Draft, head: Head) -> tuple[str, ...]:
    """Authors of the head, where the commas between them cannot be commas inside a name."""
    found: list[str] = []
    for label in ("Main Author", "Main Authors"):
        for line in head.details.get(label, ()):
            names = [line] if label == "Main Author" else [name.strip() for name in line.split(_SEPARATOR)]
            if all(" " in name for name in names):
                found += names
                if len(names) > 1:
                    draft.remark(f"{label}: cut at each comma; a name with a comma inside would have been cut as well")
            else:
                draft.remark(f"{label}: {line[:80]!r} cannot be told apart into names; left in the fields")
    return tuple(found)


def _published(draft: Draft, head: Head) -> dict[str, tuple[str, ...]]:
    """Publisher and date out of ``Published: Frontiers Media S.A. 2018-09-01``."""
    for line in head.details.get("Published", ())[:1]:
        found = _PUBLISHED.fullmatch(line)
        if not found:
            draft.remark(f"Published: {line[:80]!r} was not told apart into publisher and date; left in the fields")
            return {}
        date = found.group(2)
        if filler := _FILLER.fullmatch(date):
            date = filler.group(1) if filler.group(2) == "01" else date[:-3]
            draft.remark(f"Published: in {found.group(2)!r} a part 01 may mean that it is not known; it was left out")
        return {"publisher": (found.group(1),) if found.group(1) else (), "publishDate": (date,)}
    return {}
