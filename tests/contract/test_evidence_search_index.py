"""The index is never the truth: lost, stale, damaged or updated in small steps it answers as one made anew."""

import fcntl
import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.library import Library
from stromal.evidence.records.record import Record, Source
from stromal.evidence.search import FACETS, Index, Standing, building, facets
from stromal.evidence.search import folder as folder_module
from stromal.evidence.search.folder import Folder

WORDS = ("zebra", "okapi", "ibis", "emu", "lynx", "puma", "kudu", "oryx")
QUERIES = ("zebra", "okapi OR emu OR lynx", "zebra okapi", '"zebra okapi"', "ki*", "ku*", "*", "NOT zebra", "author:a")


def made(k: int, *, seed: int = 0, title: str = "") -> Record:
    rng = random.Random(f"{seed} {k}")  # noqa: S311 - words, not secrets
    item: dict[str, Any] = {
        "type": "article-journal",
        "title": title or f"Kind{k} {' '.join(rng.choices(WORDS, k=4))}",
        "abstract": " ".join(rng.choices(WORDS, k=12)),
        "author": [{"given": rng.choice("ABC"), "family": rng.choice(WORDS).title()} for _ in range(3)],
        "container-title": f"Journal {rng.randrange(4)}",
        "issued": {"date-parts": [[2000 + rng.randrange(6)]]},
    }
    content = repr(item).encode()
    return Record((f"doi:10.1000/{k}",), item, Source("csl", content, f"{seed}.json"), tuple(rng.sample(WORDS, 2)))


def hits(index: Index, query: str) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in index.search(query, size=500).hits]


def answers(index: Index) -> list[Any]:
    """All that a search gives: hits in their order with scores, and counts."""
    return [
        (hits(index, query), index.search(query, facets=FACETS, facet_size=5).facets, index.search(query).suggestion)
        for query in QUERIES
    ]


def unordered(index: Index) -> list[Any]:
    """The same, as far as it does not depend on the frequency of words."""
    return [
        ({curie for curie, _ in hits(index, query)}, index.search(query, facets=FACETS, facet_size=5).facets)
        for query in QUERIES
    ]


def current(folder: Path) -> str:
    """Name of the folder with the files of the index."""
    return str(json.loads((folder / "state.json").read_text())["current"])


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as opened:
        opened.add(made(k) for k in range(60))
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library.index"


def test_a_deleted_index_is_made_again_and_answers_as_before(library: Library, folder: Path) -> None:
    before = answers(Index.open(folder, library))
    shutil.rmtree(folder)
    assert answers(Index.open(folder, library)) == before


def test_an_index_in_memory_answers_as_one_in_a_folder(library: Library, folder: Path) -> None:
    assert answers(Index.open(None, library)) == answers(Index.open(folder, library))


def test_an_index_that_is_up_to_date_is_opened_as_it_is(library: Library, folder: Path) -> None:
    before = answers(Index.open(folder, library))
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert answers(Index.open(folder, library)) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == kept


def test_a_copy_of_the_folder_is_opened_as_it_is(library: Library, folder: Path, tmp_path: Path) -> None:
    before = answers(Index.open(folder, library))
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    assert answers(Index.open(copy, library)) == before
    assert current(copy) == current(folder)


def test_a_search_after_an_import_finds_what_was_imported(library: Library, folder: Path) -> None:
    index = Index.open(folder, library)
    assert index.search("wombat").total == 0
    library.add([made(100, title="A wombat")])
    assert [hit.id for hit in index.search("wombat").hits] == ["doi:10.1000/100"]
    assert index.similar("doi:10.1000/100", 3)


def test_additions_in_small_steps_answer_as_an_index_made_anew(library: Library, folder: Path) -> None:
    index = Index.open(folder, library)
    made_once = current(folder)
    for k in range(60, 66, 2):
        library.add([made(k), made(k + 1)])
        assert answers(index) == answers(Index.open(None, library))
        assert answers(Index.open(folder, library)) == answers(index)
    assert current(folder) == made_once  # updated, not built again


def test_additions_answer_alike_where_counts_are_cut_and_checked(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "_PORTION", 6)  # values kept of each segment: fewer than there are
    monkeypatch.setattr(facets, "_CANDIDATES", 1)
    monkeypatch.setattr(facets, "_MANY", 10)
    index = Index.open(folder, library)
    for k in range(60, 70):
        library.add([made(k)])
        index.refresh()
    small = answers(index)
    monkeypatch.undo()
    assert small == answers(Index.open(None, library))


def by(author: str, k: int) -> Record:
    item = {"type": "book", "title": "zebra", "author": [{"given": "A", "family": author}]}
    return Record((f"doi:10.1000/{author}.{k}",), item, Source("csl", f"{author} {k}".encode()))


