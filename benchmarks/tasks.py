"""The work: which model, which patients, what is done to them when, and when they are looked at.

A task is the one description from which every engine is set up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.biology import actions, model
from stromal.compute.randomness import Streams
from stromal.design import read_design
from stromal.design.trial import TrialDesign
from stromal.engine import System, empty_schedule, load
from stromal.engine.graph import OPERATIONS, Node, walk
from stromal.population import draw, shipped_recipe
from stromal.population.activity import STEP
from stromal.population.candidates import Candidates
from stromal.population.history import own_course, stopped_drugs, until_referral

Array = NDArray[np.float64]
ROOT: Final = Path(__file__).resolve().parents[1]
MODELS: Final = Path(__file__).parent / "models"
SEED: Final = 1
ENTRY: Final = 364.0
"""Day of the baseline visit of model (a), after a year of disease [d after the trigger]."""


@lru_cache(maxsize=1)
def _design() -> TrialDesign:
    return read_design(ROOT / "examples" / "care-ssc.yaml")


CARE_SSC_VISITS: Final = np.array(
    [91.0, 182.0, 273.0, ENTRY - _design().visits.screening_days_before, *(ENTRY + d for d in _design().visits.days)]
)
"""Of model (a) [d after the trigger]."""


@final
@dataclass(frozen=True)
class Segment:
    """A part of a patient's course without actions inside.

    Attributes
    ----------
    start, end : float
    actions : tuple of (kind, target, amount)
        Applied at `start`, in order.
    visits : (n,)
        Times in ``(start, end]`` at which the states are recorded.
    """

    start: float
    end: float
    actions: tuple[tuple[str, str, float], ...]
    visits: Array


@final
@dataclass(frozen=True, eq=False)
class Task:
    """One piece of work.

    Attributes
    ----------
    name, title, summary : str
        For file names; for headings; what a reader should know of the work.
    parameters : DataFrame, patient x parameter
    schedule : DataFrame with columns patient, time, kind, target, amount
        No kind ``rate``: not every engine has infusions.
    visits : (n_visits,)
        After 0; all states are recorded, before the actions of the same time.
    explicit : bool
        Whether an explicit method can do the work at all.
    """

    name: str
    title: str
    summary: str
    system: System
    parameters: pd.DataFrame
    schedule: pd.DataFrame
    visits: Array
    explicit: bool

    @property
    def slots(self) -> tuple[str, ...]:
        """Parameters that the schedule sets."""
        return tuple(dict.fromkeys(self.schedule.loc[self.schedule["kind"] == "set", "target"]))

    @property
    def given(self) -> tuple[str, ...]:
        """Parameters that differ between patients or along a course: what an engine must be told for each patient."""
        return tuple(dict.fromkeys((*self.parameters.columns, *self.slots)))

    @cached_property
    def values(self) -> Array:
        """Of `given`, at the start, (n_patients, n_given)."""
        columns = [
            self.parameters[n].to_numpy() if n in self.parameters else np.full(len(self.parameters), default)
            for n, default in ((n, self.system.parameters[n]) for n in self.given)
        ]
        return np.column_stack(columns).astype(float)

    @cached_property
    def initial(self) -> Array:
        """Initial states, (n_patients, n_states)."""
        known = {name: np.full(len(self.parameters), value) for name, value in self.system.parameters.items()}
        known |= dict(zip(self.given, self.values.T, strict=True)) | {"time": np.zeros(len(self.parameters))}
        return _evaluated([self.system.expanded[f"initial {s}"] for s in self.system.states], known)

    @cached_property
    def courses(self) -> tuple[tuple[Segment, ...], ...]:
        """Of each patient, for engines that start anew at every action."""
        by_patient = dict(iter(self.schedule.groupby("patient", sort=False)))
        return tuple(
            tuple(_segments(by_patient.get(p, self.schedule.iloc[:0]), self.visits)) for p in self.parameters.index
        )

    def first(self, n: int) -> Task:
        """The same for the first `n` patients only."""
        parameters = self.parameters.iloc[:n]
        schedule = self.schedule[self.schedule["patient"].isin(parameters.index)]
        return replace(self, parameters=parameters, schedule=schedule.reset_index(drop=True))


def systemic_sclerosis(patients: int) -> Task:
    """Model (a): candidates of CARE-SSc, who all enter a year after the trigger, in the arms of the trial in turn."""
    parameters, schedule = care_ssc(0, patients)
    return Task(
        "ssc",
        "(a) The shipped model of systemic sclerosis",
        f"{len(model().states)} states. Two years from the trigger: a year of disease with the drugs taken before, "
        "then the year of CARE-SSc on placebo, one or two infusions of cord cells; visits every three months, then "
        f"those of the trial; the activity of skin and lung changes every {STEP:g} days. "
        f"{parameters.shape[1]} parameters differ between patients.",
        model(),
        parameters,
        schedule,
        CARE_SSC_VISITS,
        explicit=True,
    )


@lru_cache(maxsize=2)
def care_ssc(start: int, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parameters and schedule of candidates `start` to ``start + n - 1``; a candidate is the same in every table."""
    design = _design()
    drawn = draw(shipped_recipe(), design.population, Streams(SEED, 0), start, n)
    people = drawn.people
    screening = ENTRY - design.visits.screening_days_before
    prior = np.maximum(people["first_symptom"], people["prior_start"] - people["referral"] + screening)
    parameters = drawn.parameters.assign(eff=design.effect.msc_effect)
    candidates = Candidates(people.assign(referral=screening, prior_start=prior), parameters, drawn.activity)
    entry = pd.Series(ENTRY, index=people.index)
    parts = [until_referral(candidates, design.population), own_course(candidates, ENTRY + design.visits.last)]
    parts.append(stopped_drugs(candidates, entry))
    arm = (start + np.arange(n)) % len(design.arms)
    parts += [actions(a.regimen, parameters[arm == k], entry=ENTRY) for k, a in enumerate(design.arms)]
    schedule = pd.concat(parts).sort_values(["patient", "time"], kind="stable", ignore_index=True)
    schedule["patient"] = schedule["patient"].astype(int) + start
    own = parameters[[c for c in parameters if c in model().parameters]]
    return own.set_axis(np.arange(start, start + n)), schedule


