"""Write docs/scorecard.md and its figures from a validation: `python tools/scorecard_page.py FOLDER`.

FOLDER is what `stromal validate --out FOLDER` wrote.
"""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from stromal.calibration.learned import names
from stromal.calibration.sensitivity import sensitivity, what_to_measure
from stromal.calibration.validation import without_cells
from stromal.compute.executor import processors
from stromal.evidence.arms import arms
from stromal.population.describe import describe
from stromal.population.posterior import MSC_EFFECT, provenance, shipped_posterior
from stromal.report.drawing import VARIABLES
from stromal.report.learned import hyperparameter_rows
from stromal.report.learned_figures import hyperparameter_figure, msc_figure, msc_sentence
from stromal.report.scorecard import finding
from stromal.report.sensitivity_figure import sensitivity_figure

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures" / "scorecard"
PAGE = ROOT / "docs" / "scorecard.md"
REGISTRY = "EUSTAR skin progression 2019"
CANDIDATES = 1000
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_OPENING = re.compile(r"""<svg(?:[^>"']|"[^"]*"|'[^']*')*>""")
_LABEL = re.compile(r'aria-label="([^"]*)"')


def main() -> int:
    """Write the page."""
    folder = Path(sys.argv[1])
    card = json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))
    FIGURES.mkdir(parents=True, exist_ok=True)
    for old in FIGURES.glob("*.svg"):
        old.unlink()
    pages = _figures((folder / "scorecard.html").read_text(encoding="utf-8"))
    draws = shipped_posterior().draws
    for name, svg in {"learned": hyperparameter_figure(draws), "msc-effect": msc_figure(draws[MSC_EFFECT])}.items():
        (FIGURES / f"{name}.svg").write_text(_standalone(svg), encoding="utf-8")
    moved = sensitivity(seed=1, trajectories=40, workers=processors())
    (FIGURES / "sensitivity.svg").write_bytes(sensitivity_figure(moved))
    parts = [
        _HEAD,
        _findings(card),
        "## Every row\n\n" + "\n\n".join(f"![{label}](figures/scorecard/{name})" for name, label in pages),
        _not_predicted(card),
        "## What was learned\n\n![Prior and posterior of what is learned](figures/scorecard/learned.svg)\n\n"
        + _learned(),
        "## The cells",
        msc_sentence(draws[MSC_EFFECT]),
        _probability_of_none(),
        _cells(card),
        "![Prior and posterior of the MSC effect](figures/scorecard/msc-effect.svg)",
        "## What the MSC answer depends on\n\n" + _measure(moved),
        "## Population card\n\n" + _population(),
        _support(),
    ]
    PAGE.write_text("\n\n".join(p.strip() for p in parts) + "\n", encoding="utf-8")
    print(PAGE.relative_to(ROOT))
    return 0


_HEAD = """# Scorecard

Every usable published result, predicted by a posterior that has not seen its trial. Written by
`stromal validate --seed 1 --out FOLDER` and `python tools/scorecard_page.py FOLDER`; what the words mean is in
[how the population is learned](calibration.md)."""


def _figures(page: str) -> list[tuple[str, str]]:
    """Save each figure of the page; gives file names and labels."""
    found = []
    for number, svg in enumerate(_SVG.findall(page), start=1):
        label = _LABEL.search(svg)
        name = f"{number:02d}.svg"
        (FIGURES / name).write_text(_standalone(svg), encoding="utf-8")
        text = html.unescape(label[1]) if label else f"figure {number}"
        found.append((name, re.sub(r"[\[\]\s]+", " ", text).strip()))
    return found


def _standalone(svg: str) -> str:
    """A figure of a page as a file: colours in the place of style-sheet variables, on white."""
    for colour, variable in VARIABLES.items():
        svg = svg.replace(variable, colour)
    if 'xmlns="' not in svg[:2000]:
        svg = svg.replace(
            "<svg", '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"', 1
        )
    opening = _OPENING.match(svg)
    if opening is None:
        raise ValueError("a figure of the page does not begin with <svg")
    rest = svg[opening.end() :]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opening[0][:-1]} style="background:#fff">{rest}\n'


def _findings(card: dict[str, Any]) -> str:
    lines = ["## In words", ""]
    for family in ("skin", "FVC"):
        scores = card["summary"].get(family)
        if scores:
            lines.append(f"* {finding(family, scores)}".replace("\xa0", " "))
            lines += _without_tuned(scores["without_tuned"])
    lines += ["", "| results | n | trials | inside 50 % | inside 90 % |", "|---|---|---|---|---|"]
    for name, c in card["summary"]["coverage_by_family"].items():
        lines.append(_coverage(name, c))
    for name, c in card["summary"].get("spreads", {}).items():
        lines.append(_coverage(f"SD between patients, {name}", c))
    return "\n".join(lines)


def _without_tuned(scores: dict[str, Any]) -> list[str]:
    if not scores.get("rows"):
        return []
    numbers = f"{scores['crps']:.2f} against {scores['crps_naive']:.2f} and {scores['crps_pool']:.2f}"
    arms_of = f"{scores['rows']} arms of {scores['trials']} trials"
    return [f"  Without the trials whose numbers tuned the prototype: {arms_of}, CRPS {numbers}."]


def _coverage(name: str, c: dict[str, Any]) -> str:
    def share(key: str) -> str:
        s = c[key]
        return f"{100 * s['share']:.0f} % ({100 * s['low']:.0f} to {100 * s['high']:.0f})" + (
            "" if s["compatible"] else " **no**"
        )

    return f"| {name} | {c['pi90']['n']} | {c['pi90']['trials']} | {share('pi50')} | {share('pi90')} |"


