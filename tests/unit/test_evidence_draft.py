"""What all readers share: dates, names, identifiers, and the bounds of a guess."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromal.evidence.records import dates, names
from stromal.evidence.records.draft import Draft, grouped, paragraphs
from stromal.evidence.records.record import Field, Record, Rejected, Source


def draft(title: str = "t") -> Draft:
    new = Draft(Source("ris", b"bytes", "file", "line 1"), ())
    new.put("title", title, "TI")
    return new


def finished(new: Draft) -> Record:
    record = new.finished()
    assert isinstance(record, Record)
    return record


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2018", {"date-parts": [[2018]]}),
        ("0080", {"date-parts": [[80]]}),
        ("-0044", {"date-parts": [[-44]]}),
        ("2018-09-01T10:00:00Z", {"date-parts": [[2018, 9, 1]]}),
        ("2018/9/1", {"date-parts": [[2018, 9, 1]]}),
        ("September 1, 2018", {"date-parts": [[2018, 9, 1]]}),
        ("1 Sept. 2018", {"date-parts": [[2018, 9, 1]]}),
        ("Sep-Oct 2018", {"date-parts": [[2018, 9], [2018, 10]]}),
        ("Fall 2018", {"date-parts": [[2018]], "season": 3}),
        ("2018-21", {"date-parts": [[2018]], "season": 1}),
        ("2018~", {"date-parts": [[2018]], "circa": True}),
        ("2016-02-29", {"date-parts": [[2016, 2, 29]]}),
    ],
)
def test_dates_that_are_understood_leave_no_doubt(text: str, date: dict[str, Any]) -> None:
    assert dates.parsed(text) == (date, "")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2017-02-29", {"date-parts": [[2017]]}),
        ("2018-13", {"date-parts": [[2018]]}),
        ("1.9.2018", {"date-parts": [[2018]]}),
        ("c2018", {"date-parts": [[2018]]}),
        ("2018 or 2019", {"literal": "2018 or 2019"}),
        ("01/02/03", {"literal": "01/02/03"}),
        ("soon", {"literal": "soon"}),
    ],
)
def test_dates_that_are_not_understood_are_never_guessed(text: str, date: dict[str, Any]) -> None:
    found, doubt = dates.parsed(text)
    assert found == date
    assert doubt


@given(st.text(max_size=40))
def test_any_text_is_a_date_that_reads_itself_again(text: str) -> None:
    date, _ = dates.parsed(text)
    assert dates.parsed(dates.written(date))[0] == date


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Juliette Peltzer", {"given": "Juliette", "family": "Peltzer"}),
        ("Jan van der Berg", {"given": "Jan", "family": "van der Berg"}),
        ("John Walker Jr", {"given": "John", "family": "Walker", "suffix": "Jr"}),
        ("John Walker, Jr.", {"given": "John", "family": "Walker", "suffix": "Jr."}),
        ("Peltzer, Juliette", {"family": "Peltzer", "given": "Juliette"}),
        ("CARE-SSc Study Group", {"literal": "CARE-SSc Study Group"}),
        ("Plato", {"literal": "Plato"}),
    ],
)
def test_names_in_natural_order(text: str, name: dict[str, str]) -> None:
    assert names.natural(text) == name


@given(
    st.dictionaries(st.sampled_from(["family", "given", "suffix", "literal", "name", "dropping-particle"]), st.text())
)
def test_a_name_in_its_one_form_stays_as_it_is(name: dict[str, str]) -> None:
    normal = names.normal(name)
    if normal is not None:
        assert names.normal(normal) == normal
        assert normal.keys() <= {"family", "given", "suffix"} or normal.keys() == {"literal"}


@given(st.text(max_size=60))
def test_paragraphs_are_stable_and_lose_only_blanks(text: str) -> None:
    once = paragraphs(text)
    assert paragraphs(once) == once
    assert "".join(once.split()) == "".join(text.split())


def test_the_first_value_of_a_key_stays_and_knows_its_field() -> None:
    new = draft()
    new.put("volume", " 9 ", "VL")
    new.put("volume", "10", "V2")
    new.put("issue", "", "IS")
    record = finished(new)
    assert record.item == {"title": "t", "volume": "9"}
    assert record.origin == {"title": "TI", "volume": "VL"}


def test_a_second_identifier_of_a_kind_is_kept_aside_and_said() -> None:
    new = draft()
    for doi in ("https://doi.org/10.5555/A", "doi:10.5555/a", "10.5555/b"):
        new.identify("doi", doi, "DO")
    record = finished(new)
    assert record.identifiers == ("doi:10.5555/a",)
    assert record.item["custom"] == {"other_dois": ["10.5555/b"]}
    assert len(record.remarks) == 1


def test_an_address_names_a_work_only_where_nothing_else_does() -> None:
    alone, known, site = draft(), draft(), draft()
    for new in (alone, known):
        new.put_url("https://example.org/a", "UR")
    known.identify("pmid", "7", "AN")
    site.put_url("https://doi.org/10.5555/A", "UR")
    assert finished(alone).identifiers == ("url:https://example.org/a",)
    assert finished(known).identifiers == ("pmid:7",)
    assert finished(site).identifiers == ("doi:10.5555/a",)


def test_a_draft_without_anything_to_know_it_by_is_rejected() -> None:
    new = Draft(Source("ris", b"", "file", "line 7"), ())
    new.put("type", "book", "TY")
    rejected = new.finished()
    assert isinstance(rejected, Rejected)
    assert (rejected.file, rejected.place) == ("file", "line 7")


def test_a_retraction_marks_the_retracted_work_and_not_its_notice() -> None:
    gone, notice = draft(), draft()
    gone.relate("retracted_by", "doi:10.5555/n", "", "x")
    notice.relate("retracts", "doi:10.5555/g", "text", "x")
    assert finished(gone).item["custom"]["retracted"] is True
    assert "retracted" not in finished(notice).item["custom"]


def test_neighbouring_values_of_a_name_are_one_field() -> None:
    assert grouped([("A", "1"), ("A", "2"), ("B", "3"), ("A", "4")]) == (
        Field("A", ("1", "2")),
        Field("B", ("3",)),
        Field("A", ("4",)),
    )
