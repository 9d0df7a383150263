"""Synthetic records of the field, and how fast a library takes them in: `python -m benchmarks.evidence_records`.

The records are made from a seed alone: words with Zipf frequencies, those of the field first; authors, journals,
subjects, years, a DOI for most. About one in twenty is a noisy copy of another record, as a second database would
have it, and one in a hundred looks like another and is none (the next part of a series, the report of the next year,
an editorial by the same author). The number of the work is kept with each, so that de-duplication can be measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence_search import measured
from benchmarks.evidence_words import FIELD_WORDS, GIVEN_NAMES, JOURNALS, SUBJECTS, invented_words
from stromal.compute.provenance import processor
from stromal.evidence.library import Batch, Library
from stromal.evidence.records.formats import read_file
from stromal.evidence.records.record import Field, Record, Rejected, Source

SEED: Final = 1
RECORDS: Final = 100_000
COPIES: Final = 0.05
"""Share of noisy copies of other records."""
TRAPS: Final = 0.01
"""Share of records that look like another one and are none."""
WORDS: Final = 60_000
AUTHORS: Final = 20_000
_MEMORY: Final = 2_000
"""Copies and traps are made of one of so many records before."""


@final
@dataclass(frozen=True)
class Synthetic:
    """A record that was made up.

    Attributes
    ----------
    work : int
        Number of the work: copies have that of their original.
    identifiers : tuple of str
        CURIEs, the best first; empty for some copies.
    item : dict
        CSL-JSON without ``id``.
    keywords : tuple of str
    copy : bool
        It is a noisy copy.
    """

    work: int
    identifiers: tuple[str, ...]
    item: dict[str, Any]
    keywords: tuple[str, ...]
    copy: bool = False


def synthetic(n: int, *, seed: int = SEED, copies: float = COPIES, traps: float = TRAPS) -> Iterator[Synthetic]:
    """Make up `n` records; the first are the same for every larger `n`."""
    maker = _Maker(seed)
    recent: list[Synthetic] = []
    for _ in range(n):
        kind = maker.rng.random()
        if recent and kind < copies:
            yield maker.copy(recent[maker.rng.integers(len(recent))])
            continue
        made = maker.original() if not recent or kind > copies + traps else maker.trap(recent[-1])
        if len(recent) < _MEMORY:
            recent.append(made)
        else:
            recent[maker.rng.integers(_MEMORY)] = made
        yield made


def as_record(made: Synthetic, place: int) -> Record:
    """The record as a reader of CSL-JSON would give it; copies come from another database."""
    content = csl_line(made).encode()
    names = tuple(Field(key, (json.dumps(value, ensure_ascii=False),)) for key, value in made.item.items())
    source = Source("ris" if made.copy else "csl", content, "synthetic.jsonl", f"line {place}")
    return Record(
        identifiers=made.identifiers or (f"sha256:{source.sha256}",),
        item=made.item,
        source=source,
        keywords=made.keywords,
        origin={key: key for key in made.item},
        fields=names,
    )


def as_records(n: int, *, seed: int = SEED) -> Iterator[Record]:
    """`n` records, see `synthetic`."""
    return (as_record(made, place) for place, made in enumerate(synthetic(n, seed=seed), 1))


def csl_line(made: Synthetic) -> str:
    """One line of CSL-JSON."""
    named = {"id": made.identifiers[0]} if made.identifiers else {}
    return json.dumps({**named, **made.item}, ensure_ascii=False)


def ris_lines(made: Synthetic) -> str:
    """One record of RIS, with the empty line after it."""
    item = made.item
    start, _, end = item.get("page", "").partition("-")
    lines = [("TY", "JOUR"), ("TI", item["title"]), *(("AU", f"{a['family']}, {a['given']}") for a in item["author"])]
    lines += [("PY", str(item["issued"]["date-parts"][0][0])), ("JF", item["container-title"]), ("SN", item["ISSN"])]
    lines += [("VL", item.get("volume", "")), ("IS", item.get("issue", "")), ("SP", start), ("EP", end)]
    lines += [("AB", item["abstract"]), ("LA", item["language"]), ("DO", item.get("DOI", ""))]
    lines += [("AN", f"PMID:{item['PMID']}" if "PMID" in item else ""), *(("KW", word) for word in made.keywords)]
    return "".join(f"{tag}  - {value}\n" for tag, value in lines if value) + "ER  - \n\n"


def nbib_lines(made: Synthetic) -> str:
    """One record in the format of PubMed, with the empty line after it."""
    item = made.item
    year = item["issued"]["date-parts"][0][0]
    lines = [("PMID", item.get("PMID", "")), ("DP", str(year)), ("TI", item["title"]), ("AB", item["abstract"])]
    for author in item["author"]:
        lines += [("FAU", f"{author['family']}, {author['given']}"), ("AU", f"{author['family']} {author['given'][0]}")]
    lines += [("LA", "eng"), ("PT", "Journal Article"), ("JT", item["container-title"]), ("IS", item["ISSN"])]
    lines += [("VI", item.get("volume", "")), ("IP", item.get("issue", "")), ("PG", item.get("page", ""))]
    lines += [("AID", f"{item['DOI']} [doi]" if "DOI" in item else ""), *(("OT", word) for word in made.keywords)]
    return "".join(f"{tag:<4}- {value}\n" for tag, value in lines if value) + "\n"


WRITERS: Final = {"csl": (csl_line, "\n"), "ris": (ris_lines, ""), "nbib": (nbib_lines, "")}
"""Writes a record in each format, and what stands after it."""


def write(path: Path, form: str, records: Iterable[Synthetic]) -> int:
    """Write records to a file in a format of `WRITERS`; gives their number (of those with a PMID for ``nbib``)."""
    writer, after = WRITERS[form]
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for made in records:
            if form != "nbib" or "PMID" in made.item:
                file.write(writer(made) + after)
                written += 1
    return written


class _Vocabulary:
    """What records of a seed are made of."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 0))
        words = [*FIELD_WORDS, *invented_words(rng, WORDS - len(FIELD_WORDS))]
        self.words = np.array(words, dtype=object)
        self.at = _zipf(WORDS, 1.07)
        self.families = [word.capitalize() for word in invented_words(rng, AUTHORS)]
        self.family_at = _zipf(AUTHORS, 0.7)
        pairs = [(str(a), str(b)) for a, b in self.words[rng.integers(0, 4_000, (3_780, 2))]]
        self.journals = [*JOURNALS, *(f"Journal of {a.title()} {b.title()}" for a, b in pairs[:780])]
        self.journal_at = _zipf(len(self.journals), 1.0)
        self.subjects = [*SUBJECTS, *(f"{a} {b}" for a, b in pairs[780:])]
        self.subject_at = _zipf(len(self.subjects), 0.9)


