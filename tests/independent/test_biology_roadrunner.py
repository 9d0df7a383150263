"""A treated patient exported as SBML with events, solved by libRoadRunner, against this engine."""

import numpy as np
import pandas as pd
import pytest

from stromal.biology import actions, model, trigger
from stromal.biology.check import sbml_findings
from stromal.biology.export import export_patient
from stromal.biology.reference import ARMS, ENTRY_DAY
from stromal.design import Course
from stromal.engine import solve

roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed: the extra `independent` has it")

PATIENT = pd.DataFrame({"sL": [1.2], "trigA": [4.5], "pot": [0.9], "aN": [0.1]}, index=["p"])
TWO_INFUSIONS = (
    Course.model_validate({"product": "umbilical_cord_msc", "days": (0, 91), "dose_per_kg": 1e6, "route": "iv"}),
)
COURSES = {
    "untreated": (),
    "mycophenolate": ARMS["MMF"],
    "ahsct": ARMS["AHSCT"],
    "plasma exchange": ARMS["PE"],
    "two infusions": TWO_INFUSIONS,
    "everything": (*ARMS["PE+CYC+UC"], *ARMS["RTX"], *ARMS["EVx6"], *ARMS["SVF-local"], *ARMS["CYC"]),
}
TIMES = np.append(np.arange(2.3, ENTRY_DAY, 20.0), np.arange(ENTRY_DAY + 0.3, ENTRY_DAY + 400, 4.7))


@pytest.mark.parametrize("name", COURSES)
def test_exported_sbml_gives_the_same_trajectory_in_libroadrunner(name):
    parts = [trigger(PATIENT), actions(COURSES[name], PATIENT, entry=ENTRY_DAY)]
    schedule = pd.concat([part for part in parts if len(part)], ignore_index=True)
    known = PATIENT[[c for c in PATIENT.columns if c in model().parameters]]
    outputs = (*model().states, "mRSS", "FVC", "FVC_mL", "DLCO", "CRP", "CT_extent", "hDeath", "hOrgan")
    ours = solve(model(), known, schedule, TIMES, outputs, rtol=1e-8, atol=1e-11).values[0]
    text = export_patient(schedule, PATIENT.iloc[0].to_dict())
    assert list(sbml_findings(text)) == []
    theirs = simulated(text, outputs)
    assert np.all(np.abs(ours - theirs) <= 1e-5 * (np.abs(theirs) + 1e-3 * np.abs(theirs).max(axis=0)))


def simulated(text, outputs):
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-13
    runner.integrator.maximum_num_steps = 1_000_000
    runner.timeCourseSelections = list(outputs)
    return np.array(runner.simulate(times=[0.0, *TIMES]))[1:]
