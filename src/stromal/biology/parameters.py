"""The parameters of the model: one table, the single place where a value, a unit or a source stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd

TABLE: Final = Path(__file__).parent / "parameters.csv"

COLUMNS: Final = (
    "symbol",
    "name",
    "value",
    "neutral",
    "unit",
    "distribution",
    "spread",
    "low",
    "high",
    "origin",
    "source",
    "used_by",
)

SBML_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dimensionless": "dimensionless",
        "FOH": "dimensionless",
        "FOH^2": "dimensionless",
        "FOH/dose": "dimensionless",
        "% predicted": "dimensionless",
        "points": "dimensionless",
        "1/d": "per_day",
        "FOH/dose/d": "per_day",
        "1/year": "per_year",
        "d": "day",
        "d/year": "day_per_year",
        "mL": "millilitre",
        "mg/L": "mg_per_litre",
    }
)
"""Unit of the model for each unit of the table (FOH: fold of healthy; dose: 1e6 cells/kg)."""

ORIGINS: Final = ("measured", "derived", "calibrated", "assumed")
DISTRIBUTIONS: Final = ("fixed", "lognormal")


@cache
def _table() -> pd.DataFrame:
    text = ("symbol", "name", "unit", "distribution", "origin", "source", "used_by")
    table = pd.read_csv(
        TABLE,
        dtype=dict.fromkeys(text, "string"),
        keep_default_na=False,
        na_values={"neutral": "", "spread": ""},
    )
    return table.astype(dict.fromkeys(text, object)).set_index("symbol", drop=False)


def parameter_table() -> pd.DataFrame:
    """Every parameter of the model, of its therapies' actions and of its trigger.

    Returns
    -------
    DataFrame
        Indexed by symbol, with the columns of `COLUMNS`: `value` is the shipped value and `neutral` the value
        that switches a mending off (NaN where the parameter is none); `distribution` between patients is
        ``fixed`` or ``lognormal`` with log-standard deviation `spread` (NaN if fixed) around `value`; `low`
        and `high` bound the plausible values; `origin` is measured, derived, calibrated or assumed; `used_by`
        says where it acts.
    """
    return _table().copy()


def neutral() -> dict[str, float]:
    """Value of each mending at which the model equals the prototype it was built from."""
    column = _table()["neutral"].dropna()
    return {str(symbol): float(value) for symbol, value in column.items()}


def value_text(symbol: str) -> str:
    """The shipped value exactly as it is written in the table."""
    return _value_texts()[symbol]


@cache
def _value_texts() -> Mapping[str, str]:
    raw = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    return MappingProxyType(dict(zip(raw["symbol"], raw["value"], strict=True)))


_NAME = re.compile(r"[A-Za-z_]\w*")


def names_in(expression: str) -> frozenset[str]:
    """Identifiers in a formula."""
    return frozenset(_NAME.findall(expression))
