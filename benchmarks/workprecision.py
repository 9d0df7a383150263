"""Work and precision of every engine on a task, measured in rounds in which the engines take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np

from benchmarks.adapters.amici import Amici
from benchmarks.adapters.engine import Engine, NotAbleError, NotInstalledError, Solver
from benchmarks.adapters.explicit import DormandPrince
from benchmarks.adapters.lsoda import Lsoda
from benchmarks.adapters.pydiffsol import PydiffsolExplicit, PydiffsolImplicit
from benchmarks.adapters.roadrunner import RoadRunner
from benchmarks.adapters.stromal import Double, Mixed
from benchmarks.reference import Reference
from benchmarks.tasks import Task

ENGINES: Final[tuple[Engine, ...]] = (
    *(Double(), Mixed(), PydiffsolImplicit(), PydiffsolExplicit()),
    *(Amici(), RoadRunner(), Lsoda(), DormandPrince()),
)
TARGET: Final = 1e-5
"""Median error at which engines are compared."""
TARGET_P99: Final = 3e-5
SMALLEST, LARGEST = 5e-7, 3e-3
"""Errors that a ladder covers."""
STALLED, PATIENCE = 0.8, 2
"""A ladder ends where so many tolerances in turn did not bring the error below this share of the best so far."""
COMMON: Final = 24
"""The median error is that of the first so many patients, whom every engine solves (fewer where it says so)."""
LEAST, FEW, MANY = 3, 8, 256
"""Patients for a point of an engine without batches: at least, while its setting is chosen, and at most."""
LIMIT: Final = 20.0
"""A ladder ends with the point that takes longer than this [s]."""


@final
@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    patients : int
        In a task; the engines without batches get the first of them.
    rounds : int
    shares : tuple of float
        Absolute tolerances that are tried, as shares of the relative one.
    tolerances : tuple of float
        Relative tolerances from loose to tight; a ladder ends once the error is small enough.
    seconds : float
        That a point of an engine without batches should take.
    """

    patients: int
    rounds: int
    shares: tuple[float, ...]
    tolerances: tuple[float, ...]
    seconds: float


FULL: Final = Effort(1024, 3, (1e-3, 1e-2, 1e-1), tuple(float(f"{10.0 ** (-k / 2):.0e}") for k in range(6, 23)), 0.5)
QUICK: Final = Effort(64, 1, (1e-2,), tuple(10.0**-k for k in range(3, 12)), 0.2)


@final
@dataclass(frozen=True)
class Setting:
    """How an engine is used on a task.

    Attributes
    ----------
    method : str
    share : float
        Absolute tolerance as a share of the relative one.
    """

    method: str
    share: float


@final
@dataclass(frozen=True)
class Point:
    """One relative tolerance of one engine.

    Attributes
    ----------
    rtol : float
    median : float
        Of the true error over the common patients.
    p99 : float
        Over all patients that it solved.
    rate : float
        Patients per second of processor time.
    patients : int
    """

    rtol: float
    median: float
    p99: float
    rate: float
    patients: int


@final
@dataclass(frozen=True, eq=False)
class Entry:
    """What came of one engine on one task.

    Attributes
    ----------
    engine : Engine
    version : str
    setting : Setting or None
        The fastest one; None where the engine did not take part.
    points : tuple of Point
    remark : str
        Why it did not take part.
    """

    engine: Engine
    version: str = ""
    setting: Setting | None = None
    points: tuple[Point, ...] = ()
    remark: str = ""

    def rate_at_median(self) -> float | None:
        """Throughput at the median error `TARGET`."""
        return interpolated(self.points, lambda p: p.median, TARGET)

    def rate_at_p99(self) -> float | None:
        """Throughput at the 99th percentile `TARGET_P99`."""
        return interpolated(self.points, lambda p: p.p99, TARGET_P99)


@dataclass
class _Contestant:
    engine: Engine
    version: str
    setting: Setting
    solver: Solver
    ladder: tuple[Point, ...]
    taken: dict[float, list[Point]] = field(default_factory=dict)