_vocabulary = lru_cache(maxsize=2)(_Vocabulary)


class _Maker:
    """Draws records."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng((seed, 1))
        self.known = _vocabulary(seed)
        self.works = 0
        self.followed: set[int] = set()

    def original(self) -> Synthetic:
        """A record of a new work."""
        rng, known = self.rng, self.known
        self.works += 1
        journal = int(np.searchsorted(known.journal_at, rng.random()))
        year = 2026 - int(rng.exponential(9.0)) % 60
        volume, first = year - 1960 + journal % 40, int(rng.integers(2, 2_000))
        subjects = [known.subjects[i] for i in np.searchsorted(known.subject_at, rng.random(rng.integers(2, 7)))]
        item = {
            "type": "article-journal",
            "title": self._words(rng.integers(6, 18)).capitalize(),
            "author": [self._author() for _ in range(rng.integers(1, 9))],
            "issued": {"date-parts": [[year, int(rng.integers(1, 13))]]},
            "container-title": known.journals[journal],
            "ISSN": f"{1000 + journal:04d}-{journal % 1000:03d}X",
            "volume": str(volume),
            "issue": str(rng.integers(1, 13)),
            "page": f"{first}-{first + int(rng.integers(1, 15))}",
            "publisher": f"Publisher {journal % 37}",
            "abstract": ". ".join(self._words(rng.integers(12, 30)).capitalize() for _ in range(rng.integers(5, 10))),
            "language": "en" if rng.random() < 0.92 else "fr",
            "source": "Synthetic",
        }
        if rng.random() < 0.85:
            item["DOI"] = f"10.5555/{journal}.{year}.{self.works}"
        if rng.random() < 0.7 or "DOI" not in item:
            item["PMID"] = str(10_000_000 + self.works)
        return self._finished(item, subjects, self.works)

    def copy(self, of: Synthetic) -> Synthetic:
        """The same work as another database has it: other case, a misprint, turned names, gaps."""
        rng = self.rng
        item = {key: value for key, value in of.item.items() if key not in ("PMID", "abstract") or rng.random() < 0.3}
        item["source"] = "Other"
        item.setdefault("abstract", "")
        if rng.random() < 0.5:
            item.pop("DOI", None)
        title = item["title"]
        if rng.random() < 0.5:
            cut = int(rng.integers(1, len(title)))
            title = title[:cut] + title[cut + 1 :]
        item["title"] = (title, title.upper(), title.title(), f"{title}.")[rng.integers(4)]
        if rng.random() < 0.5:
            turned = rng.random() < 0.3
            item["author"] = [
                {"family": a["given"], "given": a["family"]}
                if turned
                else {"family": a["family"], "given": a["given"][0]}
                for a in item["author"]
            ]
        if rng.random() < 0.2:
            item["author"] = item["author"][:3]
        for key in ("page", "volume", "issue"):
            if rng.random() < 0.3:
                item.pop(key, None)
        if rng.random() < 0.3:
            item["container-title"] = " ".join(word[:5] for word in item["container-title"].split() if word != "of")
        return self._finished(item, list(of.keywords), of.work, copy=True)

    def trap(self, like: Synthetic) -> Synthetic:
        """Another work that looks like one: the next part, the next year's report, an editorial."""
        new = self.original()
        if like.work in self.followed:
            return new  # two reports of one year could not be told apart
        self.followed |= {like.work, new.work}
        item = dict(new.item, **{key: like.item[key] for key in ("author", "container-title", "ISSN")})
        kind = self.rng.integers(3)
        year = like.item["issued"]["date-parts"][0][0]
        if kind == 0:
            item |= {"title": f"{like.item['title']}: part II", "issued": like.item["issued"]}
        elif kind == 1:
            item |= {"title": like.item["title"], "issued": {"date-parts": [[year + 1]]}}
        else:
            item |= {"title": "Editorial", "issued": like.item["issued"]}
        for key in ("DOI", "volume", "page") if self.rng.random() < 0.5 else ():
            item.pop(key, None)
        return self._finished(item, list(new.keywords), new.work)

    def _finished(self, item: dict[str, Any], subjects: list[str], work: int, *, copy: bool = False) -> Synthetic:
        keywords = tuple(dict.fromkeys(subjects))
        named = [f"{scheme}:{item[key]}" for scheme, key in (("doi", "DOI"), ("pmid", "PMID")) if key in item]
        return Synthetic(work, tuple(named), {**item, "keyword": "; ".join(keywords)}, keywords, copy)

    def _words(self, n: int) -> str:
        return " ".join(self.known.words[np.searchsorted(self.known.at, self.rng.random(n))])

    def _author(self) -> dict[str, str]:
        family = self.known.families[int(np.searchsorted(self.known.family_at, self.rng.random()))]
        return {"family": family, "given": GIVEN_NAMES[self.rng.integers(len(GIVEN_NAMES))]}


