"""Simulated patients without active cells beside published placebo arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import quote

import pandas as pd

from stromal.calibration.validation import without_cells
from stromal.design.trial import TrialDesign
from stromal.evidence import msc_changes, placebo_changes, placebo_differences, published_responders
from stromal.report.answer import WEEKS_AROUND
from stromal.report.figures import forest
from stromal.report.wording import MEASURE_NAMES, UNITS, count, number, percent, plain

MEASURES: Final = {"mrss": "mRSS_change", "fvc_pct": "FVC_pct_change"}
YEAR: Final = 364


def compared_day(design: TrialDesign) -> int:
    """The visit nearest to a year, where published arms report most."""
    return min(design.visits.days[1:], key=lambda d: (abs(d - YEAR), d))


def idle_arms(design: TrialDesign) -> list[str]:
    """Arms that compare with a published placebo arm: the controls, else all arms of a trial without control."""
    controls = {a for e in design.endpoints if e.contrast for a in design.arms_in(e.contrast[1])}
    return [a.name for a in design.arms if a.name in controls or not controls]


def comparisons(design: TrialDesign, summary: Mapping[str, Any]) -> list[dict[str, object]]:
    """For each measure: two dot plots (mean and spread of the change) and the table behind them."""
    day = compared_day(design)
    return [_comparison(design, summary, measure, day) for measure in MEASURES]


def _comparison(design: TrialDesign, summary: Mapping[str, Any], measure: str, day: int) -> dict[str, object]:
    week = day / 7.0
    window = (week - WEEKS_AROUND, week + WEEKS_AROUND)
    published = placebo_changes(MEASURES[measure], *window)
    controlled = any(e.contrast for e in design.endpoints)
    simulated = [
        c
        for c in summary["completers"]
        if (c["scenario"], c["day"], c["readout"]) == ("null", day, measure) and c["arm"] in idle_arms(design)
    ]
    table = [*(_published_row(p) for p in published.itertuples()), *(_simulated_row(c, controlled) for c in simulated)]
    unit, name = UNITS[measure], MEASURE_NAMES[measure]
    spreads = [r | {"value": r["sd"], "low": None, "high": None} for r in table if r["sd"] is not None]
    return {
        "measure": name,
        "unit": unit,
        "window": f"weeks {window[0]:.0f} to {window[1]:.0f}",
        "published": len(published),
        "mean": forest(
            table,
            f"beside-{measure}-mean",
            f"mean change [{unit}]",
            f"Mean change of the {name}: " + "; ".join(f"{r['label']} {number(r['value'])}" for r in table),
        ),
        "sd": forest(
            spreads,
            f"beside-{measure}-sd",
            f"SD between patients [{unit}]",
            f"SD of the change of the {name}: " + "; ".join(f"{r['label']} {number(r['value'])}" for r in spreads),
        ),
        "table": table,
        "series": [_published_row(p) for p in msc_changes(MEASURES[measure], *window).itertuples()],
    }


def _published_row(p: Any) -> dict[str, Any]:
    return {
        "label": (f"{p.trial}, {p.population}" if p.subgroup else p.trial).replace(" (", "\n("),
        "trial": p.trial,
        "patients": "not stated" if math.isnan(p.n) else count(p.n) + (" in the arm" if p.n_is_of_arm else ""),
        "week": f"{p.week:.0f}",
        "value": p.value,
        "low": _known(p.ci_low),
        "high": _known(p.ci_high),
        "mean": number(p.value),
        "interval": "" if math.isnan(p.ci_low) else f"{number(p.ci_low)} to {number(p.ci_high)}",
        "sd": _known(p.sd),
        "sd_text": number(p.sd),
        "statistic": "median" if p.statistic == "median" else p.statistic,
        "note": "; ".join(t for t in (p.background, p.population) if t),
        "doi": p.doi,
        "link": doi_link(p.doi),
        "doi_seen": p.doi_seen.startswith("yes"),
        "simulated": False,
        "hollow": bool(p.subgroup) or p.statistic == "median",
    }


def _simulated_row(c: Mapping[str, Any], controlled: bool) -> dict[str, Any]:
    half = None if c["sd_of_mean"] is None else 1.645 * c["sd_of_mean"]
    low, high = (None, None) if half is None else (c["mean"] - half, c["mean"] + half)
    return {
        "label": f"simulated\n{plain(c['arm']) if controlled else 'no effect'}",
        "trial": f"simulated arm {plain(c['arm'])}" + ("" if controlled else ", cells do nothing"),
        "patients": f"{number(c['n'])} on average",
        "week": f"{c['day'] / 7.0:.0f}",
        "value": c["mean"],
        "low": low,
        "high": high,
        "mean": number(c["mean"]),
        "interval": "" if low is None else f"{number(low)} to {number(high)}",
        "sd": c["sd"],
        "sd_text": number(c["sd"]),
        "statistic": "observed mean",
        "note": "interval: mean ± 1.645 SD of the means of single trials",
        "doi": "",
        "link": "",
        "doi_seen": True,
        "simulated": True,
        "hollow": False,
    }


def doi_link(doi: str) -> str:
    """Address of a paper; empty without a DOI."""
    return f"https://doi.org/{quote(doi, safe='/:;().-_')}" if doi else ""


@cache
def idle_series() -> list[dict[str, Any]]:
    """Published series with systemic MSC, predicted as if the cells did nothing."""
    return [{str(k): v for k, v in row.items()} for row in without_cells().to_dict("records")]


def responder_rows(design: TrialDesign) -> list[dict[str, str]]:
    """Published shares of patients whose skin score fell without the drug under test."""
    week = compared_day(design) / 7.0
    return [
        {
            "trial": r.trial,
            "arm": r.arm,
            "definition": r.definition.replace(">=", "≥ ").replace(">", "> ").replace("%", " %"),
            "week": f"{r.week:.0f}",
            "share": percent(r.share),
            "n": count(r.n),
            "doi": r.doi,
            "link": doi_link(r.doi),
        }
        for r in published_responders(week - WEEKS_AROUND, week + WEEKS_AROUND).itertuples()
    ]


def difference_rows(design: TrialDesign) -> list[dict[str, str]]:
    """Published placebo-controlled differences in the change of the skin score at about the compared visit."""
    week = compared_day(design) / 7.0
    return [
        {
            "trial": r.trial,
            "comparison": r.comparison,
            "week": f"{r.week:.0f}",
            "value": number(r.value, 2),
            "interval": "" if math.isnan(r.ci_low) else f"{number(r.ci_low, 2)} to {number(r.ci_high, 2)}",
            "doi": r.doi,
            "link": doi_link(r.doi),
        }
        for r in placebo_differences(week - WEEKS_AROUND, week + WEEKS_AROUND).itertuples()
    ]


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
