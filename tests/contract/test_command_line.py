"""The commands: exit status, messages that help, JSON and nothing else, runs that survive a kill."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from stromal import cli
from stromal.compute.runfolder import MARK
from stromal.population import history

DESIGN = textwrap.dedent(
    """
    schema: 1
    title: A trial of six for the tests
    question: Does the command work?
    blinded: true
    population:
      subsets: {diffuse: 1.0, limited: 0.0}
      referral_months: {low: 3, high: 6}
      background: {mycophenolate: 0.5}
    eligibility:
      - {measure: age_years, at_least: 18}
    sample_size: 6
    arms:
      - {name: placebo, regimen: []}
      - name: cells
        regimen:
          - {product: umbilical_cord_msc, dose_per_kg: 1.0e6, route: iv, days: [0]}
    randomisation: {block_size: 2, allocation: {placebo: 1, cells: 1}}
    visits: {screening_days_before: 14, days: [0, 91]}
    effect: {msc_effect: 0.25}
    endpoints:
      - {name: mrss_change, kind: change, measure: mrss, day: 91, contrast: [cells, placebo], analysis: ancova}
      - {name: death, kind: event, event: death, day: 91, contrast: [cells, placebo]}
    """
).lstrip()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with a small design; the truth, which takes longest, is left out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["stromal.trial.run"], "TRUTH_PATIENTS", 0)
    (tmp_path / "small.yaml").write_text(DESIGN)
    return tmp_path


@pytest.fixture
def stromal(monkeypatch, capsys):
    """Run a command in this process: exit status, standard output, standard error."""

    def command(*args):
        monkeypatch.setattr(sys, "argv", ["stromal", *args])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        else:
            status = 0
        out, err = capsys.readouterr()
        return status, out, err

    return command


RUN = ("trial", "run", "small.yaml", "--replicates", "2", "--workers", "1")


def contents(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_run_writes_its_folder_and_prints_only_json(folder, stromal, stable_disease):
    status, out, _ = stromal(*RUN, "--seed", "4", "--out", "result", "--json")
    assert status == 0
    summary = json.loads(out)
    assert out.encode() == (folder / "result" / "summary.json").read_bytes()
    assert (summary["seed"], summary["replicates"]) == (4, 2)
    assert {
        "report.html", "summary.json", "design.yaml", "provenance.json", "replicates.parquet", "failures.csv",
        "example/patients.csv", "example/visits.csv",
    } <= set(contents(folder / "result"))  # fmt: skip
    assert not any(MARK in name or ".part" in name for name in contents(folder))


def test_provenance_and_the_resolved_design_make_the_same_run_again(folder, stromal, stable_disease):
    assert stromal(*RUN, "--seed", "4", "--out", "first")[0] == 0
    origin = json.loads((folder / "first" / "provenance.json").read_text())
    words = origin["command"].split()
    words[words.index("small.yaml")] = "first/design.yaml"
    assert stromal(*words[1:], "--workers", "1", "--out", "again")[0] == 0
    again = (folder / "again" / "summary.json").read_bytes()
    assert again == (folder / "first" / "summary.json").read_bytes()


def test_a_finished_run_is_not_computed_again_and_another_is_refused(folder, stromal, stable_disease):
    assert stromal(*RUN, "--out", "result")[0] == 0
    before = {name: (folder / "result" / name).stat().st_mtime_ns for name in contents(folder / "result")}
    status, _, err = stromal(*RUN, "--out", "result")
    assert status == 2
    assert "--resume" in err
    assert stromal(*RUN, "--out", "result", "--resume")[0] == 0
    status, _, err = stromal(*RUN, "--out", "result", "--resume", "--seed", "9")
    assert status == 2
    assert "seed differs" in err
    assert {n: (folder / "result" / n).stat().st_mtime_ns for n in contents(folder / "result")} == before


BAD = {
    "negative dose": ("dose_per_kg: 1.0e6", "dose_per_kg: -1", "arms[1].regimen[0].dose_per_kg", "-1"),
    "unknown product": ("umbilical_cord_msc", "umbilical_cord_mcs", "arms[1].regimen[0].product", "mcs"),
    "misspelt key": ("sample_size: 6", "sampel_size: 6", "sampel_size", "sample_size"),
    "end point without a visit": ("measure: mrss, day: 91", "measure: mrss, day: 90", "endpoints[0].day", "90"),
    "text for a number": ("sample_size: 6", "sample_size: six", "sample_size", "six"),
    "not YAML": ("arms:", "arms: [", "line", "small.yaml"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("command", [RUN, ("trial", "example", "small.yaml")], ids=["run", "example"])
def test_a_bad_design_is_refused_with_file_place_value_and_remedy_and_leaves_nothing(folder, stromal, case, command):
    right, wrong, place, value = BAD[case]
    assert right in DESIGN
    (folder / "small.yaml").write_text(DESIGN.replace(right, wrong))
    status, out, err = stromal(*command, "--out", "result")
    assert status == 2
    assert out == ""
    for part in ("small.yaml", place, value, "write instead"):
        assert part in err
    assert "Traceback" not in err
    assert contents(folder) == ["small.yaml"]
    assert not (folder / "result").exists()


@pytest.mark.parametrize(
    "args",
    [
        ("trial", "run", "absent.yaml"),
        ("trial", "run", "small.yaml", "--replicates", "0"),
        ("trial", "run", "small.yaml", "--workers", "0"),
        ("trial", "run", "small.yaml", "--seed", "-1"),
        ("trial", "run"),
        ("trial", "rnu", "small.yaml"),
        ("trial", "power", "small.yaml", "--sizes", "ten"),
        ("trial", "power", "small.yaml", "--sizes", "1"),
        ("patient", "small.yaml", "--arm", "cell"),
        ("patient", "small.yaml", "--arm", "cells", "--patient", "7"),
        ("model", "export", "small.yaml", "--format", "antimony"),
    ],
    ids=" ".join,
)
def test_a_command_that_cannot_be_done_ends_with_status_2_and_a_message(folder, stromal, args):
    status, out, err = stromal(*args)
    assert status == 2
    assert out == ""
    assert len(err.strip()) > 20
    assert "Traceback" not in err
    assert contents(folder) == ["small.yaml"]


def test_patients_that_fail_are_listed_and_the_status_is_3(folder, stromal, stable_disease, monkeypatch):
    """One patient's solve ends with a status: the run goes on, and says so."""
    course = stable_disease.course

    def failing(parameters, schedule, times, outputs, start=None):
        result = course(parameters, schedule, times, outputs, start)
        result.status[:1] = "step_limit"
        result.values[:1] = float("nan")
        return result

    monkeypatch.setattr("stromal.trial.conduct.course", failing)
    status, _, err = stromal(*RUN, "--out", "result")
    assert status == 3
    assert "failures.csv" in err
    table = pd.read_csv(folder / "result" / "failures.csv")
    assert set(table["status"]) == {"step_limit"}
    assert {"replicate", "candidate", "scenario"} <= set(table.columns)
    summary = json.loads((folder / "result" / "summary.json").read_text())
    assert summary["failures"] == len(table) > 0


