"""The report of a run as a document: whole, true to its summary, and asking nothing of the network.

The trials here are drawn from a table of random numbers instead of the model, so that a report is made in a second;
the summary is made from them by the very function that a run uses.
"""

import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from stromal.biology import parameter_table
from stromal.design import read_design
from stromal.design.trial import TrialDesign
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import shipped_posterior
from stromal.report import patient_figure, population_figure, write_report
from stromal.trial.conduct import TrialData
from stromal.trial.run import TrialResult
from stromal.trial.scenarios import SCENARIOS, Scenario
from stromal.trial.summary import summarise

EXAMPLES = Path(str(resources.files("stromal"))) / "examples"
REPLICATES = 30
SECTIONS = (
    *("question", "answer", "courses", "placebo", "responders", "endpoints"),
    *("baseline", "safety", "cells", "limits", "design", "parameters", "provenance"),
)
LEVELS = {"mrss": 25.0, "fvc_pct": 80.0, "fvc_ml": 2900.0, "dlco_pct": 65.0, "crp_mg_l": 8.0, "ct_extent_pct": 20.0}
PROVENANCE: Mapping[str, object] = {
    "command": "stromal trial run design.yaml --replicates 30 --seed 7",
    "software": {"name": "stromal", "version": "0.0", "source_sha256": "f" * 64},
}
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {k: v or "" for k, v in attrs}
        self.tags.append((tag, values))
        if tag not in VOID:
            self._open.append((tag, values.get("id", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        inside = [name for tag, name in self._open if tag == "section"]
        key = inside[-1] if inside else "outside"
        if not any(tag in {"style", "svg"} for tag, _ in self._open):
            self.words[key] = f"{self.words.get(key, '')} {data}"

    def text(self, section: str) -> str:
        """Words of a section with single, ordinary spaces."""
        return " ".join(self.words[section].replace("\u00a0", " ").replace("\u202f", " ").split())


def made_up_trials(design: TrialDesign) -> TrialResult:
    """A result with the shape of a run and random numbers in it."""
    random = np.random.default_rng(7)
    data = {s: [_data(design, random, shift)] for s, shift in zip(SCENARIOS, (0.0, -4.0, -2.0), strict=True)}
    estimates = _estimates(design, random)
    truth = pd.DataFrame({e.name: random.normal(-0.2, 0.1, 50) for e in design.endpoints})
    screened = pd.DataFrame({"screened": [40, 50], "enrolled": [20, 20]}).assign(
        **{f"failed {k}": [2, 3] for k in range(1, len(design.eligibility) + 1)}
    )
    none = pd.DataFrame()
    summary = summarise(design, REPLICATES, 7, estimates, truth, screened, none, data)
    return TrialResult(summary, estimates, none, {s: d[0] for s, d in data.items()})


def _data(design: TrialDesign, random: np.random.Generator, shift: float) -> TrialData:
    per_trial = design.sample_size
    n, days = 3 * per_trial, np.array(design.visits.days, dtype=float)
    arms = [a.name for a in design.arms]
    patients = pd.DataFrame(
        {
            "replicate": np.repeat([0, 1, 2], per_trial),
            "arm": [arms[k % len(arms)] for k in range(n)],
            "entry": 600.0,
            "first_symptom": 50.0,
            "age_years": random.normal(50.0, 10.0, n),
            "sex": np.where(random.random(n) < 0.8, "female", "male"),
            "subset": "diffuse",
            "antibody": np.where(random.random(n) < 0.5, "ATA", "RNAP3"),
            "background": "mycophenolate",
            "prior_drug": "none",
            "infusions": 1,
            "cells": 7e7,
            "reactions": (random.random(n) < 0.1).astype(int),
            "organ_failure_type": np.where(random.random(n) < 0.05, "kidney", ""),
            "status": "ok",
            **{e: np.where(random.random(n) < 0.1, 100.0, np.inf) for e in ("treatment_related_sae", "organ_failure")},
            **{e: np.where(random.random(n) < 0.1, 200.0, np.inf) for e in ("death", "left")},
        }
    )
    steps = shift * days / days[-1]
    true = {m: v + random.normal(0.0, 3.0, (n, 1)) + steps for m, v in LEVELS.items()}
    measured = {m: v + random.normal(0.0, 6.0, v.shape) for m, v in true.items()}
    return TrialData(patients, days, true, measured, {m: v[:, 0] for m, v in measured.items()})


def _estimates(design: TrialDesign, random: np.random.Generator) -> pd.DataFrame:
    rows = []
    for scenario, rate in zip(SCENARIOS, (0.05, 0.4, 0.2), strict=True):
        for replicate in range(REPLICATES):
            effect = 0.0 if scenario == "null" else float(random.choice([0.0, 0.7]))
            for endpoint in design.endpoints:
                estimate = float(random.normal(-0.2, 0.15))
                good = (estimate < 0.0) == (endpoint.benefit == "lower")
                rejects = bool(random.random() < rate)
                rows.append(
                    {
                        "scenario": scenario,
                        "replicate": replicate,
                        "endpoint": endpoint.name,
                        "msc_effect": effect,
                        "randomised": design.sample_size,
                        "estimate": estimate,
                        "ci_low": estimate - 0.3,
                        "ci_high": estimate + 0.3,
                        "rejects": rejects,
                        "favours_treatment": rejects and good,
                    }
                )
    return pd.DataFrame(rows)


def design_of(name: str, **changes: object) -> TrialDesign:
    return read_design(EXAMPLES / f"{name}.yaml").model_copy(update=changes)


@pytest.fixture(scope="module")
def care() -> TrialDesign:
    return design_of("care-ssc")


@pytest.fixture(scope="module")
def care_result(care: TrialDesign) -> TrialResult:
    return made_up_trials(care)


@pytest.fixture(scope="module")
def care_text(care: TrialDesign, care_result: TrialResult) -> str:
    return write_report(care_result, care, PROVENANCE)


@pytest.fixture(scope="module")
def single() -> tuple[TrialDesign, TrialResult, str]:
    design = design_of("single-arm-series")
    result = made_up_trials(design)
    return design, result, write_report(result, design, PROVENANCE)


def test_nothing_is_loaded_from_anywhere(care_text: str) -> None:
    page = Page(care_text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "img", "base"})
    loaded = [
        value
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "srcset", "data", "poster", "action", "background", "href", "xlink:href"} and tag != "a"
    ]
    assert loaded, "figures refer to their own parts"
    assert [value for value in loaded if not value.startswith("#")] == []
    assert re.findall(r"@import|url\((?!#)", care_text) == []
    assert [a for t, attributes in page.tags for a in attributes if a.startswith("on")] == []


def test_links_lead_to_papers_or_within_the_page(care_text: str) -> None:
    page = Page(care_text)
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert any(link.startswith("https://doi.org/10.") for link in links)
    assert [k for k in links if not k.startswith(("https://doi.org/10.", "#"))] == []
    assert {k.removeprefix("#") for k in links if k.startswith("#")} <= ids
    assert "http://" not in care_text


def test_no_two_elements_have_the_same_id(care_text: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(care_text).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_there_and_says_something(care_text: str, section: str) -> None:
    assert len(Page(care_text).text(section)) > 60


def test_the_page_says_that_it_is_not_for_treating_a_patient(care_text: str) -> None:
    assert "Not for treating a patient" in Page(care_text).text("outside")


@pytest.mark.parametrize("key", ["type_one_error", "power", "probability_of_success"])
def test_probabilities_in_the_text_are_those_of_the_summary(care_text: str, care_result: TrialResult, key: str) -> None:
    summary = json.loads(json.dumps(care_result.summary, allow_nan=False))
    page = Page(care_text)
    (skin,) = [e for e in summary["endpoints"] if e["endpoint"] == "mrss_change"]
    assert f"{100 * skin[key]:.1f} % (± {100 * skin[f'{key}_mcse']:.1f})" in page.text("answer")
    for endpoint in summary["endpoints"]:
        assert f"{100 * endpoint[key]:.1f} %" in page.text("endpoints")


def test_truth_and_bias_in_the_table_are_those_of_the_summary(care_text: str, care_result: TrialResult) -> None:
    summary: Any = care_result.summary
    table = Page(care_text).text("endpoints")
    for endpoint in summary["endpoints"]:
        factor, digits = (1, 2) if endpoint["analysis"] == "ancova" else (100, 1)
        for key in ("truth", "bias"):
            value, error = factor * endpoint[key], factor * endpoint[f"{key}_mcse"]
            assert f"{value:.{digits}f} (± {error:.{digits}f})".replace("-", "−") in table


def test_shares_of_responders_without_an_effect_are_those_of_the_summary(
    care_text: str, care_result: TrialResult
) -> None:
    summary: Any = care_result.summary
    words = Page(care_text).text("responders")
    idle = [r for r in summary["responders"] if (r["scenario"], r["endpoint"]) == ("null", "mrss_responder")]
    assert {r["arm"] for r in idle} == {"placebo", "one_infusion", "two_infusions"}
    for row in idle:
        share, error = 100 * row["share"], 100 * row["share_mcse"]
        assert f"{share:.1f} % (± {error:.1f}) of the arm {row['arm'].replace('_', ' ')}" in words


def test_secondary_end_points_are_called_secondary(care_text: str) -> None:
    page = Page(care_text)
    assert "It is a secondary end point" in page.text("answer")
    assert page.text("endpoints").count("secondary") == 5


def test_counts_of_assumed_parameters_are_those_of_the_table(care_text: str) -> None:
    counts = parameter_table()["origin"].value_counts()
    assert f"{counts['assumed']} are assumed" in Page(care_text).text("parameters")


def test_the_belief_as_used_stands_beside_its_prior(care_text: str, care_result: TrialResult) -> None:
    effect: Any = care_result.summary["effect"]
    page = Page(care_text)
    before, after = (f"{100 * effect[f'{k}_share_at_zero']:.0f} %" for k in ("prior", "posterior"))
    assert f"{after} chance that the cells do nothing; {before} before" in page.text("answer")
    words = page.text("limits")
    assert f"a mean of {effect['prior_mean']:.2f} and gives {before} to no effect" in words
    assert f"the mean is {effect['posterior_mean']:.2f} with {after} at no effect" in words


def test_every_number_learned_is_shown_with_its_prior_and_its_posterior(care_text: str) -> None:
    """Ends of 90 % by other means: of the posterior by sorting, of the prior by 1.645 SD."""
    priors, draws = hyperparameters().priors(), shipped_posterior().draws
    words = Page(care_text).text("parameters")
    for name, prior in priors.items():
        low, high = np.exp(np.percentile(np.sort(draws[name]), [5, 95]))
        before = [np.exp(prior.mean + z * prior.sd) for z in (-1.6448536, 1.6448536)]
        assert f"{before[0]:.2f} to {before[1]:.2f} {low:.2f} to {high:.2f}" in words
        for symbol in hyperparameters().hyperparameters[name].moves:
            row = words.split(f" {symbol} {parameter_table().at[symbol, 'name']} ")[1]
            assert row.partition("median learned: factor ")[2].startswith(f"{low:.2f} to {high:.2f} (90 %)")
    assert words.count("median learned") == sum(len(h.moves) for h in hyperparameters().hyperparameters.values())


def test_the_number_of_draws_of_the_population_is_said(care_text: str) -> None:
    assert f"another of the {len(shipped_posterior().draws)} draws" in Page(care_text).text("limits")


def test_no_number_is_missing_in_the_words(care_text: str, single: tuple[TrialDesign, TrialResult, str]) -> None:
    for text in (care_text, single[2]):
        words = " ".join(Page(text).words.values())
        assert re.findall(r"\b(?:nan|NaN|None|inf|Undefined)\b", words) == []


def test_a_hostile_title_is_shown_and_not_obeyed(care: TrialDesign, care_result: TrialResult) -> None:
    hostile = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
    criterion = care.eligibility[0].model_copy(update={"source": f"{hostile} doi:10.1000/x"})
    design = care.model_copy(
        update={
            "title": hostile,
            "question": hostile,
            "registry": hostile,
            "eligibility": (criterion, *care.eligibility[1:]),
        }
    )
    text = write_report(care_result, design, {"command": hostile})
    page = Page(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert "<script>alert('x')</script>" in page.text("question")
    assert "<script>alert('x')</script>" in page.text("design")
    assert "<script>" not in text


def test_equal_input_gives_equal_bytes(care: TrialDesign, care_result: TrialResult, care_text: str) -> None:
    assert write_report(care_result, care, PROVENANCE) == care_text


def test_every_figure_is_well_formed_and_described(care_text: str) -> None:
    figures = re.findall(r"<svg role.*?</svg>", care_text, flags=re.DOTALL)
    assert len(figures) == 3 + 4 * 6 + 4
    for figure in figures:
        root = ET.fromstring(figure)  # noqa: S314 - drawn by this package
        assert root.tag == "svg"
        assert len(root.attrib["aria-label"]) > 20


def test_a_series_without_control_says_how_much_changes_with_no_effect(
    single: tuple[TrialDesign, TrialResult, str],
) -> None:
    design, result, text = single
    summary: Any = result.summary
    page = Page(text)
    (skin,) = [e for e in summary["endpoints"] if e["endpoint"] == "mrss_change"]
    null = f"{skin['estimates_null']['mean']:.1f}".replace("-", "−")
    assert f"would still report a mean change of {null} points" in page.text("answer")
    assert "This design has no control group" in page.text("answer")
    assert "reported −4.7 points at week 52" in page.text("answer")
    assert f"{100 * skin['estimates_null']['mean'] / -4.73:.0f} % of that" in page.text("answer")
    assert "Probability of success" not in page.text("endpoints")
    (responder,) = [e for e in summary["endpoints"] if e["endpoint"] == "mrss_responder"]
    share = f"{100 * responder['estimates_null']['mean']:.1f} %".replace("-", "−")
    assert f"{share} of the patients would count as responders" in page.text("responders")
    assert "Open label" in page.text("limits")
    assert design.sample_size == 41


def test_a_design_without_a_responder_end_point_has_a_report() -> None:
    design = design_of("two-arm-60")
    design = design.model_copy(update={"endpoints": tuple(e for e in design.endpoints if e.kind != "responder")})
    page = Page(write_report(made_up_trials(design), design, PROVENANCE))
    assert "no responder end point" in page.text("responders")


def test_a_trial_of_events_alone_has_a_report() -> None:
    design = design_of("two-arm-60")
    design = design.model_copy(update={"endpoints": tuple(e for e in design.endpoints if e.kind == "event")})
    page = Page(write_report(made_up_trials(design), design, PROVENANCE))
    assert "death by day 364" in page.text("answer")
    assert "calls none of its end points primary" in page.text("answer")


def course() -> pd.DataFrame:
    days = np.arange(0.0, 900.0, 10.0)
    return pd.DataFrame(
        {"mRSS": 20.0 + days / 100.0, "FVC": 90.0 - days / 100.0, "Tol": days / 900.0}, index=pd.Index(days, name="day")
    )


def people() -> pd.DataFrame:
    random = np.random.default_rng(3)
    numbers = {m: v + random.normal(0.0, 1.0, 80) for m, v in LEVELS.items()}
    return pd.DataFrame({**numbers, "subset": "diffuse", "antibody": ["ATA", "ACA"] * 40, "sex": "female"})


@pytest.mark.parametrize(
    "draw",
    [
        lambda form: patient_figure(course(), {"screening": 500.0, "baseline": 528.0}, "Patient 1", form=form),
        lambda form: population_figure(people(), "80 people", form=form),
    ],
    ids=["patient", "population"],
)
def test_a_figure_file_is_the_same_each_time_in_both_forms(draw: Callable[[str], bytes]) -> None:
    svg, png = draw("svg"), draw("png")
    assert draw("svg") == svg
    assert draw("png") == png
    assert svg.startswith(b"<?xml")
    assert png.startswith(b"\x89PNG")
    assert re.search(rb"20\d\d-\d\d-\d\dT", svg) is None


def test_the_figure_of_a_patient_marks_what_happens_when() -> None:
    svg = patient_figure(course(), {"screening": 500.0, "infusion 1": 528.0}, "Patient <1>").decode()
    for words in (
        "Patient &lt;1&gt;",
        "b: infusion 1",
        "skin score [points]",
        "a: screening",
        "tolerance [0 in health]",
    ):
        assert words in svg
    ET.fromstring(svg)  # noqa: S314 - drawn by this package


def test_scenarios_of_the_figures_are_those_of_a_run() -> None:
    from stromal.report.figures import SCENARIO_TITLES  # noqa: PLC0415 - only this test looks inside

    names: tuple[Scenario, ...] = SCENARIOS
    assert tuple(SCENARIO_TITLES) == names
