"""The engine against LSODA of SciPy: single patients of the shipped model, with drugs and cells."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from stromal.biology import actions, model, parameter_table, trigger
from stromal.design import Course
from stromal.engine import solve
from stromal.engine.codegen import compile_kernel

ENTRY = 300.0
TIMES = ENTRY + np.array([0.0, 1.0, 10.0, 91.0, 92.5, 200.0])
OUTPUTS = ("mRSS", "FVC", "DLCO", "CRP", "H_death", "H_organ")


def course(product, **options):
    return Course.model_validate({"product": product} | options)


CELLS = {"dose_per_kg": 1e6, "route": "iv"}
REGIMENS = {
    "untreated": [],
    "drug and two infusions": [
        course("mycophenolate", from_day=0),
        course("umbilical_cord_msc", days=(0, 91), **CELLS),
    ],
    "transplantation, then rituximab": [course("ahsct", days=(10,)), course("rituximab", days=(180, 194))],
}


def patient(number):
    """One patient with every log-normal parameter of the table drawn."""
    table = parameter_table()
    table = table[(table["distribution"] == "lognormal") & table.index.isin(list(model().parameters))]
    spread = table["spread"].to_numpy(dtype=float) * np.random.default_rng(number).standard_normal(len(table))
    return pd.DataFrame([table["value"].to_numpy(dtype=float) * np.exp(spread)], columns=table.index).clip(
        upper=pd.Series({"iTCZ": 0.97, "aN": 0.9}).reindex(table.index, fill_value=np.inf), axis=1
    )


def by_lsoda(parameters, schedule):
    """A plain loop over the schedule: integrate to the next action or output, record, act."""
    system = model()
    values = dict(system.parameters) | parameters.iloc[0].to_dict()
    rates = kernel([f"rate of {s}" for s in system.states])
    outputs, initial = kernel(OUTPUTS), kernel([f"initial {s}" for s in system.states])
    y, time, inflow = call(initial, 0.0, np.zeros(len(system.states)), values), 0.0, np.zeros(len(system.states))
    stops = sorted({*TIMES, *schedule["time"]})
    recorded = {}
    for stop in (s for s in stops if s <= TIMES[-1]):
        if stop > time:
            run = solve_ivp(
                lambda t, x, u: call(rates, t, x, values) + u,
                (time, stop),
                y,
                method="LSODA",
                args=(inflow,),
                rtol=1e-10,
                atol=1e-13,
            )
            assert run.success
            y, time = run.y[:, -1], stop
        recorded[stop] = call(outputs, time, y, values)
        for row in schedule[schedule["time"] == stop].itertuples():
            if row.kind == "set":
                values[row.target] = row.amount
                continue
            i = system.states.index(row.target)
            y[i] = y[i] + row.amount if row.kind == "bolus" else y[i] * row.amount
            assert row.kind in ("bolus", "scale")
    return np.array([recorded[t] for t in TIMES])


def kernel(names):
    """Compiled expressions that take every parameter at every call."""
    system = model()
    compiled = compile_kernel(
        system.graph,
        [system.expanded[n] for n in names],
        states=system.states,
        slots=tuple(system.parameters),
        varying=[],
        fixed={},
    )
    return compiled, len(names)


def call(compiled, time, y, values):
    function, width = compiled
    out = np.empty((width, 1))
    parameters = np.array([values[name] for name in model().parameters])[:, None]
    function.evaluate(np.array([time]), np.asarray(y)[:, None], parameters, function.hoist([]), out)
    return out[:, 0]


@pytest.mark.parametrize(("name", "number"), list(zip(REGIMENS, (1, 2, 3), strict=True)))
def test_a_patient_of_the_shipped_model_agrees_with_lsoda(name, number):
    parameters = patient(number)
    schedule = pd.concat([trigger(parameters), actions(REGIMENS[name], parameters, entry=ENTRY)], ignore_index=True)
    ours = solve(model(), parameters, schedule, TIMES, OUTPUTS, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(ours.values[0], by_lsoda(parameters, schedule), rtol=1e-6)
