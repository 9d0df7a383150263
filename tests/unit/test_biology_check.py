"""The shipped model has no finding, and each part of the check finds what it is there to find."""

import pytest

from stromal.biology import model, organ_events, parameter_table
from stromal.biology.check import (
    check,
    initial_rates,
    sbml_findings,
    steady_findings,
    table_findings,
    use_findings,
)
from stromal.biology.parameters import neutral
from stromal.engine import antimony_to_sbml, load


def test_the_shipped_model_has_no_finding():
    assert check() == []


def test_a_wrong_unit_is_found():
    text = antimony_to_sbml(
        """
        model m()
          unit day = 86400 second; unit time_unit = day; unit substance = dimensionless;
          unit extent = dimensionless; unit per_day = 1 / day; unit volume = litre;
          compartment c = 1 litre;
          substanceOnly species A in c; A = 1;
          k = 2; k has day;
          A_loss: A -> ; k * A;
        end
        """
    )
    assert any("unit" in finding.message for finding in sbml_findings(text))


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("source", " ", "no source"),
        ("name", "", "no name"),
        ("unit", "furlong", "unit 'furlong'"),
        ("origin", "guessed", "origin 'guessed'"),
        ("spread", 0.3, "of a fixed"),
        ("high", 1e-9, "is not in"),
    ],
)
def test_an_incomplete_row_is_found(column, value, message):
    table = parameter_table()
    table.loc["kPrime", column] = value
    found = list(table_findings(table))
    assert [message in finding.message for finding in found] == [True]
    assert "kPrime" in found[0].place


def test_a_parameter_that_acts_elsewhere_than_stated_is_found():
    table = parameter_table()
    table.loc["aN", "used_by"] = "action: msc"
    assert [finding.place for finding in use_findings(table)] == ["parameters.csv, aN"]


def test_a_state_that_drifts_in_health_is_found():
    lopsided = load(
        """model m()
          compartment c = 1; substanceOnly species A in c; A = 1;
          A_gain: -> A; 2; A_loss: A -> ; A;
        end"""
    )
    assert ["state A" in finding.place for finding in steady_findings(lopsided)] == [True]


def test_an_injured_endothelium_heals_and_alarms_dendritic_cells():
    rates = initial_rates(model(), {"E": 1.5})
    assert rates["E"] < 0 < rates["DC"]


def test_health_is_steady_to_rounding():
    assert max(abs(r) for s, r in initial_rates(model()).items() if not s.startswith("H_")) <= 1e-12


def test_mendings_are_the_parameters_with_a_neutral_value():
    assert neutral() == {"kDs": 0.0, "wTrE": 1.0, "kOs": 0.0222}


def test_shares_of_organ_events_add_up_to_one():
    assert organ_events()["share"].sum() == pytest.approx(1.0, abs=1e-9)


def test_a_parameter_table_that_is_changed_by_its_reader_changes_nothing():
    table = parameter_table()
    table.loc["kN", "value"] = 7.0
    assert parameter_table().at["kN", "value"] == 0.00111
