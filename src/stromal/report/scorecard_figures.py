"""Figures of the scorecard: predicted intervals beside results, scores, PIT, coverage, and spread between patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory
from scipy import stats

from stromal.calibration.prediction import LEVELS
from stromal.report.drawing import ACCENT, FAINT, HUES, INK, inline, panel, style
from stromal.report.wording import number

MODEL, NAIVE, POOL = HUES[1], HUES[0], HUES[2]
PREDICTORS: Final = {"": "model", "_naive": "naive mean", "_pool": "pool"}
SCORES: Final = {"crps": "CRPS", "interval_score": "90 % interval score"}
LONGEST: Final = 42
"""Characters of a label."""
LONGEST_WIDE: Final = 70
"""The same where a label says what was counted."""
_LINE: Final = 0.2
"""Height of a line [inch]."""
_PLACES: Final = {False: (0.006, 0.268, 0.535, 0.905), True: (0.006, 0.24, 0.635, 0.905)}
"""Where trial, label, axes and mark begin, as shares of the width; with labels of usual width, and wide ones."""
_LONGEST_TRIAL: Final = {False: 38, True: 34}
_MOST_BINS: Final = 10


def interval_figure(rows: pd.DataFrame, unit: str, name: str, *, wide: bool = False) -> str:
    """One line per result: what was observed beside 50 % and 90 % of the prediction.

    Parameters
    ----------
    rows : DataFrame
        From top to bottom, rows of a trial one after another: trial, label, observed, observed_low and observed_high
        (95 % sampling interval; NaN where it is not known), predicted, lo50, hi50, lo90, hi90, in90.
    unit : str
        Of the axis.
    name : str
        Of the figure in the page.
    wide : bool
        Leave room for labels of `LONGEST_WIDE` characters.

    Returns
    -------
    str
        SVG. A result outside its 90 % interval is a red diamond, and a word at the right says on which side it lies.
    """
    height = 0.54 + _LINE * len(rows)
    places = _PLACES[wide]
    with style():
        figure = Figure(figsize=(9.6, height))
        box = (places[2], 0.48 / height, places[3] - places[2] - 0.012, _LINE * len(rows) / height)
        axes = figure.add_axes(box)
        _bands_of_trials(axes, rows["trial"].tolist())
        for y, (_, row) in enumerate(rows.iterrows()):
            _result(axes, y, row)
        _names(figure, axes, rows, wide)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(unit)
        inside = int(rows["in90"].astype(bool).sum())
        wrong = [f"{r['trial']}, {r['label']}" for _, r in rows.iterrows() if not r["in90"]]
        text = f"{inside} of {len(rows)} results lie inside the predicted 90 % interval."
        return inline(figure, name, text + (f" Outside: {'; '.join(wrong)}." if wrong else ""))


def _bands_of_trials(axes: Axes, trials: Sequence[str]) -> None:
    """Every other trial on a grey ground, across the names as well, and a line at no change."""
    across = blended_transform_factory(axes.figure.transFigure, axes.transData)
    shaded = False
    for y, trial in enumerate(trials):
        shaded = shaded if y and trial == trials[y - 1] else not shaded
        if shaded:
            ends = [y - 0.5, y - 0.5, y + 0.5, y + 0.5]
            axes.fill([0.0, 1.0, 1.0, 0.0], ends, color=FAINT, alpha=0.12, linewidth=0, transform=across, clip_on=False)
    axes.axvline(0.0, color=FAINT, linewidth=0.6, zorder=0)


def _result(axes: Axes, y: int, row: pd.Series) -> None:
    inside = bool(row["in90"])
    colour = INK if inside else ACCENT
    axes.plot([row["lo90"], row["hi90"]], [y - 0.12, y - 0.12], color=MODEL, linewidth=1.1, solid_capstyle="butt")
    axes.plot([row["lo50"], row["hi50"]], [y - 0.12, y - 0.12], color=MODEL, linewidth=4.2, solid_capstyle="butt")
    if np.isfinite(row["observed_low"]):
        axes.plot([row["observed_low"], row["observed_high"]], [y + 0.22, y + 0.22], color=colour, linewidth=0.9)
    axes.plot(
        row["observed"],
        y + 0.22,
        marker="o" if inside else "D",
        markersize=3.6 if inside else 4.4,
        color=colour,
        linestyle="none",
        zorder=4,
    )


def _names(figure: Figure, axes: Axes, rows: pd.DataFrame, wide: bool) -> None:
    """Trial once, arm on every line, and where a result outside lies."""
    transform = blended_transform_factory(figure.transFigure, axes.transData)
    at_trial, at_label, _, at_mark = _PLACES[wide]
    before = ""
    for y, (_, row) in enumerate(rows.iterrows()):
        words = [(at_label, str(row["label"]), INK, "normal")]
        if row["trial"] != before:
            words.append((at_trial, shortened(str(row["trial"]), _LONGEST_TRIAL[wide]), INK, "bold"))
        if not row["in90"]:
            side = "above" if row["observed"] > row["hi90"] else "below"
            words.append((at_mark, f"{side} 90 %", ACCENT, "bold"))
        for x, text, colour, weight in words:
            axes.text(x, y, text, transform=transform, va="center", fontsize=7.0, color=colour, fontweight=weight)
        before = row["trial"]


def shortened(text: str, limit: int) -> str:
    """Text of at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def score_panels(scores: Mapping[str, Any], name: str) -> dict[tuple[str, str], str]:
    """Scores of the model and of both baselines, and the differences with their bootstrap intervals.

    Parameters
    ----------
    scores : mapping
        Of a family, as in the summary of a scorecard.

    Returns
    -------
    dict
        SVG by (score, "value" or "difference").
    """
    drawn = {}
    with style():
        for score, title in SCORES.items():
            drawn[(score, "value")] = _values(scores, score, title, name)
            drawn[(score, "difference")] = _differences(scores, score, title, name)
    return drawn


