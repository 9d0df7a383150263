"""Numbers and names as a reader sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stromal.design.endpoints import EndPoint

MEASURE_NAMES: Final[Mapping[str, str]] = {
    "mrss": "skin score (mRSS)",
    "fvc_pct": "vital capacity (FVC, % predicted)",
    "fvc_ml": "vital capacity (FVC, mL)",
    "dlco_pct": "diffusing capacity (DLCO, % predicted)",
    "crp_mg_l": "C-reactive protein",
    "ct_extent_pct": "lung disease on CT",
    "age_years": "age",
    "disease_duration_months": "disease duration",
    "months_since_first_symptom": "time since first non-Raynaud symptom",
    "weight_kg": "body weight",
}
UNITS: Final[Mapping[str, str]] = {
    "mrss": "points",
    "fvc_pct": "% predicted",
    "fvc_ml": "mL",
    "dlco_pct": "% predicted",
    "crp_mg_l": "mg/L",
    "ct_extent_pct": "% of lung volume",
    "age_years": "years",
    "disease_duration_months": "months",
    "months_since_first_symptom": "months",
    "weight_kg": "kg",
}
EVENT_NAMES: Final[Mapping[str, str]] = {
    "death": "death",
    "treatment_related_sae": "treatment-related severe adverse event",
    "organ_failure": "organ failure",
    "left": "left the trial",
}
DASH: Final = "–"
NBSP: Final = "\u00a0"
"""Keeps a number and its unit on one line."""


def plain(name: str) -> str:
    """An identifier as words."""
    return name.replace("_", " ")


def number(value: float | None, digits: int = 1) -> str:
    """A number with a true minus sign; a dash for none."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def count(value: float) -> str:
    """A whole number with narrow spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """A share in per cent."""
    return DASH if share is None else f"{number(100.0 * share, digits)}{NBSP}%"


def percent_with_error(share: float | None, error: float | None, replicates: int, *, brief: bool = False) -> str:
    """A share of replicates with its Monte Carlo error, or with the 95 % bound that no event at all allows.

    Parameters
    ----------
    brief : bool
        Write the bound as in a table.
    """
    if share is None:
        return DASH
    if share in (0.0, 1.0):
        bound = 1.0 - 0.05 ** (1.0 / replicates)
        if brief:
            return f"{percent(share)} ({'<' if share == 0.0 else '>'}{NBSP}{number(100.0 * abs(share - bound))})"
        limit = f"below {percent(bound)}" if share == 0.0 else f"above {percent(1.0 - bound)}"
        return f"{percent(share)} ({limit} with 95{NBSP}% confidence)"
    return f"{percent(share)} (±{NBSP}{number(None if error is None else 100.0 * error)})"


def value_with_error(value: float | None, error: float | None, digits: int = 2) -> str:
    """A number with its Monte Carlo error."""
    return number(value, digits) if error is None else f"{number(value, digits)} (±{NBSP}{number(error, digits)})"


def on_scale(endpoint: EndPoint, value: float | None, digits: int = 1) -> str:
    """A value of an end point in its unit; a difference of proportions in percentage points."""
    if endpoint.kind == "change":
        return f"{number(value, digits)}{NBSP}{unit(endpoint)}"
    return f"{number(None if value is None else 100.0 * value, digits)}{NBSP}{unit(endpoint)}"


def scale(endpoint: EndPoint) -> float:
    """What a value is multiplied by to be in `unit`."""
    return 1.0 if endpoint.kind == "change" else 100.0


def unit(endpoint: EndPoint) -> str:
    """Unit of an end point's estimate as printed."""
    if endpoint.kind == "change":
        return UNITS[str(endpoint.measure)]
    return "percentage points" if endpoint.contrast else "%"


def outcome(endpoint: EndPoint) -> str:
    """What an end point is, in words."""
    if endpoint.kind == "event":
        return f"{EVENT_NAMES[str(endpoint.event)]} by day {endpoint.day}"
    name = MEASURE_NAMES[str(endpoint.measure)]
    if endpoint.kind == "change":
        return f"change of the {name} at day {endpoint.day}"
    needs = [f"at least {endpoint.fall_points:g} {UNITS[str(endpoint.measure)]}"] if endpoint.fall_points else []
    if endpoint.fall_share:
        needs.append(f"at least {endpoint.fall_share:.0%} of baseline".replace("%", f"{NBSP}%"))
    return f"response at day {endpoint.day} (fall of the {name} by {' and '.join(needs)})"


def comparison(endpoint: EndPoint) -> str:
    """The groups of an end point."""
    return " against ".join(plain(g) for g in endpoint.contrast) if endpoint.contrast else "no control"


def listed(words: Sequence[str]) -> str:
    """Words joined as in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def row_of(summary: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The entry of an end point in a summary."""
    found: Mapping[str, Any] = next(e for e in summary["endpoints"] if e["endpoint"] == name)
    return found
