"""Deaths and leaving: times follow the hazards. Each comparison has a false-alarm rate of 1e-6; seeds are fixed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stromal.design.conduct import Retention
from stromal.trial.retention import DAYS_PER_YEAR, cumulative_dropout, event_day

N = 20_000
FALSE_ALARM = 1e-6
PEOPLE = pd.DataFrame({"replicate": np.repeat([0, 1], N // 2), "candidate": np.tile(np.arange(N // 2), 2)})
DAYS = np.array([0.0, 10.0, 28.0, 91.0, 182.0, 200.0, 364.0])


def days_of(hazard, days=DAYS):
    return event_day(PEOPLE, "death", days, np.broadcast_to(hazard * days, (N, len(days))), 1)


def test_a_constant_hazard_gives_exponential_times():
    day = days_of(0.02, np.linspace(0.0, 5000.0, 17))
    assert np.isfinite(day).all()
    assert stats.kstest(day, "expon", (0.0, 50.0)).pvalue > FALSE_ALARM


def test_the_grid_does_not_change_a_day():
    np.testing.assert_allclose(days_of(0.02), days_of(0.02, np.linspace(0.0, 364.0, 1000)), rtol=1e-9)


def test_who_has_no_event_by_the_last_day_has_none():
    day = days_of(0.001)
    survivors = int(np.isinf(day).sum())
    assert stats.binomtest(survivors, N, np.exp(-0.364)).pvalue > FALSE_ALARM
    assert day[np.isfinite(day)].max() <= 364.0


def test_a_hazard_that_doubles_half_way_doubles_the_events_there():
    cumulative = np.broadcast_to([0.0, 0.1, 0.3], (N, 3))
    day = event_day(PEOPLE, "death", np.array([0.0, 100.0, 200.0]), cumulative, 1)
    shares = [np.exp(0) - np.exp(-0.1), np.exp(-0.1) - np.exp(-0.3), np.exp(-0.3)]
    counts = [(day <= 100).sum(), ((day > 100) & (day <= 200)).sum(), np.isinf(day).sum()]
    assert stats.chisquare(counts, np.array(shares) * N).pvalue > FALSE_ALARM


def test_no_hazard_is_no_event():
    assert np.isinf(days_of(0.0)).all()


def test_an_event_depends_on_the_person_and_on_the_purpose_only():
    whole = days_of(0.01)
    some = PEOPLE.iloc[[N - 1, 4, 7]]
    part = event_day(some, "death", DAYS, np.broadcast_to(0.01 * DAYS, (3, len(DAYS))), 1)
    np.testing.assert_array_equal(part, whole[[N - 1, 4, 7]])
    other = event_day(PEOPLE, "leaving the trial", DAYS, np.broadcast_to(0.01 * DAYS, (N, len(DAYS))), 1)
    both = np.isfinite(whole) & np.isfinite(other)
    assert stats.pearsonr(whole[both], other[both]).pvalue > FALSE_ALARM


@pytest.mark.parametrize("per_year", [0.0, 0.12, 0.5])
def test_when_nobody_worsens_the_share_who_leave_in_a_year_is_the_designs(per_year):
    retention = Retention.model_validate({"dropout_per_year": per_year})
    days = np.linspace(0.0, DAYS_PER_YEAR, 14)
    better = np.broadcast_to(20.0 - days / 100.0, (N, 14))
    leaving = cumulative_dropout(retention, days, better, 80.0 + 0.0 * better)
    np.testing.assert_allclose(1.0 - np.exp(-leaving[:, -1]), per_year, rtol=1e-12)
    left = np.isfinite(event_day(PEOPLE, "leaving the trial", days, leaving, 1))
    assert stats.binomtest(int(left.sum()), N, per_year).pvalue > FALSE_ALARM if per_year else not left.any()


def test_worsening_raises_the_hazard_by_the_rates_of_the_design_and_improvement_does_not_lower_it():
    retention = Retention.model_validate({})
    days = np.array([0.0, 100.0, 200.0])
    mrss = np.array([[20.0, 20.0, 20.0], [20.0, 30.0, 30.0], [20.0, 10.0, 10.0]])
    fvc = np.array([[80.0, 80.0, 80.0], [80.0, 76.0, 70.0], [80.0, 90.0, 90.0]])
    added = np.diff(cumulative_dropout(retention, days, mrss, fvc), axis=1)
    np.testing.assert_allclose(added[1] / added[0], [1.0, np.exp(0.05 * 10 + 0.05 * 4)])
    np.testing.assert_allclose(added[2], added[0])
