"""Random mass-action networks: mass is conserved and no amount becomes negative."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from stromal.engine import Status, empty_schedule, load, solve
from stromal.engine.reference import solve_one

SPECIES = "ABCDE"
NAMES = st.sampled_from(SPECIES)
REACTIONS = st.lists(st.tuples(NAMES, NAMES, NAMES, st.booleans(), st.floats(0.01, 5.0)), min_size=1, max_size=6)
STIFF_REACTIONS = st.lists(
    st.tuples(NAMES, NAMES, NAMES, st.booleans(), st.floats(-4.0, 4.0).map(lambda x: 10.0**x)), min_size=2, max_size=8
)
AMOUNTS = st.lists(st.floats(0.0, 10.0, allow_subnormal=False), min_size=5, max_size=5)
TIMES = np.linspace(0.0, 20.0, 9)


def network(reactions, amounts, size=1.0):
    """Antimony text; each reaction turns as many molecules into as many, so the sum stays."""
    lines = [f"compartment c = {size!r}"]
    lines += [f"species {name} in c = {amount!r}" for name, amount in zip(SPECIES, amounts, strict=True)]
    for k, (first, second, product, pair, speed) in enumerate(reactions):
        if pair:
            lines.append(f"{first} + {second} -> 2 {product}; c*k{k}*{first}*{second}")
        else:
            lines.append(f"{first} -> {product}; c*k{k}*{first}")
        lines.append(f"k{k} = {speed!r}")
    return "\n".join(lines) + "\n"


def course(text, **options):
    system = load(text)
    result = solve(system, pd.DataFrame(index=[0]), empty_schedule(), TIMES, list(SPECIES), **options)
    assert list(result.status) == [Status.OK]
    return result.values[0]


@settings(max_examples=40)
@given(REACTIONS, AMOUNTS)
def test_mass_is_conserved_and_no_amount_becomes_negative(reactions, amounts):
    values = course(network(reactions, amounts))
    total = sum(amounts)
    np.testing.assert_allclose(values.sum(axis=1), total, rtol=1e-9, atol=1e-12)
    assert values.min() >= -1e-6 * max(total, 1.0)


@settings(max_examples=40)
@given(STIFF_REACTIONS, AMOUNTS)
def test_mass_is_conserved_and_no_amount_becomes_negative_with_rates_over_eight_decades(reactions, amounts):
    values = course(network(reactions, amounts))
    total = sum(amounts)
    np.testing.assert_allclose(values.sum(axis=1), total, rtol=1e-9, atol=1e-12)
    assert values.min() >= -1e-6 * max(total, 1.0)


@settings(max_examples=15)
@given(STIFF_REACTIONS, AMOUNTS)
def test_a_stiff_network_agrees_with_the_reference_method(reactions, amounts):
    text = network(reactions, amounts)
    reference = solve_one(load(text), {}, [], TIMES, SPECIES, rtol=1e-9, atol=1e-12, method="Radau")
    assert reference.status == "ok", reference.cause
    np.testing.assert_allclose(course(text), reference.values, rtol=1e-4, atol=1e-5 * max(sum(amounts), 1.0))


@settings(max_examples=15)
@given(REACTIONS, AMOUNTS, st.floats(0.1, 10.0))
def test_concentrations_do_not_depend_on_the_size_of_the_compartment(reactions, amounts, size):
    one, other = course(network(reactions, amounts)), course(network(reactions, amounts, size))
    np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)


@settings(max_examples=15)
@given(st.lists(st.floats(0.05, 3.0), min_size=2, max_size=2), st.floats(0.5, 5.0), st.floats(1.0, 6.0))
def test_what_an_infusion_brings_is_what_is_there_and_what_was_lost(speeds, rate, duration):
    """The balance of a drug: infused = in the body + eliminated."""
    system = load("g = 0; b = 0; lost = 0\ng' = -a*g\nb' = a*g - e*b\nlost' = e*b\na = 1; e = 1\n")
    rows = [(0, 0.5, "rate", "g", rate), (0, 0.5 + duration, "rate", "g", 0.0), (0, 3.0, "bolus", "b", 1.0)]
    schedule = pd.DataFrame(rows, columns=["patient", "time", "kind", "target", "amount"])
    table = pd.DataFrame({"a": [speeds[0]], "e": [speeds[1]]})
    end = solve(system, table, schedule, [30.0]).values[0, 0]
    np.testing.assert_allclose(end.sum(), rate * duration + 1.0, rtol=1e-9)
