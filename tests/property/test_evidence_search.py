"""Properties of search: no query does harm; what is found and counted is what a plain reading of the records gives."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromal.compute.errors import InputError
from stromal.evidence.library import Library
from stromal.evidence.records.record import Record, Source
from stromal.evidence.search import FACETS, Index
from stromal.evidence.search.highlights import Marker, shared_beginning
from stromal.evidence.search.matching import Wanted
from stromal.evidence.search.query import parsed
from stromal.evidence.search.synonyms import SHIPPED
from stromal.evidence.search.words import composed, legible, stems

VOCABULARY = ("zebra", "okapi", "ibis", "emu", "lynx", "scleroderma", "ssc", "msc")
AUTHORS = ("Ann Lee", "Bo Ek", "Cy Dix", "Di Orr", "Ève Ünal")
JOURNALS = ("Cells", "Gut", "Joint")
WORKS = 60


def made(k: int) -> Record:
    """Record `k` of the library: few words, so that every combination occurs."""
    words = [word for i, word in enumerate(VOCABULARY) if (k * 7 + i * i * 3) % (i + 2) < 1 + i % 2]
    authors = [name.split(" ") for i, name in enumerate(AUTHORS) if (k + i) % 3 == 0]
    item = {
        "type": ("article-journal", "dataset")[k % 5 == 0],
        "title": f"Number{k} {' '.join(words[::2])}",
        "abstract": " ".join(words[1::2]),
        "author": [{"given": given, "family": family} for given, family in authors],
        "container-title": JOURNALS[k % 3],
        "issued": {"date-parts": [[2000 + k % 7]]},
    }
    keywords = tuple(word for word in words if len(word) > 4)
    return Record((f"doi:10.1000/{k}",), item, Source("csl", repr(item).encode()), keywords)


RECORDS = {record.id: record for record in map(made, range(WORKS))}


def text_of(record: Record) -> set[str]:
    """All its words."""
    return set(re.findall(r"\w+", f"{record.title} {record.item['abstract']} {' '.join(record.keywords)}".lower()))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Library(tmp_path_factory.mktemp("search") / "library") as library:
        library.add(RECORDS.values())
        yield Index.open(None, library)


PIECES = st.sampled_from(
    [
        *(
            '"',
            "(",
            ")",
            "*",
            ":",
            "..",
            "-",
            "AND",
            "OR",
            "NOT",
            "~",
            "^",
            "\\",
            "/.*/",
            "[a TO z]",
            "{",
            "}",
            "+",
            "?",
        ),
        *("title:", "year:", "doi:", "pmid:", "NCT0000", "10.1000/", "https://", "author:(", "title_word:", "_all:*"),
        *(
            "zebra",
            "zeb*",
            "Sjögren",
            "'; DROP TABLE records; --",
            "<script>",
            "\x00",
            "\u202e",
            "\u0301",
            "2010",
            "é" * 40,
        ),
        *("\u201c", "a" * 70, "%00", "id:", "order:", "((((", "))))", "* *", "-*", "1e999", "9" * 30),
    ]
)
HOSTILE = st.one_of(
    st.text(max_size=200),
    st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=25).map(" ".join),
    st.lists(PIECES, max_size=25).map("".join),
)


@settings(max_examples=400)
@given(query=HOSTILE)
def test_a_hostile_query_gives_an_input_error_or_a_result_and_never_another_error(index: Index, query: str) -> None:
    try:
        result = index.search(query, facets=["author", "year"])
    except InputError as error:
        assert str(error)  # noqa: PT017 - most queries raise nothing
    else:
        assert 0 <= len(result.hits) <= result.total <= WORKS


@pytest.mark.parametrize(
    "query",
    [
        "a" * 10_000,
        "(" * 10_000,
        '"' * 10_001,
        "zebra " * 1_700,
        "NOT " * 900 + "zebra",
        "ze* " * 180,
        " OR ".join(["aa*", "bb*", "cc*"] * 60),
        '"' + "zebra " * 600 + '"',
        "title:" * 600 + "zebra",
        "(zebra OR " * 20 + "emu" + ")" * 20,
        "doi:10.1000/" + "(" * 3_000,
        "year:99999999999999999999..",
        "https://" + "a/" * 1_900,
    ],
)
def test_a_query_made_to_exhaust_is_answered_or_refused(index: Index, query: str) -> None:
    try:
        result = index.search(query, facets=FACETS)
    except InputError as error:
        assert error.remedy  # noqa: PT017 - some are answered
    else:
        assert result.total <= WORKS


@settings(max_examples=60)
@given(filters=st.dictionaries(st.sampled_from(FACETS), st.lists(st.text(max_size=20), max_size=3), max_size=3))
def test_hostile_values_of_filters_find_nothing_or_are_refused(index: Index, filters: dict[str, list[str]]) -> None:
    try:
        result = index.search("*", filters=filters, facets=list(filters))
    except InputError as error:
        assert "year" in str(error)  # noqa: PT017 - only a year can be of a wrong form
    else:
        assert result.total == (0 if any(filters.values()) else WORKS)


def expressions() -> st.SearchStrategy[tuple[str, Any]]:
    """A query, and whether it holds of a set of words (without synonyms)."""
    single = st.sampled_from(VOCABULARY[:5]).map(lambda w: (w, lambda words: w in words))

    def wider(inner: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            inner.map(lambda a: (f"NOT ({a[0]})", lambda words: not a[1](words))),
            pairs.map(lambda p: (f"({p[0][0]}) AND ({p[1][0]})", lambda words: p[0][1](words) and p[1][1](words))),
            pairs.map(lambda p: (f"({p[0][0]}) ({p[1][0]})", lambda words: p[0][1](words) and p[1][1](words))),
            pairs.map(lambda p: (f"({p[0][0]}) OR ({p[1][0]})", lambda words: p[0][1](words) or p[1][1](words))),
        )

    return st.recursive(single, wider, max_leaves=8)


@given(expression=expressions())
def test_what_is_found_is_what_the_words_of_each_record_say(index: Index, expression: tuple[str, Any]) -> None:
    query, holds = expression
    expected = {curie for curie, record in RECORDS.items() if holds(text_of(record))}
    found = [hit.id for hit in index.search(query, size=WORKS).hits]
    assert len(found) == len(set(found))
    assert set(found) == expected


VALUES = {
    "author": lambda record: record.authors,
    "journal": lambda record: (record.item["container-title"],),
    "year": lambda record: (str(record.year),),
    "subject": lambda record: record.keywords,
    "type": lambda record: (record.item["type"],),
}
CHOSEN = {
    "author": st.lists(st.sampled_from(AUTHORS), max_size=2, unique=True),
    "journal": st.lists(st.sampled_from(JOURNALS), max_size=2, unique=True),
    "year": st.lists(st.sampled_from([str(2000 + k) for k in range(7)]), max_size=3, unique=True),
}


@given(word=st.sampled_from(("zebra", "okapi OR emu", "*")), filters=st.fixed_dictionaries({}, optional=CHOSEN))
def test_facets_count_what_would_be_found_without_their_own_filter(
    index: Index, word: str, filters: dict[str, list[str]]
) -> None:
    def passes(record: Record, but: str) -> bool:
        return all(
            not chosen or name == but or set(chosen) & set(VALUES[name](record)) for name, chosen in filters.items()
        )

    matched = [record for record in RECORDS.values() if word == "*" or text_of(record) & set(word.split(" OR "))]
    result = index.search(word, filters=filters, facets=VALUES, size=WORKS)
    assert {hit.id for hit in result.hits} == {record.id for record in matched if passes(record, "")}
    for name, of in VALUES.items():
        expected = Counter(value for record in matched if passes(record, name) for value in of(record))
        counted = {c.value: c.count for c in result.facets[name] if c.count}
        assert counted == expected
        assert {c.value for c in result.facets[name] if c.chosen} == set(filters.get(name, ()))


@given(expression=expressions(), size=st.integers(1, 25), order=st.sampled_from(("relevance", "newest")))
def test_pages_neither_skip_nor_repeat(index: Index, expression: tuple[str, Any], size: int, order: Any) -> None:
    query = expression[0]
    whole = [hit.id for hit in index.search(query, size=WORKS, order=order).hits]
    paged: list[str] = []
    page = 1
    while hits := index.search(query, page=page, size=size, order=order).hits:
        paged += [hit.id for hit in hits]
        page += 1
    assert paged == whole


TERMS = [
    term.strip()
    for line in SHIPPED.read_text(encoding="utf-8").splitlines()
    for term in line.split("#")[0].split("=")
    if term.strip()
]


@given(words=st.lists(st.sampled_from([*VOCABULARY, *TERMS]), min_size=1, max_size=4))
def test_synonyms_widen_a_search_and_never_narrow_it(index: Index, words: list[str]) -> None:
    query = " ".join(re.sub(r"[^\w\s-]", " ", word) for word in words)
    found = {hit.id for hit in index.search(query, size=WORKS).hits}
    with_all_words = {
        curie for curie, record in RECORDS.items() if set(stems(query)) <= set(stems(" ".join(text_of(record))))
    }
    assert with_all_words <= found


@given(text=st.text(max_size=300), looked_for=st.text(max_size=30), begins=st.sampled_from([set(), {"a"}, {"ze"}]))
def test_marks_lie_in_the_text_in_order_and_escape_everything_else(
    text: str, looked_for: str, begins: set[str]
) -> None:
    shown = legible(text)
    wanted = Wanted({(stem,) for stem in stems(legible(looked_for))}, begins)
    for found in (Marker(wanted).whole(shown), Marker(wanted).passage(shown)):
        last = 0
        for start, end in found.marks:
            assert last <= start < end <= len(found.text)
            last = end
        bare = found.html().replace("<mark>", "").replace("</mark>", "")
        assert html.unescape(bare) == html.unescape(html.escape(found.text))
        assert not set("<>\"'") & set(bare)


@given(text=st.text(max_size=200), data=st.data())
def test_any_word_of_a_text_that_is_looked_for_is_marked_in_it(text: str, data: st.DataObject) -> None:
    shown = legible(text)
    # Vowel signs, letters in circles and those newer than this Python are left out: they may not be marked.
    assume({unicodedata.category(c) for c in shown}.isdisjoint({"Cn", "Mn", "Mc", "So"}))
    found = stems(shown)
    assume(found)
    word = data.draw(st.sampled_from(found))
    marks = Marker(Wanted({(word,)})).whole(shown).marks
    assert [stems(shown[start:end]) for start, end in marks] == [[word]] * found.count(word)


@given(word=st.text("abcdeilnoprstuy", min_size=1, max_size=14))
def test_a_word_begins_as_its_stem_but_for_two_letters(word: str) -> None:
    assert word.startswith(shared_beginning(stems(word)[0]))


@given(text=st.text(max_size=100))
def test_reading_a_query_is_the_same_every_time(text: str) -> None:
    def outcome() -> object:
        try:
            return parsed(composed(text))
        except InputError as error:
            return str(error)

    assert outcome() == outcome()
