"""How words are compared, which terms mean the same, and how texts are marked."""

import html
from pathlib import Path

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.search.highlights import Marked, Marker, shared_beginning
from stromal.evidence.search.languages import language_name
from stromal.evidence.search.matching import Wanted
from stromal.evidence.search.synonyms import SHIPPED, read_synonyms, shipped_synonyms
from stromal.evidence.search.words import composed, legible, stems, whole_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sjögren", "sjogren"),
        ("Sjo\u0308gren", "SJÖGREN"),
        ("Raynaud's phenomenon", "Raynaud\u2019s phenomenon"),
        ("Raynaud's phenomenon", "Raynaud phenomenon"),
        ("mesenchymal stromal cells", "mesenchymal stromal cell"),
        ("MSCs", "MSC"),
        ("œdème", "oedeme"),
        ("stem-cell", "stem cell"),
        ("İstanbul", "istanbul"),
    ],
)
def test_accents_case_plurals_and_possessives_play_no_part(one: str, other: str) -> None:
    assert stems(composed(one)) == stems(composed(other)) != []


@pytest.mark.parametrize(("one", "other"), [("fibrosis", "fibroblast"), ("CNS", "CN"), ("TGF-β", "TGF-α")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert stems(one) != stems(other)


def test_whole_words_keep_their_endings() -> None:
    assert whole_words("Stromal Cells, Sjögren's") == ["stromal", "cells", "sjogren"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<i>In vitro</i> CO<sub>2</sub>", "In vitro CO2"),
        ("<jats:title>Aim</jats:title><jats:p>To see.</jats:p>", "Aim To see."),
        ('<p class="x">Text</p>', "Text"),
        ("fell (p<0.05) in n<b patients and x>y", "fell (p<0.05) in n<b patients and x>y"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        (" two\n lines ", "two lines"),
        ("half \ud800", "half ?"),
    ],
)
def test_text_is_shown_without_known_tags_and_nothing_else_is_taken_away(text: str, shown: str) -> None:
    assert legible(text) == shown


def test_half_a_character_in_a_query_is_refused() -> None:
    with pytest.raises(InputError, match="a character that is none"):
        composed("skin \ud800")


@pytest.mark.parametrize(
    ("code", "name"),
    [("en", "English"), ("eng", "English"), ("fre", "French"), ("pt-BR", "Portuguese"), ("Latin", "Latin"), ("", "")],
)
def test_languages_are_shown_by_name_whatever_the_code(code: str, name: str) -> None:
    assert language_name(code) == name


@pytest.mark.parametrize(
    ("term", "others"),
    [
        ("SSc", ["scleroderma", "systemic sclerosis"]),
        ("MSC", ["mesenchymal stromal cells", "mesenchymal stem cells"]),
        ("MSCs", ["mesenchymal stem cells"]),
        ("mscs", ["mesenchymal stem cells", "MSC"]),
        ("mRSS", ["Rodnan skin score"]),
        ("modified Rodnan skin score", ["mRSS"]),
        ("forced vital capacity", ["FVC"]),
        ("DLCO", ["diffusing capacity"]),
        ("AHSCT", ["autologous haematopoietic stem cell transplantation"]),
        ("HSCT", ["hematopoietic stem cell transplantation"]),
        ("ILD", ["interstitial lung disease"]),
        ("TGF-β", ["TGFβ", "transforming growth factor beta"]),
    ],
)
def test_the_shipped_list_has_the_terms_of_the_field(term: str, others: list[str]) -> None:
    known = shipped_synonyms().others(stems(term))
    assert {tuple(stems(other)) for other in others} <= set(known)


def test_terms_that_hold_a_shorter_one_of_their_group_are_not_looked_for_again() -> None:
    assert tuple(stems("multipotent mesenchymal stromal cells")) not in shipped_synonyms().others(stems("MSC"))


def test_every_term_of_the_shipped_list_leads_to_a_term_of_its_line() -> None:
    known = shipped_synonyms()
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        terms = [tuple(stems(term)) for term in line.split("#")[0].split("=") if term.strip()]
        for term in terms:
            assert set(known.others(term)) <= set(terms) - {term}


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("SSc and systemic scleroderma and MSCs", ["SSc", "SSc", "MSC"]),
        ("multipotent mesenchymal stromal cells", ["MSC"]),
        ("scleroderma lung disease", ["SSc-ILD", "SSc"]),
        ("systemic, sclerosis", ["SSc"]),
        ("sclerosis systemic", []),
    ],
)
def test_each_group_is_found_in_a_text_as_often_as_its_terms_stand_there(text: str, groups: list[str]) -> None:
    known = shipped_synonyms()
    assert known.groups_in(stems(text)) == [known.group(stems(group)) for group in groups]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("systemic sclerosis lung", [(0, 2), (2, 3)]),
        ("early systemic sclerosis associated interstitial lung disease", [(0, 1), (1, 7)]),
        ("anti TGF-beta antibody", [(0, 1), (1, 2), (2, 3)]),
        ("MSC-derived vesicles", [(0, 1), (1, 2)]),
        ("systemic", [(0, 1)]),
    ],
)
def test_words_side_by_side_are_split_into_the_longest_terms_and_never_within_a_word(
    text: str, parts: list[tuple[int, int]]
) -> None:
    assert list(shipped_synonyms().segments([stems(word) for word in text.split()])) == parts


