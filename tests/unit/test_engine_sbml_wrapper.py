"""The wrapper for the SBML test runner: its layout of files, its columns, amounts and concentrations."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stromal.engine import antimony_to_sbml

WRAPPER = Path(__file__).resolve().parents[2] / "tools" / "sbml-test-wrapper"
MODEL = antimony_to_sbml("compartment c = 2; species A in c; A = 3; substanceOnly species B in c; B = 8; J: A -> ; 0\n")
SETTINGS = """start: 0
duration: 1
steps: 2
variables: B, A
absolute: 1e-7
relative: 1e-4
amount: A
concentration: B
"""


def run(*arguments):
    command = [sys.executable, str(WRAPPER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "model, settings",
    [("00001-sbml-l3v1.xml", "00001-settings.txt"), ("model.xml", "settings.txt")],
    ids=["the official layout", "the layout of the archive"],
)
def test_a_case_is_answered_with_the_columns_that_it_asks_for(model, settings, tmp_path):
    folder = tmp_path / "cases" / "00001"
    folder.mkdir(parents=True)
    (folder / model).write_text(MODEL)
    (folder / settings).write_text(SETTINGS)
    done = run(tmp_path / "cases", "00001", tmp_path / "out", 3, 1)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "00001.csv")
    assert list(table) == ["time", "B", "A"]
    assert table["time"].tolist() == [0.0, 0.5, 1.0]
    assert table["B"].tolist() == [4.0] * 3
    assert table["A"].tolist() == [6.0] * 3


def test_a_case_that_is_not_there_is_an_error_of_the_input(tmp_path):
    done = run(tmp_path, "00001", tmp_path / "out", 3, 1)
    assert done.returncode == 2
    assert "settings" in done.stderr
    assert "Traceback" not in done.stderr
