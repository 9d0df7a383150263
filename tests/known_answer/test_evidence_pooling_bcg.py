"""BCG vaccine against tuberculosis: 13 trials of Colditz et al. 1994, JAMA 271:698.

The paper is doi:10.1001/jama.1994.03510330076038; the counts are those of the data set dat.bcg of R's metafor
(Viechtbauer 2010, doi:10.18637/jss.v036.i03). The numbers with ten digits are metafor's with its tolerances tightened;
those with four are printed by metafor, by Stata's metan, or in van Houwelingen, Arends and Stijnen 2002, Stat Med
21:589, doi:10.1002/sim.1040.
"""

import math

import numpy as np
import pytest

from stromal.evidence.pooling import (
    begg,
    egger,
    leave_one_out,
    log_odds_ratio,
    log_risk_ratio,
    mantel_haenszel,
    peto,
    pool,
    regress,
    risk_difference,
    subgroups,
    trim_and_fill,
)

# events and others in the vaccinated, events and others in the controls, latitude, allocation
TRIALS = [
    (4, 119, 11, 128, 44, "random"),
    (6, 300, 29, 274, 55, "random"),
    (3, 228, 11, 209, 42, "random"),
    (62, 13536, 248, 12619, 52, "random"),
    (33, 5036, 47, 5761, 13, "alternate"),
    (180, 1361, 372, 1079, 44, "alternate"),
    (8, 2537, 10, 619, 19, "random"),
    (505, 87886, 499, 87892, 13, "random"),
    (29, 7470, 45, 7232, 27, "random"),
    (17, 1699, 65, 1600, 42, "systematic"),
    (186, 50448, 141, 27197, 18, "systematic"),
    (5, 2493, 3, 2338, 33, "systematic"),
    (27, 16886, 29, 17825, 33, "systematic"),
]
A, B, C, D = np.array([t[:4] for t in TRIALS], dtype=float).T
COUNTS = (A, A + B, C, C + D)
LATITUDE = [t[4] for t in TRIALS]
ALLOCATION = [t[5] for t in TRIALS]
YI = [
    *(-0.8893113339, -1.5853886572, -1.3480731483, -1.4415511900, -0.2175473222, -0.7861155858, -1.6208982236),
    *(0.0119523335, -0.4694176487, -1.3713448035, -0.3393588283, 0.4459134006, -0.0173139482),
]
VI = [
    *(0.3255847650, 0.1945811214, 0.4153679654, 0.0200100319, 0.0512101722, 0.0069056185, 0.2230172476),
    *(0.0039615793, 0.0564342105, 0.0730247936, 0.0124122140, 0.5325058452, 0.0714046597),
]
EFFECTS = log_risk_ratio(*COUNTS)

ESTIMATES = {  # mu, se, interval, tau2, I2, H2
    "EE": (-0.4302851637, 0.04049875171, -0.5096612584, -0.3509090689, 0.0, 92.11734685, 12.68608401),
    "DL": (-0.7141172221, 0.1787420895, -1.06444528, -0.3637891641, 0.3087602629, 92.11734685, 12.68608401),
    "PM": (-0.7149681535, 0.1808921915, -1.069510334, -0.360425973, 0.3180684522, 92.33033795, 13.03838414),
    "REML": (-0.7145323422, 0.1797815161, -1.066897639, -0.3621670455, 0.3132432581, 92.22138452, 12.85575824),
    "ML": (-0.7111991355, 0.1718968088, -1.04811069, -0.3742875812, 0.2800281373, 91.37828379, 11.59861883),
    "HE": (-0.7158785888, 0.183279986, -1.07510076, -0.3566564171, 0.328563858, 92.55709741, 13.43561853),
    "HS": (-0.7045353739, 0.1586520931, -1.015487762, -0.3935829855, 0.2283628637, 89.62996666, 9.643170544),
    "SJ": (-0.7172485926, 0.1870594584, -1.083878394, -0.3506187911, 0.3455157016, 92.8963241, 14.0772188),
}


def pooled(effects, method):
    return pool(effects.yi, effects.vi, method)


def test_bcg_log_risk_ratios_from_the_counts():
    assert EFFECTS.yi == pytest.approx(YI, abs=1e-10)
    assert EFFECTS.vi == pytest.approx(VI, abs=1e-10)
    assert not EFFECTS.corrected.any()


