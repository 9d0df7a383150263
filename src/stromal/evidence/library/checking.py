"""Whether a library is whole: the file, the log, and every record against the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stromal.compute.findings import Finding
from stromal.evidence.library.events import Log
from stromal.evidence.library.rows import COLUMNS, Row, is_whole
from stromal.evidence.library.store import Store

_REMEDY: Final = "a copy of the library from a backup, or import the file again into a new library"
_PAGE: Final = 500


def findings(store: Store, log: Log) -> Iterator[Finding]:
    """What is wrong with a library; nothing if it is whole.

    Every record is compared with the hash that the log has of it, and its source with its own hash.
    """
    damage = store.damage()
    for text in damage:
        yield Finding("error", "file", text, _REMEDY)
    if damage:
        return
    for text in log.breaks():
        yield Finding("error", "log of events", text, _REMEDY)
    imports = (event.payload["records"] for event in log.entries() if event.activity == "imported")
    logged = {told["record"]: told["digest"] for records in imports for told in records}
    seen = set()
    for number, row in _rows(store):
        seen.add(number)
        place = f"record:{number}"
        if not is_whole(row):
            yield Finding("error", place, "its content or its source does not have the hash it had", _REMEDY)
        if logged.get(number) != row.digest:
            yield Finding("error", place, "its content is not what the log says was imported", _REMEDY)
    for number in sorted(logged.keys() - seen):
        yield Finding("error", f"record:{number}", "the record is missing", _REMEDY)


def _rows(store: Store) -> Iterator[tuple[int, Row]]:
    last = 0
    while rows := store.rows(
        f"SELECT id, {COLUMNS} FROM records WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - names of columns
        (last, _PAGE),
    ):
        for number, *values in rows:
            yield number, Row(*values)
        last = rows[-1][0]