def _values(scores: Mapping[str, Any], score: str, title: str, name: str) -> str:
    values = {label: float(scores[score + key]) for key, label in PREDICTORS.items()}
    figure, axes = panel(height=1.6)
    bars = axes.barh(list(values), list(values.values()), color=[MODEL, NAIVE, POOL], height=0.62)
    axes.bar_label(bars, labels=[number(v, 2) for v in values.values()], padding=3, fontsize=7.5)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0.0, 1.18 * (max(values.values()) or 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_xlabel(f"mean over {scores['rows']} arms [{scores['unit']}]\n(smaller is better)")
    axes.set_title(title)
    text = f"{title}: " + "; ".join(f"{label} {number(v, 2)}" for label, v in values.items()) + f" {scores['unit']}."
    return inline(figure, f"{name}-{score}-value", text)


def _differences(scores: Mapping[str, Any], score: str, title: str, name: str) -> str:
    figure, axes = panel(height=1.6)
    spoken = []
    for y, (key, colour) in enumerate((("naive", NAIVE), ("pool", POOL))):
        d = scores[f"{score}_less_{key}"]
        if np.isfinite(d["low"]):
            axes.plot([d["low"], d["high"]], [y, y], color=colour, linewidth=1.6)
        axes.plot(d["mean"], y, marker="o", markersize=5.0, color=colour, linestyle="none")
        spoken.append(
            f"less {PREDICTORS[f'_{key}']} {number(d['mean'], 2)} ({number(d['low'], 2)} to {number(d['high'], 2)})"
        )
    axes.set_yticks([0, 1], ["less naive mean", "less pool"])
    axes.set_ylim(1.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=0)
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_xlabel(f"model less baseline [{scores['unit']}]\n(below 0: model better)")
    axes.set_title(f"{title}: difference")
    return inline(figure, f"{name}-{score}-difference", f"{title} of the model {'; '.join(spoken)} {scores['unit']}.")


def pit_panel(pit: Sequence[float], title: str, name: str) -> str:
    """Where results fell in their predicted distributions, with what uniform values would give.

    Parameters
    ----------
    pit : sequence of float
        Share of the prediction below each result.

    Returns
    -------
    str
        SVG. The band holds the count of a bin in 95 % of sets of as many independent uniform values.
    """
    n = len(pit)
    bins = min(max(n // 4, 4), _MOST_BINS)
    counts = np.histogram(pit, bins=bins, range=(0.0, 1.0))[0]
    low, high = stats.binom.ppf([0.025, 0.975], n, 1.0 / bins)
    with style():
        figure, axes = panel(height=2.2)
        axes.axhspan(low, high, color=FAINT, alpha=0.25, linewidth=0)
        axes.axhline(n / bins, color=FAINT, linewidth=0.8)
        edges = np.linspace(0.0, 1.0, bins + 1)
        axes.bar(edges[:-1], counts, width=1.0 / bins, align="edge", facecolor="none", edgecolor=MODEL, linewidth=1.3)
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(0.0, 1.15 * max(float(counts.max()), float(high)))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.set_xlabel("share of the prediction below the result")
        axes.set_ylabel("arms")
        axes.set_title(f"{title} ({n} arms)")
        outside = int(((counts < low) | (counts > high)).sum())
        text = (
            f"{title}: counts from low to high {', '.join(str(int(c)) for c in counts)}; "
            f"expected {n / bins:.1f} each, 95 % between {low:.0f} and {high:.0f}; {outside} of {bins} bins outside."
        )
        return inline(figure, name, text)


def coverage_figure(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """How often predicted intervals held the result, by group, beside what was promised.

    Parameters
    ----------
    groups : mapping of name to coverage
        Each with `pi50` and `pi90`: share, low, high, n, trials, compatible.
    """
    spoken = []
    with style():
        figure = Figure(figsize=(8.2, 0.8 + 0.24 * len(groups)), layout="constrained")
        for axes, (key, level) in zip(figure.subplots(1, len(LEVELS), sharey=True), LEVELS.items(), strict=True):
            for y, group in enumerate(groups.values()):
                _coverage(axes, y, group[f"pi{key}"])
            axes.set_ylim(len(groups) - 0.5, -0.5)
            axes.set_xlim(0.0, 100.0)
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
            axes.axvline(100.0 * level, color=INK, linewidth=0.8, linestyle="--", zorder=0)
            axes.set_xlabel("results inside [%]")
            axes.set_title(f"{key} % intervals")
            shares = [f"{name} {100.0 * g[f'pi{key}']['share']:.0f} %" for name, g in groups.items()]
            spoken.append(f"Results inside {key} % intervals: {'; '.join(shares)}.")
        labels = [f"{name} ({g['pi50']['n']}; {g['pi50']['trials']})" for name, g in groups.items()]
        figure.axes[0].set_yticks(range(len(groups)), labels)
        return inline(figure, "coverage", " ".join(spoken))


def _coverage(axes: Axes, y: int, found: Mapping[str, Any]) -> None:
    colour = MODEL if found["compatible"] else ACCENT
    axes.plot([100.0 * found["low"], 100.0 * found["high"]], [y, y], color=colour, linewidth=1.5, clip_on=False)
    marker = "o" if found["compatible"] else "D"
    axes.plot(100.0 * found["share"], y, marker=marker, markersize=5.0, color=colour, linestyle="none", clip_on=False)


def spread_panel(rows: pd.DataFrame, title: str, unit: str, name: str) -> str:
    """Observed SDs between patients against predicted ones, with 90 % intervals.

    Parameters
    ----------
    rows : DataFrame
        observed, predicted, lo90, hi90, in90.
    unit : str
        Empty where a table does not say it.
    """
    scale = f" [{unit}]" if unit else ""
    with style():
        figure, axes = panel(height=2.9)
        inside = rows["in90"].astype(bool)
        for held, colour, marker in ((inside, MODEL, "o"), (~inside, ACCENT, "D")):
            own = rows[held]
            axes.hlines(own["observed"], own["lo90"], own["hi90"], color=colour, linewidth=0.8, alpha=0.7)
            axes.plot(own["predicted"], own["observed"], marker=marker, markersize=4.0, color=colour, linestyle="none")
        top = 1.06 * float(max(rows["hi90"].max(), rows["observed"].max()))
        axes.plot([0.0, top], [0.0, top], color=FAINT, linewidth=0.8, zorder=0)
        axes.set_xlim(0.0, top)
        axes.set_ylim(0.0, top)
        axes.set_aspect("equal")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.set_xlabel(f"predicted SD{scale}")
        axes.set_ylabel(f"observed SD{scale}")
        axes.set_title(f"{title} ({len(rows)} results)")
        text = f"SD between patients, {title}: {int(inside.sum())} of {len(rows)} inside the 90 % interval; "
        ratio = float(np.exp(np.log(rows["observed"] / rows["predicted"]).mean()))
        return inline(figure, name, f"{text}observed over predicted {ratio:.2f} on average (geometric mean).")
