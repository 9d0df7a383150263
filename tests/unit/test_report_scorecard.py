"""The scorecard as data and as a page: complete, and it claims no more than its intervals support."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from stromal.calibration.prediction import Predictions
from stromal.calibration.scorecard import Scorecard, scorecard
from stromal.compute.provenance import provenance
from stromal.population.posterior import shipped_posterior
from stromal.population.recipe import shipped_recipe
from stromal.report import scorecard_figures as figures
from stromal.report.learned_figures import hyperparameter_figure, msc_figure, msc_sentence
from stromal.report.scorecard import KEYS, finding, scorecard_json, scorecard_page, verdict, write_scorecard

COMMAND = "stromal validate --seed 1"
BASE = {
    "kind": "change",
    "sd": np.nan,
    "log_sd": np.nan,
    "not_fitted": "",
    "subgroup": False,
    "definition": "",
    "drug": False,
    "cells": False,
    "transplant": False,
    "baseline": np.nan,
    "baseline_fvc": np.nan,
    "stat_type": "mean",
}


def made_up(trials: int = 10, miss: float = 0.0, spread: float = 1.0, *, hostile: str = "") -> Scorecard:
    """Trials whose placebo and drug arms change by very different amounts, predicted with an error of `miss`."""
    rng = np.random.default_rng(5)
    table, observed, predictions = [], [], {}
    for k in range(trials):
        trial = f"Trial {k}{hostile}"
        results = [
            ("skin", "mRSS_change", "placebo", float(rng.normal(-2.0, 4.0)), {}),
            ("skin", "mRSS_change", "drug", float(rng.normal(-6.0, 4.0)), {"drug": True, "sd": 6.0}),
            ("FVC", "FVC_pct_change", "placebo", float(rng.normal(-2.0, 3.0)), {}),
            ("skin share", "mRSS_responder_pct", "placebo", 30.0, {"kind": "share"}),
            ("survival", "overall_survival_pct", "placebo", 90.0, {"kind": "survival"}),
        ]
        samples = []
        for family, endpoint, arm, value, more in results:
            key = {"trial": trial, "arm": arm, "endpoint": endpoint, "family": family, "week": 52.0, "value": value}
            own = BASE | key | {"row": len(table), "error": 0.8 if k % 2 else np.nan} | more
            own = {"y": own["value"], **own}
            observed.append(own | {"log_sd": np.log(own["sd"])})
            table.append(_result(trial, arm, endpoint, value, ""))
            samples.append(value + miss + spread * rng.normal(size=400))
        sds = np.exp(np.log(6.0) + 0.2 * rng.normal(size=(400, len(results))))
        predictions[trial] = Predictions(np.array(samples).T, sds)
        table.append(_result(trial, "drug", "HAQ_change", -0.1, "the model has no HAQ"))
    priors = {("Trial 0" + hostile, "drug"): True}
    return scorecard(
        pd.DataFrame(table), pd.DataFrame(observed), predictions, {"Trial 1" + hostile: True}, priors, seed=1
    )


def _result(trial, arm, endpoint, value, reason):
    return {
        "trial": trial,
        "arm": arm,
        "endpoint": endpoint,
        "endpoint_detail": "",
        "population": "",
        "stat_type": "mean",
        "unit": "points",
        "drug": "",
        "timepoint_weeks": 52,
        "value": value,
        "reason": reason,
    }


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return made_up()


@pytest.fixture(scope="module")
def text(card) -> str:
    return scorecard_page(card, "Validation", provenance(COMMAND))


def nothing() -> Scorecard:
    """No result is predicted."""
    marks = dict.fromkeys(("fitted", "tuned_prototype", "tests_prior", "in_summary"), False)
    row = _result("T", "a", "HAQ_change", 1.0, "the model has no HAQ") | {"week": 52.0, "observed": 1.0, "family": ""}
    return Scorecard(pd.DataFrame([row | marks]), pd.DataFrame(), pd.DataFrame(), {"coverage_by_family": {}})


class _Page(HTMLParser):
    """Addresses that a browser would fetch by itself, ids, and figures with their text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.figures: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.fetched += [found[k] for k in ("src", "srcset", "poster", "data") if k in found]
        if tag != "a" and not found.get("href", "#").startswith("#"):
            self.fetched.append(found["href"])
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "svg" and found.get("role") == "img":
            self.figures.append(found["aria-label"])


def test_json_holds_every_row_with_every_key_and_nothing_that_is_not_finite(card):
    text = json.dumps(scorecard_json(card), allow_nan=False)  # raises for NaN and for types of NumPy
    found = json.loads(text)
    assert set(found) == {"rows", "spreads", "coverage", "crps", "baselines", "summary", "not_predicted"}
    assert len(found["rows"]) == 60
    assert all(tuple(r) == KEYS for r in found["rows"])
    assert [r["observed"] for r in found["rows"]] == list(card.rows["observed"])
    unpredicted = [r for r in found["rows"] if r["reason"]]
    assert len(unpredicted) == 10
    assert {(r["predicted"], r["lo90"], r["in90"]) for r in unpredicted} == {(None, None, None)}
    assert found["not_predicted"] == {"the model has no HAQ": 10}
    assert len(found["spreads"]) == 10
    assert set(found["spreads"][0]) == set(KEYS) - {"reason", "in_summary"}


