"""Formatted citations, against the examples and rules of the manuals."""

from typing import Any

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.records.citations import STYLES, cite
from stromal.evidence.records.record import Record, Source


def record(**item: Any) -> Record:
    named = {key.replace("_", "-"): value for key, value in item.items()}
    return Record(("url:x",), {"type": "article-journal", **named}, Source("csl", b""))


def people(count: int) -> list[dict[str, str]]:
    return [{"family": f"F{number}", "given": "Ann Bea"} for number in range(count)]


# Halpern SD, Ubel PA, Caplan AL. N Engl J Med 2002: the sample reference of the ICMJE Recommendations (NLM).
ICMJE = record(
    title="Solid-organ transplantation in HIV-infected patients",
    author=[
        {"family": "Halpern", "given": "Scott D."},
        {"family": "Ubel", "given": "Peter A."},
        {"family": "Caplan", "given": "Arthur L."},
    ],
    container_title="New England Journal of Medicine",
    container_title_short="N Engl J Med",
    issued={"date-parts": [[2002, 7, 25]]},
    volume="347",
    issue="4",
    page="284-287",
)


def test_the_sample_reference_of_the_icmje() -> None:
    assert cite(ICMJE) == (
        "Halpern SD, Ubel PA, Caplan AL. Solid-organ transplantation in HIV-infected patients. "
        "N Engl J Med. 2002 Jul 25;347(4):284-7."
    )


def test_the_same_in_ama_and_apa() -> None:
    assert cite(ICMJE, "ama") == (
        "Halpern SD, Ubel PA, Caplan AL. Solid-organ transplantation in HIV-infected patients. "
        "N Engl J Med. 2002;347(4):284-287."
    )
    assert cite(ICMJE, "apa") == (
        "Halpern, S. D., Ubel, P. A., & Caplan, A. L. (2002). Solid-organ transplantation in HIV-infected patients. "
        "New England Journal of Medicine, 347(4), 284–287."
    )


@pytest.mark.parametrize(
    ("style", "count", "starts"),
    [
        ("vancouver", 6, "F0 AB, F1 AB, F2 AB, F3 AB, F4 AB, F5 AB. T."),
        ("vancouver", 7, "F0 AB, F1 AB, F2 AB, F3 AB, F4 AB, F5 AB, et al. T."),
        ("ama", 6, "F0 AB, F1 AB, F2 AB, F3 AB, F4 AB, F5 AB. T."),
        ("ama", 7, "F0 AB, F1 AB, F2 AB, et al. T."),
        ("apa", 1, "F0, A. B. (n.d.). T."),
        ("apa", 2, "F0, A. B., & F1, A. B. (n.d.). T."),
    ],
)
def test_long_lists_of_authors_are_cut_by_the_rule_of_the_style(style: str, count: int, starts: str) -> None:
    assert cite(record(title="T", author=people(count)), style) == starts


def test_apa_shows_twenty_authors_and_of_more_nineteen_and_the_last() -> None:
    assert "F18, A. B., & F19, A. B. (" in cite(record(title="T", author=people(20)), "apa")
    assert "F18, A. B., … F24, A. B. (" in cite(record(title="T", author=people(25)), "apa")


@pytest.mark.parametrize(
    ("name", "vancouver", "apa"),
    [
        ({"family": "Lataillade", "given": "Jean-Jacques"}, "Lataillade JJ", "Lataillade, J.-J."),
        ({"family": "Lataillade", "given": "J.-J."}, "Lataillade JJ", "Lataillade, J.-J."),
        ({"family": "van der Berg", "given": "Jan", "suffix": "Jr."}, "van der Berg J Jr", "van der Berg, J., Jr."),
        ({"family": "Peltzer", "given": "JA"}, "Peltzer JA", "Peltzer, J. A."),
        ({"family": "Peltzer", "given": "J.A."}, "Peltzer JA", "Peltzer, J. A."),
        ({"family": "Ünal", "given": "çağla"}, "Ünal Ç", "Ünal, ç."),
        ({"family": "李", "given": "明"}, "李 明", "李, 明."),
        ({"family": "Plato"}, "Plato", "Plato"),
        ({"literal": "World Health Organization"}, "World Health Organization", "World Health Organization"),
    ],
)
def test_names(name: dict[str, str], vancouver: str, apa: str) -> None:
    assert cite(record(title="T", author=[name])).startswith(f"{vancouver}. T.")
    assert cite(record(title="T", author=[name]), "apa").startswith(
        f"{apa} (n.d.)" if apa.endswith(".") else f"{apa}. (n.d.)"
    )


@pytest.mark.parametrize(
    ("issued", "vancouver", "ama"),
    [
        ({"date-parts": [[2018]]}, "2018", "2018"),
        ({"date-parts": [[2018, 9]]}, "2018 Sep", "2018"),
        ({"date-parts": [[2018, 9], [2018, 10]]}, "2018 Sep-Oct", "2018"),
        ({"date-parts": [[2018, 12], [2019, 1]]}, "2018 Dec-2019 Jan", "2018-2019"),
        ({"date-parts": [[2018]], "season": 1}, "2018 Spring", "2018"),
        ({"literal": "in press"}, "in press", "in press"),
    ],
)
def test_dates(issued: dict[str, Any], vancouver: str, ama: str) -> None:
    item = record(title="T", container_title="J", issued=issued, volume="9")
    assert cite(item) == f"T. J. {vancouver};9."
    assert cite(item, "ama") == f"T. J. {ama};9."


def test_a_chapter_names_its_book_and_editors() -> None:
    item = record(
        type="chapter", title="A chapter", author=people(1), editor=people(3)[1:], container_title="The book",
        publisher="House", publisher_place="Town", issued={"date-parts": [[2020]]}, page="11-19",
    )  # fmt: skip
    assert cite(item) == "F0 AB. A chapter. In: F1 AB, F2 AB, editors. The book. Town: House; 2020. p. 11-9."
    assert cite(item, "ama") == "F0 AB. A chapter. In: F1 AB, F2 AB, eds. The book. Town: House; 2020:11-19."
    assert (
        cite(item, "apa") == "F0, A. B. (2020). A chapter. In A. B. F1 & A. B. F2 (Eds.), The book (pp. 11–19). House."
    )


def test_a_registered_trial_has_its_address_and_no_stop_behind_it() -> None:
    item = record(
        type="dataset",
        title="NCT01234567",
        publisher="ClinicalTrials.gov",
        URL="https://x.org/1",
        issued={"date-parts": [[2020]]},
    )
    assert cite(item) == "NCT01234567 [Internet]. ClinicalTrials.gov; 2020. Available from: https://x.org/1"
    assert cite(item, "apa") == "NCT01234567. (2020). ClinicalTrials.gov. https://x.org/1"


def test_a_doi_is_given_where_it_is_known() -> None:
    item = record(
        title="T?", container_title="J", DOI="10.5555/x", PMID="7", page="e12", issued={"date-parts": [[2018]]}
    )
    assert cite(item) == "T? J. 2018:e12. doi: 10.5555/x. PubMed PMID: 7."
    assert cite(item, "ama") == "T? J. 2018:e12. doi:10.5555/x"
    assert cite(item, "apa") == "T? (2018). J, e12. https://doi.org/10.5555/x"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "item", [{}, {"type": "chapter"}, {"author": []}, {"issued": {"date-parts": [[]]}}, {"issued": {}}]
)
def test_an_item_with_nothing_in_it_is_cited_all_the_same(style: str, item: dict[str, Any]) -> None:
    assert "[No title]" in cite(record(**item), style)


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="vancouver, ama, apa"):
        cite(ICMJE, "harvard")
