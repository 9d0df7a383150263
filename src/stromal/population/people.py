"""Random draws of people: one per person and occasion, the same whoever else is in the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.randomness import Streams

Array = NDArray[np.float64]


def per_person(people: pd.DataFrame, purpose: str, occasion: int, seed: int, *, normal: bool = False) -> Array:
    """One draw per person (n_people,), at the position of the candidate in the stream of the replicate."""
    result = np.empty(len(people))
    candidates = people["candidate"].to_numpy()
    for replicate, rows in people.groupby("replicate", sort=False).indices.items():
        own = candidates[rows]
        streams = Streams(seed, int(replicate))
        source = streams.normal if normal else streams.uniform
        result[rows] = source(f"person: {purpose}", int(own.max()) + 1, occasion=occasion)[own]
    return result
