"""Randomisation, safety gates, and who is seen."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stromal.design.conduct import Randomisation
from stromal.population import enrol, shipped_posterior
from stromal.trial.allocation import allocate
from stromal.trial.conduct import Study, conduct
from stromal.trial.safety import infuse, received


def people(replicates, n):
    return pd.DataFrame(
        {
            "replicate": np.repeat(np.arange(replicates), n),
            "patient": np.tile(np.arange(n), replicates),
            "candidate": np.tile(np.arange(n) * 2, replicates),
        }
    )


TWO_TO_ONE = Randomisation.model_validate({"block_size": 3, "allocation": {"cells": 2, "placebo": 1}})
FOUR = Randomisation.model_validate({"block_size": 4, "allocation": {"a": 2, "b": 2}})


def test_every_block_has_the_allocation_of_the_design():
    table = people(50, 18).assign(arm=lambda t: allocate(TWO_TO_ONE, t, 1))
    counts = table.groupby(["replicate", table["patient"] // 3])["arm"].value_counts().unstack()
    assert (counts["cells"] == 2).all()
    assert (counts["placebo"] == 1).all()


def test_a_last_block_that_is_cut_short_is_a_part_of_a_whole_one():
    table = people(30, 10)
    np.testing.assert_array_equal(allocate(FOUR, table, 1), allocate(FOUR, people(30, 12), 1)[table_of(30, 12, 10)])


def table_of(replicates, n, first):
    return np.tile(np.arange(n) < first, replicates)


def test_every_order_within_a_block_is_equally_likely():
    """Chi-square over the six orders of a block of four; false-alarm rate 1e-6, fixed seed."""
    arms = allocate(FOUR, people(300, 40), 1).reshape(-1, 4)
    orders = ["".join(row) for row in arms]
    expected = {"".join(o) for o in itertools.permutations("aabb")}
    counts = pd.Series(orders).value_counts()
    assert set(counts.index) == expected
    assert stats.chisquare(counts.to_numpy()).pvalue > 1e-6


def test_a_patients_arm_depends_on_seed_and_replicate_and_not_on_other_replicates():
    both = allocate(FOUR, people(2, 40), 1)
    second = people(2, 40).query("replicate == 1")
    np.testing.assert_array_equal(allocate(FOUR, second, 1), both[40:])
    assert (both[:40] != both[40:]).any()
    assert (allocate(FOUR, people(2, 40), 2) != both).any()


def with_safety(care, **changes):
    return care.model_copy(update={"safety": care.safety.model_copy(update=changes)})


def infused(design, replicates=20):
    table = people(replicates, design.sample_size)
    table["arm"] = allocate(design.randomisation, table, 1)
    return table, infuse(design, table, 1)


def test_without_events_every_dose_is_given_and_every_block_opens(care):
    _, done = infused(with_safety(care, treatment_related_sae_per_infusion=0.0))
    assert done.given.all()
    assert done.enrolled.all()
    assert np.isinf(done.sae_day).all()


def test_an_event_after_every_infusion_closes_the_trial_after_the_first_block(care):
    table, done = infused(with_safety(care, treatment_related_sae_per_infusion=1.0))
    np.testing.assert_array_equal(done.enrolled, table["patient"] < care.randomisation.block_size)


def test_an_event_after_every_infusion_stops_the_second_dose_of_those_infused_only(care):
    table, done = infused(with_safety(care, treatment_related_sae_per_infusion=1.0))
    np.testing.assert_array_equal(done.given[:, 0], np.ones(len(table), bool))
    np.testing.assert_array_equal(done.given[:, 1], table["arm"] == "placebo")
    np.testing.assert_array_equal(np.isfinite(done.sae_day[:, 0]), table["arm"] != "placebo")
    assert np.isinf(done.sae_day[:, 1]).all()
    within = care.safety.within_days
    days = done.first_sae()[table["arm"] != "placebo"]
    assert ((days > 0) & (days < within)).all()


def test_without_gates_events_change_nothing_that_is_given(care):
    design = with_safety(care, treatment_related_sae_per_infusion=1.0, gate_next_block=False, gate_next_dose=False)
    table, done = infused(design)
    assert done.given.all()
    assert done.enrolled.all()
    two = table["arm"] == "two_infusions"
    np.testing.assert_array_equal(np.isfinite(done.sae_day[:, 1]), two)
    assert (done.sae_day[two.to_numpy(), 1] >= 91).all()


def test_the_same_attribution_after_a_sham_closes_the_trial_too(care):
    design = with_safety(care, treatment_related_sae_per_infusion=0.0, treatment_related_sae_per_control_visit=1.0)
    table, done = infused(design)
    np.testing.assert_array_equal(np.isfinite(done.sae_day[:, 0]), table["arm"] == "placebo")
    np.testing.assert_array_equal(done.enrolled, table["patient"] < 6)


def test_a_block_opens_in_its_replicate_whatever_happens_in_another(care):
    """With a rare event some replicates stop after one block, some after two, some never."""
    table, done = infused(with_safety(care, treatment_related_sae_per_infusion=0.06), replicates=200)
    sizes = table[done.enrolled].groupby("replicate").size()
    assert set(sizes) == {6, 12, 18}
    event = np.isfinite(done.sae_day[:, 0])
    for replicate, size in sizes.items():
        own = (table["replicate"] == replicate).to_numpy()
        before_last = own & (table["patient"] < size - 6).to_numpy()
        last = own & table["patient"].between(size - 6, size - 1).to_numpy()
        assert not event[before_last].any()
        assert size == 18 or event[last].any()


def test_events_and_reactions_have_the_probabilities_of_the_design(care):
    """Binomial tests, false-alarm rate 1e-6 each, fixed seed."""
    design = with_safety(care, treatment_related_sae_per_infusion=0.3, gate_next_block=False, gate_next_dose=False)
    _, done = infused(design, replicates=300)
    events = np.isfinite(done.sae_day[done.active])
    assert stats.binomtest(int(events.sum()), len(events), 0.3).pvalue > 1e-6
    reactions = done.reaction[done.active]
    share = design.safety.infusion_reaction_per_infusion
    assert stats.binomtest(int(reactions.sum()), len(reactions), share).pvalue > 1e-6
    assert not done.reaction[~done.active].any()


def test_a_withheld_infusion_leaves_the_rest_of_the_regimen(care):
    (both,) = care.arm("two_infusions").regimen
    assert received((both,), {0: True, 91: True}) == (both,)
    assert received((both,), {0: True, 91: False})[0].days == (0,)
    assert received((both,), {0: False, 91: False}) == ()


def conducted(design, arm, n=200, **hazards):
    posterior = shipped_posterior()
    cohort = enrol(design, posterior, 1, [0], n)
    nothing = np.zeros(n)
    arms = np.full(n, arm, dtype=object)
    return conduct(design, posterior.base, cohort, arms, Study(nothing, nothing, nothing, nothing), 1)


def test_nothing_is_measured_after_death_or_leaving_and_the_truth_goes_on(two_arm, stable_disease):
    stable_disease.hazards = {"H_death": 0.001, "H_organ": 0.0}
    patients = (data := conducted(two_arm, "placebo")).patients
    gone = np.minimum(patients["death"], patients["left"]).to_numpy()
    assert np.isfinite(gone).sum() > 40
    for values in data.measured.values():
        np.testing.assert_array_equal(np.isnan(values), data.days > gone[:, None])
    assert all(np.isfinite(values).all() for values in data.true.values())
    assert not (np.isfinite(patients["death"]) & np.isfinite(patients["left"])).any()


def test_cells_are_counted_by_weight_for_the_infusions_that_were_given(two_arm, stable_disease):
    stable_disease.hazards = {"H_death": 0.002, "H_organ": 0.0}
    patients = conducted(two_arm, "two_infusions").patients
    gone = np.minimum(patients["death"], patients["left"])
    doses = (gone >= 0).astype(int) + (gone >= 91).astype(int)
    assert set(doses) == {1, 2}
    with_event = patients["treatment_related_sae"] < 91
    expected = np.where(with_event, 1, doses)
    np.testing.assert_array_equal(patients["infusions"], expected)
    np.testing.assert_allclose(patients["cells"], expected * 1e6 * patients["weight_kg"])
    assert (conducted(two_arm, "placebo").patients["cells"] == 0).all()


def test_an_effect_of_the_study_shifts_every_arm_alike_and_comes_within_months(two_arm, stable_disease):
    posterior, n = shipped_posterior(), 300
    cohort = enrol(two_arm, posterior, 1, [0], n)
    nothing, arms = np.zeros(n), np.full(n, "placebo", dtype=object)
    plain = conduct(two_arm, posterior.base, cohort, arms, Study(nothing, nothing, nothing, nothing), 1)
    moved = conduct(two_arm, posterior.base, cohort, arms, Study(nothing + 8.0, nothing - 4.0, nothing, nothing), 1)
    score = np.nanmean(moved.measured["mrss"] - plain.measured["mrss"], axis=0)
    share = 1.0 - np.exp(-plain.days / 91.0)
    np.testing.assert_allclose(score, 8.0 * share, atol=0.15)
    fvc = np.nanmean(moved.measured["fvc_pct"] - plain.measured["fvc_pct"], axis=0)
    np.testing.assert_allclose(fvc, -4.0 * share, atol=1e-9)


def test_expectation_lowers_every_score_after_baseline(two_arm, stable_disease):
    posterior, n = shipped_posterior(), 300
    cohort = enrol(two_arm, posterior, 1, [0], n)
    nothing, arms = np.zeros(n), np.full(n, "placebo", dtype=object)
    plain = conduct(two_arm, posterior.base, cohort, arms, Study(nothing, nothing, nothing, nothing), 1)
    open_label = conduct(two_arm, posterior.base, cohort, arms, Study(nothing, nothing, nothing - 3.0, nothing), 1)
    difference = np.nanmean(open_label.measured["mrss"] - plain.measured["mrss"], axis=0)
    np.testing.assert_allclose(difference, -3.0 * (plain.days > 0), atol=0.1)


@pytest.mark.parametrize("day", [0, 91, 364])
def test_a_visit_is_found_by_its_day(two_arm, stable_disease, day):
    data = conducted(two_arm, "placebo", n=2)
    assert data.days[data.visit(day)] == day
