"""Terms of the field that mean the same, from the list `synonyms.txt` beside this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, final

from stromal.compute.errors import InputError
from stromal.evidence.search.words import composed, stems

SHIPPED: Final = Path(__file__).parent / "synonyms.txt"

Term: TypeAlias = tuple[str, ...]
"""Stems of the words of a term, in order."""


@final
class Synonyms:
    """Groups of terms that mean the same.

    Parameters
    ----------
    groups : mapping
        Term -> all terms of its group, itself among them.
    """

    def __init__(self, groups: Mapping[Term, tuple[Term, ...]]) -> None:
        self._groups = dict(groups)
        self._names = {term: "_".join(group[0]) for term, group in groups.items()}
        self._by_first: dict[str, list[tuple[Term, str]]] = {}
        for term in sorted(groups, key=len, reverse=True):
            self._by_first.setdefault(term[0], []).append((term, self._names[term]))
        self._longest = max(map(len, groups), default=0)

    def others(self, term: Sequence[str]) -> tuple[Term, ...]:
        """Terms that mean the same as this one; none unless it is one as a whole.

        Terms in which this one or another of them stands find nothing more and are left out: where multipotent
        mesenchymal stromal cells are, mesenchymal stromal cells are.
        """
        whole = tuple(term)
        group = self._groups.get(whole, ())
        return tuple(t for t in group if t != whole and not any(_stands_in(other, t) for other in group))

    def group(self, term: Sequence[str]) -> str | None:
        """Name of the group of a term, as `groups_in` gives it; None unless it is one as a whole."""
        return self._names.get(tuple(term))

    def groups_in(self, words: Sequence[str]) -> list[str]:
        """Names of the groups whose terms stand in a text, each as often as they do.

        Where terms of one group overlap, the first and longest counts; those of other groups count beside it.

        Parameters
        ----------
        words : sequence of str
            Stems of all words of the text, in order.
        """
        found: list[str] = []
        ends: dict[str, int] = {}
        first = self._by_first
        for place in [place for place, word in enumerate(words) if word in first]:
            for term, name in first[words[place]]:
                end = place + len(term)
                if tuple(words[place:end]) == term and ends.get(name, 0) <= place:
                    ends[name] = end
                    found.append(name)
        return found

    def segments(self, words: Sequence[Sequence[str]]) -> Iterator[tuple[int, int]]:
        """Split words side by side into terms that have synonyms, the longest first, and single words.

        Parameters
        ----------
        words : sequence of sequence of str
            Stems of each word as it was written; a word with a hyphen has several.

        Yields
        ------
        (first, last)
            Indices of the words of a part, the last excluded. A term never ends within a word.
        """
        first = 0
        while first < len(words):
            last = self._end_of_term(words, first) or first + 1
            yield first, last
            first = last

    def _end_of_term(self, words: Sequence[Sequence[str]], first: int) -> int | None:
        found: int | None = None
        term: Term = ()
        for last in range(first, len(words)):
            term = (*term, *words[last])
            if len(term) > self._longest:
                break
            if term in self._groups:
                found = last + 1
        return found


def _stands_in(part: Term, whole: Term) -> bool:
    """Whether a term is a part of another, longer one."""
    n = len(part)
    return n < len(whole) and any(whole[k : k + n] == part for k in range(len(whole) - n + 1))


@cache
def shipped_synonyms() -> Synonyms:
    """The list of this package."""
    return read_synonyms(SHIPPED)


def read_synonyms(path: Path) -> Synonyms:
    """Read a list: on each line terms joined by ``=``; ``#`` begins a remark.

    Raises
    ------
    InputError
        A line has fewer than two different terms, or a term is in two groups.
    """
    groups: dict[Term, tuple[Term, ...]] = {}
    lines = composed(path.read_text(encoding="utf-8")).splitlines()
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0]
        if not text.strip():
            continue
        terms = tuple(dict.fromkeys(tuple(stems(term)) for term in text.split("=")))
        place = f"line {number}"
        if len(terms) < 2 or () in terms:
            remedy = "SSc = scleroderma"
            raise InputError("a line needs two terms or more", file=path, place=place, value=line, remedy=remedy)
        twice = next((term for term in terms if term in groups), None)
        if twice:
            raise InputError(
                "a term is in two groups",
                file=path,
                place=place,
                value=" ".join(twice),
                remedy="one group that has all of them, or another term",
            )
        groups.update(dict.fromkeys(terms, terms))
    return Synonyms(groups)
