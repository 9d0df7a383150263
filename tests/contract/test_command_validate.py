"""``stromal validate`` on files of a user's own, and what it says to wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stromal.calibration import validation
from stromal.cli import app
from stromal.compute.errors import InputError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own-trial"


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["validate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(validation, "SIMULATED_DRAWS", 8)
    monkeypatch.setattr(validation, "SIMULATED_PATIENTS", 20)
    return str(EXAMPLE / "arms.csv"), str(EXAMPLE / "results.csv")


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
    own.write_text(
        "trial,arm,endpoint,timepoint_weeks,value\nMade-up trial,placebo,HAQ_change,48,0.1\n", encoding="utf-8"
    )
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
    arms, results = files
    own = tmp_path / "other.csv"
    own.write_text(Path(results).read_text(encoding="utf-8").replace("-3,7,37", "fell,7,37"), encoding="utf-8")
    with pytest.raises(InputError, match="line 3, value"):
        _run("--designs", arms, "--arms", str(own))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",100,20,10,", ",150,20,10,", "pct_dcssc"),
        (",22,6,", ",220,6,", "baseline_mrss_mean"),
        ("Made-up trial,placebo", "Made-up trial, ", "the arm has no usable name"),
        (
            "tocilizumab 162mg/wk d0-",
            "umbilical_cord_msc 1e6/kg iv d0; bone_marrow_msc 1e6/kg iv d0",
            "two different cell",
        ),
        ("mycophenolate:0.4", "mycophenolate:0.9; methotrexate:0.9", "the shares sum to 1.8"),
    ],
)
def test_what_cannot_be_in_a_table_of_arms_is_refused(
    files: tuple[str, str], tmp_path: Path, old: str, new: str, words: str
) -> None:
    arms, results = files
    own = tmp_path / "arms.csv"
    own.write_text(Path(arms).read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        _run("--designs", str(own), "--arms", results)


def test_criteria_that_nobody_meets_leave_a_reason_and_no_number(files: tuple[str, str], tmp_path: Path) -> None:
    arms, results = files
    own = tmp_path / "arms.csv"
    own.write_text(Path(arms).read_text(encoding="utf-8").replace("mrss>=10", "mrss>=10; mrss<=5"), encoding="utf-8")
    found = json.loads(_run("--designs", str(own), "--arms", results, "--json", "--workers", "1"))
    assert all(r["predicted"] is None and r["reason"] for r in found["rows"])
