"""Health is a steady state for every parameter set, and what the disease does for any patient."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from stromal.biology import actions, model, neutral, parameter_table, trigger
from stromal.biology.check import HAZARDS, initial_rates
from stromal.biology.reference import ARMS, ENTRY_DAY, treated
from stromal.design import Course
from stromal.engine import solve

SEEDS = st.integers(0, 2**32 - 1)
SHARES = (
    (("w6M", 2.0), ("w6B", 1.0)),
    (("wTNM", 2.0),),
    (("wIR", 1.0),),
    (("wRM", 1.0), ("wRE", 1.0)),
    (("wGM", 1.0),),
)
LATENT = (("wLM", 1.0), ("wLF", 1.0), ("wLB", 1.0))
OTHER_SHARES = (("wOM", 1.0),), (("wBapc", 1.0),), (("wTrE", 1.0),)


def any_parameters(random):
    """Every parameter log-normal around its value; threshold at or above health, shares that add up."""
    values = {name: value * np.exp(random.standard_normal()) for name, value in model().parameters.items()}
    values["thP"] = 1.0 + random.exponential()
    for group in (*SHARES, LATENT, *OTHER_SHARES):
        parts = random.dirichlet(np.ones(len(group) + 1))
        values |= {name: part / times for (name, times), part in zip(group, parts, strict=False)}
    values["wLBl"] = (1.0 - values["wLM"] - values["wLF"]) * random.random()
    inputs = {name: 0.0 for name in model().parameters if name == "trigger" or name.startswith("u")}
    return {name: float(value) for name, value in (values | inputs).items()}


def any_patients(random, n):
    """Virtual patients as the parameter table spreads them."""
    table = parameter_table()
    spread = table[table["distribution"] == "lognormal"]
    draws = np.exp(spread["spread"].to_numpy() * random.standard_normal((n, len(spread))))
    patients = pd.DataFrame(spread["value"].to_numpy() * draws, columns=spread["symbol"].to_list())
    return patients.assign(iTCZ=patients["iTCZ"].clip(upper=0.97), aN=patients["aN"].clip(upper=0.9))


def of_the_model(patients):
    return patients[[name for name in patients.columns if name in model().parameters]]


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_health_is_steady_for_every_parameter_set(seed):
    rates = initial_rates(model(), any_parameters(np.random.default_rng(seed)))
    assert max(abs(rate) for state, rate in rates.items() if state not in HAZARDS) <= 1e-12


@settings(max_examples=4, deadline=None)
@given(SEEDS)
def test_no_state_becomes_negative_whatever_is_given(seed):
    random = np.random.default_rng(seed)
    patients = any_patients(random, 6)
    arms = random.choice(list(ARMS), size=len(patients))
    parts = [trigger(patients)]
    parts += [
        actions(ARMS[a], patients.iloc[[i]], entry=random.uniform(100, 900)) for i, a in enumerate(arms) if ARMS[a]
    ]
    schedule = pd.concat(parts, ignore_index=True)
    result = solve(model(), of_the_model(patients), schedule, np.arange(10.0, 1500.0, 35.0))
    assert list(result.status) == ["ok"] * len(patients)
    assert result.values.min() >= -1e-7


@settings(max_examples=4, deadline=None)
@given(SEEDS)
def test_a_weak_trigger_leaves_any_host_healthy(seed):
    random = np.random.default_rng(seed)
    patients = any_patients(random, 6)
    patients["trigA"] = random.uniform(0.0, 0.4, len(patients))
    patients["trigT"] = random.uniform(10.0, 60.0, len(patients))
    late = solve(model(), of_the_model(patients), trigger(patients), np.array([1825.0])).values[:, 0]
    states = [i for i, name in enumerate(model().states) if name not in HAZARDS]
    healthy = np.round(np.clip(late[:, states], 0, 1))
    assert np.abs(late[:, states] - healthy).max() < 0.05


@settings(max_examples=4, deadline=None)
@given(SEEDS)
def test_a_resistant_host_heals_but_for_damage_and_slow_matrix(seed):
    patients = any_patients(np.random.default_rng(seed), 6).assign(sig=0.0)
    late = solve(model(), of_the_model(patients), trigger(patients), np.array([1825.0])).values[:, 0]
    lasting = {*HAZARDS, "Ds", "Xs", "Xl"}
    above = [i for i, name in enumerate(model().states) if name not in lasting]
    # Below health lie the capillaries and progenitors that are lost for years, and what depends on them.
    assert late[:, above].max() < 1.05
    assert late[:, model().states.index("N")].max() <= 1.0 + 1e-6


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_without_responsiveness_cells_change_nothing(seed):
    random = np.random.default_rng(seed)
    drawn = any_parameters(random) | {"eff": 0.0, "Ml": 1.0, "Ms": 0.5, "Apo": 0.3, "EV": 2.0}
    rates = initial_rates(model(), drawn)
    products = {"Ml", "Ms", "Apo", "EV", "Sal"}
    assert all(abs(rate) <= 1e-12 for state, rate in rates.items() if state not in products | HAZARDS)


def test_transplantation_resets_memory_and_ordinary_drugs_relapse_after_stopping():
    two_years = Course(product="mycophenolate", from_day=0, to_day=730)
    patients = pd.DataFrame({"eff": [1.0, 1.0, 1.0]}, index=["untreated", "stopped", "transplanted"])
    schedule = pd.concat(
        [
            trigger(patients),
            actions([two_years], patients.loc[["stopped"]], entry=ENTRY_DAY),
            actions(ARMS["AHSCT"], patients.loc[["transplanted"]], entry=ENTRY_DAY),
        ],
        ignore_index=True,
    )
    days = ENTRY_DAY + np.array([0.0, 730.0, 2920.0])
    memory, antibody, score = np.moveaxis(solve(model(), patients, schedule, days, ("N", "Ab", "mRSS")).values, 2, 0)
    assert memory[0, 0] > 6
    assert memory[2, 1] < 1.6
    assert memory[2, 2] < 1.2
    assert score[2, 2] < 6
    assert antibody[1, 1] < 0.8 * antibody[0, 1]
    assert abs(antibody[1, 2] / antibody[0, 2] - 1) < 0.02
    assert abs(memory[1, 2] / memory[0, 2] - 1) < 0.02


def test_the_shipped_mendings_do_what_they_are_for():
    shipped, before = (
        treated(np.array([0.0, 168.0, 3285.0]), changed, ("untreated", "RTX", "AHSCT")) for changed in ({}, neutral())
    )

    def gain(course):
        change = course["mRSS"].unstack("case").loc[168.0] - course["mRSS"].unstack("case").loc[0.0]
        return change["RTX"] - change["untreated"]

    assert gain(shipped) < gain(before) - 0.4
    assert before.at[("AHSCT", 3285.0), "mRSS"] < 0.1
    assert 2.5 < shipped.at[("AHSCT", 3285.0), "mRSS"] < 6.5
    assert abs(shipped.at[("untreated", 3285.0), "mRSS"] - before.at[("untreated", 3285.0), "mRSS"]) < 4
