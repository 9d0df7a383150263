"""Reference patients and arms: the cases by which the model was built, and by which it is judged.

They are the cases of the prototype's tables: five courses of disease from the trigger on, and 22 arms that
one diffuse patient with lung disease enters 540 days after the trigger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from stromal.biology.composition import model
from stromal.biology.parameters import parameter_table
from stromal.biology.schedule import actions, trigger
from stromal.design import Course
from stromal.engine import solve

ENTRY_DAY: Final = 540.0
"""When the reference patient enters a trial [d after the trigger]."""


def _value(symbol: str) -> float:
    return float(parameter_table().at[symbol, "value"])


CASES: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "healthy": {"trigA": 0.0},
        "resistant host": {"sig": 0.0},
        "weak trigger": {"trigA": 0.4, "trigT": 60.0},
        "diffuse with lung disease": {},
        "limited": {
            "extS": 0.3,
            "sS": 0.2,
            "sL": 0.35,
            "sig": 0.75,
            "trigT": 90.0,
            "kVl": 1.3 * _value("kVl"),
        },
    }
)
"""Parameters in which each case differs from the shipped values."""


def _cells(product: str, days: tuple[int, ...] = (0,), dose: float = 1.0e6, route: str = "iv") -> Course:
    return Course.model_validate({"product": product, "days": days, "dose_per_kg": dose, "route": route})


def _daily(product: str, to_day: int | None = None) -> Course:
    return Course(product=product, from_day=0, to_day=to_day)


def _days(product: str, *days: int) -> Course:
    return Course(product=product, days=days)


_UC: Final = "umbilical_cord_msc"

ARMS: Final[Mapping[str, tuple[Course, ...]]] = MappingProxyType(
    {
        "untreated": (),
        "MMF": (_daily("mycophenolate"),),
        "CYC": (_daily("cyclophosphamide", 365),),
        "MTX": (_daily("methotrexate"),),
        "NIN": (_daily("nintedanib"),),
        "TCZ": (_daily("tocilizumab"),),
        "RTX": (_days("rituximab", 0, 7, 14, 21),),
        "PRED": (_daily("prednisone"),),
        "AHSCT": (_days("ahsct", 0),),
        "MSC-UC": (_cells(_UC),),
        "MSC-BM": (_cells("bone_marrow_msc"),),
        "MSC-BM-3x": (_cells("bone_marrow_msc", dose=3.0e6),),
        "MSC-AT": (_cells("adipose_msc"),),
        "MSC-auto": (_cells("autologous_adipose_msc"),),
        "UCx3-monthly": (_cells(_UC, (0, 30, 60)),),
        "UCx4-quarterly": (_cells(_UC, (0, 91, 182, 273)),),
        "SVF-local": (_cells("autologous_adipose_msc", dose=3.0e5, route="local"),),
        "EVx6": (Course(product="msc_vesicles", days=(0, 14, 28, 42, 56, 70), dose_per_kg=1.0e6),),
        "PE": (_days("plasma_exchange", 0, 2, 4),),
        "PE+CYC+UC": (
            _days("plasma_exchange", 0, 2, 4),
            _days("cyclophosphamide_pulse", 0, 2, 4),
            _cells(_UC, (8,)),
        ),
        "MMF+UC": (_daily("mycophenolate"), _cells(_UC)),
        "MMF+NIN": (_daily("mycophenolate"), _daily("nintedanib")),
    }
)
"""Courses of each arm; days count from entry."""

QUANTITIES: Final = ("mRSS", "FVC", "DLCO", "CapLoss", "Ab", "N", "hDeath")


def natural_history(days: np.ndarray, changed: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Course of the five cases.

    Parameters
    ----------
    days : (n_days,)
        [d after the trigger].
    changed : mapping, optional
        Parameters that take another value in all cases, e.g. `neutral()`.

    Returns
    -------
    DataFrame
        Columns of `QUANTITIES`, indexed by (case, day).
    """
    patients = _patients({case: {**(changed or {}), **own} for case, own in CASES.items()})
    return _solved(patients, trigger(patients), days, 0.0)


def treated(
    days: np.ndarray, changed: Mapping[str, float] | None = None, arms: Sequence[str] = tuple(ARMS)
) -> pd.DataFrame:
    """Course of the reference patient in each of some arms.

    Parameters
    ----------
    days : (n_days,)
        [d after entry]; actions of the same day come after the record.
    changed : mapping, optional
        As of `natural_history`.
    arms : sequence of str
        Names of `ARMS`.

    Returns
    -------
    DataFrame
        Columns of `QUANTITIES`, indexed by (case, day), where the case is the arm.
    """
    patients = _patients({arm: dict(changed or {}) for arm in arms})
    parts = [actions(ARMS[arm], patients.loc[[arm]], entry=ENTRY_DAY) for arm in arms if ARMS[arm]]
    schedule = pd.concat([trigger(patients), *parts], ignore_index=True)
    return _solved(patients, schedule, days, ENTRY_DAY)


def _patients(rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    names = sorted({name for row in rows.values() for name in row})
    table = pd.DataFrame(
        {name: [row.get(name, _value(name)) for row in rows.values()] for name in names}, index=list(rows)
    )
    return table.astype(float)


def _solved(patients: pd.DataFrame, schedule: pd.DataFrame, days: np.ndarray, entry: float) -> pd.DataFrame:
    system = model()
    known = patients[[name for name in patients.columns if name in system.parameters]]
    result = solve(system, known, schedule, entry + np.asarray(days, dtype=float), QUANTITIES)
    index = pd.MultiIndex.from_product([patients.index, days], names=["case", "day"])
    return pd.DataFrame(result.values.reshape(len(index), len(QUANTITIES)), index=index, columns=list(QUANTITIES))


def predicted(table: pd.DataFrame, changed: Mapping[str, float] | None = None) -> pd.Series:
    """What the model says for each row of a table of known answers.

    Parameters
    ----------
    table : DataFrame
        Columns `table` (``natural history`` counts `day` from the trigger, the others from entry), `case`,
        `quantity`, `relative_to` (empty: the value itself; ``entry``: its change since entry; ``untreated``:
        that change minus the untreated one; ``slope``: by how many percent the change is smaller than
        untreated) and `day`.
    changed : mapping, optional
        As of `natural_history`.

    Returns
    -------
    Series
        On the index of `table`.
    """
    values: list[pd.Series] = []
    for name, rows in table.groupby("table", sort=False):
        days = np.unique(np.append(rows["day"].to_numpy(dtype=float), 0.0))
        if name == "natural history":
            courses = natural_history(days, changed)
        else:
            courses = treated(days, changed, tuple(dict.fromkeys(["untreated", *rows["case"]])))
        read = [
            _read(courses, str(r.case), str(r.quantity), str(r.relative_to), float(str(r.day)))
            for r in rows.itertuples()
        ]
        values.append(pd.Series(read, index=rows.index))
    return pd.concat(values).reindex(table.index)


def _read(courses: pd.DataFrame, case: str, quantity: str, relative_to: str, day: float) -> float:
    def change(arm: str) -> float:
        return float(courses.at[(arm, day), quantity] - courses.at[(arm, 0.0), quantity])

    if relative_to == "entry":
        return change(case)
    if relative_to == "untreated":
        return change(case) - change("untreated")
    if relative_to == "slope":
        return 100.0 * (1.0 - change(case) / change("untreated"))
    return float(courses.at[(case, day), quantity])
