"""Figures of a meta-analysis: forest, funnel, and the network of what was compared with what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from stromal.evidence.pooled_table import PooledTable
from stromal.evidence.pooling.pool import Pooled, critical
from stromal.evidence.pooling.subgroups import Subgroups
from stromal.evidence.pooling.wording import Scale
from stromal.report.drawing import ACCENT, FAINT, HUES, INK, Form, panel, saved, style

LONGEST: Final = 52
"""Characters of a study's name."""
TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
REACH: Final = 3.0
"""An axis shows at most so many times the range of the estimates; longer intervals end in an arrow."""


def forest_plot(result: PooledTable, title: str, by: str | None = None, form: Form = "svg") -> bytes:
    """Every study with its interval and weight, the mean of each group, and the mean of all.

    Parameters
    ----------
    by : str, optional
        A column of `result.by`: studies are drawn under their group.
    form : {"svg", "png"}

    Returns
    -------
    bytes
        The picture's file. A square's area is a study's weight, a diamond spans the interval of a mean; the line below
        the last one the prediction interval.
    """
    lines = _lines(result, by)
    scale = result.scale
    with style():
        height = 1.2 + 0.24 * len(lines)
        figure = Figure(figsize=(8.2, height), facecolor="white")
        axes = figure.add_axes((0.37, 0.5 / height, 0.31, (height - 1.0) / height))
        low, high = _limits(result)
        for y, (label, pooled, k) in enumerate(lines):
            if pooled is None:
                axes.text(
                    0.0, y, label, transform=axes.get_yaxis_transform(), fontweight="bold", ha="right", va="center"
                )
            elif k is None:
                _diamond(axes, y, pooled, low, high)
            else:
                _study(axes, y, pooled, k, low, high)
        axes.set_yticks(range(len(lines)), [_label(label, pooled is not None) for label, pooled, _ in lines])
        for tick, (_, _, k) in zip(axes.get_yticklabels(), lines, strict=True):
            tick.set_fontweight("normal" if k is not None else "bold")
        _beside(axes, lines, scale)
        _frame(axes, scale, low, high, len(lines))
        figure.text(0.01, 1.0 - 0.2 / height, title, fontweight="bold", fontsize=8.5)
        return saved(figure, form)


def funnel_plot(pooled: Pooled, scale: Scale, title: str, form: Form = "svg") -> bytes:
    """Effects against standard errors; the triangle holds 95 % of studies that estimate the common effect.

    Asymmetry can come from missing small studies, and from much else.
    """
    se = np.sqrt(pooled.vi)
    top = 1.1 * float(se.max())
    half = critical(0.95, None) * top
    with style():
        figure, axes = panel(height=3.2, width=4.6)
        figure.set_facecolor("white")
        axes.fill(
            [pooled.mu - half, pooled.mu, pooled.mu + half], [top, 0.0, top], color=FAINT, alpha=0.15, linewidth=0
        )
        axes.axvline(pooled.mu, color=INK, linewidth=0.8)
        axes.axvline(scale.null or 0.0, color=FAINT, linewidth=0.8, linestyle="--")
        axes.plot(pooled.yi, se, linestyle="none", marker="o", markersize=4.5, color=HUES[1])
        axes.set_ylim(top, 0.0)
        reach = max(half, float(np.abs(pooled.yi - pooled.mu).max()) * 1.1)
        axes.set_xlim(pooled.mu - reach, pooled.mu + reach)
        _value_axis(axes, scale)
        axes.set_ylabel("standard error")
        axes.set_title(title)
        return saved(figure, form)


