"""The placebo arm of a shipped design varies as published ones do, and the analysis is unbiased for the truth.

Published: SD of the observed 12-month change 6.4 to 7.6 points of mRSS and 5.5 to 8.0 % of predicted FVC; means of
placebo arms between -8.1 and +1.8 points, and between -6.9 and +0.1 % (docs/population.md).
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stromal.population import enrol, shipped_posterior
from stromal.trial.allocation import allocate
from stromal.trial.analysis import Values, ancova
from stromal.trial.conduct import conduct
from stromal.trial.replicates import TRUTH_PER_REPLICATE, run_piece, truth_pieces
from stromal.trial.scenarios import studies
from stromal.trial.trajectories import completers

REPLICATES = range(36)
SEED = 7


@pytest.fixture(scope="module")
def trials(two_arm):
    """36 trials of 60 patients: as designed under `null`; and without leaving under `null` and `reference`."""
    posterior, n = shipped_posterior(), two_arm.sample_size
    cohort = enrol(two_arm, posterior, SEED, list(REPLICATES), n)
    arm = allocate(two_arm.randomisation, cohort.people, SEED)
    complete = two_arm.model_copy(update={"retention": two_arm.retention.model_copy(update={"dropout_per_year": 0.0})})

    def world(scenario, design):
        study = studies(scenario, design, posterior, SEED, cohort.people["replicate"])
        return conduct(design, posterior.base, cohort, arm, study, SEED)

    return {
        "designed": world("null", two_arm),
        "null": world("null", complete),
        "reference": world("reference", complete),
    }


@pytest.mark.parametrize(
    ("readout", "spread", "mean"),
    [("mrss", (6.4, 7.6), (-8.1, 1.8)), ("fvc_pct", (5.5, 8.0), (-6.9, 0.1))],
)
def test_the_placebo_arm_varies_as_published_placebo_arms_do(trials, readout, spread, mean):
    (row,) = (
        r
        for r in completers({"null": [trials["designed"]]})
        if (r["arm"], r["day"], r["readout"]) == ("placebo", 364, readout)
    )
    assert row["n"] > 20
    assert spread[0] <= row["sd"] <= spread[1], row
    assert mean[0] <= row["mean"] <= mean[1], row


def values(data):
    change = data.measured["mrss"][:, data.visit(364)] - data.baseline["mrss"]
    seen = ~np.isnan(change)
    return Values(change[seen], data.baseline["mrss"][seen], (data.patients["arm"] != "placebo").to_numpy()[seen])


def test_the_analysis_is_unbiased_for_the_truth_in_a_large_trial(trials, two_arm):
    """Null and reference share every draw, so the difference of their estimates has only the error of the
    individual effects: within 5 standard errors (false-alarm rate 6e-7, fixed seed) of two truths, that of these
    very patients and that of other patients from other draws of the population, computed as a run does; draws differ,
    so the error of the second comes from the differences between replicates."""
    null, reference = trials["null"], trials["reference"]
    treated = (null.patients["arm"] != "placebo").to_numpy()
    individual = (reference.true["mrss"] - null.true["mrss"])[treated, -1]
    estimate = ancova(values(reference), 0.05).estimate - ancova(values(null), 0.05).estimate
    error = individual.std() / np.sqrt(treated.sum())
    assert individual.mean() < -5.0 * error
    assert abs(estimate - individual.mean()) < 5.0 * error + 0.05  # rounding, and the score ends at 0
    (piece,) = truth_pieces(two_arm, SEED, 10 * TRUTH_PER_REPLICATE)
    truth = run_piece(piece).truth["mrss_change"].to_numpy().reshape(10, TRUTH_PER_REPLICATE).mean(axis=1)
    own = pd.Series(individual).groupby(null.patients["replicate"].to_numpy()[treated]).mean()
    others = np.hypot(own.sem(), stats.sem(truth))
    assert abs(estimate - truth.mean()) < 5.0 * others + 0.05


def test_without_any_effect_the_estimate_is_zero(trials):
    result = ancova(values(trials["null"]), 0.05)
    assert abs(result.estimate) < 5.0 * result.se


def test_leaving_follows_the_designs_rate_when_few_worsen(trials, two_arm):
    """The share who left lies between the base rate and twice of it: worsening raises the hazard for some."""
    left = np.isfinite(trials["designed"].patients["left"]).mean()
    base = two_arm.retention.dropout_per_year
    error = np.sqrt(base * (1 - base) / len(trials["designed"].patients))
    assert base - 5 * error < left < 2 * base
    assert not np.isfinite(trials["null"].patients["left"]).any()
