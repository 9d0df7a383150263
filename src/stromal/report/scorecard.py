"""The scorecard of predicted trials as data and as one HTML file that asks nothing of the network."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from stromal.calibration.observations import FVC_ML_PER_PERCENT
from stromal.calibration.prediction import LEVELS
from stromal.calibration.scorecard import SCORED, USUAL_FVC, Scorecard
from stromal.calibration.scoring import MINIMUM_TRIALS, coverage
from stromal.compute.provenance import provenance
from stromal.compute.runfolder import write_atomic
from stromal.report import scorecard_figures as figures
from stromal.report.tables import provenance_rows
from stromal.report.wording import NBSP, count, number, percent, plain

Row = dict[str, Any]
PAGE: Final = "scorecard.html"
TEMPLATES: Final = Path(__file__).parent / "templates"
KEYS: Final = (
    *("trial", "arm", "endpoint", "endpoint_detail", "population", "week", "unit", "drug", "observed", "predicted"),
    *("sd", "lo50", "hi50", "lo90", "hi90", "in50", "in90", "reason", "family", "fitted", "tuned_prototype"),
    *("tests_prior", "in_summary"),
)
"""Of a row in JSON."""
SPREAD_KEYS: Final = tuple(k for k in KEYS if k not in ("reason", "in_summary"))
NAMES: Final = {
    "skin": "skin score",
    "FVC": "vital capacity",
    "skin share": "shares by skin score",
    "FVC share": "shares by vital capacity",
    "survival": "survival",
    "DLCO": "diffusing capacity",
}
VARIANTS: Final = {
    "": "headline: every arm but those that only test a prior",
    "without_tuned": "without trials whose numbers tuned the prototype",
    "all_rows": "with arms that only test a prior",
}
BASELINES: Final = {"naive": "the naive mean", "pool": "the pool of like arms"}
GROUPS: Final = {
    "skin": ("skin",),
    "FVC": ("FVC",),
    "shares of patients": ("skin share", "FVC share"),
    "survival": ("survival",),
    "DLCO": ("DLCO",),
}
"""Tables of results, by families."""
_UNITS: Final = {"skin": "mean change of the mRSS [points]", "FVC": "mean change of the FVC [% predicted]"}
_FEWEST_SPREADS: Final = 3


def scorecard_json(card: Scorecard) -> dict[str, Any]:
    """The scorecard as plain data.

    Returns
    -------
    dict
        rows, spreads, coverage (of the rows of the summary, all families together: shares pi50 and pi90, their
        clustered 95 % intervals, n, trials), crps, baselines, summary, not_predicted. What is not known is None.
    """
    scores = {f: s for f, s in card.summary.items() if f in SCORED and s.get("rows")}
    found: dict[str, Any] = {
        "rows": _records(card.rows, KEYS),
        "spreads": _records(card.spreads.rename(columns={"sd_predicted": "sd"}), SPREAD_KEYS),
        "coverage": _whole_coverage(_judged(card)),
        "crps": {f: s["crps"] for f, s in scores.items()},
        "baselines": {
            f: {name: s[f"crps_{name}"] for name in BASELINES}
            | {f"less_{name}": s[f"crps_less_{name}"] for name in BASELINES}
            for f, s in scores.items()
        },
        "summary": card.summary,
        "not_predicted": card.rows.loc[card.rows["reason"] != "", "reason"].value_counts().to_dict(),
    }
    plain_data: dict[str, Any] = _plain(found)
    return plain_data


def write_scorecard(card: Scorecard, folder: Path, *, title: str, command: str) -> Path:
    """Write page, JSON and tables; each file is there whole or not at all.

    Parameters
    ----------
    command : str
        The command that makes the scorecard again.

    Returns
    -------
    Path
        Of the page.
    """
    texts = {
        "rows.csv": card.rows.to_csv(index=False),
        "spreads.csv": card.spreads.to_csv(index=False),
        "scorecard.json": json.dumps(scorecard_json(card), indent=1, allow_nan=False) + "\n",
        PAGE: scorecard_page(card, title, provenance(command)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_atomic(folder / name, text)
    return folder / PAGE


def scorecard_page(card: Scorecard, title: str, made: Mapping[str, object]) -> str:
    """The page: findings, figures, tables, limits, and how it was made (`made`); the same input gives the same text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"plain": plain, "count": count}
    scored = {f: s for f, s in card.summary.items() if f in SCORED}
    return environment.get_template("scorecard.html.j2").render(
        title=title,
        findings=[finding(f, s) for f, s in scored.items()],
        intervals=_marked(_interval_figures(card)),
        scores={NAMES[f]: _marked(figures.score_panels(s, f"scores-{f}")) for f, s in scored.items() if s.get("rows")},
        pit=_marked(_pit_panels(card)),
        coverage=_coverage(card),
        spread_panels=_marked(_spread_panels(card.spreads)),
        variants=[v for f, s in scored.items() for v in _variants(f, s)],
        tables=_tables(card.rows),
        prior_only=_rows(card.rows[(card.rows["reason"] == "") & card.rows["tests_prior"].astype(bool)]),
        spreads=_rows(card.spreads),
        not_predicted=_not_predicted(card.rows),
        total=len(card.rows),
        predicted=int((card.rows["reason"] == "").sum()),
        fewest=MINIMUM_TRIALS,
        per_percent=FVC_ML_PER_PERCENT,
        usual_fvc=USUAL_FVC,
        provenance=list(provenance_rows(made)),
    )


