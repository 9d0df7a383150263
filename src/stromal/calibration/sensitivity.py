"""What the results of a trial of cells depend on, and what to measure first.

What is learned and what cells are held to do are moved one at a time along trajectories through their ranges (Morris
1991, doi:10.1080/00401706.1991.10484804; mean absolute effects: Campolongo 2007, doi:10.1016/j.envsoft.2006.10.004).
The same patients, with the same random numbers, are followed at every point with and without one infusion of cord
cells. An effect is the change of a result when a factor goes through its whole range, so a wide range makes it large:
it says what is worth narrowing, not what is true. True values of everybody are looked at, whether alive or not, so that
nothing here answers to the hazard of death.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from SALib.analyze import morris as morris_analysis
from SALib.sample import morris as morris_sample

from stromal.calibration.sensitivity_cohort import RESULTS, FixedCohort, fixed_cohort, results_at
from stromal.calibration.sensitivity_factors import MEASUREMENTS, Factor, all_factors
from stromal.compute.errors import InputError
from stromal.compute.executor import run_pieces
from stromal.compute.randomness import stream_key

Array = NDArray[np.float64]
LEVELS: Final = 4
RESAMPLES: Final = 1000
PATIENTS: Final = 150
TRAJECTORIES: Final = 20


@final
@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What each result depends on.

    Attributes
    ----------
    table : DataFrame
        Columns factor, label, result, mu_star, mu_star_conf (half the width of the 95 % bootstrap interval), sigma, mu;
        effects of the whole range, in the unit of the result (see `RESULTS`).
    factors : tuple of Factor
    points : DataFrame
        Values of the factors and the results at every point, by trajectory.
    seed, trajectories, patients : int
    failures : int
        Courses that could not be solved; those patients are left out at their point.
    """

    table: pd.DataFrame
    factors: tuple[Factor, ...]
    points: pd.DataFrame
    seed: int
    trajectories: int
    patients: int
    failures: int

    def report(self) -> str:
        """Prose."""
        named = {f.name: f.label for f in self.factors}
        design = (
            f"{len(self.factors)} factors were moved one at a time along {self.trajectories} trajectories "
            f"({len(self.points)} points), {self.patients} early diffuse patients each, with and without one infusion "
            "of 1e6 cord cells per kg. Effects are those of the whole range of a factor."
        )
        parts = [design]
        for result, meaning in RESULTS.items():
            rows = self.table[self.table["result"] == result].sort_values("mu_star", ascending=False, kind="stable")
            top = rows.head(3)[["factor", "mu_star", "mu_star_conf"]].itertuples(index=False)
            first = "; ".join(f"{named[name]} {effect:.2f} (± {error:.2f})" for name, effect, error in top)
            mean, low, high = (float(f(self.points[result])) for f in (np.mean, np.min, np.max))
            parts.append(
                f"{meaning[0].upper()}{meaning[1:]}: mean over the points {mean:.2f} ({low:.2f} to {high:.2f}). "
                f"It depends most on: {first}."
            )
        widest = what_to_measure(self).iloc[0]
        parts.append(
            f"What cells add to the skin score would be narrowed most by: {widest['measurement']} "
            f"({widest['factor']}, {widest['label']}: {widest['share']:.0%} of the sum of effects). Factors whose "
            "intervals overlap are not told apart, and the order follows the widths of ranges that are mostly assumed."
        )
        if self.failures:
            parts.append(f"{self.failures} courses could not be solved and were left out.")
        return "\n\n".join(parts)


