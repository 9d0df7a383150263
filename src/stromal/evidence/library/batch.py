"""What an import did, record by record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple, final

import pandas as pd

from stromal.evidence.records.record import Rejected

_SHOWN: Final = 20
"""Lines of one kind in a summary."""


class Entry(NamedTuple):
    """One record of an import.

    Attributes
    ----------
    record : str
        Name of the record in the library (``record:12``).
    identifier : str
        The best identifier of the record.
    file, place : str
        Where it was read.
    title : str
    changed : tuple of str
        Of an update: what differs from the version before, see `rows.changes`.
    note : str
        Of a duplicate: of what.
    """

    record: str
    identifier: str
    file: str
    place: str
    title: str
    changed: tuple[str, ...] = ()
    note: str = ""


class Possible(NamedTuple):
    """Two records that may be of one work; a person decides with `Library.same` or `Library.not_same`.

    Attributes
    ----------
    a, b : str
        Names of the records (``record:12``).
    a_identifier, b_identifier : str
        The best identifiers of the two.
    why : str
        What speaks for it, and what against it.
    """

    a: str
    b: str
    a_identifier: str
    b_identifier: str
    why: str


@final
@dataclass(frozen=True)
class Batch:
    """What an import did.

    Attributes
    ----------
    added : tuple of Entry
        Records that are new.
    updated : tuple of Entry
        Records that replaced an earlier version of themselves; the earlier one is kept.
    duplicate : tuple of Entry
        Records that were there already with this content.
    rejected : tuple of Rejected
        What was no record, with the reason.
    joined : tuple of Entry
        Those of `added` and `updated` that are of one work with other records.
    possible : tuple of Possible
        Pairs, one of them in `added` or `updated`, that may be of one work.
    """

    added: tuple[Entry, ...] = ()
    updated: tuple[Entry, ...] = ()
    duplicate: tuple[Entry, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    joined: tuple[Entry, ...] = ()
    possible: tuple[Possible, ...] = ()

    def summary(self) -> str:
        """Counts, then what a person should look at: updates, rejections and possible duplicates."""
        head = (
            f"{len(self.added)} added, {len(self.updated)} updated, {len(self.duplicate)} duplicate, "
            f"{len(self.rejected)} rejected; {len(self.joined)} of one work with other records; "
            f"{len(self.possible)} possible duplicates"
        )
        lines = [head]
        parts = {
            "updated": [f"{e.identifier} ({_at(e.file, e.place)}): {', '.join(e.changed)}" for e in self.updated],
            "rejected": [f"{_at(r.file, r.place)}: {r.reason}" for r in self.rejected],
            "possible duplicates": [f"{p.a_identifier} and {p.b_identifier}: {p.why}" for p in self.possible],
        }
        for name, each in parts.items():
            if each:
                lines += [f"{name}:", *(f"  {line}" for line in each[:_SHOWN])]
                if len(each) > _SHOWN:
                    lines.append(f"  and {len(each) - _SHOWN} more")
        return "\n".join(lines)

    def table(self) -> pd.DataFrame:
        """One row per record, rejection and possible duplicate.

        Returns
        -------
        DataFrame
            `outcome` (added, updated, duplicate, rejected, possible duplicate), `record`, `identifier`, `file`,
            `place`, `title` and `detail` (what changed, of what it is a duplicate, why it was rejected).
        """
        joined = {id(e) for e in self.joined}
        rows = [
            (outcome, e.record, e.identifier, e.file, e.place, e.title, _detail(e, joined=id(e) in joined))
            for outcome, entries in (
                ("added", self.added),
                ("updated", self.updated),
                ("duplicate", self.duplicate),
            )
            for e in entries
        ]
        rows += [("rejected", "", "", r.file, r.place, "", r.reason) for r in self.rejected]
        rows += [
            ("possible duplicate", p.a, p.a_identifier, "", "", "", f"{p.b} ({p.b_identifier}): {p.why}")
            for p in self.possible
        ]
        return pd.DataFrame(rows, columns=["outcome", "record", "identifier", "file", "place", "title", "detail"])

    def counts(self) -> dict[str, int]:
        """How many records of each outcome there are."""
        return dict(Counter(self.table()["outcome"]))


def _detail(entry: Entry, *, joined: bool) -> str:
    said = [", ".join(entry.changed), entry.note, "of one work with other records" if joined else ""]
    return "; ".join(part for part in said if part)


def _at(file: str, place: str) -> str:
    return ", ".join(part for part in (file, place) if part) or "place unknown"