def test_a_table_that_does_not_name_the_drug_has_the_key_all_the_same(card):
    without = dataclasses.replace(card, rows=card.rows.drop(columns="drug"))
    rows = scorecard_json(without)["rows"]
    assert all(tuple(r) == KEYS for r in rows)
    assert {r["drug"] for r in rows} == {None}


def test_coverage_in_json_counts_the_rows_of_the_headline_only(card):
    # 30 means of skin and FVC less the one that only tests a prior
    found = scorecard_json(card)["coverage"]
    judged = card.scored[~card.scored["tests_prior"].astype(bool)]
    assert (found["n"], found["trials"]) == (29, 10)
    assert found["pi50"] == pytest.approx(judged["in50"].mean())
    assert found["pi90_low"] <= found["pi90"] <= found["pi90_high"]


def test_scores_and_baselines_in_json_are_those_of_the_scored_rows(card):
    found = scorecard_json(card)
    own = card.scored[(card.scored["family"] == "skin") & ~card.scored["tests_prior"].astype(bool)]
    assert found["crps"]["skin"] == pytest.approx(own["crps"].mean())
    baselines = found["baselines"]["skin"]
    assert baselines["less_pool"]["mean"] == pytest.approx(found["crps"]["skin"] - baselines["pool"])
    assert set(baselines) == {"naive", "pool", "less_naive", "less_pool"}


def test_the_finding_follows_the_sign_of_the_difference_and_its_interval():
    good, bad = made_up().summary["skin"], made_up(miss=30.0).summary["skin"]
    assert good["crps_less_naive"]["high"] < 0.0 < bad["crps_less_naive"]["low"]
    assert finding("skin", good).count("beats it") == 2
    assert finding("skin", bad).count("does not beat it but does worse") == 2
    assert "beats it" not in finding("skin", bad)


def test_an_interval_that_holds_zero_supports_no_claim():
    assert verdict({"mean": -0.5, "low": -1.1, "high": 0.1}, assessable=True) == "is not distinguishable from it"
    assert verdict({"mean": 0.5, "low": -0.1, "high": 1.1}, assessable=True) == "is not distinguishable from it"
    assert verdict({"mean": -0.5, "low": -1.1, "high": 0.0}, assessable=True) == "is not distinguishable from it"


def test_fewer_than_eight_trials_are_shown_but_not_judged():
    seven, eight = made_up(7).summary["FVC"], made_up(8).summary["FVC"]
    few = finding("FVC", seven)
    assert "7 arms of 7 trials" in few
    assert "fewer than 8 trials this is not assessable" in few
    assert "beats it" not in few
    assert "compatible" not in few
    assert "not assessable" not in finding("FVC", eight)


def test_one_trial_has_no_interval_and_no_claim():
    alone = {"mean": -1.0, "low": float("nan"), "high": float("nan")}
    numbers = {"share": 1.0, "low": 0.1, "high": 1.0, "compatible": True}
    scores = {"rows": 1, "trials": 1, "assessable": False, "pi50": numbers, "pi90": numbers}
    scores |= {"crps": 1.0, "crps_naive": 2.0, "crps_pool": 2.0, "crps_less_naive": alone, "crps_less_pool": alone}
    found = finding("skin", scores)
    assert "over 1 arm of 1 trial the model" in found
    assert "no interval from one trial" in found
    assert "beats it" not in found


def test_a_family_whose_rows_all_test_a_prior_is_not_scored():
    assert "no arm is predicted" in finding("skin", {"rows": 0, "trials": 0})


def test_the_page_asks_nothing_of_the_network_and_holds_every_figure(card, text):
    page = _Page()
    page.feed(text)
    assert page.fetched == []
    assert not {"script", "link", "iframe", "img"} & page.tags
    assert not re.search(r"url\((?!#)|@import", text)
    assert len(page.ids) == len(set(page.ids))
    begins = [
        *("CRPS:", "CRPS of the model", "90 % interval score:", "90 % interval score of the model"),
        *("Skin score: counts", "Vital capacity: counts", "Results inside 50 %", "SD between patients, Skin score"),
    ]
    assert all(any(f.startswith(b) for f in page.figures) for b in begins)
    assert sum("results lie inside the predicted 90 % interval" in f for f in page.figures) == 4
    assert len(page.figures) == 4 + 8 + 2 + 1 + 1
    assert finding("skin", card.summary["skin"]).replace("'", "&#39;") in text


