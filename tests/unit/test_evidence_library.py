"""The library of a user: what an import does, what is kept, and what can be asked of it."""

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.library import Library, importing
from stromal.evidence.records.record import Field, Record, Rejected, Source

TITLE = "Mesenchymal stromal cells based therapy in systemic sclerosis: rational and challenges"
AUTHORS = ("Juliette Peltzer", "Marc Aletti", "Christophe Martinaud")
DAY = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def record(
    *identifiers: str,
    form: str = "ris",
    file: str = "",
    title: str = TITLE,
    year: int | None = 2018,
    keywords: tuple[str, ...] = (),
    remarks: tuple[str, ...] = (),
    content: bytes = b"",
    **item: Any,
) -> Record:
    names = [{"given": name.rsplit(" ", 1)[0], "family": name.rsplit(" ", 1)[1]} for name in AUTHORS]
    known = {"type": "article-journal", "title": title, "author": names}
    known |= {"issued": {"date-parts": [[year]]}} if year else {}
    known |= item
    source = Source(form, content or repr((form, identifiers, known)).encode(), file or f"export.{form}", "record 1")
    return Record(
        identifiers=identifiers or (f"sha256:{source.sha256}",),
        item=known,
        source=source,
        keywords=keywords,
        origin={key: key.upper() for key in known},
        fields=(Field("TI", (str(title),)), Field("ZZ", ("kept", "as it is"))),
        remarks=remarks,
    )


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "my.library") as opened:
        yield opened


def works(library: Library) -> set[frozenset[str]]:
    return {frozenset(f"{r.id} {r.source.format}" for r in work.records) for work in library.works()}


def test_a_record_comes_back_as_it_was_imported(library: Library) -> None:
    original = record(
        "doi:10.3389/fimmu.2018.02013",
        "pmid:30237797",
        keywords=("fibrosis", "Sjögren's", "硬皮病"),
        remarks=("the pages could not be told apart",),
        content=b"\xff\x00 bytes that are no text \r\n",
        custom={"harvested": "2020-11-24T21:36:14Z", "unknown": [1, None, {"a": "ü"}]},
    )
    library.add([original])
    assert library.get("pmid:30237797") == original
    assert list(library.records()) == [original]
    assert library.get("pmid:30237797").source.sha256 == original.source.sha256


@pytest.mark.parametrize(
    "written",
    [
        "doi:10.3389/fimmu.2018.02013",
        "https://doi.org/10.3389/FIMMU.2018.02013",
        "10.3389/fimmu.2018.02013",
        "30237797",
        "record:1",
        "work:1",
    ],
)
def test_a_record_is_found_by_every_name_a_person_may_write(library: Library, written: str) -> None:
    library.add([record("doi:10.3389/fimmu.2018.02013", "pmid:30237797")])
    assert library.get(written).id == "doi:10.3389/fimmu.2018.02013"
    assert written in library


def test_a_record_is_found_by_the_hash_of_its_source(library: Library) -> None:
    original = record("pmid:1")
    library.add([original])
    assert library.get(f"sha256:{original.source.sha256}") == original


def test_an_unknown_identifier_is_named_in_the_error(library: Library) -> None:
    assert "pmid:5" not in library
    with pytest.raises(InputError, match=r"no such record.*pmid:5"):
        library.get("pmid:5")


def test_importing_the_same_again_changes_nothing(library: Library) -> None:
    records = [record("pmid:1"), record("pmid:2", title="Another title of another work altogether")]
    library.add(records, at=DAY)
    before = library.revision
    batch = library.add(records, at=DAY)
    assert (len(batch.added), len(batch.updated), len(batch.duplicate)) == (0, 0, 2)
    assert library.revision == before
    assert len(library) == 2


def test_the_same_content_with_other_line_ends_or_from_another_file_is_a_duplicate(library: Library) -> None:
    library.add([record("pmid:1", content=b"a\n")])
    batch = library.add([record("pmid:1", content=b"a\r\n", file="again.ris")])
    assert len(batch.duplicate) == 1
    assert library.get("pmid:1").source.content == b"a\n"


