"""A query in the language of the index, and what of it can be marked in a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import tantivy
from tantivy import Occur, Query

from stromal.evidence.search.documents import HIGHEST_YEAR, LOWEST_YEAR, facet_field
from stromal.evidence.search.query import (
    And,
    Everything,
    Identifier,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Words,
    Years,
)
from stromal.evidence.search.synonyms import Synonyms
from stromal.evidence.search.words import STOP_WORDS, stems, whole_words

BOOSTS: Final[Mapping[str, float]] = {"title": 10.0, "author": 4.0, "keyword": 3.0, "abstract": 1.0}
"""Fields that are searched unless one is named, and how much a word there counts."""

_STEMMED: Final = ("title", "keyword", "abstract")
_VALUES: Final = ("language", "type", "design", "status")
"""Fields that a work has or has not: a rare value is no better match than a frequent one."""
_FIRST: Final = 1e6
"""Score of the work with the identifier that was asked for; a word scores less than a few hundred."""


@final
@dataclass
class Wanted:
    """What a query looks for in the text of a record.

    Attributes
    ----------
    phrases : set of tuple of str
        Stems of words in a row; a single word is a row of one.
    beginnings : set of str
        Of whole words.
    """

    phrases: set[tuple[str, ...]] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)


@final
@dataclass(frozen=True)
class Matching:
    """A query that the index understands.

    Attributes
    ----------
    query : tantivy.Query
    ranks : bool
        Whether it says what matches better; years alone do not.
    wanted : mapping
        ``title`` and ``abstract`` -> what to mark there.
    """

    query: Query
    ranks: bool
    wanted: Mapping[str, Wanted]


def matching(node: Node, schema: tantivy.Schema, synonyms: Synonyms) -> Matching:
    """What a parsed query asks of an index with this schema."""
    made = _Maker(schema, synonyms)
    query = made.query(node, wanted=True)
    return Matching(query, made.ranks, made.wanted)


def any_of(queries: Sequence[Query]) -> Query:
    """What any of these finds; nothing if there are none."""
    if not queries:
        return Query.empty_query()
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, query) for query in queries])


def all_of(queries: Sequence[Query], without: Sequence[Query] = ()) -> Query:
    """What all of these find and none of the others does."""
    if len(queries) == 1 and not without:
        return queries[0]
    asked = queries or [Query.const_score_query(Query.all_query(), 0.0)]
    return Query.boolean_query(
        [*((Occur.Must, query) for query in asked), *((Occur.MustNot, query) for query in without)]
    )


def silent(query: Query) -> Query:
    """The same, without a say in the ranking."""
    return Query.const_score_query(query, 0.0)


def values_query(schema: tantivy.Schema, facet: str, values: Iterable[str | int]) -> Query:
    """Works that have any of these values of a facet."""
    return silent(any_of([Query.term_query(schema, facet_field(facet), value) for value in values]))


class _Maker:
    """Translates; remembers on the way whether anything ranks, and what can be marked."""

    def __init__(self, schema: tantivy.Schema, synonyms: Synonyms) -> None:
        self.schema, self.synonyms = schema, synonyms
        self.ranks = False
        self.wanted = {"title": Wanted(), "abstract": Wanted()}

    def query(self, node: Node, *, wanted: bool) -> Query:
        """Translate; `wanted` is whether the records found will have it."""
        match node:
            case And(parts):
                positive = [self.query(p, wanted=wanted) for p in parts if not isinstance(p, Not)]
                return all_of(positive, [self.query(p.part, wanted=False) for p in parts if isinstance(p, Not)])
            case Or(parts):
                return any_of([self.query(p, wanted=wanted) for p in parts])
            case Not(part):
                return all_of([], [self.query(part, wanted=False)])
            case Everything():
                return silent(Query.all_query())
            case Years(low, high):
                return silent(self._years(low, high))
            case Words(_, name) | Phrase(_, name, _, _) | Prefix(_, name) if name in _VALUES:
                return silent(self._ranking(node, wanted=False))
            case _:
                self.ranks = self.ranks or wanted
                return self._ranking(node, wanted=wanted)

    def _ranking(self, node: Words | Phrase | Prefix | Identifier, *, wanted: bool) -> Query:
        match node:
            case Words():
                return self._words(node, wanted=wanted)
            case Phrase(text, name):
                whole, stemmed = whole_words(text), stems(text)
                return self._synonymous(self._row(stemmed, whole, name, wanted=wanted), stemmed, name, wanted=wanted)
            case Prefix(text, name):
                return self._prefix(text, name, wanted=wanted)
            case Identifier(curie, text):
                return self._identifier(curie, text, wanted=wanted)

    def _years(self, low: int | None, high: int | None) -> Query:
        low, high = LOWEST_YEAR if low is None else low, HIGHEST_YEAR if high is None else high
        return Query.range_query(self.schema, "year", tantivy.FieldType.Integer, low, high)

    def _words(self, node: Words, *, wanted: bool) -> Query:
        """All words, each or each term of the field also as what means the same."""
        stemmed = [stems(word.text) for word in node.words]
        whole = [whole_words(word.text) for word in node.words]
        parts: list[Query] = []
        dispensable: list[Query] = []
        for first, last in self.synonyms.segments(stemmed) if _has_synonyms(node.field) else _singly(stemmed):
            rows = [self._row(stemmed[k], whole[k], node.field, wanted=wanted) for k in range(first, last)]
            together = [stem for k in range(first, last) for stem in stemmed[k]]
            query = self._synonymous(all_of(rows), together, node.field, wanted=wanted)
            is_stop_word = last - first == 1 and len(whole[first]) == 1 and whole[first][0] in STOP_WORDS
            (dispensable if is_stop_word else parts).append(query)
        return all_of(parts or dispensable)

    def _synonymous(self, query: Query, term: Sequence[str], name: str | None, *, wanted: bool) -> Query:
        """A query for a term, or for any other term that means the same; the best match counts."""
        others = self.synonyms.others(term) if _has_synonyms(name) else ()
        if not others:
            return query
        return Query.disjunction_max_query([query, *(self._text_row(other, name, wanted=wanted) for other in others)])

    def _row(self, stemmed: Sequence[str], whole: Sequence[str], name: str | None, *, wanted: bool) -> Query:
        """Words in a row, in a field or in any that is searched by default."""
        if not whole:
            return Query.empty_query()  # longer than a word can be
        if name in _STEMMED:
            return self._text_row(stemmed, name, wanted=wanted)
        if name is not None:
            return self._words_in(name, whole)
        author = Query.boost_query(self._words_in("author", whole), BOOSTS["author"])
        return any_of([self._text_row(stemmed, None, wanted=wanted), author])

    def _text_row(self, stemmed: Sequence[str], name: str | None, *, wanted: bool) -> Query:
        """Stems in a row, in title, keywords or abstract, or in all of them."""
        if wanted:
            for known in self._marked_in(name):
                self.wanted[known].phrases.add(tuple(stemmed))
        return _over_fields(lambda field: self._words_in(field, stemmed), _STEMMED if name is None else (name,))

    def _words_in(self, field: str, words: Sequence[str]) -> Query:
        if len(words) == 1:
            return Query.term_query(self.schema, field, words[0])
        return Query.phrase_query(self.schema, field, list(words))

    def _marked_in(self, name: str | None) -> set[str]:
        return set(self.wanted) if name is None else {name} & set(self.wanted)

    def _prefix(self, text: str, name: str | None, *, wanted: bool) -> Query:
        """Words that begin so; of ``pre-fix*`` the words before the last stand as they are."""
        whole, stemmed = whole_words(text), stems(text)
        if not whole:
            return Query.empty_query()
        begin = whole[-1]
        if wanted:
            for known in self._marked_in(name):
                self.wanted[known].beginnings.add(begin)

        def in_field(field: str) -> Query:
            place = f"{field}_word" if field in _STEMMED else field
            return Query.fuzzy_term_query(self.schema, place, begin, distance=0, prefix=True)

        before = [self._row([s], [w], name, wanted=wanted) for s, w in zip(stemmed[:-1], whole[:-1], strict=True)]
        return all_of([*before, _over_fields(in_field, BOOSTS if name is None else (name,))])

    def _identifier(self, curie: str, text: str, *, wanted: bool) -> Query:
        exact = Query.const_score_query(Query.term_query(self.schema, "identifier", curie), _FIRST)
        words = whole_words(text)
        return any_of([exact, self._row(stems(text), words, None, wanted=wanted)]) if words else exact


def _has_synonyms(name: str | None) -> bool:
    return name is None or name in _STEMMED


def _singly(words: Sequence[object]) -> list[tuple[int, int]]:
    return [(k, k + 1) for k in range(len(words))]


def _over_fields(in_field: Callable[[str], Query], names: Iterable[str]) -> Query:
    several = tuple(names)
    if len(several) == 1:
        return in_field(several[0])
    return any_of([Query.boost_query(in_field(name), BOOSTS[name]) for name in several])
