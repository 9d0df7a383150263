"""The course of any model as a figure."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from stromal.compute.errors import InputError
from stromal.report.drawing import HUES, PER_ROW, Form, saved, sheet, style

MOST_PANELS: Final = 60
_LONGEST_NAME: Final = 34


def simulation_figure(table: pd.DataFrame, title: str, time_unit: str | None, form: Form = "svg") -> bytes:
    """One small panel per output, over time.

    Parameters
    ----------
    table : DataFrame
        The column `time` and one column per output; what is not finite is not drawn.
    time_unit : str or None
        Of the axis, if it is known.
    form : {"svg", "png"}

    Returns
    -------
    bytes
        The picture's file; the same for the same table.

    Raises
    ------
    InputError
        More than 60 outputs.
    """
    outputs = [str(c) for c in table.columns if c != "time"]
    if len(outputs) > MOST_PANELS:
        remedy = "fewer outputs, chosen by name (--output)"
        raise InputError(
            f"a figure has room for {MOST_PANELS} outputs", place="outputs", value=len(outputs), remedy=remedy
        )
    time = table["time"].to_numpy(float)
    with style():
        figure = sheet(len(outputs), title)
        for k, (axes, name) in enumerate(zip(figure.axes, outputs, strict=True)):
            values = table[name].to_numpy(float)
            axes.plot(time, np.where(np.isfinite(values), values, np.nan), color=HUES[1], linewidth=1.3)
            axes.set_title(name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}...", fontsize=7.5)
            axes.set_xlim(time[0], time[-1])
            _scale(axes, values[np.isfinite(values)])
            if k >= len(outputs) - PER_ROW:
                axes.set_xlabel(f"time [{time_unit}]" if time_unit else "time")
        return saved(figure, form)


def _scale(axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """An axis from zero where zero is near; a line that does not move is drawn in the middle, not as its rounding."""
    formatter = ScalarFormatter(useOffset=False)
    formatter.set_powerlimits((-3, 4))
    axes.yaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = 0.5 * abs(high) or 1.0
        axes.set_ylim(low - half, high + half)
    elif 0.0 <= low < 0.5 * high:
        axes.set_ylim(0.0, 1.08 * high)
