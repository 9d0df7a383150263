"""What a trial of cells depends on, as horizontal bars."""

from __future__ import annotations

import math
from textwrap import wrap
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from stromal.calibration.sensitivity import Sensitivity
from stromal.calibration.sensitivity_factors import Kind
from stromal.population.posterior import MSC_EFFECT
from stromal.report.drawing import HUES, INK, Form, saved, style

MOST: Final = 15
"""Factors shown of those that move what cells add."""
KINDS: Final[dict[Kind, tuple[str, str]]] = {
    "cells": (HUES[1], "what cells do"),
    "effect": (HUES[2], "MSC effect"),
    "disease": (HUES[0], "learned about the disease"),
}
SAME_WAY: Final = 0.8
"""The sign of an effect is written where the mean is at least this share of the mean absolute effect."""
_LABEL: Final = 62
"""Characters of a line of a label."""
_LINE: Final = 0.27
"""Height of a bar with its space [inch]."""
_SPACE: Final = 1.3
"""Height of titles and axes of both panels [inch]."""


def sensitivity_figure(result: Sensitivity, form: Form = "svg") -> bytes:
    """Two panels: what moves the effect of cells on the skin score, and what moves the skin score without cells.

    Bars are mean absolute effects of the whole range of a factor, lines their 95 % bootstrap intervals; behind a bar
    stands + or − where the effect goes the same way nearly everywhere.

    Parameters
    ----------
    form : {"svg", "png"}

    Returns
    -------
    bytes
        The picture's file; the same for the same result.
    """
    kinds = {f.name: f.kind for f in result.factors}
    table = result.table.assign(kind=result.table["factor"].map(kinds))
    difference = _strongest(table[table["result"] == "mrss_difference"]).head(MOST)
    change = _strongest(table[(table["result"] == "mrss_change") & (table["kind"] == "disease")])
    panels = [
        (difference, "What cells add to the skin score at 52 weeks", "−: the higher, the more cells lower the score"),
        (change, "Change of the skin score in 52 weeks without cells", "−: the higher, the lower the score"),
    ]
    panels = [panel for panel in panels if len(panel[0])]
    heights = [len(panel[0]) for panel in panels]
    with style():
        size = (8.2, _LINE * sum(heights) + _SPACE * len(panels))
        figure = Figure(figsize=size, layout="constrained", facecolor="white")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[h + 1.5 for h in heights])[:, 0]
        for one, (rows, title, sign) in zip(axes, panels, strict=True):
            _bars(one, rows)
            one.set_title(title)
            one.set_xlabel(f"mean absolute effect of the whole range of the factor [mRSS points]\n{sign}")
        shown = [k for k in KINDS if k in set(difference["kind"])]
        patches = [Patch(color=KINDS[k][0], alpha=0.6, label=KINDS[k][1]) for k in shown]
        axes[0].legend(handles=patches, loc="lower right")
        return saved(figure, form)


def _strongest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("mu_star", ascending=False, kind="stable", ignore_index=True)


def _bars(axes: Axes, rows: pd.DataFrame) -> None:
    effect, error = rows["mu_star"].to_numpy(float), rows["mu_star_conf"].to_numpy(float)
    axes.barh(range(len(rows)), effect, color=[KINDS[k][0] for k in rows["kind"]], height=0.62, alpha=0.6)
    low = (effect - error).clip(0.0)
    for y, (start, end) in enumerate(zip(low, effect + error, strict=True)):
        axes.plot([start, end], [y, y], color=INK, linewidth=0.9)
    for y, mean in enumerate(rows["mu"]):
        if effect[y] > 0.0 and abs(mean) >= SAME_WAY * effect[y]:
            sign = "+" if mean > 0.0 else "−"
            axes.annotate(sign, (effect[y] + error[y], y), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [_label(*row) for row in zip(rows["factor"], rows["label"], strict=True)])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0.0, 1.08 * float((effect + error).max()) or 1.0)
    axes.tick_params(axis="y", length=0, labelsize=6.8)


def _label(factor: str, label: str) -> str:
    """Name and meaning, on lines about as long as one another."""
    text = label if factor == MSC_EFFECT else f"{factor.replace('_', ' ')}: {label}"
    lines = len(wrap(text, _LABEL))
    width = next(w for w in range(math.ceil(len(text) / lines), _LABEL + 1) if len(wrap(text, w)) <= lines)
    return "\n".join(wrap(text, width))
