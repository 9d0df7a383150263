"""Records and works by the names that people and other parts of the program have for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final, final

from stromal.compute.errors import InputError
from stromal.evidence.library.merging import best_first, rank
from stromal.evidence.library.overrides import bearers
from stromal.evidence.library.rows import COLUMNS, unpacked
from stromal.evidence.library.store import Store
from stromal.evidence.records.identifiers import recognised
from stromal.evidence.records.record import Record

_PAGE: Final = 500
"""Records read at once."""
_OWN: Final = re.compile(r"(record|work):(\d{1,18})")


@final
@dataclass(frozen=True)
class Work:
    """A work in the library.

    Attributes
    ----------
    name : str
        ``work:12``: the number of its first imported record; changes when works are joined or parted.
    records : tuple of Record
        What the sources say of it, the best first.
    """

    name: str
    records: tuple[Record, ...]


@final
class Lookup:
    """Finds records of a library by name."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def found(self, name: str) -> set[int]:
        """Ids of the records that a name means; empty if there are none."""
        own = _OWN.fullmatch(name)
        if own is None:
            return bearers(self._store, self._curie(name))
        column = "id" if own.group(1) == "record" else "work"
        rows = self._store.rows(f"SELECT id FROM records WHERE {column} = ?", (int(own.group(2)),))  # noqa: S608
        return {number for (number,) in rows}

    def meant(self, name: str) -> set[int]:
        """As `found`.

        Raises
        ------
        InputError
            There are none.
        """
        found = self.found(name)
        if not found:
            raise InputError(
                "the library has no such record",
                file=self._store.path,
                value=name,
                remedy="an identifier of a record in it, such as doi:10..., pmid:... or nct:NCT...",
            )
        return found

    def lasting(self, name: str) -> str:
        """A name by which the same records are found in any library: an identifier, or the hash of a source.

        Raises
        ------
        InputError
            The library has no such record, or the name is that of a work with several.
        """
        meant = self.meant(name)
        if _OWN.fullmatch(name) is None:
            return self._curie(name)
        hashes = {f"sha256:{self.record(number).source.sha256}" for number in meant}
        if len(hashes) > 1:
            raise InputError("the name means several records", value=name, remedy="an identifier, or record:NUMBER")
        return hashes.pop()

    def record(self, number: int) -> Record:
        """The record with an id."""
        return unpacked(self._store.rows(f"SELECT {COLUMNS} FROM records WHERE id = ?", (number,))[0])  # noqa: S608

    def best(self, name: str) -> tuple[int, Record]:
        """The record that a name means, with its id; of several the one that says most.

        Raises
        ------
        InputError
            There are none.
        """
        return min(((n, self.record(n)) for n in sorted(self.meant(name))), key=lambda found: rank(found[1]))

    def records(self) -> Iterator[Record]:
        """All records, by id."""
        last = 0
        while page := self._store.rows(
            f"SELECT id, {COLUMNS} FROM records WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - names of columns
            (last, _PAGE),
        ):
            for _, *row in page:
                yield unpacked(row)
            last = page[-1][0]

    def work(self, name: str) -> Work:
        """The work of the record that a name means.

        Raises
        ------
        InputError
            There is none.
        """
        number, _ = self.best(name)
        return self.numbered(self._store.rows("SELECT work FROM records WHERE id = ?", (number,))[0][0])

    def works(self) -> Iterator[Work]:
        """All works, by number."""
        last = 0
        while page := self._store.rows(
            "SELECT DISTINCT work FROM records WHERE work > ? ORDER BY work LIMIT ?", (last, _PAGE)
        ):
            first, last = page[0][0], page[-1][0]
            rows = self._store.rows(
                f"SELECT work, {COLUMNS} FROM records WHERE work BETWEEN ? AND ? ORDER BY work, id",  # noqa: S608
                (first, last),
            )
            for number, each in groupby(rows, key=itemgetter(0)):
                yield Work(f"work:{number}", best_first(unpacked(row) for _, *row in each))

    def numbered(self, number: int) -> Work:
        """The work with a number."""
        rows = self._store.rows(f"SELECT {COLUMNS} FROM records WHERE work = ? ORDER BY id", (number,))  # noqa: S608
        return Work(f"work:{number}", best_first(map(unpacked, rows)))

    def versions(self, records: Collection[int]) -> tuple[Record, ...]:
        """Earlier versions of records, the earliest first."""
        select = f"SELECT {COLUMNS} FROM versions WHERE record = ? ORDER BY version"  # noqa: S608 - names of columns
        return tuple(unpacked(row) for number in sorted(records) for row in self._store.rows(select, (number,)))

    def _curie(self, name: str) -> str:
        """A name as it is kept: as it stands if a record has it so, else what a person meant by it."""
        known = self._store.row("SELECT 1 FROM aliases WHERE curie = ?", (name,))
        return name if known else recognised(name) or name
