"""A run: all replicates of a design, in three scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import pandas as pd

from stromal.compute.executor import run_pieces
from stromal.design.trial import TrialDesign
from stromal.trial.conduct import TrialData
from stromal.trial.replicates import Piece, PieceResult, pieces, run_piece, truth_pieces
from stromal.trial.scenarios import SCENARIOS, Scenario
from stromal.trial.summary import summarise

TRUTH_PATIENTS: Final = 20_000
"""Patients behind the true value of an estimand."""
TRAJECTORY_REPLICATES: Final = 500
"""Courses over the visits are pooled over at most this many replicates; results of tests use all."""
Progress = Callable[[int, int], None]
"""Called with the number of pieces done and of all pieces."""


@final
@dataclass(frozen=True, eq=False)
class TrialResult:
    """What a run of a trial gives.

    Attributes
    ----------
    summary : dict
        As in ``summary.json``.
    replicates : DataFrame
        One row per scenario, replicate and end point.
    failures : DataFrame
        Patients whose simulation failed; empty if none.
    example : mapping of scenario to TrialData
        Replicate 0, patient by patient.
    """

    summary: dict[str, object]
    replicates: pd.DataFrame
    failures: pd.DataFrame
    example: Mapping[Scenario, TrialData]


def plan(design: TrialDesign, replicates: int, seed: int) -> list[Piece]:
    """All pieces of a run, in a fixed order."""
    shown = min(replicates, TRAJECTORY_REPLICATES)
    return [
        *pieces(design, seed, shown),
        *pieces(design, seed, replicates, first=shown, keep_data=False),
        *truth_pieces(design, seed, TRUTH_PATIENTS),
    ]


def run(
    design: TrialDesign,
    *,
    replicates: int,
    seed: int,
    workers: int = 1,
    done: Mapping[int, PieceResult] | None = None,
    keep: Callable[[int, PieceResult], None] | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Simulate a trial many times.

    Parameters
    ----------
    replicates : int
        Number of simulated trials, at least 1.
    workers : int
        Processes; the result does not depend on it.
    done : mapping, optional
        Results of pieces of the same plan that an earlier, interrupted run kept.
    keep : callable, optional
        Called with position and result of each piece when it is done.
    progress : callable, optional

    Returns
    -------
    TrialResult
    """
    todo = plan(design, replicates, seed)
    results: dict[int, PieceResult] = dict(done or {})
    missing = [k for k in range(len(todo)) if k not in results]
    if progress:
        progress(len(results), len(todo))
    for position, result in _run(todo, missing, workers):
        results[position] = result
        if keep:
            keep(position, result)
        if progress:
            progress(len(results), len(todo))
    return _result(design, [results[k] for k in range(len(todo))], replicates, seed)


def _run(todo: Sequence[Piece], missing: Sequence[int], workers: int) -> Iterator[tuple[int, PieceResult]]:
    for position, result in run_pieces(run_piece, [todo[k] for k in missing], workers):
        yield missing[position], result


def _result(design: TrialDesign, results: Sequence[PieceResult], replicates: int, seed: int) -> TrialResult:
    estimates = pd.concat([r.estimates for r in results], ignore_index=True)
    failures = pd.concat([r.failures for r in results], ignore_index=True)
    truth = pd.concat([r.truth for r in results], ignore_index=True)
    screened = pd.concat([r.screened for r in results if not r.is_truth])
    data: dict[Scenario, list[TrialData]] = {s: [r.data[s] for r in results if r.data] for s in SCENARIOS}
    example = {s: _first_replicate(parts[0]) for s, parts in data.items()}
    summary = summarise(design, replicates, seed, estimates, truth, screened, failures, data)
    return TrialResult(summary, estimates, failures, example)


def _first_replicate(data: TrialData) -> TrialData:
    return data.take((data.patients["replicate"] == data.patients["replicate"].min()).to_numpy())
