"""Numbers, names and criteria as a reader of the report sees them."""

from importlib import resources
from pathlib import Path

import pytest

from stromal.design import read_design
from stromal.design.endpoints import EndPoint
from stromal.report.answer import headline, role_sentence
from stromal.report.beside import compared_day, doi_link, idle_arms
from stromal.report.design_table import criterion, design_rows
from stromal.report.wording import count, number, on_scale, outcome, percent, percent_with_error, value_with_error

EXAMPLES = Path(str(resources.files("stromal"))) / "examples"
CARE = read_design(EXAMPLES / "care-ssc.yaml")
SINGLE = read_design(EXAMPLES / "single-arm-series.yaml")
FALL = EndPoint(name="skin", kind="change", measure="mrss", day=364, contrast=("a", "b"))
RESPONSE = EndPoint(
    name="r", kind="responder", measure="mrss", day=364, fall_points=5, fall_share=0.25, contrast=("a", "b")
)


def spaced(text: str) -> str:
    """The text with ordinary spaces."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(-4.73, "−4.7"), (0.04, "0.0"), (-0.04, "0.0"), (12.25, "12.2"), (None, "–"), (float("nan"), "–")],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float | None, text: str) -> None:
    assert number(value) == text


def test_thousands_are_spaced() -> None:
    assert spaced(count(1200446)) == "1 200 446"


def test_a_share_comes_with_its_monte_carlo_error() -> None:
    assert spaced(percent_with_error(0.125, 0.0523, 40)) == "12.5 % (± 5.2)"


def test_no_event_in_n_trials_is_not_reported_as_certainty() -> None:
    # 0 of 40: the exact one-sided bound is 1 - 0.05 ** (1 / 40) = 7.2 %
    assert spaced(percent_with_error(0.0, 0.0, 40)) == "0.0 % (below 7.2 % with 95 % confidence)"
    assert spaced(percent_with_error(0.0, 0.0, 40, brief=True)) == "0.0 % (< 7.2)"
    assert spaced(percent_with_error(1.0, 0.0, 40, brief=True)) == "100.0 % (> 92.8)"
    assert spaced(percent_with_error(1.0, 0.0, 40)) == "100.0 % (above 92.8 % with 95 % confidence)"


def test_a_difference_in_proportions_is_in_percentage_points() -> None:
    assert spaced(on_scale(RESPONSE, -0.053)) == "−5.3 percentage points"
    assert spaced(on_scale(FALL, -5.099)) == "−5.1 points"
    assert spaced(value_with_error(-4.766, 0.085)) == "−4.77 (± 0.09)"
    assert spaced(percent(0.4, 0)) == "40 %"


def test_a_responder_is_defined_in_words() -> None:
    assert "by at least 5 points and at least 25 % of baseline" in spaced(outcome(RESPONSE))


def test_the_answer_is_about_efficacy_and_says_that_the_end_point_is_secondary() -> None:
    assert headline(CARE).name == "mrss_change"
    assert "secondary end point" in role_sentence(CARE)
    assert "treatment-related severe adverse event" in role_sentence(CARE)
    assert "It is the primary end point" in role_sentence(SINGLE)


def test_alternatives_of_eligibility_are_in_words() -> None:
    text = spaced(criterion(CARE.eligibility[1]))
    assert "(disease duration at most 24 months and skin score above 20 points and C-reactive protein above 6" in text
    assert text.count(" or (") == 2


def test_every_item_of_the_design_says_where_it_comes_from() -> None:
    rows = design_rows(CARE)
    assert {row["item"] for row in rows} >= {"candidates", "criterion 3", "arm two infusions", "end point death"}
    assert all(row["source"] for row in rows)
    by_item = {row["item"]: row["source"] for row in rows}
    assert by_item["end point mrss change"] == "assumed"
    assert by_item["measurement error"] == "not written: shipped default (assumed)"
    assert by_item["randomisation"].startswith("NCT04356287")


def test_controls_stand_beside_placebo_arms_and_all_arms_do_without_a_control() -> None:
    assert idle_arms(CARE) == ["placebo"]
    assert idle_arms(SINGLE) == ["cells"]
    assert compared_day(CARE) == 364


def test_a_doi_with_angle_brackets_is_a_valid_address() -> None:
    link = doi_link("10.1002/1529-0131(200106)44:6<1351::AID-ART227>3.0.CO;2-I")
    assert link == "https://doi.org/10.1002/1529-0131(200106)44:6%3C1351::AID-ART227%3E3.0.CO;2-I"
    assert doi_link("") == ""
