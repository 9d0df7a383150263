"""Randomisation in permuted blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.randomness import Streams
from stromal.design.conduct import Randomisation


def allocate(randomisation: Randomisation, people: pd.DataFrame, seed: int) -> NDArray[np.object_]:
    """Arm of each patient, (n_patients,).

    Within each block the places of the arms are permuted by the keys of one random stream per replicate.

    Parameters
    ----------
    people : DataFrame with columns replicate and patient (number in order of enrolment)
    """
    places = np.array([arm for arm, k in randomisation.allocation.items() for _ in range(k)], dtype=object)
    size = randomisation.block_size
    arms = np.empty(len(people), dtype=object)
    for replicate, rows in people.groupby("replicate", sort=False).indices.items():
        patients = people["patient"].to_numpy()[rows]
        blocks = int(patients.max()) // size + 1
        keys = Streams(seed, int(replicate)).uniform("allocation", blocks * size).reshape(blocks, size)
        arms[rows] = places[np.argsort(keys, axis=1, kind="stable")].ravel()[patients]
    return arms
