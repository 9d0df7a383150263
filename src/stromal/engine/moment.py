"""Where one patient is in the reference path, and what a schedule does to one patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Action(NamedTuple):
    """A row of a schedule: `kind` is ``bolus``, ``scale``, ``rate`` or ``set``, as for `stromal.engine.solve`."""

    time: float
    kind: str
    target: str
    amount: float


@final
@dataclass(frozen=True)
class Waiting:
    """An event that was triggered and is to be executed.

    Attributes
    ----------
    event : int
        Position in `System.events`.
    due : float
        Time of execution.
    values : tuple of float, optional
        What it will assign, if that is fixed since the time of triggering.
    """

    event: int
    due: float
    values: tuple[float, ...] | None


@final
@dataclass(frozen=True, eq=False)
class Moment:
    """All that the future of a patient depends on.

    Attributes
    ----------
    time : float
    states : (n_states,)
    parameters : (n_parameters,)
        Current values in the order of `System.parameters`.
    inflow : (n_states,)
        Infusions that are running [per time unit].
    triggers : tuple of bool, optional
        Whether the trigger of each event held just before; None if that is not known, and then an event is triggered
        only by what comes.
    waiting : tuple of Waiting
        Events that are to be executed, in the order in which they were triggered.
    """

    time: float
    states: Array
    parameters: Array
    inflow: Array
    triggers: tuple[bool, ...] | None = None
    waiting: tuple[Waiting, ...] = ()
