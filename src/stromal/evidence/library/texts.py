"""Texts that a user imports so that quotes can be looked up in them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, final

from stromal.compute.errors import InputError
from stromal.evidence.library.store import Store

TextKind = Literal["abstract", "full text"]
_COLUMNS: Final = "sha256, content, kind, source, date, imported, record"


@final
@dataclass(frozen=True)
class Text:
    """A text of a work.

    Attributes
    ----------
    sha256 : str
        Of `content` in UTF-8.
    content : str
        Verbatim.
    kind : {"abstract", "full text"}
    source : str
        Where it is from: an address, a database, a file.
    date : str
        When it was taken from there, ISO 8601.
    imported : str
        When it came into the library, ISO 8601.
    record : str
        Name of the record that it was imported for (``record:12``).
    """

    sha256: str
    content: str
    kind: TextKind
    source: str
    date: str
    imported: str
    record: str


def text_hash(content: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(content.encode()).hexdigest()


def insert(store: Store, text: Text, record: int) -> bool:
    """Put a text into the library; whether it was not there."""
    if store.row("SELECT 1 FROM texts WHERE sha256 = ? AND record = ?", (text.sha256, record)):
        return False
    content = zlib.compress(text.content.encode())
    store.run(
        f"INSERT INTO texts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of columns
        (text.sha256, content, text.kind, text.source, text.date, text.imported, record),
    )
    return True


def select(store: Store, records: Iterable[int]) -> tuple[Text, ...]:
    """Texts of records, the earliest imported first."""
    rows = [
        row
        for record in records
        for row in store.rows(f"SELECT {_COLUMNS} FROM texts WHERE record = ?", (record,))  # noqa: S608
    ]
    return tuple(_text(store, row) for row in sorted(rows, key=lambda row: (row[5], row[0])))


def _text(store: Store, row: tuple[Any, ...]) -> Text:
    sha256, content, kind, source, date, imported, record = row
    try:
        text = zlib.decompress(content).decode()
        whole = text_hash(text) == sha256
    except (zlib.error, UnicodeDecodeError):
        text, whole = "", False
    if not whole:
        raise InputError(
            "a text in the library is damaged", file=store.path, place=f"text {sha256}", remedy="import the text again"
        )
    return Text(sha256, text, kind, source, date, imported, f"record:{record}")
