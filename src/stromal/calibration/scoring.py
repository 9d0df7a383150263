"""How good a prediction of published arms was: proper scores, coverage, and the difference of two predictions.

Arms of one trial share protocol, centres and period, so whatever is counted over arms is judged by trial. Scores are in
the unit of the observation (mRSS points, FVC % predicted) and smaller is better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.special import expit, logit, ndtr

from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.evidence.pooling.inputs import Array, check_level, numbers, refuse

MINIMUM_TRIALS: Final = 8
"""With 8 trials of 1 to 4 rows the interval around a coverage of 80% already spans half of the range (0.44 to 0.63 in
simulations, as the correlation within trials goes from 0 to 0.8); with fewer hardly any prediction could be found
wrong."""
CONFIDENCE: Final = 0.95
"""Confidence of the intervals of `coverage` and `paired_difference`, whatever the level that is judged."""
_RESAMPLING: Final = "calibration: trials of a paired difference"


@final
@dataclass(frozen=True)
class Coverage:
    """How often prediction intervals held the observation.

    Attributes
    ----------
    share : float
        Share of rows inside.
    low, high : float
        95 % confidence interval of that share, between 0 and 1.
    trials, n : int
        Trials and rows.
    compatible : bool
        Whether the nominal level lies in the interval. With few trials nearly every level does: ask `assessable` first.
    """

    share: float
    low: float
    high: float
    trials: int
    n: int
    compatible: bool


@final
@dataclass(frozen=True)
class Difference:
    """How much worse the first of two predictions of the same rows scored.

    Attributes
    ----------
    mean : float
        Mean over rows of the first score less the second [unit of the score]; negative where the first is better.
    low, high : float
        Its 95 % interval; NaN with fewer than two trials.
    trials : int
    """

    mean: float
    low: float
    high: float
    trials: int


def crps_normal(mean: npt.ArrayLike, sd: npt.ArrayLike, observed: npt.ArrayLike) -> Array:
    """Continuous ranked probability score of a normal prediction.

    Parameters
    ----------
    mean, sd, observed : (...)
        Of one unit; broadcast against each other.

    Returns
    -------
    (...)
        Score [unit of the observation]; the absolute error where `sd` is 0, NaN where an input is NaN.

    Raises
    ------
    InputError
        A negative SD.

    Notes
    -----
    ``sd (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi))`` with ``z = (observed - mean)/sd``: Gneiting and Raftery 2007,
    doi:10.1198/016214506000001437.
    """
    error, spread = _error_and_spread(mean, sd, observed)
    z = _standardised(error, spread)
    density = np.exp(-0.5 * np.minimum(np.abs(z), _FLAT) ** 2) / math.sqrt(2.0 * math.pi)
    return np.asarray(error * (2.0 * ndtr(z) - 1.0) + spread * (2.0 * density - 1.0 / math.sqrt(math.pi)))


def crps_sample(sample: npt.ArrayLike, observed: npt.ArrayLike) -> Array:
    """Continuous ranked probability score of a prediction that is known by draws.

    Parameters
    ----------
    sample : (n_draws, ...)
        Independent draws of the prediction, at least two.
    observed : (...)

    Returns
    -------
    (...)
        Fair estimate [unit of the observation]: its expectation is the score of the distribution drawn from, however
        few the draws, so a single value may be negative. NaN where an input is NaN.

    Raises
    ------
    InputError
        Fewer than two draws, or shapes that do not agree.

    Notes
    -----
    ``mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 m (m - 1))`` for m draws: Ferro 2014, doi:10.1002/qj.2270. The double
    sum is taken over the sorted draws.
    """
    draws, truth = np.asarray(sample, dtype=float), np.asarray(observed, dtype=float)
    m = draws.shape[0] if draws.ndim else 0
    if m < 2:
        raise InputError("too few draws", place="sample", value=m, remedy="at least two draws along the first axis")
    if draws.shape[1:] != truth.shape:
        remedy = f"one observation per column of the sample: {draws.shape[1:]}"
        raise InputError("sample and observations differ in shape", place="observed", value=truth.shape, remedy=remedy)
    error = np.sort(draws - truth, axis=0)
    rank = np.arange(1 - m, m, 2, dtype=float) / (m * (m - 1))
    return np.asarray(np.abs(error).mean(axis=0) - np.tensordot(rank, error, axes=1))


def interval_score(low: npt.ArrayLike, high: npt.ArrayLike, observed: npt.ArrayLike, level: float) -> Array:
    """Score of a central prediction interval: its width, and a fine for missing.

    Parameters
    ----------
    low, high, observed : (...)
        Of one unit; broadcast against each other.
    level : float
        Nominal coverage of the interval, such as 0.9.

    Returns
    -------
    (...)
        Score [unit of the observation]; NaN where an input is NaN.

    Raises
    ------
    InputError
        A lower limit above the upper one, or a level outside (0, 1).

    Notes
    -----
    Each unit by which the observation is missed costs ``2/(1 - level)``: Gneiting and Raftery 2007,
    doi:10.1198/016214506000001437.
    """
    check_level(level)
    below, above, truth = _limits(low, high, observed)
    missed = np.maximum(below - truth, 0.0) + np.maximum(truth - above, 0.0)
    return np.asarray(above - below + 2.0 / (1.0 - level) * missed)


def inside(low: npt.ArrayLike, high: npt.ArrayLike, observed: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether each interval holds its observation.

    Parameters
    ----------
    low, high, observed : (...)
        Of one unit; broadcast against each other.

    Returns
    -------
    (...)
        A limit belongs to its interval.

    Raises
    ------
    InputError
        A lower limit above the upper one, or a missing value: neither inside nor outside would be true.
    """
    below, above, truth = _limits(low, high, observed)
    if (np.isnan(below) | np.isnan(above) | np.isnan(truth)).any():
        raise InputError("a limit or an observation is missing", remedy="only rows that have all three")
    return np.asarray((below <= truth) & (truth <= above))


