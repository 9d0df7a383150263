"""Whether one study decides the result, and how it grew: leave-one-out and cumulative pooling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stromal.compute.errors import InputError
from stromal.evidence.pooling.inputs import numbers
from stromal.evidence.pooling.method import Method
from stromal.evidence.pooling.pool import Pooled
from stromal.evidence.pooling.wording import Scale, listed


@final
@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """What `leave_one_out` returns: `everything`, and `without` each study in turn (in the order of the studies)."""

    everything: Pooled
    without: tuple[Pooled, ...]

    def summary(self) -> pd.DataFrame:
        """One row per study left out: index `left_out`; `effect`, `se`, intervals, `tau2`, `i2`, `q_p`."""
        return _table(self.without, pd.Index(self.everything.labels, name="left_out"))

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language."""
        scale = scale or Scale()
        means = [p.mu for p in self.without]
        text = (
            f"Leaving out one study at a time, the pooled {scale.name} lies "
            f"{scale.between(min(means), max(means))} (all studies: {scale.text(self.everything.mu)})."
        )
        changed = [
            label
            for label, part in zip(self.everything.labels, self.without, strict=True)
            if scale.null is not None
            and not math.isnan(part.ci_low)
            and scale.holds_null(part.ci_low, part.ci_high)
            != scale.holds_null(self.everything.ci_low, self.everything.ci_high)
        ]
        if changed:
            return f"{text} Whether the interval includes no effect depends on a single study: {listed(changed)}."
        return text + (" No single study decides whether the interval includes no effect." if scale.null == 0.0 else "")


def leave_one_out(pooled: Pooled) -> LeaveOneOut:
    """Pool again without each study in turn, with the same options.

    Raises
    ------
    InputError
        There is only one study.
    """
    if pooled.k < 2:
        raise InputError(
            "nothing is left without the only study", place="pooled", value=1, remedy="two or more studies"
        )
    every = np.arange(pooled.k)
    return LeaveOneOut(pooled, tuple(pooled.again(every != i) for i in every))


@final
@dataclass(frozen=True, eq=False)
class Cumulative:
    """What `cumulative` returns: the study that each step `added`, and the `steps`."""

    added: tuple[str, ...]
    steps: tuple[Pooled, ...]

    def summary(self) -> pd.DataFrame:
        """One row per step: index `added`; `k`, `effect`, `se`, intervals, `tau2`, `i2`, `q_p`."""
        table = _table(self.steps, pd.Index(self.added, name="added"))
        table.insert(0, "k", [p.k for p in self.steps])
        return table

    def report(self, scale: Scale | None = None) -> str:
        """The finding in plain language."""
        scale = scale or Scale()
        first, last = self.steps[0], self.steps[-1]
        text = (
            f"Adding study by study, the pooled {scale.name} went from {scale.text(first.mu)} ({self.added[0]} alone) "
            f"to {scale.text(last.mu)} ({last.k} studies)."
        )
        if scale.null is None:
            return text
        without_null = [not scale.holds_null(p.ci_low, p.ci_high) and not math.isnan(p.ci_low) for p in self.steps]
        if not without_null[-1]:
            return f"{text} The interval of all studies includes no effect."
        since = max((i for i, apart in enumerate(without_null) if not apart), default=-1) + 1
        return (
            f"{text} The interval has excluded no effect since {self.added[since]} was added; looking after every "
            "study makes such a crossing by chance more likely than the coverage says."
        )


def cumulative(pooled: Pooled, order: npt.ArrayLike | None = None) -> Cumulative:
    """Pool the first study, the first two, and so on, with the same options.

    Parameters
    ----------
    pooled : Pooled
    order : (k,), optional
        Sorts the studies, such as their years (ties stay as they are); the order they have otherwise.

    Raises
    ------
    InputError
        `order` is not one number per study.
    """
    sequence = np.arange(pooled.k)
    if order is not None:
        keys = numbers(order, "order")
        if len(keys) != pooled.k or not np.isfinite(keys).all():
            raise InputError("not one number per study", place="order", value=list(keys), remedy=f"{pooled.k} numbers")
        sequence = np.argsort(keys, kind="stable")
    steps = tuple(pooled.again(sequence[: i + 1]) for i in range(pooled.k))
    return Cumulative(tuple(pooled.labels[i] for i in sequence), steps)


METHODS: Final[Mapping[str, Method]] = {
    "leave_one_out": Method(leave_one_out, "leave-one-out", "10.1002/jrsm.11", "test_bcg_leave_one_out_equals_metafor"),
    "cumulative": Method(
        cumulative,
        "cumulative pooling",
        "10.1056/NEJM199207233270406",
        "test_cumulative_pooling_agrees_with_statsmodels_step_by_step",
    ),
}


def _table(parts: tuple[Pooled, ...], index: pd.Index) -> pd.DataFrame:
    columns = {"effect": "mu"} | {n: n for n in ("se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "q_p")}
    return pd.DataFrame({name: [getattr(p, field) for p in parts] for name, field in columns.items()}, index=index)
