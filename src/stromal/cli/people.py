"""``stromal patient`` and ``stromal population``: virtual patients, one and many."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from stromal.cli.console import answer, design_with_warnings, say, show
from stromal.cli.options import AsJson, Design, Out, Seed
from stromal.compute.runfolder import write_atomic
from stromal.population.describe import describe
from stromal.population.posterior import shipped_posterior
from stromal.report import patient_figure, population_figure
from stromal.report.publish import summary_text
from stromal.trial.patient import virtual_patient

population = typer.Typer(help="The virtual population.", no_args_is_help=True)


def patient(
    design: Design,
    arm: Annotated[str, typer.Option(help="Arm in which the patient is treated.")],
    number: Annotated[int, typer.Option("--patient", help="1 for the first patient enrolled.")] = 1,
    seed: Seed = 1,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show one virtual patient's course, from the trigger to the last visit, as a figure (SVG) and a table."""
    one = virtual_patient(design_with_warnings(design), arm, number, seed)
    path = out or Path(f"{design.stem}-{arm}-patient-{number}.svg")
    title = f"Patient {number}, arm {arm}, true course with the effect that the design states"
    write_atomic(path, patient_figure(one.course, one.marks, title))
    table = path.with_suffix(".csv")
    write_atomic(table, one.course.to_csv())
    person = {k: v.item() if hasattr(v, "item") else v for k, v in one.person.items()}
    answer(as_json, {"figure": str(path), "table": str(table), "person": person}, f"{path}", f"{table}")


@population.command("describe")
def population_describe(
    candidates: Annotated[int, typer.Option(help="Candidates to draw.", min=10)] = 1000,
    seed: Seed = 1,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Describe early diffuse patients of the population: covariates, disease at referral, answers to treatment."""
    card = describe(shipped_posterior(), candidates, seed)
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
    show(shown)
    for name, share in card.shares.items():
        say(f"{share:6.1%}  {name}")


_DESCRIBED = (
    *("age_years", "weight_kg", "months_since_first_symptom", "mrss", "fvc_pct", "fvc_ml", "dlco_pct"),
    *("crp_mg_l", "ct_extent_pct"),
)