def network_plot(contrasts: pd.DataFrame, title: str, form: Form = "svg") -> bytes:
    """Treatments on a circle; a line joins those that a study compared, thicker for more studies.

    Parameters
    ----------
    contrasts : DataFrame
        Columns `study`, `treat1`, `treat2`.
    """
    pairs = contrasts.assign(
        pair=[tuple(sorted(p)) for p in zip(contrasts["treat1"], contrasts["treat2"], strict=True)]
    )
    counts = pairs.groupby("pair")["study"].nunique()
    names = sorted({*contrasts["treat1"], *contrasts["treat2"]})
    angle = {n: 2.0 * math.pi * k / len(names) + math.pi / 2.0 for k, n in enumerate(names)}
    place = {n: (math.cos(a), math.sin(a)) for n, a in angle.items()}
    studies = {n: pairs.loc[(pairs["treat1"] == n) | (pairs["treat2"] == n), "study"].nunique() for n in names}
    with style():
        figure, axes = panel(height=4.6, width=5.6)
        figure.set_facecolor("white")
        for (one, other), count in counts.items():
            (x1, y1), (x2, y2) = place[one], place[other]
            axes.plot([x1, x2], [y1, y2], color=FAINT, linewidth=0.8 + 1.2 * count, zorder=1, solid_capstyle="round")
            axes.text(
                0.5 * (x1 + x2),
                0.5 * (y1 + y2),
                str(count),
                fontsize=7,
                ha="center",
                va="center",
                zorder=2,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
        for name, (x, y) in place.items():
            axes.scatter(x, y, s=30.0 + 22.0 * studies[name], color=HUES[1], zorder=3)
            side = "center" if abs(x) < 0.2 else ("left" if x > 0 else "right")
            axes.text(1.13 * x, 1.13 * y, name, ha=side, va="center")
        axes.set_xlim(-1.75, 1.75)
        axes.set_ylim(-1.3, 1.3)
        axes.set_axis_off()
        axes.set_title(title)
        return saved(figure, form)


Line = tuple[str, Pooled | None, int | None]


def _lines(result: PooledTable, by: str | None) -> list[Line]:
    """Label, the pool it belongs to, and the number of the study in it (None for a mean)."""
    lines: list[Line] = []
    groups: Subgroups | None = result.by[by] if by else None
    for name, pooled in zip(groups.groups, groups.pooled, strict=True) if groups else [("", result.overall)]:
        if name:
            lines.append((f"{by}: {name}", None, None))
        lines += [(label, pooled, k) for k, label in enumerate(pooled.labels)]
        if name and pooled.k > 1:
            lines.append((f"mean, {by}: {name}", pooled, None))
    return [*lines, ("mean of all", result.overall, None)]


def _limits(result: PooledTable) -> tuple[float, float]:
    overall = result.overall
    reach = critical(overall.level, None) * np.sqrt(overall.vi)
    ends = [*(overall.yi - reach), *(overall.yi + reach), overall.pi_low, overall.pi_high, result.scale.null or 0.0]
    finite = [e for e in ends if math.isfinite(e)]
    middle, width = overall.mu, float(np.ptp(overall.yi)) or float(np.max(reach))
    return max(min(finite), middle - REACH * width), min(max(finite), middle + REACH * width)


def _study(axes: Axes, y: int, pooled: Pooled, k: int, low: float, high: float) -> None:
    half = critical(pooled.level, None) * math.sqrt(pooled.vi[k])
    _bar(axes, y, pooled.yi[k] - half, pooled.yi[k] + half, low, high, INK)
    size = 2.5 + 7.0 * math.sqrt(pooled.weights[k] / 100.0)
    axes.plot(pooled.yi[k], y, marker="s", markersize=size, color=HUES[1], linestyle="none")


def _bar(axes: Axes, y: float, start: float, end: float, low: float, high: float, colour: str) -> None:
    """An interval; what lies outside the axis ends in an arrow."""
    axes.plot([max(start, low), min(end, high)], [y, y], color=colour, linewidth=1.1)
    for outside, at, marker in ((start < low, low, "<"), (end > high, high, ">")):
        if outside:
            axes.plot(at, y, marker=marker, markersize=3.5, color=colour, clip_on=False)


def _diamond(axes: Axes, y: int, pooled: Pooled, low: float, high: float) -> None:
    if math.isfinite(pooled.ci_low):
        corners = [pooled.ci_low, pooled.mu, pooled.ci_high, pooled.mu]  # the axis cuts what lies outside
        axes.fill(corners, [y, y - 0.3, y, y + 0.3], color=ACCENT, linewidth=0)
    if math.isfinite(pooled.pi_low) and pooled.k > 2:
        _bar(axes, y + 0.42, pooled.pi_low, pooled.pi_high, low, high, ACCENT)


def _beside(axes: Axes, lines: Sequence[Line], scale: Scale) -> None:
    """Estimate with interval, and weight, to the right of the axis."""
    transform = axes.get_yaxis_transform()
    axes.text(1.02, -1.0, f"{scale.name} (95 % interval)", transform=transform, va="center", fontweight="bold")
    axes.text(1.86, -1.0, "weight", transform=transform, va="center", fontweight="bold")
    for y, (_, pooled, k) in enumerate(lines):
        if pooled is None:
            continue
        if k is None:
            value, low, high = pooled.mu, pooled.ci_low, pooled.ci_high
        else:
            half = critical(pooled.level, None) * math.sqrt(pooled.vi[k])
            value, low, high = pooled.yi[k], pooled.yi[k] - half, pooled.yi[k] + half
        text = scale.text(value) + (f" ({scale.span(low, high)})" if math.isfinite(low) else "")
        axes.text(1.02, y, text, transform=transform, va="center", fontweight="normal" if k is not None else "bold")
        if k is not None:
            axes.text(1.86, y, f"{pooled.weights[k]:.0f} %", transform=transform, va="center")


def _frame(axes: Axes, scale: Scale, low: float, high: float, n: int) -> None:
    pad = 0.03 * (high - low)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(n - 0.3, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(scale.null or 0.0, color=FAINT, linewidth=0.8, zorder=0)
    _value_axis(axes, scale)


def _value_axis(axes: Axes, scale: Scale) -> None:
    unit = f" [{scale.unit}]" if scale.unit else ""
    axes.set_xlabel(f"{scale.name}{unit}")
    if scale.back == "exp":
        low, high = axes.get_xlim()
        ticks = [math.log(t) for t in TICKS if low <= math.log(t) <= high]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{math.exp(x):g}"))


def _label(text: str, shown: bool) -> str:
    if not shown:
        return ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
