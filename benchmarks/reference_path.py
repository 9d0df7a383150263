"""Throughput of the reference solver beside SciPy's LSODA, at equal true error, in one run on the same work.

Work: untreated and treated patients of the shipped model for five years from the trigger, with their own parameters
and the read-outs of six visits. The true error of each setting is measured against a run at a much tighter
tolerance. LSODA gets one patient at a time with the same compiled right-hand side: NumPy calls on arrays of one
element, whose overhead dominates. So the ratio says what solving patients together saves in Python; it is not a
statement about LSODA in compiled code.

Writes `docs/performance.md`. Run it alone on the machine: `python benchmarks/reference_path.py` (under 3 minutes).
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from stromal.biology import actions, model, trigger
from stromal.compute.executor import processors
from stromal.compute.provenance import processor
from stromal.compute.randomness import Streams
from stromal.design import Course, read_design
from stromal.engine import solve
from stromal.engine.codegen import compile_kernel
from stromal.population import draw, shipped_recipe

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "python benchmarks/reference_path.py"
PATIENTS = 1000
SINGLE = 8  # patients that LSODA solves, one after another; errors are matched on these
YEARS = 5.0
ENTRY = 540.0
TIMES = np.array([0.2, 0.4, 0.6, 0.8, 0.9, 1.0]) * YEARS * 365.0
READOUTS = ("mRSS", "FVC", "DLCO", "CRP", "CT_extent")
SETTINGS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
LSODA_SETTINGS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
SHIPPED = 1e-6  # what simulated courses use: stromal.population.history.RTOL


@dataclass(frozen=True)
class Run:
    """One setting of one method."""

    rtol: float
    median: float  # of the true error, over the patients that both methods solve
    worst: float  # of all its patients, 99th percentile
    rate: float


def patients() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parameters, and the schedule: trigger, mycophenolate and two infusions for every second patient."""
    design = read_design(ROOT / "examples" / "two-arm-60.yaml")
    drawn = draw(shipped_recipe(), design.population, Streams(1, 0), 0, PATIENTS).parameters
    parameters = drawn[[c for c in drawn.columns if c in model().parameters]].assign(eff=0.25)
    courses = [
        Course.model_validate({"product": "mycophenolate", "from_day": 0}),
        Course.model_validate({"product": "umbilical_cord_msc", "dose_per_kg": 1e6, "route": "iv", "days": (0, 91)}),
    ]
    treated = drawn.iloc[::2]
    return parameters, pd.concat([trigger(drawn), actions(courses, treated, entry=ENTRY)], ignore_index=True)


