"""Keys under which records are looked up to be compared: two records of one work share one, almost surely.

A key says nothing by itself; `comparison` decides. Each holds an author or a place, so that no key is borne by all
records with the same common title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from stromal.evidence.library.traits import Traits, folded, folded_name, plain
from stromal.evidence.records.record import display_name
from stromal.evidence.records.work_keys import work_keys

_LONG: Final = 20
_SHORT: Final = 10
"""Letters of the beginning and the end of a title. One misprint spares one end, if the ends do not overlap."""
_AUTHORS: Final = 3
"""Authors of whom a record gets keys: sources cut lists of authors at their end."""


def block_keys(record: Traits) -> frozenset[int]:
    """Keys of a record, as numbers of 32 bits: a chance meeting costs a comparison, no more."""
    return frozenset([crc32(key.encode()) for key in (*_catalogue_keys(record), *_own_keys(record))])


def _catalogue_keys(record: Traits) -> tuple[str, ...]:
    """The keys that VuFind would make."""
    if record.generic or record.notice:
        return ()
    return work_keys((record.heading,), [display_name(name) for name in record.names[:_AUTHORS]])


def _own_keys(record: Traits) -> Iterator[str]:
    letters = record.squashed
    for address in record.addresses:
        yield f"{address} {letters[:6]}"
    if record.page:
        yield f"place {record.volume} {record.page} {letters[:6]}"
    if record.generic or not record.names:
        return
    first = _initials(record.names[0])
    if len(letters) >= 2 * _LONG:
        yield f"begins {first} {letters[:_LONG]}"
        yield f"ends {first} {letters[-_LONG:]}"
    if len(letters) < 2 * _LONG + 8:
        yield f"begins {first} {letters[:_SHORT]}"
        yield f"ends {first} {letters[-_SHORT:]}"


def _initials(name: Mapping[str, Any]) -> str:
    """Of the family name and the first given name, whichever way round a source has them."""
    if "literal" in name:
        words = folded(plain(name["literal"])).split()
        return "".join(sorted(word[0] for word in (words[:1] + words[-1:] if len(words) <= 4 else words[:1])))
    family, given = folded_name(plain(name.get("family")))[:1], folded_name(plain(name.get("given")))[:1]
    return family + given if family < given else given + family
