"""An import: what each record is to those in the library - new, a new version, or known."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, final

from stromal.evidence.library import relations
from stromal.evidence.library.batch import Batch, Entry
from stromal.evidence.library.clustering import Clustering
from stromal.evidence.library.comparison import conflict
from stromal.evidence.library.events import Log
from stromal.evidence.library.overrides import CURRENT, FORMER, HASH
from stromal.evidence.library.possible import possible_pairs
from stromal.evidence.library.rows import COLUMNS, Row, Texts, changes, digest, packed, unpacked, written
from stromal.evidence.library.store import Store
from stromal.evidence.library.traits import folded, naming, plain
from stromal.evidence.records.record import Record, Rejected

AGENT: Final = "import"
_RECORDS: Final = 4_000
"""Written in one transaction: an import that is killed loses no more than these."""
_BYTES: Final = 32_000_000
"""Of sources, held in memory before they are written."""
_MARKS: Final = ", ".join("?" * len(Row._fields))


def portions(records: Iterable[Record | Rejected]) -> Iterator[list[Record | Rejected]]:
    """Records in lists, each small enough for one transaction and from one file."""
    portion: list[Record | Rejected] = []
    size, file = 0, None
    for record in records:
        of = record.source.file if isinstance(record, Record) else record.file
        if portion and (of != file or len(portion) >= _RECORDS or size >= _BYTES):
            yield portion
            portion, size = [], 0
        portion.append(record)
        size += len(record.source.content) if isinstance(record, Record) else 0
        file = of
    if portion:
        yield portion


@contextmanager
def uncollected() -> Iterator[None]:
    """Without searches for cycles of garbage, which a portion has none of: they took a seventh of an import."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


class _Said(NamedTuple):
    """A record and what is stored of it."""

    record: Record
    texts: Texts
    digest: str


class _There(NamedTuple):
    """A record of the library that may be an earlier version of one that is imported."""

    number: int
    format: str
    database: str
    identifiers: list[str]
    title: str
    names: list[tuple[str, str]]