def errors(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Largest relative error of a read-out, (n_patients,); where the read-out is below 1 it is absolute."""
    error = np.abs(values - reference) / np.maximum(np.abs(reference), 1.0)
    return error.max(axis=(1, 2))


def summarised(rtol: float, error: np.ndarray, seconds: float) -> Run:
    """A run from its errors and the processor time it took."""
    return Run(rtol, float(np.median(error[:SINGLE])), float(np.quantile(error, 0.99)), len(error) / seconds)


def by_engine(parameters: pd.DataFrame, schedule: pd.DataFrame, reference: np.ndarray) -> list[Run]:
    """All patients together, each setting once."""
    runs = []
    for rtol in SETTINGS:
        begun = time.process_time()
        result = solve(model(), parameters, schedule, TIMES, READOUTS, rtol=rtol, atol=rtol / 100.0)
        seconds = time.process_time() - begun
        runs.append(summarised(rtol, errors(result.values, reference), seconds))
    return runs


def by_lsoda(parameters: pd.DataFrame, schedule: pd.DataFrame, reference: np.ndarray) -> list[Run]:
    """Patient after patient, from action to action."""
    runs = []
    for rtol in LSODA_SETTINGS:
        begun = time.process_time()
        values = [single(parameters.loc[[p]], schedule[schedule["patient"] == p], rtol) for p in parameters.index]
        seconds = time.process_time() - begun
        runs.append(summarised(rtol, errors(np.array(values), reference), seconds))
    return runs


def single(parameters: pd.DataFrame, schedule: pd.DataFrame, rtol: float) -> np.ndarray:
    """Read-outs of one patient by LSODA, (n_times, n_readouts)."""
    system = model()
    slots = tuple(sorted(set(schedule.loc[schedule["kind"] == "set", "target"])))
    fixed = dict(system.parameters) | parameters.iloc[0].to_dict()
    current = np.array([[fixed.pop(s)] for s in slots]).reshape(len(slots), 1)

    def kernel(names: list[str]) -> tuple:
        nodes = [system.expanded[n] for n in names]
        compiled = compile_kernel(system.graph, nodes, states=system.states, slots=slots, varying=[], fixed=fixed)
        return compiled.evaluate, compiled.hoist([]), np.empty((len(names), 1))

    def call(made: tuple, t: float, y: np.ndarray) -> np.ndarray:
        evaluate, constants, out = made
        evaluate(np.array([t]), y[:, None], current, constants, out)
        return out[:, 0].copy()

    rates, outputs = kernel([f"rate of {s}" for s in system.states]), kernel(list(READOUTS))
    y, now = call(kernel([f"initial {s}" for s in system.states]), 0.0, np.zeros(len(system.states))), 0.0
    recorded = []
    for stop in sorted({*TIMES, *schedule.loc[schedule["time"] <= TIMES[-1], "time"]}):
        if stop > now:
            y = solve_ivp(
                lambda t, x: call(rates, t, x), (now, stop), y, method="LSODA", rtol=rtol, atol=rtol / 100.0
            ).y[:, -1]
            now = stop
        if stop in TIMES:
            recorded.append(call(outputs, stop, y))
        for action in schedule[schedule["time"] == stop].itertuples():
            if action.kind == "set":
                current[slots.index(action.target)] = action.amount
            else:
                i = system.states.index(action.target)
                y[i] = y[i] + action.amount if action.kind == "bolus" else y[i] * action.amount
    return np.array(recorded)


def rate_at(runs: list[Run], error: float) -> float:
    """Throughput at a true error, interpolated between settings on logarithmic scales."""
    ordered = sorted(runs, key=lambda r: r.median)
    return float(
        np.exp(np.interp(np.log(error), [np.log(r.median) for r in ordered], [np.log(r.rate) for r in ordered]))
    )


def table(engine: list[Run], lsoda: list[Run]) -> str:
    """Markdown: each setting of the engine, and LSODA at the same true error."""
    low, high = min(r.median for r in lsoda), max(r.median for r in lsoda)
    lines = [
        "| relative tolerance | true error, median | 99th percentile | patients x 5 years per second | LSODA | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for run in engine:
        inside = low <= run.median <= high
        other = rate_at(lsoda, run.median) if inside else float("nan")
        peer = f"{other:.2f} | {run.rate / other:.0f}" if inside else "not measured | -"
        mark = " (shipped)" if run.rtol == SHIPPED else ""
        lines.append(f"| {run.rtol:.0e}{mark} | {run.median:.1e} | {run.worst:.1e} | {run.rate:.1f} | {peer} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, print and write the page."""
    parameters, schedule = patients()
    few = list(parameters.index[:SINGLE])
    reference = solve(model(), parameters, schedule, TIMES, READOUTS, rtol=1e-10, atol=1e-13).values
    solve(model(), parameters.iloc[:2], schedule[schedule["patient"] < 2], TIMES, READOUTS)  # compiles
    engine = by_engine(parameters, schedule, reference)
    lsoda = by_lsoda(parameters.loc[few], schedule[schedule["patient"].isin(few)], reference[:SINGLE])
    found = table(engine, lsoda)
    page = (
        "# Performance\n\n"
        f"Made by `{COMMAND}` on one of {processors()} processors ({processor()}), NumPy {np.__version__}.\n\n"
        "## The reference solver beside LSODA\n\n"
        f"{PATIENTS} patients of the shipped model, {YEARS:.0f} years each from the trigger; every second one takes "
        "mycophenolate and two infusions. The true error is the largest relative error of a read-out (below one unit "
        "absolute) against a relative tolerance of 1e-10; seconds are processor time of one thread.\n\n"
        f"{found}\n"
        f"LSODA (SciPy) solves {SINGLE} of the patients one after another with the same right-hand side, called "
        "through NumPy on arrays of one element: its time is mostly the overhead of these calls. The column shows its "
        "throughput at the same median error of these patients. The ratio says what solving patients together saves "
        "in Python, not how LSODA does in compiled code.\n"
    )
    (ROOT / "docs" / "performance.md").write_text(page, encoding="utf-8")
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