def finding(family: str, scores: Mapping[str, Any]) -> str:
    """What the scores of a family say, and no more than their intervals support.

    Parameters
    ----------
    family : str
        Of `SCORED`.
    scores : mapping
        Its entry in the summary of a scorecard.
    """
    name, unit = _capital(NAMES[family]), f"{NBSP}{SCORED[family]}"
    if not scores.get("rows"):
        return f"{name}: no arm is predicted by a posterior that learned its treatment from other trials."
    number_of = f"{count(scores['rows'])} arm{'s' * (scores['rows'] > 1)} of {count(scores['trials'])} trial"
    sentences = [
        f"{name}: over {number_of}{'s' * (scores['trials'] > 1)} the model's CRPS is {number(scores['crps'], 2)}{unit}."
    ]
    for key, words in BASELINES.items():
        d = scores[f"crps_less_{key}"]
        sentences.append(
            f"That of {words} is {number(scores[f'crps_{key}'], 2)}, difference {_span(d)}: "
            f"the model {verdict(d, scores['assessable'])}."
        )
    sentences.append(_held(scores))
    if not scores["assessable"]:
        sentences.append(
            f"With fewer than {MINIMUM_TRIALS} trials this is not assessable; the numbers are shown and settle nothing."
        )
    return " ".join(sentences)


def verdict(difference: Mapping[str, float], assessable: bool) -> str:
    """What an interval of the model's score less a baseline's says of the model."""
    if not assessable:
        return "is not assessable against it"
    if difference["high"] < 0.0:
        return "beats it"
    if difference["low"] > 0.0:
        return "does not beat it but does worse"
    return "is not distinguishable from it"


def _held(scores: Mapping[str, Any]) -> str:
    """How often the intervals held, and whether that agrees with what they promise."""
    parts = []
    for key in LEVELS:
        c = scores[f"pi{key}"]
        agrees = f"; {'compatible' if c['compatible'] else 'not compatible'} with {key}{NBSP}%"
        parts.append(
            f"its {key}{NBSP}% intervals held {percent(c['share'], 0)} of results "
            f"(95{NBSP}% interval {number(100.0 * c['low'], 0)} to {percent(c['high'], 0)}"
            f"{agrees if scores['assessable'] else ''})"
        )
    return _capital(" and ".join(parts)) + "."


def _span(difference: Mapping[str, float]) -> str:
    mean = number(difference["mean"], 2)
    if not math.isfinite(difference["low"]):
        return f"{mean} (no interval from one trial)"
    return f"{mean} (95{NBSP}% interval {number(difference['low'], 2)} to {number(difference['high'], 2)})"


