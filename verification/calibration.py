"""Simulation-based calibration of the calibration, and refits by direct simulation.

`python verification/calibration.py [literatures] [refits]`; exit status 1 if ranks are not uniform or a refit differs.

1. Literatures (200) are drawn from the model and learned again on the emulators; the rank of the truth among draws of
   its posterior must be uniform for each learned number (chi-square of ten bins; of 16 numbers a p-value below
   0.05/16 is expected once in twenty runs).
2. Five of them are learned again without an emulator: every draw of their posterior is simulated directly and weighted
   by how probable its own results make the literature (importance sampling). Means must agree within the spread of the
   posterior and the noise of the weights. About a minute for each literature, ten minutes for each refit, on two cores.
"""

import multiprocessing
import sys

import numpy as np

from stromal.calibration.artefact import read_literature
from stromal.calibration.exploring import collected, pieces, run_piece
from stromal.calibration.fitting import draw_posterior, shipped_observations
from stromal.calibration.learned import as_draws
from stromal.calibration.learned import names as learned_names
from stromal.calibration.likelihood import Literature, LogPosterior
from stromal.calibration.selfcheck import direct_log_density, ranks, synthetic, uniformity
from stromal.compute.executor import processors, run_pieces

SEED = 20
ALARM = 0.05
REFIT_DRAWS = 64
REFIT_PATIENTS = 64
LARGEST_SHIFT = 0.5
"""Means of a refit may differ by this many SD of the posterior: with few dozen effective draws the noise is a sixth."""


def one(number: int) -> np.ndarray:
    """Ranks of one literature."""
    return ranks(_literature(), SEED, number)


def refit(number: int) -> tuple[np.ndarray, float]:
    """Shift of the posterior mean [SD] when each draw is simulated directly, and the effective number of draws."""
    literature = _literature()
    made = synthetic(literature, SEED, number)
    density = LogPosterior(literature, y=made.y, log_sd=made.log_sd)
    drawn = draw_posterior(density, REFIT_DRAWS, SEED, f"refit {number}", steps=1500)
    _, studies, _ = shipped_observations()
    points = as_draws(drawn.draws, np.zeros(1))
    todo = pieces(studies, points, SEED + number, 0, REFIT_PATIENTS)
    results = dict(run_pieces(run_piece, todo, processors()))
    explored = collected(todo, [results[k] for k in range(len(todo))], literature.hyperparameters)
    log_weight = direct_log_density(explored, literature, drawn.draws, made) - density(drawn.draws)
    weights = np.exp(log_weight - log_weight.max())
    weights /= weights.sum()
    mean, sd = drawn.draws.mean(axis=0), drawn.draws.std(axis=0)
    return (weights @ drawn.draws - mean) / sd, float(1.0 / np.sum(weights**2))


def _literature() -> Literature:
    _, _, table = shipped_observations()
    return read_literature(table)


def main() -> int:
    """Run both checks and print what was found."""
    literatures = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    refits = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    names = learned_names()
    with multiprocessing.get_context("spawn").Pool(processors()) as pool:
        table = np.stack(list(pool.imap(one, range(literatures))))
    p = uniformity(table)
    for name, value in zip(names, p, strict=True):
        print(f"{name:18s} p = {value:.3f}")
    bad = bool((p < ALARM / len(names)).any())
    print(f"ranks of {literatures} literatures: {'NOT uniform' if bad else 'compatible with uniform'}")
    for number in range(refits):
        shift, effective = refit(number)
        worst = names[int(np.abs(shift).argmax())]
        largest = np.abs(shift).max()
        print(f"refit {number}: {effective:.0f} of {REFIT_DRAWS} draws, largest shift {largest:.2f} SD ({worst})")
        bad |= bool(np.abs(shift).max() > LARGEST_SHIFT)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