@pytest.mark.parametrize(
    ("lines", "what", "place"),
    [
        ("SSc = scleroderma\nfibrosis", "two terms or more", "line 2"),
        ("cell = Cells", "two terms or more", "line 1"),
        ("SSc = ", "two terms or more", "line 1"),
        ("# remark\nSSc = scleroderma\nMSC = ssc", "in two groups", "line 3"),
    ],
)
def test_a_list_with_a_faulty_line_is_refused(tmp_path: Path, lines: str, what: str, place: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(InputError, match=what) as caught:
        read_synonyms(path)
    assert caught.value.place == place


def test_whole_words_phrases_and_beginnings_are_marked() -> None:
    text = "Skin fibrosis and fibrotic skin, with fibrosis of the skin."
    wanted = Wanted({("skin", "fibrosi"), ("of",)}, {"fibrot"})
    found = Marker(wanted).whole(text)
    assert [text[start:end] for start, end in found.marks] == ["Skin fibrosis", "fibrotic", "of"]


@pytest.mark.parametrize(
    ("text", "phrase", "marks"),
    [
        ("MSCs and MSC-like", "msc", ["MSCs", "MSC"]),
        ("Sjögren's, not Sjögrensen", "sjogren", ["Sjögren's"]),
        ("Œdème: œdèmes", "oedeme", ["Œdème", "œdèmes"]),
        ("dying, they die", "die", ["dying", "die"]),
        ("therapy therapies", "therapy", ["therapy", "therapies"]),
        (
            "mesenchymal stem/stromal\u00a0cells",
            "mesenchymal stem stromal cell",
            ["mesenchymal stem/stromal\u00a0cells"],
        ),
        ("TGF-β of TGF-β1", "TGF-β", ["TGF-β"]),
    ],
)
def test_what_is_marked_is_what_the_index_takes_for_the_same(text: str, phrase: str, marks: list[str]) -> None:
    found = Marker(Wanted({tuple(stems(phrase))})).whole(text)
    assert [text[start:end] for start, end in found.marks] == marks


def test_every_word_begins_as_its_stem_but_for_two_letters() -> None:
    words = f"{SHIPPED.read_text(encoding='utf-8')} dying lying skies idly gently news possibilities relational hoping"
    for word in set(whole_words(words)):
        assert word.startswith(shared_beginning(stems(word)[0]))


def test_marks_that_overlap_are_one() -> None:
    assert Marker(Wanted({("a", "b"), ("b", "c")})).whole("a b c").marks == ((0, 5),)


def test_nothing_of_a_record_becomes_markup() -> None:
    text = '<img src=x onerror="alert(1)"> & fibrosis</mark>'
    shown = Marker(Wanted({("fibrosi",), ("img",)})).whole(text).html()
    assert shown.count("<mark>") == shown.count("</mark>") == 2
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert html.unescape(bare) == text


def test_what_stands_within_a_mark_is_escaped_too() -> None:
    assert Marker(Wanted({("n", "b")})).whole("n<b").html() == "<mark>n&lt;b</mark>"


def test_a_text_without_marks_is_only_escaped() -> None:
    assert Marked("a < b").html() == "a &lt; b"


def test_a_passage_is_where_most_of_what_was_looked_for_is() -> None:
    text = "skin " + "filler " * 100 + "skin and lung fibrosis " + "filler " * 100
    found = Marker(Wanted({("skin",), ("lung",), ("fibrosi",)})).passage(text.strip())
    assert [found.text[start:end] for start, end in found.marks] == ["skin", "lung", "fibrosis"]
    assert found.text.startswith("… ")
    assert found.text.endswith(" …")
    assert len(found.text) < 300
    assert found.text.strip("… ") in text


def test_a_passage_without_anything_found_is_the_beginning() -> None:
    text = "word " * 100
    found = Marker(Wanted({("skin",)})).passage(text)
    assert text.startswith(found.text.removesuffix(" …"))
    assert found.marks == ()


def test_a_short_text_is_its_own_passage() -> None:
    assert Marker(Wanted({("it",)})).passage("All of it.") == Marked("All of it.", ((7, 9),))
    assert Marker(Wanted({("it",)})).passage("") == Marked("")
