"""The rates of the composed model against the prototype's own right-hand side, at random states."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from stromal.biology import model, neutral
from stromal.biology.check import initial_rates

SHARED = Path(os.environ.get("STROMAL_SHARED", Path(__file__).parents[3] / "shared"))
PROTOTYPE = SHARED / "model/prototype.py"


@pytest.fixture(scope="module")
def prototype():
    if not PROTOTYPE.is_file():
        pytest.skip("the prototype is not here: set STROMAL_SHARED to the folder that holds model/prototype.py")
    spec = importlib.util.spec_from_file_location("stromal_prototype", PROTOTYPE)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@pytest.mark.parametrize("seed", range(6))
def test_rates_equal_the_prototype_s(prototype, seed):
    random = np.random.default_rng(seed)
    state = prototype.healthy(1) * np.exp(0.6 * random.standard_normal((prototype.NS, 1))) * 1.7
    state += 0.2 * random.random((prototype.NS, 1))
    # Mycophenolate with cyclophosphamide is the one declared difference: their factors multiply here.
    state[prototype.IX["dCYC" if seed % 2 else "dMMF"]] = 0.0
    taken = {drug: float(random.random()) for drug in prototype.DRUGS}
    insult = 4.0 * float(random.random())
    theirs = prototype.rhs(0.0, state, prototype.P0, taken, insult)[:, 0]
    theirs[prototype.IX["dRTX"]] -= prototype.P0["kdRTX"] * taken["dRTX"]  # a bolus here, not a daily drug
    changed = {
        **neutral(),
        **{f"u{drug[1:]}": share for drug, share in taken.items() if drug != "dRTX"},
        **{name: float(state[i, 0]) for name, i in prototype.IX.items()},
        "trigger": insult,
    }
    ours = initial_rates(model(), changed)
    assert [ours[name] for name in prototype.STATES] == pytest.approx(theirs, rel=1e-12, abs=1e-14)


def test_shipped_values_are_the_prototype_s_but_for_the_mendings(prototype):
    shared = set(prototype.P0) & set(model().parameters)
    assert {name for name in shared if model().parameters[name] != prototype.P0[name]} == set()
    assert set(prototype.P0) - shared == {
        *("kO", "trigA", "trigT", "fL", "fS", "trm"),
        *("aN", "aT", "aTr", "aB", "aPC", "aDC", "aM", "aTol"),
    }
