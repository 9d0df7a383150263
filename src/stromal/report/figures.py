"""The figures of a report, each a list of small panels, and the two figures that commands write on their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stromal.design.endpoints import EndPoint
from stromal.report.drawing import ACCENT, FAINT, HUES, INK, LINES, MARKERS, inline, panel, style
from stromal.report.people_figures import patient_figure, population_figure
from stromal.report.wording import MEASURE_NAMES, UNITS, plain, scale, unit

__all__ = ["courses", "estimates", "forest", "patient_figure", "population_figure"]

SCENARIO_TITLES: Final = {
    "null": "The cells do nothing",
    "reference": "The effect that the design states",
    "prior": "Averaged over what is believed",
}
KINDS: Final = {"true change": "true change", "measured change": "change as measured"}


def courses(rows: pd.DataFrame, readout: str, arms: Sequence[str]) -> dict[tuple[str, str], str]:
    """Course of a read-out: one panel per kind of change and scenario, all on the same scale.

    Parameters
    ----------
    rows : DataFrame
        The trajectories of a summary.
    arms : sequence of str
        In the order of the design: colour, line and marker go by it.

    Returns
    -------
    dict
        SVG by (kind of change, scenario).
    """
    own = rows[(rows["readout"] == readout) & rows["value"].isin(list(KINDS))].dropna(subset=["mean"])
    low, high = float(own["p05"].min()), float(own["p95"].max())
    margin = 0.04 * (high - low or 1.0)
    drawn = {}
    with style():
        for (kind, scenario), group in own.groupby(["value", "scenario"], sort=False):
            figure, axes = panel()
            for k, arm in enumerate(arms):
                _course(axes, group[group["arm"] == arm].sort_values("day"), arm, k, len(arms))
            axes.axhline(0.0, color=FAINT, linewidth=0.6, zorder=0)
            axes.set_ylim(low - margin, high + margin)
            _months(axes, float(own["day"].max()))
            axes.set_ylabel(f"{KINDS[kind]} [{UNITS[readout]}]")
            axes.set_title(SCENARIO_TITLES[scenario])
            text = f"{MEASURE_NAMES[readout]}, {KINDS[kind]}: {SCENARIO_TITLES[scenario]}. {_spoken(group, arms)}"
            drawn[(kind, scenario)] = inline(figure, f"{readout}-{plain(kind)[:4]}-{scenario}", text)
    return drawn


def _course(axes: Axes, rows: pd.DataFrame, arm: str, k: int, of: int) -> None:
    shift = (k - (of - 1) / 2.0) * 4.0
    day, colour = rows["day"].to_numpy(float), HUES[k % len(HUES)]
    low, high = rows["p05"].to_numpy(float), rows["p95"].to_numpy(float)
    axes.fill_between(day, low, high, color=colour, alpha=0.12, linewidth=0)
    for edge in (low, high):
        axes.plot(day, edge, color=colour, linewidth=0.5, alpha=0.6, linestyle=LINES[k % len(LINES)])
    axes.plot(
        day + shift,
        rows["mean"].to_numpy(float),
        color=colour,
        linestyle=LINES[k % len(LINES)],
        marker=MARKERS[k % len(MARKERS)],
        markersize=3.2,
        label=plain(arm),
    )


def _months(axes: Axes, last: float) -> None:
    step = 91.0 if last <= 400.0 else 182.0 if last <= 800.0 else 364.0
    ticks = np.arange(0.0, last + 1.0, step)
    axes.set_xticks(ticks, [f"{t / 30.4:.0f}" for t in ticks])
    axes.set_xlabel("months after baseline")


def _spoken(rows: pd.DataFrame, arms: Sequence[str]) -> str:
    last = rows[rows["day"] == rows["day"].max()].set_index("arm")
    parts = [
        f"{plain(a)} {last.at[a, 'mean']:.1f} (90 % of patients {last.at[a, 'p05']:.1f} to {last.at[a, 'p95']:.1f})"
        for a in arms
        if a in last.index
    ]
    return f"Mean at day {int(rows['day'].max())}: {'; '.join(parts)}."


def forest(rows: Sequence[Mapping[str, Any]], name: str, xlabel: str, description: str) -> str:
    """Dots with intervals below one another.

    Parameters
    ----------
    rows : sequence of mapping
        From top to bottom: `label`, `value`, `low` and `high` (None for no interval), `simulated`, `hollow`
        (a subgroup or a median).
    """
    with style():
        figure, axes = panel(height=0.85 + 0.27 * len(rows))
        for y, row in enumerate(rows):
            colour = ACCENT if row["simulated"] else INK
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.3)
            axes.plot(
                row["value"],
                y,
                marker="D" if row["simulated"] else "o",
                markersize=5.0,
                color=colour,
                markerfacecolor="none" if row["hollow"] else colour,
                linestyle="none",
            )
        axes.set_yticks(range(len(rows)), [str(row["label"]) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.axvline(0.0, color=FAINT, linewidth=0.6, zorder=0)
        axes.set_xlabel(xlabel)
        return inline(figure, name, description)


def estimates(replicates: pd.DataFrame, endpoint: EndPoint, truth: float | None) -> dict[str, str]:
    """What single trials would report: the distribution of estimates in each scenario.

    Parameters
    ----------
    replicates : DataFrame
        As of a result.
    truth : float, optional
        True effect under `reference`.

    Returns
    -------
    dict
        SVG by scenario; filled bars are trials that reject in favour of the treatment.
    """
    own = replicates[replicates["endpoint"] == endpoint.name].dropna(subset=["estimate"])
    factor = scale(endpoint)
    values = own["estimate"] * factor
    drawn = {}
    bins = _bins(values.to_numpy(float))
    tops = [np.histogram(values[own["scenario"] == s], bins)[0].max(initial=1) for s in SCENARIO_TITLES]
    with style():
        for scenario, title in SCENARIO_TITLES.items():
            rows = own["scenario"] == scenario
            figure, axes = panel(height=2.2)
            axes.hist(values[rows], bins, color=FAINT, alpha=0.35, label="all trials")
            found = values[rows & own["favours_treatment"]]
            axes.hist(found, bins, color=HUES[1], label="significant, in favour")
            axes.axvline(0.0, color=INK, linewidth=0.8)
            if scenario == "reference" and truth is not None:
                axes.axvline(truth * factor, color=ACCENT, linewidth=1.4, linestyle="--", label="true effect")
            axes.set_ylim(0, 1.08 * max(tops))
            axes.set_ylabel("simulated trials")
            axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            axes.set_xlabel(f"estimated effect [{unit(endpoint)}]")
            axes.set_title(title)
            text = f"{title}: {int(rows.sum())} estimates, {len(found)} of them significant in favour of treatment."
            drawn[scenario] = inline(figure, f"estimates-{scenario}", text)
    return drawn


def _bins(values: NDArray[np.float64]) -> list[float]:
    """Bins with an edge at zero, about 25 of them over the range."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    width = (high - low or 1.0) / 25.0
    return [float(k) * width for k in np.arange(np.floor(low / width) - 1, np.ceil(high / width) + 2)]