def test_the_page_sets_rows_that_only_test_a_prior_apart_and_says_why_others_are_not_predicted(text):
    results, rest = text.split('<section id="prior">')
    prior, unpredicted = rest.split('<section id="not-predicted">')
    row = "<tr><td>Trial 0</td><td>drug</td>"
    assert row in prior
    assert row not in results.split('<section id="results">')[1]
    assert "the model has no HAQ" in unpredicted
    assert COMMAND in unpredicted


def test_names_from_a_table_of_the_user_cannot_become_markup():
    text = scorecard_page(made_up(4, hostile="<script>alert(1)</script>\"'&"), "<b>x</b>", {"command": "x"})
    page = _Page()
    page.feed(text)
    assert not {"script", "b"} & page.tags
    assert "Trial 0&lt;script&gt;" in text


def test_results_outside_their_interval_are_named_in_the_text_of_the_figure():
    rows = pd.DataFrame(
        {
            "trial": ["A", "B"],
            "label": ["placebo, week 52", "drug, week 24"],
            "observed": [0.0, 9.0],
            "observed_low": [np.nan, 8.0],
            "observed_high": [np.nan, 10.0],
            "predicted": 0.0,
            "lo50": -1.0,
            "hi50": 1.0,
            "lo90": -2.0,
            "hi90": 2.0,
            "in90": [True, False],
        }
    )
    svg = figures.interval_figure(rows, "points", "f")
    assert "1 of 2 results" in svg
    assert "Outside: B, drug, week 24." in svg
    assert "above 90 %" in svg
    assert "below 90 %" not in svg


def test_files_are_whole_and_the_same_for_the_same_card(card, text, tmp_path):
    folder = tmp_path / "new" / "folder"
    page = write_scorecard(card, folder, title="Validation", command=COMMAND)
    assert page == folder / "scorecard.html"
    assert page.read_text() == text
    assert {p.name for p in folder.iterdir()} == {"scorecard.html", "scorecard.json", "rows.csv", "spreads.csv"}
    assert json.loads((folder / "scorecard.json").read_text()) == scorecard_json(card)
    again = pd.read_csv(folder / "rows.csv", keep_default_na=False, na_values=[""])
    np.testing.assert_allclose(again["lo90"].astype(float), card.rows["lo90"].astype(float))


def test_an_earlier_page_stays_when_writing_fails(tmp_path, monkeypatch):
    page = write_scorecard(nothing(), tmp_path, title="Earlier", command="x")
    before = page.read_text()
    monkeypatch.setattr("pathlib.Path.replace", _fails)
    with pytest.raises(OSError, match="disk"):
        write_scorecard(nothing(), tmp_path, title="Later", command="x")
    assert page.read_text() == before


def _fails(*_):
    raise OSError("disk")


def test_nothing_predicted_still_gives_a_page_and_finite_json(tmp_path):
    page = write_scorecard(nothing(), tmp_path, title="Nothing", command="x")
    assert "nothing is scored" in page.read_text()
    assert json.loads((tmp_path / "scorecard.json").read_text())["coverage"]["n"] == 0


def test_the_hyperparameter_figure_prints_the_contraction_of_the_draws():
    draws = shipped_posterior().draws.copy()
    draws["mrss_drift"] = np.tile([-0.75, 0.75], len(draws))[: len(draws)]  # a quarter of the prior variance, SD 1.5
    svg = hyperparameter_figure(draws)
    assert re.search(r"skin score: mean drift \[points\] −2\.47 to 2\.47, then −0\.75 to 0\.75, 0\.75", svg)
    assert all(text in svg for text in ("skin turnover", "contraction", "FVC: SD of studies [% predicted]"))


def test_equal_masses_identify_nothing_and_the_figure_says_so():
    effects = np.array([0.0] * 40 + [0.5] * 60)
    assert shipped_recipe().msc_effect.share_at_zero == 0.4
    assert "do not identify whether cells act" in msc_sentence(effects)
    assert "factor of 1.0" in msc_sentence(effects)
    assert "do not identify whether cells act" in msc_figure(effects)


def test_masses_that_differ_say_in_favour_of_what_and_by_how_much():
    # posterior odds of some effect 9, prior odds 1.5: a factor of 6; and the other way round 1/9 over 1.5
    for zeros, factor, what in ((10, "6.0", "some effect"), (90, "13.5", "no effect")):
        text = msc_sentence(np.array([0.0] * zeros + [0.5] * (100 - zeros)))
        assert f"factor of {factor} on the odds in favour of {what}" in text
        assert "do not identify" not in text


def test_draws_that_are_all_zero_or_never_zero_give_no_infinite_odds():
    assert "every draw is zero" in msc_sentence(np.zeros(50))
    assert "no draw is zero" in msc_sentence(np.full(50, 0.3))
    assert "beyond what 50 draws can tell" in msc_figure(np.zeros(50))
