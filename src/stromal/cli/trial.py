"""``stromal trial``: simulate the trial that a YAML file describes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from stromal.cli.console import answer, complain, design_with_warnings, progress_bar, say, show
from stromal.cli.options import AsJson, Design, Out, Replicates, Seed, Workers
from stromal.compute.errors import InputError
from stromal.compute.executor import processors
from stromal.compute.runfolder import write_atomic
from stromal.report.publish import REPORT, SUMMARY, run_trial, summary_text
from stromal.trial.example import example_tables, example_trial
from stromal.trial.power import power_table

trial = typer.Typer(help="Simulate a trial that a YAML file describes.", no_args_is_help=True)


@trial.command("run")
def trial_run(
    design: Design,
    replicates: Replicates = 200,
    seed: Seed = 1,
    out: Out = None,
    workers: Workers = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run of the same design.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a trial many times in three scenarios, and write a report."""
    design_with_warnings(design)
    try:
        with progress_bar("simulating") as progress:
            published = run_trial(
                design,
                replicates=replicates,
                seed=seed,
                out=out,
                workers=workers or processors(),
                resume=resume,
                progress=progress,
            )
    except KeyboardInterrupt as stopped:
        complain("stromal: stopped; what is done is kept, and the same command with --resume goes on from there")
        raise typer.Exit(130) from stopped
    if as_json:
        sys.stdout.write((published.folder / SUMMARY).read_text(encoding="utf-8"))
    else:
        show(_endpoint_table(published.summary["endpoints"]))
        say("This run was complete already." if published.was_complete else "Done.")
        say(f"Report: {published.folder / REPORT}")
    if published.summary["failures"]:
        complain(f"stromal: {published.summary['failures']} patients failed, see {published.folder / 'failures.csv'}")
        raise typer.Exit(3)


@trial.command("example")
def trial_example(design: Design, seed: Seed = 1, out: Out = None, as_json: AsJson = False) -> None:
    """Simulate one trial, patient by patient, in all three worlds, as two tables (patients, visits)."""
    folder = out or Path("runs") / f"{design.stem}-example"
    tables = example_tables(example_trial(design_with_warnings(design), seed))
    for name, table in tables.items():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False))
    answer(
        as_json,
        {"folder": str(folder), "rows": {name: len(table) for name, table in tables.items()}},
        *(f"{folder / name}.csv: {len(table)} rows" for name, table in tables.items()),
    )


@trial.command("power")
def trial_power(
    design: Design,
    sizes: Annotated[str, typer.Option(help="Numbers of randomised patients, e.g. 20,40,80.")],
    replicates: Replicates = 200,
    seed: Seed = 1,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Type-I error, power and probability of success over sample sizes."""
    read = design_with_warnings(design)
    with progress_bar("simulating") as progress:
        table = power_table(
            read,
            _sizes(sizes),
            replicates=replicates,
            seed=seed,
            workers=workers or processors(),
            progress=progress,
        )
    rows = json.loads(table.to_json(orient="records", double_precision=15))
    if as_json:
        sys.stdout.write(summary_text({"seed": seed, "replicates": replicates, "sizes": rows}))
        return
    shown = Table("patients", "end point", "type-I\nerror, %", "power, %", "success, %")
    for row in rows:
        shown.add_row(str(row["size"]), row["endpoint"], *(_with_error(row, k) for k in _PROBABILITIES))
    show(shown)


_PROBABILITIES = ("type_one_error", "power", "probability_of_success")


def _endpoint_table(endpoints: list[Mapping[str, Any]]) -> Table:
    table = Table("end point", "true\neffect", "type-I\nerror, %", "power, %", "success, %")
    for e in endpoints:
        true = "-" if e["truth"] is None else f"{e['truth']:.3g}"
        table.add_row(e["endpoint"], true, *(_with_error(e, k) for k in _PROBABILITIES))
    return table


def _with_error(entry: Mapping[str, Any], key: str) -> str:
    if entry[key] is None:
        return "-"
    return f"{100.0 * entry[key]:.1f} ± {100.0 * entry[f'{key}_mcse']:.1f}"


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            "sizes are whole numbers",
            place="--sizes",
            value=text,
            remedy="numbers with commas, e.g. 20,40,80",
        ) from error
