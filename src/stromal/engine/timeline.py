"""What happens to each patient and when: actions of a schedule and records of outputs, in one sorted list."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.compute.errors import InputErrors
from stromal.compute.findings import Finding
from stromal.engine.system import System

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RECORD: Final = 0
KINDS: Final = {"bolus": 1, "scale": 2, "rate": 3, "set": 4}
COLUMNS: Final = ("patient", "time", "kind", "target", "amount")


@final
@dataclass(frozen=True)
class Timeline:
    """Items of all patients, sorted by patient, time and order of application.

    Attributes
    ----------
    first, last : (n_patients,)
        The items of patient i are ``first[i]`` to ``last[i] - 1``.
    time, kind, target, amount : (n_items,)
        `kind` is `RECORD` or a value of `KINDS`; `target` the column of a record, the state of a bolus, scale or
        rate, the slot of a set.
    slots : tuple of str
        Parameters that the schedule sets.
    """

    first: Ints
    last: Ints
    time: Floats
    kind: Ints
    target: Ints
    amount: Floats
    slots: tuple[str, ...]


def empty_schedule() -> pd.DataFrame:
    """A schedule without actions."""
    return pd.DataFrame(
        {"patient": [], "time": [], "kind": [], "target": [], "amount": []},
    ).astype({"time": float, "kind": str, "target": str, "amount": float})


def build(
    system: System,
    patients: Sequence[Hashable],
    schedule: pd.DataFrame,
    output_times: Floats,
    start: Floats,
    side: Literal["before", "after"],
    slots: Sequence[str] = (),
) -> Timeline:
    """Sort a schedule and the output times of all patients.

    Parameters
    ----------
    output_times : (n_patients, n_times)
        [time unit of the model]; NaN means no record.
    start : (n_patients,)
        Where each patient's solve begins; nothing may lie before it.
    side : {"before", "after"}
        Whether a record sees the state before or after the actions of the same time.
    slots : sequence of str
        Slots that exist already, from an earlier part of the same solve.

    Raises
    ------
    InputErrors
        Columns are missing; unknown patient, kind or target; a time (of an action or a record) or amount
        that is not finite, or that lies before the start.
    """
    missing = [c for c in COLUMNS if c not in schedule]
    if missing:
        remedy = f"the columns {', '.join(COLUMNS)}"
        raise InputErrors([Finding("error", "schedule", f"columns {missing} are missing", remedy)])
    schedule = schedule.astype({"kind": "category", "target": "category"})  # few different words in many rows
    rows = pd.Index(patients).get_indexer(pd.Index(schedule["patient"]))
    faults = [*_output_faults(output_times, start), *_faults(system, schedule, rows, start)]
    if faults:
        raise InputErrors(faults)
    all_slots = tuple(dict.fromkeys((*slots, *schedule.loc[schedule["kind"] == "set", "target"])))
    kinds = _positions(schedule["kind"], tuple(KINDS), tuple(KINDS.values()))
    in_slots, in_states = (_positions(schedule["target"], n, range(len(n))) for n in (all_slots, system.states))
    targets = np.where(kinds == KINDS["set"], in_slots, in_states)
    recorded = np.nonzero(~np.isnan(output_times))
    patient = np.concatenate([recorded[0], rows])
    time = np.concatenate([output_times[recorded], schedule["time"].to_numpy(dtype=float)])
    kind = np.concatenate([np.full(len(recorded[0]), RECORD), kinds])
    target = np.concatenate([recorded[1], targets])
    amount = np.concatenate([np.zeros(len(recorded[0])), schedule["amount"].to_numpy(dtype=float)])
    late = (kind == RECORD) == (side == "after")
    order = np.lexsort((np.arange(len(time)), late, time, patient))
    counts = np.bincount(patient, minlength=len(patients))
    last = np.cumsum(counts)
    return Timeline(last - counts, last, time[order], kind[order], target[order], amount[order], all_slots)


def _positions(words: pd.Series, known: Sequence[str], numbers: Sequence[int]) -> Ints:
    """For each of `words` (categories) the number of that word of `known`; -1 for others."""
    given = dict(zip(known, numbers, strict=True))
    of_category = np.array([given.get(c, -1) for c in words.cat.categories], dtype=np.int64)
    found: Ints = of_category[words.cat.codes.to_numpy()]
    return found


def _output_faults(times: Floats, start: Floats) -> list[Finding]:
    wrong = np.argwhere(np.isinf(times) | (times < start[:, None]))[:5]
    remedy = "a finite time not before the start of the solve, or NaN for no output"
    return [Finding("error", f"output_times[{i}, {k}]", f"{times[i, k]} cannot be used", remedy) for i, k in wrong]


def _faults(system: System, schedule: pd.DataFrame, rows: Ints, start: Floats) -> list[Finding]:
    faults = []
    times = schedule["time"].to_numpy(dtype=float)
    amounts = schedule["amount"].to_numpy(dtype=float)
    begins = np.where(rows >= 0, start[np.maximum(rows, 0)] if len(start) else 0.0, -np.inf)
    checks: tuple[tuple[NDArray[np.bool_], str, str], ...] = (
        (rows < 0, "patient", "a patient of the parameter table"),
        (~schedule["kind"].isin(list(KINDS)).to_numpy(dtype=bool), "kind", f"one of {', '.join(KINDS)}"),
        (~np.isfinite(times), "time", "a finite time"),
        (~np.isfinite(amounts), "amount", "a finite amount"),
        (times < begins, "time", "a time not before the start of the solve"),
        (
            ~np.where(
                schedule["kind"] == "set",
                schedule["target"].isin(list(system.parameters)),
                schedule["target"].isin(system.states),
            ).astype(bool),
            "target",
            "a state of the model (bolus, scale, rate) or a parameter (set)",
        ),
    )
    for wrong, column, remedy in checks:
        for row in np.nonzero(wrong)[0][:5]:
            value = schedule[column].iloc[row]
            faults.append(Finding("error", f"schedule row {row}, {column}", f"{value!r} cannot be used", remedy))
    return faults