def test_an_example_is_two_tables(folder, stromal, stable_disease):
    status, out, _ = stromal("trial", "example", "small.yaml", "--out", "one", "--json")
    assert status == 0
    assert json.loads(out)["rows"] == {"patients": 18, "visits": 36}
    visits = pd.read_csv(folder / "one" / "visits.csv")
    assert len(visits) == 36
    assert {"scenario", "patient", "arm", "day", "mrss", "mrss_true"} <= set(visits.columns)


def test_power_is_a_row_per_size_and_end_point(folder, stromal, stable_disease):
    args = ("trial", "power", "small.yaml", "--sizes", "6,12", "--replicates", "2", "--workers", "1", "--json")
    status, out, _ = stromal(*args)
    assert status == 0
    rows = json.loads(out)["sizes"]
    assert [(row["size"], row["endpoint"]) for row in rows] == [
        (6, "mrss_change"), (6, "death"), (12, "mrss_change"), (12, "death"),
    ]  # fmt: skip


def test_a_patient_is_a_figure_and_a_table(folder, stromal):
    status, out, _ = stromal("patient", "small.yaml", "--arm", "cells", "--out", "p.svg", "--json")
    assert status == 0
    assert json.loads(out)["figure"] == "p.svg"
    assert "<svg" in (folder / "p.svg").read_text()
    course = pd.read_csv(folder / "p.csv", index_col=0)
    assert course.index.is_monotonic_increasing
    assert course["mRSS"].between(0, 51).all()


@pytest.mark.parametrize("form", ["sbml", "antimony"])
def test_the_exported_model_can_be_read_again(folder, stromal, form):
    from stromal.engine import load  # noqa: PLC0415

    status, out, _ = stromal("model", "export", "--format", form)
    assert status == 0
    assert load(out).states == history.model().states


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from stromal import cli
    from stromal.compute.runfolder import RunFolder
    sys.modules["stromal.trial.run"].TRUTH_PATIENTS = 0
    sys.modules["stromal.trial.run"].TRAJECTORY_REPLICATES = 1  # the second replicate is a piece of its own
    keep = RunFolder.keep

    def keep_one_and_die(self, position, result):
        if position:
            os.kill(os.getpid(), signal.SIGKILL)
        keep(self, position, result)

    RunFolder.keep = keep_one_and_die
    cli.main()
    """
)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX signal")
def test_a_run_killed_half_way_and_resumed_has_the_bytes_of_a_run_in_one_go(folder, stromal, monkeypatch):
    monkeypatch.setattr(sys.modules["stromal.trial.run"], "TRAJECTORY_REPLICATES", 1)
    killed = subprocess.run([sys.executable, "-c", KILLED, *RUN, "--out", "killed"], check=False, cwd=folder)
    assert killed.returncode == -signal.SIGKILL
    assert contents(folder / "killed") == [MARK, "pieces/000000.pickle"]
    assert stromal(*RUN, "--out", "killed", "--resume")[0] == 0
    assert stromal(*RUN, "--out", "straight")[0] == 0
    for name in ("summary.json", "replicates.parquet", "example/visits.csv"):
        assert (folder / "killed" / name).read_bytes() == (folder / "straight" / name).read_bytes()
    assert json.loads((folder / "killed" / "provenance.json").read_text())["run"]["resumed"] is True