def pit_normal(mean: npt.ArrayLike, sd: npt.ArrayLike, observed: npt.ArrayLike) -> Array:
    """Probability integral transform of a normal prediction: uniform on (0, 1) where predictions are calibrated.

    Parameters
    ----------
    mean, sd, observed : (...)
        Of one unit; broadcast against each other.

    Returns
    -------
    (...)
        Predicted probability of a value up to the one observed. With `sd` 0 it is 0 below the mean, 1 above and 0.5
        (the middle of the jump) at it; NaN where an input is NaN.

    Raises
    ------
    InputError
        A negative SD.

    Notes
    -----
    Gneiting, Balabdaoui and Raftery 2007, J R Stat Soc B 69:243-268.
    """
    return np.asarray(ndtr(_standardised(*_error_and_spread(mean, sd, observed))))


def coverage(inside_flags: npt.ArrayLike, trial_labels: Iterable[object], level: float) -> Coverage:
    """Share of rows inside their intervals, with a confidence interval that knows which rows share a trial.

    Parameters
    ----------
    inside_flags : (n,)
        Whether each row was inside.
    trial_labels : (n,)
        Trial of each row; compared as text.
    level : float
        Nominal coverage of the intervals judged.

    Returns
    -------
    Coverage
        With one trial that has rows inside and outside nothing is known about other trials, so the interval is 0 to 1.

    Raises
    ------
    InputError
        No row, flags that are not true or false, another number of labels, a missing label, or a level outside (0, 1).

    Notes
    -----
    The share is a ratio estimator, rows inside over rows. Its variance is the jackknife over the k trials around the
    full estimate (MacKinnon, Nielsen and Webb 2023, arXiv:2301.04527, there CV3), and not below that of independent
    rows, as few trials may agree by chance. The interval is taken on the logit scale with Student's t of k - 1 degrees
    of freedom: on the scale of the share it is too short where most rows are inside, as a test shows. Where all or no
    rows are inside there is no spread to estimate, and the interval is that of Clopper and Pearson (Biometrika 1934;
    26:404-413) with the number of trials as sample size, as if the rows of a trial were one. In simulated sets of 4 to
    20 trials of 1 to 4 rows the interval held a true share of 50 to 95 % in 95 % of sets or more; with trials of very
    different size that is not known.
    """
    check_level(level)
    flags = _flags(inside_flags)
    codes, trials = _by_trial(trial_labels, len(flags))
    held, rows = (np.asarray(np.bincount(codes, weights=w), dtype=float) for w in (flags, np.ones(len(flags))))
    share = float(held.sum() / rows.sum())
    low, high = _clustered(held, rows, share)
    return Coverage(share, low, high, trials, len(flags), compatible=low <= level <= high)


