"""Which organ fails when an organ fails: cited shares."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

TABLE: Final = Path(__file__).parent / "organ_events.csv"


@cache
def _table() -> pd.DataFrame:
    return pd.read_csv(TABLE).set_index("type", drop=False)


def organ_events() -> pd.DataFrame:
    """Types of organ failure in early diffuse disease.

    Returns
    -------
    DataFrame
        Indexed by type, with columns ``type, share, origin, source``; the shares add up to 1. Pulmonary
        arterial hypertension was not counted by the source.
    """
    return _table().copy()
