"""The engine against libRoadRunner: a small model with every construct, and random patients of the shipped one."""

import numpy as np
import pandas as pd
import pytest

from stromal.biology import actions, model, sbml, trigger
from stromal.compute.randomness import Streams
from stromal.design import Course
from stromal.engine import antimony_to_sbml, empty_schedule, load, solve
from stromal.population import draw, shipped_recipe

roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed: the extra `independent` has it")
MODELS = {
    "constructs": """
        function saturating(x, K) x/(K + x); end
        model constructs
          compartment plasma = 2.5, tissue = 0.5
          species A in plasma = 4, B in plasma; substanceOnly species C in tissue = 2
          B = 0.3*base
          J1: 2 A -> 3 B; k1*saturating(A, K1)*plasma
          J2: B + C -> ; k2*B*C
          J3: -> C; v*piecewise(2, time > 4, 0.5)
          k1 = 0.7; K1 = 1.3; k2 = 0.2; v = 0.4; base = 3
          z' = -z*k2 + offset; z = 2*base
          offset := base*piecewise(0.1, B < 2, 0.2) + ln(1 + total)
          total := A + B^1.5 + sqrt(C)
        end
    """,
    "stiff": """
        model stiff
          A -> B; 300*A - 0.3*B
          B -> C; 2*B*C + 0.01*B
          C -> ; 0.5*C
          A = 1; B = 0; C = 0.1
        end
    """,
}
NAMES = {"constructs": ["A", "B", "C", "z", "offset", "total"], "stiff": ["A", "B", "C"]}
TIMES = np.array([0.0, 0.5, 1.0, 4.0, 7.0, 12.0])


@pytest.mark.parametrize("name", MODELS)
def test_a_small_model_agrees_with_libroadrunner(name):
    system = load(MODELS[name])
    ours = solve(system, pd.DataFrame(index=[0]), empty_schedule(), TIMES, NAMES[name], rtol=1e-9, atol=1e-12)
    runner = roadrunner.RoadRunner(antimony_to_sbml(MODELS[name]))
    runner.integrator.relative_tolerance = 1e-11
    runner.integrator.absolute_tolerance = 1e-14
    amounts = [n if n not in ("A", "B") else f"[{n}]" for n in NAMES[name]]
    runner.timeCourseSelections = amounts if name == "constructs" else [f"[{n}]" for n in NAMES[name]]
    theirs = np.array(runner.simulate(times=list(TIMES)))
    np.testing.assert_allclose(ours.values[0], theirs, rtol=1e-6, atol=1e-9)


ENTRY = 300.0
VISITS = ENTRY + np.array([0.0, 1.0, 10.0, 91.0, 92.5, 200.0, 365.0])
OUTPUTS = ("mRSS", "FVC", "DLCO", "CRP", "CT_extent", "H_death", "H_organ")
COURSES = [
    Course.model_validate({"product": "mycophenolate", "from_day": 0}),
    Course.model_validate({"product": "umbilical_cord_msc", "dose_per_kg": 1e6, "route": "iv", "days": (0, 91)}),
    Course.model_validate({"product": "rituximab", "days": (180, 194)}),
]


def test_random_patients_with_doses_agree_with_libroadrunner(two_arm):
    """verification/engine_references.py does the same for 200 patients and three regimens."""
    people = draw(shipped_recipe(), two_arm.population, Streams(12, 0), 0, 30).parameters
    schedule = pd.concat([trigger(people), actions(COURSES, people, entry=ENTRY)], ignore_index=True)
    known = people[[c for c in people.columns if c in model().parameters]]
    ours = solve(model(), known, schedule, VISITS, OUTPUTS, rtol=1e-8, atol=1e-11)
    assert set(ours.status) == {"ok"}
    runner = roadrunner.RoadRunner(sbml())
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-13
    runner.integrator.maximum_num_steps = 1_000_000
    for k, patient in enumerate(people.index):
        own = schedule[schedule["patient"] == patient]
        np.testing.assert_allclose(ours.values[k], from_action_to_action(runner, known.loc[patient], own), rtol=1e-5)


def from_action_to_action(runner, parameters, schedule):
    """One patient, (n_times, n_outputs): values of the simulator are set by hand at each action."""
    runner.resetAll()
    for name, value in parameters.items():
        runner.setValue(name, float(value))
    now, recorded = 0.0, {}
    for stop in sorted({*VISITS, *schedule.loc[schedule["time"] <= VISITS[-1], "time"]}):
        if stop > now:
            runner.simulate(now, stop, 2)
            now = stop
        recorded[stop] = [runner.getValue(name) for name in OUTPUTS]
        for row in schedule[schedule["time"] == stop].itertuples():
            before = runner.getValue(row.target)
            after = {"set": row.amount, "bolus": before + row.amount, "scale": before * row.amount}
            runner.setValue(row.target, after[row.kind])
    return np.array([recorded[t] for t in VISITS])
