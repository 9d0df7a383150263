"""What holds of a library whatever is imported, in whatever order."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromal.compute.errors import InputError
from stromal.evidence.library import Library, clustering
from stromal.evidence.library.comparison import conflict
from stromal.evidence.library.traits import Traits
from stromal.evidence.library.works import Pair, partition
from stromal.evidence.records.identifiers import ranked
from stromal.evidence.records.record import Record, Source

TITLE = "Mesenchymal stromal cells in systemic sclerosis"
TITLES = (TITLE, TITLE, TITLE.upper(), TITLE.replace("sclerosis", "sclerosi"), f"Erratum: {TITLE}", f"{TITLE}: part II")
AUTHORS = (("Juliette", "Peltzer"), ("J", "Peltzer"), ("Peltzer", "Juliette"))
IDENTIFIERS = (
    *("doi:10.1/a", "doi:10.1/b", "doi:10.1101/2020.01.01.123456", "pmid:1", "pmid:2", "pmcid:PMC1"),
    *("nct:NCT00000001", "url:https://example.org/"),
)
"""Everything is drawn from few values, so that most records resemble others."""


def built(database: str, names: Iterable[str], said: dict[str, Any]) -> Record:
    item = {"type": "article-journal", "source": database, **said}
    source = Source("csl", repr(item).encode(), f"{database}.json", "record 1")
    return Record(identifiers=ranked(names) or (f"sha256:{source.sha256}",), item=item, source=source)


@st.composite
def records(draw: st.DrawFn, database: str) -> Record:
    names = draw(st.lists(st.sampled_from(IDENTIFIERS), max_size=2, unique_by=lambda name: name.split(":")[0]))
    said: dict[str, Any] = {"title": draw(st.sampled_from(TITLES))}
    given, family = draw(st.sampled_from(AUTHORS))
    said["author"] = [{"given": given, "family": family}]
    for key, values in (("volume", ("", "", "1", "2")), ("page", ("", "", "5", "7"))):
        if value := draw(st.sampled_from(values)):
            said[key] = value
    if year := draw(st.sampled_from((2018, 2018, 2018, 2019, None))):
        said["issued"] = {"date-parts": [[year]]}
    return built(database, names, said)


@st.composite
def collections(draw: st.DrawFn, most: int = 6) -> list[Record]:
    """Records of different databases, so that none is a new version of another."""
    return [draw(records(f"database {i}")) for i in range(draw(st.integers(2, most)))]


@contextmanager
def new_library() -> Iterator[Library]:
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "a.library") as library:
        yield library


def works(library: Library) -> set[frozenset[str]]:
    return {frozenset(str(r.item["source"]) for r in work.records) for work in library.works()}


NODES = tuple(
    Traits(names or (f"sha256:{i:064}",), {"title": title, "type": "article-journal", "page": page}, str(i))
    for i, (names, title, page) in enumerate(
        product(((), ("doi:10.1/a",), ("doi:10.1/b",), ("pmid:1",)), (TITLE, f"Erratum: {TITLE}"), ("", "5", "7"))
    )
)
PAIRS = st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] < pair[1])


@given(
    st.lists(st.sampled_from(NODES), min_size=8, max_size=8, unique_by=id),
    st.lists(PAIRS, max_size=12, unique=True),
    st.lists(PAIRS, max_size=2),
    st.lists(PAIRS, max_size=2),
    st.permutations(range(8)),
)
@settings(max_examples=300)
def test_a_partition_does_not_depend_on_the_numbers_of_records(
    nodes: list[Traits], alike: list[Pair], same: list[Pair], apart: list[Pair], numbers: list[int]
) -> None:
    def renumbered(pairs: list[Pair]) -> list[Pair]:
        return sorted((min(numbers[a], numbers[b]), max(numbers[a], numbers[b])) for a, b in pairs)

    first = partition(dict(enumerate(nodes)), alike, same, apart)
    second = partition(
        {numbers[i]: nodes[i] for i in reversed(range(8))}, renumbered(alike), renumbered(same), renumbered(apart)
    )
    assert {frozenset(numbers[i] for i in group) for group in first} == set(second)
    assert sorted(i for group in first for i in group) == list(range(8))
    assert not any({a, b} <= group for a, b in apart for group in first)


@given(st.data(), collections())
@settings(max_examples=50)
def test_works_do_not_depend_on_the_order_of_import(data: st.DataObject, originals: list[Record]) -> None:
    order = data.draw(st.permutations(originals))
    cuts = data.draw(st.integers(1, len(order)))
    with new_library() as first, new_library() as second:
        first.add(originals)
        second.add(order[:cuts])
        for one in order[cuts:]:
            second.add([one])
        assert works(first) == works(second)
        pairs = [
            {frozenset((lib.get(p.a).item["source"], lib.get(p.b).item["source"])) for p in lib.possible_duplicates()}
            for lib in (first, second)
        ]
        assert pairs[0] == pairs[1]
        views = [{str(lib.merged(w.name)) for w in lib.works()} for lib in (first, second)]
        assert views[0] == views[1]


@given(st.data(), collections(most=8))
@settings(max_examples=30)
def test_works_do_not_depend_on_when_a_key_became_too_common(data: st.DataObject, originals: list[Record]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clustering, "_CROWD", 3)
        with new_library() as first, new_library() as second:
            first.add(originals)
            for one in data.draw(st.permutations(originals)):
                second.add([one])
            assert works(first) == works(second)


@given(st.data(), collections())
@settings(max_examples=60)
def test_updates_lead_to_the_works_of_a_library_that_never_had_the_old_versions(
    data: st.DataObject, originals: list[Record]
) -> None:
    with new_library() as changed, new_library() as fresh:
        changed.add(originals)
        for old in originals:
            if data.draw(st.booleans()):
                changed.add([data.draw(records(str(old.item["source"])))])
        fresh.add(changed.records())
        assert works(changed) == works(fresh)
        assert changed.check() == ()


@given(collections())
@settings(max_examples=10)
def test_importing_again_adds_and_changes_nothing(originals: list[Record]) -> None:
    with new_library() as library:
        library.add(originals)
        before, revision = works(library), library.revision
        batch = library.add(reversed(originals))
        assert len(batch.duplicate) == len(originals)
        assert not batch.added
        assert not batch.updated
        assert library.revision == revision
        assert works(library) == before
        assert list(library.records()) == originals


@given(collections(most=8))
@settings(max_examples=30)
def test_no_work_has_records_whose_best_common_identifiers_differ(originals: list[Record]) -> None:
    with new_library() as library:
        library.add(originals)
        for work in library.works():
            for a in work.records:
                for b in work.records:
                    assert conflict(a.identifiers, b.identifiers) is None


@given(st.data(), collections())
@settings(max_examples=40)
def test_decisions_survive_every_later_import(data: st.DataObject, originals: list[Record]) -> None:
    half = len(originals) // 2 + 1
    with new_library() as library:
        library.add(originals[:half])
        held: list[tuple[str, str, bool]] = []
        for _ in range(2):
            a, b = (data.draw(st.integers(1, half)) for _ in range(2))
            same = data.draw(st.booleans())
            try:
                (library.same if same else library.not_same)(f"record:{a}", f"record:{b}", by="J. Doe", why="w")
            except InputError:
                continue
            held = [h for h in held if set(h[:2]) != {f"record:{a}", f"record:{b}"}]
            held.append((f"record:{a}", f"record:{b}", same))
        library.add(originals)
        for i in range(half):
            if data.draw(st.booleans()):
                library.add([data.draw(records(f"database {i}"))])
        for a, b, same in held:
            assert (library.work(a).name == library.work(b).name) is same


@given(st.data(), collections())
@settings(max_examples=30)
def test_decisions_lead_to_the_same_works_whenever_they_are_made(data: st.DataObject, originals: list[Record]) -> None:
    hashes = [f"sha256:{r.source.sha256}" for r in originals]
    a, b = (data.draw(st.sampled_from(hashes)) for _ in range(2))
    same = data.draw(st.booleans())
    with new_library() as early, new_library() as late:
        early.add(r for r, name in zip(originals, hashes, strict=True) if name in (a, b))
        late.add(originals)
        before = works(late)
        try:
            (early.same if same else early.not_same)(a, b, by="J. Doe", why="w")
        except InputError:
            assert a == b
            return
        early.add(originals)
        (late.same if same else late.not_same)(a, b, by="J. Doe", why="w")
        assert works(early) == works(late)
        late.withdraw(a, b, by="J. Doe", why="w")
        assert works(late) == before
