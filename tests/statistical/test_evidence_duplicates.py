"""Copies of one work in the noise of another database are found; works that look alike are not joined.

2,000 synthetic records with seed 1, of which one in ten is a copy (other case, a misprint, turned or shortened names,
missing DOI, volume, pages) and one in twenty resembles another work. The numbers are those of this seed: nothing is
drawn anew, so no run fails by chance.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from stromal.evidence.library import Library
from stromal.evidence.records.formats import read_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """The generator of the benchmarks, which are no part of the package."""
    sys.path.insert(0, str(ROOT))
    try:
        import benchmarks.evidence_records as module  # noqa: PLC0415 - found only now

        yield module
    finally:
        sys.path.remove(str(ROOT))


def test_copies_are_found_and_look_alikes_are_not_joined(generator: ModuleType, tmp_path: Path) -> None:
    made = list(generator.synthetic(2_000, copies=0.1, traps=0.05))
    assert sum(one.copy for one in made) > 150
    with Library(tmp_path / "a.library") as library:
        batch = library.add(generator.as_record(one, place) for place, one in enumerate(made, 1))
        result = generator.duplicates(library, [one.work for one in made])
    assert result.copies > 150
    assert result.found >= 0.97 * result.copies
    assert result.wrong == 0
    assert len(batch.possible) < 0.02 * len(made), "a list that a person can go through"


def test_the_generator_gives_the_same_records_for_a_seed(generator: ModuleType) -> None:
    lines = [generator.csl_line(one) for one in generator.synthetic(60, seed=7)]
    assert lines == [generator.csl_line(one) for one in generator.synthetic(80, seed=7)][:60]
    assert lines != [generator.csl_line(one) for one in generator.synthetic(60, seed=8)]


@pytest.mark.parametrize("form", ["csl", "ris", "nbib"])
def test_written_records_are_read_as_they_were_made(generator: ModuleType, tmp_path: Path, form: str) -> None:
    made = [one for one in generator.synthetic(60) if form != "nbib" or "PMID" in one.item]
    file = tmp_path / f"synthetic.{form}"
    assert generator.write(file, form, generator.synthetic(60)) == len(made)
    read = list(read_file(file))
    assert [r.title for r in read] == [one.item["title"].strip() for one in made]
    assert [r.identifiers for r in read if not r.id.startswith("sha256:")] == [
        one.identifiers for one in made if one.identifiers
    ]
    assert [r.year for r in read] == [one.item["issued"]["date-parts"][0][0] for one in made]
    assert [len(r.authors) for r in read] == [len(one.item["author"]) for one in made]
    assert [r.keywords for r in read] == [one.keywords for one in made]