def stiff36(patients: int) -> Task:
    """Model (b): three intravenous loading doses, then one below the skin every eight weeks, for two years."""
    last = 728.0
    variation = {
        0.08: "nmat p17",
        0.10: "nNe",
        0.20: "k12 sTGt kmat gE",
        0.25: "kint sIL6 sIL12 sIFN sIL10t kd17",
        0.30: "ka kel kon Vm sTNFm sIL23 sIL17 kNe kU kFM",
        0.40: "sCRP",
        0.80: "kada",
    }
    doses = [(t, "C_c") for t in (0.0, 14.0, 42.0)] + [(t, "A_sc") for t in np.arange(98.0, last, 56.0)]
    system = load(MODELS / "stiff36.ant")
    each = pd.DataFrame(doses, columns=["time", "target"]).assign(kind="bolus", amount=90.0)
    schedule = pd.DataFrame({"patient": np.arange(patients)}).merge(each, how="cross")
    return Task(
        "stiff36",
        "(b) A synthetic stiff model",
        "36 states from seconds to years, 25 log-normal parameters, 15 doses and 52 visits in two years; invented for "
        "this purpose.",
        system,
        _log_normal(system, variation, patients),
        schedule,
        np.arange(14.0, last + 1.0, 14.0),
        explicit=True,
    )


def mapk_cascade(patients: int) -> Task:
    """Model (c), first: oscillations of the MAPK cascade for two and a half hours; mild, no actions."""
    system = load(MODELS / "kholodenko2000.ant")
    variation = {0.1: "V1 Ki V2 k3 k4 V5 V6 k7 k8 V9 V10"}
    return Task(
        "kholodenko2000",
        "(c) Kholodenko 2000, MAPK cascade",
        "A published oscillator (doi:10.1046/j.1432-1327.2000.01197.x), 8 states, mild, no actions: 9000 seconds seen "
        "every 300, 11 log-normal parameters with a spread of 10 %.",
        system,
        _log_normal(system, variation, patients),
        empty_schedule(),
        np.arange(300.0, 9001.0, 300.0),
        explicit=True,
    )


def cell_cycle(patients: int) -> Task:
    """Model (c), second: the cell cycle for 100 minutes; very stiff, no actions."""
    system = load(MODELS / "tyson1991.ant")
    variation = {0.1: "k1 k3 k4 k4prime k6 k7"}
    return Task(
        "tyson1991",
        "(c) Tyson 1991, cell division cycle",
        "A published oscillator (doi:10.1073/pnas.88.16.7328), 6 states, very stiff (rates from 1e-2 to 1e6 per "
        "minute), no actions: 100 minutes seen every five, 6 log-normal parameters with a spread of 10 %.",
        system,
        _log_normal(system, variation, patients),
        empty_schedule(),
        np.arange(5.0, 101.0, 5.0),
        explicit=False,
    )


def _log_normal(system: System, variation: Mapping[float, str], patients: int) -> pd.DataFrame:
    """Parameters with the model's value as mean; the names that have each coefficient of variation are given."""
    of = {name: share for share, names in variation.items() for name in names.split()}
    rng = np.random.default_rng(SEED)
    drawn = {}
    for name in sorted(of, key=list(system.parameters).index):
        sd = np.sqrt(np.log1p(of[name] ** 2))
        drawn[name] = system.parameters[name] * np.exp(sd * rng.standard_normal(patients) - 0.5 * sd**2)
    return pd.DataFrame(drawn)


def _segments(rows: pd.DataFrame, visits: Array) -> Iterator[Segment]:
    rows = rows[rows["time"] < visits[-1]]
    starts = np.unique(np.append(rows["time"].to_numpy(dtype=float), 0.0))
    for start, end in zip(starts, [*starts[1:], visits[-1]], strict=True):
        own = rows[rows["time"] == start]
        done = tuple(zip(own["kind"], own["target"], own["amount"].astype(float), strict=True))
        yield Segment(float(start), float(end), done, visits[(visits > start) & (visits <= end)])


def _evaluated(nodes: list[Node], known: Mapping[str, Array]) -> Array:
    """Values of expressions of parameters, (n_patients, n_nodes)."""
    shape = np.shape(next(iter(known.values())))
    values: dict[Node, Any] = {}
    for node in walk(nodes):
        if node.op == "constant":
            values[node] = np.full(shape, node.value)
        elif node.op == "symbol":
            values[node] = known[node.name]
        else:
            values[node] = OPERATIONS[node.op](*(values[a] for a in node.args))
    return np.column_stack([values[n] for n in nodes])


MAKERS: Final[Mapping[str, Callable[[int], Task]]] = {
    "ssc": systemic_sclerosis,
    "stiff36": stiff36,
    "kholodenko2000": mapk_cascade,
    "tyson1991": cell_cycle,
}
"""Makes each task, with the number of patients."""
