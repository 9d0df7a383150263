"""Making an index of a library, and keeping it up to date."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol, final

import tantivy

from stromal.compute.content import content_hash
from stromal.evidence.library import merging
from stromal.evidence.records import identifiers, record
from stromal.evidence.records.record import Record
from stromal.evidence.search import documents, languages, synonyms, words
from stromal.evidence.search.documents import OFTEN, Standing, authors, document, registered, schema
from stromal.evidence.search.folder import Folder, State

_MOST_CHANGED: Final = 0.2
"""Share of the works above which an index is built anew instead of updated."""
_MOST_REPLACED: Final = 0.05
"""The same for documents that were replaced: until then they count where the frequency of a word is estimated."""
_BUILDING: Final = 1_000_000_000
"""Memory for building, taken as needed [bytes]: 100,000 works fit in one segment, in which ranking is fastest."""
_UPDATING: Final = 50_000_000
_FILES: Final = (documents, words, languages, synonyms, merging, record, identifiers)
"""Modules that decide how a record becomes a document."""


class Work(Protocol):
    """A work with its records, the best first."""

    @property
    def name(self) -> str:
        """Name in the library."""

    @property
    def records(self) -> Sequence[Record]:
        """What the sources say of it."""


class Changes(Protocol):
    """What has changed in a library since a revision."""

    @property
    def works(self) -> Sequence[str]:
        """Names of works that are new or changed."""

    @property
    def gone(self) -> Sequence[str]:
        """Names of works that are no more."""

    @property
    def complete(self) -> bool:
        """Whether these are all works there are, since the revision is not known."""


class Holdings(Protocol):
    """What an index needs of a library; `stromal.evidence.library.Library` has it."""

    @property
    def revision(self) -> str:
        """Changes with every change."""

    def records(self) -> Iterable[Record]:
        """All records."""

    def works(self) -> Iterable[Work]:
        """All works."""

    def work(self, curie: str) -> Work:
        """The work with a name."""

    def changes_since(self, revision: str) -> Changes:
        """What has changed since."""


@final
class Kept:
    """An index that follows a library.

    Parameters
    ----------
    folder : Folder or None
        Where it is kept; None for memory.
    library : Holdings
    standing : mapping
        CURIE -> what is known of the work beyond its records.
    """

    def __init__(self, folder: Folder | None, library: Holdings, standing: Mapping[str, Standing]) -> None:
        self._folder, self._library, self._standing = folder, library, dict(standing)
        self._marks = {c: content_hash([s.status, s.designs])[:16] for c, s in self._standing.items()}
        self._index: tantivy.Index | None = None
        self._state: State | None = None
        self.follow()

    @property
    def is_current(self) -> bool:
        """Whether the library is as it was when it was last followed."""
        return self._state is not None and self._state.library == self._library.revision

    def searcher(self) -> tantivy.Searcher:
        """The index as it is now; it does not change any more."""
        if self._index is None:
            raise RuntimeError("an index is there once a library was followed")
        return self._index.searcher()

    @property
    def seldom(self) -> int:
        """Works that an author has at most who is not in ``author_often``."""
        return OFTEN - 1 + (self._state.added if self._state else 0)

    def follow(self) -> None:
        """Bring the index up to date, by an update where little has changed, else by building it anew."""
        if self._folder is None:
            self._state = self._followed(self._state)
            return
        with self._folder.locked():
            kept = self._folder.state()
            if kept is None or self._state is None or kept.current != self._state.current or self._index is None:
                kept = self._opened(kept)
            self._reload()  # another process may have updated the same files
            self._state = kept if kept and self._is_fresh(kept) else self._folder.keep(self._followed(kept))
            self._reload()

    def _opened(self, state: State | None) -> State | None:
        """Open the files of a state; None if they are no index."""
        if state is None or self._folder is None:
            return None
        try:
            self._index = registered(tantivy.Index.open(str(self._folder.files_of(state.current))))
        except (ValueError, OSError):
            return None
        self._reload()
        return state

    def _is_fresh(self, state: State) -> bool:
        revision = self._library.revision
        return (state.maker, state.library, state.standing) == (maker(), revision, self._marks)

    def _followed(self, state: State | None) -> State:
        """The state after an update or, where that cannot be or is not worth it, a new index."""
        if state is not None and state.maker == maker() and self._index is not None:
            updated = self._updated(state, self._index)
            if updated is not None:
                return updated
        return self._built()

    def _built(self) -> State:
        # Taken before the works are read: what changes meanwhile is found as a change of this revision.
        revision, made_by = self._library.revision, maker()
        name = self._folder.new() if self._folder else ""
        path = str(self._folder.files_of(name)) if self._folder else None
        index = registered(tantivy.Index(schema(), path=path, reuse=False, sort_by_field="order"))
        # By records, of which a work may have several: the less frequent have fewer works in any case.
        frequency = Counter(author for record in self._library.records() for author in authors(record))
        often = frozenset(author for author, records in frequency.items() if records >= OFTEN)
        with _writing(index, _BUILDING) as writer:
            for work in self._library.works():
                writer.add_document(document(work.name, work.records, self._standing, often.__contains__))
        self._index = index
        self._reload()
        return State(made_by, revision, self._marks, name, 0, 0, {})

    def _updated(self, state: State, index: tantivy.Index) -> State | None:
        """The state after an update; None if a new index is better."""
        revision = self._library.revision
        changes = self._library.changes_since(state.library)
        if changes.complete:
            return None
        searcher = index.searcher()
        changed = set(changes.works) | self._of_other_standing(searcher, state)
        changed -= set(changes.gone)
        dropped = (*sorted(changed), *changes.gone)
        replaced = state.replaced + sum(searcher.doc_freq("work", name) > 0 for name in dropped)
        there = max(searcher.num_docs, 1)
        if len(changed) > _MOST_CHANGED * there or replaced > _MOST_REPLACED * there:
            return None

        def is_often(author: str) -> bool:
            return searcher.doc_freq("author_often", author) > 0

        with _writing(index, _UPDATING) as writer:
            for name in dropped:
                writer.delete_documents_by_term("work", name)
            for name in sorted(changed):
                writer.add_document(document(name, self._library.work(name).records, self._standing, is_often))
        self._reload()
        added = state.added + len(changed)
        return State(state.maker, revision, self._marks, state.current, replaced, added, state.files)

    def _of_other_standing(self, searcher: tantivy.Searcher, state: State) -> set[str]:
        """Works of which something else is known than when they were indexed."""
        known, now = state.standing, self._marks
        curies = [curie for curie in known.keys() | now.keys() if known.get(curie) != now.get(curie)]
        if not curies:
            return set()
        query = tantivy.Query.term_set_query(schema(), "identifier", curies)
        hits = searcher.search(query, max(searcher.num_docs, 1)).hits
        return {searcher.doc(address)["work"][0] for _, address in hits}

    def _reload(self) -> None:
        if self._index is not None:
            self._index.config_reader("manual")
            self._index.reload()


@contextmanager
def _writing(index: tantivy.Index, memory: int) -> Iterator[tantivy.IndexWriter]:
    """A writer whose changes are kept at the end, or, after an exception, none of them."""
    writer = index.writer(memory, 1)
    try:
        yield writer
        writer.commit()
    finally:
        writer.wait_merging_threads()  # also gives back the lock on the files


@cache
def maker() -> str:
    """Hash of all that decides how records become documents: the code, the synonyms, and the version of tantivy."""
    digest = hashlib.sha256(version("tantivy").encode() + synonyms.SHIPPED.read_bytes())
    for module in _FILES:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
