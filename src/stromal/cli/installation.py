"""``stromal doctor``: whether this installation is able and correct."""

from __future__ import annotations

import typer

from stromal.cli.console import answer
from stromal.cli.options import AsJson
from stromal.doctor import examine


def doctor(as_json: AsJson = False) -> None:
    """Is this installation able and correct? Versions, machine and known answers."""
    checks = examine()
    answer(
        as_json,
        {"checks": [vars(c) for c in checks]},
        *(f"{'ok  ' if c.passed else 'FAIL'}  {c.name}: {c.detail}" for c in checks),
    )
    if not all(c.passed for c in checks):
        raise typer.Exit(1)
