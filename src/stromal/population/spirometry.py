"""Predicted forced vital capacity: the GLI-2012 reference equation.

Reference: Quanjer et al. 2012, Eur Respir J 40:1324, doi:10.1183/09031936.00080312: the median of FVC [L] is
``exp(a0 + a1 ln(height) + a2 ln(age) + ancestry + spline(age))``, height in cm, age in years.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from stromal.compute.errors import InputError

_COEFFICIENTS: Final = {"male": (-11.2281, 2.4135, 0.0865), "female": (-10.403, 2.2633, 0.0234)}
_ANCESTRY: Final = {
    "male": {
        "caucasian": 0.0,
        "african_american": -0.1684,
        "north_east_asian": -0.0405,
        "south_east_asian": -0.1177,
        "other": -0.0825,
    },
    "female": {
        "caucasian": 0.0,
        "african_american": -0.1555,
        "north_east_asian": -0.0262,
        "south_east_asian": -0.1516,
        "other": -0.0833,
    },
}


def predicted_fvc_ml(sex: ArrayLike, age: ArrayLike, height: ArrayLike, ancestry: ArrayLike) -> NDArray[np.float64]:
    """Median FVC of healthy people (GLI-2012).

    Parameters
    ----------
    sex : (n,) of {"female", "male"}
    age : (n,) [years], 18 to 90
    height : (n,) [cm]
    ancestry : (n,) of {"caucasian", "african_american", "north_east_asian", "south_east_asian", "other"}

    Returns
    -------
    (n,) [mL]

    Raises
    ------
    InputError
        An age outside the adult table.
    """
    people = pd.DataFrame({"sex": sex, "age": age, "height": height, "ancestry": ancestry})
    outside = ~people["age"].between(18.0, 90.0)
    if outside.any():
        raise InputError(
            "no adult reference value",
            place="age",
            value=float(people.loc[outside, "age"].iloc[0]),
            remedy="18 to 90",
        )
    result = np.empty(len(people))
    for name, group in people.groupby("sex"):
        a0, a1, a2 = _COEFFICIENTS[str(name)]
        ages, spline = _spline(str(name))
        years = group["age"].to_numpy(dtype=float)
        shift = group["ancestry"].map(_ANCESTRY[str(name)]).to_numpy(dtype=float)
        log_litres = a0 + a1 * np.log(group["height"].to_numpy(dtype=float)) + a2 * np.log(years) + shift
        result[group.index.to_numpy()] = 1000.0 * np.exp(log_litres + np.interp(years, ages, spline))
    return result


@cache
def _spline(sex: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with resources.files("stromal.population").joinpath("gli2012_fvc.csv").open(encoding="utf-8") as lines:
        table = pd.read_csv(lines)
    rows = table[table["sex"] == sex]
    return rows["age"].to_numpy(dtype=float), rows["mspline"].to_numpy(dtype=float)
