"""The command line: a thin layer over functions that Python code can call as well.

Exit status: 0 done; 2 the input is wrong; 3 done, but some simulated patients failed (they are in `failures.csv`);
1 a defect.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from stromal.biology import model as shipped_model
from stromal.biology import parameter_table
from stromal.biology.check import check
from stromal.biology.export import export, export_patient
from stromal.biology.page import model_page
from stromal.compute.errors import InputError, InputErrors
from stromal.compute.executor import processors
from stromal.compute.runfolder import write_atomic
from stromal.design import design_findings, read_design
from stromal.design.trial import TrialDesign
from stromal.doctor import examine
from stromal.population.describe import describe
from stromal.population.recipe import shipped_recipe
from stromal.report import patient_figure, population_figure
from stromal.report.publish import REPORT, SUMMARY, run_trial, summary_text
from stromal.trial.example import example_tables, example_trial
from stromal.trial.patient import model_parameters, virtual_patient
from stromal.trial.power import power_table

app = typer.Typer(
    help="In-silico trials of mesenchymal stromal cell therapy in systemic sclerosis. Research use only.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
trial = typer.Typer(help="Simulate a trial that a YAML file describes.", no_args_is_help=True)
model = typer.Typer(help="The model of the disease and its therapies.", no_args_is_help=True)
population = typer.Typer(help="The virtual population.", no_args_is_help=True)
app.add_typer(trial, name="trial")
app.add_typer(model, name="model")
app.add_typer(population, name="population")

_out = Console()
_err = Console(stderr=True)


class Format(StrEnum):
    """Exchange forms of the model."""

    SBML = "sbml"
    ANTIMONY = "antimony"


Design = Annotated[Path, typer.Argument(metavar="DESIGN.yaml", help="The trial design.")]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
Replicates = Annotated[int, typer.Option(help="Number of simulated trials.", min=1)]
Workers = Annotated[int | None, typer.Option(help="Processes; default all processors. Never changes a result.", min=1)]
Out = Annotated[Path | None, typer.Option(help="Where to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the machine-readable summary and nothing else.")]


def main() -> None:
    """Entry point: turns what is wrong with the input into a message and exit status 2."""
    try:
        app()
    except (InputError, InputErrors) as error:
        _err.print(f"stromal: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)


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
    _warn(design)
    try:
        with _progress("simulating") as progress:
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
        _err.print("stromal: stopped; what is done is kept, and the same command with --resume goes on from there")
        raise typer.Exit(130) from stopped
    if as_json:
        sys.stdout.write((published.folder / SUMMARY).read_text(encoding="utf-8"))
    else:
        _out.print(_endpoint_table(published.summary["endpoints"]))
        _say("This run was complete already." if published.was_complete else "Done.")
        _say(f"Report: {published.folder / REPORT}")
    if published.summary["failures"]:
        _err.print(f"stromal: {published.summary['failures']} patients failed, see {published.folder / 'failures.csv'}")
        raise typer.Exit(3)


@trial.command("example")
def trial_example(design: Design, seed: Seed = 1, out: Out = None, as_json: AsJson = False) -> None:
    """Simulate one trial, patient by patient, in all three worlds, as two tables (patients, visits)."""
    folder = out or Path("runs") / f"{design.stem}-example"
    tables = example_tables(example_trial(_warn(design), seed))
    for name, table in tables.items():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False))
    _answer(
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
    read = _warn(design)
    with _progress("simulating") as progress:
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
    _out.print(shown)


@app.command("patient")
def patient(
    design: Design,
    arm: Annotated[str, typer.Option(help="Arm in which the patient is treated.")],
    number: Annotated[int, typer.Option("--patient", help="1 for the first patient enrolled.")] = 1,
    seed: Seed = 1,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show one virtual patient's course, from the trigger to the last visit, as a figure (SVG) and a table."""
    one = virtual_patient(_warn(design), arm, number, seed)
    path = out or Path(f"{design.stem}-{arm}-patient-{number}.svg")
    title = f"Patient {number}, arm {arm}, true course with the effect that the design states"
    write_atomic(path, patient_figure(one.course, one.marks, title))
    table = path.with_suffix(".csv")
    write_atomic(table, one.course.to_csv())
    person = {k: v.item() if hasattr(v, "item") else v for k, v in one.person.items()}
    _answer(as_json, {"figure": str(path), "table": str(table), "person": person}, f"{path}", f"{table}")


