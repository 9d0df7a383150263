"""What a person decided about two records, kept by their identifiers so that no re-import loses it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, final

from stromal.evidence.library.store import Store
from stromal.evidence.library.works import Pair

Verdict = Literal["same", "not same"]
CURRENT, FORMER, HASH = 0, 1, 2
"""Standing of an alias: the record bears it, an earlier version bore it, it is the hash of the source."""
_KNOWN: Final = (
    "SELECT a, b, verdict FROM overrides WHERE a = ?1 OR b = ?1"
    # Versions, errata and retractions are works of their own, so a relation that a person stated keeps records apart.
    " UNION ALL SELECT a, b, 'not same' FROM relations WHERE (a = ?1 OR b = ?1) AND record IS NULL"
)


@final
@dataclass(frozen=True)
class Override:
    """A person's decision.

    Attributes
    ----------
    a, b : str
        Identifiers of the records.
    verdict : {"same", "not same"}
    by, why : str
        Who decided, and for which reason.
    at : str
        When, ISO 8601.
    """

    a: str
    b: str
    verdict: Verdict
    by: str
    why: str
    at: str


@final
class Overrides:
    """The decisions in a library, as pairs of its records."""

    def __init__(self, store: Store) -> None:
        self._store = store
        rows = store.rows(
            "SELECT a FROM overrides UNION SELECT b FROM overrides"
            " UNION SELECT a FROM relations WHERE record IS NULL UNION SELECT b FROM relations WHERE record IS NULL"
        )
        self._named = frozenset(curie for (curie,) in rows)

    def touched(self, record: int) -> set[int]:
        """Records about which something was decided under a name that one has, whoever is meant by it now."""
        names = {
            name
            for curie in self._named_of((record,))
            for a, b, _ in self._store.rows(_KNOWN, (curie,))
            for name in (a, b)
        }
        select = "SELECT record FROM aliases WHERE curie = ?"
        return {r for name in names for (r,) in self._store.rows(select, (name,))}

    def joined_with(self, record: int) -> list[int]:
        """Records that somebody called the same as one."""
        found = []
        for curie in self._named_of((record,)):
            for a, b, verdict in self._store.rows(_KNOWN, (curie,)):
                meant = bearers(self._store, a) | bearers(self._store, b)
                if verdict == "same" and record in meant:
                    found += sorted(meant)
        return found

    def pairs(self, records: Collection[int]) -> tuple[list[Pair], list[Pair]]:
        """Pairs among some records that are the same, and that are not, by a person's word."""
        pairs: defaultdict[str, set[Pair]] = defaultdict(set)
        for curie in self._named_of(records):
            for a, b, verdict in self._store.rows(_KNOWN, (curie,)):
                first, second = (bearers(self._store, name) for name in (a, b))
                if verdict == "not same":
                    if first == second:
                        continue  # the two names have come to mean the same records
                    # A name that several records bear, and one of them under which one is known: the others are meant.
                    first, second = first - second or first, second - first or second
                pairs[verdict] |= {
                    (min(r, s), max(r, s)) for r, s in product(first, second) if r != s and {r, s} <= set(records)
                }
        return sorted(pairs["same"]), sorted(pairs["not same"])

    def _named_of(self, records: Collection[int]) -> list[str]:
        """Names of records about which something was decided."""
        if not self._named:
            return []
        rows = self._store.rows(
            "SELECT curie FROM aliases WHERE record IN (SELECT value FROM json_each(?))",
            (json.dumps(list(records)),),
        )
        return sorted({curie for (curie,) in rows} & self._named)


def bearers(store: Store, curie: str) -> set[int]:
    """Ids of the records with a name; of those that had it in an earlier version only if no record has it now."""
    rows = store.rows("SELECT record, standing FROM aliases WHERE curie = ?", (curie,))
    now = {record for record, standing in rows if standing != FORMER}
    return now or {record for record, _ in rows}
