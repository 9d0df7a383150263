"""Pairs of records that may be of one work, for a person to decide."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import combinations, pairwise
from typing import Final

from stromal.evidence.library.batch import Possible
from stromal.evidence.library.comparison import conflict
from stromal.evidence.library.overrides import Overrides
from stromal.evidence.library.store import Store
from stromal.evidence.library.traits import naming

_MINE = "(SELECT value AS id FROM json_each(?))"
_ALL = "(SELECT id FROM records)"
_ALIKE = """
SELECT links.a, links.b, links.kind, links.why
FROM {mine} AS mine JOIN links ON links.{end} = mine.id
JOIN records AS first ON first.id = links.a JOIN records AS second ON second.id = links.b
WHERE links.kind IN ('same', 'possible') AND first.work != second.work
"""
_SHARED = """
WITH names AS (
    SELECT DISTINCT aliases.curie FROM {mine} AS mine CROSS JOIN aliases ON aliases.record = mine.id
    WHERE aliases.standing = 0 AND aliases.curie NOT LIKE 'url:%' AND aliases.curie NOT LIKE 'nct:%'
)
SELECT names.curie FROM names CROSS JOIN aliases ON aliases.curie = names.curie
JOIN records ON records.id = aliases.record WHERE aliases.standing = 0
GROUP BY names.curie HAVING min(records.work) != max(records.work)
"""
_BEARERS = """
SELECT records.work, records.digest, records.id FROM aliases JOIN records ON records.id = aliases.record
WHERE aliases.curie = ? AND aliases.standing = 0
"""
_FEW: Final = 5
"""Works under one identifier of which all pairs are listed; of more, each with the next."""


def possible_pairs(store: Store, records: Collection[int] | None = None) -> Iterator[Possible]:
    """Pairs of records of different works that agree well, or share an identifier.

    Parameters
    ----------
    store : Store
    records : ids, optional
        Only pairs with one of these, and those under identifiers that they have.

    Yields
    ------
    Possible
        What a person has decided already is left out.
    """
    mine = _ALL if records is None else _MINE
    values = () if records is None else (json.dumps(sorted(records)),)
    found: dict[tuple[int, int], str] = {}
    for end in ("a", "b"):
        for a, b, kind, why in store.rows(_ALIKE.format(mine=mine, end=end), values):
            found[a, b] = why if kind == "possible" else f"{why}, but it could be of another work as well"
    for (curie,) in store.rows(_SHARED.format(mine=mine), values):
        for a, b in _pairs_under(store, curie):
            found.setdefault((a, b), f"both are {curie}")
    overrides = Overrides(store)
    for a, b in sorted(found):
        if overrides.pairs((a, b))[1]:
            continue
        first, second = (_identifiers(store, number) for number in (a, b))
        against = conflict(naming(first), naming(second))
        why = found[a, b] + (f", but {against}" if against and against not in found[a, b] else "")
        yield Possible(f"record:{a}", f"record:{b}", first[0], second[0], why)


def _pairs_under(store: Store, curie: str) -> Iterator[tuple[int, int]]:
    """Of the works under an identifier: pairs of records, one of each, that are not known to be related."""
    best: dict[int, tuple[str, int]] = {}
    for work, digest, number in store.rows(_BEARERS, (curie,)):
        best[work] = min(best.get(work, (digest, number)), (digest, number))
    numbers = [number for _, number in sorted(best.values())]
    related = "SELECT 1 FROM links WHERE a = ? AND b = ? AND kind NOT IN ('same', 'possible')"
    for pair in combinations(numbers, 2) if len(numbers) <= _FEW else pairwise(numbers):
        a, b = sorted(pair)
        if not store.row(related, (a, b)):
            yield a, b


def _identifiers(store: Store, number: int) -> list[str]:
    (identifiers,) = store.rows("SELECT identifiers FROM records WHERE id = ?", (number,))[0]
    known: list[str] = json.loads(identifiers)
    return known
