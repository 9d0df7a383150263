"""With every mending at its neutral value the model gives every row of the prototype's printed tables."""

from pathlib import Path

import pandas as pd
import pytest

from stromal.biology import neutral
from stromal.biology.reference import ARMS, CASES, predicted
from stromal.biology.registry import THERAPIES

KNOWN = pd.read_csv(Path(__file__).with_name("prototype_tables.csv"), keep_default_na=False, dtype={"value": str})


def half_last_digit(printed):
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


@pytest.fixture(scope="module")
def compared():
    return KNOWN.assign(here=predicted(KNOWN, neutral()))


@pytest.mark.parametrize("table", KNOWN["table"].unique())
def test_neutral_mendings_give_the_printed_table(compared, table):
    rows = compared[compared["table"] == table]
    printed = rows["value"].astype(float)
    allowed = rows["value"].map(half_last_digit) + 0.01 * printed.abs() + rows["step_error"]
    off = rows[(rows["here"] - printed).abs() > allowed]
    assert off.empty, f"\n{off}"


def test_all_cases_arms_and_rows_of_the_prototype_are_there():
    assert KNOWN.groupby("table").size().to_dict() == {
        "natural history": 5 * 7 * 7,
        "entry": 5,
        "arms": 22 * 11,
        "targets": 20,
        "long term": 6 * 3,
    }
    assert set(KNOWN.loc[KNOWN["table"] == "natural history", "case"]) == set(CASES)
    assert set(KNOWN.loc[KNOWN["table"] == "arms", "case"]) == set(ARMS)


def test_every_therapy_of_the_registry_is_tested_by_an_arm_that_gives_it():
    for therapy in THERAPIES:
        given = {course.product for course in ARMS[therapy.known_answer]}
        assert given & set(therapy.products), therapy.name
