"""Courses over the visits, pooled over replicates: per scenario, arm, visit and read-out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.trial.conduct import TrialData
from stromal.trial.scenarios import Scenario

Array = NDArray[np.float64]
QUANTILES: Final = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def trajectory_rows(data: Mapping[Scenario, Sequence[TrialData]]) -> list[dict[str, object]]:
    """One row per scenario, arm, visit and read-out, for levels and for changes from baseline.

    `true` values are of everybody, as if nobody had died or left; `measured` values of those who were seen.
    """
    rows = []
    for scenario, parts in data.items():
        arms = np.concatenate([p.patients["arm"].to_numpy() for p in parts])
        for readout in parts[0].true:
            for name, values in _quantities(readout, parts):
                for arm in dict.fromkeys(arms):
                    own = values[arms == arm]
                    for k, day in enumerate(parts[0].days):
                        row = {
                            "scenario": scenario,
                            "arm": arm,
                            "day": int(day),
                            "readout": readout,
                            "value": name,
                        }
                        rows.append(row | _spread(own[:, k]))
    return rows


def completers(data: Mapping[Scenario, Sequence[TrialData]]) -> list[dict[str, object]]:
    """Observed change of those seen at each visit: mean and SD within a trial, averaged over replicates.

    The SD is the mean over replicates of the SD between patients of one arm, as a published arm reports it.
    """
    rows = []
    for scenario, parts in data.items():
        people = pd.concat([p.patients for p in parts], ignore_index=True)
        for readout in parts[0].measured:
            change = _change(readout, parts)
            for k, day in enumerate(parts[0].days):
                values = people[["replicate", "arm"]].assign(change=change[:, k]).dropna()
                within = values.groupby(["arm", "replicate"])["change"].agg(["count", "mean", "std"])
                for arm, group in within.groupby("arm"):
                    rows.append(
                        {
                            "scenario": scenario,
                            "arm": arm,
                            "day": int(day),
                            "readout": readout,
                            "n": float(group["count"].mean()),
                            "mean": float(group["mean"].mean()),
                            "sd_of_mean": _finite(group["mean"].std(ddof=1)),
                            "sd": _finite(group["std"].mean()),
                        }
                    )
    return rows


def _quantities(readout: str, parts: Sequence[TrialData]) -> Iterator[tuple[str, Array]]:
    true = np.concatenate([p.true[readout] for p in parts])
    yield "true", true
    yield "measured", np.concatenate([p.measured[readout] for p in parts])
    yield "true change", true - true[:, :1]
    yield "measured change", _change(readout, parts)


def _change(readout: str, parts: Sequence[TrialData]) -> Array:
    return np.concatenate([p.measured[readout] - p.baseline[readout][:, None] for p in parts])


def _spread(values: Array) -> dict[str, object]:
    seen = values[~np.isnan(values)]
    spread: dict[str, object] = {"n": len(seen), "mean": None, "sd": None, **dict.fromkeys(QUANTILES)}
    if len(seen):
        spread |= {k: float(np.quantile(seen, q)) for k, q in QUANTILES.items()}
        spread["mean"] = float(seen.mean())
        spread["sd"] = float(seen.std(ddof=1)) if len(seen) > 1 else None
    return spread


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
