"""Worlds, arms and designs share their random numbers; purposes never do."""

import sys

import numpy as np
import pandas as pd
import pytest

from stromal.compute.randomness import Streams, stream_key
from stromal.design import EndPoint
from stromal.population import enrol, shipped_posterior, shipped_recipe
from stromal.population.people import per_person
from stromal.population.posterior import MSC_EFFECT, Posterior, single
from stromal.trial.conduct import conduct
from stromal.trial.replicates import Piece, run_piece, simulate
from stromal.trial.scenarios import SCENARIOS, effect_of, studies

SEED = 1


def no_adverse_events(design):
    none = {
        "treatment_related_sae_per_infusion": 0.0,
        "treatment_related_sae_per_control_visit": 0.0,
        "infusion_reaction_per_infusion": 0.0,
    }
    return design.model_copy(update={"safety": design.safety.model_copy(update=none)})


def assert_same_tables(first, second):
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def unrounded_score(data, design, study):
    """Skin score before rounding, (n_patients, n_visits): truth, drift of the study, rater and visit error."""
    people, errors = data.patients, design.measurement
    bias = errors.mrss_rater_sd * per_person(people, "rater bias", 0, SEED, normal=True)
    score = data.true["mrss"] + np.outer(study.mrss_shift, 1.0 - np.exp(-data.days / 91.0))
    for visit in range(len(data.days)):
        z = per_person(people, "visit error of mRSS", visit + 1, SEED, normal=True)
        score[:, visit] += bias + errors.mrss_visit_sd * z
    return score


def test_cells_that_do_nothing_and_harm_nobody_are_placebo(tiny):
    """Same people, same draws, same true course to 1e-6 (relative, or of a point).

    Measured scores are equal unless on an edge of rounding. The steps of the solver differ (an infusion is a step
    boundary), hence not bit for bit.
    """
    design, posterior, n = no_adverse_events(tiny), shipped_posterior(), 12
    cohort = enrol(design, posterior, SEED, [0], n)
    study = studies("null", design, posterior, SEED, cohort.people["replicate"])
    arms = {
        arm.name: conduct(design, posterior.base, cohort, np.full(n, arm.name, dtype=object), study, SEED)
        for arm in design.arms
    }
    placebo = arms.pop("placebo")
    score = unrounded_score(placebo, design, study)
    seen = ~np.isnan(placebo.measured["mrss"])
    np.testing.assert_array_equal(placebo.measured["mrss"][seen], np.clip(np.rint(score), 0, 51)[seen])
    clear = seen & (np.abs(score % 1.0 - 0.5) > 1e-4)
    assert clear.sum() > 0.95 * seen.sum()
    assert set(arms) == {"one_infusion", "two_infusions"}
    for other in arms.values():
        for measure, true in placebo.true.items():
            np.testing.assert_allclose(other.true[measure], true, rtol=1e-6, atol=1e-6, err_msg=measure)
        for event in ("death", "left", "organ_failure"):
            np.testing.assert_allclose(other.patients[event], placebo.patients[event], rtol=1e-5)
        np.testing.assert_array_equal(other.measured["mrss"][clear], placebo.measured["mrss"][clear])
        for measure in ("fvc_pct", "dlco_pct", "crp_mg_l"):
            np.testing.assert_allclose(other.measured[measure], placebo.measured[measure], rtol=1e-5)


@pytest.fixture(scope="module")
def worlds(tiny):
    return simulate(Piece(tiny, SEED, (0, 1)))[1]


def test_the_three_worlds_share_people_arms_and_baseline(worlds):
    null = worlds["null"]
    shared = ["replicate", "patient", "candidate", "arm", "age_years", "referral", "entry", "treatment_related_sae"]
    for scenario in ("reference", "prior"):
        other = worlds[scenario]
        assert_same_tables(other.patients[shared], null.patients[shared])
        for measure in null.baseline:
            np.testing.assert_array_equal(other.baseline[measure], null.baseline[measure])
            np.testing.assert_array_equal(other.true[measure][:, 0], null.true[measure][:, 0])


def test_the_effect_reaches_only_those_who_got_cells(worlds):
    null, reference = worlds["null"], worlds["reference"]
    treated = (null.patients["arm"] != "placebo").to_numpy()
    np.testing.assert_array_equal(reference.true["mrss"][~treated], null.true["mrss"][~treated])
    assert (reference.true["mrss"][treated, -1] < null.true["mrss"][treated, -1]).all()


def test_the_effect_of_a_world_is_none_the_designs_or_that_of_the_draw(care):
    """Under `prior` a draw without effect stays without, and the others differ between studies as the recipe says."""
    one = single(shipped_recipe())
    draws = pd.concat([one.draws, one.draws.assign(**{MSC_EFFECT: 0.5})], ignore_index=True)
    posterior = Posterior(one.base, draws)
    effects = {s: np.array([effect_of(s, care, posterior, Streams(SEED, r)) for r in range(600)]) for s in SCENARIOS}
    assert (effects["null"] == 0.0).all()
    assert (effects["reference"] == care.effect.msc_effect).all()
    assert (effects["prior"][::2] == 0.0).all()
    factor = effects["prior"][1::2] / 0.5
    share = one.base.study.treatment_share
    assert abs(factor.mean() - 1.0) < 5.0 * share / np.sqrt(300)
    assert abs(factor.std() - share) < 5.0 * share / np.sqrt(600)


