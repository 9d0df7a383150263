"""What a solve gives back: recorded outputs, a status for each patient, and where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Status(StrEnum):
    """How a patient's solve ended."""

    OK = "ok"
    STEP_LIMIT = "step_limit"
    STEP_UNDERFLOW = "step_underflow"
    NON_FINITE = "non_finite"


@final
@dataclass(frozen=True, eq=False)
class Final:
    """Where a solve ended, and all that is needed to go on as if it had not.

    Attributes
    ----------
    time, step, rejected : (n_patients,)
        Time reached, next step to try, and whether the last try was rejected (controller memory).
    states : (n_patients, n_states)
    rates : (n_patients, n_states)
        Infusions that are running [per time unit].
    slots : tuple of str
        Parameters that the schedule has set so far.
    values : (n_patients, n_slots)
        Their current values.
    status : (n_patients,) of Status
    """

    time: Array
    step: Array
    rejected: NDArray[np.bool_]
    states: Array
    rates: Array
    slots: tuple[str, ...]
    values: Array
    status: NDArray[np.object_]

    def take(self, rows: ArrayLike) -> Final:
        """The same for some of the patients."""
        parts = ("time", "step", "rejected", "states", "rates", "values", "status")
        return replace(self, **{p: getattr(self, p)[np.asarray(rows)] for p in parts})


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
    """

    patients: pd.Index
    times: Array
    outputs: tuple[str, ...]
    values: Array
    status: NDArray[np.object_]
    final: Final

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


def joined(parts: Sequence[Final], slots: tuple[str, ...], n_states: int) -> Final:
    """The finals of blocks of patients, one after another."""
    if not parts:
        none = np.empty(0)
        nothing = np.empty((0, n_states))
        return Final(
            none,
            none,
            none.astype(bool),
            nothing,
            nothing,
            slots,
            np.empty((0, len(slots))),
            none.astype(object),
        )
    fields = ("time", "step", "rejected", "states", "rates", "values", "status")
    return Final(slots=slots, **{f: np.concatenate([getattr(p, f) for p in parts]) for f in fields})
