"""Records to RIS, BibTeX, CSL-JSON, JSON lines and CSV; the readers of this package give the same records again."""

from __future__ import annotations

import os
import string
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from stromal.compute.errors import InputError
from stromal.evidence.records import bibtex, csl, ris, table
from stromal.evidence.records.record import Record


def _ris(records: Iterable[Record]) -> Iterator[str]:
    yield from map(ris.write, records)


def _bibtex(records: Iterable[Record]) -> Iterator[str]:
    used: dict[str, int] = {}
    for record in records:
        key = bibtex.key_of(record)
        used[key] = used.get(key, 0) + 1
        yield bibtex.write(record, key + _letters(used[key] - 1))


def _letters(number: int) -> str:
    """What tells equal keys apart: nothing, then ``-b``, ``-c``, ... ``-z``, ``-aa``."""
    text = ""
    number += 1
    while number > 0:
        number, digit = divmod(number - 1, 26)
        text = string.ascii_lowercase[digit] + text
    return "" if text == "a" else f"-{text}"


def _csl(records: Iterable[Record]) -> Iterator[str]:
    separator = "[\n"
    for record in records:
        yield separator + csl.write(record)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield f"{csl.write(record)}\n"


def _table(records: Iterable[Record]) -> Iterator[str]:
    yield table.header()
    yield from map(table.write, records)


WRITERS: Final[Mapping[str, Callable[[Iterable[Record]], Iterator[str]]]] = {
    "ris": _ris,
    "bibtex": _bibtex,
    "csl": _csl,
    "jsonl": _lines,
    "csv": _table,
}
"""Formats that can be written, by key: records to pieces of text. All but ``jsonl`` (CSL-JSON, one item per line) have
the key by which `formats.FORMATS` reads them; ``jsonl`` is read as ``csl``."""


def text(records: Iterable[Record], format: str) -> str:  # noqa: A002 - its name for users
    """Records as text of a format of `WRITERS`.

    Raises
    ------
    InputError
        There is no such format.
    """
    return "".join(_writer(format)(records))


def write(records: Iterable[Record], to: str | Path | TextIO, format: str) -> int:  # noqa: A002 - its name for users
    """Write records, one by one, and give their number.

    Parameters
    ----------
    records : iterable of Record
    to : path or text stream
        A file is written beside its place and moved there at the end: it is whole or not there, and an older one stays
        until then. UTF-8.
    format : str
        A key of `WRITERS`.

    Raises
    ------
    InputError
        There is no such format, or the file cannot be written.
    """
    writer = _writer(format)
    count = 0

    def counted() -> Iterator[Record]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    if isinstance(to, str | Path):
        _write_atomic(Path(to), writer(counted()))
    else:
        to.writelines(writer(counted()))
    return count


def _writer(format: str) -> Callable[[Iterable[Record]], Iterator[str]]:  # noqa: A002 - its name for users
    if format not in WRITERS:
        raise InputError("unknown format for writing", value=format, remedy=f"one of {', '.join(WRITERS)}")
    return WRITERS[format]


def _write_atomic(path: Path, pieces: Iterable[str]) -> None:
    try:
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", file=path, remedy="a folder that you may write to"
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.writelines(pieces)
        mask = os.umask(0)
        os.umask(mask)
        Path(beside).chmod(0o666 & ~mask)  # a temporary file is its owner's alone
        Path(beside).replace(path)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            remedy = "a file that you may write"
            raise InputError(f"cannot be written: {error.strerror}", file=path, remedy=remedy) from None
        raise
