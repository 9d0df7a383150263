"""What a published result is a statistic of: which measure, which day, a mean, a share of patients or survival."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Kind = Literal["change", "value", "relative change", "share", "survival", "mortality"]
DAYS_PER_WEEK: Final = 7.0
SURVIVAL: Final[tuple[Kind, ...]] = ("survival", "mortality")
LAST_WEEK: Final = 520.0
"""Later results are not predicted: the model has no deaths of other causes and no change of drugs over decades."""


@final
@dataclass(frozen=True)
class Fall:
    """A change that counts: a fall (or a rise) by more than so many points and so large a share of baseline.

    Attributes
    ----------
    sign : {1, -1}
        1 for a fall, -1 for a rise.
    points : float
        Least size [unit of the measure].
    share : float
        Least size as a share of baseline.
    strict : bool
        Whether a change by exactly that much does not count.
    """

    sign: int
    points: float = 0.0
    share: float = 0.0
    strict: bool = False

    def holds(self, change: Array, baseline: Array) -> NDArray[np.bool_]:
        """Whether each patient's change counts."""
        size = -self.sign * change
        test = np.greater if self.strict else np.greater_equal
        return np.asarray(test(size, self.points) & test(size, self.share * baseline), dtype=bool)


@final
@dataclass(frozen=True)
class Statistic:
    """A statistic of an arm.

    Attributes
    ----------
    kind : Kind
    measure : str
        Name of a measure of the design's catalogue; empty for survival and mortality.
    day : int
        Days after baseline.
    factor : float
        From the measure's unit to that of the result.
    falls : tuple of Fall
        Of a share: a patient counts for whom any of them holds.
    others : bool
        Of a share: a patient counts for whom none of `falls` holds.
    """

    kind: Kind
    measure: str
    day: int
    factor: float = 1.0
    falls: tuple[Fall, ...] = ()
    others: bool = False

    def per_patient(self, baseline: Array, then: Array, drift: Array | float = 0.0) -> Array:
        """The quantity that is averaged over patients, in the unit of the result.

        Parameters
        ----------
        baseline, then : (n_patients,)
            Measured values; of survival, `then` is the probability to be alive and baseline is not used.
        drift : float or (n_patients,)
            Added to the change [unit of the measure].
        """
        if self.kind in SURVIVAL:
            return self.factor * (then if self.kind == "survival" else 1.0 - then)
        change = then - baseline + drift
        if self.kind == "change":
            return self.factor * change
        if self.kind == "value":
            return self.factor * (baseline + change)
        if self.kind == "relative change":
            return self.factor * change / baseline
        counts = np.zeros(len(change), dtype=bool)
        for fall in self.falls:
            counts |= fall.holds(change, baseline)
        return self.factor * (~counts if self.others else counts).astype(float)


def statistic_of(row: pd.Series) -> Statistic | str:
    """The statistic that a row of results reports, or the reason why there is none.

    Parameters
    ----------
    row : Series
        Of `evidence.usable_results`: endpoint, endpoint_detail, timepoint_weeks.
    """
    week = float(row["timepoint_weeks"])
    if not np.isfinite(week):
        return "the result has no time"
    if week > LAST_WEEK:
        return "beyond ten years: the model has no deaths of other causes"
    day, endpoint = round(DAYS_PER_WEEK * week), str(row["endpoint"])
    if endpoint in _PLAIN:
        kind, measure, factor = _PLAIN[endpoint]
        if day == 0:
            return "the baseline itself: simulated patients are weighted to it"
        return Statistic(kind, measure, day, factor)
    if endpoint in _SURVIVAL:
        return Statistic(_SURVIVAL[endpoint], "", day, 100.0)
    maker = _SHARES.get(endpoint)
    if maker is None:
        return _NOT_SIMULATED.get(endpoint, f"the model has no {endpoint}")
    falls = maker(str(row["endpoint_detail"] or ""))
    if not falls:
        return f"the definition of {endpoint} is not given or not known: {row['endpoint_detail']!r}"
    measure = "mrss" if endpoint.startswith("mRSS") else "fvc_pct"
    return Statistic("share", measure, day, 100.0, falls, others=endpoint in _OTHERS)


_PLAIN: Final[dict[str, tuple[Kind, str, float]]] = {
    "mRSS_change": ("change", "mrss", 1.0),
    "mRSS_value": ("value", "mrss", 1.0),
    "FVC_pct_change": ("change", "fvc_pct", 1.0),
    "FVC_pct_value": ("value", "fvc_pct", 1.0),
    "FVC_mL_change": ("change", "fvc_ml", 1.0),
    "FVC_mL_per_year": ("change", "fvc_ml", 1.0),  # the slope over a year is the change over a year
    "FVC_L_value": ("value", "fvc_ml", 1e-3),
    "FVC_rel_change_pct": ("relative change", "fvc_ml", 100.0),
    "DLCO_pct_change": ("change", "dlco_pct", 1.0),
    "DLCO_pct_value": ("value", "dlco_pct", 1.0),
}
_SURVIVAL: Final[dict[str, Kind]] = {"overall_survival_pct": "survival", "mortality_pct": "mortality"}
_NOT_SIMULATED: Final = {
    "event_free_survival_pct": "organ failure of the model is not the composite event of the trial",
    "dropout_pct": "an input of a design (retention), not a prediction",
    "treatment_related_mortality_pct": "an input of the model (parameter trm), not a prediction",
}
_OTHERS: Final = frozenset({"mRSS_stable_pct", "FVC_stable_pct"})


def _responders(detail: str) -> tuple[Fall, ...]:
    if match := re.search(r">=\s*([\d.]+)\s*%", detail):
        return (Fall(1, share=float(match[1]) / 100.0),)
    if match := re.search(r">=\s*([\d.]+)\s*(?:units|points)", detail):
        return (Fall(1, points=float(match[1])),)
    return ()


def _registry(*signs: int) -> Callable[[str], tuple[Fall, ...]]:
    """More than 5 points and at least 25 %: the registry's definition of progression and regression."""
    return lambda detail: tuple(Fall(s, points=5.5, share=0.25) for s in signs) if "5" in detail else ()


def _decline(detail: str) -> tuple[Fall, ...]:
    match = re.search(r"(absolute|relative) decline.*?>\s*=?\s*([\d.]+)", detail)
    if match is None:
        return ()
    size = float(match[2])
    return (Fall(1, points=size, strict=True) if match[1] == "absolute" else Fall(1, share=size / 100.0, strict=True),)


_SHARES: Final[dict[str, Callable[[str], tuple[Fall, ...]]]] = {
    "mRSS_responder_pct": _responders,
    "mRSS_regressor_pct": _registry(1),
    "mRSS_progressor_pct": _registry(-1),
    "mRSS_stable_pct": _registry(1, -1),
    "mRSS_declined_pct": lambda _: (Fall(1, points=0.0, strict=True),),
    "mRSS_increased_pct": lambda _: (Fall(-1, points=0.0, strict=True),),
    "FVC_decline_pct": _decline,
    "FVC_decline_ge5_pct": lambda _: (Fall(1, points=5.0),),
    "FVC_decline_ge10_pct": lambda _: (Fall(1, points=10.0),),
}
