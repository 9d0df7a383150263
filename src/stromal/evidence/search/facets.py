"""How many of the results have each value of a facet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

import tantivy
from tantivy import Query

from stromal.compute.errors import InputError
from stromal.evidence.search.documents import FACETS, facet_field, facet_value
from stromal.evidence.search.languages import language_name
from stromal.evidence.search.matching import all_of, values_query
from stromal.evidence.search.ranking import number_of

Filters: TypeAlias = Mapping[str, Sequence[str | int]]
"""Facet -> the values chosen in it."""
Bucket: TypeAlias = tuple[str | int, int]
"""Value and count."""

_PORTION: Final = 500
"""Values that are kept of each segment at first; what is dropped is rarer than they are."""
_CANDIDATES: Final = 5
"""Values that are looked at for each that is shown."""
_ALL: Final = 1 << 22
_MANY: Final = 5_000
"""Results from which authors are counted without those of few works."""


@final
@dataclass(frozen=True)
class FacetCount:
    """One value of a facet.

    Attributes
    ----------
    value : str
        As filters take it.
    count : int
        Results that have it, if nothing else were chosen in this facet.
    chosen : bool
        Whether it is chosen now.
    """

    value: str
    count: int
    chosen: bool


def checked_filters(filters: Filters) -> dict[str, tuple[str | int, ...]]:
    """Filters with values as the index has them; facets without a value are left out.

    Raises
    ------
    InputError
        A facet is not known, or a year is no number.
    """
    checked: dict[str, tuple[str | int, ...]] = {}
    for name, values in filters.items():
        _check_name(name)
        if isinstance(values, str):
            raise InputError("the values of a filter are a list", place=name, value=values, remedy=f"[{values!r}]")
        if values:
            checked[name] = tuple(_value(name, v) for v in values)
    return checked


def checked_facets(names: Iterable[str]) -> tuple[str, ...]:
    """Names of facets, each once.

    Raises
    ------
    InputError
        A facet is not known.
    """
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        _check_name(name)
    return wanted


def counts(
    searcher: tantivy.Searcher,
    schema: tantivy.Schema,
    query: Query,
    filters: Mapping[str, tuple[str | int, ...]],
    names: Sequence[str],
    size: int,
    *,
    total: int,
    seldom: int,
) -> dict[str, tuple[FacetCount, ...]]:
    """Counts of some facets; those of a facet ignore what is chosen in it.

    Parameters
    ----------
    query : tantivy.Query
        Without filters.
    filters : mapping
        As `checked_filters` gives them.
    names : sequence of str
        Of `FACETS`, as `checked_facets` gives them.
    size : int
        Values of each facet, the most frequent first, equal ones in alphabetical order; those chosen are always among
        them. Of years all are given, the latest first.
    total : int
        Results, with all filters.
    seldom : int
        Works that an author has at most who is not in the field ``author_often``.
    """
    found: dict[str, tuple[FacetCount, ...]] = {}
    free = tuple(name for name in names if name not in filters)
    for group in (free, *((name,) for name in names if name in filters)):
        if not group:
            continue
        others = [values_query(schema, name, values) for name, values in filters.items() if name not in group]
        asked = all_of([query, *others])
        often = "author" in group and (total if group is free else number_of(searcher, asked)) > _MANY
        for name, buckets in _buckets(searcher, schema, asked, group, size, seldom if often else None).items():
            found[name] = _with_chosen(buckets, searcher, schema, asked, name, filters.get(name, ()))
    return {name: found[name] for name in names}


def _buckets(
    searcher: tantivy.Searcher,
    schema: tantivy.Schema,
    query: Query,
    names: Collection[str],
    size: int,
    seldom: int | None,
) -> dict[str, list[Bucket]]:
    """Values with their counts; authors by the field ``author_often`` if `seldom` says what it leaves out."""
    fields = {name: facet_field(name) for name in names}
    if seldom is not None:
        fields["author"] = "author_often"
    answer = searcher.aggregate(
        query, {name: _terms(field, _PORTION, _seen(name, size)) for name, field in fields.items()}
    )
    found: dict[str, list[Bucket]] = {}
    for name in names:
        buckets = _read(answer[name])
        if name == "year":
            found[name] = sorted(buckets, reverse=True)
            continue
        dropped = int(answer[name].get("doc_count_error_upper_bound") or 0)
        low = dropped if searcher.num_segments > 1 else 0
        unseen = max(dropped, seldom or 0 if name == "author" else 0)
        exact = _exact(searcher, schema, query, name, buckets, size, low=low, unseen=unseen)
        found[name] = sorted(exact, key=lambda bucket: (-bucket[1], bucket[0]))[:size]
    return found


def _exact(
    searcher: tantivy.Searcher,
    schema: tantivy.Schema,
    query: Query,
    name: str,
    buckets: Sequence[Bucket],
    size: int,
    *,
    low: int,
    unseen: int,
) -> list[Bucket]:
    """Values that may be the most frequent, with their true counts.

    The index counts by segment and drops what is rare in one, and authors of few works may not have been counted:
    where that could change which values come first, it counts again.

    Parameters
    ----------
    buckets : sequence of Bucket
        The most frequent values, as counted.
    low : int
        By how much counts are too low at most.
    unseen : int
        How frequent values may be that were not counted.
    """
    counts = sorted((count for _, count in buckets), reverse=True)
    least = counts[size - 1] if len(counts) >= size else 0
    if len(counts) == _seen(name, size):
        unseen = max(unseen, counts[-1] + low)
    if unseen and least <= unseen:
        return _read(searcher.aggregate(query, {name: _terms(facet_field(name), _ALL, size)})[name])
    if not low:
        return list(buckets)
    # Works of other values are among these too, but not all of them: they cannot overtake.
    possible = [value for value, count in buckets if count + low >= least]
    some = all_of([query, values_query(schema, name, possible)])
    return _read(searcher.aggregate(some, {name: _terms(facet_field(name), _ALL, size)})[name])


def _seen(name: str, size: int) -> int:
    """Values of a facet that are read to show `size`."""
    return _PORTION if name == "year" else _CANDIDATES * size


def _terms(field: str, portion: int, size: int) -> dict[str, Any]:
    return {"terms": {"field": field, "size": size, "segment_size": max(size, portion)}}


def _read(answer: Mapping[str, Any]) -> list[Bucket]:
    return [(bucket["key"], int(bucket["doc_count"])) for bucket in answer["buckets"]]


def _with_chosen(
    buckets: Sequence[Bucket],
    searcher: tantivy.Searcher,
    schema: tantivy.Schema,
    query: Query,
    name: str,
    chosen: Sequence[str | int],
) -> tuple[FacetCount, ...]:
    """The counts, with those of chosen values that are too rare to be among them."""
    known = {value for value, _ in buckets}
    rare = [
        (value, number_of(searcher, all_of([query, values_query(schema, name, [value])])))
        for value in dict.fromkeys(chosen)
        if value not in known
    ]
    return tuple(FacetCount(str(value), count, value in chosen) for value, count in (*buckets, *rare))


def _check_name(name: str) -> None:
    if name not in FACETS:
        raise InputError("there is no such facet", value=name, remedy=f"one of {', '.join(FACETS)}")


def _value(name: str, value: str | int) -> str | int:
    if name == "year":
        return _year(value)
    return facet_value(language_name(str(value)) if name == "language" else str(value))


def _year(value: str | int) -> int:
    try:
        year = int(value)
    except ValueError:
        year = -1
    if not 0 <= year <= 9999:
        raise InputError("this is no year", place="filter year", value=value, remedy="a number such as 2015")
    return year