def _zipf(n: int, exponent: float) -> NDArray[np.float64]:
    """Cumulative probabilities of the ranks 1 to n."""
    weights = np.arange(1, n + 1, dtype=float) ** -exponent
    total: NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    return total


@final
@dataclass(frozen=True)
class Duplicates:
    """How well copies were found.

    Attributes
    ----------
    copies : int
        Pairs of records of one work.
    found : int
        Those of them that are one work in the library.
    wrong : int
        Pairs of records of different works that are one work in the library.
    possible : int
        Pairs of copies not found that are listed for a person to decide.
    """

    copies: int
    found: int
    wrong: int
    possible: int


def duplicates(library: Library, works: list[int]) -> Duplicates:
    """Compare the works of a library with the true ones; `works` has that of ``line 1``, ``line 2`` ..."""
    found: list[int] = [0] * len(works)
    for number, work in enumerate(library.works()):
        for record in work.records:
            found[_line(record)] = number
    true, seen = _pairs(works), _pairs(found)
    listed = {tuple(sorted((_line(library.get(p.a)), _line(library.get(p.b))))) for p in library.possible_duplicates()}
    return Duplicates(len(true), len(true & seen), len(seen - true), len((true - seen) & listed))


def _line(record: Record) -> int:
    return int(record.source.place.removeprefix("line ")) - 1