def _interval_figures(card: Scorecard) -> dict[str, str]:
    drawn = {}
    for family, unit in _UNITS.items():
        own = card.scored[card.scored["family"] == family] if len(card.scored) else card.scored
        if len(own):
            half = 1.96 * np.sqrt(own["variance"].astype(float))
            lines = own.assign(
                observed=own["value"], observed_low=own["value"] - half, observed_high=own["value"] + half
            )
            drawn[NAMES[family]] = figures.interval_figure(_lines(lines), unit, f"intervals-{family}")
    for group in ("shares of patients", "survival"):
        own = card.rows[(card.rows["reason"] == "") & card.rows["family"].isin(GROUPS[group])]
        if len(own):
            limits = {k: own.get(k, np.nan) for k in ("observed_low", "observed_high")}
            lines = _lines(own.assign(**limits), endpoint=True)
            drawn[group] = figures.interval_figure(lines, "patients [%]", f"intervals-{group.split()[0]}", wide=True)
    return drawn


def _lines(rows: pd.DataFrame, *, endpoint: bool = False) -> pd.DataFrame:
    """Rows with a label each, those of a trial together, trials in the order of their first row."""
    order = {t: k for k, t in enumerate(dict.fromkeys(rows["trial"]))}
    return rows.assign(label=[_label(r, endpoint) for _, r in rows.iterrows()]).sort_values(
        "trial", key=lambda t: t.map(order), kind="stable"
    )


