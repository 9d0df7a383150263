"""The engine against SciPy and libRoadRunner: 200 random patients of the shipped model, with doses.

`python verification/engine_references.py [patients]`; exit status 1 if any value differs by more than 1e-5.
Two to three minutes for 200 patients.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import roadrunner

from stromal.biology import actions, model, sbml, trigger
from stromal.compute.randomness import Streams
from stromal.design import Course, read_design
from stromal.engine import solve
from stromal.engine.reference import Action, solve_one
from stromal.population import draw, shipped_recipe
from stromal.population.activity import activity_changes

ROOT = Path(__file__).resolve().parents[1]
ENTRY = 300.0
TIMES = ENTRY + np.array([0.0, 1.0, 10.0, 91.0, 92.5, 200.0, 365.0])
OUTPUTS = ("mRSS", "FVC", "DLCO", "CRP", "CT_extent", "H_death", "H_organ")
REGIMENS: tuple[tuple[dict[str, object], ...], ...] = (
    (),
    (
        {"product": "mycophenolate", "from_day": 0},
        {"product": "umbilical_cord_msc", "days": (0, 91), "dose_per_kg": 1e6, "route": "iv"},
    ),
    ({"product": "ahsct", "days": (10,)}, {"product": "rituximab", "days": (180, 194)}),
)
ALLOWED = 1e-5


def patients(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random patients, a third of them on each regimen, and their schedule."""
    population = read_design(ROOT / "examples" / "two-arm-60.yaml").population
    candidates = draw(shipped_recipe(), population, Streams(2026, 0), 0, n)
    people = candidates.parameters
    parts = [trigger(people), activity_changes(candidates.activity, -1.0, TIMES[-1])]
    for k, regimen in enumerate(REGIMENS):
        courses = [Course.model_validate(course) for course in regimen]
        parts.append(actions(courses, people.iloc[k :: len(REGIMENS)], entry=ENTRY))
    schedule = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return people[[c for c in people.columns if c in model().parameters]], schedule


def own_rows(schedule: pd.DataFrame, patient: object) -> list[Action]:
    """One patient's actions in order of time."""
    own = schedule[schedule["patient"] == patient].sort_values("time", kind="stable")
    return [Action(*row) for row in own[["time", "kind", "target", "amount"]].itertuples(index=False)]


def by_scipy(parameters: pd.DataFrame, schedule: pd.DataFrame) -> np.ndarray:
    """(n_patients, n_times, n_outputs), by LSODA."""
    courses = [
        solve_one(model(), row.to_dict(), own_rows(schedule, patient), TIMES, OUTPUTS, rtol=1e-9, atol=1e-12)
        for patient, row in parameters.iterrows()
    ]
    return np.array([course.values for course in courses])


def by_roadrunner(parameters: pd.DataFrame, schedule: pd.DataFrame) -> np.ndarray:
    """The same by CVODE of libRoadRunner, from action to action."""
    runner = roadrunner.RoadRunner(sbml())
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-13
    runner.integrator.maximum_num_steps = 1_000_000
    runner.timeCourseSelections = list(OUTPUTS)
    return np.array([course(runner, row, own_rows(schedule, patient)) for patient, row in parameters.iterrows()])


def course(runner: roadrunner.RoadRunner, parameters: pd.Series, rows: list[Action]) -> np.ndarray:
    """One patient, (n_times, n_outputs)."""
    runner.resetAll()
    for name, value in parameters.items():
        runner.setValue(name, float(value))
    now, recorded = 0.0, {}
    for stop in sorted({*TIMES, *(row.time for row in rows if row.time <= TIMES[-1])}):
        if stop > now:
            runner.simulate(now, stop, 2)
            now = stop
        recorded[stop] = [runner.getValue(name) for name in OUTPUTS]
        for row in (r for r in rows if r.time == stop):
            before = runner.getValue(row.target)
            after = {"set": row.amount, "bolus": before + row.amount, "scale": before * row.amount}
            runner.setValue(row.target, after[row.kind])
    return np.array([recorded[t] for t in TIMES])


def main() -> int:
    """Print the largest differences."""
    parameters, schedule = patients(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    ours = solve(model(), parameters, schedule, TIMES, OUTPUTS, rtol=1e-8, atol=1e-11)
    failed = int((ours.status != "ok").sum())
    print(f"{len(parameters)} patients, {failed} not solved by the engine's own method")
    agreed = failed == 0
    for name, other in (("SciPy, LSODA", by_scipy), ("libRoadRunner, CVODE", by_roadrunner)):
        begun = time.perf_counter()
        theirs = other(parameters, schedule)
        difference = np.abs(ours.values - theirs) / np.maximum(np.abs(theirs), 1e-12)
        worst = np.nanmax(difference) if np.isfinite(theirs).all() else np.inf
        each = ", ".join(f"{o} {d:.1e}" for o, d in zip(OUTPUTS, difference.max(axis=(0, 1)), strict=True))
        print(f"{name}: largest relative difference {worst:.1e} ({each}); {time.perf_counter() - begun:.0f} s")
        agreed &= bool(worst <= ALLOWED)
    print("agreed" if agreed else f"NOT agreed to {ALLOWED}")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
