"""`python -m benchmarks`: measure all engines and write `docs/performance.md` with its figures.

Run it on an idle machine. `--quick` is a smoke run: few patients, one round, nothing is written.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.engine_alone import ensemble, startups, threads
from benchmarks.figures import draw
from benchmarks.page import Alone, Result, write_page
from benchmarks.reference import independent_check, reference
from benchmarks.tasks import MAKERS, Task
from benchmarks.workprecision import FULL, QUICK, Effort, measured

COMMAND = "make bench"
BEGUN = time.monotonic()


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of a few minutes; writes nothing")
    parser.add_argument("--task", choices=tuple(MAKERS), action="append", help="this task only; writes nothing")
    arguments = parser.parse_args()
    effort, many = (QUICK, 2_000) if arguments.quick else (FULL, 100_000)
    results = [_result(MAKERS[name](effort.patients), effort) for name in arguments.task or MAKERS]
    if arguments.task:
        return 0
    alone = Alone(threads(2 * effort.patients, effort.rounds), startups(), ensemble(many))
    _say(f"threads {alone.threads}; start {alone.startups}; {alone.ensemble}")
    if not arguments.quick:
        for result in results:
            draw(result.name, list(result.entries))
        write_page(results, alone, COMMAND, effort.rounds)
    return 0


def _result(task: Task, effort: Effort) -> Result:
    """One task, measured and told."""
    _say(f"{task.name}: the reference")
    true = reference(task)
    check = independent_check(task, true)
    _say(f"{task.name}: LSODA differs from the reference by {check:.0e}")
    entries = measured(task, true, effort, _say)
    for entry in entries:
        _say(f"{task.name}: {entry.engine.name:20s} {_rounded(entry.rate_at_median())} {_rounded(entry.rate_at_p99())}")
    return Result(task.name, task.title, task.summary, len(task.parameters), check, entries)


def _rounded(rate: float | None) -> str:
    return f"{rate:9.1f}" if rate is not None else "        -"


def _say(message: str) -> None:
    print(f"{time.monotonic() - BEGUN:6.0f} s  {message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
