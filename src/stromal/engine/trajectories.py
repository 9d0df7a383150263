"""What a solve gives back: recorded outputs, a status for each patient, and where it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from stromal.engine.audit import Audit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Status(StrEnum):
    """How a patient's solve ended.

    ``rescued``: it came to its end only with tighter settings or by the reference method. ``event_limit``: events
    trigger each other without end.
    """

    OK = "ok"
    RESCUED = "rescued"
    STEP_LIMIT = "step_limit"
    STEP_UNDERFLOW = "step_underflow"
    NON_FINITE = "non_finite"
    EVENT_LIMIT = "event_limit"

    @property
    def solved(self) -> bool:
        """Whether the patient has all its numbers."""
        return self in (Status.OK, Status.RESCUED)


@final
@dataclass(frozen=True, eq=False)
class EventQueue:
    """What the events of a model remember, of each patient.

    Attributes
    ----------
    triggers : (n_patients, n_events)
        Whether each trigger held when it was last looked at.
    pending : (n_patients,)
        Events that wait for their time.
    waiting, due : (n_patients, capacity)
        Which, in the order of triggering, and when.
    stored : (n_patients, capacity, n_values)
        The values they assign, if those of the time of triggering count.
    """

    triggers: Ints
    pending: Ints
    waiting: Ints
    due: Array
    stored: Array


@final
@dataclass(frozen=True, eq=False)
class Final:
    """Where a solve ended, and all that is needed to go on as if it had not.

    Attributes
    ----------
    time, step, restart : (n_patients,)
        Time reached, next step to try, and the step that was right after the last change from outside.
    rejected, restarting : (n_patients,)
        Whether the last try was rejected, and whether the next step is the first after a change from outside.
    states : (n_patients, n_states)
    rates : (n_patients, n_states)
        Infusions that are running [per time unit].
    slots : tuple of str
        Parameters that the schedule or an event has changed so far.
    values : (n_patients, n_slots)
        Their current values.
    status : (n_patients,) of Status
    culprit : (n_patients,) of str
        Of a failed patient the state that made its last step fail, if that is known, else empty.
    queue : EventQueue
    """

    time: Array
    step: Array
    restart: Array
    rejected: NDArray[np.bool_]
    restarting: NDArray[np.bool_]
    states: Array
    rates: Array
    slots: tuple[str, ...]
    values: Array
    status: NDArray[np.object_]
    culprit: NDArray[np.object_]
    queue: EventQueue

    def take(self, rows: ArrayLike) -> Final:
        """The same for some of the patients."""
        chosen = np.asarray(rows)
        queue = EventQueue(**{f.name: getattr(self.queue, f.name)[chosen] for f in fields(EventQueue)})
        return replace(self, **{p: getattr(self, p)[chosen] for p in _PER_PATIENT}, queue=queue)


_PER_PATIENT = ("time", "step", "restart", "rejected", "restarting", "states", "rates", "values", "status", "culprit")


def solved(status: Iterable[str]) -> NDArray[np.bool_]:
    """Whether patients with these statuses have all their numbers, (n_patients,)."""
    return np.array([Status(s).solved for s in status], dtype=bool)


@final
@dataclass(frozen=True, eq=False)
class Trajectories:
    """Recorded outputs of all patients.

    Attributes
    ----------
    patients : pandas.Index
    times : (n_patients, n_times)
        [time unit of the model], NaN where nothing was asked for.
    outputs : tuple of str
    values : (n_patients, n_times, n_outputs)
        NaN where nothing was asked for or the patient's solve had failed before.
    status : (n_patients,) of Status
    final : Final
    audit : Audit, optional
        Of results in mixed precision.
    """

    patients: pd.Index
    times: Array
    outputs: tuple[str, ...]
    values: Array
    status: NDArray[np.object_]
    final: Final
    audit: Audit | None = None

    def __getitem__(self, output: str) -> Array:
        """One output, (n_patients, n_times)."""
        return self.values[:, :, self.outputs.index(output)]

    def to_xarray(self) -> xr.DataArray:
        """Values with dimensions patient, visit, output; coordinate `time` (patient, visit)."""
        return xr.DataArray(
            self.values,
            dims=("patient", "visit", "output"),
            coords={
                "patient": self.patients,
                "output": list(self.outputs),
                "time": (("patient", "visit"), self.times),
                "status": ("patient", [str(s) for s in self.status]),
            },
        )


def joined(parts: Sequence[Final]) -> Final:
    """The finals of groups of patients, one after another; there is at least one group."""
    queue = EventQueue(
        **{f.name: np.concatenate([getattr(p.queue, f.name) for p in parts]) for f in fields(EventQueue)}
    )
    together: dict[str, Any] = {p: np.concatenate([getattr(part, p) for part in parts]) for p in _PER_PATIENT}
    return replace(parts[0], **together, queue=queue)
