"""The command line: a thin layer over functions that Python code can call as well.

Exit status: 0 done; 2 the input is wrong; 3 done, but some simulated patients failed (a run of trials lists them in
`failures.csv`, a simulation says what happened on standard error); 1 a defect.
"""

from __future__ import annotations

import sys

import typer

from stromal.cli.calibration import calibrate, validate
from stromal.cli.console import complain
from stromal.cli.evidence import evidence
from stromal.cli.installation import doctor
from stromal.cli.model import model
from stromal.cli.people import patient, population
from stromal.cli.trial import trial
from stromal.compute.errors import InputError, InputErrors

app = typer.Typer(
    help="In-silico trials of mesenchymal stromal cell therapy in systemic sclerosis. Research use only.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("patient")(patient)
app.command("doctor")(doctor)
app.command("calibrate")(calibrate)
app.command("validate")(validate)
app.add_typer(trial, name="trial")
app.add_typer(model, name="model")
app.add_typer(population, name="population")
app.add_typer(evidence, name="evidence")


def main() -> None:
    """Entry point: turns what is wrong with the input into a message and exit status 2."""
    try:
        app()
    except (InputError, InputErrors) as error:
        complain(f"stromal: {error}")
        sys.exit(error.exit_status)
