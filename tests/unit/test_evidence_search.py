"""What a search of a library finds, in which order, and what it shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.library import Library
from stromal.evidence.records.identifiers import recognised
from stromal.evidence.records.record import Record, Source
from stromal.evidence.search import FACETS, Index, Standing
from stromal.evidence.search.index import FEW


def record(
    curie: str, title: str, year: int | None = 2018, authors: str = "", abstract: str = "", **more: Any
) -> Record:
    """A record; `authors` as ``Given|Family; Given|Family``."""
    names = [{"given": n.split("|")[0], "family": n.split("|")[1]} for n in authors.split("; ") if n]
    keywords = more.pop("keywords", ())
    item = {"type": "article-journal", "title": title, "author": names, "abstract": abstract, "language": "en", **more}
    if year:
        item["issued"] = {"date-parts": [[year]]}
    identifiers = tuple(str(recognised(part)) for part in curie.split())
    return Record(identifiers, item, Source("csl", repr((curie, item, keywords)).encode()), keywords)


RECORDS = (
    record(
        "10.3389/fimmu.2018.02013 30254639",
        "Mesenchymal Stromal Cells Based Therapy in Systemic Sclerosis: Rational and Challenges",
        authors="Juliette|Peltzer; Marc|Aletti; Dominique|Farge",
        abstract="Systemic sclerosis is rare. Mesenchymal stromal cells have antifibrotic properties in the skin.",
        keywords=("scleroderma", "cell therapy"),
        **{"container-title": "Frontiers in Immunology"},
    ),
    record(
        "10.1001/jama.2014.6368",
        "Autologous hematopoietic stem cell transplantation in diffuse cutaneous systemic sclerosis",
        2014,
        "Jacob M|van Laar; Dominique|Farge",
        "The modified Rodnan skin score fell.",
        **{"container-title": "JAMA"},
    ),
    record("10.1000/ssc-lung", "SSc of the lung: forced vital capacity over a year", 2016, "Kurt|Sjögren"),
    record("10.1000/scleroderma", "Scleroderma and the hand", 2012, "Ève|Müller", keywords=("scleroderma",)),
    record(
        "10.1000/mscs", "MSCs for Crohn's disease", 2020, "Anna|Sjogren", abstract="Systemic treatment; no sclerosis."
    ),
    record("10.1000/both", "Sclerosis that is not systemic", 2011),
    record("10.1000/score", "A score of the skin", 2010, abstract="mRSS is a score. Skin of the hand."),
    record("10.1000/fibrosis", "Fibrosis", None, abstract="Skin score in fibrosis. " + "Other words. " * 60),
    record("NCT02213705", "Allogeneic MSC in systemic sclerosis", 2015, type="dataset"),
    record("10.1000/report", "First results of a trial", 2017, abstract="Registered as NCT02213705."),
    record("10.1000/francais", "Sclérodermie systémique : thérapie cellulaire", 2019, language="fr"),
    record("10.1002/1529-0131(199906)42:6<1194::aid-anr16>3.0.co;2-7", "D-penicillamine", 1999),
)
STANDING = {
    "doi:10.1001/jama.2014.6368": Standing(("included", "extracted"), ("rct",)),
    "pmid:30254639": Standing(("included",), ("review",)),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Library(tmp_path_factory.mktemp("search") / "library") as library:
        library.add(RECORDS)
        yield Index.open(None, library, STANDING)


def found(index: Index, query: str, **arguments: Any) -> list[str]:
    """Ends of the identifiers of the hits, in order."""
    return [hit.id.split("/")[-1].split(":")[-1] for hit in index.search(query, **arguments).hits]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("hand", {"scleroderma", "score"}),
        ("skin hand", {"score"}),
        ("lung OR hand", {"ssc-lung", "scleroderma", "score"}),
        ("skin NOT hand", {"fimmu.2018.02013", "jama.2014.6368", "fibrosis"}),
        ("(lung OR hand) NOT skin", {"ssc-lung", "scleroderma"}),
        ("NOT (skin OR hand OR sclerosis OR trial OR year)", {"francais", "aid-anr16>3.0.co;2-7"}),
        ('"skin score"', {"jama.2014.6368", "fibrosis"}),
        ('"hand skin"', set()),
        ("title:skin", {"score"}),
        ("abstract:(skin hand)", {"score"}),
        ("keyword:therapy", {"fimmu.2018.02013"}),
        ("journal:immunology", {"fimmu.2018.02013"}),
        ("journal:JAMA", {"jama.2014.6368"}),
        ("author:farge", {"fimmu.2018.02013", "jama.2014.6368"}),
        ('author:"van Laar JM"', {"jama.2014.6368"}),
        ('author:"van Laar, Jacob"', {"jama.2014.6368"}),
        ('author:"Farge D"', {"fimmu.2018.02013", "jama.2014.6368"}),
        ('author:"Laar Dominique"', set()),
        ("author:sjogren", {"ssc-lung", "mscs"}),
        ("author:Sjögren", {"ssc-lung", "mscs"}),
        ("muller", {"scleroderma"}),
        ("sclerodermie", {"francais"}),
        ("penicillam*", {"aid-anr16>3.0.co;2-7"}),
        ("title:immun*", set()),
        ("author:pelt*", {"fimmu.2018.02013"}),
        ("year:2010..2011", {"both", "score"}),
        ("year:2020-", {"mscs"}),
        ("year:-2000", {"aid-anr16>3.0.co;2-7"}),
        ("scleroderma year:2012", {"scleroderma"}),
        ("language:french", {"francais"}),
        ("language:fr", {"francais"}),
        ("language:(fre OR swe)", {"francais"}),
        ('language:"fr-CA"', {"francais"}),
        ("type:dataset", {"NCT02213705"}),
        ("status:extracted", {"jama.2014.6368"}),
        ("design:review", {"fimmu.2018.02013"}),
        ("the of a score", {"jama.2014.6368", "score", "fibrosis"}),
        ("doi:10.1000/both", {"both"}),
        ("pmid:30254639", {"fimmu.2018.02013"}),
        ("x" * 100, set()),
    ],
)
def test_words_fields_years_and_operators_find_what_they_say(index: Index, query: str, expected: set[str]) -> None:
    assert set(found(index, query)) == expected


def test_endings_of_words_play_no_part(index: Index) -> None:
    assert set(found(index, "scores")) == set(found(index, "score")) != set()


SSC = {"fimmu.2018.02013", "jama.2014.6368", "ssc-lung", "scleroderma", "NCT02213705"}


@pytest.mark.parametrize(
    "query", ["SSc", "ssc", "scleroderma", '"systemic sclerosis"', '"SSc"', "title:ssc OR keyword:ssc"]
)
def test_terms_that_mean_the_same_find_the_same(index: Index, query: str) -> None:
    assert set(found(index, query)) == SSC


def test_a_term_of_two_words_finds_what_its_words_find_and_more(index: Index) -> None:
    assert set(found(index, "systemic sclerosis")) == SSC | {"mscs", "both"}


@pytest.mark.parametrize("query", ["MSC", "MSCs", "mesenchymal stem cells", '"mesenchymal stem cell"'])
def test_stem_and_stromal_cells_are_the_same_cells(index: Index, query: str) -> None:
    assert set(found(index, query)) == {"fimmu.2018.02013", "mscs", "NCT02213705"}


@pytest.mark.parametrize("query", ["mRSS", "modified Rodnan skin score"])
def test_a_measure_is_found_by_its_abbreviation_and_by_its_name(index: Index, query: str) -> None:
    assert set(found(index, query)) == {"jama.2014.6368", "score"}


def test_a_part_of_a_term_does_not_stand_for_it(index: Index) -> None:
    assert set(found(index, "vital")) == {"ssc-lung"}
    assert set(found(index, "FVC")) == {"ssc-lung"}
    assert found(index, "capacity FEV1") == []


def test_a_phrase_in_quotes_stays_as_it_is_unless_it_is_a_term_as_a_whole(index: Index) -> None:
    assert found(index, '"SSc of the lung"') == ["ssc-lung"]
    assert found(index, '"scleroderma of the lung"') == []
    assert found(index, '"stromal cells based therapy"') == ["fimmu.2018.02013"]
    assert found(index, '"stem cells based therapy"') == []


def test_words_inside_a_longer_term_stay_as_they_are(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(
            [
                record("10.1000/apart", "haematopoietic cell of the stem", abstract="a transplantation"),
                record("10.1000/other", "hematopoietic cell of the stem", abstract="a transplantation"),
                record("10.1000/term", "HSCT"),
                record("10.1000/long", f"hematopoietic stem {'x' * 70} cell transplantation"),
            ]
        )
        index = Index.open(None, library)
        assert set(found(index, "haematopoietic stem cell transplantation")) == {"apart", "term"}
        assert found(index, '"haematopoietic stem cell transplantation"') == ["term"]
        assert set(found(index, "haematopoietic")) == {"apart", "other", "long"}


def test_a_synonym_in_a_long_text_counts_less_as_any_word_does(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(
            [
                record("10.1000/long", "one", abstract="scleroderma " + "word " * 100),
                record("10.1000/short", "one", abstract="SSc word"),
                record("10.1000/twice", "one", abstract="systemic sclerosis and SSc"),
            ]
        )
        assert found(Index.open(None, library), "progressive systemic sclerosis") == ["twice", "short", "long"]


def test_authors_have_no_synonyms(index: Index) -> None:
    assert found(index, "author:scleroderma") == []


def test_the_title_counts_most_then_authors_then_keywords_then_the_abstract(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(
            [
                record("10.1000/abstract", "one two", abstract="zebra three", keywords=("four",), authors="Ann|Five"),
                record("10.1000/keyword", "two six", abstract="three six", keywords=("zebra",), authors="Ann|Six"),
                record("10.1000/author", "six seven", abstract="five seven", keywords=("seven",), authors="Ann|Zebra"),
                record("10.1000/title", "zebra eight", abstract="nine eight", keywords=("eight",), authors="Ann|Eight"),
            ]
        )
        assert found(Index.open(None, library), "zebra") == ["title", "author", "keyword", "abstract"]


@pytest.mark.parametrize(
    ("query", "first", "total"),
    [
        ("10.3389/fimmu.2018.02013", "fimmu.2018.02013", 1),
        ("https://doi.org/10.3389/FIMMU.2018.02013", "fimmu.2018.02013", 1),
        ("30254639", "fimmu.2018.02013", 1),
        ("PMID: 30254639", "fimmu.2018.02013", 1),
        ("10.1002/1529-0131(199906)42:6<1194::AID-ANR16>3.0.CO;2-7", "aid-anr16>3.0.co;2-7", 1),
        ("NCT02213705", "NCT02213705", 2),
        ("skin OR NCT02213705", "NCT02213705", 6),
        ("https://clinicaltrials.gov/study/NCT02213705", "NCT02213705", 1),
        ("nct:NCT02213705", "NCT02213705", 1),
        ("nct:NCT02213705 sclerosis", "NCT02213705", 1),
    ],
)
def test_the_work_whose_identifier_is_pasted_comes_first(index: Index, query: str, first: str, total: int) -> None:
    result = index.search(query)
    assert found(index, query)[0] == first
    assert result.total == total


def test_what_ranks_alike_comes_by_year_the_latest_first(index: Index) -> None:
    years = ["2020", "2019", "2018", "2017", "2016", "2015", "2014", "2012", "2011", "2010", "1999"]
    order = found(index, "*")
    assert [str(r.year) for name in order for r in RECORDS if r.id.endswith(name) and r.year] == years
    assert order[-1] == "fibrosis"  # without a year
    assert found(index, "skin", order="newest") == sorted(found(index, "skin"), key=order.index)


def test_pages_together_are_all_results_once(index: Index) -> None:
    everything = found(index, "skin OR sclerosis OR scleroderma OR year:2000-")
    for size in (1, 2, 3, 5, 20):
        pages = [
            found(index, "skin OR sclerosis OR scleroderma OR year:2000-", page=page, size=size)
            for page in range(1, index.search("skin OR sclerosis OR scleroderma OR year:2000-", size=size).pages + 1)
        ]
        assert [name for page in pages for name in page] == everything
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize("page", [10, 10**6, 10**12])
def test_a_page_after_the_last_is_empty(index: Index, page: int) -> None:
    result = index.search("skin", page=page)
    assert (result.hits, result.total) == ((), 4)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"page": 0}, "page is out of range"),
        ({"size": 0}, "size is out of range"),
        ({"size": 1001}, "size is out of range"),
        ({"facet_size": 0}, "facet_size is out of range"),
        ({"order": "random"}, "there is no such order"),
        ({"facets": ["publisher"]}, "there is no such facet"),
        ({"filters": {"publisher": ["x"]}}, "there is no such facet"),
        ({"filters": {"year": ["soon"]}}, "this is no year"),
        ({"filters": {"journal": "JAMA"}}, "the values of a filter are a list"),
    ],
)
def test_arguments_out_of_range_are_refused(index: Index, arguments: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        index.search("skin", **arguments)


def counts(index: Index, query: str, facet: str, **arguments: Any) -> dict[str, int]:
    return {c.value: c.count for c in index.search(query, facets=[facet], **arguments).facets[facet]}


@pytest.mark.parametrize(
    ("facet", "expected"),
    [
        ("author", {"Dominique Farge": 2, "Jacob M van Laar": 1, "Juliette Peltzer": 1, "Marc Aletti": 1}),
        ("journal", {"Frontiers in Immunology": 1, "JAMA": 1}),
        ("year", {"2018": 1, "2015": 1, "2014": 1, "2011": 1}),
        ("subject", {"cell therapy": 1, "scleroderma": 1}),
        ("language", {"English": 4}),
        ("type", {"article-journal": 3, "dataset": 1}),
        ("design", {"rct": 1, "review": 1}),
        ("status", {"included": 2, "extracted": 1}),
    ],
)
def test_facets_count_the_results(index: Index, facet: str, expected: dict[str, int]) -> None:
    assert counts(index, "title:sclerosis", facet) == expected


def test_counts_come_by_frequency_then_alphabet_and_years_by_year(index: Index) -> None:
    facets = index.search("sclerosis", facets=FACETS).facets
    assert [c.value for c in facets["status"]] == ["included", "extracted"]
    authors = [c.value for c in facets["author"]]
    assert authors[0] == "Dominique Farge"
    assert authors[1:] == sorted(authors[1:])
    assert [c.value for c in facets["year"]] == ["2020", "2018", "2015", "2014", "2011"]


def test_a_facet_is_cut_to_its_size_and_still_shows_what_is_chosen(index: Index) -> None:
    result = index.search("*", facets=["author"], facet_size=1, filters={"author": ["Ève Müller"]})
    assert [(c.value, c.count, c.chosen) for c in result.facets["author"]] == [
        ("Dominique Farge", 2, False),
        ("Ève Müller", 1, True),
    ]


def test_values_of_one_facet_add_results_and_facets_narrow_each_other(index: Index) -> None:
    both = {"journal": ["JAMA", "Frontiers in Immunology"]}
    assert set(found(index, "*", filters=both)) == {"fimmu.2018.02013", "jama.2014.6368"}
    assert found(index, "*", filters={**both, "year": [2014, "2015"]}) == ["jama.2014.6368"]
    assert found(index, "*", filters={**both, "year": []}) == found(index, "*", filters=both)


def test_counts_of_a_facet_ignore_what_is_chosen_in_it_but_not_in_others(index: Index) -> None:
    chosen = {"journal": ["JAMA"], "status": ["included"]}
    assert counts(index, "*", "journal", filters=chosen) == {"Frontiers in Immunology": 1, "JAMA": 1}
    assert counts(index, "*", "status", filters=chosen) == {"extracted": 1, "included": 1}
    assert counts(index, "*", "year", filters=chosen) == {"2014": 1}


@pytest.mark.parametrize("written", ["English", "eng", "EN", "en"])
def test_a_language_is_chosen_by_its_name_or_any_code(index: Index, written: str) -> None:
    found = index.search("*", filters={"language": [written]}, facets=["language"])
    assert found.total > 0
    assert found.total == index.search("*", filters={"language": ["English"]}).total
    assert [(c.value, c.count) for c in found.facets["language"] if c.chosen] == [("English", found.total)]


def test_a_value_with_signs_of_the_query_language_is_only_a_value(index: Index) -> None:
    assert found(index, "*", filters={"journal": ['JAMA" OR *:*']}) == []


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [
        ("sclerodrma", "scleroderma"),
        ("tranpslantation", "transplantation"),
        ("penicilamin", "penicillamine"),
        ("author:peltzr", "author:peltzer"),
        ('title:"sytemic sclerosis" year:2018', 'title:"systemic sclerosis" year:2018'),
        ("(fibrosois AND skin) NOT hand", "(fibrosis AND skin) NOT hand"),
        ("scleroderma", None),
        ("zzzzzzzz", None),
        ("lnug", "lung"),
        ("hxyd", None),
    ],
)
def test_a_word_that_is_nearly_one_of_the_index_is_proposed_in_its_place(
    index: Index, query: str, suggestion: str | None
) -> None:
    assert index.search(query).suggestion == suggestion


def test_nothing_is_proposed_where_much_is_found_or_where_it_would_find_no_more(index: Index) -> None:
    assert index.search("sclerosois OR lung").suggestion == "sclerosis OR lung"
    assert index.search("sclerosois OR skin").total > FEW
    assert index.search("sclerosois OR skin").suggestion is None
    assert index.search("sclerosois year:1900").suggestion is None


def test_a_hit_shows_where_title_and_abstract_match(index: Index) -> None:
    (hit,) = index.search("peltzer antifibrotic ssc").hits
    assert hit.title.html().endswith("Therapy in <mark>Systemic Sclerosis</mark>: Rational and Challenges")
    assert [hit.passage.text[a:b] for a, b in hit.passage.marks] == ["Systemic sclerosis", "antifibrotic"]
    assert hit.id == "doi:10.3389/fimmu.2018.02013"
    assert hit.work.startswith("work:")


def test_what_is_excluded_is_not_marked(index: Index) -> None:
    (hit,) = index.search("title:challenges NOT title:jama").hits
    assert [hit.title.text[a:b] for a, b in hit.title.marks] == ["Challenges"]


def test_similar_works_share_telling_words_and_the_work_itself_is_none(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(
            [
                record("10.1000/a", "Zebra stripes in the skin", abstract="Stripes of okapis"),
                record("10.1000/b", "Zebra stripes and okapis"),
                record("10.1000/c", "Stripes in the skin"),
                record("10.1000/d", "In the house of others"),
                *(record(f"10.1000/{k}", f"Skin of animal {k}") for k in range(5)),
            ]
        )
        index = Index.open(None, library)
        hits = index.similar("doi:10.1000/a", 2)
        assert [hit.id for hit in hits] == ["doi:10.1000/b", "doi:10.1000/c"]
        assert index.similar(index.search("10.1000/a").hits[0].work, 2) == hits
        assert index.similar("doi:10.1000/d") == ()


def test_similar_to_a_work_that_is_not_there_is_refused(index: Index) -> None:
    with pytest.raises(InputError, match="no such work"):
        index.similar("doi:10.1000/nothing")


def test_a_possessive_in_names_of_journals_and_groups_is_found_with_and_without(tmp_path: Path) -> None:
    group = {"author": [{"literal": "St James's Hospital Study Group"}]}
    with Library(tmp_path / "library") as library:
        library.add([record("10.1000/a", "One", **{"container-title": "Alzheimer's & Dementia"}, **group)])
        index = Index.open(None, library)
        for query in (
            'journal:"Alzheimer\u2019s & Dementia"',
            "journal:alzheimer",
            'author:"James Hospital"',
            "James's",
        ):
            assert found(index, query) == ["a"], query


def test_records_that_are_odd_are_indexed_all_the_same(tmp_path: Path) -> None:
    odd = [
        record("10.1000/a", "", None),
        record("10.1000/b", "Far off", 10**30),
        record("10.1000/c", "\x00 <b>bold</b> \u202e", authors="|Only; Given|"),
        record("10.1000/d", "x" * 100_000, abstract="word " * 50_000, keywords=("k" * 100_000,)),
    ]
    with Library(tmp_path / "library") as library:
        library.add(odd)
        index = Index.open(tmp_path / "index", library)
        assert set(found(index, "*", facets=FACETS)) == {"a", "b", "c", "d"}
        assert found(index, "title:bold author:only") == ["c"]
        assert found(index, "word") == ["d"]
        assert found(index, "*", filters={"subject": ["k" * 100_000]}) == ["d"]


def test_an_empty_library_is_searched_without_result(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        index = Index.open(tmp_path / "index", library)
        result = index.search("skin", facets=FACETS)
        assert (len(index), result.hits, result.total, result.pages, result.suggestion) == (0, (), 0, 0, None)
        assert set(result.facets) == set(FACETS)


def test_records_of_one_work_are_one_hit_found_by_the_words_and_names_of_each(tmp_path: Path) -> None:
    doi = record("10.1000/x", "Stromal cells in the skin", authors="Ann|Lee", abstract="long abstract", volume="1")
    other = record("10.1000/x 123", "Stromal cells in the skin", authors="Ann|Lee", source="Other", keywords=("zebra",))
    with Library(tmp_path / "library") as library:
        library.add([doi, other])
        index = Index.open(None, library)
        assert len(index) == 1
        for query in ("pmid:123", "10.1000/x", "zebra", "abstract:long"):
            assert found(index, query) == ["x"]
