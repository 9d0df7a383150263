"""Texts in which what was looked for is marked, by places: nothing of a record is ever taken for markup."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, final

from stromal.evidence.search.matching import Wanted
from stromal.evidence.search.words import STEMMED, WHOLE, analyzer, searchable

_RUN: Final = re.compile(r"[^\W_]+")
_WITH_POSSESSIVE: Final = re.compile(r"[^\W_]+(?:['\u2019][sS]\b)?")
_LONGEST: Final = 20_000
"""Characters of an abstract in which a passage is looked for."""
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


def marked(text: str, wanted: Wanted) -> Marked:
    """A whole text with marks."""
    return Marked(text, _marks(text, wanted))


def passage(text: str, wanted: Wanted) -> Marked:
    """The part of a text that has the most different things that were looked for, else its beginning.

    It is cut between words; ``…`` stands where something is left out.
    """
    searched = text[:_LONGEST]
    marks = _marks(searched, wanted)
    start = _beginning(searched, marks)
    end = _word_end(text, start + _PASSAGE)
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shift = len(before) - start
    kept = tuple((s + shift, e + shift) for s, e in marks if s >= start and e <= end)
    return Marked(f"{before}{text[start:end]}{after}", kept)


def runs(text: str) -> list[re.Match[str]]:
    """The words of a text as it stands, a possessive with its ending."""
    pattern = _WITH_POSSESSIVE if "'" in text or "\u2019" in text else _RUN
    return list(pattern.finditer(text))


def compared(found: Sequence[re.Match[str]], analysis: str) -> list[str]:
    """These words as they are in the index; empty where one is too long for it."""
    return [_compared(run[0], analysis) for run in found]


@lru_cache(maxsize=50_000)  # a page of results has mostly words that pages before had
def _compared(run: str, analysis: str) -> str:
    return "".join(analyzer(analysis).analyze(searchable(run)))


def _marks(text: str, wanted: Wanted) -> tuple[tuple[int, int], ...]:
    if not wanted.phrases and not wanted.beginnings:
        return ()
    found = runs(text)
    covered: list[tuple[int, int]] = []
    if wanted.phrases:
        covered += _places_of_phrases(compared(found, STEMMED), wanted.phrases)
    if wanted.beginnings:
        begins = tuple(wanted.beginnings)
        covered += [(k, k) for k, word in enumerate(compared(found, WHOLE)) if word.startswith(begins)]
    return _joined([(found[first].start(), found[last].end()) for first, last in covered])


def _places_of_phrases(words: Sequence[str], phrases: set[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Index of the first and last word of each place where a phrase stands."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for phrase in phrases:
        by_first.setdefault(phrase[0], []).append(phrase)
    if by_first.keys().isdisjoint(words):
        return []
    return [
        (k, k + len(phrase) - 1)
        for k, word in enumerate(words)
        if word in by_first
        for phrase in by_first[word]
        if len(phrase) == 1 or tuple(words[k : k + len(phrase)]) == phrase
    ]


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
    starts = [start for start, _ in marks]
    ends = [end for _, end in marks]

    def different(k: int) -> int:
        last = bisect_left(ends, starts[k] + _PASSAGE - _BEFORE)
        return len(set(said[k:last]))

    best = max(range(len(marks)), key=lambda k: (different(k), -k))
    if ends[best] <= _PASSAGE - _BEFORE:
        return 0
    start = text.rfind(" ", 0, max(0, starts[best] - _BEFORE))
    return start + 1


def _word_end(text: str, limit: int) -> int:
    """End of the last word that ends before a limit."""
    if limit >= len(text):
        return len(text)
    space = text.rfind(" ", max(0, limit - 40), limit + 1)
    return space if space > 0 else limit
