"""What only the run-together line of a page says: told apart where something confirms the cut, else kept and told."""

import re
from dataclasses import replace

import pytest

from stromal.evidence.records import spelling, written_names
from stromal.evidence.records.affiliations import cut
from stromal.evidence.records.glued_numbers import told_apart
from stromal.evidence.records.solr_record import indexed
from stromal.evidence.records.spelling import Contributor, Known

KNOWN = Known(
    identifier="doaj-1",
    publisher="elife Press",
    journal="Skin",
    issns=("1664-3224",),
    date="2018-09-01",
    title="On cells",
    authors=("Ann Lee", "Jo Ray"),
    abstract="An abstract\nof two lines.",
    addresses=("https://x.org/10.1234/ab.5",),
    topics=("cells", "skin"),
)
START = "doaj-12020-11-24T21:36:14Zengelife PressSkin1664-32242018-09-01"
END = "An abstract of two lines.https://x.org/10.1234/ab.5cellsskin"


def read(authors: str, middle: str = "", known: Known = KNOWN) -> spelling.Spelling:
    found = spelling.read(f"{START}{middle}On cells{authors}{END}", known)
    assert found is not None
    return found


def test_a_publisher_that_begins_as_a_language_does_is_told_from_it() -> None:
    found = read("Ann LeeJo Ray")
    assert (found.stamp, found.language, found.residue) == ("2020-11-24T21:36:14Z", "eng", "")
    without = spelling.read(f"{START}On cellsAnn LeeJo Ray{END}".replace("Zengelife", "Zelife"), KNOWN)
    assert without is not None
    assert (without.language, without.residue) == ("", "")


@pytest.mark.parametrize(
    ("authors", "contributors"),
    [
        ("Ann LeeJo Ray", (Contributor(), Contributor())),
        ("Ann Lee0Jo RayClinic, Rome", (Contributor(affiliation="Clinic, Rome"), Contributor())),
        ("Ann LeeJo Ray0Clinic, Rome", (Contributor(), Contributor(affiliation="Clinic, Rome"))),
        ("Ann Leea@x.orgJo Ray", (Contributor(email="a@x.org"), Contributor())),
        ("Ann LeeJo Raya@x.org", (Contributor(), Contributor(email="a@x.org"))),
        (
            (
                "Ann Leea@x.org0https://orcid.org/0000-0002-1825-0097"
                "Jo Ray1https://orcid.org/0000-0001-5109-3700Clinic, RomeWard, Bern"
            ),
            (
                Contributor("a@x.org", "https://orcid.org/0000-0002-1825-0097", "Clinic, Rome"),
                Contributor("", "https://orcid.org/0000-0001-5109-3700", "Ward, Bern"),
            ),
        ),
        (
            "Ann Leehttps://orcid.org/0000-0002-1825-0097Jo Ray",
            (Contributor(orcid="https://orcid.org/0000-0002-1825-0097"), Contributor()),
        ),
    ],
)
def test_authors_have_their_mail_orcid_and_affiliation(authors: str, contributors: tuple[Contributor, ...]) -> None:
    found = read(authors)
    assert found.contributors == contributors
    assert found.remarks == []


def test_more_than_ten_affiliations_are_counted_on() -> None:
    names = tuple(f"Ann Lee{'abcdefghijkl'[n]}" for n in range(12))
    authors = "".join(f"{name}{n}" for n, name in enumerate(names))
    found = read(
        authors + "".join(f"Clinic, Rome{letter}" for letter in "abcdefghijkl"), known=replace(KNOWN, authors=names)
    )
    assert [one.affiliation for one in found.contributors] == [f"Clinic, Rome{letter}" for letter in "abcdefghijkl"]


def test_an_author_whose_name_ends_with_a_digit_is_told_from_its_number() -> None:
    found = read("SLS 20Jo Ray1Clinic, RomeWard, Bern", known=replace(KNOWN, authors=("SLS 2", "Jo Ray")))
    assert [one.affiliation for one in found.contributors] == ["Clinic, Rome", "Ward, Bern"]


