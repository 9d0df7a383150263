"""Keys under which records are looked up to be compared: two records of one work share one, almost surely.

A key says nothing by itself; `comparison` decides. Each holds an author or a place, so that no key is borne by all
records with the same common title.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from stromal.evidence.library.traits import Traits
from stromal.evidence.records.work_keys import work_keys

_LONG: Final = 20
_SHORT: Final = 10
"""Letters of the beginning and the end of a title. One misprint spares one end, if the ends do not overlap."""

_AUTHORS: Final = 5
"""Authors of whom a record gets keys: sources cut lists of authors at their end."""


def block_keys(record: Traits, title: str, authors: tuple[str, ...]) -> frozenset[int]:
    """Keys of a record, as numbers of 32 bits: a chance meeting costs a comparison, no more.

    Parameters
    ----------
    record : Traits
    title : str
        As the record has it.
    authors : tuple of str
        As ``Given Family``, for the keys that VuFind would make.
    """
    named = [] if record.generic or record.notice else work_keys((title,), authors[:_AUTHORS])
    return frozenset(crc32(key.encode()) for key in (*named, *_own_keys(record)))


def _own_keys(record: Traits) -> Iterator[str]:
    letters = record.squashed
    for address in record.addresses:
        yield f"{address} {letters[:6]}"
    if record.page:
        yield f"place {record.volume} {record.page} {letters[:6]}"
    if record.generic or not record.authors:
        return
    for first in record.authors[0]:
        if len(letters) >= 2 * _LONG:
            yield f"begins {first} {letters[:_LONG]}"
            yield f"ends {first} {letters[-_LONG:]}"
        if len(letters) < 2 * _LONG + 8:
            yield f"begins {first} {letters[:_SHORT]}"
            yield f"ends {first} {letters[-_SHORT:]}"
