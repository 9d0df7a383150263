"""The search index beside a library: ranked, faceted search, similar works, suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, Literal, Self, final

import tantivy
from tantivy import Query

from stromal.compute.errors import InputError
from stromal.evidence.records.identifiers import recognised
from stromal.evidence.search.building import Holdings, Kept
from stromal.evidence.search.documents import Standing, schema
from stromal.evidence.search.facets import FacetCount, Filters, checked_facets, checked_filters, counts
from stromal.evidence.search.folder import Folder
from stromal.evidence.search.highlights import Marked, Marker
from stromal.evidence.search.matching import Wanted, all_of, matching, silent, values_query
from stromal.evidence.search.query import Node, parsed
from stromal.evidence.search.ranking import Found, number_of, page_of
from stromal.evidence.search.suggestions import Vocabulary, corrected
from stromal.evidence.search.synonyms import shipped_synonyms
from stromal.evidence.search.words import STOP_WORDS, composed, searchable

FEW: Final = 3
"""Results up to which other words are proposed."""
LARGEST_PAGE: Final = 1_000
_TERMS: Final = 25
"""Words by which a work is compared with others."""

Order = Literal["relevance", "newest"]


@final
@dataclass(frozen=True)
class Hit:
    """One result.

    Attributes
    ----------
    id : str
        Best identifier of the work, a CURIE.
    work : str
        Name of the work in its library.
    score : float
        Of BM25, comparable within one search; 0 where nothing ranks.
    title : Marked
        Empty if the records have none.
    passage : Marked
        Of the abstract: where most of what was looked for is, else its beginning; empty if there is no abstract.
    """

    id: str
    work: str
    score: float
    title: Marked
    passage: Marked


@final
@dataclass(frozen=True)
class Results:
    """What a search found.

    Attributes
    ----------
    hits : tuple of Hit
        Of this page.
    total : int
        Of all pages.
    page, size : int
        Number of the page, from 1, and hits on a page.
    facets : mapping
        Facet -> its values with counts, see `facets.counts`.
    suggestion : str or None
        A query that finds more, where this one finds little and a word of it looks misspelt.
    """

    hits: tuple[Hit, ...]
    total: int
    page: int
    size: int
    facets: Mapping[str, tuple[FacetCount, ...]]
    suggestion: str | None

    @property
    def pages(self) -> int:
        """Number of pages."""
        return -(-self.total // self.size)


@final
class Index:
    """A search index of the works of a library; opened with `Index.open`.

    It holds nothing that is not in the library and can be deleted at any time. It follows the library: a search after
    an import finds what was imported.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._schema = schema()
        self._synonyms = shipped_synonyms()
        self._searcher = kept.searcher()
        self._vocabulary = Vocabulary(self._searcher)

    @classmethod
    def open(
        cls,
        folder: str | PathLike[str] | None,
        library: Holdings,
        standing: Mapping[str, Standing] | None = None,
    ) -> Self:
        """Open the index of a library; make it, bring it up to date or repair it first where needed.

        Parameters
        ----------
        folder : path or None
            Where the index is, or shall be; for a library in ``L`` by custom ``L.index``. None for an index in memory.
        library : Library
            Whose works are searched. It must stay open as long as the index is used.
        standing : mapping, optional
            CURIE of a work -> its status as evidence and the designs of its studies, for the fields and facets
            ``status`` and ``design``.

        Raises
        ------
        InputError
            The folder cannot be written, or another process has been building in it for minutes.
        """
        return cls(Kept(None if folder is None else Folder(Path(folder)), library, standing or {}))

    def refresh(self) -> None:
        """Follow the library; searches do it themselves."""
        if not self._kept.is_current:
            self._kept.follow()
            self._searcher = self._kept.searcher()
            self._vocabulary = Vocabulary(self._searcher)

    def __len__(self) -> int:
        """Number of works."""
        return self._searcher.num_docs

    def search(
        self,
        query: str,
        *,
        filters: Filters | None = None,
        page: int = 1,
        size: int = 20,
        facets: Iterable[str] = (),
        facet_size: int = 20,
        order: Order = "relevance",
    ) -> Results:
        """Works that a query finds.

        Words are compared without accents, case and English endings, and terms of the field also find what means the
        same (SSc, scleroderma, systemic sclerosis); the words of a phrase in quotes do not, unless the phrase as a
        whole is such a term. A work whose identifier is asked for comes first.

        Parameters
        ----------
        query : str
            In the language of `stromal.evidence.search.query`; ``*`` for all works.
        filters : mapping, optional
            Facet -> values, of which a work must have at least one; of all facets given.
        page, size : int
            Pages are counted from 1; at most 1,000 hits on one. While the library does not change, pages neither skip
            nor repeat a hit.
        facets : iterable of str
            Facets to count, of `documents.FACETS`.
        facet_size : int
            Values of a facet, see `facets.counts`.
        order : {"relevance", "newest"}
            What ranks alike comes by year, the latest first, then in an order without meaning.

        Raises
        ------
        InputError
            The query cannot be read (the error says at which character), a filter or facet is not known, or page or
            size is out of range.
        """
        text = composed(query)
        node = parsed(text)
        chosen = checked_filters(filters or {})
        wanted = checked_facets(facets)
        _check_number("page", page, 1, None)
        _check_number("size", size, 1, LARGEST_PAGE)
        _check_number("facet_size", facet_size, 1, LARGEST_PAGE)
        if order not in ("relevance", "newest"):
            raise InputError("there is no such order", value=order, remedy="relevance or newest")
        self.refresh()
        asked = matching(node, self._schema, self._synonyms)
        filtered = self._filtered(asked.query, chosen)
        total, found = page_of(
            self._searcher, filtered, (page - 1) * size, size, ranks=asked.ranks and order == "relevance"
        )
        markers = [Marker(asked.wanted[name]) for name in ("title", "abstract")]
        hits = tuple(self._hit(hit, *markers) for hit in found)
        suggestion = self._suggestion(text, node, chosen, total) if total <= FEW else None
        counted = counts(
            self._searcher, self._schema, asked.query, chosen, wanted, facet_size, total=total, seldom=self._kept.seldom
        )
        return Results(hits, total, page, size, counted, suggestion)

    def similar(self, curie: str, n: int = 5) -> tuple[Hit, ...]:
        """Works that share the most telling words of title, keywords and abstract with one, the most similar first.

        Parameters
        ----------
        curie : str
            Identifier of the work as a person would write it, or its name in the library.
        n : int
            At most so many; fewer if no more share any.

        Raises
        ------
        InputError
            The index has no such work.
        """
        _check_number("n", n, 1, LARGEST_PAGE)
        self.refresh()
        field, name = ("work", curie) if curie.startswith("work:") else ("identifier", recognised(curie) or curie)
        itself = Query.term_query(self._schema, field, name)
        found = self._searcher.search(itself, 1).hits
        if not found:
            raise InputError("the index has no such work", value=curie, remedy="an identifier of a work in the library")
        stored = self._searcher.doc(found[0][1])
        texts = {name: searchable(" ".join(_texts(stored, name))) for name in ("title", "keyword", "abstract")}
        like = Query.more_like_this_document_fields_query(
            self._schema,
            {name: [text] for name, text in texts.items() if text},
            min_doc_frequency=2,
            min_term_frequency=1,
            max_query_terms=_TERMS,
            min_word_length=3,
            stop_words=sorted(STOP_WORDS),
        )
        _, hits = page_of(self._searcher, all_of([like], [itself]), 0, n, ranks=True)
        unmarked = Marker(Wanted())
        return tuple(self._hit(hit, unmarked, unmarked) for hit in hits)

    def _filtered(self, query: Query, chosen: Mapping[str, Sequence[str | int]]) -> Query:
        return all_of([query, *(values_query(self._schema, name, values) for name, values in chosen.items())])

    def _hit(self, found: Found, title: Marker, abstract: Marker) -> Hit:
        score, address = found
        stored = self._searcher.doc(address)
        return Hit(
            id=stored["id"][0],
            work=stored["work"][0],
            score=score,
            title=title.whole(" ".join(_texts(stored, "title"))),
            passage=abstract.passage(" ".join(_texts(stored, "abstract"))),
        )

    def _suggestion(self, text: str, node: Node, chosen: Mapping[str, Sequence[str | int]], total: int) -> str | None:
        proposed = corrected(text, node, self._vocabulary)
        if proposed is None:
            return None
        try:
            asked = matching(parsed(proposed), self._schema, self._synonyms)
        except InputError:  # the query had the greatest length, and the other words are longer
            return None
        found = number_of(self._searcher, silent(self._filtered(asked.query, chosen)))
        return proposed if found > total else None


def _texts(stored: tantivy.Document, name: str) -> list[str]:
    return [bytes(value).decode() for value in stored.get_all(f"{name}_text")]


def _check_number(name: str, value: int, least: int, most: int | None) -> None:
    if value < least or (most is not None and value > most):
        limit = f"{least} or more" if most is None else f"{least} to {most:,}"
        raise InputError(f"{name} is out of range", value=value, remedy=f"a whole number, {limit}")