def measured(task: Task, true: Reference, effort: Effort, log: Callable[[str], None]) -> list[Entry]:
    """All engines on one task."""
    entries: list[Entry] = []
    contestants: list[_Contestant] = []
    for engine in ENGINES:
        try:
            contestants.append(_chosen(task, true, engine, effort, log))
        except (NotInstalledError, NotAbleError) as reason:
            log(f"{task.name}: {engine.name} left out: {reason}")
            entries.append(Entry(engine, remark=str(reason)))
    for number in range(effort.rounds):
        log(f"{task.name}: round {number + 1} of {effort.rounds}")
        for one in contestants:
            for step in one.ladder:
                n = _patients(one.engine, step.rate, MANY, effort)
                again = _point(one.solver, true, n, step.rtol, one.setting.share)
                one.taken.setdefault(step.rtol, []).append(again)
    for one in contestants:
        points = tuple(_median_of_rounds(points) for points in one.taken.values())
        entries.append(Entry(one.engine, one.version, one.setting, points))
    return sorted(entries, key=lambda e: ENGINES.index(e.engine))


def interpolated(points: Iterable[Point], error: Callable[[Point], float], target: float) -> float | None:
    """Throughput at an error, between the points of a ladder on logarithmic scales; None outside of it."""
    ordered = sorted((p for p in points if np.isfinite(error(p))), key=error)
    if not ordered or not error(ordered[0]) <= target <= error(ordered[-1]):
        return None
    errors, rates = np.log([error(p) for p in ordered]), np.log([p.rate for p in ordered])
    return float(np.exp(np.interp(np.log(target), errors, rates)))


def _chosen(task: Task, true: Reference, engine: Engine, effort: Effort, log: Callable[[str], None]) -> _Contestant:
    """The engine with the method and absolute tolerance at which it is fastest at the target."""
    version, able, best = engine.version(), "no setting reached the target error", None
    for method in engine.methods:
        try:
            solver = engine.prepare(task, method)
        except NotAbleError as reason:
            able = str(reason)
            continue
        for share in effort.shares:
            ladder = _ladder(true, engine, solver, share, effort)
            rate = interpolated(ladder, lambda p: p.median, TARGET)
            log(f"{task.name}: {engine.name} {method} {share:.0e}: {rate and round(rate, 1)} patients/s")
            if rate is not None and (best is None or rate > best[0]):
                best = rate, _Contestant(engine, version, Setting(method, share), solver, tuple(ladder))
    if best is None:
        raise NotAbleError(able)
    return best[1]


def _ladder(true: Reference, engine: Engine, solver: Solver, share: float, effort: Effort) -> list[Point]:
    """Points from loose to tight, with errors from `LARGEST` down to where the targets lie between two points."""
    ladder: list[Point] = []
    first = effort.tolerances[0]
    solver.solve(2, first, share * first)  # whatever is done once, is done now
    n = _patients(engine, _point(solver, true, 2, first, share).rate, FEW, effort)
    best, stalled = np.inf, 0
    for rtol in (r for r in effort.tolerances if r >= engine.tightest):
        point = _point(solver, true, n, rtol, share)
        stalled = stalled + 1 if point.median > STALLED * best else 0
        best = min(best, point.median)
        if point.median <= LARGEST:
            ladder.append(point)
        if (
            (point.median < SMALLEST and point.p99 < TARGET_P99)
            or stalled == PATIENCE
            or point.patients / point.rate > LIMIT
        ):
            break
    return ladder


def _patients(engine: Engine, rate: float, most: int, effort: Effort) -> int:
    """Patients that an engine gets for one point."""
    if engine.batched:
        return effort.patients
    return int(np.clip(rate * effort.seconds, LEAST, min(most, effort.patients)))


def _point(solver: Solver, true: Reference, n: int, rtol: float, share: float) -> Point:
    begun = time.process_time()
    found = solver.solve(n, rtol, share * rtol)
    seconds = time.process_time() - begun
    error = true.errors(found)
    return Point(rtol, float(np.median(error[:COMMON])), float(np.quantile(error, 0.99)), n / seconds, n)


def _median_of_rounds(points: Sequence[Point]) -> Point:
    """The same point with the median throughput; its errors are the same in every round."""
    first = points[0]
    return Point(first.rtol, first.median, first.p99, float(np.median([p.rate for p in points])), first.patients)