def _not_predicted(card: dict[str, Any]) -> str:
    rows = [r for r in card["rows"] if r["in_summary"]]
    table = pd.crosstab(
        pd.Series([r["drug"] or "" for r in rows], name="drug"),
        pd.Series([r["family"] for r in rows], name="end point"),
    )
    lines = ["Arms shown, by drug and end point; those that only test a prior are not in the summary above:", ""]
    lines.append("| drug | " + " | ".join(table.columns) + " |")
    lines.append("|---" * (len(table.columns) + 1) + "|")
    lines += [
        f"| {drug} | " + " | ".join(str(v) for v in values) + " |"
        for drug, values in zip(table.index, table.to_numpy(), strict=True)
    ]
    lines += ["", "Results that are not predicted:", "", "| n | reason |", "|---|---|"]
    lines += [f"| {n} | {reason} |" for reason, n in sorted(card["not_predicted"].items(), key=lambda x: -x[1])]
    return "\n".join(lines)


def _learned() -> str:
    about = provenance()
    effective = about["sampler"]["effective_draws"]
    opening = (
        f"{about['results_fitted']} results of {about['trials_fitted']} trials; {about['draws']} draws, chains worth "
        f"{effective:.0f} independent ones. Contraction: 1 less posterior over prior variance."
    )
    lines = [opening, "", "| number | meaning | what it is | prior (90 %) | posterior (90 %) | contraction |"]
    lines.append("|---|---|---|---|---|---|")
    for name, row in zip(names(), hyperparameter_rows(), strict=True):
        cells = [
            *(row[k] for k in ("name", "meaning", "moves", "prior", "posterior")),
            f"{about['contraction'][name]:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _span(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}"


def _probability_of_none() -> str:
    none = 100 * provenance()["msc_effect"]["posterior_none"]
    return (
        "Computed without the chance of drawing, as the mean over draws of the probability given each, the belief in "
        f"no effect is {none:.0f} %. It rests on one uncontrolled series and on assumed sizes of expectation and drift."
    )


def _cells(card: dict[str, Any]) -> str:
    lines = ["| series | week | reported | predicted | 90 % |", "|---|---|---|---|---|"]
    series = [r for r in card["rows"] if r["drug"] == "systemic MSC" and r["endpoint"] == "mRSS_change"]
    lines += [_row(r) for r in series if r["predicted"] is not None]
    lines += [
        f"\nWith the effect of the cells **off**, {o.trial} is predicted to change by {o.predicted:.1f} points "
        f"({o.lo90:.1f} to {o.hi90:.1f}); reported were {o.observed:.1f}. So {100 * o.share:.0f} % of the "
        "published change needs no effect of cells."
        for o in without_cells().itertuples()
    ]
    return "\n".join(lines)


def _row(r: dict[str, Any]) -> str:
    cells = [
        r["trial"],
        f"{r['week']:.0f}",
        f"{r['observed']:.1f}",
        f"{r['predicted']:.1f}",
        _span(r["lo90"], r["hi90"]),
    ]
    return f"| {' | '.join(cells)} |"


def _measure(moved: Any) -> str:
    rows = what_to_measure(moved).head(12)
    lines = ["![Global sensitivity](figures/scorecard/sensitivity.svg)", "", moved.report(), ""]
    lines += ["| rank | what | share of the effects | to measure |", "|---|---|---|---|"]
    for k, r in enumerate(rows.itertuples(), start=1):
        lines.append(f"| {k} | {r.factor}: {r.label} | {100 * r.share:.0f} % | {r.measurement} |")
    return "\n".join(lines)


def _population() -> str:
    found = describe(shipped_posterior(), CANDIDATES, 1)
    registry = arms()[arms()["trial"] == REGISTRY].iloc[0]
    people = found.people
    opening = (
        f"{CANDIDATES} diffuse patients within three years of the first symptom (`stromal population describe`) beside "
        f"{registry['n']:.0f} diffuse patients of {REGISTRY} ({registry['source_doi']}; mean duration "
        f"{registry['disease_duration_mo_mean'] / 12:.1f} years, skin score of 7 or more, mostly treated)."
    )
    lines = [opening, "", "| quantity | simulated | registry |", "|---|---|---|"]
    pairs = {"mrss": ("skin score", "baseline_mrss"), "fvc_pct": ("FVC [% predicted]", "baseline_fvc_pct")}
    for column, (name, stem) in pairs.items():
        lines.append(
            f"| {name} | {people[column].mean():.1f} (SD {people[column].std():.1f}) | {registry[f'{stem}_mean']} "
            f"(SD {registry[f'{stem}_sd']}) |"
        )
    lines.append(f"| age [years] | {people['age_years'].mean():.1f} | {registry['age_mean']} |")
    lines.append(f"| women | {100 * (people['sex'] == 'female').mean():.0f} % | {registry['pct_female']} % |")
    lines += ["", "Simulated patients are more alike in FVC: what depends on who has a low FVC may be too sure."]
    return "\n".join(lines)


def _support() -> str:
    table = pd.read_csv(ROOT / "src/stromal/calibration/fitted/support.csv")
    weak = table[table["supported_share"] < 0.5].sort_values("supported_share")
    if not len(weak):
        return ""
    lines = ["## Where the population does not reach the published patients", ""]
    lines += [
        "Arms whose table was missed, or met by fewer than ten effective patients, at most points of the last wave:"
    ]
    lines += ["", "| trial | arm | effective patients | missed |", "|---|---|---|---|"]
    missed = weak["missed"].fillna("")
    rows = zip(weak["trial"], weak["arm"], weak["ess"], missed, strict=True)
    return "\n".join([*lines, *(f"| {trial} | {arm} | {ess:.0f} | {what} |" for trial, arm, ess, what in rows)])


if __name__ == "__main__":
    sys.exit(main())