@pytest.mark.parametrize("method", ESTIMATES)
def test_bcg_estimates_equal_metafor(method):
    r = pool(EFFECTS.yi, EFFECTS.vi, method)
    found = (r.mu, r.se, r.ci_low, r.ci_high, r.tau2, r.i2, r.h2)
    assert found == pytest.approx(ESTIMATES[method], rel=2e-9)
    assert (r.q, r.q_df) == (pytest.approx(152.2330080823733, rel=1e-12), 12)
    assert r.q_p == pytest.approx(1.9967645908e-26, rel=1e-9)


def test_bcg_standard_errors_of_tau2_equal_metafor():
    assert pool(EFFECTS.yi, EFFECTS.vi).tau2_se == pytest.approx(0.1664257528, rel=1e-8)
    assert math.isnan(pool(EFFECTS.yi, EFFECTS.vi, "DL").tau2_se)


@pytest.mark.parametrize(
    ("method", "se", "low", "high"),
    [
        ("DL", 0.1806966283, -1.107821354, -0.32041309),
        ("REML", 0.1807917441, -1.108443714, -0.3206209706),
        ("PM", 0.1808921915, -1.109098381, -0.3208379258),
    ],
)
def test_bcg_hartung_knapp_intervals_equal_metafor(method, se, low, high):
    r = pool(EFFECTS.yi, EFFECTS.vi, method, "knha")
    assert (r.se, r.ci_low, r.ci_high) == pytest.approx((se, low, high), rel=2e-9)


def test_bcg_hartung_knapp_tests_equal_metafor():
    r = pool(EFFECTS.yi, EFFECTS.vi, "DL", "knha")
    assert (r.statistic, r.p) == pytest.approx((-3.952022949, 0.001920766767), rel=1e-9)
    r = pool(EFFECTS.yi, EFFECTS.vi, "REML", "knha")
    assert (r.statistic, r.p) == pytest.approx((-3.952239887, 0.001920015096), rel=1e-9)


@pytest.mark.parametrize(
    ("method", "prediction", "low", "high", "rel"),
    [
        ("REML", "z", -1.866692218, 0.4376275336, 1e-9),
        ("REML", "t_k1", -1.9953421, 0.5662774, 1e-6),
        ("REML", "t_k2", -2.00837605, 0.579311354, 5e-7),
        ("DL", "t_k2", -1.9988385, 0.570604052, 1e-7),
    ],
)
def test_bcg_prediction_intervals_equal_metafor(method, prediction, low, high, rel):
    r = pool(EFFECTS.yi, EFFECTS.vi, method, prediction=prediction)
    assert (r.pi_low, r.pi_high) == pytest.approx((low, high), rel=rel)


def test_bcg_q_profile_interval_equals_metafor():
    for method in ESTIMATES:  # the interval does not depend on the estimator
        r = pool(EFFECTS.yi, EFFECTS.vi, method)
        assert (r.tau2_low, r.tau2_high) == pytest.approx((0.1197183611, 1.1114790841), rel=1e-9)


def test_bcg_profile_likelihood_intervals():
    # metafor prints 0.1152 where the root is 0.11527: its own search stops at about 1e-4
    assert pool(EFFECTS.yi, EFFECTS.vi).profile_likelihood() == pytest.approx((0.1152, 0.9647), abs=1e-4)
    odds = log_odds_ratio(*COUNTS)
    # van Houwelingen et al. 2002, page 597: 0.1151 to 0.8937
    assert pool(odds.yi, odds.vi, "ML").profile_likelihood() == pytest.approx((0.1151, 0.8937), abs=1e-4)
    assert all(math.isnan(x) for x in pool(odds.yi, odds.vi, "DL").profile_likelihood())


def test_bcg_weights_and_shrunken_effects_equal_metafor():
    weights = [5.0595, 6.3647, 4.4360, 9.6987, 8.8685, 10.0957, 6.0272, 10.1894, 8.7431, 8.3676, 9.9250, 3.8216, 8.4029]
    shrunken = [
        *(-0.8002, -1.2517, -0.9869, -1.3979, -0.2874, -0.7846, -1.2440),
        *(0.0029, -0.5068, -1.2472, -0.3537, -0.2847, -0.1467),
    ]
    r = pool(EFFECTS.yi, EFFECTS.vi)
    assert r.weights == pytest.approx(weights, abs=6e-5)
    assert r.studies()["shrunken"].to_numpy() == pytest.approx(shrunken, abs=6e-5)
    assert r.weights.sum() == pytest.approx(100.0)