def sensitivity(
    seed: int = 1,
    trajectories: int = TRAJECTORIES,
    workers: int = 1,
    *,
    factors: Sequence[Factor] | None = None,
    patients: int = PATIENTS,
) -> Sensitivity:
    """Elementary effects of the factors on `RESULTS`; the same for any number of workers.

    Parameters
    ----------
    seed : int
        Of trajectories, patients and bootstrap.
    trajectories : int
        At least 2.
    factors : sequence of Factor, optional
        At least 2; all of `all_factors` unless given. The others stay at their base.
    patients : int
        Size of the cohort: the first eligible ones at the medians of the priors.

    Raises
    ------
    InputError
        Fewer than two trajectories or factors: there would be no spread of effects.
    """
    chosen = tuple(all_factors() if factors is None else factors)
    for what, count in (("trajectories", trajectories), ("factors", len(chosen))):
        if count < 2:
            raise InputError(f"too few {what}", place=what, value=count, remedy="2 or more")
    shares = unit_trajectories([f.name for f in chosen], trajectories, seed)
    points = pd.DataFrame({f.name: f.value(shares[:, k]) for k, f in enumerate(chosen)})
    cohort = fixed_cohort(seed, patients)
    blocks = np.split(np.arange(len(points)), trajectories)
    todo = [_Piece(points.iloc[rows].reset_index(drop=True), cohort) for rows in blocks]
    done = dict(run_pieces(_run, todo, workers))
    results = pd.concat([done[k][0] for k in range(trajectories)], ignore_index=True)
    table = pd.concat(
        [elementary_effects(points.columns, shares, results[r].to_numpy(), seed).assign(result=r) for r in RESULTS],
        ignore_index=True,
    )
    table["label"] = table["factor"].map({f.name: f.label for f in chosen})
    table = table[["factor", "label", "result", "mu_star", "mu_star_conf", "sigma", "mu"]]
    failures = sum(done[k][1] for k in range(trajectories))
    return Sensitivity(table, chosen, pd.concat([points, results], axis=1), seed, trajectories, patients, failures)


def what_to_measure(result: Sensitivity) -> pd.DataFrame:
    """Factors by their effect on what cells add to the skin score, and what would narrow each.

    Returns
    -------
    DataFrame
        From the strongest: factor, label, low, high, unit, mu_star, mu_star_conf, mu, share (of the sum of `mu_star`),
        share_conf (`mu_star_conf` over the same sum), measurement.
    """
    own = result.table[result.table["result"] == "mrss_difference"].drop(columns=["result", "sigma"])
    ranges = pd.DataFrame({"factor": f.name, "low": f.low, "high": f.high, "unit": f.unit} for f in result.factors)
    own = own.merge(ranges, on="factor").sort_values("mu_star", ascending=False, kind="stable", ignore_index=True)
    total = float(own["mu_star"].sum()) or 1.0
    own["share"], own["share_conf"] = own["mu_star"] / total, own["mu_star_conf"] / total
    own["measurement"] = own["factor"].map(MEASUREMENTS)
    columns = ["factor", "label", "low", "high", "unit", "mu_star", "mu_star_conf", "mu", "share", "share_conf"]
    return own[[*columns, "measurement"]]


def unit_trajectories(names: Sequence[str], trajectories: int, seed: int) -> Array:
    """Points of Morris' trajectories as shares of the ranges, (trajectories * (n_factors + 1), n_factors)."""
    key = stream_key(seed, 0, "sensitivity: trajectories", 0)
    return np.asarray(morris_sample.sample(_problem(names), trajectories, num_levels=LEVELS, seed=key))


def elementary_effects(names: Sequence[str], shares: Array, results: Array, seed: int) -> pd.DataFrame:
    """Columns factor, mu_star, mu_star_conf, sigma, mu of one result.

    Parameters
    ----------
    shares : (n_points, n_factors)
        As of `unit_trajectories`.
    results : (n_points,)
    """
    key = stream_key(seed, 0, "sensitivity: bootstrap", 0)
    found = morris_analysis.analyze(
        _problem(names), shares, results, num_resamples=RESAMPLES, num_levels=LEVELS, seed=key
    )
    columns = {k: np.asarray(found[k], dtype=float) for k in ("mu_star", "mu_star_conf", "sigma", "mu")}
    return pd.DataFrame({"factor": list(names), **columns})


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


@final
@dataclass(frozen=True, eq=False)
class _Piece:
    """The points of one trajectory."""

    points: pd.DataFrame
    cohort: FixedCohort


def _run(piece: _Piece) -> tuple[pd.DataFrame, int]:
    return results_at(piece.points, piece.cohort)
