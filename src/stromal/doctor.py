"""Is this installation able and correct? Versions, the machine, and known answers."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Final, final

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from stromal.biology import neutral
from stromal.biology.check import check
from stromal.biology.reference import natural_history
from stromal.compute.executor import processors
from stromal.compute.provenance import LIBRARIES, processor
from stromal.compute.randomness import Streams
from stromal.engine import empty_schedule, load, solve
from stromal.population.spirometry import predicted_fvc_ml

FIRST_UNIFORMS: Final = (0.9511843015422836, 0.1131802293557837)
"""Known answer of the random streams: the first two draws of seed 1, replicate 0, purpose ``doctor``."""
_DECAY: Final = "model decay()\n  species A; A = 1; B = 0; k = 0.3; A -> B; k*A/(1 + A)\nend\n"


@final
@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes
    ----------
    name : str
    passed : bool
    detail : str
        What was seen.
    """

    name: str
    passed: bool
    detail: str


def examine() -> list[Check]:
    """Run every check; none of them raises."""
    return [*_machine(), *(_guarded(name, test) for name, test in _TESTS.items())]


def _machine() -> Iterator[Check]:
    yield Check("Python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Check("processor", True, f"{processor()}, {processors()} usable")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield Check("libraries", True, versions)


def _guarded(name: str, test: Callable[[], tuple[bool, str]]) -> Check:
    try:
        passed, detail = test()
    except Exception as error:  # noqa: BLE001 - a failing check is a finding of the doctor, whatever it raises
        return Check(name, False, f"{type(error).__name__}: {error}")
    return Check(name, passed, detail)


def _random_streams() -> tuple[bool, str]:
    drawn = tuple(float(u) for u in Streams(1, 0).uniform("doctor", 2))
    return drawn == FIRST_UNIFORMS, f"drew {drawn}, known {FIRST_UNIFORMS}"


def _model_check() -> tuple[bool, str]:
    findings = check()
    return not findings, "no finding" if not findings else "; ".join(f"{f.place}: {f.message}" for f in findings[:3])


def _solver() -> tuple[bool, str]:
    system = load(_DECAY)
    ours = solve(system, pd.DataFrame(index=[0]), empty_schedule(), [20.0], ["A"])["A"][0, 0]
    theirs = solve_ivp(lambda _, y: [-0.3 * y[0] / (1 + y[0])], (0, 20), [1.0], method="LSODA", rtol=1e-11, atol=1e-13)
    error = abs(ours / theirs.y[0, -1] - 1.0)
    return bool(error < 1e-5), f"differs from SciPy LSODA by {error:.1e} (relative)"


def _natural_history() -> tuple[bool, str]:
    course = natural_history(np.array([540.0]), neutral())
    row = course.loc["diffuse with lung disease"].iloc[0]
    seen = {"mRSS": (float(row["mRSS"]), 24.0), "FVC": (float(row["FVC"]), 83.2)}
    return all(abs(a - b) <= 0.05 + 0.01 * b for a, b in seen.values()), ", ".join(
        f"{k} {a:.2f} (known {b})" for k, (a, b) in seen.items()
    )


def _spirometry() -> tuple[bool, str]:
    litres = predicted_fvc_ml(["male"], [50.0], [178.0], ["caucasian"])[0] / 1000.0
    return bool(abs(litres - 5.002) < 0.001), f"{litres:.3f} L (known 5.002)"


_TESTS: Final[dict[str, Callable[[], tuple[bool, str]]]] = {
    "random streams": _random_streams,
    "the model": _model_check,
    "the solver": _solver,
    "natural history of the reference patient, mendings off": _natural_history,
    "spirometry reference": _spirometry,
}
