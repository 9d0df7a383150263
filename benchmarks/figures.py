"""Work-precision figures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from benchmarks.tasks import ROOT
from benchmarks.workprecision import ENGINES, TARGET, Entry
from stromal.report.drawing import FAINT, INK, panel, saved, style

FOLDER: Final = ROOT / "docs" / "figures"
COLOURS: Final = ("#000000", "#7a7a7a", "#0072b2", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#8c6d00")
"""Of the engines in their order: the palette of Okabe and Ito, its yellow darkened; also told apart by marker."""
MARKERS: Final = ("o", "o", "s", "s", "D", "^", "v", "P")
OPEN: Final = (False, True, False, True, False, False, False, False)


def draw(name: str, entries: list[Entry]) -> Path:
    """Throughput over the median error, one line for each engine; the file that was written."""
    with style():
        figure, axes = panel(height=3.6, width=6.6)
        for entry in entries:
            if entry.points:
                _line(axes, entry)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.invert_xaxis()
        axes.axvline(TARGET, color=FAINT, linewidth=0.8, linestyle="--", zorder=0)
        axes.set_xlabel("median over patients of the largest relative error (smaller to the right)")
        axes.set_ylabel("patients per second and core")
        axes.grid(visible=True, which="major", color=FAINT, alpha=0.25, linewidth=0.5)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), labelcolor=INK)
        text = saved(figure, "svg")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"work-precision-{name}.svg"
    path.write_bytes(text)
    return path


def _line(axes: Axes, entry: Entry) -> None:
    k = [e.name for e in ENGINES].index(entry.engine.name)
    points = sorted(entry.points, key=lambda p: p.median)
    axes.plot(
        [p.median for p in points],
        [p.rate for p in points],
        color=COLOURS[k],
        marker=MARKERS[k],
        markersize=4.5,
        markerfacecolor="white" if OPEN[k] else COLOURS[k],
        linestyle="--" if OPEN[k] else "-",
        linewidth=1.3,
        label=entry.engine.name,
    )
