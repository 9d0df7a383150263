"""How fast a library is searched: `python -m benchmarks.evidence_search LIBRARY`.

Makes an index of the library in a temporary folder and puts queries of each kind to it, with words that its records
have. A call is what a page of results needs: 20 hits with marked titles and passages, and, where the kind says so,
counts of four facets (year, journal, author, subject).
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from stromal.compute.provenance import processor
from stromal.evidence.library import Library
from stromal.evidence.records.record import Record
from stromal.evidence.search import Index
from stromal.evidence.search.words import STOP_WORDS

SEED: Final = 1
QUERIES: Final = 200
"""Of each kind."""
SEARCH_TARGET: Final = 15.0
FACETS_TARGET: Final = 30.0
"""What the 95th percentile is to stay under, with and without facets [ms]."""
FOUR: Final = ("year", "journal", "author", "subject")
COMMON: Final = 60
"""Most frequent words of titles (of five letters or more) that make common queries."""
_SAMPLE: Final = 4_000
"""Works whose words are used."""
_UPDATES: Final = 20

Row = tuple[str, str]
Kind = tuple[str, Callable[["_Words"], tuple[str, dict[str, Any]]], float]


def measured(path: Path, queries: int = QUERIES) -> list[Row]:
    """Measure an index of a library.

    Parameters
    ----------
    path : Path
        Of the library.
    queries : int
        Of each kind.

    Returns
    -------
    list of (str, str)
        Rows of a table: what, and the time it took; for kinds of queries the 50th and 95th percentile [ms], with the
        number of results.
    """
    with tempfile.TemporaryDirectory() as scratch, Library(path, read_only=True) as library:
        folder = Path(scratch) / "index"
        index, built = _timed(lambda: Index.open(folder, library))
        _, opened = _timed(lambda: Index.open(folder, library))
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        words = _Words(library, random.Random(SEED))  # noqa: S311 - no secret
        rows = [
            ("index, made", f"{built:.1f} s, {len(index) / built:,.0f} works/s"),
            ("index, opened", f"{1e3 * opened:.0f} ms"),
            ("index, size", f"{size / 1e6:,.0f} MB, {size / len(index):,.0f} bytes per work"),
        ]
        rows += [_row(index, words, kind, queries) for kind in KINDS]
        rows.append(_similar(index, words, queries))
        rows.append(_update(path, folder, min(queries, _UPDATES)))
    return rows


class _Words:
    """Words for queries, from works of the library."""

    def __init__(self, library: Library, rng: random.Random) -> None:
        self.rng = rng
        # Works are in the order of import: one in so many, so that all parts of the library are asked for.
        step = max(1, len(library) // _SAMPLE)
        works = [work.records[0] for work in islice(library.works(), 0, None, step)]
        self.ids = [record.id for record in works]
        self.titles = [title for title in (record.title.split() for record in works) if len(title) > 3]
        self.authors = [str(name.get("family", "")) for record in works for name in record.item.get("author", ())]
        self.journals = Counter(str(record.item.get("container-title", "")) for record in works)
        counted = Counter(w.lower() for title in self.titles for w in title if len(w) > 4 and w.isalpha())
        self.frequent = [word for word, _ in counted.most_common(COMMON)]

    def common(self, n: int = 1) -> list[str]:
        return self.rng.sample(self.frequent, n)

    def any(self) -> str:
        words = [w for w in self.rng.choice(self.titles) if w.isalnum()]
        return self.rng.choice(words) if words else self.any()

    def long(self) -> str:
        word = self.any()
        while len(word) < 6:
            word = self.any()
        return word

    def phrase(self) -> str:
        """Two words beside each other, neither of them one like "of"."""
        title = self.rng.choice(self.titles)
        pairs = [f'"{a} {b}"' for a, b in pairwise(title) if not {a.lower(), b.lower()} & STOP_WORDS]
        return self.rng.choice(pairs) if pairs else self.phrase()

    def misspelt(self) -> str:
        word = self.long()
        cut = self.rng.randrange(1, len(word))
        return word[:cut] + word[cut + 1 :]

    def filters(self) -> dict[str, list[str]]:
        journals = [name for name, _ in self.journals.most_common(20)]
        return {"journal": self.rng.sample(journals, min(2, len(journals))), "year": ["2018", "2019", "2020"]}


KINDS: Final[Sequence[Kind]] = (
    ("common word", lambda w: (w.common()[0], {}), SEARCH_TARGET),
    ("any word", lambda w: (w.any(), {}), SEARCH_TARGET),
    ("two words", lambda w: (" ".join(w.common(2)), {}), SEARCH_TARGET),
    ("four words, any of them", lambda w: (" OR ".join(w.common(4)), {}), SEARCH_TARGET),
    ("phrase of two words", lambda w: (w.phrase(), {}), SEARCH_TARGET),
    ("word of the title", lambda w: (f"title:{w.common()[0]}", {}), SEARCH_TARGET),
    ("author", lambda w: (f"author:{w.rng.choice(w.authors)}", {}), SEARCH_TARGET),
    ("term with synonyms", lambda w: (w.rng.choice(("SSc", "MSC", "mRSS", "AHSCT", "FVC")), {}), SEARCH_TARGET),
    ("beginning of a word", lambda w: (f"{w.long()[:4]}*", {}), SEARCH_TARGET),
    ("word, some years", lambda w: (f"{w.common()[0]} year:2010..2020", {}), SEARCH_TARGET),
    ("word and not another", lambda w: (" NOT ".join(w.common(2)), {}), SEARCH_TARGET),
    ("identifier", lambda w: (w.rng.choice(w.ids), {}), SEARCH_TARGET),
    ("page 50 of a common word", lambda w: (w.common()[0], {"page": 50}), SEARCH_TARGET),
    ("misspelt word, suggestion", lambda w: (w.misspelt(), {}), SEARCH_TARGET),
    ("common word, 4 facets", lambda w: (w.common()[0], {"facets": FOUR}), FACETS_TARGET),
    ("any word, 4 facets", lambda w: (w.any(), {"facets": FOUR}), FACETS_TARGET),
    ("two words, 4 facets", lambda w: (" ".join(w.common(2)), {"facets": FOUR}), FACETS_TARGET),
    ("common, 4 facets, 2 chosen", lambda w: (w.common()[0], {"facets": FOUR, "filters": w.filters()}), FACETS_TARGET),
    ("everything, 4 facets", lambda _: ("*", {"facets": FOUR}), FACETS_TARGET),
)
"""Name, how a query is drawn, and the target for its 95th percentile [ms]."""


def _row(index: Index, words: _Words, kind: Kind, queries: int) -> Row:
    name, draw, target = kind
    asked = [draw(words) for _ in range(queries)]
    index.search(asked[0][0], **asked[0][1])  # the first call reads what later ones find in memory
    times, totals = [], []
    for text, arguments in asked:
        found, taken = _timed(partial(index.search, text, **arguments))
        times.append(taken)
        totals.append(found.total)
    return name, f"{_percentiles(times, target)}, {np.median(totals):,.0f} results"


def _similar(index: Index, words: _Words, queries: int) -> Row:
    times = [_timed(lambda: index.similar(words.rng.choice(words.ids), 10))[1] for _ in range(queries)]
    return "ten similar works", _percentiles(times, SEARCH_TARGET)


def _update(path: Path, folder: Path, times: int) -> Row:
    """Following one changed record, in copies of the library and of its index."""
    with tempfile.TemporaryDirectory() as scratch:
        for file in path.parent.glob(f"{path.name}*"):  # the library, and what SQLite keeps beside it
            if file.is_file():
                shutil.copy(file, scratch)
        shutil.copytree(folder, Path(scratch) / "index")
        with Library(Path(scratch) / path.name) as library:
            index = Index.open(Path(scratch) / "index", library)
            taken = []
            for record in _changed(library, times):
                library.add([record])
                taken.append(_timed(index.refresh)[1])
    return "index, one record changed", _percentiles(taken, None)


def _changed(library: Library, n: int) -> Iterator[Record]:
    for record in list(islice(library.records(), n)):
        item = {**record.item, "title": f"{record.title} changed"}
        yield replace(record, item=item, source=replace(record.source, content=b"changed", file="changed"))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


def _percentiles(seconds: Sequence[float], target: float | None) -> str:
    middle, high = 1e3 * np.percentile(seconds, [50, 95])
    text = f"p50 {middle:.1f} ms, p95 {high:.1f} ms"
    return text if target is None else f"{text} ({'under' if high < target else 'NOT under'} {target:.0f})"


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence_search", description=__doc__)
    parser.add_argument("library", type=Path, help="e.g. one that benchmarks.evidence_records kept with --out")
    parser.add_argument("--queries", type=int, default=QUERIES, help="of each kind")
    arguments = parser.parse_args()
    rows = measured(arguments.library, arguments.queries)
    print(f"{processor()}, Python {platform.python_version()}")
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
