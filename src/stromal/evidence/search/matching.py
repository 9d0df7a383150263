"""A query in the language of the index, and what of it can be marked in a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, final

import tantivy
from tantivy import Occur, Query

from stromal.evidence.search.documents import HIGHEST_YEAR, LOWEST_YEAR, facet_field, term_field
from stromal.evidence.search.languages import language_name
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
                return silent(self._ranking(_as_indexed(node), wanted=False))
            case _:
                self.ranks = self.ranks or wanted
                return self._ranking(node, wanted=wanted)

    def _ranking(self, node: Words | Phrase | Prefix | Identifier, *, wanted: bool) -> Query:
        match node:
            case Words():
                return self._words(node, wanted=wanted)
            case Phrase(text, name):
                whole, stemmed = whole_words(text), stems(text)
                return self._row(stemmed, whole, name, wanted=wanted, synonyms=_has_synonyms(name))
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
        expands = _has_synonyms(node.field)
        for first, last in self.synonyms.segments(stemmed) if expands else _singly(stemmed):
            if last - first == 1:
                query = self._row(stemmed[first], whole[first], node.field, wanted=wanted, synonyms=expands)
            else:  # the words of a term may stand anywhere, what means the same as a whole
                query = all_of([self._row(stemmed[k], whole[k], node.field, wanted=wanted) for k in range(first, last)])
                term = [stem for k in range(first, last) for stem in stemmed[k]]
                query = Query.disjunction_max_query([query, self._group(term, node.field, wanted=wanted) or query])
            is_stop_word = last - first == 1 and len(whole[first]) == 1 and whole[first][0] in STOP_WORDS
            (dispensable if is_stop_word else parts).append(query)
        return all_of(parts or dispensable)

    def _row(
        self, stemmed: Sequence[str], whole: Sequence[str], name: str | None, *, wanted: bool, synonyms: bool = False
    ) -> Query:
        """Words in a row, in a field or in any that is searched by default; perhaps also what means the same."""
        if not whole:
            return Query.empty_query()  # longer than a word can be
        if name is not None and name not in _STEMMED:
            return self._words_in(name, whole)
        self._mark([stemmed], name, wanted=wanted)
        group = self._group(stemmed, name, wanted=wanted) if synonyms else None
        text = group or _over_fields(lambda field: self._words_in(field, stemmed), _texts(name))
        if name is not None:
            return text
        return any_of([text, Query.boost_query(self._words_in("author", whole), BOOSTS["author"])])

    def _group(self, term: Sequence[str], name: str | None, *, wanted: bool) -> Query | None:
        """A term or any that means the same, in title, keywords or abstract, or in any of them; None if none does."""
        group = self.synonyms.group(term)
        if group is None:
            return None
        self._mark(self.synonyms.others(term), name, wanted=wanted)
        return _over_fields(lambda field: Query.term_query(self.schema, term_field(field), group), _texts(name))

    def _mark(self, rows: Iterable[Sequence[str]], name: str | None, *, wanted: bool) -> None:
        if wanted:
            for known in self._marked_in(name):
                self.wanted[known].phrases.update(map(tuple, rows))

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


def _as_indexed(node: Words | Phrase | Prefix) -> Words | Phrase | Prefix:
    """A query for a language by its code as one by its name, under which all languages are in the index."""
    match node:
        case Words(words, "language"):
            return replace(node, words=tuple(replace(word, text=language_name(word.text)) for word in words))
        case Phrase(text, "language", _, _):
            return replace(node, text=language_name(text))
    return node


def _has_synonyms(name: str | None) -> bool:
    return name is None or name in _STEMMED


def _texts(name: str | None) -> Sequence[str]:
    return _STEMMED if name is None else (name,)


def _singly(words: Sequence[object]) -> list[tuple[int, int]]:
    return [(k, k + 1) for k in range(len(words))]


def _over_fields(in_field: Callable[[str], Query], names: Iterable[str]) -> Query:
    several = tuple(names)
    if len(several) == 1:
        return in_field(several[0])
    return any_of([Query.boost_query(in_field(name), BOOSTS[name]) for name in several])