@pytest.mark.parametrize(
    ("text", "count", "parts"),
    [
        ("", 0, ()),
        ("Clinic, McGill University, RomeWard", 1, ("Clinic, McGill University, RomeWard",)),
        ("Clinic, RomeWard, Bern", 2, ("Clinic, Rome", "Ward, Bern")),
        ("Clinic (Rome)Ward, Bern.Lab, U.S.A.", 3, ("Clinic (Rome)", "Ward, Bern.", "Lab, U.S.A.")),
        ("Клиника, МоскваОтдел, Бern", 2, ("Клиника, Москва", "Отдел, Бern")),
        ("Clinic, RomeWard, Bern", 3, None),  # fewer places than numbers
        ("Clinic, RomeMcGill University", 2, None),  # "McGill" could be two
        ("Clinic, USAWard, McGill University", 2, None),  # the right place is not marked, another one is
        ("Clinic, USAWard, Bern", 2, None),
        ("Lab, eLife, Rome, 中国Ward, Bern", 2, None),
        ("Clinic, Rome2nd Ward, BernLab", 2, None),
        ("病院東京大学", 2, None),
        ("Clinic, Rome", 0, None),
        ("", 1, None),
    ],
)
def test_affiliations_are_cut_only_where_it_is_certain(text: str, count: int, parts: tuple[str, ...] | None) -> None:
    found, how = cut(text, count)
    assert found == parts
    assert bool(how) == bool(count or text)


def test_affiliations_that_cannot_be_cut_are_kept_and_told() -> None:
    found = read("Ann Lee0Jo Ray1Clinic, USAWard, Bern")
    assert found.affiliations == "Clinic, USAWard, Bern"
    assert [one.affiliation for one in found.contributors] == ["", ""]
    assert any("kept as they stand" in remark for remark in found.remarks)


ADDRESS = "https://x.org/10.1234/ab.5/full"


@pytest.mark.parametrize(
    ("text", "address", "doi", "number"),
    [
        ("910.1234/ab.5777", ADDRESS, "10.1234/ab.5", "777"),
        ("10.1234/ab.5", ADDRESS, "10.1234/ab.5", ""),
        ("1010.1234/ab.5", ADDRESS, "10.1234/ab.5", ""),
        ("910.1234/AB.5x", ADDRESS, "10.1234/AB.5", "x"),
        ("910.1234/ab.510.1234/ab.5", ADDRESS, "10.1234/ab.5", "10.1234/ab.5"),
        ("910.1234/ab(5)7", "https://x.org/?doi=10.1234%2Fab(5)&v=1", "10.1234/ab(5)", "7"),
        ("910.1234/ab.57", "https://x.org/10.1234/ab.5", "10.1234/ab.5", "7"),
        ("910.1234/ab.5777", "https://x.org/10.1234/ab.5778", "", ""),  # the address goes on
        ("910.1234/ab.45", "https://x.org/10.1234/ab.4x", "", ""),
        ("910.1234/ab.5777", "https://x.org/55", "", ""),
        ("910.1234/ab.5777", "https://x.org/910.1234/zz", "", ""),
    ],
)
def test_a_doi_ends_where_it_ends_in_the_address(text: str, address: str, doi: str, number: str) -> None:
    found = told_apart(text, (address,))
    assert (found.doi, found.publisher_record) == (doi, number)
    if not doi:
        assert found.unsplit_doi == text[1:]
        assert any("not taken as an identifier" in remark for remark in found.remarks)


def test_a_number_that_repeats_the_end_of_a_doi_is_a_hint_only() -> None:
    found = told_apart("910.3390/ijms19092615ijms19092615", ("https://www.mdpi.com/1422-0067/19/9/2615",))
    assert not found.doi
    assert any("perhaps 10.3390/ijms19092615," in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("text", "address", "numbers", "unsplit"),
    [
        ("910.1234/ab.5", ADDRESS, ("9", "", ""), ""),
        ("1210.1234/ab.5", ADDRESS, ("", "", ""), "12"),  # volume 12, or volume 1 issue 2
        ("199261510.1234/ab.5", "https://x.org/19/9/2615?doi=10.1234/ab.5", ("19", "9", "2615"), ""),
        ("1992615", "https://x.org/19/9/2615", ("19", "9", "2615"), ""),
        ("11110.1234/ab.5", "https://x.org/1/1/1/?doi=10.1234/ab.5", ("1", "1", "1"), ""),
        ("9", "https://x.org/", ("", "", ""), "9"),  # may be the publisher's number
        ("", ADDRESS, ("", "", ""), ""),
    ],
)
def test_volume_issue_and_page_are_told_apart_only_where_something_confirms_it(
    text: str, address: str, numbers: tuple[str, str, str], unsplit: str
) -> None:
    found = told_apart(text, (address,))
    assert (found.volume, found.issue, found.page) == numbers
    assert found.unsplit == unsplit
    assert any("not told apart" in remark for remark in found.remarks) == bool(unsplit)


