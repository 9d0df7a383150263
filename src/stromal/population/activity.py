"""Activity of the disease that waxes and wanes: each patient's own course around the own average.

The logarithm of the activity of skin and of lung is a stationary Gauss-Markov process (Uhlenbeck and Ornstein 1930,
doi:10.1103/PhysRev.36.823), looked at every `STEP` days and held in between. So patients differ in where they are
going, not only in where they are, and who is enrolled for a high score tends to get better.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from stromal.compute.randomness import Streams
from stromal.population.recipe import PopulationRecipe

Array = NDArray[np.float64]
STEP: Final = 91.0
"""Days between changes of activity: as often as patients are commonly seen."""
STEPS: Final = 80
"""Steps drawn for each patient, twenty years; the activity then stays."""
ORGANS: Final = ("skin", "lung")


def draw_activity(recipe: PopulationRecipe, streams: Streams, start: int, n: int) -> Array:
    """Logarithm of the activity of candidates `start` to ``start + n - 1``, (n, `STEPS`, 2): skin, lung."""
    keep = float(np.exp(-STEP / recipe.activity.correlation_days))
    fresh = np.sqrt(1.0 - keep**2)
    courses = []
    for organ, log_sd in zip(ORGANS, (recipe.activity.skin_log_sd, recipe.activity.lung_log_sd), strict=True):
        z = streams.normal(f"candidate: activity of {organ}", n * STEPS, start=start * STEPS).reshape(n, STEPS)
        z[:, 1:] *= fresh
        courses.append(log_sd * lfilter([1.0], [1.0, -keep], z, axis=1))
    return np.stack(courses, axis=-1)


def activity_changes(activity: Array, after: ArrayLike, until: ArrayLike) -> pd.DataFrame:
    """Schedule of the changes of activity later than `after` and not later than `until`.

    Parameters
    ----------
    activity : (n_patients, n_steps, 2)
        Logarithms, from the trigger on.
    after, until : (n_patients,) or ()
        [d after the trigger]; a negative `after` includes the first value at the trigger.

    Returns
    -------
    DataFrame
        Columns ``patient, time, kind, target, amount``, by patient and time; patients are counted from 0.
    """
    n, steps, _ = activity.shape
    time = STEP * np.arange(steps)
    due = (time > np.broadcast_to(after, (n,))[:, None]) & (time <= np.broadcast_to(until, (n,))[:, None])
    patient, step = np.nonzero(due)
    return pd.DataFrame(
        {
            "patient": np.repeat(patient, len(ORGANS)),
            "time": np.repeat(time[step], len(ORGANS)),
            "kind": "set",
            "target": np.tile([f"{organ}_activity" for organ in ORGANS], len(patient)),
            "amount": np.exp(activity[patient, step]).ravel(),
        }
    )