def paired_difference(
    scores_a: npt.ArrayLike, scores_b: npt.ArrayLike, trial_labels: Iterable[object], seed: int, draws: int = 4000
) -> Difference:
    """How much worse prediction a scored than prediction b on the same rows.

    Parameters
    ----------
    scores_a, scores_b : (n,)
        Scores of the same rows, of one unit.
    trial_labels : (n,)
        Trial of each row; compared as text.
    seed : int
        Of the run.
    draws : int
        Bootstrap samples.

    Returns
    -------
    Difference
        With the percentile interval of a bootstrap that draws whole trials; NaN limits with fewer than two trials.

    Raises
    ------
    InputError
        No row, lists of different length, a missing or infinite score, a missing label, or no draw.

    Notes
    -----
    Whole clusters are drawn with replacement: Deen and de Rooij 2020, doi:10.3758/s13428-019-01252-y. The draws are
    keyed by the seed, and trials are taken in the order of their labels, so the order of rows does not matter.
    Percentile limits are too narrow with few trials: their spread lacks a factor of about ``sqrt(k/(k - 1))``, and
    nothing stands for the wider quantile of Student's t.
    """
    first, second = numbers(scores_a, "scores_a"), numbers(scores_b, "scores_b")
    if len(first) != len(second):
        raise InputError("not the same rows", place="scores_b", value=len(second), remedy=f"{len(first)} scores")
    for scores, place in ((first, "scores_a"), (second, "scores_b")):
        refuse(~np.isfinite(scores), "a score is missing or infinite", place, scores, "only rows with both scores")
    if draws < 1:
        raise InputError("no bootstrap sample", place="draws", value=draws, remedy="a positive number, such as 4000")
    difference = first - second
    codes, trials = _by_trial(trial_labels, len(difference))
    mean = float(difference.mean())
    if trials < 2:
        return Difference(mean, math.nan, math.nan, trials)
    total, rows = np.bincount(codes, weights=difference), np.bincount(codes)
    uniform = Streams(seed, 0).uniform(_RESAMPLING, draws * trials).reshape(draws, trials)
    drawn = (uniform * trials).astype(np.intp)
    means = total[drawn].sum(axis=1) / rows[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0])
    return Difference(mean, float(low), float(high), trials)


def assessable(trial_labels: Iterable[object]) -> bool:
    """Whether there are enough different trials, `MINIMUM_TRIALS`, to judge calibration; no label gives False.

    Raises
    ------
    InputError
        A missing label.
    """
    labels = list(trial_labels)
    return bool(labels) and _by_trial(labels, len(labels))[1] >= MINIMUM_TRIALS


_FLAT: Final = 40.0
"""SDs beyond which the normal density is 0 in double precision."""


def _error_and_spread(mean: npt.ArrayLike, sd: npt.ArrayLike, observed: npt.ArrayLike) -> tuple[Array, Array]:
    """Observed less predicted, and SD, of one shape."""
    centre, spread, truth = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (mean, sd, observed)))
    if (spread < 0.0).any():
        raise InputError("a negative SD", place="sd", value=float(spread.min()), remedy="0 or a positive number")
    return np.asarray(truth - centre), np.asarray(spread)


def _standardised(error: Array, spread: Array) -> Array:
    """Error in SDs; without spread it is 0 or infinite."""
    without = np.where(error == 0.0, 0.0, np.copysign(np.inf, error))
    with np.errstate(over="ignore"):
        z = np.divide(error, spread, out=without, where=spread != 0.0)
    return np.asarray(np.where(np.isnan(error), np.nan, z))


def _limits(low: npt.ArrayLike, high: npt.ArrayLike, observed: npt.ArrayLike) -> tuple[Array, Array, Array]:
    below, above, truth = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (low, high, observed)))
    if (below > above).any():
        value = float(below[below > above].flat[0])
        raise InputError("a lower limit above the upper one", place="low", value=value, remedy="low, then high")
    return np.asarray(below), np.asarray(above), np.asarray(truth)


def _flags(inside_flags: npt.ArrayLike) -> Array:
    flags = numbers(inside_flags, "inside_flags")
    refuse(~np.isin(flags, (0.0, 1.0)), "neither true nor false", "inside_flags", flags, "true or false")
    return flags


def _by_trial(trial_labels: Iterable[object], n: int) -> tuple[npt.NDArray[np.intp], int]:
    """Number of each row's trial in the order of the labels, and how many trials there are."""
    labels = pd.Series(list(trial_labels), dtype=object)
    if n < 1:
        raise InputError("there is no row", place="trial_labels", value=n, remedy="at least one row")
    if len(labels) != n:
        raise InputError("not one trial per row", place="trial_labels", value=len(labels), remedy=f"{n} labels")
    if labels.isna().any():
        at = int(labels.isna().to_numpy().argmax())
        raise InputError("a row without trial", place=f"trial_labels[{at}]", remedy="the name of its trial")
    names, codes = np.unique(labels.astype(str).to_numpy(dtype=str), return_inverse=True)
    return codes, len(names)


def _clustered(held: Array, rows: Array, share: float) -> tuple[float, float]:
    """95 % interval of the share `held.sum()/rows.sum()` of trials with `held` of `rows` inside."""
    trials, tail = len(rows), (1.0 - CONFIDENCE) / 2.0
    if share == 0.0:
        return 0.0, float(-math.expm1(math.log(tail) / trials))
    if share == 1.0:
        return float(tail ** (1.0 / trials)), 1.0
    if trials < 2:
        return 0.0, 1.0
    without = (held.sum() - held) / (rows.sum() - rows)
    independent = share * (1.0 - share) / float(rows.sum())
    variance = max(independent, (trials - 1) / trials * float(((without - share) ** 2).sum()))
    reach = float(stats.t.isf(tail, trials - 1)) * math.sqrt(variance) / (share * (1.0 - share))
    centre = float(logit(share))
    return float(expit(centre - reach)), float(expit(centre + reach))
