"""``stromal model simulate``: a table on standard output, a figure, messages that help, exit status 3 on failure."""

import io
import json
import sys
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from stromal import cli
from stromal.engine import antimony_to_sbml, load
from stromal.engine.simulate import simulate

MODEL = """
model decay
  unit time_unit = 3600 second
  species A = 4, B = 0
  R: A -> B; k*A
  k = 0.5
  total := A + B
end
"""
POLE = "model pole\nx = 1\nx' = x^2\nend\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two models."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decay.ant").write_text(MODEL)
    (tmp_path / "decay.xml").write_text(antimony_to_sbml(MODEL))
    (tmp_path / "pole.ant").write_text(POLE)
    return tmp_path


@pytest.fixture
def simulated(monkeypatch, capsys):
    """Run the command in this process: exit status, standard output, standard error."""

    def command(*args):
        monkeypatch.setattr(sys, "argv", ["stromal", "model", "simulate", *args])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        else:
            status = 0
        return status, *capsys.readouterr()

    return command


SPAN = ("--end", "4", "--points", "9")


@pytest.mark.parametrize("file", ["decay.ant", "decay.xml"])
def test_the_table_on_standard_output_is_the_one_the_function_gives(folder, simulated, file):
    status, out, err = simulated(file, *SPAN, "--set", "k=0.7", "--set", "A=2")
    assert (status, err) == (0, "")
    table = pd.read_csv(io.StringIO(out))
    expected = simulate(load(MODEL), end=4.0, points=9, values={"k": 0.7, "A": 2.0}).table
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_outputs_times_and_files_are_as_asked_for(folder, simulated):
    args = ("--begin", "1", "--output", "total", "--output", "k", "--out", "t.csv", "--figure", "f.svg")
    status, out, _ = simulated("decay.ant", *SPAN, *args)
    assert (status, out) == (0, "")
    table = pd.read_csv("t.csv")
    assert list(table.columns) == ["time", "total", "k"]
    assert table["time"].iloc[[0, -1]].tolist() == [1.0, 4.0]
    text = (folder / "f.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own file
    for words in ("total", "time [hour]", "decay"):
        assert words in text


def test_a_picture_may_be_png(folder, simulated):
    assert simulated("decay.ant", *SPAN, "--out", "t.csv", "--figure", "f.png")[0] == 0
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_all_there_is_on_standard_output(folder, simulated):
    status, out, _ = simulated("decay.ant", *SPAN, "--json")
    summary = json.loads(out)
    assert status == 0
    assert (summary["model"], summary["time_unit"], summary["status"]) == ("decay", "hour", "ok")
    assert summary["failure"] is None
    assert list(summary["course"]) == ["time", "A", "B", "total"]
    expected = simulate(load(MODEL), end=4.0, points=9).table
    assert summary["course"]["A"] == expected["A"].tolist()


def test_a_solve_that_fails_ends_with_status_3_and_says_when_where_and_why(folder, simulated):
    status, out, err = simulated("pole.ant", "--end", "2.4", "--points", "5")
    assert status == 3
    table = pd.read_csv(io.StringIO(out))
    assert table["x"].isna().tolist() == [False, False, True, True, True]
    for part in ("pole.ant", "at time 1", "x = ", "per time unit"):
        assert part in err
    status, out, _ = simulated("pole.ant", "--end", "2.4", "--points", "5", "--json")
    assert status == 3
    assert json.loads(out)["course"]["x"][2:] == [None, None, None]


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("absent.ant", *SPAN), ("absent.ant", "cannot be read")),
        (("decay.ant", *SPAN, "--set", "kk=1"), ("'kk'", "write instead: k")),
        (("decay.ant", *SPAN, "--set", "k=fast"), ("'k=fast'", "name=number")),
        (("decay.ant", *SPAN, "--set", "k=nan"), ("nan", "a finite number")),
        (("decay.ant", *SPAN, "--output", "totl"), ("'totl'", "write instead: total")),
        (("decay.ant", "--end", "-1", "--points", "9"), ("not a span of time",)),
        (("decay.ant", "--end", "4", "--points", "1"), ("--points",)),
        (("decay.ant", "--points", "9"), ("--end",)),
        (("decay.ant", *SPAN, "--figure", "f.pdf"), ("f.pdf", ".svg or .png")),
        (("decay.ant", *SPAN, "--out", "no/t.csv"), ("no/t.csv", "folder does not exist")),
        (("decay.ant", *SPAN, "--rtol", "0"), ("rtol",)),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else None,
)
def test_what_cannot_be_simulated_ends_with_status_2_and_what_to_write_instead(folder, simulated, args, parts):
    before = sorted(p.name for p in folder.iterdir())
    status, out, err = simulated(*args)
    assert (status, out) == (2, "")
    for part in parts:
        assert part in err
    assert "Traceback" not in err
    assert sorted(p.name for p in folder.iterdir()) == before


def test_too_many_outputs_for_a_figure_are_refused_with_what_to_do(folder, simulated):
    many = "\n".join(f"x{k} = 1; x{k}' = -x{k}" for k in range(61))
    (folder / "many.ant").write_text(f"model many\n{many}\nend\n")
    status, _, err = simulated("many.ant", *SPAN, "--figure", "f.svg", "--out", "t.csv")
    assert status == 2
    assert "--output" in err
    assert not (folder / "f.svg").exists()
    assert not (folder / "t.csv").exists()
