"""One page of what a query finds, in an order that is the same on every call."""

from __future__ import annotations

from typing import Final, TypeAlias

import tantivy
from tantivy import Order, Query

Found: TypeAlias = tuple[float, tantivy.DocAddress]
"""Score and place in the index."""

_DEEP: Final = 10_000
"""Results before a page from which the number of all is asked first: memory grows with the page asked for."""


def page_of(searcher: tantivy.Searcher, query: Query, start: int, size: int, *, ranks: bool) -> tuple[int, list[Found]]:
    """Number of all results, and those from `start` on.

    The best come first; what scores alike, and everything if the query `ranks` nothing, goes by the field ``order``
    (the latest year first, then by identifier), so that pages neither skip nor repeat a result.
    """
    if start > _DEEP:
        total = number_of(searcher, query)
        size = min(size, total - start)
        if size <= 0:
            return total, []
    if not ranks:
        result = searcher.search(query, size, offset=start, order_by_field="order", order=Order.Asc)
        return _count(result), [(0.0, address) for _, address in result.hits]
    if searcher.num_segments <= 1:
        # Within a segment documents are sorted by `order`, and of equal scores the first document comes first.
        result = searcher.search(query, size, offset=start)
        return _count(result), list(result.hits)
    return _merged(searcher, query, start, size)


def _merged(searcher: tantivy.Searcher, query: Query, start: int, size: int) -> tuple[int, list[Found]]:
    """From several segments: all that score as the last on the page are needed, to put them in order."""
    end = start + size
    limit = end + 1
    while True:
        result = searcher.search(query, limit)
        hits: list[Found] = list(result.hits)
        if len(hits) < limit or hits[-1][0] < hits[end - 1][0]:
            break
        limit = min(limit * 8, _count(result) + 1)
    if start >= len(hits):
        return _count(result), []
    order = searcher.fast_field_values("order", [address for _, address in hits])
    ordered = sorted(range(len(hits)), key=lambda k: (-hits[k][0], order[k]))
    return _count(result), [hits[k] for k in ordered[start:end]]


def number_of(searcher: tantivy.Searcher, query: Query) -> int:
    """Number of all results."""
    return _count(searcher.search(query, 1))


def _count(result: tantivy.SearchResult) -> int:
    return int(result.count or 0)  # type: ignore[attr-defined] # not in the published types
