"""Pairs of records that may be of one work, for a person to decide."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from stromal.evidence.library.batch import Possible
from stromal.evidence.library.comparison import conflict
from stromal.evidence.library.overrides import Overrides
from stromal.evidence.library.store import Store
from stromal.evidence.library.traits import STRONG, naming

_MINE = "(SELECT value AS id FROM json_each(?))"
_ALL = "(SELECT id FROM records)"
_ALIKE = """
FROM {mine} AS mine JOIN links ON links.{end} = mine.id
JOIN records AS first ON first.id = links.a JOIN records AS second ON second.id = links.b
WHERE links.kind IN ('same', 'possible') AND first.work != second.work
"""
_SHARING = """
FROM {mine} AS mine CROSS JOIN aliases AS one ON one.record = mine.id
CROSS JOIN aliases AS other ON other.curie = one.curie AND other.record != one.record
JOIN records AS first ON first.id = one.record JOIN records AS second ON second.id = other.record
WHERE one.standing = 0 AND other.standing = 0 AND first.work != second.work
AND NOT EXISTS (SELECT 1 FROM links WHERE a = min(one.record, other.record) AND b = max(one.record, other.record)
                AND kind NOT IN ('same', 'possible'))
"""


def possible_pairs(store: Store, records: Collection[int] | None = None) -> Iterator[Possible]:
    """Pairs of records of different works that agree well, or share an identifier.

    Parameters
    ----------
    store : Store
    records : ids, optional
        Only pairs with one of these.

    Yields
    ------
    Possible
        What a person or a source has decided already is left out.
    """
    mine = _ALL if records is None else _MINE
    values = () if records is None else (json.dumps(sorted(records)),)
    found: dict[tuple[int, int], str] = {}
    for end in ("a", "b"):
        alike = "SELECT links.a, links.b, links.kind, links.why" + _ALIKE.format(mine=mine, end=end)
        for a, b, kind, why in store.rows(alike, values):
            found[a, b] = why if kind == "possible" else f"{why}, but it could be of another work as well"
    sharing = "SELECT one.record, other.record, one.curie " + _SHARING.format(mine=mine)
    for a, b, curie in store.rows(sharing, values):
        if curie.split(":", 1)[0] in STRONG:
            found.setdefault((min(a, b), max(a, b)), f"both are {curie}")
    overrides = Overrides(store)
    for a, b in sorted(found):
        if overrides.pairs((a, b))[1]:
            continue
        first, second = (_identifiers(store, number) for number in (a, b))
        against = conflict(naming(first), naming(second))
        why = found[a, b] + (f", but {against}" if against and against not in found[a, b] else "")
        yield Possible(f"record:{a}", f"record:{b}", first[0], second[0], why)


def _identifiers(store: Store, number: int) -> list[str]:
    (identifiers,) = store.rows("SELECT identifiers FROM records WHERE id = ?", (number,))[0]
    known: list[str] = json.loads(identifiers)
    return known
