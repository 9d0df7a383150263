"""How a line of text becomes a query, and what is said where it cannot."""

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.search.query import (
    DEEPEST,
    MOST,
    And,
    Everything,
    Identifier,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Word,
    Words,
    Years,
    parsed,
)
from stromal.evidence.search.tokens import FIELDS, LONGEST


def words(text: str, start: int = 0, field: str | None = None) -> Words:
    """Words side by side with one blank between them, from a place on."""
    found = []
    for word in text.split():
        found.append(Word(word, start, start + len(word)))
        start += len(word) + 1
    return Words(tuple(found), field)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("skin score", words("skin score")),
        ("skin AND score", And((words("skin"), words("score", 9)))),
        ("skin OR lung score", Or((words("skin"), words("lung score", 8)))),
        ("skin lung OR score", Or((words("skin lung"), words("score", 13)))),
        ("(skin OR lung) score", And((Or((words("skin", 1), words("lung", 9))), words("score", 15)))),
        ("skin NOT lung", And((words("skin"), Not(words("lung", 9))))),
        ("NOT NOT skin", words("skin", 8)),
        ("skin and or not", words("skin and or not")),
        ('"skin score"', Phrase("skin score", None, 0, 12)),
        ("\u201cskin score\u201d", Phrase("skin score", None, 0, 12)),
        ('title:"skin score"', Phrase("skin score", "title", 6, 18)),
        ("TITLE:skin lung", And((words("skin", 6, "title"), words("lung", 11)))),
        (
            "title:(skin OR author:Farge)",
            Or((words("skin", 7, "title"), words("Farge", 22, "author"))),
        ),
        ("sclero*", Prefix("sclero", None)),
        ("(title:sclero*)", Prefix("sclero", "title")),
        ("*", Everything()),
        ("skin - & ... lung", Words((Word("skin", 0, 4), Word("lung", 13, 17)))),
        ("Fibrosis : a review", Words((Word("Fibrosis", 0, 8), Word("a", 11, 12), Word("review", 13, 19)))),
    ],
)
def test_words_operators_and_fields_are_read_as_they_are_written(text: str, node: Node) -> None:
    assert parsed(text) == node


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("year:2015", 2015, 2015),
        ("year:2010..2020", 2010, 2020),
        ("year:2010-2020", 2010, 2020),
        ("year:2010\u20132020", 2010, 2020),
        ("year:2010-", 2010, None),
        ("year:2010..", 2010, None),
        ("year:-2005", None, 2005),
        ('year:"2015"', 2015, 2015),
    ],
)
def test_years_are_one_a_range_or_open_at_either_end(text: str, low: int | None, high: int | None) -> None:
    assert parsed(text) == Years(low, high)


def test_several_years_can_be_asked_for() -> None:
    assert parsed("year:(2010 OR 2015..2016)") == Or((Years(2010, 2010), Years(2015, 2016)))


@pytest.mark.parametrize(
    ("text", "curie"),
    [
        ("10.3389/fimmu.2018.02013", "doi:10.3389/fimmu.2018.02013"),
        (" https://doi.org/10.3389/FIMMU.2018.02013 ", "doi:10.3389/fimmu.2018.02013"),
        ("30254639", "pmid:30254639"),
        ("PMC6143772", "pmcid:PMC6143772"),
        ("nct02213705", "nct:NCT02213705"),
        ("https://clinicaltrials.gov/study/NCT02213705", "nct:NCT02213705"),
    ],
)
def test_an_identifier_pasted_alone_is_known_as_one(text: str, curie: str) -> None:
    assert parsed(text) == Identifier(curie, text.strip())


@pytest.mark.parametrize(
    ("text", "curies"),
    [
        ("doi:10.3389/fimmu.2018.02013 skin", ["doi:10.3389/fimmu.2018.02013"]),
        ("(NCT02213705 OR NCT01895244)", ["nct:NCT02213705", "nct:NCT01895244"]),
        ("pmid:1 OR pmid:22", ["pmid:1", "pmid:22"]),
        ("pmid:(1 OR 22)", ["pmid:1", "pmid:22"]),
        ('nct:"NCT02213705" skin', ["nct:NCT02213705"]),
        (
            "(10.1002/1529-0131(199906)42:6<1194::aid-anr16>3.0.co;2-7) skin",
            ["doi:10.1002/1529-0131(199906)42:6<1194::aid-anr16>3.0.co;2-7"],
        ),
        ("see 10.1016/S0140-6736(13)62112-9.", ["doi:10.1016/s0140-6736(13)62112-9"]),
    ],
)
def test_identifiers_stand_among_words_with_their_parentheses_but_not_those_around_them(
    text: str, curies: list[str]
) -> None:
    node = parsed(text)
    parts = node.parts if isinstance(node, And | Or) else (node,)
    assert [part.curie for part in parts if isinstance(part, Identifier)] == curies


@pytest.mark.parametrize(
    ("text", "what", "character"),
    [
        ('skin "score', "the quote is not closed", 6),
        ('skin ""', "nothing is in the quotes", 6),
        ("skin (lung", "the parenthesis is not closed", 6),
        ("(", "this parenthesis has no other", 1),
        ("skin) lung", "this parenthesis has no other", 5),
        ("()", "nothing is in the parentheses", 1),
        ("skin AND", "nothing follows AND", 6),
        ("skin OR OR lung", "nothing follows OR", 6),
        ("NOT", "nothing follows NOT", 1),
        ("AND skin", "nothing precedes AND", 1),
        ("(OR skin)", "nothing precedes OR", 2),
        ("skin journl:cells", "there is no field journl", 6),
        ("title: skin", "the field title has no value", 1),
        ("skin title:", "the field title has no value", 6),
        ("title:AND", "the field title has no value", 1),
        ("title:???", "the field title has no value", 1),
        ("a*", "too little stands before *", 1),
        ("scle*ro", "* can only end a word", 1),
        ("skin title:*", "* alone has no field", 12),
        ("year:soon", "these are no years", 6),
        ("year:..", "the field year has no value", 1),
        ("year:20*", "these are no years", 6),
        ("year:2020..2010", "the first year is after the last", 6),
        ("doi:fimmu", "this is no DOI", 5),
        ("pmid:12a skin", "this is no PMID", 6),
        ("nct:NCT1", "this is no NCT", 5),
        ("doi:10.1000/x*y*", "", 0),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place_and_a_remedy(text: str, what: str, character: int) -> None:
    if not what:
        assert parsed(text) == Identifier("doi:10.1000/x*y*", text)
        return
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert caught.value.what == what
    assert caught.value.place == f"character {character} of the query"
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "  ", "?!", "- &"])
def test_a_query_without_a_word_is_empty(text: str) -> None:
    with pytest.raises(InputError, match="the query is empty"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x" * (LONGEST + 1), "too long"),
        ("skin " * 2000, "too long"),
        ("(" * (DEEPEST + 1) + "skin" + ")" * (DEEPEST + 1), "too deep"),
        ("a " * (MOST + 1), "too many parts"),
    ],
)
def test_a_query_is_bounded_in_length_depth_and_parts(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        parsed(text)


def test_the_remedy_for_an_unknown_field_names_all_fields() -> None:
    with pytest.raises(InputError) as caught:
        parsed("subject:skin")
    assert all(name in caught.value.remedy for name in FIELDS)