def test_in_every_world_a_study_drifts_as_its_draw_says(care):
    one = single(shipped_recipe())
    draws = pd.concat(
        [one.draws.assign(mrss_drift=d, mrss_sd=1e-9, fvc_drift=-d, fvc_sd=1e-9) for d in (-3.0, 2.0)],
        ignore_index=True,
    )
    for scenario in SCENARIOS:
        study = studies(scenario, care, Posterior(one.base, draws), SEED, [0, 1, 2, -1])
        np.testing.assert_allclose(study.mrss_shift, [-3.0, 2.0, -3.0, 2.0], atol=1e-7)
        np.testing.assert_allclose(study.fvc_shift, [3.0, -2.0, 3.0, -2.0], atol=1e-7)


def test_a_blinded_study_has_no_expectation_and_an_open_one_has(care, series):
    posterior = shipped_posterior()
    blinded = studies("null", care, posterior, SEED, range(200))
    open_label = studies("null", series, posterior, SEED, range(200))
    assert (blinded.expectation == 0.0).all()
    mean, sd = posterior.base.study.expectation_mean, posterior.base.study.expectation_sd
    assert abs(open_label.expectation.mean() - mean) < 5.0 * sd / np.sqrt(200)
    np.testing.assert_array_equal(blinded.mrss_shift, open_label.mrss_shift)


def spied(monkeypatch, design, replicates=(0, 1)):
    """Every draw of a small run: (key parts) to draws, and who asked."""
    drawn, asked = {}, {}
    uniform, normal = Streams.uniform, Streams.normal

    def who():
        frame = sys._getframe(2)
        while frame.f_code.co_name in ("normal", "uniform", "per_person", "choice", "between", "spy", "spy_normal"):
            frame = frame.f_back
        return f"{frame.f_code.co_filename}:{frame.f_code.co_name}"

    def spy(self, purpose, n, *, start=0, occasion=0):
        values = uniform(self, purpose, n, start=start, occasion=occasion)
        asked.setdefault(purpose, set()).add(who())
        known = drawn.setdefault((self.seed, self.replicate, purpose, occasion), {})
        known |= dict(zip(range(start, start + n), values, strict=True))
        return values

    monkeypatch.setattr(Streams, "uniform", spy)
    monkeypatch.setattr(Streams, "normal", normal)
    run_piece(Piece(design, SEED, tuple(replicates)))
    return drawn, asked


@pytest.fixture
def busy(care):
    """A design that asks for every kind of draw."""
    return care.model_copy(
        update={
            "sample_size": 6,
            "blinded": False,
            "measurement": care.measurement.model_copy(update={"rater_change_per_visit": 0.2}),
        }
    )


def test_no_two_purposes_share_a_key_or_a_number(busy, stable_disease, monkeypatch):
    drawn, _ = spied(monkeypatch, busy)
    assert len({purpose for _, _, purpose, _ in drawn}) > 60
    keys = [stream_key(*(seed, replicate, purpose, occasion)) for seed, replicate, purpose, occasion in drawn]
    assert len(set(keys)) == len(keys)
    numbers = np.concatenate([list(values.values()) for values in drawn.values()])
    assert len(np.unique(numbers)) == len(numbers)


def test_a_purpose_belongs_to_one_place_in_the_code(busy, stable_disease, monkeypatch):
    _, asked = spied(monkeypatch, busy)
    shared = {purpose: places for purpose, places in asked.items() if len(places) > 1}
    assert shared == {}


EXTRA = {
    "name": "crp_change",
    "kind": "change",
    "measure": "crp_mg_l",
    "day": 364,
    "contrast": ("active", "placebo"),
}


def test_an_end_point_more_moves_no_other_draw_and_no_other_result(care, stable_disease):
    design = care.model_copy(update={"sample_size": 60})
    extra = EndPoint.model_validate(EXTRA)
    more = design.model_copy(update={"endpoints": (extra, *design.endpoints)})
    first, second = (run_piece(Piece(d, SEED, (0, 1))).estimates for d in (design, more))
    assert (second["endpoint"] == "crp_change").any()
    assert_same_tables(second[second["endpoint"] != "crp_change"].reset_index(drop=True), first)


def test_a_visit_more_moves_no_error_of_the_others(two_arm, stable_disease):
    """Visits are occasions in their order: one more at the end leaves the others as they are."""
    longer = two_arm.model_copy(
        update={"visits": two_arm.visits.model_copy(update={"days": (*two_arm.visits.days, 455)})}
    )
    first, second = (
        simulate(Piece(d.model_copy(update={"sample_size": 20}), SEED, (0,), ("null",)))[1]["null"]
        for d in (two_arm, longer)
    )
    early = (first.patients["left"] <= 364).to_numpy()
    np.testing.assert_array_equal(second.measured["mrss"][:, :-1], first.measured["mrss"])
    np.testing.assert_allclose(second.patients["left"][early], first.patients["left"][early])
