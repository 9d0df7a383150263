"""Texts in which what was looked for is marked, by places: nothing of a record is ever taken for markup."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, final

from stromal.evidence.search.matching import Wanted
from stromal.evidence.search.words import STEMMED, WHOLE, analyzer, searchable

_RUN: Final = re.compile(r"[^\W_]+(?:['\u2019][sS]\b)?")
"""A word as it stands, a possessive with its ending."""
_LONGEST: Final = 20_000
"""Characters of a text in which marks are looked for."""
_PASSAGE: Final = 260
"""Characters that a passage has at most."""
_BEFORE: Final = 60
"""Characters of it that may stand before the first mark."""


@final
@dataclass(frozen=True)
class Marked:
    """A text with marks.

    Attributes
    ----------
    text : str
        Plain text, as it stands in the record.
    marks : tuple of (int, int)
        First character of each mark and the one after its last, in order, without overlap.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    def html(self) -> str:
        """The text escaped for HTML, with marks as ``<mark>``."""
        parts, last = [], 0
        for start, end in self.marks:
            parts += [html.escape(self.text[last:start]), f"<mark>{html.escape(self.text[start:end])}</mark>"]
            last = end
        return "".join((*parts, html.escape(self.text[last:])))


@final
class Marker:
    """Marks what a query looks for.

    Parameters
    ----------
    wanted : Wanted
    """

    def __init__(self, wanted: Wanted) -> None:
        self._by_first: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        for phrase in wanted.phrases:
            self._by_first[phrase[0]].append(phrase)
        self._beginnings = tuple(wanted.beginnings)

    def whole(self, text: str) -> Marked:
        """A whole text with marks."""
        return Marked(text, self._marks(text[:_LONGEST]))

    def passage(self, text: str) -> Marked:
        """The part of a text that has the most different things that were looked for, else its beginning.

        It is cut between words; ``…`` stands where something is left out.
        """
        marks = self._marks(text[:_LONGEST])
        start = _beginning(text, marks)
        end = _word_end(text, start + _PASSAGE)
        before, after = "… " if start else "", " …" if end < len(text) else ""
        shift = len(before) - start
        kept = tuple((s + shift, e + shift) for s, e in marks if s >= start and e <= end)
        return Marked(f"{before}{text[start:end]}{after}", kept)

    def _marks(self, text: str) -> tuple[tuple[int, int], ...]:
        if not self._by_first and not self._beginnings:
            return ()
        plain = _plain(text)
        found: list[tuple[int, int]] = []
        for first, phrases in self._by_first.items():
            for run in _runs(text, plain, shared_beginning(first)):
                if _compared(run[0], STEMMED) == first:
                    ends = (_end_of(text, run.end(), phrase[1:]) for phrase in phrases)
                    found += [(run.start(), end) for end in ends if end]
        for begin in self._beginnings:
            runs = _runs(text, plain, begin)
            found += [run.span() for run in runs if _compared(run[0], WHOLE).startswith(begin)]
        return _joined(found)


def shared_beginning(stem: str) -> str:
    """What a stem has in common with every word that has it: the stemmer changes two letters at most (die, dying)."""
    return stem[: max(1, len(stem) - 2)]


def _runs(text: str, plain: str | None, begin: str) -> Iterator[re.Match[str]]:
    """Words that begin so; all words, if that cannot be told from the plain text."""
    if plain is None:
        yield from _RUN.finditer(text)
        return
    place = plain.find(begin)
    while place >= 0:
        if place == 0 or not plain[place - 1].isalnum():
            run = _RUN.match(text, place)
            if run:
                yield run
        place = plain.find(begin, place + 1)


def _end_of(text: str, place: int, stems: Sequence[str]) -> int:
    """Where the words from a place on end, if they are these; 0 if they are not."""
    for stem in stems:
        run = _RUN.search(text, place)
        if run is None or _compared(run[0], STEMMED) != stem:
            return 0
        place = run.end()
    return place


def _plain(text: str) -> str | None:
    """Text without case and accents, character for character; None if a letter would become several (ß, œ)."""
    if text.isascii():
        return text.lower()
    table = {ord(c): _plain_letter(c) for c in set(text) if not c.isascii()}
    if any(len(letter) != 1 for letter in table.values()):
        return None
    plain = text.translate(table).lower()
    return plain if len(plain) == len(text) else None


@lru_cache(maxsize=10_000)
def _plain_letter(letter: str) -> str:
    return "".join(analyzer(WHOLE).analyze(letter)) or letter


@lru_cache(maxsize=50_000)  # the same words are marked again and again
def _compared(run: str, analysis: str) -> str:
    """A word as it is in the index; empty if it is too long for it."""
    return "".join(analyzer(analysis).analyze(searchable(run)))


def _joined(places: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Places in order, overlapping ones as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _beginning(text: str, marks: Sequence[tuple[int, int]]) -> int:
    """Where a passage begins: the first of those with the most different marked texts."""
    if not marks:
        return 0
    said = [text[start:end].lower() for start, end in marks]
    ends = [end for _, end in marks]

    def different(k: int) -> int:
        last = bisect_left(ends, marks[k][0] + _PASSAGE - _BEFORE)
        return len(set(said[k:last]))

    best = max(range(len(marks)), key=lambda k: (different(k), -k))
    if ends[best] <= _PASSAGE - _BEFORE:
        return 0
    return text.rfind(" ", 0, max(0, marks[best][0] - _BEFORE)) + 1


def _word_end(text: str, limit: int) -> int:
    """End of the last word that ends before a limit."""
    if limit >= len(text):
        return len(text)
    space = text.rfind(" ", max(0, limit - 40), limit + 1)
    return space if space > 0 else limit
