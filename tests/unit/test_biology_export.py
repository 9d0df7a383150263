"""What is written for other simulators."""

import libsbml
import pandas as pd
import pytest

from stromal.biology import compose, sbml, trigger
from stromal.biology.check import sbml_findings
from stromal.biology.export import export, export_patient
from stromal.compute.errors import InputError

COLUMNS = ["time", "kind", "target", "amount"]


def events(text):
    described = libsbml.readSBMLFromString(text).getModel()
    return [
        {
            event.getEventAssignment(k).getVariable(): libsbml.formulaToL3String(event.getEventAssignment(k).getMath())
            for k in range(event.getNumEventAssignments())
        }
        for event in (described.getEvent(i) for i in range(described.getNumEvents()))
    ]


def test_the_two_forms_are_the_composed_text_and_its_sbml():
    assert export("antimony") == compose()
    assert export("sbml") == sbml()
    with pytest.raises(InputError, match="no such export format"):
        export("matlab")


def test_rows_of_one_time_are_composed_in_their_order():
    schedule = pd.DataFrame(
        [
            (3.0, "bolus", "Tol", 1.0),
            (3.0, "scale", "Tol", 0.5),
            (3.0, "bolus", "Tol", 2.0),
            (3.0, "set", "pot", 0.6),
        ],
        columns=COLUMNS,
    )
    assert events(export_patient(schedule, {})) == [
        {"Tol": "0.5 dimensionless * Tol + 2.5 dimensionless", "pot": "0.6 dimensionless"}
    ]


def test_a_rate_flows_through_a_reaction_of_its_own_until_the_next_rate():
    schedule = pd.DataFrame([(0.0, "rate", "Ml", 0.2), (5.0, "rate", "Ml", 0.0)], columns=COLUMNS)
    text = export_patient(schedule, {})
    assert events(text) == [{"infusion_Ml": "0.2 per_day"}, {"infusion_Ml": "0 per_day"}]
    assert list(sbml_findings(text)) == []


def test_the_patient_s_own_values_and_the_trigger_are_in_the_export_without_a_finding():
    own = pd.DataFrame({"sL": [1.7], "trigT": [100.0]}, index=["a"])
    text = export_patient(trigger(own), {"sL": 1.7, "trigT": 100.0})
    assert libsbml.readSBMLFromString(text).getModel().getParameter("sL").getValue() == 1.7
    assert [list(event) for event in events(text)] == [["trigger"], ["trigger"]]
    assert list(sbml_findings(text)) == []


@pytest.mark.parametrize(
    "row, message",
    [
        ((0.0, "set", "mRSS", 1.0), "no parameter"),
        ((0.0, "bolus", "sL", 1.0), "no state"),
        ((0.0, "rate", "sL", 1.0), "no state"),
        ((0.0, "drip", "Ml", 1.0), "no such kind"),
    ],
)
def test_an_action_that_cannot_be_is_refused(row, message):
    with pytest.raises(InputError, match=message):
        export_patient(pd.DataFrame([row], columns=COLUMNS), {})


def test_several_patients_and_unknown_parameters_are_refused():
    several = pd.DataFrame(
        [("a", 0.0, "set", "pot", 1.0), ("b", 0.0, "set", "pot", 1.0)], columns=["patient", *COLUMNS]
    )
    with pytest.raises(InputError, match="several patients"):
        export_patient(several, {})
    with pytest.raises(InputError, match="not a parameter"):
        export_patient(several.iloc[:0], {"kNope": 1.0})
