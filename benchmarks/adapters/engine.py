"""What the harness asks of every engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks import Task

Array = NDArray[np.float64]


class NotInstalledError(Exception):
    """The engine is not in this environment; the message says what is missing."""


class NotAbleError(Exception):
    """The engine cannot do this task; the message says why."""


class Solver(Protocol):
    """An engine that is ready for one task: all that is done once for a model is done."""

    def solve(self, n: int, rtol: float, atol: float) -> Array:
        """States of the first `n` patients at every visit, (n, n_visits, n_states); NaN where the engine gave up."""
        ...


class Engine(Protocol):
    """An engine, before it knows any task.

    Attributes
    ----------
    name : str
        As in tables and figures.
    how : str
        What a reader must know of the way it is used.
    methods : sequence of str
        Integration methods to choose from: the faster one is used, task by task.
    batched : bool
        Whether it is at its best with all patients at once; the others get fewer.
    tightest : float
        Relative tolerance below which it is not meant to be used.
    """

    name: ClassVar[str]
    how: ClassVar[str]
    methods: ClassVar[Sequence[str]]
    batched: ClassVar[bool]
    tightest: ClassVar[float]

    def version(self) -> str:
        """Of the software.

        Raises
        ------
        NotInstalledError
        """
        ...

    def prepare(self, task: Task, method: str) -> Solver:
        """Set it up for a task.

        Raises
        ------
        NotAbleError
        """
        ...


@dataclass(frozen=True)
class Actions:
    """Applies the actions of a segment to a patient's states and given parameters.

    Attributes
    ----------
    states, given : mapping from str to int
        Where each name is.
    """

    states: dict[str, int]
    given: dict[str, int]

    @classmethod
    def of(cls, task: Task) -> Actions:
        """For the states and given parameters of a task."""
        return cls(
            {name: i for i, name in enumerate(task.system.states)}, {name: i for i, name in enumerate(task.given)}
        )

    def apply(self, actions: Sequence[tuple[str, str, float]], y: Array, values: Array) -> None:
        """Change `y` (n_states,) and `values` (n_given,) in place."""
        for kind, target, amount in actions:
            if kind == "bolus":
                y[self.states[target]] += amount
            elif kind == "scale":
                y[self.states[target]] *= amount
            elif kind == "set":
                values[self.given[target]] = amount
            else:
                raise NotAbleError(f"actions of kind {kind}")
