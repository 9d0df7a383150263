"""Patients far outside the usual: each is solved, or listed with time, state, status and cause; none fails silently."""

import numpy as np
import pandas as pd

from stromal.biology import actions, model, trigger
from stromal.compute.randomness import Streams
from stromal.design import Course
from stromal.engine import solve
from stromal.engine.failures import failure_table, likely_cause
from stromal.engine.trajectories import solved
from stromal.population import draw, shipped_recipe

N = 4096
ENTRY = 300.0
TIMES = np.array([0.0, 150.0, ENTRY, ENTRY + 1.0, ENTRY + 91.0, ENTRY + 200.0, 730.0])
COURSES = [
    Course.model_validate({"product": "mycophenolate", "from_day": 0}),
    Course.model_validate({"product": "umbilical_cord_msc", "dose_per_kg": 1e6, "route": "iv", "days": (0, 91)}),
    Course.model_validate({"product": "rituximab", "days": (180, 194)}),
]


def doubled_spread(people):
    """Every parameter twice as far from its median, on the log scale; within the bounds of the recipe."""
    varying = [c for c in people.columns if people[c].gt(0.0).all() and people[c].nunique() > 1]
    assert len(varying) > 20
    wide = people.assign(**(people[varying] ** 2 / people[varying].median()))
    for name, bounds in shipped_recipe().bounds.items():
        if name not in wide:
            continue  # a parameter that only a draw of the posterior moves
        wide[name] = wide[name].clip(bounds.low, bounds.high)
    return wide


def test_of_4096_patients_with_doubled_spread_none_fails_silently(two_arm):
    people = doubled_spread(draw(shipped_recipe(), two_arm.population, Streams(3, 0), 0, N).parameters)
    schedule = pd.concat([trigger(people), actions(COURSES, people, entry=ENTRY)], ignore_index=True)
    known = people[[c for c in people.columns if c in model().parameters]]
    states = model().states
    result = solve(model(), known, schedule, TIMES, (*states, "mRSS", "FVC", "DLCO"), threads=2)
    fine = solved(result.status)
    assert np.isfinite(result.values[fine]).all()
    assert result.values[fine][:, :, : len(states)].min() > -1e-6
    listed = failure_table(result)
    assert set(listed["patient"]) == set(known.index[~fine])
    for patient, time, status in listed.itertuples(index=False):
        cause = likely_cause(model(), result, known, known.index.get_loc(patient))
        assert 0.0 <= time <= TIMES[-1]
        assert status in cause
        assert any(f"{state} = " in cause for state in states)
    assert fine.mean() > 0.999
