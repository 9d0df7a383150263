"""Works that belong together and are never one: versions, errata, retractions, expressions of concern."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, final

from stromal.evidence.library.overrides import bearers
from stromal.evidence.library.store import Store

RelationKind = Literal["version", "erratum", "retraction", "concern"]
RELATION_KINDS: Final[tuple[RelationKind, ...]] = ("version", "erratum", "retraction", "concern")
_STATED: Final[Mapping[RelationKind, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "erratum": (("corrects",), ("corrected_by",)),
    "retraction": (("retracts",), ("retracted_by",)),
    "concern": (("concern_about",), ("concern_in",)),
    "version": (
        ("updates", "is_preprint_of", "is_version_of", "republished_from"),
        ("updated_by", "has_preprint", "has_version", "republished_in"),
    ),
}
"""Words of ``custom.relations`` that say that the record itself is the erratum ... of the other, or the other of it."""
_MEANING: Final = {
    word: (kind, forward)
    for kind, words in _STATED.items()
    for forward, each in zip((True, False), words, strict=True)
    for word in each
}


@final
@dataclass(frozen=True)
class Relation:
    """Record `a` is a `kind` of record `b`.

    Attributes
    ----------
    a, b : str
        Names of records (``record:12``), or an identifier of a work that is not in the library.
    kind : {"version", "erratum", "retraction", "concern"}
    by : str
        ``titles`` if it was found by comparison, the name of the record that states it, or a person.
    why : str
    """

    a: str
    b: str
    kind: RelationKind
    by: str
    why: str


def unstate(store: Store, record: int) -> None:
    """Drop the relations that the earlier version of a record stated."""
    store.run("DELETE FROM relations WHERE record = ?", (record,))


def state(store: Store, record: int, identifier: str, item: Mapping[str, Any], at: str) -> None:
    """Take over the relations that a record states."""
    custom = item.get("custom")
    stated = custom.get("relations") if isinstance(custom, Mapping) else None
    for relation in stated if isinstance(stated, list | tuple) else ():
        known = _MEANING.get(str(relation.get("type"))) if isinstance(relation, Mapping) else None
        other = relation.get("id") if known else None
        if known and isinstance(other, str):
            kind, forward = known
            a, b = (identifier, other) if forward else (other, identifier)
            store.run(
                "INSERT INTO relations (a, b, kind, record, by, why, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (a, b, kind, record, f"record:{record}", str(relation.get("text") or ""), at),
            )


def relations_of(store: Store, records: Collection[int]) -> Iterator[Relation]:
    """Relations of the work of which these are the records, each once."""
    mine = json.dumps(sorted(records))
    names = "(SELECT curie FROM aliases WHERE record IN (SELECT value FROM json_each(?1)))"
    stated = store.rows(
        "SELECT a, b, kind, by, why FROM relations"  # noqa: S608 - no value is part of the statement
        f" WHERE a IN {names} OR b IN {names} ORDER BY record IS NOT NULL, a, b, kind",
        (mine,),
    )
    found = store.rows(
        "SELECT a, b, kind, forward, why FROM links JOIN json_each(?1) AS mine ON mine.value IN (links.a, links.b)"
        " WHERE kind NOT IN ('same', 'possible') ORDER BY a, b",
        (mine,),
    )
    seen: set[tuple[str, str, RelationKind]] = set()
    for a, b, kind, by, why in stated:
        for first in _named(store, a):
            for second in _named(store, b):
                if first != second and (first, second, kind) not in seen:
                    seen.add((first, second, kind))
                    yield Relation(first, second, kind, by, why)
    for a, b, kind, forward, why in found:
        first, second = (f"record:{number}" for number in ((a, b) if forward else (b, a)))
        if (first, second, kind) not in seen:
            seen.add((first, second, kind))
            yield Relation(first, second, kind, "titles", why)


def _named(store: Store, curie: str) -> list[str]:
    return [f"record:{number}" for number in sorted(bearers(store, curie))] or [curie]
