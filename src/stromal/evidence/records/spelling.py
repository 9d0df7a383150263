"""The ``spelling`` line of an article of DOAJ in VuFind: all texts of its XML, run together without separators.

It is the only place where such a page has volume, DOI, the publisher's number and affiliations. Texts that other fields
repeat are consumed from both ends; what is left between them is told apart only where something confirms the place of
the cut, and else kept as it stands, with a remark.

The order is that of DOAJ's ``oai_doaj``: identifier, time stamp, language, publisher, journal, ISSN, EISSN, date,
volume, issue, first and last page, DOI, the publisher's number, title, for each author name, e-mail, number of the
affiliation and ORCID, all affiliations, abstract, address, keywords. The number of an affiliation counts the authors
that have one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, final

from stromal.evidence.records.affiliations import cut
from stromal.evidence.records.glued_numbers import GluedNumbers, told_apart

_STAMP: Final = re.compile(r"\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_LANGUAGE: Final = re.compile(r"\s*([a-z]{3})")
_ISSN: Final = re.compile(r"\s*(\d{4}-\d{3}[\dX])")
_DATE: Final = re.compile(r"\s*(\d{4}-\d\d-\d\d)")
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_ORCID: Final = r"(?:https?://orcid\.org/)?\d{4}-\d{4}-\d{4}-\d{3}[\dX]"
_EMAIL: Final = r"[^\s@]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[a-z]{2,}"
_LONGEST_DETAILS: Final = 400  # characters between the names of two authors
_SHOWN: Final = 60


@final
@dataclass(frozen=True)
class Known:
    """What other fields of the page say; texts are compared with blanks as one, and may be empty.

    Attributes
    ----------
    identifier, publisher, journal, date, title, abstract : str
    issns, authors, topics : tuple of str
    addresses : tuple of str
        Of the full text; the first is the one in the line.
    dois : tuple of str
        DOIs that fields of their own give.
    numbers : tuple of str
        Volume, issue and first page, if fields of their own give them.
    """

    identifier: str
    publisher: str = ""
    journal: str = ""
    issns: tuple[str, ...] = ()
    date: str = ""
    numbers: tuple[str, str, str] = ("", "", "")
    title: str = ""
    authors: tuple[str, ...] = ()
    abstract: str = ""
    addresses: tuple[str, ...] = ()
    dois: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Contributor:
    """What the line says of an author beside the name; empty where it says nothing."""

    email: str = ""
    orcid: str = ""
    affiliation: str = ""


@final
@dataclass
class Spelling:
    """What the line says that no other field does.

    Attributes
    ----------
    stamp : str
        When DOAJ last changed its record (ISO 8601).
    language : str
        Code of three letters.
    issns : tuple of str
    date : str
    numbers : GluedNumbers
        What stands between date and title.
    contributors : tuple of Contributor
        One for each known author.
    affiliations : str
        All affiliations as they stand, if they could not be told apart; else empty.
    how_cut : str
        How the affiliations were told apart.
    complete : bool
        The line ends with abstract, address and keywords, so that none of these is cut off.
    residue : str
        What no field explains.
    remarks : list of str
    """

    stamp: str = ""
    language: str = ""
    issns: tuple[str, ...] = ()
    date: str = ""
    numbers: GluedNumbers = field(default_factory=GluedNumbers)
    contributors: tuple[Contributor, ...] = ()
    affiliations: str = ""
    how_cut: str = ""
    complete: bool = False
    residue: str = ""
    remarks: list[str] = field(default_factory=list)


def read(line: str, known: Known) -> Spelling | None:
    """What the line says; None if it does not begin as one of DOAJ's.

    Parameters
    ----------
    line : str
    known : Known
        What the other fields say. Where they say nothing, or something else, reading stops there with a remark.
    """
    text = _BLANKS.sub(" ", line).strip(" ")
    if not known.identifier or not text.startswith(known.identifier):
        return None
    stamp = _STAMP.match(text, len(known.identifier))
    if stamp is None:
        return None
    found = Spelling(stamp=stamp.group(1))
    cursor = _Cursor(text, stamp.end())
    blanks_between = text[len(known.identifier)] == " "
    try:
        _journal(cursor, known, found)
        middle = _title(cursor, known)
        end = _start_of_end(cursor, known)
        found.complete = end is not None
        # An address that is cut off would end a DOI too early.
        addresses = (*known.addresses, *known.dois) if found.complete else known.dois
        found.numbers = told_apart(middle, addresses, known.numbers, blanks_between=blanks_between)
        found.remarks += found.numbers.remarks
        if end is None:
            raise _NotThereError("the end with abstract, address and keywords")
        said = _authors(cursor, known, end)
        _affiliations(cursor, end, said, found)
    except _NotThereError as stop:
        found.residue = text[cursor.at :]
        shown = found.residue[:_SHOWN]
        found.remarks.append(
            f"spelling: {stop} is not at character {cursor.at + 1} ({shown!r}); nothing behind it was taken"
        )
    return found


class _NotThereError(Exception):
    """A known text is not where it should be; the message names it."""


@final
class _Cursor:
    """Place in the line."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def take(self, value: str, what: str) -> None:
        """Step over a known text; an empty one takes no place."""
        value = _one_line(value)
        at = self.at + self.text.startswith(" ", self.at)
        if value and not self.text.startswith(value, at):
            raise _NotThereError(what)
        self.at = at + len(value) if value else self.at

    def match(self, pattern: re.Pattern[str]) -> str:
        """Step over what fits a pattern and give it; empty if nothing fits."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group(1)


def _one_line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip(" ")


def _journal(cursor: _Cursor, known: Known, found: Spelling) -> None:
    """From the language to the date."""
    start = _one_line(known.publisher) or _one_line(known.journal)
    if not start:
        raise _NotThereError("the publisher or journal (which no field gives)")
    for _ in range(2):  # a publisher's name may begin as a code of a language does
        if cursor.text.startswith((start, f" {start}"), cursor.at):
            break
        found.language = cursor.match(_LANGUAGE)
    cursor.take(known.publisher, "the publisher")
    cursor.take(known.journal, "the journal")
    issns: list[str] = []
    while issn := cursor.match(_ISSN):
        issns.append(issn)
    found.issns = tuple(issns)
    if known.date:
        cursor.take(known.date, "the date")
        found.date = known.date
    else:
        found.date = cursor.match(_DATE)


def _title(cursor: _Cursor, known: Known) -> str:
    """Step over the title, and give what stands before it."""
    title = _one_line(known.title)
    if not title:
        raise _NotThereError("the title (which no field gives)")
    first = _one_line(known.authors[0]) if known.authors else ""
    places = []
    at = cursor.text.find(title, cursor.at)
    while at >= 0:
        end = at + len(title)
        if not first or cursor.text.startswith((first, f" {first}"), end):
            places.append(at)
        at = cursor.text.find(title, at + 1)
    if not places:
        raise _NotThereError("the title with the first author behind it" if first else "the title")
    if len(places) > 1 and len(title) < 4:  # "1" may be part of a number before it
        raise _NotThereError("one place of the title")
    middle = cursor.text[cursor.at : places[0]].strip(" ")
    cursor.at = places[0] + len(title)
    return middle


def _authors(cursor: _Cursor, known: Known, end: int) -> list[tuple[str, str, bool]]:
    """Of each author e-mail, ORCID and whether there is an affiliation."""
    said: list[tuple[str, str, bool]] = []
    count = 0
    names = [_one_line(name) for name in known.authors]
    for number, name in enumerate(names):
        cursor.take(name, f"author {number + 1} ({name!r})")
        patterns = _details(count)
        if number + 1 < len(names):
            details = _before(cursor, names[number + 1], patterns)
            if details is None:
                raise _NotThereError(f"author {number + 2} ({names[number + 1]!r})")
        else:
            details = next(m for m in (p.match(cursor.text, cursor.at, end) for p in patterns) if m is not None)
            cursor.at = details.end()
        email, index, orcid = (details.group(key) or "" for key in ("email", "index", "orcid"))
        count += bool(index)
        said.append((email, orcid, bool(index)))
    return said


@lru_cache(maxsize=256)
def _details(count: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What may stand behind a name, with an ORCID and without; the second fits nothing as well."""
    start = rf" ?(?P<email>{_EMAIL})? ?(?P<index>{count})?"
    return re.compile(rf"{start} ?(?P<orcid>{_ORCID})"), re.compile(rf"{start}(?P<orcid>)")


