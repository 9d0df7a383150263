"""Works kept up to date: new and changed records are compared with those that share a key, and regrouped."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from itertools import combinations, product
from typing import Any, Final, final

from stromal.evidence.library.blocks import block_keys
from stromal.evidence.library.comparison import Finding, compared, conflict
from stromal.evidence.library.overrides import Overrides
from stromal.evidence.library.store import Store
from stromal.evidence.library.traits import Traits
from stromal.evidence.library.works import Pair, partition

_CROWD: Final = 200
"""A key that more records have says nothing: records that share no other are not compared."""


@final
class Clustering:
    """The clusters of a library during one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._overrides = Overrides(store)
        self._traits: dict[int, Traits] = {}
        self._entered: dict[int, frozenset[int]] = {}

    def leave(self, record: int) -> None:
        """Take out the keys and links of a record that is about to change."""
        old = block_keys(self._traits_of(record))
        self._store.run_many("DELETE FROM blocks WHERE key = ? AND record = ?", [(key, record) for key in old])
        self._store.run("DELETE FROM links WHERE a = ?1 OR b = ?1", (record,))
        self._traits.pop(record, None)

    def enter(self, record: int, identifiers: Sequence[str], item: Mapping[str, Any], digest: str) -> None:
        """Take note of a new or changed record; `settle` finds its work."""
        mine = self._traits[record] = Traits(identifiers, item, digest)
        self._entered[record] = block_keys(mine)

    def settle(self, affected: Iterable[int], event: int) -> None:
        """Compare what was entered with all that shares a key or an identifier, and find the works anew.

        Parameters
        ----------
        affected : ids
            Records whose works may have changed besides those that were entered, such as the `component` of each
            changed record before the change.
        event : int
            Number of the last event of the change.
        """
        changed = set(affected)
        if self._entered:
            changed |= self._compare()
            for record in self._entered:
                decided = self._overrides.touched(record)
                changed |= {record, *decided} if decided else set()
            alone = [(record, event) for record in self._entered if record not in changed]
            self._store.run_many("INSERT OR REPLACE INTO works (id, changed) VALUES (?, ?)", alone)
            self._entered.clear()
        left = set(changed)
        while left:
            component = self.component(left.pop())
            left -= component.keys()
            same, apart = self._overrides.pairs(component)
            for group in partition(component, self._alike(component), same, apart):
                self._write(group, changed, event)

    def _compare(self) -> set[int]:
        """Compare the entered records with their neighbours; gives those whose works may have changed."""
        keys = sorted((key, record) for record, each in self._entered.items() for key in each)
        self._store.run_many("INSERT INTO blocks (key, record) VALUES (?, ?)", keys)
        crowds = self._crowds()
        affected = self._enter_crowds(crowds, Counter(key for key, _ in keys)) if crowds else set()
        pairs = self._pairs_by_key(self._crowds() if affected else crowds)
        for group in self._sharing():
            affected |= group & self._entered.keys()
            kinds: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
            for record in group:
                mine = self.traits(record)
                kinds[mine.notice, mine.preprint].append(record)
            for first, second in combinations(kinds.values(), 2):
                pairs |= {(min(a, b), max(a, b)) for a, b in product(first, second)}
        pairs = {(a, b) for a, b in pairs if a in self._entered or b in self._entered}
        links = []
        for a, b in pairs:
            found = _found(self.traits(a), self.traits(b))
            if found:
                links.append((a, b, found.kind, int(found.forward), found.why))
        self._store.run_many("INSERT INTO links (a, b, kind, forward, why) VALUES (?, ?, ?, ?, ?)", links)
        return affected | {record for pair in pairs for record in pair if record in self._entered}

    def _enter_crowds(self, crowds: Mapping[int, int], added: Mapping[int, int]) -> set[int]:
        """Enter the records under keys that have become too common, to be compared by their other keys alone.

        So it makes no difference which of them was imported first. Gives the records that hung together with them.
        """
        affected: set[int] = set()
        for key, bearers in crowds.items():
            if 0 < bearers - added[key] <= _CROWD:
                for (record,) in self._store.rows("SELECT record FROM blocks WHERE key = ?", (key,)):
                    if record not in self._entered:
                        affected |= self.component(record).keys()
                        self._store.run("DELETE FROM links WHERE a = ?1 OR b = ?1", (record,))
                        self._entered[record] = block_keys(self.traits(record))
        return affected

    def _crowds(self) -> dict[int, int]:
        """Keys of entered records that too many bear, and how many do."""
        rows = self._store.rows(
            "SELECT blocks.key, count(*) FROM json_each(?) AS mine CROSS JOIN blocks ON blocks.key = mine.value"
            " GROUP BY blocks.key HAVING count(*) > ?",
            (json.dumps(sorted({key for keys in self._entered.values() for key in keys})), _CROWD),
        )
        return {key: bearers for key, bearers in rows}  # noqa: C416 - tells the types

    def _pairs_by_key(self, crowds: Collection[int]) -> set[Pair]:
        """Pairs of records under a key of an entered one, except `crowds`."""
        keys = {key for keys in self._entered.values() for key in keys if key not in crowds}
        rows = self._store.rows(
            "SELECT other.record, blocks.record FROM json_each(?) AS mine"
            " CROSS JOIN blocks ON blocks.key = mine.value JOIN blocks AS other ON other.key = blocks.key"
            " WHERE other.record < blocks.record",
            (json.dumps(sorted(keys)),),
        )
        return {(a, b) for a, b in rows}

    def _sharing(self) -> list[set[int]]:
        """Records under each identifier that an entered record and others have."""
        curies = {curie for record in self._entered for curie in self.traits(record).identifiers}
        rows = self._store.rows(
            "SELECT aliases.curie, aliases.record FROM json_each(?) AS mine"
            " CROSS JOIN aliases ON aliases.curie = mine.value WHERE aliases.standing = 0",
            (json.dumps(sorted(curies)),),
        )
        found: defaultdict[str, set[int]] = defaultdict(set)
        for curie, record in rows:
            found[curie].add(record)
        return [group for group in found.values() if len(group) > 1]

    def component(self, start: int) -> dict[int, Traits]:
        """Records that links, identifiers and decisions connect with one."""
        found: dict[int, Traits] = {}
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            record = waiting.pop()
            if record in found:
                continue
            mine = found[record] = self.traits(record)
            links = self._store.rows(
                "SELECT b FROM links WHERE a = ?1 AND kind = 'same' UNION ALL"
                " SELECT a FROM links WHERE b = ?1 AND kind = 'same'",
                (record,),
            )
            waiting += [other for (other,) in links]
            for curie in mine.identifiers - seen:
                bearers = self._store.rows("SELECT record FROM aliases WHERE curie = ? AND standing = 0", (curie,))
                waiting += [r for (r,) in bearers if r not in found and curie in self.traits(r).identifiers]
            seen |= mine.identifiers
            waiting += self._overrides.joined_with(record)
        return found

    def traits(self, record: int) -> Traits:
        """What is compared of a record."""
        if record not in self._traits:
            self._traits[record] = self._traits_of(record)
        return self._traits[record]

    def _traits_of(self, record: int) -> Traits:
        identifiers, item, digest = self._store.rows(
            "SELECT identifiers, item, digest FROM records WHERE id = ?", (record,)
        )[0]
        return Traits(json.loads(identifiers), json.loads(item), digest)

    def _alike(self, component: Collection[int]) -> list[Pair]:
        if len(component) < 2:
            return []
        return [
            (a, b)
            for a, b in self._store.rows(
                "SELECT a, b FROM json_each(?) AS mine JOIN links ON links.a = mine.value WHERE links.kind = 'same'",
                (json.dumps(list(component)),),
            )
            if b in component
        ]

    def _write(self, group: frozenset[int], changed: Set[int], event: int) -> None:
        work = min(group)
        if len(group) == 1:
            old = {w for (w,) in self._store.rows("SELECT work FROM records WHERE id = ?", (work,))}
        else:
            rows = self._store.rows(
                "SELECT DISTINCT work FROM records WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(group)),),
            )
            old = {w for (w,) in rows}
        if old != {work}:
            self._store.run_many("UPDATE records SET work = ? WHERE id = ?", [(work, record) for record in group])
        elif group.isdisjoint(changed):
            return
        self._store.run_many(
            "INSERT OR REPLACE INTO works (id, changed) VALUES (?, ?)", [(w, event) for w in {work, *old}]
        )


def _found(a: Traits, b: Traits) -> Finding | None:
    """What two records are to each other; None where their identifiers say it already."""
    if a.identifiers & b.identifiers and (a.notice, a.preprint) == (b.notice, b.preprint):
        return None if conflict(a.identifiers, b.identifiers) is None else compared(a, b)
    return compared(a, b)
