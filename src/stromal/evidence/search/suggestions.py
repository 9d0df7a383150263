"""Did you mean ...: words of the index that are nearly those of a query that finds little."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, final

import tantivy
from rapidfuzz import process
from rapidfuzz.distance import OSA

from stromal.evidence.search.query import And, Node, Not, Or, Phrase, Words
from stromal.evidence.search.words import whole_words

SHORTEST: Final = 4
"""Letters of a word for which another is proposed."""

_TEXT: Final = ("title_word", "keyword_word", "abstract_word", "author")
_FIELDS: Final = {
    **{name: (f"{name}_word",) for name in ("title", "keyword", "abstract")},
    **{name: (name,) for name in ("author", "journal")},
}
_MUCH_MORE: Final = 10
"""A word that is in the index is taken for an error only if the other is that many times as frequent."""
_RUN: Final = re.compile(r"[^\W_]+")


@final
class Vocabulary:
    """Words of an index, by field and length; read when first asked for.

    Parameters
    ----------
    searcher : tantivy.Searcher
        State of the index that the words are of.
    """

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher
        self._read: dict[tuple[str, ...], tuple[Counter[str], dict[int, list[str]]]] = {}

    def nearest(self, word: str, fields: tuple[str, ...]) -> str | None:
        """The word most like this one: of those with the fewest edits the most frequent.

        Up to two letters may be added, left out, exchanged for another or swapped with their neighbour; one in words
        of four.
        """
        known, by_length = self._words(fields)
        least = known[word] * _MUCH_MORE
        for edits in (1,) if len(word) <= SHORTEST else (1, 2):
            near = (
                (distance, -known[other], other)
                for length in range(max(SHORTEST - 1, len(word) - edits), len(word) + edits + 1)
                for other, distance, _ in process.extract(  # not extract_iter: that comes back to Python for each word
                    word,
                    _more_frequent(by_length.get(length, ()), known, least),
                    scorer=OSA.distance,
                    score_cutoff=edits,
                    limit=None,
                )
                if other != word
            )
            best = min(near, default=None)
            if best:
                return best[2]
        return None

    def _words(self, fields: tuple[str, ...]) -> tuple[Counter[str], dict[int, list[str]]]:
        """Frequencies, and the words of each length, the most frequent first."""
        if fields not in self._read:
            known: Counter[str] = Counter()
            for field in fields:
                known.update(dict(self._searcher.terms_with_prefix(field, "")))
            by_length = defaultdict(list)
            for word, _ in known.most_common():
                by_length[len(word)].append(word)
            self._read[fields] = known, dict(by_length)
        return self._read[fields]


def _more_frequent(words: Sequence[str], known: Mapping[str, int], least: int) -> Sequence[str]:
    """Those of words, ordered by frequency, that are in more texts than so many."""
    return words[: bisect_left(words, -least, key=lambda word: -known[word])]


def corrected(text: str, node: Node, vocabulary: Vocabulary) -> str | None:
    """A query with its doubtful words replaced, the rest as it was written; None if no word is doubtful.

    Parameters
    ----------
    text : str
        The query.
    node : Node
        As it was read from that text.
    vocabulary : Vocabulary
    """
    parts, last = [], 0
    for start, end, fields in sorted(_places(node)):
        for found in _RUN.finditer(text, start, end):
            word = whole_words(found[0])
            other = _other(word[0], vocabulary, fields) if len(word) == 1 else None
            if other:
                parts += [text[last : found.start()], other]
                last = found.end()
    return "".join((*parts, text[last:])) if parts else None


def _other(word: str, vocabulary: Vocabulary, fields: tuple[str, ...]) -> str | None:
    return vocabulary.nearest(word, fields) if len(word) >= SHORTEST and not word.isdigit() else None


def _places(node: Node) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """First and last character of the words of a query, and the fields they are looked for in."""
    match node:
        case Words(words, field):
            if field is None or field in _FIELDS:
                yield from ((w.start, w.end, _FIELDS.get(field or "", _TEXT)) for w in words)
        case Phrase(_, field, start, end):
            if field is None or field in _FIELDS:
                yield start, end, _FIELDS.get(field or "", _TEXT)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _places(part)
        case Not(part):
            yield from _places(part)
