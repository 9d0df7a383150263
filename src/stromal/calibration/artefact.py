"""Emulators of a calibration as text files: written by `stromal calibrate`, read by `stromal validate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.calibration.cells import LEVELS
from stromal.calibration.emulator import Emulator
from stromal.calibration.likelihood import Emulated, Literature
from stromal.compute.content import content_hash
from stromal.compute.errors import InputError
from stromal.population.hyperparameters import Hyperparameters, hyperparameters
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
FOLDER: Final = Path(__file__).parent / "fitted"
EMULATORS: Final = "emulators.csv"
CELLS: Final = "cells.csv"
_STATISTICS: Final = ("mean", "log_sd", "effect")
_DIGITS: Final = 7
_KEYS: Final = ("trial", "arm", "endpoint", "definition", "population", "stat_type", "week")


def emulators_csv(literature: Literature) -> str:
    """Emulators as text: one row per observation and statistic."""
    rows = []
    for statistic in _STATISTICS:
        emulator: Emulator = getattr(literature.emulated, statistic)
        table = literature.table[list(_KEYS)].assign(
            statistic=statistic,
            loading=literature.emulated.loading,
            variance=emulator.variance,
            leave_one_out=emulator.leave_one_out,
            explained=emulator.explained,
        )
        coefficients = pd.DataFrame(emulator.coefficients.T, index=table.index).add_prefix("c")
        rows.append(table.join(coefficients))
    return str(pd.concat(rows).to_csv(index=False, float_format=f"%.{_DIGITS}g"))


def cells_csv(more: Mapping[str, Array]) -> str:
    """What cells add to each result by effect, as mean and SD over draws; the first result of each trial and arm."""
    rows = [
        {"trial": trial, "result": k, "effect": level, "mean": np.nanmean(v), "sd": np.nanstd(v)}
        for trial, table in more.items()
        for level, values in zip(LEVELS, table, strict=True)
        for k, v in enumerate(values.T)
    ]
    return str(pd.DataFrame(rows).to_csv(index=False, float_format=f"%.{_DIGITS}g"))


def read_literature(table: pd.DataFrame, folder: Path = FOLDER) -> Literature:
    """Observations with the emulators of a folder.

    Parameters
    ----------
    table : DataFrame
        Observations; each must be among those that were emulated.

    Raises
    ------
    InputError
        An observation was not emulated: the evidence, the library or the model has changed since.
    """
    path = folder / EMULATORS
    if not path.is_file():
        raise InputError("there is no calibration here", file=path, remedy="stromal calibrate")
    stored = pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])
    text = [k for k in _KEYS if k != "week"]
    stored[text] = stored[text].fillna("")
    wanted = pd.MultiIndex.from_frame(table[list(_KEYS)].fillna(""))
    emulators, loading = {}, np.zeros(len(table))
    for statistic in _STATISTICS:
        own = stored[stored["statistic"] == statistic]
        index = pd.MultiIndex.from_frame(own[list(_KEYS)])
        places = pd.Series(np.arange(len(own)), index=index)
        places = places[~places.index.duplicated()].reindex(wanted)
        if places.isna().any():
            missing = ", ".join(str(x) for x in wanted[places.isna().to_numpy()][0])
            raise InputError(
                "a result was not part of the calibration", file=path, value=missing, remedy="stromal calibrate"
            )
        emulators[statistic] = _emulator(own.iloc[places.to_numpy(dtype=int)], hyperparameters())
        loading = own["loading"].to_numpy(dtype=float)[places.to_numpy(dtype=int)]
    emulated = Emulated(emulators["mean"], emulators["log_sd"], emulators["effect"], loading)
    return Literature(table, emulated, hyperparameters(), shipped_recipe().study)


def read_cells(folder: Path = FOLDER) -> dict[str, tuple[Array, Array]]:
    """What cells add to the results of each trial: mean and SD, (n_levels, n_results)."""
    table = pd.read_csv(folder / CELLS)
    return {
        str(trial): tuple(rows.pivot(index="effect", columns="result", values=v).to_numpy() for v in ("mean", "sd"))
        for trial, rows in table.groupby("trial", sort=False)
    }


def evidence_hash(table: pd.DataFrame) -> str:
    """SHA-256 of the observations: what was reported and what is fitted."""
    kept = table[[*_KEYS, "value", "y", "n", "not_fitted"]].round(10).astype(str)
    return content_hash(kept.to_dict(orient="list"))


def _emulator(rows: pd.DataFrame, own: Hyperparameters) -> Emulator:
    priors = own.priors()
    columns = [c for c in rows.columns if c.startswith("c") and c[1:].isdigit()]
    return Emulator(
        np.array([p.mean for p in priors.values()]),
        np.array([p.sd for p in priors.values()]),
        rows[columns].to_numpy(dtype=float).T,
        rows["variance"].to_numpy(dtype=float),
        rows["leave_one_out"].to_numpy(dtype=float),
        rows["explained"].to_numpy(dtype=float),
    )
