"""What is measured of this project's engine alone: threads, time to start, and many patients in bounded memory.

Start-up and memory are those of a new process: ``python -m benchmarks.engine_alone startup`` and
``python -m benchmarks.engine_alone ensemble PATIENTS``, which print JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd

from benchmarks.tasks import CARE_SSC_VISITS, ROOT, Task, care_ssc, systemic_sclerosis
from stromal.biology import model
from stromal.engine import empty_schedule, load, solve
from stromal.engine.ensemble import CHUNK, solve_chunks
from stromal.engine.quantiles import Quantiles
from stromal.engine.reducers import Mean, reduce

CACHE: Final = "STROMAL_CACHE"
RTOL, ATOL = 1e-5, 1e-7
"""Tolerances at which model (a) has a median error of about 1e-5."""
READOUTS: Final = ("mRSS", "FVC", "DLCO", "CRP")


@final
@dataclass(frozen=True)
class Threads:
    """Wall-clock time of one solve of model (a) [s], median of rounds."""

    patients: int
    one: float
    two: float


@final
@dataclass(frozen=True)
class Startup:
    """Times of a new process [s].

    Attributes
    ----------
    imported : float
        Python and all imports, processor time.
    driver : float
        First solve of a model of one state: what every model needs once.
    read : float
        The shipped model from Antimony to expressions.
    code : float
        First solve of one patient of the shipped model, less the second: to compile its machine code, or to load it.
    """

    imported: float
    driver: float
    read: float
    code: float


@final
@dataclass(frozen=True)
class Ensemble:
    """Many patients, reduced as they are solved.

    Attributes
    ----------
    wall, cpu : float
        [s]
    drawing : float
        Of `cpu`: drawing patients and writing their schedules [s].
    memory : float
        Peak resident memory of the process [MB].
    before : float
        The same before the first patient [MB].
    failed : int
    """

    patients: int
    threads: int
    wall: float
    cpu: float
    drawing: float
    memory: float
    before: float
    failed: int


def threads(patients: int, rounds: int) -> Threads:
    """One thread against two, in turn."""
    task = systemic_sclerosis(patients)
    taken: dict[int, list[float]] = {1: [], 2: []}
    _solve(task, 1)
    for _ in range(rounds):
        for count, seconds in taken.items():
            begun = time.perf_counter()
            _solve(task, count)
            seconds.append(time.perf_counter() - begun)
    return Threads(patients, float(np.median(taken[1])), float(np.median(taken[2])))


def startups() -> tuple[Startup, Startup]:
    """Start with an empty cache, and again with what the first start left there."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, CACHE: folder}
        return Startup(**_child(environment, "startup")), Startup(**_child(environment, "startup"))


def ensemble(patients: int) -> Ensemble:
    """Model (a) for many patients, in a process of its own."""
    return Ensemble(**_child(dict(os.environ), "ensemble", str(patients)))


def _solve(task: Task, count: int) -> None:
    solve(task.system, task.parameters, task.schedule, task.visits, rtol=RTOL, atol=ATOL, threads=count)


def _child(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Result of this module as a program."""
    command = [sys.executable, "-m", "benchmarks.engine_alone", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 - this very module
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _startup() -> Startup:
    imported = time.process_time()
    decay = load("model decay()\n  species x; x = 1; k = 1;\n  J: x =>; k * x;\nend\n")
    patient = pd.DataFrame({"k": [1.0]})
    driver = _seconds(lambda: solve(decay, patient, empty_schedule(), [1.0]))
    read = _seconds(model)
    task = systemic_sclerosis(1)
    first, second = (_seconds(lambda: _solve(task, 1)) for _ in range(2))
    return Startup(imported, driver, read, first - second)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _ensemble(patients: int) -> Ensemble:
    drawing = 0.0
    before = _peak()

    def tables() -> Iterator[pd.DataFrame]:
        nonlocal drawing
        for start in range(0, patients, CHUNK):
            begun = time.process_time()
            parameters, _ = care_ssc(start, min(CHUNK, patients - start))
            drawing += time.process_time() - begun
            yield parameters

    def schedule(parameters: pd.DataFrame) -> pd.DataFrame:
        return care_ssc(int(parameters.index[0]), len(parameters))[1]

    count = os.cpu_count() or 1
    wall, cpu = time.perf_counter(), time.process_time()
    given = model(), tables(), schedule, CARE_SSC_VISITS, READOUTS
    chunks = solve_chunks(*given, rtol=RTOL, atol=ATOL, threads=count)
    result = reduce(chunks, [Mean(), Quantiles((0.05, 0.5, 0.95))])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Ensemble(patients, count, wall, cpu, drawing, _peak(), before, len(result.failures))


def _peak() -> float:
    """Peak resident memory of this process [MB]; `ru_maxrss` would begin with that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def main() -> None:
    """One measurement of this process, as JSON."""
    result = _startup() if sys.argv[1] == "startup" else _ensemble(int(sys.argv[2]))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
