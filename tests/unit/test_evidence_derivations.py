"""Rules by which numbers follow from printed numbers."""

from decimal import Decimal

import pytest
from scipy import stats

from stromal.evidence.claims.derivations import (
    DERIVATIONS,
    derived,
    explained,
    standard_deviation,
    standard_error,
)

KNOWN = {  # computed by hand
    "proportion": ((8, 11), 8 / 11),
    "percentage of counts": ((10, 44), 22.727272),
    "complement": ((96,), 4.0),
    "percent to fraction": ((11.51,), 0.1151),
    "share lost": ((32, 66), 51.515151),
    "midpoint of range": ((4, 8), 6.0),
    "midpoint of range, percent to fraction": ((27.0, 33.5), 0.3025),
    "difference": ((18.68, 13.95), -4.73),
    "years to months": ((1.9,), 22.8),
    "months to weeks": ((12.0,), 52.178571),
    "half-life to rate": ((22.0,), 0.0315067),
    "half-life in hours to rate per day": ((10.0, 15.0), 1.3308426),
    "mean life to rate": ((7.0,), 0.1428571),
    "deaths to hazard": ((94, 893, 39.0), 0.03238866),
    "standard error of interval": ((-7.23, 0.12), 7.35 / (2 * 1.959963985)),
    "standard deviation of standard error": ((1.1, 63), 8.7309793),
}


def test_every_rule_has_a_known_answer() -> None:
    assert set(KNOWN) == set(DERIVATIONS)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_rule_gives_its_known_answer(name: str) -> None:
    inputs, expected = KNOWN[name]
    assert len(inputs) == DERIVATIONS[name].inputs
    assert derived(name, inputs) == pytest.approx(expected, rel=1e-6)


def test_a_standard_error_comes_back_from_the_interval_it_made() -> None:
    low, high = stats.norm.interval(0.9, loc=-2.0, scale=0.7)
    assert standard_error(low, high, level=0.9) == pytest.approx(0.7)


def test_what_cannot_be_derived_is_refused() -> None:
    for wrong in (
        lambda: standard_error(1.0, 1.0),
        lambda: standard_deviation(-1.0, 10),
        lambda: derived("proportion", (3, 2)),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - three messages
            wrong()


def test_the_rule_behind_a_value_is_found_to_the_digits_it_has() -> None:
    assert explained(Decimal("0.73"), "fraction (8/11)", [Decimal(8), Decimal(11)]) == (
        "proportion",
        (Decimal(8), Decimal(11)),
    )
    assert explained(Decimal("0.74"), "fraction", [Decimal(8), Decimal(11)]) is None
    assert explained(Decimal("0.73"), "points", [Decimal(8), Decimal(11)]) is None, "a score is no share"