def test_bcg_leave_one_out_equals_metafor():
    mu = [
        *(-0.7071, -0.6540, -0.6856, -0.6284, -0.7642, -0.7109, -0.6552),
        *(-0.7948, -0.7412, -0.6530, -0.7579, -0.7598, -0.7775),
    ]
    table = leave_one_out(pool(EFFECTS.yi, EFFECTS.vi)).summary()
    assert table["effect"].to_numpy() == pytest.approx(mu, abs=6e-5)


def test_bcg_meta_regression_on_latitude_equals_metafor():
    r = regress(EFFECTS.yi, EFFECTS.vi, {"latitude": LATITUDE})
    assert r.coefficients["estimate"].to_numpy() == pytest.approx([0.2514682, -0.0291017], abs=6e-8)
    assert r.coefficients["se"].to_numpy() == pytest.approx([0.2490954, 0.0071953], abs=6e-8)
    assert r.tau2 == pytest.approx(0.0763480, abs=6e-8)
    assert (r.i2, r.r2) == pytest.approx((68.39, 75.62), abs=0.01)
    assert (r.qe, r.qe_df) == (pytest.approx(30.73309, abs=6e-6), 11)
    # printed with metafor's default tolerance; the square of the printed slope over its printed error is 16.358
    assert (r.qm, r.qm_df) == (pytest.approx(16.3571, rel=1e-4), 1)


def test_bcg_meta_regression_on_allocation_equals_metafor():
    r = regress(EFFECTS.yi, EFFECTS.vi, {"allocation": ALLOCATION})
    assert list(r.coefficients.index) == ["intercept", "allocation[random]", "allocation[systematic]"]
    assert (r.qm, r.qm_df, r.qm_p) == (pytest.approx(1.7675, abs=6e-5), 2, pytest.approx(0.4132, abs=6e-5))


def test_bcg_subgroups_equal_metafor():
    published = {
        "random": (7, -0.9709645, 0.3925265, 110.21326),
        "alternate": (2, -0.5407930, 0.1325770, 5.562514),
        "systematic": (4, -0.4242073, 0.4003463, 16.591864),
    }
    r = subgroups(EFFECTS.yi, EFFECTS.vi, ALLOCATION)
    assert r.groups == ("random", "alternate", "systematic")
    for group, part in zip(r.groups, r.pooled, strict=True):
        k, mu, tau2, q = published[group]
        assert part.k == k
        # the printed values carry metafor's default tolerance
        assert (part.mu, part.tau2) == pytest.approx((mu, tau2), rel=1e-5)
        assert part.q == pytest.approx(q, rel=1e-6)
    between = sum((p.mu - m) ** 2 / p.se**2 for p, m in _around(r.pooled))
    assert (r.q_between, r.q_between_df) == (pytest.approx(between), 2)


def _around(parts):
    w = [1 / p.se**2 for p in parts]
    mean = sum(x * p.mu for x, p in zip(w, parts, strict=True)) / sum(w)
    return [(p, mean) for p in parts]


def test_bcg_small_study_tests_equal_metafor():
    r = pool(EFFECTS.yi, EFFECTS.vi)
    mixed, classic, rank = egger(r), egger(r, "classic"), begg(r)
    assert (mixed.statistic, mixed.p) == pytest.approx((-0.8033, 0.4218), abs=6e-5)
    assert (classic.statistic, classic.df, classic.p) == (
        pytest.approx(-1.4013, abs=6e-5),
        11,
        pytest.approx(0.1887, abs=6e-5),
    )
    assert (rank.estimate, rank.p) == pytest.approx((0.0256, 0.9524), abs=6e-5)


def test_bcg_trim_and_fill_equals_metafor():
    r = trim_and_fill(pool(EFFECTS.yi, EFFECTS.vi))
    assert (r.filled, r.side) == (1, "right")
    assert (r.after.mu, r.after.tau2) == pytest.approx((-0.6571, 0.3313), abs=6e-5)


