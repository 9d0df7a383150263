"""Operating characteristics: what the replicates say about the design."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.design.endpoints import EndPoint
from stromal.design.trial import TrialDesign

PROBABILITIES: Final = {
    "type_one_error": ("null", "rejects"),
    "power": ("reference", "favours_treatment"),
    "probability_of_success": ("prior", "favours_treatment"),
}
"""Each probability by the scenario and the event that it is the share of."""


def endpoint_summaries(design: TrialDesign, estimates: pd.DataFrame, truth: pd.DataFrame) -> list[dict[str, object]]:
    """One entry per end point, in the order of the design.

    Parameters
    ----------
    estimates : DataFrame
        Of all scenarios.
    truth : DataFrame
        Individual contrasts under `reference`; without rows the keys that need the truth are None.
    """
    return [_summary(e, estimates[estimates["endpoint"] == e.name], truth) for e in design.endpoints]


def _summary(endpoint: EndPoint, rows: pd.DataFrame, truth: pd.DataFrame) -> dict[str, object]:
    reference = rows[rows["scenario"] == "reference"]
    estimates = reference["estimate"].dropna()
    truth_mean, truth_mcse = _truth(endpoint, truth)
    summary: dict[str, object] = {
        "endpoint": endpoint.name,
        "visit": endpoint.day,
        "contrast": list(endpoint.contrast) if endpoint.contrast else None,
        "role": endpoint.role,
        "estimand": endpoint.estimand,
        "analysis": endpoint.analysis,
        "alpha": endpoint.alpha,
        "sides": endpoint.sides,
        "benefit": endpoint.benefit,
        "truth": truth_mean,
        "truth_mcse": truth_mcse,
        "truth_patients": len(truth),
        "effect_mean": _mean(estimates),
        "effect_sd": _sd(estimates),
        "not_estimable": int(rows["estimate"].isna().sum()),
    }
    for scenario, group in rows.groupby("scenario"):
        values = group["estimate"].dropna()
        summary[f"estimates_{scenario}"] = {
            "mean": _mean(values),
            "sd": _sd(values),
            **_quantiles(values.to_numpy()),
        }
    summary |= _bias_and_coverage(reference, truth_mean)
    testable = endpoint.analysis != "proportion"
    for name, (scenario, event) in PROBABILITIES.items():
        shares = rows.loc[rows["scenario"] == scenario, event] if testable else pd.Series(dtype=bool)
        summary[name], summary[f"{name}_mcse"] = share_with_error(shares)
    null = rows.loc[rows["scenario"] == "null", "favours_treatment"] if testable else pd.Series(dtype=bool)
    summary["false_success"], summary["false_success_mcse"] = share_with_error(null)
    return summary


def share_with_error(events: pd.Series) -> tuple[float | None, float | None]:
    """A share and its Monte Carlo error ``sqrt(p(1-p)/N)``; None without data."""
    if not len(events):
        return None, None
    p = float(events.mean())
    return p, math.sqrt(p * (1.0 - p) / len(events))


def _truth(endpoint: EndPoint, truth: pd.DataFrame) -> tuple[float | None, float | None]:
    if endpoint.name not in truth or len(truth) < 2:
        return None, None
    values = truth[endpoint.name].dropna()
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def _bias_and_coverage(reference: pd.DataFrame, truth: float | None) -> dict[str, object]:
    known = reference.dropna(subset=["estimate"])
    if truth is None or not len(known):
        return {"bias": None, "bias_mcse": None, "coverage": None, "coverage_mcse": None}
    covers = (known["ci_low"] <= truth) & (truth <= known["ci_high"])
    share, error = share_with_error(covers)
    spread = _sd(known["estimate"])
    return {
        "bias": float(known["estimate"].mean() - truth),
        "bias_mcse": None if spread is None else spread / math.sqrt(len(known)),
        "coverage": share,
        "coverage_mcse": error,
    }


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None


def _sd(values: pd.Series) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _quantiles(values: NDArray[np.float64]) -> dict[str, float | None]:
    names = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
    return {k: float(np.quantile(values, q)) if len(values) else None for k, q in names.items()}
