"""``stromal validate`` on files of a user's own, and what it says to wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stromal.calibration import validation
from stromal.cli import app
from stromal.compute.errors import InputError

ARMS = """\
trial,arm,arm_class,n,pct_dcssc,disease_duration_mo_mean,baseline_mrss_mean,baseline_mrss_sd,regimen,eligibility
New trial,tocilizumab,drug,40,100,20,22,6,tocilizumab 162mg/wk d0-,mrss>=10
New trial,placebo,placebo,40,100,20,22,6,,
"""
RESULTS = """trial,arm,endpoint,timepoint_weeks,value,sd,n_at_timepoint
New trial,tocilizumab,mRSS_change,48,-5,7,38
New trial,placebo,mRSS_change,48,-3,7,37
New trial,placebo,HAQ_change,48,0.1,0.4,37
"""


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["validate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(validation, "SIMULATED_DRAWS", 8)
    monkeypatch.setattr(validation, "SIMULATED_PATIENTS", 20)
    (tmp_path / "arms.csv").write_text(ARMS, encoding="utf-8")
    (tmp_path / "results.csv").write_text(RESULTS, encoding="utf-8")
    return str(tmp_path / "arms.csv"), str(tmp_path / "results.csv")


def test_a_trial_never_seen_before_is_predicted_from_two_files(files: tuple[str, str], tmp_path: Path) -> None:
    arms, results = files
    out = tmp_path / "page"
    found = json.loads(_run("--designs", arms, "--arms", results, "--json", "--workers", "1", "--out", str(out)))
    rows = {(r["arm"], r["endpoint"]): r for r in found["rows"]}
    treated, placebo = rows["tocilizumab", "mRSS_change"], rows["placebo", "mRSS_change"]
    assert treated["predicted"] < placebo["predicted"]
    assert treated["lo90"] < treated["lo50"] < treated["predicted"] < treated["hi50"] < treated["hi90"]
    assert rows["placebo", "HAQ_change"]["predicted"] is None
    assert "HAQ_change" in rows["placebo", "HAQ_change"]["reason"]
    assert set(found) >= {"rows", "coverage", "crps", "baselines"}
    assert found["crps"]["skin"] > 0.0
    assert (out / "scorecard.html").is_file()


def test_a_table_of_which_nothing_can_be_predicted_gives_reasons(files: tuple[str, str], tmp_path: Path) -> None:
    arms, _ = files
    own = tmp_path / "other.csv"
    own.write_text("trial,arm,endpoint,timepoint_weeks,value\nNew trial,placebo,HAQ_change,48,0.1\n", encoding="utf-8")
    found = json.loads(_run("--designs", arms, "--arms", str(own), "--json"))
    assert [r["reason"] for r in found["rows"]] == ["the model has no HAQ_change"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--designs", "{arms}"), "--arms"),
        (("--ipd", "{arms}"), "--ipd-baseline-mean"),
        (("--designs", "nowhere.csv", "--arms", "{results}"), "nowhere.csv"),
        (("--designs", "{arms}", "--arms", "{arms}"), "columns are missing"),
        (("--ipd", "{arms}", "--ipd-baseline-mean", "68.1"), "columns or rows are missing"),
    ],
)
def test_wrong_files_are_answered_with_file_place_and_remedy(
    files: tuple[str, str], arguments: tuple[str, ...], words: str
) -> None:
    arms, results = files
    with pytest.raises(InputError, match=words):
        _run(*(a.format(arms=arms, results=results) for a in arguments))


def test_a_value_that_is_no_number_is_named_with_its_line(files: tuple[str, str], tmp_path: Path) -> None:
    arms, _ = files
    own = tmp_path / "other.csv"
    own.write_text(RESULTS.replace("-3,7,37", "fell,7,37"), encoding="utf-8")
    with pytest.raises(InputError, match="line 3, value"):
        _run("--designs", arms, "--arms", str(own))
