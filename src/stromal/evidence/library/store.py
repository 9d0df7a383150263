"""The SQLite file of a library: opening, transactions, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from stromal.compute.errors import InputError
from stromal.evidence.library.schema import APPLICATION, TABLES, VERSION

_WAIT: Final = 30.0
"""For another process that is writing [s]."""
_MEANING: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_CORRUPT: ("the library is damaged", "a copy from a backup, or a new file and import again"),
    sqlite3.SQLITE_NOTADB: ("this is no library: the file is not SQLite, or damaged", "the path of a library"),
    sqlite3.SQLITE_READONLY: (
        "the library cannot be written",
        "a path where you may write, or open it with read_only=True",
    ),
    sqlite3.SQLITE_PERM: ("the library may not be opened", "a path that you may read and write"),
    sqlite3.SQLITE_CANTOPEN: (
        "the library cannot be opened or created here",
        "a file in a folder that exists and that you may write to (to read only: read_only=True)",
    ),
    sqlite3.SQLITE_BUSY: (f"another process has been writing to the library for {_WAIT:.0f} s", "wait, and try again"),
    sqlite3.SQLITE_FULL: ("the disk is full", "a path on a disk with space; the library is as before this step"),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written", "a path on a sound disk; see the system's log"),
}


@final
class Store:
    """An open library file.

    Parameters
    ----------
    path : Path
        Made when it does not exist, unless `read_only`.
    read_only : bool
        Open a file that exists, and never write to it.

    Raises
    ------
    InputError
        The file is no library, damaged, made by a newer version, or cannot be opened, made or written. Every method
        raises it as well when SQLite meets damage, a full disk, or a writer that does not end.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        if read_only and not path.is_file():
            raise InputError("there is no library", file=path, remedy="the path of a library")
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error
        try:
            self._prepared()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; nothing can be asked afterwards."""
        self._connection.close()

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
        """First row of a query, None if there is none."""
        try:
            found: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error
        return found

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; gives the id of the row that an INSERT made."""
        try:
            return self._connection.execute(sql, values).lastrowid or 0
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement once per row of values."""
        try:
            self._connection.executemany(sql, values)
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside becomes part of the file at the end, or, after an exception, none of it."""
        if self.read_only:
            raise InputError(
                "the library cannot be written: it was opened to read",
                file=self.path,
                remedy="open it without read_only",
            )
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise

    def damage(self) -> list[str]:
        """What SQLite's own check of the whole file finds."""
        try:
            rows = self._connection.execute("PRAGMA integrity_check(20)").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]  # too damaged to be checked to the end
        return [str(text) for (text,) in rows if text != "ok"]

    def _opened(self) -> sqlite3.Connection:
        address = self.path.absolute().as_uri()
        if not self.read_only:
            return _connected(f"{address}?mode=rwc")
        try:
            return _connected(f"{address}?mode=ro")
        except sqlite3.OperationalError:
            beside = Path(f"{self.path}-wal")
            if os.access(self.path.parent, os.W_OK, effective_ids=True) or (beside.exists() and beside.stat().st_size):
                raise
            # SQLite wants to keep its lock file beside the library; where nobody can write, none is needed.
            return _connected(f"{address}?immutable=1")

    def _prepared(self) -> None:
        """Check whose file this is, and make the tables of a new one."""
        (application,), (version,) = (self.row(f"PRAGMA {p}") or (0,) for p in ("application_id", "user_version"))
        empty = not self.rows("SELECT 1 FROM sqlite_schema LIMIT 1")
        if not empty and application != APPLICATION:
            raise InputError(
                "this SQLite file is no library", file=self.path, remedy="the path of a library, or of a new file"
            )
        if version > VERSION:
            raise InputError(
                "the library was written by a newer version of stromal",
                file=self.path,
                value=f"version {version} of its tables; this version knows {VERSION}",
                remedy="another path, or install the newer version",
            )
        if empty and self.read_only:
            raise InputError("the library is empty", file=self.path, remedy="the path of a library")
        if not self.read_only:
            # Readers go on while an import writes; after a power cut the last imports may be missing, never half there.
            self.run("PRAGMA journal_mode = WAL")
            self.run("PRAGMA synchronous = NORMAL")
            if empty:
                self._made()

    def _made(self) -> None:
        """Make the tables if no one has; in the transaction, as two processes may have opened one new file."""
        with self.transaction():
            if self.rows("SELECT 1 FROM sqlite_schema LIMIT 1"):
                return
            for statement in _statements(TABLES):
                self.run(statement)
            self.run(f"PRAGMA application_id = {APPLICATION}")
            self.run(f"PRAGMA user_version = {VERSION}")

    def _explained(self, error: sqlite3.DatabaseError) -> Exception:
        """What an error of SQLite means to a person; itself, where it is a defect of this package."""
        code = getattr(error, "sqlite_errorcode", None)
        known = None if code is None else _MEANING.get(code & 0xFF)
        if known is None:
            return error
        return InputError(known[0], file=self.path, value=str(error), remedy=known[1])


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None, cached_statements=256)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()  # opens the file
    except BaseException:
        connection.close()
        raise
    return connection


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