def test_numbers_that_other_fields_give_are_recognised() -> None:
    found = told_apart("19926158", (), ("19", "9", "2615"))
    assert found.unsplit == "19926158"  # with the last page: not these alone
    found = told_apart("1992615", (), ("19", "9", "2615"))
    assert (found.volume, found.issue, found.page, found.unsplit) == ("19", "9", "2615", "")


def test_texts_set_apart_by_blanks_are_told_apart_by_them() -> None:
    line = f"{START}9 2 101 110 10.9999/zz.1 406327 On cellsAnn Lee 0 Jo Ray Clinic, Rome {END}"
    found = spelling.read(line.replace("doaj-1", "doaj-1 ").replace("Zeng", "Z eng ").replace("-01", "-01 "), KNOWN)
    assert found is not None
    assert (found.numbers.volume, found.numbers.issue, found.numbers.page) == ("9", "2", "101-110")
    assert (found.numbers.doi, found.numbers.publisher_record) == ("10.9999/zz.1", "406327")
    assert found.contributors == (Contributor(affiliation="Clinic, Rome"), Contributor())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"publisher": "Other"}, "the publisher"),
        ({"publisher": "", "journal": ""}, "which no field gives"),
        ({"journal": "Bone"}, "the journal"),
        ({"date": "2019-01-01"}, "the date"),
        ({"title": ""}, "the title"),
        ({"title": "On bones"}, "the title"),
        ({"authors": ("Ann Lee", "Joe Ray")}, "author 2"),
        ({"topics": ("cells", "bone")}, "the end with abstract"),
        ({"addresses": ("https://y.org",)}, "the end with abstract"),
    ],
)
def test_where_other_fields_say_something_else_reading_stops_and_says_so(change: dict[str, str], what: str) -> None:
    found = read("Ann Lee0Jo RayClinic, Rome", "910.1234/ab.5", replace(KNOWN, **change))  # type: ignore[arg-type]
    assert found.residue
    assert found.contributors == ()
    assert any(re.search(rf"spelling: .*{what}.* not at character \d+", remark) for remark in found.remarks)


def test_a_line_of_another_origin_is_none_of_these() -> None:
    assert spelling.read("01234cam a2200289 On cells", KNOWN) is None
    assert spelling.read("doaj-1 On cells", KNOWN) is None


@pytest.mark.parametrize(
    ("text", "family", "given"),
    [
        ("Juliette Peltzer", "Peltzer", "Juliette"),
        ("Jean-Jacques Lataillade", "Lataillade", "Jean-Jacques"),
        ("John W. Smith", "Smith", "John W."),
        ("J W van der Laar", "van der Laar", "J W"),
        ("Maria José de la Cruz", "de la Cruz", "Maria José"),
        ("Wei WANG", "WANG", "Wei"),
        ("JULIETTE PELTZER", "PELTZER", "JULIETTE"),
        ("Иван Петров", "Петров", "Иван"),
        ("Peltzer, Juliette", "Peltzer", "Juliette"),
        ("Smith, John, 1950-2001.", "Smith", "John"),
    ],
)
def test_names_whose_parts_are_certain_are_split(text: str, family: str, given: str) -> None:
    assert written_names.split(text) == {"family": family, "given": given}


@pytest.mark.parametrize(
    "text",
    [
        "Maria García López",
        "J. Robert Oppenheimer",
        "Maria da Silva Santos",
        "Peltzer J",
        "Smith JR",
        "WANG Wei",
        "王伟",
        "김 철수",
        "Plato",
        "World Health Organization",
        "Ann Lee and Jo Ray",
        "SLS 2 Group",
        "a@x.org b",
    ],
)
def test_names_that_cannot_be_split_safely_are_kept_whole(text: str) -> None:
    assert written_names.split(text) == {"literal": text}


def test_names_are_sorted_by_family() -> None:
    assert written_names.sorting(written_names.split("Juliette Peltzer")) == "Peltzer, Juliette"
    assert written_names.sorting(written_names.split("John Smith Jr.")) == "Smith, John, Jr."
    assert written_names.sorting(written_names.split("SLS Study Group")) == "SLS Study Group"


def test_names_kept_whole_are_told() -> None:
    names = [written_names.split(text) for text in ("Ann Lee", "Plato", "Ana B. C. García López")]
    assert "'Ana B. C. García López'" in written_names.kept_whole(names)
    assert written_names.kept_whole(names[:2]) == ""


def test_the_clock_of_solr_counts_milliseconds_since_1970() -> None:
    assert indexed(1725942277133565952) == "2022-02-27T18:33:41.302Z"
    assert indexed(1725942277133565952 + 2**20 - 1) == "2022-02-27T18:33:41.302Z"
    assert indexed(7) is None
    assert indexed(2**200) is None