def _pairs(works: Iterable[int]) -> set[tuple[int, ...]]:
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, work in enumerate(works):
        members[work].append(place)
    return {(a, b) for each in members.values() for i, a in enumerate(each) for b in each[i + 1 :]}


def measured_import(path: Path, n: int, seed: int) -> list[tuple[str, str]]:
    """Import `n` records into a new library; gives rows of a table."""
    made = list(synthetic(n, seed=seed))
    records = [as_record(one, place) for place, one in enumerate(made, 1)]
    gc.collect()
    gc.freeze()  # a reader gives records one by one; those kept here are not to be walked through at each collection
    with Library(path) as library:
        batch, taken, busy = _timed(library, records)
        again, known, _ = _timed(library, records)
        if len(again.duplicate) != n or len(batch.added) != n:
            raise AssertionError("an import of the same records again is to add none")
        result = duplicates(library, [one.work for one in made])
    size = path.stat().st_size
    return [
        ("records", f"{n:,}"),
        ("import", f"{taken:.1f} s, {n / taken:,.0f} records/s ({busy:.1f} s of processor time)"),
        ("import again, all known", f"{known:.1f} s, {n / known:,.0f} records/s"),
        ("size of the library", f"{size / 1e6:,.0f} MB, {size / n:,.0f} bytes per record"),
        ("copies found", f"{result.found:,} of {result.copies:,}, recall {result.found / max(result.copies, 1):.4f}"),
        ("copies listed as possible", f"{result.possible:,} of the others"),
        ("false merges", f"{result.wrong:,}"),
    ]


def _timed(library: Library, records: Iterable[Record | Rejected]) -> tuple[Batch, float, float]:
    """What an import did, how long it took, and how much of that on a processor [s]."""
    began, busy = time.perf_counter(), time.process_time()
    batch = library.add(records)
    return batch, time.perf_counter() - began, time.process_time() - busy


def measured_files(folder: Path, n: int, seed: int) -> list[tuple[str, str]]:
    """Import a file of `n` records in each format into a new library, reading included; gives rows of a table."""
    rows = []
    for form in WRITERS:
        file = folder / f"synthetic.{form}"
        written = write(file, form, synthetic(n, seed=seed))
        with Library(folder / f"{form}.library") as library:
            batch, taken, busy = _timed(library, read_file(file, form))
        if len(batch.added) + len(batch.duplicate) != written:
            raise AssertionError(f"not all records of {file} were read")
        rows.append(
            (
                f"import of a file, {form}",
                f"{written / taken:,.0f} records/s of {written:,} ({busy:.1f} s of processor time)",
            )
        )
    return rows


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence_records", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", choices=tuple(WRITERS), help="write the records in this format to --out instead")
    parser.add_argument("--out", type=Path, help="file for --write, or folder to keep the library in")
    parser.add_argument("--no-search", dest="search", action="store_false", help="measure the import only")
    arguments = parser.parse_args()
    if arguments.write:
        if arguments.out is None:
            parser.error("--write needs --out FILE")
        count = write(arguments.out, arguments.write, synthetic(arguments.records, seed=arguments.seed))
        print(f"{count:,} records written to {arguments.out}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = (arguments.out or Path(folder)) / "synthetic.library"
        if path.exists():
            parser.error(f"{path} is there already")
        rows = measured_import(path, arguments.records, arguments.seed)
        rows += measured_files(Path(folder), arguments.records // 10, arguments.seed)
        if arguments.search:
            rows += measured(path)
    print(f"{processor()}, Python {platform.python_version()}")
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
