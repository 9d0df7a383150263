"""The library of a user: records of works from any number of sources, in one file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self, final

from stromal.compute.errors import InputError
from stromal.compute.findings import Finding
from stromal.evidence.library import checking, texts
from stromal.evidence.library.batch import Batch, Possible
from stromal.evidence.library.clustering import Clustering
from stromal.evidence.library.deciding import Decisions
from stromal.evidence.library.events import Event, Log, stamped
from stromal.evidence.library.importing import AGENT, Import, portions, uncollected
from stromal.evidence.library.lookup import Lookup, Work
from stromal.evidence.library.merging import Merged, merged
from stromal.evidence.library.overrides import Override, Verdict
from stromal.evidence.library.possible import possible_pairs
from stromal.evidence.library.relations import Relation, RelationKind, relations_of
from stromal.evidence.library.store import Store
from stromal.evidence.library.texts import Text, TextKind
from stromal.evidence.library.traits import is_retracted
from stromal.evidence.records.record import Record, Rejected


@final
@dataclass(frozen=True)
class Changes:
    """What has changed in a library.

    Attributes
    ----------
    works : tuple of str
        Names of works that are new, or whose records changed.
    gone : tuple of str
        Names of works that have been joined to others.
    complete : bool
        The question could not be answered (the revision is not of this library): `works` are all there are.
    """

    works: tuple[str, ...]
    gone: tuple[str, ...]
    complete: bool


@final
class Library:
    """A library in a file; used as a context manager.

    Wherever a method takes an identifier it takes a CURIE (``doi:10.3389/fimmu.2018.02013``), what a person would
    write for it (a DOI with its resolver, an NCT number), the hash of a record's source (``sha256:...``), or the name
    that the library has for a record or a work (``record:12``, ``work:12``).

    Parameters
    ----------
    path : path
        Made when it does not exist; its folder must.
    read_only : bool
        Open a library that exists, and never write to it.

    Raises
    ------
    InputError
        The file is no library, damaged, written by a newer version, or cannot be opened or made.

    Notes
    -----
    One process writes at a time, others wait for up to 30 s; reading goes on meanwhile. An instance belongs to the
    thread that made it.
    """

    def __init__(self, path: str | PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._store = Store(self.path, read_only=read_only)
        self._log = Log(self._store)
        self._lookup = Lookup(self._store)

    def __enter__(self) -> Self:
        """The library itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be asked afterwards."""
        self._store.close()

    def add(self, records: Iterable[Record | Rejected], *, at: datetime | None = None) -> Batch:
        """Import records.

        A record is a new version of one that is there if it is of the same format and database (``source`` of its
        item), has an identifier in common, and is not from the same file; the earlier version is kept. All other
        records stay as they are, and those of one work are clustered.

        Parameters
        ----------
        records : iterable of Record or Rejected
            As a reader of `records.formats` gives them; read once, written in portions of 4,000. If the process is
            killed, or the reader raises, the portions before are there whole, and importing the same again completes
            them.
        at : datetime, optional
            Time of import, with a zone; now by default.

        Returns
        -------
        Batch
            What was added, updated, known already and rejected, and which pairs may be of one work.
        """
        importing = Import(self._store, self._log, stamped(at))
        for portion in portions(records):
            with self._store.transaction(), uncollected():
                importing.take(portion)
        return importing.batch()

    def get(self, curie: str) -> Record:
        """The record with an identifier; of several the one that says most.

        Raises
        ------
        InputError
            No record has it.
        """
        return self._lookup.best(curie)[1]

    def __contains__(self, curie: str) -> bool:
        """Whether a record has this identifier."""
        return bool(self._lookup.found(curie))

    def __len__(self) -> int:
        """Number of records."""
        return int(self._store.rows("SELECT count(*) FROM records")[0][0])

    def records(self) -> Iterator[Record]:
        """All records, in the order of their first import."""
        return self._lookup.records()

    def works(self) -> Iterator[Work]:
        """All works, by the order of import of their first record."""
        return self._lookup.works()

    def work(self, curie: str) -> Work:
        """The work of which a record has this identifier.

        Raises
        ------
        InputError
            No record has it.
        """
        return self._lookup.work(curie)

    def work_of(self, curie: str) -> tuple[Record, ...]:
        """All records of the work that has this identifier, the best first.

        Raises
        ------
        InputError
            No record has it.
        """
        return self.work(curie).records

    def merged(self, curie: str) -> Merged:
        """One view of a work: each value from the best record that has it, and which record that is.

        Raises
        ------
        InputError
            No record has the identifier.
        """
        return merged(self.work_of(curie))

    def versions(self, curie: str) -> tuple[Record, ...]:
        """What later imports replaced, of the records with this identifier, the earliest first.

        Raises
        ------
        InputError
            No record has it.
        """
        return self._lookup.versions(self._lookup.meant(curie))

    def same(self, a: str, b: str, by: str, why: str, *, at: datetime | None = None) -> None:
        """Decide that two records are of one work; this precedes all else and survives every import.

        Parameters
        ----------
        a, b : str
            Identifiers. All records that bear them, now or later, are meant.
        by, why : str
            Who decides, and for which reason.
        at : datetime, optional
            When, with a zone; now by default.

        Raises
        ------
        InputError
            No record has one of the identifiers, both mean the same records, it is not said by whom or why, or
            another decision contradicts.
        """
        self._decide(a, b, "same", by, why, at)

    def not_same(self, a: str, b: str, by: str, why: str, *, at: datetime | None = None) -> None:
        """Decide that two records are not of one work; see `same`.

        Of an identifier that several records bear, those that do not bear the other are meant.
        """
        self._decide(a, b, "not same", by, why, at)

    def withdraw(self, a: str, b: str, by: str, why: str, *, at: datetime | None = None) -> None:
        """Take back a decision, given with the same identifiers.

        Raises
        ------
        InputError
            There is no such decision, or it is not said by whom or why.
        """
        with self._store.transaction():
            Decisions(self._store, self._log).withdraw(*self._lasting(a, b), by, why, stamped(at))

    def relate(self, a: str, b: str, kind: RelationKind, by: str, why: str, *, at: datetime | None = None) -> None:
        """State that a is a version, an erratum, the retraction or an expression of concern of b.

        Raises
        ------
        InputError
            As for `same`, or the kind is unknown.
        """
        with self._store.transaction():
            Decisions(self._store, self._log).relate(*self._lasting(a, b), kind, by, why, stamped(at))

    def overrides(self) -> tuple[Override, ...]:
        """All decisions, ordered by their identifiers."""
        rows = self._store.rows("SELECT a, b, verdict, by, why, at FROM overrides ORDER BY a, b")
        return tuple(Override(*row) for row in rows)

    def relations(self, curie: str) -> tuple[Relation, ...]:
        """Versions, errata, retractions and concerns of a work, in either direction.

        Raises
        ------
        InputError
            No record has the identifier.
        """
        return tuple(relations_of(self._store, self._numbers(curie)))

    def retractions(self, curie: str) -> tuple[str, ...]:
        """Why a work must be taken for retracted, in words; empty if nothing says so.

        Raises
        ------
        InputError
            No record has the identifier.
        """
        numbers = self._numbers(curie)
        mine = {f"record:{number}" for number in numbers}
        notices = [n for n in relations_of(self._store, numbers) if n.kind == "retraction" and n.b in mine]
        return (
            *(
                f"{r.id} ({r.source.format}) is marked as retracted"
                for r in self.work_of(curie)
                if is_retracted(r.item)
            ),
            *(f"{n.a} is its retraction ({n.by})" for n in notices),
        )

    def possible_duplicates(self) -> Iterator[Possible]:
        """Pairs of records that may be of one work, for `same` or `not_same` to decide."""
        return possible_pairs(self._store)

    def add_text(
        self,
        curie: str,
        content: str,
        *,
        source: str,
        date: date,
        kind: TextKind,
        at: datetime | None = None,
    ) -> Text:
        """Keep a text of a work so that quotes can be looked up in it; the same text twice is one.

        Parameters
        ----------
        curie : str
            Identifier of the record.
        content : str
            Verbatim.
        source : str
            Where it is from: an address, a database, a file.
        date : date
            When it was taken from there.
        kind : {"abstract", "full text"}
        at : datetime, optional
            Time of import, with a zone; now by default.

        Raises
        ------
        InputError
            No record has the identifier, or the text or its source is empty.
        """
        if not content.strip() or not source.strip():
            raise InputError("the text or its source is empty", remedy="the text verbatim, and where it is from")
        text = Text(texts.text_hash(content), content, kind, source, date.isoformat(), stamped(at), "")
        with self._store.transaction():
            number, record = self._lookup.best(curie)
            if texts.insert(self._store, text, number):
                told = {"record": number, "sha256": text.sha256, "source": source, "date": text.date, "kind": kind}
                event = self._log.append(text.imported, AGENT, "text", record.id, told)
                Clustering(self._store).settle((number,), event)
        return next(t for t in texts.select(self._store, (number,)) if t.sha256 == text.sha256)

    def texts(self, curie: str) -> tuple[Text, ...]:
        """Texts of the records of a work, the earliest imported first.

        Raises
        ------
        InputError
            No record has the identifier.
        """
        return texts.select(self._store, self._numbers(curie))

    @property
    def revision(self) -> str:
        """Changes with every change of the library; equal revisions mean equal content."""
        number, sealed = self._log.head()
        return f"{number}:{sealed[:16]}"

    def changes_since(self, revision: str) -> Changes:
        """Works that changed after a revision; for a search index to follow.

        Parameters
        ----------
        revision : str
            A `revision` of this library, or anything else for all works.
        """
        found = re.fullmatch(r"(\d{1,18}):([0-9a-f]{0,16})", revision)
        number = int(found.group(1)) if found else 0
        complete = found is None or self._log.hash_of(number)[:16] != found.group(2)
        rows = self._store.rows(
            "SELECT works.id, EXISTS (SELECT 1 FROM records WHERE records.work = works.id) FROM works"
            " WHERE works.changed > ? ORDER BY works.id",
            (0 if complete else number,),
        )
        present, gone = (tuple(f"work:{n}" for n, there in rows if bool(there) is wanted) for wanted in (True, False))
        return Changes(present, gone, complete)

    def events(self) -> Iterator[Event]:
        """The log of all that was done, the earliest first."""
        return self._log.entries()

    def check(self) -> tuple[Finding, ...]:
        """Check the file, the chain of the log, and every record against its hash in the log."""
        return tuple(checking.findings(self._store, self._log))

    def _decide(self, a: str, b: str, verdict: Verdict, by: str, why: str, at: datetime | None) -> None:
        with self._store.transaction():
            Decisions(self._store, self._log).decide(*self._lasting(a, b), verdict, by, why, stamped(at))

    def _lasting(self, a: str, b: str) -> tuple[str, str]:
        return self._lookup.lasting(a), self._lookup.lasting(b)

    def _numbers(self, curie: str) -> set[int]:
        return self._lookup.found(self.work(curie).name)
