"""Where the pages in a text begin and end, and in each of them the head and the Staff View."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, final

from stromal.evidence.records import page_head, staff_view
from stromal.evidence.records import vufind_schema as schema

_NAMED: Final = frozenset(
    ["record_format", "recordtype", "spellingShingle", "author_facet", "author_sort", "title_short", "title_full"]
).union(["title_fullStr", "title_sort", "publishDate", "work_keys_str_mv", "_version_"])
"""Fields of which nearly every record has most, with names that no text begins with by chance."""
_CORE: Final = _NAMED | {"spelling", "collection", "institution", "format", "language", "author", "title"}
"""Fields of which nearly every record has most."""
_BEFORE_IDENTIFIER: Final = frozenset(("author", "author_facet", "author_sort", "collection", "description", "format"))
_FEWEST: Final = 3
_RUN_TOGETHER: Final = (
    "two records run into each other, and it cannot be told where the second begins: put each page into its own file"
)
_SPELLED: Final = re.compile(r"spelling[ \t](\S+?)[ ]?\d{4}-\d\d-\d\dT\d\d:")
_VERSION: Final = re.compile(r"_version_[ \t]+\d+[ \t]*")


@final
@dataclass(frozen=True)
class Part:
    """A part of the text that is one page.

    Attributes
    ----------
    start, end : int
        Its lines, from 0, the end not included.
    head, staff, behind : tuple of str
        Lines before the Staff View, of it, and behind it.
    staff_start : int
        Line where the Staff View begins, from 0.
    remarks : tuple of str
    problem : str
        Why the part cannot be read; empty if it can.
    """

    start: int
    end: int
    head: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    staff_start: int = 0
    remarks: tuple[str, ...] = ()
    problem: str = ""


def parts(lines: Sequence[str]) -> Iterator[Part]:
    """Pages of a text.

    Parameters
    ----------
    lines : sequence of str
        Without line ends.
    """
    ids = _identifiers(lines)
    if not ids:
        yield _without_identifier(lines)
        return
    starts = [_staff_start(lines, before, at) for before, at in pairwise((-1, *ids))]
    stops = [*starts[1:], len(lines)]
    begins: list[int | None] = [0]
    begins += [_page_start(lines, *three) for three in zip(starts, starts[1:], stops[1:], strict=False)]
    for start, following, begin, end in zip(starts, stops, begins, [*begins[1:], len(lines)], strict=True):
        whole = lines[start : following if end is None else end]
        if end is None or sum(_VERSION.fullmatch(line) is not None for line in whole) > 1:
            yield Part(start if begin is None else begin, following if end is None else end, problem=_RUN_TOGETHER)
            continue
        head = lines[start if begin is None else begin : start]
        remarks: tuple[str, ...] = ()
        if sum(line.strip() == page_head.MARKER for line in head) > 1:
            head, remarks = (), ("several page heads stand before the Staff View; none was read",)
        elif begin is None:
            remarks = ("it cannot be told where the head of the page begins; it was not read",)
        staff = whole[: _end_of_last(whole, 0, len(whole)) or len(whole)]
        behind = whole[len(staff) :]
        yield Part(start if begin is None else begin, end, tuple(head), tuple(staff), tuple(behind), start, remarks)


def _identifiers(lines: Sequence[str]) -> list[int]:
    """Lines ``id ...`` of Staff Views: the first with fields around it, and others where fields begin anew."""
    names = [staff_view.begins_field(line) for line in lines]
    candidates = [at for at, name in enumerate(names) if name == "id"]
    spelled = [_SPELLED.match(lines[at]) for at, name in enumerate(names) if name == "spelling"]
    known = {found.group(1) for found in spelled if found}
    sure = [at for at in candidates if lines[at].split(None, 1)[1].strip() in known]
    if sure and len(sure) == len(spelled) >= sum(name == "_version_" for name in names):
        return sure
    candidates = [at for at in candidates if not sure or at >= sure[0]]
    if _CORE.isdisjoint(names):
        return []
    found: list[int] = []
    seen: set[str] = set()  # fields since the last one found
    last = 0
    for at, end in pairwise((*candidates, len(lines))):
        seen.update(names[last:at])
        again = _CORE.intersection(names[at:end]) & seen
        if not found or (len(again) >= 2 and not again.isdisjoint(_NAMED)):
            found.append(at)
            seen = set()
        last = at
    return found


def _staff_start(lines: Sequence[str], before: int, at: int) -> int:
    """First line of the Staff View with the identifier in line `at`; `before` is the identifier of the page before.

    In alphabetical order the version, authors, collection, description and format stand before the identifier.
    """
    lowest = _behind_head(lines, before + 1, at)
    start = next((n for n in range(at - 1, lowest - 1, -1) if _VERSION.fullmatch(lines[n])), None)
    if start is None:
        start = lowest
        if before >= 0 and lowest == before + 1:  # no head: the page before ends with what stands behind its identifier
            names = [staff_view.begins_field(line) for line in lines[lowest:at]]
            start += 1 + max((n for n, name in enumerate(names) if name > "id"), default=-1)
    opened = [n for n in range(start, at) if "" < staff_view.begins_field(lines[n]) < "id"]
    sorted_names = {staff_view.begins_field(lines[n]) for n in opened} & _BEFORE_IDENTIFIER
    return opened[0] if sorted_names else at


def _behind_head(lines: Sequence[str], start: int, end: int) -> int:
    """First line behind the head of a page, if there is one between two lines."""
    last = start
    for number in range(start, end):
        if lines[number].strip() in (page_head.MARKER, page_head.FULL):
            last = number + 1
    while last > start and last < end and page_head.is_label(lines[last]):
        last += 1
    return last


def _page_start(lines: Sequence[str], staff: int, following: int, stop: int) -> int | None:
    """Where the page begins whose Staff View is at `following`; None if it cannot be told.

    `staff` is where the Staff View of the page before begins, `stop` where that of the next one does.
    """
    marks = (page_head.MARKER, page_head.FULL)
    head_end = next((n for n in range(staff, following) if lines[n].strip() in marks), following)
    # A line of a summary may begin as a field whose name is a word, so only the others tell where the page before goes.
    names = {n: name for n in range(staff, head_end) if (name := staff_view.begins_field(lines[n]))}
    last = max((n for n, name in names.items() if name == "url" or not schema.plain_word(name)), default=staff)
    titles = [
        line
        for line in lines[following:stop]
        if staff_view.begins_field(line) in ("title", "title_short", "title_full")
    ]
    headings = {title.split(None, 1)[1].strip() for title in titles}
    for number in range(head_end - 1, last, -1):
        if lines[number].strip() in headings:
            return number
    end = _end_of_last(lines, staff, head_end)
    return end if end is not None or head_end < following else following


def _end_of_last(lines: Sequence[str], start: int, stop: int) -> int | None:
    """Where the last field that begins in these lines ends; None if its values have no form that tells."""
    last = max((n for n in range(start, stop) if staff_view.begins_field(lines[n])), default=start)
    name = staff_view.begins_field(lines[last])
    if not schema.typed(name):
        return None
    end = last + 1
    while end < stop and not schema.single(name) and schema.fits(name, lines[end]):
        end += 1
    return end


def _without_identifier(lines: Sequence[str]) -> Part:
    """A page of which the Staff View is missing, or cut off before its identifier."""
    start = _behind_head(lines, 0, len(lines))
    names = [(n, name) for n in range(start, len(lines)) if (name := staff_view.begins_field(lines[n]))]
    heads = sum(1 for line in lines if line.strip() == page_head.MARKER)
    if heads > 1:
        problem = f"{heads} page heads without a Staff View: put each page into a file of its own"
        return Part(0, len(lines), problem=problem)
    if len({name for _, name in names} & _CORE) >= _FEWEST:
        first = names[0][0]
        remark = "the Staff View has no id: the page may be cut off"
        return Part(0, len(lines), tuple(lines[:first]), tuple(lines[first:]), (), first, (remark,))
    return Part(0, len(lines), tuple(lines))