@final
class Import:
    """One call of `Library.add`.

    Parameters
    ----------
    store : Store
    log : Log
    at : str
        Time of import, ISO 8601.
    """

    def __init__(self, store: Store, log: Log, at: str) -> None:
        self._store, self._log, self._at = store, log, at
        self._met: defaultdict[str, set[int]] = defaultdict(set)
        self._entries: dict[str, list[Entry]] = {"added": [], "updated": [], "duplicate": []}
        self._rejected: list[Rejected] = []
        self._changed: set[int] = set()

    def take(self, portion: Iterable[Record | Rejected]) -> None:
        """Bring a portion into the library, inside a transaction."""
        clustering = Clustering(self._store)
        said = self._storable(portion)
        known = self._known(said)
        earlier = self._earlier([one for one in said if one.digest not in known])
        last: int = self._store.rows("SELECT coalesce(max(id), 0) FROM records")[0][0]
        added: list[tuple[int, Record, Row]] = []
        told: list[dict[str, Any]] = []
        affected: set[int] = set()
        for record, texts, content in said:
            met = self._met[record.source.file]
            if content in known:
                number, note = known[content]
                self._entries["duplicate"].append(_entry(number, record, note=note))
            else:
                row = packed(record, texts, content)
                found = _version_of(record, row, earlier, met) if earlier else None
                if found is None:
                    number = last = last + 1
                    added.append((number, record, row))
                    told.append({"record": number, "identifier": record.id, "digest": content})
                    self._entries["added"].append(_entry(number, record))
                else:
                    number = found
                    affected |= clustering.component(number).keys()
                    clustering.leave(number)
                    changed = self._update(number, record, row)
                    what = {"record": number, "identifier": record.id, "digest": content, "changed": changed}
                    told.append(what)
                    self._entries["updated"].append(_entry(number, record, changed=changed))
                clustering.enter(number, record.identifiers, record.item, content)
                self._changed.add(number)
                known[content] = number, "the same content"
            met.add(number)
        self._add(added)
        if told:
            self._log.append(self._at, AGENT, "imported", said[0].record.source.file, {"records": told})
        clustering.settle(affected, self._log.head()[0])

    def batch(self) -> Batch:
        """What was done."""
        joined = self._in_company()
        entries = {outcome: tuple(each) for outcome, each in self._entries.items()}
        return Batch(
            **entries,
            rejected=tuple(self._rejected),
            joined=tuple(e for e in (*entries["added"], *entries["updated"]) if e.record in joined),
            possible=tuple(possible_pairs(self._store, self._changed)) if self._changed else (),
        )

    def _storable(self, portion: Iterable[Record | Rejected]) -> list[_Said]:
        found = []
        for record in portion:
            if isinstance(record, Rejected):
                self._rejected.append(record)
                continue
            try:
                texts = written(record)
                found.append(_Said(record, texts, digest(record.source.format, texts)))
            except (ValueError, TypeError) as error:
                reason = f"the record cannot be stored: {error}; mend it in the file, or report a defect of its reader"
                self._rejected.append(Rejected(record.source.file, record.source.place, reason))
        return found

    def _known(self, said: Iterable[_Said]) -> dict[str, tuple[int, str]]:
        """Of each digest that a record of the library has or had in an earlier version: which, and which version."""
        digests = json.dumps([one.digest for one in said])
        old = self._store.rows(
            "SELECT versions.digest, record, version FROM json_each(?) AS mine"
            " CROSS JOIN versions ON versions.digest = mine.value",
            (digests,),
        )
        now = self._store.rows(
            "SELECT records.digest, records.id FROM json_each(?) AS mine"
            " CROSS JOIN records ON records.digest = mine.value",
            (digests,),
        )
        found = {d: (number, f"the same content as its version {v}, since replaced") for d, number, v in old}
        return found | {d: (number, "the same content") for d, number in now}

    def _earlier(self, said: Iterable[_Said]) -> dict[str, list[_There]]:
        """By identifier, the records of the library that bear one that these have."""
        wanted = {curie for one in said for curie, _ in _names(one.record.identifiers, one.record.item)}
        rows = self._store.rows(
            "SELECT mine.value, records.id, format, database, identifiers, item FROM json_each(?) AS mine"
            " CROSS JOIN aliases ON aliases.curie = mine.value JOIN records ON records.id = aliases.record"
            " WHERE aliases.standing = ?",
            (json.dumps(sorted(wanted)), CURRENT),
        )
        found: defaultdict[str, list[_There]] = defaultdict(list)
        for curie, number, form, database, identifiers, item in rows:
            listed, known = json.loads(identifiers), json.loads(item)
            title = folded(plain(known.get("title")))
            found[curie].append(_There(number, form, database, listed, title, _names(listed, known)))
        return found

    def _add(self, added: list[tuple[int, Record, Row]]) -> None:
        self._store.run_many(
            f"INSERT INTO records (id, work, version, imported, {COLUMNS}) VALUES (?1, ?1, 1, ?, {_MARKS})",  # noqa: S608
            ((number, self._at, *row) for number, _, row in added),
        )
        self._name(alias for number, record, row in added for alias in _aliases(number, record, row))
        for number, record, _ in added:
            relations.state(self._store, number, record.id, record.item, self._at)

    def _update(self, number: int, record: Record, row: Row) -> tuple[str, ...]:
        """Replace a record by a new version; gives what changed."""
        old = unpacked(self._store.rows(f"SELECT {COLUMNS} FROM records WHERE id = ?", (number,))[0])  # noqa: S608
        self._store.run(
            f"INSERT INTO versions (record, version, imported, {COLUMNS})"  # noqa: S608 - names of columns
            f" SELECT id, version, imported, {COLUMNS} FROM records WHERE id = ?",
            (number,),
        )
        columns = ", ".join(f"{name} = ?" for name in Row._fields)
        self._store.run(
            f"UPDATE records SET version = version + 1, imported = ?, {columns} WHERE id = ?",  # noqa: S608
            (self._at, *row, number),
        )
        former = "UPDATE aliases SET standing = ? WHERE record = ? AND standing = ?"
        self._store.run(former, (FORMER, number, CURRENT))
        self._name(_aliases(number, record, row))
        relations.unstate(self._store, number)
        relations.state(self._store, number, record.id, record.item, self._at)
        return changes(old, record)

    def _name(self, aliases: Iterable[tuple[str, int, int]]) -> None:
        self._store.run_many(
            "INSERT INTO aliases (curie, record, standing) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET standing = min(standing, excluded.standing)",
            sorted(aliases),
        )

    def _in_company(self) -> set[str]:
        """Names of the changed records that are of one work with others."""
        rows = self._store.rows(
            "SELECT mine.value FROM json_each(?) AS mine JOIN records ON records.id = mine.value WHERE EXISTS"
            " (SELECT 1 FROM records AS other WHERE other.work = records.work AND other.id != records.id)",
            (json.dumps(sorted(self._changed)),),
        )
        return {f"record:{number}" for (number,) in rows}


def _version_of(record: Record, row: Row, there: Mapping[str, list[_There]], met: set[int]) -> int | None:
    """The record that one is a new version of.

    It is of the same format and database, and has an identifier in common (an address counts if it is the best that
    both have and the title is the same). Two different records in one file are never versions of each other: a file
    exported twice over, or papers under one identifier, lose nothing.
    """
    names = _names(record.identifiers, record.item)
    title = folded(plain(record.item.get("title"))) if any(curie in there for curie, _ in names) else ""
    shared: dict[int, int] = {}
    for curie, _ in names:
        for old in there.get(curie, ()):
            if old.number in met or (old.format, old.database) != (row.format, row.database):
                continue
            both = set(names) & set(old.names)
            # A source may mend an identifier: the title must be the same then.
            fits = old.title == title or conflict(record.identifiers, old.identifiers) is None
            if both and fits:
                shared[old.number] = len(both)
    return min(shared, key=lambda number: (-shared[number], number)) if shared else None


def _names(identifiers: Sequence[str], item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """By what a version of a record knows another: identifiers, or its address together with the title."""
    strong = naming(identifiers)
    if strong or not identifiers:
        return [(curie, "") for curie in strong]
    return [(identifiers[0], folded(plain(item.get("title"))))]


def _aliases(number: int, record: Record, row: Row) -> list[tuple[str, int, int]]:
    own = [(curie, number, CURRENT) for curie in record.identifiers]
    return [*own, (f"sha256:{row.sha256}", number, HASH)]


def _entry(number: int, record: Record, *, changed: tuple[str, ...] = (), note: str = "") -> Entry:
    source = record.source
    return Entry(f"record:{number}", record.id, source.file, source.place, record.title, changed, note)
