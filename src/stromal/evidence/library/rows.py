"""A record as a row of the library and back, and what two versions of it differ in."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

from stromal.compute.content import canonical_json
from stromal.compute.errors import InputError
from stromal.evidence.records.identifiers import SCHEMES
from stromal.evidence.records.record import Field, Record, Source

_LEVEL: Final = 1
"""Of zlib: with the item as dictionary little is left to find."""


class Texts(NamedTuple):
    """What a record says, as canonical JSON, in the order of the table."""

    identifiers: str
    item: str
    keywords: str
    origin: str
    remarks: str
    fields: str


class Row(NamedTuple):
    """The columns that hold a version of a record, in the order of the table."""

    format: str
    database: str
    identifiers: str
    item: str
    keywords: str
    origin: str
    remarks: str
    fields: bytes
    content: bytes
    sha256: str
    file: str
    place: str
    digest: str


COLUMNS: Final = ", ".join(Row._fields)
"""For SELECT and INSERT."""


def written(record: Record) -> Texts:
    """What a record says.

    Raises
    ------
    ValueError, TypeError
        The record has no identifier of a known scheme, or a value that JSON has no word for (NaN, an object).
    """
    unknown = [c for c in record.identifiers if c.split(":", 1)[0] not in SCHEMES]
    if unknown or not record.identifiers:
        raise ValueError(f"identifiers of no known scheme: {unknown}" if unknown else "no identifier")
    text = encode_basestring
    fields = [
        f"[{text(f.name)},[{text(f.values[0])}]]" if len(f.values) == 1 else f"[{text(f.name)},{_listed(f.values)}]"
        for f in record.fields
    ]
    return Texts(
        _listed(record.identifiers),
        canonical_json(record.item),
        _listed(record.keywords),
        _origin(tuple(record.origin.items())),
        _listed(record.remarks),
        f"[{','.join(fields)}]",
    )


def _listed(values: Sequence[str]) -> str:
    """As `canonical_json` of a list of texts, in a third of its time."""
    return f"[{','.join([encode_basestring(value) for value in values])}]"


@lru_cache(maxsize=1_024)
def _origin(items: tuple[tuple[str, str], ...]) -> str:
    """Canonical JSON of an origin, which records of one source have in common."""
    return canonical_json(dict(items))


def digest(form: str, texts: Texts) -> str:
    """SHA-256 of all that was read in a format.

    The bytes are not part: the same record with other line ends, or in another file, is the same content.

    Raises
    ------
    ValueError
        A text has a character that UTF-8 has no bytes for (half of a surrogate pair).
    """
    return hashlib.sha256("\0".join((form, *texts)).encode()).hexdigest()


def packed(record: Record, texts: Texts, content: str) -> Row:
    """A record as a row, with the `digest` of its content; its fields and the bytes of its source are compressed."""
    source, known = record.source, texts.item.encode()
    return Row(
        source.format,
        str(record.item.get("source", "")),
        texts.identifiers,
        texts.item,
        texts.keywords,
        texts.origin,
        texts.remarks,
        _compressed(texts.fields.encode(), known),
        _compressed(source.content, known),
        source.sha256,
        storable(source.file),
        storable(source.place),
        content,
    )


def unpacked(values: Sequence[Any]) -> Record:
    """The record of a row.

    Raises
    ------
    InputError
        The row is damaged.
    """
    row = Row(*values)
    try:
        return Record(
            identifiers=tuple(json.loads(row.identifiers)),
            item=json.loads(row.item),
            source=Source(row.format, restored(row.content, row.item), row.file, row.place),
            keywords=tuple(json.loads(row.keywords)),
            origin=json.loads(row.origin),
            fields=tuple(Field(name, tuple(each)) for name, each in json.loads(restored(row.fields, row.item))),
            remarks=tuple(json.loads(row.remarks)),
        )
    except (zlib.error, ValueError, TypeError) as error:
        raise InputError(
            "a record of the library is damaged",
            file=row.file or None,
            place=row.place or None,
            value=str(error),
            remedy="a copy of the library from a backup, or import the file again into a new one",
        ) from error


def is_whole(row: Row) -> bool:
    """Whether what a row says, and the bytes of its source, have the hashes that stand in it."""
    try:
        content, fields = restored(row.content, row.item), restored(row.fields, row.item).decode()
    except (zlib.error, UnicodeDecodeError):
        return False
    texts = Texts(row.identifiers, row.item, row.keywords, row.origin, row.remarks, fields)
    return hashlib.sha256(content).hexdigest() == row.sha256 and digest(row.format, texts) == row.digest


def storable(name: str) -> str:
    """A name of a file that is not UTF-8 becomes one, with the odd bytes spelled out."""
    return name.encode(errors="backslashreplace").decode()


def _compressed(data: bytes, known: bytes) -> bytes:
    """Data by zlib, with the JSON of the item as dictionary: source, fields and item say nearly the same thrice."""
    made = zlib.compressobj(_LEVEL, zdict=known)
    return made.compress(data) + made.flush()


def restored(data: bytes, item: str) -> bytes:
    """Bytes from a column that was compressed with the JSON of the item as dictionary.

    Raises
    ------
    zlib.error
        The column, or the item, is damaged.
    """
    made = zlib.decompressobj(zdict=item.encode())
    return made.decompress(data) + made.flush()


def changes(old: Record, new: Record) -> tuple[str, ...]:
    """What differs between two versions: keys of the item, ``identifiers``, ``keywords``, ``fields.NAME`` ..., sorted.

    Keys inside ``custom`` are named one by one.
    """
    before, after = flat(old.item), flat(new.item)
    found = {
        key for key in before.keys() | after.keys() if canonical_json(before.get(key)) != canonical_json(after.get(key))
    }
    found |= {
        name
        for name in ("identifiers", "keywords", "remarks", "origin")
        if canonical_json(getattr(old, name)) != canonical_json(getattr(new, name))
    }
    said = [{f.name: f.values for f in record.fields} for record in (old, new)]
    raw = {f"fields.{name}" for name in said[0].keys() | said[1].keys() if said[0].get(name) != said[1].get(name)}
    if old.fields != new.fields and not raw:
        raw = {"fields"}  # another order, or one of several fields of one name
    return tuple(sorted(found)) + tuple(sorted(raw))


def flat(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item with the keys inside ``custom`` beside the others, as ``custom.KEY``."""
    custom = item.get("custom")
    if not isinstance(custom, Mapping):
        return dict(item)
    return {k: v for k, v in item.items() if k != "custom"} | {f"custom.{k}": v for k, v in custom.items()}
