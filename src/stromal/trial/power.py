"""Operating characteristics over sample sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from stromal.compute.errors import InputError
from stromal.compute.executor import run_pieces
from stromal.design.trial import TrialDesign
from stromal.trial.operating import PROBABILITIES, endpoint_summaries
from stromal.trial.replicates import pieces, run_piece


def power_table(
    design: TrialDesign,
    sizes: Sequence[int],
    *,
    replicates: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Type-I error, power and probability of success for each sample size and end point with a contrast.

    All sizes share their random numbers: the first patients of a larger trial are those of a smaller one.

    Parameters
    ----------
    sizes : sequence of int
        Randomised patients over all arms.

    Returns
    -------
    DataFrame
        Columns size, endpoint, role, effect_mean, effect_sd, and each probability with its Monte Carlo error.

    Raises
    ------
    InputError
        A size below the number of arms.
    """
    too_small = [n for n in sizes if n < len(design.arms)]
    if too_small or not sizes:
        raise InputError("too few patients", place="--sizes", value=list(sizes), remedy="e.g. 20,40,80")
    designs = {n: design.model_copy(update={"sample_size": n}) for n in sizes}
    todo = [p for d in designs.values() for p in pieces(d, seed, replicates, keep_data=False)]
    estimates: dict[int, list[pd.DataFrame]] = {n: [] for n in sizes}
    results = {}
    for position, result in run_pieces(run_piece, todo, workers):
        results[position] = result
        if progress:
            progress(len(results), len(todo))
    for position, piece in enumerate(todo):
        estimates[piece.design.sample_size].append(results[position].estimates)
    rows = [
        {"size": n, **{k: v for k, v in entry.items() if k in _COLUMNS}}
        for n, d in designs.items()
        for entry in endpoint_summaries(d, pd.concat(estimates[n], ignore_index=True), pd.DataFrame())
        if entry["power"] is not None
    ]
    return pd.DataFrame(rows)


_COLUMNS = (
    *("endpoint", "role", "effect_mean", "effect_sd"),
    *PROBABILITIES,
    *(f"{name}_mcse" for name in PROBABILITIES),
)
