"""``stromal calibrate`` and ``stromal validate``: learn the population from published trials, and test it on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from stromal.calibration.fitting import Plan
from stromal.calibration.patients import read_patients
from stromal.calibration.run import run_calibration
from stromal.calibration.validation import validate as validated
from stromal.calibration.validation import validate_patients
from stromal.cli.console import complain, say, show, stages
from stromal.cli.options import AsJson, Out, Seed, Workers
from stromal.compute.errors import InputError
from stromal.compute.executor import processors
from stromal.evidence.arms import own_arms, own_results
from stromal.report.patients import patients_json
from stromal.report.publish import summary_text
from stromal.report.scorecard import scorecard_json, write_scorecard

_PLAN = Plan()


def calibrate(
    points: Annotated[
        int, typer.Option(help="Points of the hyperparameters in the first wave.", min=150)
    ] = _PLAN.first,
    refined: Annotated[int, typer.Option(help="Points of the second wave.", min=50)] = _PLAN.second,
    patients: Annotated[int, typer.Option(help="Eligible patients per study and point.", min=20)] = _PLAN.patients,
    seed: Seed = 1,
    out: Out = None,
    workers: Workers = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted calibration.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn the population from the published trials of the evidence base (about half an hour on two processors)."""
    plan = Plan(first=points, second=refined, patients=patients, seed=seed)
    command = f"stromal calibrate --points {points} --refined {refined} --patients {patients} --seed {seed}"
    with _kept(), stages() as progress:
        done = run_calibration(
            plan, out=out, workers=workers or processors(), resume=resume, progress=progress, command=command
        )
    if as_json:
        sys.stdout.write(summary_text(done.about))
        _some_failed(done.about["failures"])
        return
    say("This calibration was complete already." if done.was_complete else "Done.")
    say(f"{done.about['results_fitted']} results of {done.about['trials_fitted']} trials; {done.about['draws']} draws")
    say(f"Folder: {done.folder}")
    _some_failed(done.about["failures"])


def validate(
    designs: Annotated[Path | None, typer.Option(help="Arms of trials (CSV); default the shipped base.")] = None,
    arms: Annotated[Path | None, typer.Option(help="Results of these arms (CSV).")] = None,
    ipd: Annotated[Path | None, typer.Option(help="FVC patient by patient (CSV).")] = None,
    ipd_baseline_mean: Annotated[
        float | None, typer.Option(help="Mean FVC at baseline [% predicted] from which `fvc0_centred` counts.")
    ] = None,
    seed: Seed = 1,
    out: Out = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Predict published trials by posteriors that have not seen them, and compare (columns: docs/calibration.md)."""
    if (designs is None) != (arms is None):
        given, missing = ("--designs", "--arms") if arms is None else ("--arms", "--designs")
        raise InputError(f"{given} is given alone", place=missing, remedy=f"both {given} and {missing}, or neither")
    if (ipd is None) != (ipd_baseline_mean is None):
        given, missing = ("--ipd", "--ipd-baseline-mean") if ipd is not None else ("--ipd-baseline-mean", "--ipd")
        raise InputError(f"{given} is given alone", place=missing, remedy=f"both {given} and {missing}, or neither")
    whole: dict[str, Any] = {}
    failures = 0
    with _stopped(), stages() as progress:
        if designs is not None or ipd is None:
            tables = (None, None) if designs is None or arms is None else (own_arms(designs), own_results(arms))
            card = validated(*tables, seed=seed, workers=workers or processors(), progress=progress)
            whole |= scorecard_json(card)
            failures += card.failures
            if out is not None:
                title = "Published trials, predicted unseen"
                write_scorecard(card, out, title=title, command=_command(designs, arms, seed))
        if ipd is not None and ipd_baseline_mean is not None:
            found = validate_patients(
                read_patients(ipd), ipd_baseline_mean, seed=seed, workers=workers or processors(), progress=progress
            )
            whole |= {"patients": patients_json(found)}
            failures += found.failures
    if as_json:
        sys.stdout.write(summary_text(whole))
    else:
        _show(whole)
        if out is not None and "rows" in whole:
            say(f"Page: {out / 'scorecard.html'}")
    _some_failed(failures)


def _some_failed(failures: int) -> None:
    """Exit status 3 where patients could not be simulated."""
    if failures:
        complain(f"stromal: {failures} patients could not be simulated; they are in no number")
        raise typer.Exit(3)


def _command(designs: Path | None, arms: Path | None, seed: int) -> str:
    files = "" if designs is None else f" --designs {designs} --arms {arms}"
    return f"stromal validate{files} --seed {seed}"


@contextmanager
def _kept() -> Iterator[None]:
    """An interrupt ends the command with a message that says how to go on."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        complain("stromal: stopped; what is done is kept, and the same command with --resume goes on from there")
        raise typer.Exit(130) from stopped


@contextmanager
def _stopped() -> Iterator[None]:
    """An interrupt ends the command with a message."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        complain("stromal: stopped")
        raise typer.Exit(130) from stopped


def _show(whole: dict[str, Any]) -> None:
    if "summary" in whole:
        show(_scores(whole))
        for reason, count in whole["not_predicted"].items():
            say(f"{count:4d} results not predicted: {reason}")
    if "patients" in whole:
        show(_bands(whole["patients"]))


def _scores(whole: dict[str, Any]) -> Table:
    table = Table("end point", "arms", "trials", "CRPS", "naive", "pool", "inside 50 %", "inside 90 %")
    for family, s in whole["summary"].items():
        if not isinstance(s, dict) or not s.get("rows"):
            continue
        numbers = (f"{s[k]:.2f}" for k in ("crps", "crps_naive", "crps_pool"))
        shares = (f"{100.0 * s[k]['share']:.0f} %" for k in ("pi50", "pi90"))
        table.add_row(family, str(s["rows"]), str(s["trials"]), *numbers, *shares)
    return table


def _bands(patients: dict[str, Any]) -> Table:
    table = Table("arm", "month", "percentile", "n", "observed", "90 % band", "inside")
    for r in patients["rows"]:
        band = f"{r['lo90']:.1f} to {r['hi90']:.1f}"
        inside = "yes" if r["in90"] else "no"
        table.add_row(
            r["arm"], str(r["month"]), str(r["percentile"]), str(r["n"]), f"{r['observed']:.1f}", band, inside
        )
    return table