def _label(row: pd.Series, endpoint: bool) -> str:
    """Arm, end point and week; the longest parts are cut."""
    rest = f", week {row['week']:.0f}" + " †" * bool(row["tuned_prototype"]) + " ‡" * bool(row["tests_prior"])
    limit = figures.LONGEST
    if endpoint:
        limit = figures.LONGEST_WIDE
        arm = min(len(str(row["arm"])), limit // 4)
        rest = f", {figures.shortened(_outcome(row), limit - arm - len(rest) - 2)}{rest}"
    return figures.shortened(str(row["arm"]), limit - len(rest)) + rest


def _outcome(row: pd.Series) -> str:
    """The end point in words."""
    words = plain(re.sub(r"ge(\d+)", rf"≥{NBSP}\1", str(row["endpoint"]).removesuffix("_pct"))).replace("pct", "%")
    detail = str(row["endpoint_detail"])
    return f"{words} ({detail.replace('>=', '≥ ')})" if detail else words


def _pit_panels(card: Scorecard) -> dict[str, str]:
    judged = _judged(card)
    return {
        str(f): figures.pit_panel(list(own["pit"]), _capital(NAMES[str(f)]), f"pit-{f}")
        for f, own in (judged.groupby("family", sort=False) if len(judged) else ())
    }


def _coverage(card: Scorecard) -> Markup | None:
    """Coverage of the headline, of every predicted result by family, and of SDs; None without any."""
    summary = card.summary
    groups = {f"{NAMES[f]}, headline": summary[f] for f in SCORED if summary.get(f, {}).get("rows")}
    every, spreads = summary["coverage_by_family"], summary.get("spreads", {})
    groups |= {f"{words}, every result": every[f] for f, words in NAMES.items() if f in every}
    groups |= {f"SD of {words}": spreads[f] for f, words in NAMES.items() if f in spreads}
    return Markup(figures.coverage_figure(groups)) if groups else None  # noqa: S704 - drawn here


def _spread_panels(spreads: pd.DataFrame) -> dict[str, str]:
    drawn = {}
    for (family, unit), own in spreads.groupby(["family", "unit"], sort=False) if len(spreads) else ():
        if len(own) >= _FEWEST_SPREADS:
            name = re.sub(r"\W+", "-", f"spread-{family}-{unit}")
            drawn[name] = figures.spread_panel(own, _capital(NAMES[str(family)]), str(unit), name)
    return drawn


def _variants(family: str, scores: Mapping[str, Any]) -> list[Row]:
    """The scores with and without rows that may flatter or that only test a prior."""
    rows = []
    for key, words in VARIANTS.items():
        s = scores[key] if key else scores
        row: Row = {"family": NAMES[family], "which": words, "rows": s.get("rows", 0), "trials": s.get("trials", 0)}
        if row["rows"]:
            row |= {k: number(s[k], 2) for k in ("crps", "crps_naive", "crps_pool")}
            row |= {f"less_{b}": _span(s[f"crps_less_{b}"]).replace(f"95{NBSP}% interval ", "") for b in BASELINES}
            row |= {f"verdict_{b}": verdict(s[f"crps_less_{b}"], s["assessable"]) for b in BASELINES}
            row |= {f"pi{k}": percent(s[f"pi{k}"]["share"], 0) for k in LEVELS}
        rows.append(row)
    return rows


def _tables(rows: pd.DataFrame) -> dict[str, list[Row]]:
    """Predicted results by group, without those that only test a prior."""
    own = rows[(rows["reason"] == "") & ~rows["tests_prior"].astype(bool)]
    found = {group: _rows(own[own["family"].isin(families)]) for group, families in GROUPS.items()}
    return {NAMES.get(group, group): table for group, table in found.items() if table}


def _rows(rows: pd.DataFrame) -> list[Row]:
    return [_row(r) for _, r in rows.iterrows()]


def _row(row: pd.Series) -> Row:
    notes = {
        "in the headline": row.get("in_summary", False) and not row["tests_prior"],
        "fitted when other trials are predicted": row["fitted"],
        "tuned the prototype": row["tuned_prototype"],
    }
    return {
        "trial": row["trial"],
        "arm": row["arm"],
        "outcome": _outcome(row) + (f"; {row['population']}" if row["population"] else ""),
        "week": f"{row['week']:.0f}",
        "unit": row["unit"],
        "observed": number(row["observed"]),
        "predicted": f"{number(row['predicted'])} ({number(row.get('sd', row.get('sd_predicted')))})",
        **{f"pi{k}": f"{number(row[f'lo{k}'])} to {number(row[f'hi{k}'])}" for k in LEVELS},
        "inside": "50 %" if row["in50"] else "90 %" if row["in90"] else "outside",
        "notes": "; ".join(k for k, v in notes.items() if v),
    }


def _not_predicted(rows: pd.DataFrame) -> list[Row]:
    """Reasons, the most frequent first, with the results behind each."""
    own = rows[rows["reason"] != ""]
    found = []
    for reason in own["reason"].value_counts().index:
        results = own[own["reason"] == reason]
        listed = [f"{r['trial']}, {r['arm']}: {_outcome(r)}, week {r['week']:.0f}" for _, r in results.iterrows()]
        found.append({"reason": reason, "count": len(results), "results": "; ".join(listed)})
    return found


def _judged(card: Scorecard) -> pd.DataFrame:
    """Rows of the headline."""
    return card.scored[~card.scored["tests_prior"].astype(bool)] if len(card.scored) else card.scored


def _whole_coverage(rows: pd.DataFrame) -> Row:
    found: Row = {"n": len(rows), "trials": int(rows["trial"].nunique()) if len(rows) else 0}
    for key, level in LEVELS.items():
        if not len(rows):
            found |= {f"pi{key}": None, f"pi{key}_low": None, f"pi{key}_high": None}
            continue
        c = coverage(rows[f"in{key}"].astype(bool).to_numpy(), list(rows["trial"]), level)
        found |= {f"pi{key}": c.share, f"pi{key}_low": c.low, f"pi{key}_high": c.high}
    return found


def _records(table: pd.DataFrame, keys: tuple[str, ...]) -> list[Row]:
    records: list[Row] = table.reindex(columns=list(keys)).to_dict("records")
    return records


def _plain(value: Any) -> Any:
    """Plain JSON types; None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _marked(drawn: Mapping[Any, str]) -> dict[Any, Markup]:
    return {key: Markup(svg) for key, svg in drawn.items()}  # noqa: S704 - drawn here


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
