"""``stromal model``: the shipped model, and the simulation of any other."""

from __future__ import annotations

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from stromal.biology import model as shipped_model
from stromal.biology import parameter_table
from stromal.biology.check import check
from stromal.biology.export import export, export_patient
from stromal.biology.page import model_page
from stromal.cli.console import answer, complain, design_with_warnings
from stromal.cli.options import AsJson, Out, Seed
from stromal.compute.errors import InputError
from stromal.compute.runfolder import write_atomic
from stromal.engine import examine, load
from stromal.engine.simulate import ATOL, RTOL, Simulation, assigned_values, simulate
from stromal.report import simulation_figure
from stromal.report.drawing import Form
from stromal.report.publish import summary_text
from stromal.trial.patient import model_parameters, virtual_patient

SHOWN_WARNINGS: Final = 5

model = typer.Typer(help="The shipped model; simulation of any model.", no_args_is_help=True)


class Format(StrEnum):
    """Exchange forms of the model."""

    SBML = "sbml"
    ANTIMONY = "antimony"


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
    answer(
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
        one = virtual_patient(design_with_warnings(design), arm, number, seed)
        text = export_patient(one.schedule, model_parameters(one.parameters))
    if out is None:
        sys.stdout.write(text)
    else:
        write_atomic(out, text)


def _show_warnings(file: Path) -> None:
    """Say on standard error what is doubtful about a model, the first few things in full."""
    warnings = examine(file, units=False)
    for warning in warnings[:SHOWN_WARNINGS]:
        complain(f"stromal: {warning}")
    if len(warnings) > SHOWN_WARNINGS:
        complain(f"stromal: and {len(warnings) - SHOWN_WARNINGS} more warnings")


@model.command("simulate")
def model_simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model in SBML or Antimony.")],
    end: Annotated[float, typer.Option(help="Time of the end, in the time unit of the model.")],
    points: Annotated[int, typer.Option(help="Number of equidistant times, first and last among them.", min=2)],
    begin: Annotated[float, typer.Option(help="Time of the start.")] = 0.0,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=NUMBER", help="Value of a parameter, or initial value of a state; repeatable."
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", metavar="NAME", help="What to record; repeatable; default all that changes."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Table (CSV) to write; default standard output.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Figure to write: .svg or .png.")] = None,
    rtol: Annotated[float, typer.Option(help="Relative tolerance of a step.")] = RTOL,
    atol: Annotated[float, typer.Option(help="Absolute tolerance of a step; smaller for tiny quantities.")] = ATOL,
    as_json: AsJson = False,
) -> None:
    """Simulate any SBML or Antimony model: a table (CSV) of all that changes, and a figure."""
    form = None if figure is None else _form(figure)
    for path in (out, figure):
        if path is not None and not path.parent.is_dir():
            raise InputError("the folder does not exist", file=str(path), remedy="a file in a folder that exists")
    system = load(file)
    _show_warnings(file)
    result = simulate(
        system,
        end=end,
        points=points,
        begin=begin,
        values=assigned_values(values or ()),
        outputs=outputs,
        rtol=rtol,
        atol=atol,
    )
    if figure is not None and form is not None:
        write_atomic(figure, simulation_figure(result.table, result.model or file.stem, result.time_unit, form))
    table = result.table.to_csv(index=False)
    if out is not None:
        write_atomic(out, table)
    elif not as_json:
        sys.stdout.write(table)
    if as_json:
        sys.stdout.write(summary_text(_summary(result, out, figure)))
    if result.failure is not None:
        complain(f"stromal: {file}: {result.failure}")
        raise typer.Exit(3)


def _form(figure: Path) -> Form:
    """What kind of picture a file name asks for."""
    match figure.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
    raise InputError("not a kind of picture", place="--figure", value=str(figure), remedy="a name in .svg or .png")


def _summary(result: Simulation, out: Path | None, figure: Path | None) -> dict[str, object]:
    course = {
        name: [value if math.isfinite(value) else None for value in column.tolist()]
        for name, column in result.table.items()
    }
    return {
        "model": result.model,
        "time_unit": result.time_unit,
        "status": result.status,
        "failure": result.failure,
        "table": None if out is None else str(out),
        "figure": None if figure is None else str(figure),
        "course": course,
    }