def test_new_content_is_an_update_that_says_which_fields_changed_and_keeps_the_old_version(library: Library) -> None:
    old = record("pmid:1", volume="9", custom={"harvested": "2020"})
    library.add([old])
    new = record("doi:10.1/x", "pmid:1", volume="10", page="3", keywords=("skin",), custom={"harvested": "2021"})
    batch = library.add([new])
    assert [entry.identifier for entry in batch.updated] == ["doi:10.1/x"]
    assert set(batch.updated[0].changed) == {
        "volume", "page", "keywords", "identifiers", "custom.harvested", "origin"
    }  # fmt: skip
    assert library.get("pmid:1") == new
    assert library.versions("pmid:1") == (old,)
    assert len(library) == 1
    assert "volume" in batch.summary()


def test_an_earlier_version_imported_again_does_not_replace_the_later(library: Library) -> None:
    old, new = record("pmid:1", volume="9"), record("pmid:1", volume="10")
    library.add([old])
    library.add([new])
    batch = library.add([old])
    assert [entry.note for entry in batch.duplicate] == ["the same content as its version 1, since replaced"]
    assert library.get("pmid:1") == new


def test_an_identifier_that_an_update_dropped_still_finds_the_record(library: Library) -> None:
    library.add([record("doi:10.1/wrong", "pmid:1")])
    library.add([record("doi:10.1/right", "pmid:1")])
    assert library.get("doi:10.1/wrong").id == "doi:10.1/right"
    library.add([record("doi:10.1/wrong", form="nbib", title="The true bearer of this identifier")])
    assert library.get("doi:10.1/wrong").title == "The true bearer of this identifier"


def test_two_different_records_of_one_file_under_one_identifier_are_both_kept(library: Library) -> None:
    pair = [record("doi:10.1/x", volume="1"), record("doi:10.1/x", abstract="only here")]
    library.add(pair)
    assert len(library) == 2
    assert len(library.work_of("doi:10.1/x")) == 2
    batch = library.add(pair)
    assert len(batch.duplicate) == 2
    corrected = [record("doi:10.1/x", volume="2"), record("doi:10.1/x", abstract="corrected")]
    assert len(library.add(corrected).updated) == 2
    assert len(library) == 2


def test_records_of_one_work_from_other_sources_stay_and_are_one_work(library: Library) -> None:
    doaj = record("doi:10.1/x", "doaj:222e9dabaf5c4ed0aedb385210026076", form="doaj")
    pubmed = record("doi:10.1/x", "pmid:1", form="nbib", title=TITLE.upper() + ".")
    batch = library.add([doaj, pubmed])
    assert len(library) == 2
    assert sorted(library.work_of("pmid:1"), key=lambda r: r.source.format) == [doaj, pubmed]
    assert len(batch.joined) == 2


def test_what_is_no_record_is_reported_with_its_place_and_reason(library: Library) -> None:
    bad = Rejected("export.ris", "line 12", "no TY line; begin the record with 'TY  - JOUR'")
    batch = library.add([bad, record("pmid:1")])
    assert batch.rejected == (bad,)
    assert "export.ris, line 12: no TY line" in batch.summary()
    table = batch.table()
    assert list(table["outcome"]) == ["added", "rejected"]
    assert table["detail"][1] == bad.reason


@pytest.mark.parametrize(
    "broken",
    [
        record("pmid:1", score=float("nan")),
        record("pmid:1", title="half of a pair \ud800"),
        record("pmid:1", custom={"object": object()}),
        record("isbn:978"),
    ],
)
def test_a_record_that_cannot_be_stored_is_rejected_and_the_others_are_not(library: Library, broken: Record) -> None:
    batch = library.add([broken, record("pmid:2")])
    assert [(r.file, r.place) for r in batch.rejected] == [("export.ris", "record 1")]
    assert [r.id for r in library.records()] == ["pmid:2"]


def test_an_odd_item_is_stored_and_compared_without_a_crash(library: Library) -> None:
    odd = record("pmid:1", author="Peltzer", issued={"date-parts": [["in press"]]}, title=["a", "b"], page=7)
    batch = library.add([odd, record("pmid:2", custom=["a"], issued="2018", **{"container-title": ["J", "K"]})])
    assert len(batch.added) == 2
    assert library.get("pmid:1").item == odd.item