def test_bcg_mantel_haenszel_equals_metafor():
    rr, odds, rd = (mantel_haenszel(*COUNTS, measure=m) for m in ("RR", "OR", "RD"))
    assert (rr.mu, rr.ci_low, rr.ci_high) == pytest.approx((-0.4537, -0.5308, -0.3766), abs=6e-5)
    assert (rr.statistic, rr.q) == pytest.approx((-11.5338, 152.5676), abs=6e-5)
    assert (odds.mu, odds.ci_low, odds.ci_high) == pytest.approx((-0.4734, -0.5538, -0.3930), abs=6e-5)
    assert (odds.cmh, odds.tarone) == pytest.approx((135.6889, 171.7567), abs=6e-5)
    assert (rd.mu, rd.ci_low, rd.ci_high) == pytest.approx((-0.0033, -0.0039, -0.0027), abs=6e-5)


def test_bcg_peto_equals_metafor():
    r = peto(*COUNTS)
    assert (r.mu, r.ci_low, r.ci_high) == pytest.approx((-0.4744, -0.5541, -0.3948), abs=6e-5)
    assert r.q == pytest.approx(167.7302, abs=6e-5)


def test_bcg_log_odds_ratios_and_risk_differences_equal_metafor():
    odds, rd = log_odds_ratio(*COUNTS), risk_difference(*COUNTS)
    assert pool(odds.yi, odds.vi, "EE").mu == pytest.approx(-0.4361390761, rel=1e-9)
    for method, mu, tau2 in (
        ("DL", -0.7473923497, 0.3663434067),
        ("ML", -0.7419668303, 0.3024565724),
        ("REML", -0.7451777708, 0.3377720331),
    ):
        r = pool(odds.yi, odds.vi, method)
        assert (r.mu, r.tau2) == pytest.approx((mu, tau2), rel=1e-9)
    assert pool(odds.yi, odds.vi, "ML").se == pytest.approx(0.1779533706, rel=1e-9)
    r = pool(rd.yi, rd.vi, "DL")
    assert (r.mu, r.tau2) == pytest.approx((-0.007055263566, 1.873474993e-05), rel=1e-9)


def test_van_houwelingen_published_log_odds_ratios():
    effects = log_odds_ratio(*COUNTS)
    common, ml = pool(effects.yi, effects.vi, "EE"), pool(effects.yi, effects.vi, "ML")
    assert np.exp([common.mu, common.ci_low, common.ci_high]) == pytest.approx([0.6465, 0.5951, 0.7024], abs=6e-5)
    assert np.exp([ml.mu, ml.ci_low, ml.ci_high]) == pytest.approx([0.4762, 0.3360, 0.6749], abs=6e-5)
    assert ml.tau2 == pytest.approx(0.3025, abs=6e-5)
    # the paper's interval of true effects leaves out the error of the mean; it takes 1.96 rounded tau
    half = 1.96 * math.sqrt(ml.tau2)
    assert (ml.mu - half, ml.mu + half) == pytest.approx((-1.8199, 0.3359), abs=2e-4)


def test_stata_metan_published_results():
    common, dl = pool(EFFECTS.yi, EFFECTS.vi, "EE"), pool(EFFECTS.yi, EFFECTS.vi, "DL")
    assert (common.mu, common.ci_low, common.ci_high) == pytest.approx((-0.4303, -0.5097, -0.3509), abs=6e-5)
    assert (common.statistic, dl.statistic) == pytest.approx((-10.62, -4.00), abs=6e-3)
    assert np.exp([dl.mu, dl.ci_low, dl.ci_high]) == pytest.approx([0.4896, 0.3449, 0.6950], abs=6e-5)
    assert (dl.tau2, dl.i2) == pytest.approx((0.3088, 92.1173), abs=6e-5)
    odds = pooled(log_odds_ratio(*COUNTS), "DL")
    assert (odds.mu, odds.ci_low, odds.ci_high, odds.tau2) == pytest.approx(
        (-0.7474, -1.1242, -0.3706, 0.3663), abs=6e-5
    )
    rd = pooled(risk_difference(*COUNTS), "DL")
    assert (rd.mu, rd.ci_low, rd.ci_high) == pytest.approx((-0.0071, -0.0101, -0.0040), abs=6e-5)
