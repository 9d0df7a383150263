"""One view of a work that several records describe: each value from the best record that has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from stromal.compute.content import canonical_json
from stromal.evidence.library.rows import flat
from stromal.evidence.records.identifiers import ranked
from stromal.evidence.records.record import Record


@final
@dataclass(frozen=True)
class Merged:
    """A work as its records describe it together.

    Attributes
    ----------
    identifiers : tuple of str
        Of all records, the best scheme first.
    item : mapping
        CSL-JSON: each key from the best record that has it.
    keywords : tuple of str
        From the best record that has any.
    source_of : mapping
        Key of `item` (``custom.KEY`` for those inside ``custom``) or ``keywords`` -> the record it was taken from.
    records : tuple of Record
        The best first.
    differing : tuple of str
        Keys for which the records have different values, sorted.
    """

    identifiers: tuple[str, ...]
    item: Mapping[str, Any]
    keywords: tuple[str, ...]
    source_of: Mapping[str, Record] = field(repr=False)
    records: tuple[Record, ...] = field(repr=False)
    differing: tuple[str, ...]

    @property
    def id(self) -> str:
        """The best identifier."""
        return self.identifiers[0]


def best_first(records: Iterable[Record]) -> tuple[Record, ...]:
    """Records of one work: those that say most first, of these those with fewer doubts.

    What is equal even then is ordered by content, so that the order of import plays no part.
    """
    return tuple(sorted(records, key=rank))


def rank(record: Record) -> tuple[int, int, str, str]:
    """Sorts the records of a work, see `best_first`."""
    said = sum(1 for value in record.item.values() if value not in (None, "", [], {}))
    return (
        -said - bool(record.keywords),
        len(record.remarks),
        record.source.sha256,
        canonical_json([record.identifiers, record.item]),
    )


def merged(records: Iterable[Record]) -> Merged:
    """The view of a work that these records describe."""
    ordered = best_first(records)
    values: dict[str, Any] = {}
    source_of: dict[str, Record] = {}
    differing: set[str] = set()
    for record in ordered:
        for key, value in flat(record.item).items():
            if value in (None, "", [], {}):
                continue
            if key not in values:
                values[key], source_of[key] = value, record
            elif canonical_json(values[key]) != canonical_json(value):
                differing.add(key)
    best = next((record for record in ordered if record.keywords), None)
    if best:
        source_of["keywords"] = best
    return Merged(
        identifiers=ranked(curie for record in ordered for curie in record.identifiers),
        item=_nested(values),
        keywords=best.keywords if best else (),
        source_of=source_of,
        records=ordered,
        differing=tuple(sorted(differing)),
    )


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    custom = {key.removeprefix("custom."): value for key, value in values.items() if key.startswith("custom.")}
    item = {key: value for key, value in values.items() if not key.startswith("custom.")}
    return item | ({"custom": custom} if custom else {})
