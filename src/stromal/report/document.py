"""The report of a run: one HTML file that asks nothing of the network and runs no script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from stromal.biology import parameter_table
from stromal.design.trial import TrialDesign
from stromal.population.msc_effect import points_of_effect
from stromal.report.answer import answer, headline, idle_responders, role_sentence
from stromal.report.beside import compared_day, comparisons, difference_rows, doi_link, idle_series, responder_rows
from stromal.report.design_table import criterion, design_rows
from stromal.report.figures import KINDS, SCENARIO_TITLES, courses, estimates
from stromal.report.learned import hyperparameter_rows
from stromal.report.tables import (
    baseline_rows,
    endpoint_rows,
    parameter_groups,
    provenance_rows,
    safety_rows,
)
from stromal.report.wording import MEASURE_NAMES, count, number, percent, plain, row_of
from stromal.trial.run import TrialResult

TEMPLATES: Final = Path(__file__).parent / "templates"
SHOWN: Final = ("mrss", "fvc_pct")
"""Read-outs whose courses stand open in the page; the others can be opened."""
FOLDED: Final = ("dlco_pct", "fvc_ml")
EFFECTS: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Values of `msc_effect` whose meaning in points the report prints."""
_DOI: Final = re.compile(r"\b(?:doi:\s?|doi\s)?(10\.\d{4,9}/[^\s,;&\"']*[^\s,;&\"'.)])")


def write_report(result: TrialResult, design: TrialDesign, provenance: Mapping[str, object]) -> str:
    """The report of a run.

    Parameters
    ----------
    result : TrialResult
    design : TrialDesign
        The design that was run.
    provenance : mapping
        Command, software, versions and machine.

    Returns
    -------
    str
        HTML. The same input gives the same text.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"plain": plain, "percent": percent, "number": number, "count": count, "doi": _with_links}
    summary: Mapping[str, Any] = result.summary
    return environment.get_template("report.html.j2").render(
        design=design,
        summary=summary,
        headline=headline(design),
        role=role_sentence(design),
        answer=answer(design, summary, result.replicates),
        controlled=headline(design).contrast is not None,
        responders=idle_responders(design, summary),
        differences=difference_rows(design),
        published_responders=responder_rows(design),
        endpoints=endpoint_rows(design, summary),
        baseline=baseline_rows(summary),
        screening=_screening(design, summary),
        safety=safety_rows(summary),
        design_rows=design_rows(design),
        effects=_effects(),
        learned=hyperparameter_rows(),
        parameters=parameter_groups(),
        parameter_count=len(parameter_table()),
        provenance=list(provenance_rows(provenance)),
        single_trials=_single_trials(design, result),
        scenario_titles=SCENARIO_TITLES,
        kinds=KINDS,
        **_courses(design, summary),
        compared_day=compared_day(design),
        comparisons=_marked(comparisons(design, summary)),
        idle_series=idle_series(),
    )


def _courses(design: TrialDesign, summary: Mapping[str, Any]) -> dict[str, list[dict[str, object]]]:
    """Panels of the read-outs, those open in the page and those folded."""
    rows = pd.DataFrame(summary["trajectories"])
    arms = [a.name for a in design.arms]
    return {
        name: [
            {
                "name": MEASURE_NAMES[readout],
                "panels": {key: Markup(svg) for key, svg in courses(rows, readout, arms).items()},  # noqa: S704
            }
            for readout in readouts
        ]
        for name, readouts in (("shown", SHOWN), ("folded", FOLDED))
    }


def _single_trials(design: TrialDesign, result: TrialResult) -> dict[str, Markup]:
    """Panels of the estimates of single trials; none where nothing was estimable."""
    endpoint, replicates = headline(design), result.replicates
    own = replicates[replicates["endpoint"] == endpoint.name]
    if own["estimate"].notna().sum() == 0:
        return {}
    truth = row_of(result.summary, endpoint.name)["truth"]
    return {k: Markup(v) for k, v in estimates(own, endpoint, truth).items()}  # noqa: S704 - drawn here


def _marked(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [r | {"mean": Markup(str(r["mean"])), "sd": Markup(str(r["sd"]))} for r in rows]  # noqa: S704 - drawn here


def _screening(design: TrialDesign, summary: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"what": criterion(design.eligibility[row["criterion"] - 1]), "share": percent(row["share"])}
        for row in summary["screening"]["failed_first_at"]
    ]


@cache
def _effects() -> tuple[tuple[float, float], ...]:
    """Values of `msc_effect` and what each means in the reference patient [mRSS points]."""
    return tuple((effect, float(points)) for effect, points in zip(EFFECTS, points_of_effect(EFFECTS), strict=True))


def _with_links(text: str) -> Markup:
    """Text in which every DOI is a link."""
    parts, end = [], 0
    for match in _DOI.finditer(text):
        parts.append(escape(text[end : match.start(1)]))
        parts.append(Markup('<a href="{}">{}</a>').format(doi_link(match[1]), match[1]))
        end = match.end(1)
    return Markup("").join([*parts, escape(text[end:])])