def test_counts_that_two_segments_have_cut_are_made_whole(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_MOST_CHANGED", 10.0)
    monkeypatch.setattr(facets, "_PORTION", 4)
    monkeypatch.setattr(facets, "_CANDIDATES", 2)
    first = {"Ant": 50, "Bee": 40, "Cow": 30, "Dog": 20, "Elk": 19}
    library.add(by(author, k) for author, n in first.items() for k in range(n))
    index = Index.open(folder, library)
    second = {"Elk": 60, "Ant": 50, "Bee": 5, "Cow": 4, "Dog": 3}
    library.add(by(author, 100 + k) for author, n in second.items() for k in range(n))
    shown = index.search("type:book", facets=["author"], facet_size=2).facets["author"]
    assert [(c.value, c.count) for c in shown] == [("A Ant", 100), ("A Elk", 79)]


def test_pages_of_what_ranks_alike_are_the_same_in_one_segment_and_in_several(library: Library, folder: Path) -> None:
    library.add(by("Ant", k) for k in range(40))
    index = Index.open(folder, library)
    for k in range(100, 106):
        library.add([by("Ant", k)])
        index.refresh()
    anew = Index.open(None, library)
    whole = [curie for curie, _ in hits(anew, "ant")]
    assert len(whole) == 46
    for size in (3, 7):
        pages = [index.search("ant", page=page, size=size).hits for page in range(1, 46 // size + 2)]
        assert [hit.id for page in pages for hit in page] == whole


@pytest.mark.parametrize("seed", range(2))
def test_changes_decisions_and_joined_works_in_small_steps_find_and_count_as_an_index_made_anew(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(building, "_MOST_REPLACED", 10.0)
    monkeypatch.setattr(building, "_MOST_CHANGED", 10.0)
    index = Index.open(folder, library)
    made_once = current(folder)
    rng = random.Random(seed)  # noqa: S311 - no secret
    for step in range(2):
        a, b = (f"doi:10.1000/{k}" for k in rng.sample(range(60), 2))
        for change in (
            lambda: library.add([made(rng.randrange(60), seed=step + 1)]),  # noqa: B023 - called at once
            lambda: library.same(a, b, "a test", "to join works"),  # noqa: B023
            lambda: library.withdraw(a, b, "a test", "to part them again"),  # noqa: B023
        ):
            change()
            assert unordered(index) == unordered(Index.open(None, library))
    assert current(folder) == made_once
    assert unordered(Index.open(folder, library)) == unordered(index)


def test_after_many_replacements_the_index_is_made_anew_and_ranks_exactly(library: Library, folder: Path) -> None:
    index = Index.open(folder, library)
    made_once = current(folder)
    library.add(made(k, seed=1) for k in range(5))
    assert answers(index) == answers(Index.open(None, library))
    assert current(folder) != made_once
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [current(folder)]


def test_what_changed_while_the_index_was_closed_is_followed(library: Library, folder: Path) -> None:
    Index.open(folder, library)
    library.add([made(100)])
    assert answers(Index.open(folder, library)) == answers(Index.open(None, library))
    library.add([made(3, seed=5)])
    assert unordered(Index.open(folder, library)) == unordered(Index.open(None, library))


def test_the_index_of_another_library_is_replaced(library: Library, folder: Path, tmp_path: Path) -> None:
    Index.open(folder, library)
    with Library(tmp_path / "other") as other:
        other.add(made(k, seed=9) for k in range(10))
        index = Index.open(folder, other)
        assert len(index) == 10
        assert answers(index) == answers(Index.open(None, other))


def test_another_way_of_making_documents_makes_the_index_anew(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index.open(folder, library)
    made_once = current(folder)
    monkeypatch.setattr(building, "maker", lambda: "another")
    assert answers(Index.open(folder, library)) == answers(Index.open(None, library))
    assert current(folder) != made_once


def spoil_whole(path: Path) -> None:
    path.unlink()


def spoil_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def spoil_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def spoil_all(path: Path) -> None:
    path.write_bytes(b"\x00" * 100)


@pytest.mark.parametrize("spoil", [spoil_whole, spoil_end, spoil_middle, spoil_all])
def test_damage_to_any_file_is_found_and_repaired(library: Library, folder: Path, spoil: Any) -> None:
    before = hits(Index.open(folder, library), "okapi OR emu")
    kinds = sorted({path.suffix or path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size})
    assert len(kinds) > 6
    for kind in kinds:
        for path in [p for p in folder.rglob("*") if p.is_file() and kind in (p.suffix, p.name) and p.stat().st_size]:
            spoil(path)
        assert hits(Index.open(folder, library), "okapi OR emu") == before, kind


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"current": "../library"}', '{"current": "index-0", "files": {}}', "\udcff"]
)
def test_a_state_that_makes_no_sense_is_replaced(library: Library, folder: Path, text: str) -> None:
    before = hits(Index.open(folder, library), "okapi OR emu")
    (folder / "state.json").write_bytes(text.encode(errors="surrogateescape"))
    assert hits(Index.open(folder, library), "okapi OR emu") == before


def test_a_changed_standing_is_followed_without_a_change_of_the_library(library: Library, folder: Path) -> None:
    first = {"doi:10.1000/1": Standing(("included",)), "doi:10.1000/2": Standing(("screened",), ("rct",))}
    Index.open(folder, library, first)
    made_once = current(folder)
    second = {"doi:10.1000/1": Standing(("included",)), "doi:10.1000/3": Standing(("extracted",))}
    index = Index.open(folder, library, second)
    assert current(folder) == made_once
    assert {q: [h.id for h in index.search(f"status:{q}").hits] for q in ("included", "screened", "extracted")} == {
        "included": ["doi:10.1000/1"],
        "screened": [],
        "extracted": ["doi:10.1000/3"],
    }
    assert index.search("design:rct").total == 0
    assert unordered(index) == unordered(Index.open(None, library, second))


class InterruptedHereError(Exception):
    pass


def test_an_interrupted_build_leaves_the_index_that_was_there(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index.open(folder, library)
    made_once = current(folder)
    library.add(made(k, seed=1) for k in range(40))
    calls = iter(range(1000))

    def document(*arguments: Any) -> Any:
        if next(calls) == 20:
            raise InterruptedHereError
        return original(*arguments)

    original = building.document
    monkeypatch.setattr(building, "document", document)
    with pytest.raises(InterruptedHereError):
        Index.open(folder, library)
    assert current(folder) == made_once
    monkeypatch.undo()
    assert answers(Index.open(folder, library)) == answers(Index.open(None, library))
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [current(folder)]


def test_an_update_that_failed_can_be_tried_again_at_once(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index.open(folder, library)
    library.add([made(100)])

    def document(*_: Any) -> Any:
        raise InterruptedHereError

    monkeypatch.setattr(building, "document", document)
    with pytest.raises(InterruptedHereError):
        index.refresh()
    monkeypatch.undo()
    assert answers(index) == answers(Index.open(None, library))


def test_an_update_that_was_not_noted_is_done_again(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index.open(folder, library)
    library.add([made(100), made(101)])

    def keep(*_: Any) -> Any:
        raise InterruptedHereError

    monkeypatch.setattr(Folder, "keep", keep)
    with pytest.raises(InterruptedHereError):
        Index.open(folder, library)
    monkeypatch.undo()
    index = Index.open(folder, library)
    assert answers(index) == answers(Index.open(None, library))
    assert len(index) == 62


def test_two_that_use_one_folder_follow_each_other(library: Library, folder: Path) -> None:
    one, other = Index.open(folder, library), Index.open(folder, library)
    library.add([made(100)])
    assert answers(one) == answers(other) == answers(Index.open(None, library))
    library.add(made(k, seed=1) for k in range(30))  # makes it anew
    assert answers(one) == answers(other) == answers(Index.open(None, library))


def test_the_order_of_results_does_not_depend_on_the_order_of_import(tmp_path: Path) -> None:
    records = [replace(made(k), item={**made(k).item, "title": "zebra", "abstract": f"okapi {k}"}) for k in range(30)]
    orders = []
    for name in ("forward", "backward"):
        with Library(tmp_path / name) as library:
            library.add(records if name == "forward" else records[::-1])
            index = Index.open(None, library)
            orders.append([[curie for curie, _ in hits(index, query)] for query in ("okapi", "zebra", "*")])
    assert orders[0] == orders[1]
    assert len(orders[0][0]) == 30


def test_a_folder_that_cannot_be_used_is_refused_with_a_remedy(library: Library, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="the folder of the search index cannot be used") as caught:
        Index.open(tmp_path / "file", library)
    assert "None" in caught.value.remedy


def test_who_builds_has_the_folder_alone(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.open(folder, library)
    library.add([made(100)])
    monkeypatch.setattr(folder_module, "_WAIT", 0.1)
    with (folder / "lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process has been building the index"):
            index.refresh()
    index.refresh()
    assert len(index) == 61


def test_searching_changes_nothing_in_the_library(library: Library, folder: Path) -> None:
    before = library.revision
    answers(Index.open(folder, library))
    assert library.revision == before
    assert library.check() == ()
