"""Every example of docs/engine.md runs, in the order of the page."""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pandas as pd

from stromal import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "engine.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(language, text, names, monkeypatch):
    match language:
        case "antimony":
            Path("tumour.ant").write_text(text)
        case "console":
            for line in text.splitlines():
                monkeypatch.setattr(sys, "argv", shlex.split(line.removeprefix("$ ")))
                with contextlib.suppress(SystemExit):
                    cli.main()
        case "python":
            exec(compile(text, str(PAGE), "exec"), names)  # noqa: S102 - the examples of our own page


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, said = {"__name__": "page"}, io.StringIO()
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert [language for language, _ in blocks].count("python") == 7
    with contextlib.redirect_stdout(said):
        for language, text in blocks:
            run(language, text, names, monkeypatch)
    assert {p.name for p in tmp_path.iterdir()} == {"tumour.ant", "tumour.csv", "tumour.svg", "courses.parquet"}
    table = pd.read_csv("tumour.csv")
    assert list(table.columns) == ["time", "drug", "burden", "share"]
    assert table["drug"].iloc[0] == 1.0
    assert names["result"].patients == 2000
    assert 0 < names["adaptive"].left.notna().sum() < len(names["patients"])
    assert "doses were given" in said.getvalue()
