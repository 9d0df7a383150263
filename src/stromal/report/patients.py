"""FVC patient by patient against simulated bands, as plain JSON values."""

from __future__ import annotations

import json
from typing import Any

from stromal.calibration.patients import PatientCheck


def patients_json(check: PatientCheck) -> dict[str, Any]:
    """Rows by arm, month and percentile, baselines, and the share of observed percentiles inside the bands."""
    rows = check.rows
    inside = {f"in{k}": float(rows[f"in{k}"].mean()) if len(rows) else None for k in (50, 90)}
    return {
        "rows": json.loads(rows.to_json(orient="records", double_precision=10)),
        "baseline": json.loads(check.baseline.to_json(orient="records", double_precision=10)),
        "inside": inside,
    }