@model.command("show")
def model_show(as_json: AsJson = False) -> None:
    """Print what the model says: states, equations, therapies, parameters (Markdown)."""
    if as_json:
        table = parameter_table()
        parameters = json.loads(table.to_json(orient="records", double_precision=15))
        sys.stdout.write(summary_text({"states": list(shipped_model().states), "parameters": parameters}))
    else:
        sys.stdout.write(model_page())


@model.command("check")
def model_check(as_json: AsJson = False) -> None:
    """Check the model: libSBML consistency, units, documentation and use of every parameter, steady healthy state."""
    findings = check()
    rows = [vars(f) for f in findings]
    _answer(
        as_json,
        {"findings": rows, "parameters": len(parameter_table())},
        *(f"{f.severity}: {f.place}: {f.message}; {f.remedy}" for f in findings),
        "no finding" if not findings else f"{len(findings)} findings",
    )
    if findings:
        raise typer.Exit(1)


@model.command("export")
def model_export(
    design: Annotated[Path | None, typer.Argument(metavar="[DESIGN.yaml]", help="Export one treated patient.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Exchange form.")] = Format.SBML,
    arm: Annotated[str | None, typer.Option(help="Arm of the patient.")] = None,
    number: Annotated[int, typer.Option("--patient", help="1 for the first patient enrolled.")] = 1,
    seed: Seed = 1,
    out: Out = None,
) -> None:
    """Write the model as SBML or Antimony; with a design, one patient with the whole schedule as SBML events."""
    if design is None:
        text = export(form.value)
    elif form is not Format.SBML or arm is None:
        raise InputError(
            "a treated patient is exported as SBML, and of a stated arm",
            place="model export",
            remedy="DESIGN.yaml --arm NAME --patient K --format sbml",
        )
    else:
        one = virtual_patient(_warn(design), arm, number, seed)
        text = export_patient(one.schedule, model_parameters(one.parameters))
    if out is None:
        sys.stdout.write(text)
    else:
        write_atomic(out, text)


@population.command("describe")
def population_describe(
    candidates: Annotated[int, typer.Option(help="Candidates to draw.", min=10)] = 1000,
    seed: Seed = 1,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Describe early diffuse patients of the population: covariates, disease at referral, answers to treatment."""
    card = describe(shipped_recipe(), candidates, seed)
    numbers = card.people[list(_DESCRIBED)].describe(percentiles=[0.05, 0.5, 0.95]).T
    if out is not None:
        write_atomic(out, population_figure(card.people, "Early diffuse disease at referral"))
    if as_json:
        quantities = json.loads(numbers.to_json(orient="index", double_precision=15))
        sys.stdout.write(summary_text({"candidates": candidates, "quantities": quantities, "shares": card.shares}))
        return
    shown = Table("quantity", "mean", "SD", "5 %", "50 %", "95 %")
    for name, row in numbers.iterrows():
        shown.add_row(str(name), *(f"{row[k]:.1f}" for k in ("mean", "std", "5%", "50%", "95%")))
    _out.print(shown)
    for name, share in card.shares.items():
        _say(f"{share:6.1%}  {name}")


@app.command("doctor")
def doctor(as_json: AsJson = False) -> None:
    """Is this installation able and correct? Versions, machine and known answers."""
    checks = examine()
    _answer(
        as_json,
        {"checks": [vars(c) for c in checks]},
        *(f"{'ok  ' if c.passed else 'FAIL'}  {c.name}: {c.detail}" for c in checks),
    )
    if not all(c.passed for c in checks):
        raise typer.Exit(1)


_PROBABILITIES = ("type_one_error", "power", "probability_of_success")
_DESCRIBED = (
    *("age_years", "weight_kg", "months_since_first_symptom", "mrss", "fvc_pct", "fvc_ml", "dlco_pct"),
    *("crp_mg_l", "ct_extent_pct"),
)


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


def _warn(path: Path) -> TrialDesign:
    """Read a design and show its warnings."""
    design = read_design(path)
    for finding in design_findings(design):
        _err.print(f"stromal: {finding.severity}: {path}: {finding.place}: {finding.message}; {finding.remedy}")
    return design


def _answer(as_json: bool, summary: Mapping[str, object], *lines: str) -> None:
    if as_json:
        sys.stdout.write(summary_text(summary))
    else:
        for line in lines:
            _say(line)


def _say(line: str) -> None:
    _out.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
