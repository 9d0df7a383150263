"""The MSC effect: one number per draw, zero with a stated probability.

`msc_effect` scales what the cells do in every patient (the model's `eff`). Its prior is a spike at zero and
half a normal distribution of scale s. The scale has a meaning in points: with ``eff = s``, one infusion of 1e6
cord cells per kg on day 540 changes the true skin score of the reference patient at day 364 by -2 against no
treatment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from stromal.biology import actions, trigger
from stromal.compute.randomness import Streams
from stromal.design.arms import Course
from stromal.population.history import course
from stromal.population.recipe import MscEffect

REFERENCE_ENTRY: Final = 540.0
"""Day after the trigger on which the reference patient is treated."""
REFERENCE_VISIT: Final = 364.0
SCALE_POINTS: Final = -2.0
_INFUSION: Final = Course(product="umbilical_cord_msc", dose_per_kg=1e6, route="iv", days=(0,))


def draw_msc_effects(prior: MscEffect, streams: Streams, n: int) -> NDArray[np.float64]:
    """MSC effects of n draws of the prior, (n,)."""
    sizes = prior.scale * np.abs(streams.normal("MSC effect", n))
    return np.where(streams.uniform("MSC effect is zero", n) < prior.share_at_zero, 0.0, sizes)


def points_of_effect(effects: ArrayLike) -> NDArray[np.float64]:
    """True change of the reference patient's skin score at day 364 against no treatment [mRSS points].

    Parameters
    ----------
    effects : (n,)
        Values of `msc_effect`.
    """
    eff = np.concatenate([[0.0], np.atleast_1d(np.asarray(effects, dtype=float))])
    parameters = pd.DataFrame({"eff": eff})
    entry = pd.Series(REFERENCE_ENTRY, index=parameters.index)
    schedule = pd.concat([trigger(parameters), actions([_INFUSION], parameters, entry=entry)], ignore_index=True)
    score = course(parameters, schedule, [REFERENCE_ENTRY + REFERENCE_VISIT], ["mRSS"])["mRSS"][:, 0]
    return np.asarray(score[1:] - score[0])


def solve_scale() -> float:
    """The scale s of the prior: the effect worth `SCALE_POINTS`, to four digits."""
    return round(float(brentq(lambda e: points_of_effect([e])[0] - SCALE_POINTS, 0.01, 10.0, xtol=1e-5)), 4)
