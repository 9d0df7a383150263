"""One run of any model: what is recorded by default, what may be set, and what is said when it goes wrong."""

import math

import numpy as np
import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.engine import load
from stromal.engine.model_text import time_unit
from stromal.engine.simulate import assigned_values, changing, simulate

DECAY = """
model decay
  compartment c = 2
  species A in c = start, B in c = 0
  R: A -> B; c*k*A
  k = 0.5; start = 4; half = log(2)/k
  T = 1; T' = -0.1*T
  constant_rule := 2*k
  total := A + B + T
end
"""


def test_by_default_everything_that_changes_is_recorded_species_first():
    system = load(DECAY)
    assert changing(system) == ("A", "B", "T", "total")
    table = simulate(system, end=2.0, points=5).table
    assert list(table.columns) == ["time", "A", "B", "T", "total"]
    assert table["time"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    np.testing.assert_allclose(table["A"], 4.0 * np.exp(-0.5 * table["time"]), rtol=1e-6)


def test_a_parameter_that_an_event_changes_is_recorded_and_so_is_a_rule_that_uses_it():
    system = load("model m\nx = 1; x' = -a*x\na = 1; b = 2\ntwice := 2*a\nstill := 2*b\nat time > 1: a = 0\nend\n")
    assert changing(system) == ("x", "twice", "a")
    table = simulate(system, end=2.0, points=3).table
    assert table["twice"].iloc[[0, 2]].tolist() == [2.0, 0.0]
    assert table["x"].iloc[2] == pytest.approx(math.exp(-1.0), rel=1e-6)


def test_any_quantity_may_be_recorded_by_name_in_the_order_asked_for():
    table = simulate(load(DECAY), end=1.0, points=2, outputs=["k", "total", "R"]).table
    assert list(table.columns) == ["time", "k", "total", "R"]
    assert table["R"].iloc[0] == pytest.approx(2.0 * 0.5 * 4.0)


@pytest.mark.parametrize(
    ("values", "start", "speed"),
    [({"k": 2.0}, 4.0, 2.0), ({"start": 3.0}, 3.0, 0.5), ({"A": 10.0}, 10.0, 0.5), ({"A": 1.0, "k": 1.0}, 1.0, 1.0)],
)
def test_parameters_and_initial_values_may_be_set_and_what_follows_from_them_follows(values, start, speed):
    table = simulate(load(DECAY), end=1.0, points=2, values=values).table
    assert table["A"].tolist() == pytest.approx([start, start * math.exp(-speed)], rel=1e-6)


def test_an_initial_value_computed_from_another_follows_it():
    system = load("model m\nx = 1; y = 3*x\nx' = 0*x\ny' = -y\nend\n")
    table = simulate(system, end=1.0, points=2, values={"x": 2.0}).table
    assert table["y"].iloc[0] == 6.0
    assert simulate(system, end=1.0, points=2).table["y"].iloc[0] == 3.0


def test_time_may_begin_elsewhere_than_at_zero():
    table = simulate(load("model m\nx = 0; x' = time\nend\n"), begin=2.0, end=4.0, points=3).table
    assert table["time"].tolist() == [2.0, 3.0, 4.0]
    assert table["x"].iloc[2] == pytest.approx((16.0 - 4.0) / 2.0, rel=1e-6)


POLE = load("model pole\nx = 1; y = 3; p = 0.5\nx' = p*x^2\ny' = -y\nend\n")


def test_a_solve_that_fails_says_when_in_which_state_and_why():
    result = simulate(POLE, end=2.4, points=4, values={"p": 1.0})
    assert result.status != "ok"
    assert result.failure is not None
    for part in ("ended at time 1 ", f"({result.status})", "x = ", "per time unit", "the solution has a pole or"):
        assert part in result.failure
    assert result.table["x"].isna().tolist() == [False, False, True, True]
    assert simulate(POLE, end=1.0, points=2).failure is None


def test_the_state_named_is_the_one_whose_rate_has_no_finite_value():
    system = load("model m\nx = 1; fast = 1\nx' = -1 + 0*log(x)\nfast' = -50*fast\nend\n")
    failure = simulate(system, end=2.0, points=3).failure
    assert failure is not None
    assert "x = " in failure


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"values": {"kk": 1.0}}, ("'kk'", "write instead: k")),
        ({"values": {"TOTAL": 1.0}}, ("'TOTAL'", "not a parameter or state")),
        ({"values": {"K": 1.0, "qqqqq": 1.0}}, ("'K'", "write instead: k", "'qqqqq'", "one of A, B")),
        ({"values": {"k": math.inf}}, ("set k", "inf", "a finite number")),
        ({"outputs": ["totl"]}, ("'totl'", "write instead: total")),
    ],
)
def test_unknown_names_and_numbers_that_are_none_are_refused_with_the_nearest_name(options, parts):
    with pytest.raises(InputErrors) as refused:
        simulate(load(DECAY), end=1.0, points=2, **options)
    for part in parts:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [{"end": 0.0}, {"end": -1.0}, {"end": math.nan}, {"begin": math.inf}, {"points": 1}, {"rtol": 0.0}, {"atol": 2.0}],
)
def test_times_and_tolerances_that_cannot_be_used_are_refused(options):
    with pytest.raises(InputError):
        simulate(load(DECAY), **({"end": 1.0, "points": 2} | options))


def test_a_model_in_which_nothing_changes_needs_to_be_told_what_to_record():
    system = load("model still\ncompartment c = 1\nk = 2\nend\n")
    with pytest.raises(InputError, match="nothing changes"):
        simulate(system, end=1.0, points=2)


def test_values_are_written_as_name_and_number():
    assert assigned_values(["k=0.5", " A = 1e-3"]) == {"k": 0.5, "A": 1e-3}
    with pytest.raises(InputErrors) as refused:
        assigned_values(["k", "k=x", "b=1", "b=2"])
    assert len(refused.value.findings) == 3
    assert "name=number" in str(refused.value)


L2 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
{units}<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>
<listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></rateRule>
</listOfRules></model></sbml>
"""
MINUTES = (
    '<listOfUnitDefinitions><unitDefinition id="time"><listOfUnits><unit kind="second" multiplier="60"/></listOfUnits>'
    "</unitDefinition></listOfUnitDefinitions>"
)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("model m\nunit time_unit = 86400 second\nx = 1; x' = -x\nend\n", "day"),
        ("model m\nunit time_unit = 3600 second\nx = 1; x' = -x\nend\n", "hour"),
        ("model m\nunit time_unit = 1e-3 second\nx = 1; x' = -x\nend\n", "0.001 second"),
        ("model m\nx = 1; x' = -x\nend\n", None),
        (L2.format(units=MINUTES), "minute"),
        (L2.format(units=""), "second"),
    ],
)
def test_the_unit_of_time_is_told_in_words(text, unit):
    assert time_unit(load(text)) == unit
