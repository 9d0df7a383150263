"""The log of what was done to a library: append-only, each entry sealed with the hash of the one before.

A change inside the log breaks the chain and is found; the loss of its last entries together with what they tell of is
not, unless somebody has kept a `revision` from before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, final

from stromal.compute.content import canonical_json
from stromal.compute.errors import InputError
from stromal.evidence.library.rows import storable
from stromal.evidence.library.store import Store

_PAGE: Final = 100


@final
@dataclass(frozen=True)
class Event:
    """One entry of the log.

    Attributes
    ----------
    seq : int
        Counted from 1.
    at : str
        Time, ISO 8601.
    agent : str
        Who: a person, or ``import``.
    activity : str
        ``imported``, ``same``, ``not same``, ``withdrawn``, ``related``, ``text``.
    entity : str
        What it was done to: a file, or a record by its identifier.
    payload : mapping
        What else is known of it. Of an import ``records``: for each that was added or updated its number, identifier,
        the hash of its content, and what ``changed`` in an update.
    """

    seq: int
    at: str
    agent: str
    activity: str
    entity: str
    payload: Mapping[str, Any]


@final
class Log:
    """The log of a library; appended to inside a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry; ``(0, "")`` if there is none."""
        row = self._store.row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return (row[0], row[1]) if row else (0, "")

    def append(self, at: str, agent: str, activity: str, entity: str, payload: Mapping[str, Any]) -> int:
        """Add an entry; gives its number."""
        last, previous = self.head()
        entry = (last + 1, at, agent, activity, storable(entity), canonical_json(payload))
        self._store.run(
            "INSERT INTO events (seq, at, agent, activity, entity, payload, previous, hash) VALUES (?,?,?,?,?,?,?,?)",
            (*entry, previous, _sealed(previous, entry)),
        )
        return last + 1

    def entries(self, after: int = 0) -> Iterator[Event]:
        """The entries after a number, in order."""
        while True:
            rows = self._store.rows(
                "SELECT seq, at, agent, activity, entity, payload FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, _PAGE),
            )
            for seq, at, agent, activity, entity, payload in rows:
                yield Event(seq, at, agent, activity, entity, json.loads(payload))
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def hash_of(self, seq: int) -> str:
        """Hash of an entry; empty if there is none."""
        row = self._store.row("SELECT hash FROM events WHERE seq = ?", (seq,))
        return row[0] if row else ""

    def breaks(self) -> list[str]:
        """Where the chain is broken, in words; empty if it is whole."""
        found: list[str] = []
        number, previous = 0, ""
        while True:
            rows = self._store.rows(
                "SELECT seq, at, agent, activity, entity, payload, previous, hash FROM events"
                " WHERE seq > ? ORDER BY seq LIMIT ?",
                (number, _PAGE),
            )
            for *entry, before, sealed in rows:
                if entry[0] != number + 1:
                    found.append(f"entries {number + 1} to {entry[0] - 1} are missing")
                elif before != previous or sealed != _sealed(before, tuple(entry)):
                    found.append(f"entry {entry[0]} was changed")
                number, previous = entry[0], sealed
            if len(rows) < _PAGE:
                return found


def _sealed(previous: str, entry: tuple[Any, ...]) -> str:
    return hashlib.sha256(f"{previous}\n{canonical_json(entry)}".encode()).hexdigest()


def stamped(at: datetime | None) -> str:
    """A time as it is kept: UTC, ISO 8601 with seconds; now, if none is given.

    Raises
    ------
    InputError
        The time has no zone.
    """
    if at is None:
        at = datetime.now(UTC)
    if at.tzinfo is None:
        raise InputError("the time has no zone", value=at.isoformat(), remedy="a time with a zone, e.g. in UTC")
    return at.astimezone(UTC).isoformat(timespec="seconds")
