"""Numbers and sentences as a clinician reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np


@final
@dataclass(frozen=True)
class Scale:
    """How an effect is written.

    Attributes
    ----------
    name : str
        Of the effect, such as ``risk ratio``.
    unit : str
        Written behind a number; may be empty.
    back : {"none", "exp", "logistic"}
        From the scale of the analysis to the scale of the report.
    null : float or None
        No effect, on the scale of the analysis; None where the effect is no comparison.
    """

    name: str = "effect"
    unit: str = ""
    back: Literal["none", "exp", "logistic"] = "none"
    null: float | None = 0.0

    def value(self, x: float) -> float:
        """Take a number from the scale of the analysis to that of the report."""
        if self.back == "exp":
            with np.errstate(over="ignore"):
                return float(np.exp(x))
        if self.back == "logistic":
            return float(0.5 * (1.0 + np.tanh(0.5 * x)))
        return x

    def text(self, x: float) -> str:
        """A number with its unit."""
        return number(self.value(x)) + (f" {self.unit}" if self.unit else "")

    def span(self, low: float, high: float) -> str:
        """An interval behind a number that has the unit, ``low to high``."""
        return f"{number(self.value(low))} to {number(self.value(high))}"

    def between(self, low: float, high: float) -> str:
        """A range in a sentence, ``between low and high`` with the unit."""
        return f"between {number(self.value(low))} and {self.text(high)}"

    def holds_null(self, low: float, high: float) -> bool:
        """Whether an interval contains no effect."""
        return self.null is not None and low <= self.null <= high


def number(x: float) -> str:
    """A number with two digits behind the point, fewer where it is large, two digits that count where it is small."""
    if not math.isfinite(x):
        return "–" if math.isnan(x) else ("∞" if x > 0 else "−∞")
    x = x + 0.0  # minus zero is zero
    size = abs(x)
    if size >= 1e6 or 0.0 < size < 1e-4:
        text = f"{x:.1e}"
    elif 0.0 < size < 0.01:
        text = f"{x:.{1 - math.floor(math.log10(size))}f}"
    else:
        text = f"{x:.{2 if size < 10 else 1 if size < 100 else 0}f}"
    return text.replace("-", "−")


def p_value(p: float) -> str:
    """``p = 0.012``; ``p < 0.001``."""
    if math.isnan(p):
        return "p not available"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.1 else f"p = {p:.3f}"


def percent(level: float) -> str:
    """A coverage as text, ``95 %``."""
    return f"{100.0 * level:g} %"


def count(n: int, what: str, plural: str | None = None) -> str:
    """``1 study``, ``3 studies``."""
    return f"{n} {what if n == 1 else plural or what + 's'}"


def listed(items: Iterable[str]) -> str:
    """``a, b and c``."""
    every = list(items)
    return every[0] if len(every) == 1 else ", ".join(every[:-1]) + f" and {every[-1]}"
