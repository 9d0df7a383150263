"""The cases of the SBML Test Suite, solved and compared with the values the suite expects.

`python verification/sbml_suite.py [--solver reference|engine]` writes `docs/sbml-support.md`; exit status 1 if fewer
cases pass than are promised. The archive is not part of the repository: its place is in STROMAL_SBML_CASES, or
`../shared/sbml-semantic/cases.zip`. About half a minute on two processors.
"""

import argparse
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from stromal.compute.errors import StromalError
from stromal.engine import load
from stromal.engine.sbml.suite import by_engine, by_reference, read_settings, table, wrong

ROOT = Path(__file__).resolve().parents[1]
ARCHIVE = Path(os.environ.get("STROMAL_SBML_CASES", ROOT.parent / "shared" / "sbml-semantic" / "cases.zip"))
SOLVERS = {"reference": by_reference, "engine": by_engine}
PROMISED = {False: 531, True: 190}
"""Fewest cases without and with events that must pass."""
PAGE = ROOT / "docs" / "sbml-support.md"


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes
    ----------
    kind : str
        ``passed``, ``refused`` (a finding), ``failed`` (a status) or ``wrong`` (a table that is not the expected one).
    """

    case: str
    has_events: bool
    kind: str
    cause: str


def outcome(solver: str, folder: Path) -> Outcome:
    """Solve one case."""
    has_events = "Event" in (folder / "description.m").read_text(encoding="utf-8")
    settings = read_settings(folder / "settings.txt")
    try:
        got = table(load(folder / "model.xml"), settings, SOLVERS[solver])
    except StromalError as error:
        return Outcome(folder.name, has_events, "refused", str(error).replace(f"{folder}{os.sep}", ""))
    except ArithmeticError as error:
        return Outcome(folder.name, has_events, "failed", str(error))
    faults = wrong(got, expected(folder / "results.csv"), settings)
    cause = f"values of {', '.join(faults)}" if faults else ""
    return Outcome(folder.name, has_events, "wrong" if faults else "passed", cause)


def expected(path: Path) -> pd.DataFrame:
    """The table that the suite expects."""
    want = pd.read_csv(path, skipinitialspace=True)
    return want.rename(columns=str.strip)


def outcomes(solver: str, archive: Path = ARCHIVE) -> list[Outcome]:
    """Solve all cases of the archive."""
    with tempfile.TemporaryDirectory() as away:
        with zipfile.ZipFile(archive) as cases:
            cases.extractall(away)
        folders = sorted(path.parent for path in Path(away).glob("*/model.xml"))
        with ProcessPoolExecutor() as pool:
            return list(pool.map(partial(outcome, solver), folders, chunksize=10))


def passed(found: Iterable[Outcome], *, has_events: bool) -> tuple[int, int]:
    """How many cases pass, of how many."""
    own = [o for o in found if o.has_events == has_events]
    return sum(o.kind == "passed" for o in own), len(own)


HEAD = """# SBML support

Written by `python verification/sbml_suite.py --solver {solver}`.

## What is read

SBML level 1, 2 and 3 (core), and Antimony.

| subject | support |
|---|---|
| compartments | of constant size, or changed by rules and events; without dimensions |
| species | amounts and concentrations, `hasOnlySubstanceUnits`, `boundaryCondition`, `constant`, conversion factors |
| parameters | global and local |
| formulas | all MathML of SBML: functions and their inverses, `piecewise`, logic, n-ary relations |
| more in formulas | truth values as numbers and back, function definitions, `time`, `avogadro`, `rateOf` |
| rules | initial assignments, assignment rules, rate rules |
| reactions | stoichiometry as number, formula or quantity that rules and events change; speeds in formulas |
| events | trigger with initial value and persistence, delay, priority, values from the time of trigger or execution |
| formulas left out (level 3 version 2) | the element means nothing |

## What is refused, with a finding that names the place and a remedy

Delays in formulas (`delay`), algebraic rules, fast reactions, reactions without a rate, required packages other than
extended mathematics, symbols that nothing defines, assignments in a circle, quantities that are used and have no value,
a quantity with the id `time`; XML with a DOCTYPE, an encoding other than UTF-8, more than 1,000 levels or 20 MB;
function definitions nested more than 30 deep and chains of more than 200 assignments that need each other (beyond, the
checks of libSBML take minutes).

Events of equal priority that are due at the same time, for which SBML prescribes a random order, are executed in the
order in which they were triggered, then of the model; events without a priority come after those with one.

## Cases of the SBML Test Suite

Half of the semantic suite (738 cases, without packages, algebraic rules, delays, fast reactions and random order of
events). A case passes when every value differs from the expected one by no more than its absolute tolerance plus its
relative tolerance times the expected value.

"""


def page(solver: str, found: list[Outcome]) -> str:
    """The page of the documentation."""
    lines = [HEAD.format(solver=solver), "| cases | pass | of |\n|---|---|---|\n"]
    for has_events, name in ((False, "without events"), (True, "with events")):
        good, total = passed(found, has_events=has_events)
        lines.append(f"| {name} | {good} | {total} |\n")
    failures = [o for o in found if o.kind != "passed"]
    lines.append("\n## Cases that do not pass\n\n| case | what | cause |\n|---|---|---|\n" if failures else "")
    lines += [f"| {o.case} | {o.kind} | {' '.join(o.cause.split())} |\n" for o in failures]
    return "".join(lines)


def main() -> int:
    """Run the suite and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--solver", choices=SOLVERS, default="engine")
    solver = parser.parse_args().solver
    if not ARCHIVE.exists():
        print(f"left out: the archive of cases is not at {ARCHIVE} (STROMAL_SBML_CASES says where else)")
        return 0
    found = outcomes(solver)
    PAGE.write_text(page(solver, found), encoding="utf-8")
    for o in found:
        if o.kind != "passed":
            print(o.case, o.kind, o.cause)
    print({name: passed(found, has_events=name == "events") for name in ("no events", "events")})
    return int(any(passed(found, has_events=kind)[0] < least for kind, least in PROMISED.items()))


if __name__ == "__main__":
    sys.exit(main())
