"""What commands print, and where: answers on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from stromal.design import design_findings, read_design
from stromal.design.trial import TrialDesign
from stromal.report.publish import summary_text

_out = Console()
_err = Console(stderr=True)


def say(line: str) -> None:
    """Print a line of the answer."""
    _out.print(line, markup=False, highlight=False, soft_wrap=True)


def show(table: Table) -> None:
    """Print a table of the answer."""
    _out.print(table)


def complain(line: str) -> None:
    """Print a line on standard error."""
    _err.print(line, markup=False, highlight=False, soft_wrap=True)


def answer(as_json: bool, summary: Mapping[str, object], *lines: str) -> None:
    """Print the machine-readable summary and nothing else, or lines for people."""
    if as_json:
        sys.stdout.write(summary_text(summary))
    else:
        for line in lines:
            say(line)


def design_with_warnings(path: Path) -> TrialDesign:
    """Read a design and show its warnings."""
    design = read_design(path)
    for finding in design_findings(design):
        complain(f"stromal: {finding.severity}: {path}: {finding.place}: {finding.message}; {finding.remedy}")
    return design


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars of work in several stages, each named when it begins, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield told


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
