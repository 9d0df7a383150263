"""The explicit Runge-Kutta pair of Dormand and Prince, every patient on a time step of its own.

The reference method of the engine: plain, and good for models that are not stiff (the shipped one is mild). All
patients of a block advance together in array operations, but each has its own time, step and error, so none
depends on its neighbours: results are the same bit for bit for any block.

Reference: Dormand and Prince 1980, J Comput Appl Math 6:19, doi:10.1016/0771-050X(80)90013-3. The coefficients are
those of `scipy.integrate.RK45`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import RK45

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

SAFETY: Final = 0.9
SHRINK: Final = 0.2
GROW: Final = 5.0
SMALLEST_STEP: Final = 1e-12  # relative to the time reached: below it t + h no longer moves reliably


@final
@dataclass
class Stepper:
    """Takes steps for all lanes (one patient each), once they are loaded.

    Attributes
    ----------
    derivative : callable
        ``derivative(t, y, out)`` writes the rates of all lanes.
    t, h : (n_lanes,)
        Time reached and next step to try [time unit of the model].
    y : (n_states, n_lanes)
    f : (n_states, n_lanes)
        Rates at `t`; `refresh` after every change of `y` from outside.
    """

    derivative: Callable[[Array, Array, Array], None]
    rtol: float
    atol: float
    t: Array = field(init=False)
    y: Array = field(init=False)
    h: Array = field(init=False)
    f: Array = field(init=False)
    rejected: Bools = field(init=False)
    steps: NDArray[np.int64] = field(init=False)

    def load(self, t: Array, h: Array, rejected: Bools, steps: NDArray[np.int64], y: Array) -> None:
        """Take up the lanes that are to be advanced."""
        self.t, self.h, self.rejected, self.steps, self.y = t, h, rejected, steps, y
        self.f = np.empty_like(y)
        self.refresh()

    def refresh(self) -> None:
        """Compute the rates anew."""
        self.derivative(self.t, self.y, self.f)

    def advance(self, stop: Array) -> tuple[Bools, Bools]:
        """Try one step of every lane, not beyond its `stop` (n_lanes,).

        Returns
        -------
        underflow, not_finite : (n_lanes,)
            Lanes whose step has become too small to go on, and which of these met a value that is not finite.
        """
        distance = stop - self.t
        moving = distance > 0.0
        reaches = self.h >= distance * (1.0 - 1e-10)
        step = np.where(reaches, distance, self.h)
        y, f, t, error = self._try(step, np.where(reaches, stop, self.t + step))
        accepted = error <= 1.0  # false for NaN
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.clip(SAFETY * error ** (-0.2), SHRINK, GROW)
        factor = np.where(np.isfinite(error), factor, SHRINK)
        factor = np.where(self.rejected, np.minimum(factor, 1.0), factor)
        # a step cut short by a stop says nothing against the longer one that was planned
        planned = np.where(accepted & reaches, np.maximum(self.h, step * factor), step * factor)
        self.h = np.where(moving, planned, self.h)
        self.rejected = np.where(moving, ~accepted, self.rejected)
        keep = accepted & moving
        self.t = np.where(keep, t, self.t)
        np.copyto(self.y, y, where=keep)
        np.copyto(self.f, f, where=keep)
        self.steps += moving
        underflow = moving & ~accepted & (self.h < SMALLEST_STEP * np.maximum(1.0, np.abs(self.t)))
        return underflow, underflow & ~np.isfinite(error)

    def _try(self, step: Array, end: Array) -> tuple[Array, Array, Array, Array]:
        """One step of each lane: state, rates and time at its end, and error in units of the tolerance."""
        slopes = [self.f]
        for row, fraction in zip(RK45.A[1:], RK45.C[1:], strict=True):
            y = self.y + _combine(row, slopes) * step
            slopes.append(self._slope(self.t + fraction * step, y))
        y = self.y + _combine(RK45.B, slopes) * step
        slopes.append(self._slope(end, y))
        scale = np.maximum(np.abs(self.y), np.abs(y))
        scale *= self.rtol
        scale += self.atol
        deviation = np.abs(_combine(RK45.E, slopes))
        deviation /= scale
        return y, slopes[-1], end, np.max(deviation, axis=0, initial=0.0) * step

    def _slope(self, t: Array, y: Array) -> Array:
        out = np.empty_like(y)
        self.derivative(t, y, out)
        return out


def _combine(weights: Array, slopes: list[Array]) -> Array:
    """Weighted sum, term by term, so that the order of additions never changes."""
    total: Array | None = None
    for weight, slope in zip(weights, slopes, strict=False):  # a row of the tableau ends with zeros
        if weight == 0.0:
            continue
        term = weight * slope
        total = term if total is None else np.add(total, term, out=total)
    if total is None:
        raise ValueError("a row of the tableau is empty")
    return total


def first_step(y: Array, f: Array, rtol: float, atol: float, longest: Array) -> Array:
    """A cautious first step (n_lanes,): the change over it is about 1 % of the state."""
    scale = atol + rtol * np.abs(y)
    size = np.max(np.abs(y) / scale, axis=0, initial=0.0)
    speed = np.max(np.abs(f) / scale, axis=0, initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 0.01 * size / speed
    return np.clip(np.where(np.isfinite(step) & (step > 0.0), step, longest), 1e-6, np.maximum(longest, 1e-6))
