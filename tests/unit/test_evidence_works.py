"""Which records are taken for one work, which are not, and which are left to a person."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import stromal.evidence
from stromal.evidence.library import Library
from stromal.evidence.library.comparison import compared, contradictory
from stromal.evidence.library.traits import Traits, folded, spellings
from stromal.evidence.library.works import partition
from stromal.evidence.records import writing
from stromal.evidence.records.formats import read_file
from stromal.evidence.records.record import Record, Source

FOUNDING_RECORD = Path(stromal.evidence.__file__).parent / "base" / "founding_record.txt"

TITLE = "Autologous stem cell transplantation for progressive systemic sclerosis"
AUTHORS = ("Riccardo Saccardi", "Alan Tyndall", "Dominique Farge")


def item(
    title: str = TITLE, authors: tuple[str, ...] = AUTHORS, year: int | None = 2004, **more: Any
) -> dict[str, Any]:
    names = [{"given": n.rsplit(" ", 1)[0], "family": n.rsplit(" ", 1)[1]} for n in authors]
    dated = {"issued": {"date-parts": [[year]]}} if year else {}
    return {"type": "article-journal", "title": title, "author": names, **dated, **more}


def described(*identifiers: str, **said: Any) -> Traits:
    known = item(**said)
    digest = hashlib.sha256(repr((identifiers, known)).encode()).hexdigest()
    return Traits(identifiers or (f"sha256:{digest}",), known, digest)


def verdict(a: Traits, b: Traits) -> str | None:
    first, second = compared(a, b), compared(b, a)
    assert (first and first.kind) == (second and second.kind), "the order of two records plays no part"
    return first.kind if first else None


@pytest.mark.parametrize(
    "other",
    [
        {"title": TITLE.upper()},
        {"title": f"{TITLE}."},
        {"title": "Autologous stem-cell transplantation for progressive systemic sclerosis"},
        {"title": "Autologous stem cell transplntation for progressive systemic sclerosis"},
        {"title": "Autologous stem cell transplantation fr progressive systemic sclerosis"},
        {"title": "<i>Autologous</i> stem cell transplantation for progressive systemic sclerosis"},
        {"title": f"RETRACTED: {TITLE}"},
        {"authors": ("R Saccardi",)},
        {"authors": ("Saccardi R", "Tyndall A")},
        {"authors": ("Saccardi Riccardo", "Tyndall Alan", "Farge Dominique")},
        {"year": 2005, "volume": "22", "page": "1108-15"},
        {"year": None, "volume": "22", "page": "1108"},
        {"authors": (), "volume": "22", "page": "01108"},
        {"title": f"{TITLE}: a retrospective analysis", "volume": "22", "page": "1108-1115"},
        {"container-title": "Ann Rheum Dis"},
    ],
)
def test_a_copy_with_the_slips_of_another_database_is_the_same_work(other: dict[str, Any]) -> None:
    whole = {"volume": "22", "page": "1108-1115", "container-title": "Annals of the Rheumatic Diseases"}
    assert verdict(described("pmid:1", **whole), described(**other)) == "same"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"title": f"{TITLE}: part I"}, {"title": f"{TITLE}: part II"}),
        ({"title": f"{TITLE} (part 1)"}, {"title": f"{TITLE} (part 2)"}),
        ({"title": f"{TITLE}. First report"}, {"title": f"{TITLE}. Third report"}),
        (
            {"title": "Serum levels of IL-6 in early diffuse systemic sclerosis"},
            {"title": "Serum levels of IL-8 in early diffuse systemic sclerosis"},
        ),
        (
            {"title": "The role of T cells in early diffuse systemic sclerosis"},
            {"title": "The role of B cells in early diffuse systemic sclerosis"},
        ),
        (
            {"title": "Signalling of TGF-α in early diffuse systemic sclerosis"},
            {"title": "Signalling of TGF-β in early diffuse systemic sclerosis"},
        ),
        ({"year": 2004}, {"year": 2006}),
        ({}, {"authors": ("Somebody Else", "And Another")}),
        ({"title": "Editorial"}, {"title": "Editorial"}),
        ({"title": "Letter to the editor"}, {"title": "Letter to the Editor"}),
        ({"title": "Authors' reply"}, {"title": "Authors' reply"}),
        ({"title": "Editorial", "volume": "1", "page": "5"}, {"title": "Editorial", "volume": "1", "page": "9"}),
        ({}, {"title": f"Reply to: {TITLE}"}),
        ({}, {"title": f"Comment on {TITLE}"}),
    ],
)
def test_works_that_look_alike_are_no_candidates_at_all(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert verdict(described(**one), described(**other)) is None


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({"year": 2004}, {"year": 2005}, "years that differ by one"),
        ({"year": None}, {}, "a year unknown"),
        ({"volume": "22"}, {"volume": "23"}, "volumes 22 and 23"),
        ({"page": "5-9"}, {"page": "7-9"}, "first pages 5 and 7"),
        ({"container-title": "Arthritis Care"}, {"container-title": "Annals of the Rheumatic Diseases"}, "journals"),
        ({}, {"type": "paper-conference"}, "types"),
        ({"title": "Systemic sclerosis"}, {"title": "Systemic sclerosis"}, "same title and authors"),
        ({}, {"title": TITLE.replace("progressive", "aggressive")}, "nearly the same title"),
    ],
)
def test_what_agrees_well_but_not_enough_is_left_to_a_person(
    one: dict[str, Any], other: dict[str, Any], why: str
) -> None:
    first, second = described(**one), described(**other)
    assert verdict(first, second) == "possible"
    found = compared(first, second)
    assert found is not None
    assert why in found.why


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("doi:10.1/a",), ("doi:10.1/b",), "possible"),
        (("doi:10.1/a",), ("pmid:2",), "same"),
        (("pmid:1",), ("pmid:2",), "possible"),
        (("doi:10.1/a", "pmid:1"), ("doi:10.1/a", "pmid:2"), "same"),
        (("doi:10.1/a", "pmid:1"), ("doi:10.1/b", "pmid:1"), "possible"),
    ],
)
def test_different_dois_are_never_one_work_however_alike_the_records(
    a: tuple[str, ...], b: tuple[str, ...], expected: str
) -> None:
    assert verdict(described(*a), described(*b)) == expected


@pytest.mark.parametrize(
    ("preprint", "article", "kind"),
    [
        (described("doi:10.1101/2020.01.02.123456", year=2019), described("doi:10.1/a", year=2021), "version"),
        (described("doi:10.21203/rs.3.rs-12/v1"), described("pmid:1"), "version"),
        (described("doi:10.21203/rs.3.rs-12/v2"), described("doi:10.21203/rs.3.rs-12/v1"), "version"),
        (described(**{"container-title": "medRxiv : the preprint server"}), described(), "version"),
        (described("doi:10.1101/gad.1234"), described("pmid:1"), "same"),
    ],
)
def test_a_preprint_is_a_version_of_its_article_and_never_the_same(
    preprint: Traits, article: Traits, kind: str
) -> None:
    assert verdict(preprint, article) == kind
    found = compared(preprint, article)
    assert found is not None
    assert found.forward


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        (f"Erratum: {TITLE}", "erratum"),
        (f"Correction to: {TITLE}", "erratum"),
        (f"Author Correction: {TITLE}", "erratum"),
        (f"Corrigendum to “{TITLE}”", "erratum"),
        (f"Retraction: {TITLE}", "retraction"),
        (f"Retraction Note to: {TITLE}", "retraction"),
        (f"Expression of concern: {TITLE}", "concern"),
    ],
)
def test_a_notice_is_related_to_the_work_that_its_title_names(title: str, kind: str) -> None:
    notice, paper = described(title=title, year=2005, authors=()), described()
    assert verdict(notice, paper) == kind
    found = compared(paper, notice)
    assert found is not None
    assert not found.forward


@pytest.mark.parametrize(
    "title",
    [
        "Correction of anaemia in renal crisis",
        "Retraction of the lip in scleroderma patients",
        "Response to cyclophosphamide in early disease",
    ],
)
def test_titles_that_begin_like_notices_meet_their_own_copies(title: str) -> None:
    assert verdict(described(title=title), described(title=title.upper())) == "same"


def test_names_meet_however_their_parts_were_cut() -> None:
    whole = spellings({"family": "Lataillade", "given": "Jean-Jacques"})
    for other in (
        {"family": "Lataillade", "given": "JJ"},
        {"literal": "Lataillade J"},
        {"literal": "Jean-Jacques Lataillade"},
        {"family": "Jean-Jacques", "given": "Lataillade"},
        {"family": "LATAILLADE", "given": "J."},
    ):
        assert whole & spellings(other), other
    assert not whole & spellings({"family": "Lataillade", "given": "Paul"})
    assert spellings({"family": "de la Torre", "given": "Ana"}) & spellings(
        {"family": "Torre", "given": "A", "non-dropping-particle": "de la"}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Sjögren’s  <b>Syndrome</b> &amp; CO₂", "sjogren s syndrome co2"),
        ("TGF-β1", "tgf beta 1"),
        ("全身性強皮症", "全身性強皮症"),
        ("p < 0.05 and n > 3", "p 0 05 and n 3"),
    ],
)
def test_text_is_folded_to_words(text: str, words: str) -> None:
    assert folded(text) == words


A, B, C = described("doi:10.1/a"), described("doi:10.1/b"), described("sha256:" + "1" * 64)


def test_a_record_that_could_be_of_two_works_stays_alone() -> None:
    assert set(partition({1: A, 2: B, 3: C}, [(1, 3), (2, 3)], [], [])) == {
        frozenset({1}),
        frozenset({2}),
        frozenset({3}),
    }


def test_a_person_settles_where_it_belongs() -> None:
    assert set(partition({1: A, 2: B, 3: C}, [(1, 3), (2, 3)], [(1, 3)], [])) == {frozenset({1, 3}), frozenset({2})}
    assert set(partition({1: A, 2: B, 3: C}, [(1, 3), (2, 3)], [], [(2, 3)])) == {frozenset({1, 3}), frozenset({2})}


def test_identifiers_that_a_person_joined_are_one_for_later_records() -> None:
    later = described("doi:10.1/b", title="Under another title")
    assert partition({1: A, 2: B, 4: later, 5: A}, [], [(1, 2)], []) == [frozenset({1, 2, 4, 5})]


def test_a_record_without_pages_does_not_join_two_papers_with_different_ones() -> None:
    one, two, bare = described("pmid:1", page="5"), described(page="9"), described(year=2004)
    assert contradictory(one, two)
    assert len(partition({1: one, 2: two, 3: bare}, [(1, 3), (2, 3)], [], [])) == 3


def test_a_wrong_page_in_one_source_does_not_keep_a_copy_from_its_work() -> None:
    one, other, bare = described("doi:10.1/a", page="5"), described("doi:10.1/a", page="2013"), described(page="5")
    assert partition({1: one, 2: other, 3: bare}, [(1, 3)], [], []) == [frozenset({1, 2, 3})]


def test_an_erratum_under_the_identifier_of_its_paper_is_a_work_of_its_own() -> None:
    erratum = described("doi:10.1/a", title=f"Erratum: {TITLE}")
    assert set(partition({1: A, 2: erratum}, [], [], [])) == {frozenset({1}), frozenset({2})}


def test_the_number_of_a_trial_does_not_join_the_papers_about_it(tmp_path: Path) -> None:
    def record(title: str, *identifiers: str) -> Record:
        source = Source("csl", repr((title, identifiers)).encode(), "a.json", "record 1")
        return Record(identifiers=identifiers, item=item(title=title), source=source)

    with Library(tmp_path / "a.library") as library:
        library.add(
            [
                record("The registered trial of cells in sclerosis", "nct:NCT00000001"),
                record("The protocol of that trial, in detail", "doi:10.1/a", "nct:NCT00000001"),
                record("Results of that trial after two years", "doi:10.1/b", "nct:NCT00000001"),
                record("A page about it", "url:https://example.org/"),
                record("Another page about it, at the same address", "url:https://example.org/"),
            ]
        )
        assert len(list(library.works())) == 5
        assert list(library.possible_duplicates()) == []


def test_conflicting_records_under_one_identifier_are_listed_for_a_person(tmp_path: Path) -> None:
    with Library(tmp_path / "a.library") as library:
        batch = library.add(
            Record(identifiers=names, item=item(title=title), source=Source("csl", title.encode()))
            for names, title in (
                (("doi:10.1/a", "pmid:1"), "One paper on the cells of the bone marrow"),
                (("doi:10.1/b", "pmid:1"), "Quite another, about ulcers of the finger"),
            )
        )
        (pair,) = batch.possible
        assert (pair.a_identifier, pair.b_identifier) == ("doi:10.1/a", "doi:10.1/b")
        assert pair.why == "both are pmid:1, but doi:10.1/a is not doi:10.1/b"
        assert "possible duplicates" in batch.summary()


def test_the_founding_record_exported_to_each_format_and_imported_again_makes_no_new_work(tmp_path: Path) -> None:
    with Library(tmp_path / "a.library") as library:
        library.add(read_file(FOUNDING_RECORD))
        (original,) = library.records()
        for form in writing.WRITERS:
            file = tmp_path / f"export.{form}"
            writing.write([original], file, form)
            batch = library.add(read_file(file))
            assert len(batch.added) + len(batch.duplicate) == 1, form
            assert len(list(library.works())) == 1, form
        assert len(library.work_of(original.id)) == len(library)
