"""A person's decisions about records: taken down, carried out, and refused where they contradict earlier ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from stromal.compute.errors import InputError
from stromal.evidence.library.clustering import Clustering
from stromal.evidence.library.events import Log
from stromal.evidence.library.overrides import Overrides, Verdict, bearers
from stromal.evidence.library.relations import RELATION_KINDS, RelationKind
from stromal.evidence.library.store import Store


@final
class Decisions:
    """Decisions in a library; used inside a transaction."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store, self._log = store, log

    def decide(self, a: str, b: str, verdict: Verdict, by: str, why: str, at: str) -> None:
        """Take down that two records are of one work, or not; a later decision on the same two replaces an earlier.

        Raises
        ------
        InputError
            It is not said who decided or why, both names mean the same records, or another decision contradicts.
        """
        _check_reasons(by, why)
        first, second = self._meant(a, b)
        a, b = sorted((a, b))
        self._store.run(
            "INSERT OR REPLACE INTO overrides (a, b, verdict, by, why, at) VALUES (?, ?, ?, ?, ?, ?)",
            (a, b, verdict, by, why, at),
        )
        self._log_and_regroup(at, by, verdict, a, {"b": b, "why": why}, first | second)
        self._refuse_contradiction(first | second)

    def withdraw(self, a: str, b: str, by: str, why: str, at: str) -> None:
        """Take back a decision.

        Raises
        ------
        InputError
            There is none about these two.
        """
        _check_reasons(by, why)
        a, b = sorted((a, b))
        if not self._store.row("SELECT 1 FROM overrides WHERE a = ? AND b = ?", (a, b)):
            raise InputError(
                "there is no decision about these two",
                value=f"{a} and {b}",
                remedy="the identifiers as they were given then; `overrides` lists them",
            )
        self._store.run("DELETE FROM overrides WHERE a = ? AND b = ?", (a, b))
        records = bearers(self._store, a) | bearers(self._store, b)
        self._log_and_regroup(at, by, "withdrawn", a, {"b": b, "why": why}, records)

    def relate(self, a: str, b: str, kind: RelationKind, by: str, why: str, at: str) -> None:
        """Take down that a record is a version, erratum ... of another.

        Raises
        ------
        InputError
            As for `decide`, or the kind is unknown.
        """
        _check_reasons(by, why)
        if kind not in RELATION_KINDS:
            raise InputError("no kind of relation", value=kind, remedy=", ".join(RELATION_KINDS))
        first, second = self._meant(a, b)
        self._store.run("DELETE FROM relations WHERE a = ? AND b = ? AND kind = ? AND record IS NULL", (a, b, kind))
        self._store.run(
            "INSERT INTO relations (a, b, kind, by, why, at) VALUES (?, ?, ?, ?, ?, ?)", (a, b, kind, by, why, at)
        )
        self._log_and_regroup(at, by, "related", a, {"b": b, "kind": kind, "why": why}, first | second)
        self._refuse_contradiction(first | second)

    def _meant(self, a: str, b: str) -> tuple[set[int], set[int]]:
        first, second = bearers(self._store, a), bearers(self._store, b)
        if first == second:
            raise InputError(
                "both names mean the same records",
                value=f"{a} and {b}",
                remedy="names of which each means one record, such as sha256:... of its source",
            )
        return first, second

    def _log_and_regroup(
        self, at: str, by: str, activity: str, entity: str, payload: dict[str, str], records: Iterable[int]
    ) -> None:
        event = self._log.append(at, by, activity, entity, payload)
        Clustering(self._store).settle(records, event)

    def _refuse_contradiction(self, records: Iterable[int]) -> None:
        """End the transaction unless all decisions about these records, and what hangs together with them, hold."""
        clustering = Clustering(self._store)
        members = {m for record in records for m in clustering.component(record)}
        same, apart = Overrides(self._store).pairs(members)
        works = {m: self._store.rows("SELECT work FROM records WHERE id = ?", (m,))[0][0] for m in members}
        broken = [p for p in same if works[p[0]] != works[p[1]]] + [p for p in apart if works[p[0]] == works[p[1]]]
        if broken:
            raise InputError(
                "the decisions about these records contradict each other",
                file=self._store.path,
                value=", ".join(f"record:{number}" for number in sorted({r for pair in broken for r in pair})),
                remedy="withdraw the earlier decision first; `overrides` lists them",
            )


def _check_reasons(by: str, why: str) -> None:
    for name, text in (("by", by), ("why", why)):
        if not text.strip():
            raise InputError(
                f"`{name}` is empty", remedy="who decides" if name == "by" else "the reason, so that others can judge"
            )
