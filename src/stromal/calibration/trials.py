"""Trials of a user's table of arms: described by its own columns, by the shipped library, or by the class of each arm.

The columns `regimen`, `background` and `eligibility` are read as `shorthand` says. Where neither a column nor a shipped
trial tells what was given, the class of the arm does, if it means that nothing was.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd

from stromal.calibration import shorthand
from stromal.calibration.literature import library
from stromal.design import Course, PublishedArm, PublishedTrial
from stromal.design.base import FrozenMapping, Range
from stromal.design.conduct import Visits
from stromal.design.population import Population, PriorTreatment
from stromal.design.published import PublishedGroup

OWN_COLUMNS: Final = ("regimen", "background", "eligibility")
WHOLE_ARM: Final = ("ITT", "ITT observed", "all", "all randomised", "completers", "observed", "per-protocol")
"""Populations of results that mean the whole arm, in trials that are not in the library."""
_IDLE: Final = re.compile(r"placebo|sham|natural history|no treatment|control$", re.IGNORECASE)
_DEFAULT_MONTHS: Final = (3.0, 60.0)
"""Months since the first symptom where a table says nothing; assumed."""


def described(designs: pd.DataFrame) -> dict[str, PublishedTrial]:
    """Trials of a table of arms, by name.

    Parameters
    ----------
    designs : DataFrame
        With the columns of ``ssc_arms.csv`` and any of `OWN_COLUMNS`.

    Raises
    ------
    InputError
        What a column says cannot be read; names the row, the column, the value and what may be written.
    """
    shipped = library()
    found = {}
    for name, rows in designs.groupby("trial", sort=False):
        own = [c for c in OWN_COLUMNS if c in rows.columns and (rows[c].fillna("").astype(str).str.strip() != "").any()]
        if own or str(name) not in shipped:
            found[str(name)] = _described(str(name), rows, own)
        else:
            found[str(name)] = shipped[str(name)]
    return found


def _described(name: str, rows: pd.DataFrame, own: list[str]) -> PublishedTrial:
    background: dict[str, float] = {}
    criteria: tuple[Any, ...] = ()
    for number, (_, row) in enumerate(rows.iterrows()):
        if "background" in own and not background:
            background = shorthand.background(_text(row, "background"), place=_place(row, number, "background"))
        if "eligibility" in own and not criteria:
            criteria = shorthand.eligibility(_text(row, "eligibility"), place=_place(row, number, "eligibility"))
    diffuse = _share(rows.get("pct_dcssc"))
    population = Population(
        subsets=FrozenMapping({"diffuse": diffuse, "limited": 1.0 - diffuse}),
        referral_months=_months(rows),
        prior_treatment=PriorTreatment(products=FrozenMapping(background), continues=1.0),
        max_candidates_per_patient=1000,
    )
    return PublishedTrial(
        schema_version=1,
        trial=name,
        blinded=_blinded(str(rows["design"].iloc[0]), list(rows["arm_class"])),
        population=population,
        eligibility=criteria,
        arms=tuple(_arm(row, number, "regimen" in own) for number, (_, row) in enumerate(rows.iterrows())),
        groups=tuple(PublishedGroup(population=p) for p in WHOLE_ARM),
        visits=Visits(screening_days_before=28, days=(0, 91, 182, 273, 364)),
    )


def _blinded(design: str, classes: list[str]) -> bool:
    """Whether patients and raters did not know: said by the design, else a placebo arm means it."""
    if re.search(r"open.?label|unblinded|not blinded|single.?arm", design, re.IGNORECASE):
        return False
    return bool(re.search(r"blind", design, re.IGNORECASE)) or any("placebo" in c.lower() for c in classes)


def _arm(row: pd.Series, number: int, has_regimen: bool) -> PublishedArm:
    regimen: tuple[Course, ...] = ()
    if has_regimen:
        regimen = shorthand.regimen(_text(row, "regimen"), place=_place(row, number, "regimen"))
    elif not _IDLE.search(f"{row.get('arm_class', '')} {row['arm']}"):
        kind = row.get("arm_class", "")
        reason = f"what the arm was given is not said (column regimen), and its class {kind!r} is not placebo"
        return PublishedArm(name=str(row["arm"]), not_simulated=reason)
    text = _text(row, "regimen")
    return shorthand.built(
        PublishedArm, {"name": str(row["arm"]), "regimen": regimen}, _place(row, number, "regimen"), text
    )


def _months(rows: pd.DataFrame) -> Range:
    """Months since the first symptom, evenly spread with the reported mean and SD."""
    mean, sd = (pd.to_numeric(rows.get(f"disease_duration_mo_{k}"), errors="coerce") for k in ("mean", "sd"))
    if mean is None or not np.isfinite(mean.mean()):
        return Range(low=_DEFAULT_MONTHS[0], high=_DEFAULT_MONTHS[1])
    centre = float(mean.mean())
    half = float(np.sqrt(3.0) * sd.mean()) if sd is not None and np.isfinite(sd.mean()) else 0.8 * centre
    return Range(low=max(1.0, centre - half), high=max(centre + half, 3.0))


def _share(percent: pd.Series | None) -> float:
    value = float(pd.to_numeric(percent, errors="coerce").mean()) if percent is not None else np.nan
    return min(max(value / 100.0, 0.0), 1.0) if np.isfinite(value) else 1.0


def _text(row: pd.Series, column: str) -> str:
    value = row.get(column)
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)


def _place(row: pd.Series, number: int, column: str) -> str:
    return f"arms of {row['trial']}, arm {number + 1} ({row['arm']}), column {column}"
