"""The engine against LSODA of SciPy: random patients of the shipped model, with drugs and cells."""

import numpy as np
import pandas as pd
import pytest

from stromal.biology import actions, model, trigger
from stromal.compute.randomness import Streams
from stromal.design import Course
from stromal.engine import solve
from stromal.engine.reference import Action, solve_one
from stromal.population import draw, shipped_recipe

ENTRY = 300.0
TIMES = ENTRY + np.array([0.0, 1.0, 10.0, 91.0, 92.5, 200.0, 365.0])
OUTPUTS = ("mRSS", "FVC", "DLCO", "CRP", "CT_extent", "H_death", "H_organ")
CELLS = {"dose_per_kg": 1e6, "route": "iv"}
REGIMENS = {
    "untreated": (),
    "drug and two infusions": (
        Course.model_validate({"product": "mycophenolate", "from_day": 0}),
        Course.model_validate({"product": "umbilical_cord_msc", "days": (0, 91), **CELLS}),
    ),
    "transplantation, then rituximab": (
        Course.model_validate({"product": "ahsct", "days": (10,)}),
        Course.model_validate({"product": "rituximab", "days": (180, 194)}),
    ),
}
PER_REGIMEN = 7  # verification/engine_references.py does the same for 200 patients


@pytest.mark.parametrize("name", REGIMENS)
def test_random_patients_of_the_shipped_model_agree_with_lsoda(name, two_arm):
    number = list(REGIMENS).index(name)
    people = draw(shipped_recipe(), two_arm.population, Streams(11, number), 0, PER_REGIMEN).parameters
    parts = [trigger(people), actions(REGIMENS[name], people, entry=ENTRY)]
    schedule = pd.concat([part for part in parts if len(part)], ignore_index=True)
    known = people[[c for c in people.columns if c in model().parameters]]
    ours = solve(model(), known, schedule, TIMES, OUTPUTS, rtol=1e-8, atol=1e-11)
    assert set(ours.status) == {"ok"}
    for k, patient in enumerate(people.index):
        np.testing.assert_allclose(ours.values[k], by_lsoda(known.loc[patient], schedule, patient), rtol=1e-5)


def by_lsoda(parameters, schedule, patient):
    own = schedule[schedule["patient"] == patient].sort_values("time", kind="stable")
    rows = [Action(*row) for row in own[["time", "kind", "target", "amount"]].itertuples(index=False)]
    course = solve_one(model(), parameters.to_dict(), rows, TIMES, OUTPUTS, rtol=1e-9, atol=1e-12)
    assert course.status == "ok", course.cause
    return course.values
