"""The head of a VuFind record page as text: heading, summary and the table "Bibliographic Details".

All of it is a display form of what the Staff View has; it serves to check, and where there is no Staff View.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, final

from stromal.evidence.records.names import one_line
from stromal.evidence.records.record import Field

MARKER: Final = "Bibliographic Details"
FULL: Final = "Full description"
SHOWN: Final = 300
"""Characters of the HTML of a description that a page shows before it cuts it."""

_LABELS: Final = (
    *("Main Author", "Main Authors", "Corporate Author", "Corporate Authors", "Other Author", "Other Authors"),
    *("Format", "Language", "Published", "Published in", "Edition", "Series", "Subjects", "Online Access", "Tags"),
    *("Related Items", "Item Description", "Physical Description", "Summary", "ISBN", "ISSN", "DOI", "Notes"),
    *("New Title", "Previous Title", "Bibliography", "Abstract", "Institution", "Collection"),
)
_LABEL: Final = re.compile(rf"({'|'.join(sorted(_LABELS, key=len, reverse=True))}):[ \t]*(.*)")
_DOTS: Final = re.compile(r"(?:\.\.\.|…)\s*\Z")


@final
@dataclass(frozen=True)
class Head:
    """Head of a page.

    Attributes
    ----------
    heading : str
        The title, and the subtitle if there is one.
    summary : str
        The beginning of the description, empty if the page shows none; lines are kept.
    cut : bool
        The summary ends with dots that stand for the rest.
    details : dict of str to list of str
        Values under each label of the table, as ``Language`` to ``["English"]``; the lines below a label are further
        values. A label without a value has an empty list.
    other : tuple of str
        Lines that are none of these.
    """

    heading: str
    summary: str = ""
    cut: bool = False
    details: dict[str, list[str]] = field(default_factory=dict)
    other: tuple[str, ...] = ()

    def fields(self) -> tuple[Field, ...]:
        """What the head says, under the page's own labels."""
        named = [("(heading)", [self.heading]), ("(summary)", [self.summary]), *self.details.items()]
        named.append(("(other lines of the page)", list(self.other)))
        return tuple(Field(name, tuple(values)) for name, values in named if any(values))


def read(lines: Sequence[str]) -> Head | None:
    """The head in the lines before a Staff View; None if there are none but blank ones."""
    rest = [line.strip() for line in lines]
    while rest and not rest[0]:
        rest.pop(0)
    if not rest:
        return None
    heading, rest = rest[0], rest[1:]
    table = _after(rest, MARKER)
    above = rest if table is None else rest[: table - 1]
    below = [] if table is None else rest[table:]
    if table is None:
        start = next((at for at, line in enumerate(rest) if _LABEL.fullmatch(line)), len(rest))
        above, below = rest[:start], rest[start:]
    full = _after(above, FULL)
    summary = above if full is None else above[: full - 1]
    text = "\n".join(summary).strip("\n")
    details, other = _details(below)
    return Head(heading, text, _DOTS.search(text) is not None, details, (*(above[full:] if full else ()), *other))


def is_label(line: str) -> bool:
    """Whether a line is one of the table: a label, a colon and a value or none."""
    return _LABEL.fullmatch(line.strip()) is not None


def summary_of(description: str) -> str:
    """What VuFind shows of a description: its HTML cut after `SHOWN` characters, and dots.

    An apostrophe counts six characters there (``&#039;``), so the visible part is often shorter.
    """
    escaped = html.escape(description).replace("&#x27;", "&#039;")
    return description if len(escaped) <= SHOWN else f"{_unescaped(escaped[:SHOWN])}..."


def _unescaped(text: str) -> str:
    """HTML as text; a character that is cut in the middle stays as it is."""
    whole, _, part = text.rpartition("&")
    return html.unescape(text) if ";" in part or not _ else f"{html.unescape(whole)}&{part}"


def begins(summary: str, description: str) -> bool:
    """Whether a summary is the beginning of a description, wherever it was cut."""
    shown = one_line(_DOTS.sub("", summary))
    whole = one_line(description)
    if whole.startswith(shown):
        return True
    # The cut may go through the HTML of a character, of which then a piece is left: "Sj&ou".
    stem, _, piece = shown.rpartition("&")
    return len(piece) < 7 and bool(_) and whole.startswith(stem)


def _after(lines: Sequence[str], marker: str) -> int | None:
    return next((at + 1 for at, line in enumerate(lines) if line == marker), None)


def _details(lines: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    details: dict[str, list[str]] = {}
    other: list[str] = []
    label = ""
    for line in lines:
        found = _LABEL.fullmatch(line)
        if found and found.group(1) not in details:
            label = found.group(1)
            details[label] = [found.group(2)] if found.group(2) else []
        elif line and label:
            details[label].append(line)
        elif line:
            other.append(line)
    return details, other
