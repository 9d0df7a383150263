"""The short notation of a user's table of arms: what it means, and that nothing crashes it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromal.calibration.shorthand import ALIASES, background, eligibility, regimen
from stromal.compute.errors import InputError
from stromal.design import PRODUCTS, AntibodyCriterion, Course, FailedTreatment, MeasureCriterion, SubsetCriterion

PLACE = "ARMS.csv, row 3, column regimen"
PARSERS: list[Callable[..., Any]] = [regimen, background, eligibility]
DAILY = sorted(name for name, product in PRODUCTS.items() if product.kind == "drug_daily")
CELLS = sorted(name for name, product in PRODUCTS.items() if product.kind == "cells")
FRAGMENTS = [*PRODUCTS, *ALIASES, ";", ":", " ", "d0-", "d0,d7", "2g/d", "1e6/kg", "iv", "50%", "x0.5", ">=", "15", "="]


def course(text: str) -> Course:
    (one,) = regimen(text, place=PLACE)
    return one


def refusal(parser: Callable[..., Any], text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parser(text, place=PLACE)
    assert caught.value.place == PLACE
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "text, share",
    [
        ("mycophenolate 2g/d d0-", 1.0),
        ("mycophenolate 3 g/day d0-", 1.5),
        ("mycophenolate 1500mg/d d0-", 0.75),
        ("methotrexate 15mg/wk d0-", 0.6),
        ("methotrexate 25mg/week d0-", 1.0),
        ("prednisone 70mg/wk d0-", 1.0),
        ("cyclophosphamide 2mg/kg/d d0-364", 1.0),
        ("cyclophosphamide 1mg/kg/day d0-364", 0.5),
        ("tocilizumab 162mg/wk d0-336", 1.0),
        ("nintedanib 300mg/d d0-", 1.0),
        ("nintedanib 100mg bid d0-", 2 / 3),
        ("rituximab 375mg/m2 d0,d7,d14,d21", 1.0),
        ("rituximab 187.5mg/m² d0", 0.5),
        ("rituximab x1.52 d0,d14", 1.52),
        ("methotrexate 50% d0-", 0.5),
        ("methotrexate d0-", 1.0),
    ],
)
def test_a_dose_becomes_a_share_of_the_standard_dose(text: str, share: float) -> None:
    assert course(text).share_of_standard_dose == pytest.approx(share)


@pytest.mark.parametrize(
    "text, dose",
    [("1e6/kg", 1e6), ("2.5e6cells/kg", 2.5e6), ("x2", 2e6), ("50%", 5e5), ("", 1e6)],
)
def test_a_dose_of_cells_is_a_number_per_kg(text: str, dose: float) -> None:
    assert course(f"umbilical_cord_msc {text} iv d0").dose_per_kg == pytest.approx(dose)
    assert course(f"msc_vesicles {text} d0").dose_per_kg == pytest.approx(dose)


def test_the_example_of_the_design_reads_as_written() -> None:
    cells, drug = regimen("umbilical_cord_msc 1e6/kg iv d0,d90; mycophenolate 2g/d d0-", place=PLACE)
    assert cells == Course(product="umbilical_cord_msc", days=(0, 90), dose_per_kg=1e6, route="iv")
    assert drug == Course(product="mycophenolate", from_day=0)


def test_days_are_a_span_for_daily_drugs_and_a_list_for_the_rest() -> None:
    assert course("tocilizumab 162mg/wk d7-d336") == Course(product="tocilizumab", from_day=7, to_day=336)
    assert course("plasma_exchange d1, d3, d5") == Course(product="plasma_exchange", days=(1, 3, 5))
    assert course("ahsct d0") == Course(product="ahsct", days=(0,))


@pytest.mark.parametrize("text", ["", "  ", "none", "Placebo"])
def test_no_text_is_no_course(text: str) -> None:
    assert regimen(text, place=PLACE) == ()


@pytest.mark.parametrize(
    "text, told",
    [
        ("mycofenolate 2g/d d0-", "mycophenolate (did you mean that?"),
        ("mycophenolate 2mg/kg/d d0-", "mg/d, mg/wk, g/d, g/wk"),
        ("cyclophosphamide 750mg/m2 d0-", "mg/kg/d"),
        ("rituximab 1000mg d0,d14", "mg/m2, g/m2"),
        ("mycophenolate 2furlongs d0-", "a number with a unit"),
        ("mycophenolate two d0-", "a number with a unit"),
        ("mycophenolate 2g/d", "d0- or d0-364"),
        ("mycophenolate 2g/d d0", "d0- or d0-364"),
        ("mycophenolate 2g/d d0,d7", "d0- or d0-364"),
        ("mycophenolate 2g/d d90-d10", "a later day"),
        ("mycophenolate 2g/d 3g/d d0-", "product, dose, route, days"),
        ("mycophenolate 2g/d d0- d90-", "once"),
        ("mycophenolate x9 d0-", "at most 5"),
        ("rituximab d0-", "days with commas"),
        ("rituximab d7,d0", "ascending"),
        ("umbilical_cord_msc 1e6/kg iv d99999", "7305"),
        ("umbilical_cord_msc 1e6/kg d0", "days, dose_per_kg, route"),
        ("umbilical_cord_msc 1e6/lb iv d0", "cells/kg"),
        ("umbilical_cord_msc 1e6/kg iv local d0", "once"),
        ("umbilical_cord_msc 1e999/kg iv d0", "a number such as"),
        ("mycophenolate 2g/d iv d0-", "from_day, to_day"),
        ("ahsct 2g d0", "leave out '2g'"),
        ("ahsct d0,d7", "one day"),
        ("; ".join(["ahsct d0"] * 51), "at most 50"),
        ("x" * 10_001, "at most 10000 characters"),
    ],
)
def test_a_wrong_regimen_is_refused_with_a_remedy(text: str, told: str) -> None:
    assert told in refusal(regimen, text).remedy


def test_background_gives_the_share_of_each_drug() -> None:
    assert background("mycophenolate:0.6; methotrexate: 10%;", place=PLACE) == {
        "mycophenolate": 0.6,
        "methotrexate": pytest.approx(0.1),
    }
    assert background("none", place=PLACE) == {}


@pytest.mark.parametrize(
    "text, told",
    [
        ("mycophenolate", "drug:share"),
        ("mycofenolate:0.5", "mycophenolate (did you mean that?"),
        ("mycophenolate:0.7; methotrexate:0.4", "at most 1"),
        ("mycophenolate:0.2; mycophenolate:0.4", "each drug once"),
        ("mycophenolate:60", "at most 1"),
        ("mycophenolate:-0.1", "drug:share"),
        ("rituximab:0.2", "prednisone"),
    ],
)
def test_a_wrong_background_is_refused_with_a_remedy(text: str, told: str) -> None:
    assert told in refusal(background, text).remedy


def test_eligibility_reads_limits_aliases_subset_and_failed_drugs() -> None:
    text = "mrss>=15; duration_mo <= 24; fvc>45; dlco<80; subset=diffuse; age>=18; failed=mycophenolate|methotrexate; "
    text += "antibody=ATA|rnap3"
    assert eligibility(text, place=PLACE) == (
        MeasureCriterion(measure="mrss", at_least=15),
        MeasureCriterion(measure="disease_duration_months", at_most=24),
        MeasureCriterion(measure="fvc_pct", above=45),
        MeasureCriterion(measure="dlco_pct", below=80),
        SubsetCriterion(subset=("diffuse",)),
        MeasureCriterion(measure="age_years", at_least=18),
        FailedTreatment(failed=("mycophenolate", "methotrexate")),
        AntibodyCriterion(antibody=("ATA", "RNAP3")),
    )
    assert eligibility("", place=PLACE) == ()


def test_two_limits_of_a_measure_are_two_criteria() -> None:
    assert len(eligibility("mrss≥15; mrss≤40", place=PLACE)) == 2


@pytest.mark.parametrize(
    "text, told",
    [
        ("mrss=15", "mrss>=15"),
        ("mrss>=many", "mrss>=15"),
        ("mrs>=15", "mrss (did you mean that?"),
        ("subset=difuse", "diffuse (did you mean that?"),
        ("antibody=ATX", "one of: ATA, ACA, RNAP3, other"),
        ("failed=mycofenolate", "mycophenolate (did you mean that?"),
        ("; ".join(["mrss>=1"] * 101), "at most 100"),
    ],
)
def test_a_wrong_eligibility_is_refused_with_a_remedy(text: str, told: str) -> None:
    assert told in refusal(eligibility, text).remedy


@pytest.mark.parametrize("parser", PARSERS)
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)))
def test_any_text_gives_a_result_or_an_input_error(parser: Callable[..., Any], text: str) -> None:
    try:
        parser(text, place=PLACE)
    except InputError as error:
        caught = error
    else:
        return
    assert caught.place == PLACE
    assert len(str(caught)) < 5000


days_of_year = st.lists(st.integers(0, 7305), min_size=1, max_size=20, unique=True).map(sorted)
shares = st.floats(0.01, 5.0).map(lambda share: float(f"{share:.4g}"))
daily_courses = st.tuples(
    st.sampled_from(DAILY), shares, st.integers(0, 3000), st.none() | st.integers(3001, 7305)
).map(lambda c: Course(product=c[0], share_of_standard_dose=c[1], from_day=c[2], to_day=c[3]))
cell_courses = st.tuples(
    st.sampled_from(CELLS), st.integers(1, 10**9), st.sampled_from(["iv", "local"]), days_of_year
).map(
    lambda c: Course.model_validate({"product": c[0], "dose_per_kg": float(c[1]), "route": c[2], "days": tuple(c[3])})
)
infusions = st.tuples(shares, days_of_year).map(
    lambda c: Course(product="rituximab", share_of_standard_dose=c[0], days=tuple(c[1]))
)


def written(one: Course) -> str:
    """The short notation of a course, written independently of the parser."""
    days = ",".join(f"d{day}" for day in one.days)
    if one.kind == "drug_daily":
        return f"{one.product} x{one.share_of_standard_dose!r} d{one.from_day}-{one.to_day or ''}"
    if one.kind == "cells":
        return f"{one.product} {one.dose_per_kg:.0f}/kg {one.route} {days}"
    return f"{one.product} x{one.share_of_standard_dose!r} {days}"


@given(courses=st.lists(st.one_of(daily_courses, cell_courses, infusions), min_size=1, max_size=8))
def test_a_written_regimen_is_read_back(courses: list[Course]) -> None:
    assert regimen("; ".join(map(written, courses)), place=PLACE) == tuple(courses)
