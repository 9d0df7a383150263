"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Design = Annotated[Path, typer.Argument(metavar="DESIGN.yaml", help="The trial design.")]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
Replicates = Annotated[int, typer.Option(help="Number of simulated trials.", min=1)]
Workers = Annotated[int | None, typer.Option(help="Processes; default all processors. Never changes a result.", min=1)]
Out = Annotated[Path | None, typer.Option(help="Where to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the machine-readable summary and nothing else.")]
