"""The true solution of a task, and how far from it an engine is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.lsoda import Lsoda
from benchmarks.tasks import Task
from stromal.engine import solve

Array = NDArray[np.float64]
TIGHT: Final = 1e-11, 1e-15
"""Relative and absolute tolerance of the reference; those of the independent check are ten times tighter."""
FLOOR: Final = 1e-3
"""Below this share of its largest value over the course, a state's error counts relative to that share."""
GRID: Final = 512
CHECKED: Final = 8


@final
@dataclass(frozen=True, eq=False)
class Reference:
    """The true solution.

    Attributes
    ----------
    values : (n_patients, n_visits, n_states)
    largest : (n_patients, 1, n_states)
        Largest absolute value of each state over the course, the instants after actions among it; 1 for a state that
        is always 0.
    """

    values: Array
    largest: Array

    def errors(self, found: Array) -> Array:
        """Of the first patients: largest error over visits and states, (n,); infinite where the engine gave up.

        The error of a state is relative to its true value plus `FLOOR` times its largest value over the course.
        """
        n = len(found)
        error = np.abs(found - self.values[:n]) / (np.abs(self.values[:n]) + FLOOR * self.largest[:n])
        largest: Array = np.where(np.isnan(error), np.inf, error).max(axis=(1, 2))
        return largest


def reference(task: Task) -> Reference:
    """Solve a task by this project's engine at tight tolerances."""
    rtol, atol = TIGHT
    given = task.system, task.parameters, task.schedule
    solved = solve(*given, task.visits, rtol=rtol, atol=atol, max_steps=10_000_000)
    grid = np.linspace(0.0, task.visits[-1], GRID)
    starts = [[s.start for s in course] for course in task.courses]
    times = np.full((len(starts), GRID + max(map(len, starts))), np.nan)
    times[:, :GRID] = grid
    for row, own in zip(times, starts, strict=True):
        row[GRID : GRID + len(own)] = own
    course = solve(*given, times, rtol=1e-6, atol=1e-8, side="after")
    largest = np.nanmax(np.abs(course.values), axis=1, keepdims=True)
    return Reference(solved.values, np.where(largest > 0.0, largest, 1.0))


def independent_check(task: Task, true: Reference) -> float:
    """Largest error of SciPy's LSODA at still tighter tolerances, for a few patients."""
    solver = Lsoda().prepare(task.first(CHECKED), "LSODA")
    return float(true.errors(solver.solve(CHECKED, 0.1 * TIGHT[0], 0.1 * TIGHT[1])).max())
