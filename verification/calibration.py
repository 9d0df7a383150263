"""Simulation-based calibration of the calibration, and refits by direct simulation.

`python verification/calibration.py [literatures] [refits]`; exit status 1 if ranks are not uniform or a refit differs.

1. Literatures (200) are drawn from the model and learned again on the emulators; the rank of the truth among draws of
   its posterior must be uniform for each learned number (chi-square of ten bins; of 16 numbers a p-value below
   0.05/16 is expected once in twenty runs).
2. Five of them are learned again without an emulator: every draw of their posterior is simulated directly and weighted
   by how probable its own results make the literature (importance sampling). Means must agree within the spread of the
   posterior and the noise of the weights. Twenty minutes and six minutes for each refit, on two cores.

Writes `docs/figures/calibration-ranks.svg`.
"""

import multiprocessing
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from stromal.calibration.artefact import read_literature
from stromal.calibration.exploring import collected, pieces, run_piece
from stromal.calibration.fitting import draw_posterior, shipped_observations
from stromal.calibration.learned import as_draws, names
from stromal.calibration.likelihood import Literature, LogPosterior
from stromal.calibration.selfcheck import BINS, DRAWS, direct_log_density, ranks, synthetic, uniformity
from stromal.compute.executor import processors, run_pieces
from stromal.report.drawing import HUES, saved, style

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "calibration-ranks.svg"
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


def ranks_are_uniform(literatures: int) -> bool:
    """Ranks of many literatures: a table, a figure, and whether they are compatible with uniform ones."""
    with multiprocessing.get_context("spawn").Pool(processors()) as pool:
        table = np.stack(list(pool.imap(one, range(literatures))))
    p = uniformity(table)
    for name, value in zip(names(), p, strict=True):
        print(f"{name:18s} p = {value:.3f}")
    FIGURE.write_bytes(rank_figure(table))
    uniform = bool((p >= ALARM / len(p)).all())
    print(f"ranks of {literatures} literatures: {'compatible with uniform' if uniform else 'NOT uniform'}", flush=True)
    return uniform


def rank_figure(table: np.ndarray) -> bytes:
    """One histogram of ranks per number learned, with the band that holds 95 % of counts if ranks are uniform."""
    low, high = binom.ppf([0.025, 0.975], len(table), 1.0 / BINS)
    with style():
        figure = Figure(figsize=(7.2, 6.0), layout="constrained")
        for axes, name, own in zip(figure.subplots(4, 4, sharex=True, sharey=True).flat, names(), table.T, strict=True):
            axes.axhspan(low, high, color="#e3e4e6")
            axes.hist(own, bins=np.linspace(0, DRAWS + 1, BINS + 1), color=HUES[1])
            axes.set_title(name.replace("_", " "))
        figure.supxlabel("rank of the truth among the draws of its posterior", fontsize=8)
        figure.supylabel("literatures", fontsize=8)
        return saved(figure, "svg")


def refits_agree(refits: int) -> bool:
    """Whether posteriors on the emulators are those of direct simulation."""
    agree = True
    for number in range(refits):
        shift, effective = refit(number)
        worst, largest = names()[int(np.abs(shift).argmax())], float(np.abs(shift).max())
        print(
            f"refit {number}: {effective:.0f} of {REFIT_DRAWS} draws, largest shift {largest:.2f} SD ({worst})",
            flush=True,
        )
        agree &= largest <= LARGEST_SHIFT
    return agree


def main() -> int:
    """Run both checks and print what was found."""
    literatures = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    refits = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    uniform = ranks_are_uniform(literatures) if literatures else True
    return int(not (refits_agree(refits) and uniform))


if __name__ == "__main__":
    sys.exit(main())
