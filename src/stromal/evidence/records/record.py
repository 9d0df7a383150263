"""A record: what a source says of one work, whole and with the place each value came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

CSL_FIELDS: Final = (
    *("type", "title", "title-short", "container-title", "volume", "issue", "page", "number", "issued", "publisher"),
    *("author", "editor", "abstract", "keyword", "language", "DOI", "PMID", "PMCID", "ISSN", "ISBN", "URL", "source"),
)
"""Keys of `Record.item` that this package reads; a reader may set any other key of CSL-JSON as well."""


_NAME_PARTS: Final = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")


@final
@dataclass(frozen=True)
class Field:
    """One field of the source, as it stands there.

    Attributes
    ----------
    name : str
        As the source calls it.
    values : tuple of str
        In the order of the source, verbatim.
    """

    name: str
    values: tuple[str, ...]


@final
@dataclass(frozen=True)
class Source:
    """Where a record was read.

    Attributes
    ----------
    format : str
        Key of `formats.FORMATS`.
    content : bytes
        The bytes of this record in the file (all of the file where it holds one record).
    file : str
        Name of the file, for messages.
    place : str
        Where in the file: ``line 12``, ``record 3``.
    """

    format: str
    content: bytes
    file: str = ""
    place: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of `content`, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@final
@dataclass(frozen=True)
class Record:
    """One record of a work.

    Attributes
    ----------
    identifiers : tuple of str
        CURIEs by which the work is known (``doi:10.3389/fimmu.2018.02013``, ``pmid:...``, ``pmcid:...``, ``nct:...``,
        ``doaj:...``), the best first; see `identifiers.ranked`. At least one: a record without any known identifier
        gets ``sha256:`` and the hash of its source.
    item : mapping
        The work as an item of CSL-JSON without ``id``. Names are objects with ``family`` and ``given`` (or
        ``literal``), and may have ``affiliation`` (a list of objects with ``name``, as Crossref writes it) and
        ``ORCID``. ``issued`` is a CSL date with the parts that are known. ``keyword`` is one string, joined by ``"; "``
        (the single keywords are in `keywords`). ``custom`` holds what CSL has no word for, e.g. ``harvested``,
        ``indexed`` (ISO times), ``publisher_record``, ``work_keys``, ``registry`` (a trial's arms and results).
    keywords : tuple of str
        Subjects, in the order of the source.
    origin : mapping
        For every key of `item` (``custom.harvested`` for those inside ``custom``) and for ``keywords``: name of the
        field it was taken from, and how where it was not copied, e.g. ``"spelling (between publishDate and title)"``.
    fields : tuple of Field
        All that the source said, also what this package does not understand.
    source : Source
    remarks : tuple of str
        What a reader of the record must know: values that could not be told apart, checks that failed.
    """

    identifiers: tuple[str, ...]
    item: Mapping[str, Any]
    source: Source
    keywords: tuple[str, ...] = ()
    origin: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The best identifier."""
        return self.identifiers[0]

    @property
    def title(self) -> str:
        """Title of the work, empty if there is none."""
        return str(self.item.get("title", ""))

    @property
    def year(self) -> int | None:
        """Year of issue."""
        parts = self.item.get("issued", {}).get("date-parts", [[]])
        return int(parts[0][0]) if parts and parts[0] else None

    @property
    def authors(self) -> tuple[str, ...]:
        """Names as ``Given Family``, in order."""
        return tuple(display_name(name) for name in self.item.get("author", ()))


@final
@dataclass(frozen=True)
class Rejected:
    """A part of a file that is no record.

    Attributes
    ----------
    file, place : str
        Where it is.
    reason : str
        What is wrong and what to do.
    """

    file: str
    place: str
    reason: str


def display_name(name: Mapping[str, Any]) -> str:
    """A CSL name as ``Given Family``, with its particles."""
    if "literal" in name:
        return str(name["literal"])
    return " ".join([str(value) for part in _NAME_PARTS if (value := name.get(part))])
