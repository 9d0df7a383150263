"""Figures of people: one virtual patient's course, and what a population is like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Final

import pandas as pd

from stromal.report.drawing import ACCENT, FAINT, HUES, INK, PER_ROW, Form, saved, sheet, style
from stromal.report.wording import MEASURE_NAMES, UNITS

READOUTS: Final[Mapping[str, str]] = {
    "mRSS": "skin score [points]",
    "FVC": "FVC [% predicted]",
    "FVC_mL": "FVC [mL]",
    "DLCO": "DLCO [% predicted]",
    "CapLoss": "capillary loss [%]",
    "CRP": "C-reactive protein [mg/L]",
    "CT_extent": "lung disease on CT [% of lung]",
}
"""Read-outs of the model; any other column is a state, in folds of healthy."""
STATES: Final[Mapping[str, str]] = {
    "Ab": "autoantibody",
    "N": "pathogenic memory",
    "E": "endothelial injury",
    "Th1": "Th1 cells",
    "Th2": "Th2 cells",
    "Th17": "Th17 cells",
    "Treg": "regulatory T cells",
    "B": "B cells",
    "PC": "plasma cells",
    "DC": "dendritic cells",
    "M1s": "M1 macrophages, skin",
    "M1l": "M1 macrophages, lung",
    "MFs": "myofibroblasts, skin",
    "MFl": "myofibroblasts, lung",
    "Cs": "new collagen, skin",
    "Xs": "cross-linked collagen, skin",
    "Cl": "new collagen, lung",
    "Xl": "cross-linked collagen, lung",
}
"""States that are 1 in health."""
ABSENT_IN_HEALTH: Final[Mapping[str, str]] = {
    "Ds": "damage, skin [0 in health]",
    "Tol": "tolerance [0 in health]",
    "Mreg": "regulatory phagocytes [0 in health]",
    "Ml": "MSC in the lung [million per kg]",
}
DESCRIBED: Final = (
    *("age_years", "months_since_first_symptom", "mrss", "fvc_pct"),
    *("dlco_pct", "crp_mg_l", "ct_extent_pct", "weight_kg"),
)


def patient_figure(course: pd.DataFrame, marks: Mapping[str, float], title: str, *, form: Form = "svg") -> bytes:
    """One virtual patient's course.

    Parameters
    ----------
    course : DataFrame
        Index: days after the trigger. Columns: read-outs and states of the model, one small panel each.
    marks : mapping of str to float
        Days that are marked in every panel, by what happens then (screening, baseline, an infusion); at most 26.
    title : str
    form : {"svg", "png"}

    Returns
    -------
    bytes
        The picture's file; the same for the same course.
    """
    days = sorted(set(marks.values()))
    with style():
        figure = sheet(len(course.columns), f"{title}\n{_key(marks, days)}" if days else title)
        months = course.index.to_numpy(float) / 30.4
        for k, name in enumerate(course.columns):
            axes = figure.axes[k]
            colour = HUES[1] if name in READOUTS else HUES[2]
            axes.plot(months, course[name].to_numpy(float), color=colour, linewidth=1.3)
            axes.set_title(_name(str(name)), fontsize=7.5, pad=9)
            axes.set_ylim(min(0.0, float(course[name].min())), 1.08 * max(float(course[name].max()), 1e-9))
            if k >= len(course.columns) - PER_ROW:
                axes.set_xlabel("months after the trigger")
            for letter, day in zip(ascii_lowercase, days, strict=False):
                axes.axvline(day / 30.4, color=ACCENT, linewidth=0.7, linestyle="--")
                axes.text(
                    *(day / 30.4, 1.01),
                    letter,
                    transform=axes.get_xaxis_transform(),
                    ha="center",
                    fontsize=6.0,
                    color=ACCENT,
                )
        return saved(figure, form)


def _name(column: str) -> str:
    return READOUTS.get(column) or ABSENT_IN_HEALTH.get(column) or f"{STATES.get(column, column)} [× healthy]"


def _key(marks: Mapping[str, float], days: Sequence[float]) -> str:
    """What the letters above the panels stand for, three to a line."""
    named = [", ".join(label for label, at in marks.items() if at == day) for day in days]
    entries = [f"{letter}: {name}" for letter, name in zip(ascii_lowercase, named, strict=False)]
    return "\n".join(";  ".join(entries[k : k + 3]) for k in range(0, len(entries), 3))


def population_figure(people: pd.DataFrame, title: str = "", *, form: Form = "svg") -> bytes:
    """What a population is like: covariates and read-outs as histograms, with the 5th, 50th and 95th percentile.

    Parameters
    ----------
    people : DataFrame
        One row per patient; the columns of `DESCRIBED` that it has are drawn, and subset, antibody and sex.
    """
    numeric = [name for name in DESCRIBED if name in people]
    shares = [name for name in ("subset", "antibody", "sex") if name in people]
    with style():
        figure = sheet(len(numeric) + len(shares), title or f"{len(people)} virtual patients")
        for axes, name in zip(figure.axes, numeric, strict=False):
            values = people[name].dropna().to_numpy(float)
            low, middle, high = (float(pd.Series(values).quantile(q)) for q in (0.05, 0.5, 0.95))
            shown = values[values <= float(pd.Series(values).quantile(0.995))]
            axes.hist(shown, 24, color=HUES[1], alpha=0.6)
            for value, line in ((low, ":"), (middle, "-"), (high, ":")):
                axes.axvline(value, color=INK, linewidth=0.9, linestyle=line)
            name_of = MEASURE_NAMES[name].split(" (")[0].replace("time since first non-Raynaud", "since first")
            axes.set_title(f"{name_of} [{UNITS[name]}]", fontsize=7.5)
            axes.set_xlabel(f"median {middle:.0f}, 90 % within {low:.0f} to {high:.0f}", fontsize=7)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        for axes, name in zip(figure.axes[len(numeric) :], shares, strict=True):
            parts = people[name].value_counts(normalize=True).sort_index()
            bars = axes.barh([str(k) for k in parts.index], 100.0 * parts.to_numpy(), color=FAINT)
            axes.invert_yaxis()
            axes.set_title(f"{name} [% of patients]", fontsize=7.5)
            axes.bar_label(bars, fmt="%.0f", padding=2, fontsize=7)
            axes.margins(x=0.15)
        return saved(figure, form)