def test_the_merged_view_takes_each_value_from_the_best_record_that_has_it(library: Library) -> None:
    rich = record("doi:10.1/x", form="nbib", volume="9", page="2013", publisher="Frontiers", language="en")
    poor = record("doi:10.1/x", form="ris", abstract="A text.", volume="IX", custom={"a": 1}, keywords=("k",))
    library.add([poor, rich])
    view = library.merged("doi:10.1/x")
    assert view.item["volume"] == "9"
    assert view.item["abstract"] == "A text."
    assert view.item["custom"] == {"a": 1}
    assert view.source_of["volume"].source.format == "nbib"
    assert view.source_of["abstract"].source.format == "ris"
    assert view.source_of["custom.a"].source.format == "ris"
    assert view.keywords == ("k",)
    assert view.differing == ("volume",)
    assert [r.source.format for r in view.records] == ["nbib", "ris"]


def test_a_person_joins_two_works_with_different_dois_and_parts_them_again(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/b", form="nbib")])
    assert len(works(library)) == 2
    library.same("doi:10.1/a", "doi:10.1/b", by="J. Doe", why="the journal moved", at=DAY)
    assert len(works(library)) == 1
    library.add([record("doi:10.1/b", "pmid:9", form="csl", title="Same work under a title that nobody would match")])
    assert len(works(library)) == 1, "an identifier of the work is enough for a later record"
    decision = library.overrides()[0]
    assert (decision.by, decision.why, decision.verdict) == ("J. Doe", "the journal moved", "same")
    library.withdraw("doi:10.1/b", "doi:10.1/a", by="J. Doe", why="it did not", at=DAY)
    assert works(library) == {
        frozenset({"doi:10.1/a ris"}),
        frozenset({"doi:10.1/b nbib", "doi:10.1/b csl"}),
    }


def test_a_decision_survives_updates_and_re_imports(library: Library) -> None:
    pair = [record("doi:10.1/a"), record("pmid:1", form="nbib")]
    library.add(pair)
    assert len(works(library)) == 1
    library.not_same("doi:10.1/a", "pmid:1", by="J. Doe", why="one is the abstract of a talk")
    library.add(pair)
    library.add([record("doi:10.1/a", volume="9"), record("pmid:1", "pmcid:PMC1", form="nbib", volume="9")])
    assert len(works(library)) == 2
    assert list(library.possible_duplicates()) == []


def test_a_decision_holds_for_a_record_that_lost_the_identifier_it_was_made_with(library: Library) -> None:
    library.add([record("doi:10.1/a", "pmid:1"), record("doi:10.1/b", form="nbib")])
    library.same("doi:10.1/a", "doi:10.1/b", by="J. Doe", why="w")
    library.add([record("pmid:1", volume="3", title="So changed that nothing else would join them")])
    assert len(works(library)) == 1
    library.add([record("doi:10.1/a", form="csl", title="Another record has taken over the identifier")])
    assert works(library) == {frozenset({"pmid:1 ris"}), frozenset({"doi:10.1/a csl", "doi:10.1/b nbib"})}


def test_a_record_joins_its_work_when_an_update_removes_what_made_it_doubtful(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/b", form="nbib"), record(form="bibtex")])
    assert len(works(library)) == 3
    library.add([record("doi:10.1/b", form="nbib", title="It was another paper, by the same people, all along")])
    assert len(works(library)) == 2
    assert len(library.work_of("doi:10.1/a")) == 2


def test_a_record_leaves_its_work_when_an_update_removes_what_joined_it(library: Library) -> None:
    library.add([record("pmid:1"), record("doi:10.1/a", form="nbib")])
    assert len(works(library)) == 1
    library.add([record("doi:10.1/a", form="nbib", year=None)])
    assert len(works(library)) == 2
    assert [p.why for p in library.possible_duplicates()] == ["same title and authors, a year unknown"]


def test_a_relation_found_by_titles_goes_with_the_title(library: Library) -> None:
    library.add([record("pmid:1"), record("pmid:2", form="nbib", title=f"Erratum: {TITLE}")])
    assert [r.kind for r in library.relations("pmid:1")] == ["erratum"]
    library.add([record("pmid:2", form="nbib", title="A paper whose title was mixed up with that of its neighbour")])
    assert library.relations("pmid:1") == ()


def test_of_an_identifier_that_several_bear_those_without_the_other_are_meant(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/a", form="csl"), record("doi:10.1/a", "pmid:1", form="nbib")])
    library.not_same("doi:10.1/a", "pmid:1", by="J. Doe", why="PubMed gives the DOI of another paper")
    assert works(library) == {
        frozenset({"doi:10.1/a ris", "doi:10.1/a csl"}),
        frozenset({"doi:10.1/a nbib"}),
    }


def test_records_are_told_apart_by_their_names_in_the_library(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/a", form="csl")])
    library.not_same("record:1", "record:2", by="J. Doe", why="two abstracts under one DOI")
    assert len(works(library)) == 2
    assert all(o.a.startswith("sha256:") for o in library.overrides()), "a number would not survive a new library"


def test_a_decision_that_contradicts_others_is_refused_and_changes_nothing(library: Library) -> None:
    names = ["doi:10.1/a", "doi:10.1/b", "doi:10.1/c"]
    library.add([record(name, title=f"Title number {i} of quite another kind") for i, name in enumerate(names)])
    library.same(names[0], names[1], by="A", why="w")
    library.same(names[1], names[2], by="A", why="w")
    before = library.revision
    with pytest.raises(InputError, match="contradict"):
        library.not_same(names[0], names[2], by="B", why="w")
    assert library.revision == before
    assert len(library.overrides()) == 2
    assert len(works(library)) == 1


@pytest.mark.parametrize(
    ("a", "b", "by", "why", "message"),
    [
        ("pmid:1", "pmid:3", "A", "w", "no such record"),
        ("pmid:1", "doi:10.1/a", "A", "w", "mean the same records"),
        ("pmid:1", "pmid:2", " ", "w", "`by` is empty"),
        ("pmid:1", "pmid:2", "A", "", "`why` is empty"),
    ],
)
def test_a_decision_needs_two_known_records_a_person_and_a_reason(
    library: Library, a: str, b: str, by: str, why: str, message: str
) -> None:
    library.add([record("pmid:1", "doi:10.1/a"), record("pmid:2")])
    with pytest.raises(InputError, match=message):
        library.same(a, b, by=by, why=why)


def test_withdrawing_what_was_never_decided_is_an_error(library: Library) -> None:
    library.add([record("pmid:1"), record("pmid:2", title="Something else that is not the same")])
    with pytest.raises(InputError, match="no decision about these two"):
        library.withdraw("pmid:1", "pmid:2", by="A", why="w")


def test_stated_relations_link_works_and_keep_them_apart(library: Library) -> None:
    library.add([record("pmid:1"), record("doi:10.1/b", form="nbib")])
    assert len(works(library)) == 1
    library.relate("doi:10.1/b", "pmid:1", "version", by="J. Doe", why="the accepted manuscript")
    assert len(works(library)) == 2
    (relation,) = library.relations("pmid:1")
    assert (relation.a, relation.b, relation.kind, relation.by) == ("record:2", "record:1", "version", "J. Doe")
    with pytest.raises(InputError, match="no kind of relation"):
        library.relate("doi:10.1/b", "pmid:1", "sequel", by="J. Doe", why="w")  # type: ignore[arg-type]


def test_relations_that_a_source_states_are_found_from_both_ends(library: Library) -> None:
    custom = {"relations": [{"type": "corrected_by", "id": "pmid:2", "text": "Front Immunol 2019"}], "retracted": True}
    library.add([record("pmid:1", custom=custom)])
    (relation,) = library.relations("pmid:1")
    assert (relation.a, relation.b, relation.kind) == ("pmid:2", "record:1", "erratum")
    library.add([record("pmid:2", title="Something that the comparison of titles cannot see")])
    assert [r.a for r in library.relations("pmid:1")] == ["record:2"]
    assert library.relations("pmid:2") == library.relations("pmid:1")
    assert library.retractions("pmid:1") == ("pmid:1 (ris) is marked as retracted",)
    library.add([record("pmid:1", custom={})])
    assert library.relations("pmid:2") == ()
    assert library.retractions("pmid:1") == ()


def test_a_retraction_notice_marks_the_work(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/b", title=f"Retraction: {TITLE}", year=2020)])
    assert library.retractions("doi:10.1/a") == ("record:2 is its retraction (titles)",)
    assert library.retractions("doi:10.1/b") == ()


def test_texts_are_kept_verbatim_with_hash_source_and_date(library: Library) -> None:
    library.add([record("doi:10.1/a"), record("doi:10.1/a", form="csl")])
    content = "A quote — with “signs”,\r\nand two  blanks."
    text = library.add_text(
        "doi:10.1/a", content, source="https://example.org/a", date=date(2026, 11, 1), kind="abstract", at=DAY
    )
    assert library.texts("doi:10.1/a") == (text,)
    assert (text.content, text.source, text.date) == (content, "https://example.org/a", "2026-11-01")
    assert text.sha256 == hashlib.sha256(content.encode()).hexdigest()
    before = library.revision
    library.add_text("doi:10.1/a", content, source="elsewhere", date=date(2026, 11, 2), kind="abstract")
    assert library.texts("doi:10.1/a") == (text,)
    assert library.revision == before


def test_a_text_needs_a_known_record_and_a_source(library: Library) -> None:
    with pytest.raises(InputError, match="no such record"):
        library.add_text("pmid:1", "text", source="s", date=date(2026, 1, 1), kind="abstract")
    library.add([record("pmid:1")])
    with pytest.raises(InputError, match="empty"):
        library.add_text("pmid:1", "text", source=" ", date=date(2026, 1, 1), kind="abstract")


def test_an_index_that_follows_the_changes_has_the_works_of_the_library(library: Library) -> None:
    index: dict[str, set[str]] = {}
    seen = ""

    def follow() -> None:
        nonlocal seen
        changes = library.changes_since(seen)
        seen = library.revision
        if changes.complete:
            index.clear()
        for name in changes.gone:
            index.pop(name, None)
        for name in changes.works:
            index[name] = {f"{r.id} {r.item.get('volume')}" for r in library.work_of(name)}
        now = {w.name: {f"{r.id} {r.item.get('volume')}" for r in w.records} for w in library.works()}
        assert index == now

    follow()
    library.add([record("doi:10.1/a"), record("doi:10.1/b", title="Quite another title of another work")])
    follow()
    library.add([record("pmid:1", form="nbib")])
    follow()
    library.add([record("pmid:1", form="nbib", volume="9")])
    follow()
    library.same("doi:10.1/a", "doi:10.1/b", by="A", why="w")
    follow()
    library.not_same("doi:10.1/a", "doi:10.1/b", by="A", why="w")
    follow()
    assert library.changes_since(seen).works == ()
    assert library.changes_since("7:0000000000000000").complete


def test_the_log_tells_everything_and_a_change_in_it_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with Library(path) as library:
        library.add([record("pmid:1"), record("pmid:2", title="A second one, of another work")], at=DAY)
        library.add([record("pmid:1", volume="2")], at=DAY)
        library.same("pmid:1", "pmid:2", by="J. Doe", why="w", at=DAY)
        assert [(e.activity, e.entity, e.agent) for e in library.events()] == [
            ("imported", "export.ris", "import"),
            ("imported", "export.ris", "import"),
            ("same", "pmid:1", "J. Doe"),
        ]
        told = [[r["identifier"] for r in e.payload["records"]] for e in library.events() if e.agent == "import"]
        assert told == [["pmid:1", "pmid:2"], ["pmid:1"]]
        assert {e.at for e in library.events()} == {"2026-11-25T12:00:00+00:00"}
        assert library.check() == ()
    with sqlite3.connect(path) as raw:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute("UPDATE events SET agent = 'somebody else' WHERE seq = 3")
        raw.execute("DROP TRIGGER events_are_never_changed")
        raw.execute("UPDATE events SET agent = 'somebody else' WHERE seq = 3")
    raw.close()
    with Library(path) as library:
        assert [f.message for f in library.check()] == ["entry 3 was changed"]


def test_a_record_changed_behind_the_librarys_back_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with Library(path) as library:
        library.add([record("pmid:1"), record("pmid:2", title="A second one, of another work")])
    with sqlite3.connect(path) as raw:
        raw.execute("""UPDATE records SET remarks = '["a remark"]' WHERE id = 2""")
    raw.close()
    with Library(path) as library:
        assert {f.place for f in library.check()} == {"record:2"}


def test_a_time_without_a_zone_is_refused(library: Library) -> None:
    with pytest.raises(InputError, match="zone"):
        library.add([], at=datetime(2026, 1, 1))  # noqa: DTZ001 - this is the claim


def test_a_reader_that_fails_leaves_the_portions_before_and_no_half(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_RECORDS", 40)

    def failing() -> Iterator[Record]:
        for i in range(90):
            yield record(f"pmid:{i + 1}", title=f"Title {i}", author=[])
        raise InputError("the file is cut off", remedy="a whole file")

    with pytest.raises(InputError, match="cut off"):
        library.add(failing())
    assert len(library) == 80
    assert library.check() == ()
