"""The page `docs/performance.md`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from benchmarks.engine_alone import ATOL, RTOL, Ensemble, Startup, Threads
from benchmarks.figures import FOLDER
from benchmarks.reference import CHECKED, FLOOR, TIGHT
from benchmarks.tasks import ROOT
from benchmarks.workprecision import COMMON, ENGINES, LEAST, TARGET, TARGET_P99, Entry
from stromal.compute.executor import processors
from stromal.compute.provenance import processor

PAGE: Final = ROOT / "docs" / "performance.md"
POINTS: Final = FOLDER / "work-precision.csv"
NOTES: Final = Path(__file__).parent / "notes.md"
"""What the numbers say: written by a person, after looking at them."""


@final
@dataclass(frozen=True, eq=False)
class Result:
    """What came of one task.

    Attributes
    ----------
    check : float
        Largest difference of an independent solver from the reference.
    """

    name: str
    title: str
    summary: str
    patients: int
    check: float
    entries: Sequence[Entry]


@final
@dataclass(frozen=True, eq=False)
class Alone:
    """What was measured of this engine alone."""

    threads: Threads
    startups: tuple[Startup, Startup]
    ensemble: Ensemble


def write_page(results: Sequence[Result], alone: Alone, command: str, rounds: int) -> None:
    """Write the page and the table of points behind its figures."""
    _write_points(results)
    parts = [
        "# Performance",
        f"Made by `{command}` on {processors()} processors ({processor()}). {_versions(results)}",
        _method(rounds),
        "## Throughput at equal true error",
        *(text for result in results for text in _task(result)),
        NOTES.read_text(encoding="utf-8").strip(),
        "## How each engine is used",
        "\n".join(f"* **{engine.name}**: {engine.how}" for engine in ENGINES),
        "## How far the reference can be trusted",
        _trust(results),
        "## The engine alone",
        *_alone(alone),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _versions(results: Sequence[Result]) -> str:
    known = {e.engine.name.split(",")[0]: e.version for r in results for e in r.entries if e.version}
    missing = {e.engine.name: e.remark for r in results for e in r.entries if "not installed" in e.remark}
    text = "Versions: " + ", ".join(f"{name} {version}" for name, version in known.items()) + "."
    if missing:
        text += " Left out: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) + "."
    return text


def _method(rounds: int) -> str:
    return (
        "Every engine gets the same model, patients, schedule and visits, and returns all states at every visit, as "
        "they are before the actions of the same time.\n\n"
        "* **Throughput**: patients per second of processor time on one core, for the solve alone (a model is set up "
        f"once); median of {rounds} rounds in which the engines take turns in one process.\n"
        "* **True error** of a patient: the largest over visits and states of |y - true| / (|true| + "
        f"{FLOOR:.0e} of the state's largest value over the course).\n"
        f"* **Comparison**: at a median error of {TARGET:.0e} over the first {COMMON} patients (fewer, but at least "
        f"{LEAST}, for an engine that cannot solve so many in a second), and at a 99th percentile of "
        f"{TARGET_P99:.0e} over all patients that an engine solves in its time; for the slow engines that is the worst "
        "of a few, which flatters them. Both by log-log interpolation between an engine's own points and never beyond "
        "them: at equal nominal tolerances true errors differ a hundredfold.\n"
        "* **Settings**: relative tolerances run from 1e-3 down in half decades; the absolute tolerance, one number "
        "for all states, is 0.001, 0.01 or 0.1 times the relative one, and the method the one or the other where "
        "an engine has two: whatever is fastest for that engine on that task, as the tables say.\n"
        "* **Factor**: how many times faster stromal in double precision is."
    )


def _task(result: Result) -> Iterator[str]:
    yield f"### {result.title}"
    yield result.summary
    ours = next(e for e in result.entries if e.engine.batched)
    median, tail = ours.rate_at_median(), ours.rate_at_p99()
    columns = f"engine | patients/s at median {TARGET:.0e} | factor | patients/s at p99 {TARGET_P99:.0e} | factor"
    rows = [f"| {columns} | method, atol/rtol |", "|---|---:|---:|---:|---:|---|"]
    absent = []
    for entry in result.entries:
        if entry.setting is None:
            absent.append(f"{entry.engine.name}: {entry.remark}.")
            continue
        cells = [*_cells(entry.rate_at_median(), median), *_cells(entry.rate_at_p99(), tail)]
        rows.append(f"| {entry.engine.name} | {' | '.join(cells)} | {entry.setting.method}, {entry.setting.share:g} |")
    yield "\n".join(rows)
    if absent:
        yield "Not in the table: " + " ".join(absent)
    yield f"![Work and precision, {result.title}](figures/work-precision-{result.name}.svg)"


def _cells(rate: float | None, ours: float | None) -> tuple[str, str]:
    """Throughput and the factor by which ours is higher."""
    if rate is None:
        return "not reached", "-"
    return f"{rate:.3g}", f"{ours / rate:.2g}" if ours is not None else "-"


def _trust(results: Sequence[Result]) -> str:
    rows = ["| task | LSODA, ten times tighter | smallest median error of the other engines |", "|---|---:|---|"]
    for result in results:
        peers = [e for e in result.entries if e.points and not e.engine.batched]
        reached = ", ".join(f"{e.engine.name} {min(p.median for p in e.points):.0e}" for e in peers)
        rows.append(f"| {result.title} | {result.check:.0e} | {reached} |")
    return (
        f"The reference is this engine at relative tolerance {TIGHT[0]:.0e} and absolute tolerance {TIGHT[1]:.0e}. "
        f"SciPy's LSODA, with its own right-hand side and Jacobian, differs from it for the first {CHECKED} patients "
        "by at most the first column; the other engines come as near as the second says, at the "
        "tightest tolerance that was asked of them.\n\n" + "\n".join(rows)
    )


def _alone(alone: Alone) -> Iterator[str]:
    threads, (empty, filled), many = alone.threads, alone.startups, alone.ensemble
    yield (
        f"**Threads.** {threads.patients} patients of model (a), wall clock: {threads.one:.2f} s on one thread, "
        f"{threads.two:.2f} s on two, {threads.one / threads.two:.2f} times as fast."
    )
    yield (
        "**Start.** In a new process, wall clock except for the imports:\n\n"
        "| cache | Python and imports | driver, for any model | read the shipped model | its machine code |\n"
        "|---|---:|---:|---:|---:|\n"
        + "\n".join(
            f"| {name} | {s.imported:.2f} s | {s.driver:.2f} s | {s.read:.2f} s | {1000 * s.code:.0f} ms |"
            for name, s in (("empty", empty), ("filled", filled))
        )
    )
    rate = many.patients / many.wall
    yield (
        f"**Many patients.** {many.patients:,} patients of model (a), two years each, drawn, solved on {many.threads} "
        f"threads at rtol {RTOL:.0e} and atol {ATOL:.0e} and reduced to means and quantiles chunk by chunk: "
        f"{many.wall:.0f} s wall clock, {many.cpu:.0f} s processor time ({many.drawing:.0f} s of it to draw patients "
        f"and write their schedules), {many.failed} failed. Peak memory {many.memory:.0f} MB, of which "
        f"{many.before:.0f} MB were there before the first patient; it does not grow with the number of patients. "
        f"At this rate ({rate:.0f} patients/s) a million patients take {1e6 / rate / 60:.0f} minutes (projected)."
    )


def _write_points(results: Sequence[Result]) -> None:
    POINTS.parent.mkdir(parents=True, exist_ok=True)
    with POINTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["task", "engine", "version", "method", "rtol", "atol", "median", "p99", "rate", "patients"])
        for result in results:
            for entry in result.entries:
                for p in entry.points:
                    setting = entry.setting
                    own = (setting.method, f"{p.rtol:g}", f"{p.rtol * setting.share:g}") if setting else ("", "", "")
                    measured = (f"{p.median:.3e}", f"{p.p99:.3e}", f"{p.rate:.4g}", p.patients)
                    writer.writerow([result.name, entry.engine.name, entry.version, *own, *measured])
