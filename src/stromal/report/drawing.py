"""How figures are drawn: one style, small panels, and SVG that is the same for the same numbers.

Panels are small so that a page can put them side by side on paper and below one another on a phone. In a page the
colours are variables of the style sheet, so that a figure follows its light or dark scheme.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Form = Literal["svg", "png"]
INK: Final = "#1a1a1a"
FAINT: Final = "#8a8f98"
HUES: Final = ("#5b6470", "#0b6bb5", "#b8500a", "#6a3d9a", "#1b7f4d", "#a1206b")
"""Colours of arms in the order of the design; the first, grey, is for a control. Also told apart by line and marker."""
ACCENT: Final = "#c0392b"
VARIABLES: Final = {
    INK: "currentColor",
    FAINT: "var(--faint)",
    ACCENT: "var(--accent)",
    **{hue: f"var(--hue{k})" for k, hue in enumerate(HUES)},
}
LINES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
WIDTH: Final = 3.5
"""Width of a panel [inch]."""
PER_ROW: Final = 3
"""Panels side by side on a sheet."""

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "stromal",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "figure.facecolor": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of the reports, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def panel(height: float = 2.5, width: float = WIDTH) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; no window and no global state is involved."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def sheet(panels: int, title: str) -> Figure:
    """A white sheet of small panels, `PER_ROW` side by side."""
    rows = math.ceil(panels / PER_ROW)
    figure = Figure(
        figsize=(8.2, 0.5 + 0.15 * title.count("\n") + 1.75 * rows), layout="constrained", facecolor="white"
    )
    for k in range(panels):
        figure.add_subplot(rows, PER_ROW, k + 1)
    figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def inline(figure: Figure, name: str, description: str) -> str:
    """A figure as an element of a page.

    Parameters
    ----------
    name : str
        Unique in the page: begins every id within the figure.
    description : str
        What a reader who cannot see it should know.
    """
    text = saved(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    label = description.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def saved(figure: Figure, form: Form) -> bytes:
    """A figure as the bytes of a file, with no date in it."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()