def _before(cursor: _Cursor, name: str, patterns: Iterable[re.Pattern[str]]) -> re.Match[str] | None:
    """Details of an author up to the name of the next one; None if that does not follow."""
    at = cursor.text.find(name, cursor.at, cursor.at + _LONGEST_DETAILS + len(name))
    while at >= 0:
        end = at - (at > cursor.at and cursor.text[at - 1] == " ")
        for pattern in patterns:
            if details := pattern.fullmatch(cursor.text, cursor.at, end):
                cursor.at = at
                return details
        at = cursor.text.find(name, at + 1, cursor.at + _LONGEST_DETAILS + len(name))
    return None


def _affiliations(cursor: _Cursor, end: int, said: list[tuple[str, str, bool]], found: Spelling) -> None:
    """What stands between the authors and the abstract."""
    blob = cursor.text[cursor.at : end].strip(" ")
    count = sum(has for _, _, has in said)
    parts, how = cut(blob, count)
    if parts is None:
        found.affiliations = blob
        found.remarks.append(f"spelling: {how}; the affiliations are kept as they stand")
        parts = ("",) * count
    else:
        found.how_cut = how
    following = iter(parts)
    found.contributors = tuple(Contributor(email, orcid, next(following) if has else "") for email, orcid, has in said)


def _start_of_end(cursor: _Cursor, known: Known) -> int | None:
    """Where abstract, address and keywords begin, which are the end of the line; None if they are not."""
    text, end = cursor.text, len(cursor.text)
    address = _one_line(known.addresses[0]) if known.addresses else ""
    values = [(_one_line(known.abstract),), (address, address.removeprefix("http://"))]
    values += [(topic,) for topic in map(_one_line, known.topics)]
    for either in reversed(values):
        end -= text.endswith(" ", cursor.at, end)
        fitting = next((value for value in either if text.endswith(value, cursor.at, end)), None)
        if fitting is None:
            return None
        end -= len(fitting)
    return end
