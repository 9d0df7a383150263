"""Two networks with published data: glucose-lowering drugs, and ways to stop smoking.

Glucose-lowering drugs added to a sulphonylurea, change in HbA1c: 26 trials with 28 contrasts of Senn, Gavini, Magrez
and Scheen 2013, Stat Methods Med Res 22:169, doi:10.1177/0962280211432220, as distributed with R's netmeta (data set
Senn2013). Smoking cessation: 24 trials of Hasselblad 1998, doi:10.1177/0272989X9801800110, the example of Dias et al.
2013, Med Decis Making 33:641, doi:10.1177/0272989X12455847, with the counts that netmeta distributes. All results are
those of netmeta.
"""

import math

import numpy as np
import pandas as pd
import pytest

from stromal.evidence.pooling import contrasts, network

SENN = pd.DataFrame(
    [
        ("DeFronzo1995", "metf", "plac", -1.90, 0.1414),
        ("Lewin2007", "metf", "plac", -0.82, 0.0992),
        ("Willms1999", "metf", "acar", -0.20, 0.3579),
        ("Davidson2007", "rosi", "plac", -1.34, 0.1435),
        ("Wolffenbuttel1999", "rosi", "plac", -1.10, 0.1141),
        ("Kipnes2001", "piog", "plac", -1.30, 0.1268),
        ("Kerenyi2004", "rosi", "plac", -0.77, 0.1078),
        ("Hanefeld2004", "piog", "metf", 0.16, 0.0849),
        ("Derosa2004", "piog", "rosi", 0.10, 0.1831),
        ("Baksi2004", "rosi", "plac", -1.30, 0.1014),
        ("Rosenstock2008", "rosi", "plac", -1.09, 0.2263),
        ("Zhu2003", "rosi", "plac", -1.50, 0.1624),
        ("Yang2003", "rosi", "metf", -0.14, 0.2239),
        ("Vongthavaravat2002", "rosi", "sulf", -1.20, 0.1436),
        ("Oyama2008", "acar", "sulf", -0.40, 0.1549),
        ("Costa1997", "acar", "plac", -0.80, 0.1432),
        ("Hermansen2007", "sita", "plac", -0.57, 0.1291),
        ("Garber2008", "vild", "plac", -0.70, 0.1273),
        ("Alex1998", "metf", "sulf", -0.37, 0.1184),
        ("Johnston1994", "migl", "plac", -0.74, 0.1839),
        ("Johnston1998a", "migl", "plac", -1.41, 0.2235),
        ("Kim2007", "rosi", "metf", 0.00, 0.2339),
        ("Johnston1998b", "migl", "plac", -0.68, 0.2828),
        ("Gonzalez-Ortiz2004", "metf", "plac", -0.40, 0.4356),
        ("Stucci1996", "benf", "plac", -0.23, 0.3467),
        ("Moulin2006", "benf", "plac", -1.01, 0.1366),
        ("Willms1999", "metf", "plac", -1.20, 0.3758),
        ("Willms1999", "acar", "plac", -1.00, 0.4669),
    ],
    columns=["study", "treat1", "treat2", "te", "se"],
)
DRUGS = ["acar", "benf", "metf", "migl", "piog", "rosi", "sita", "sulf", "vild"]
RANDOM = {  # against placebo: effect and standard error
    "acar": (-0.8417849382, 0.2458203057),
    "benf": (-0.7311472149, 0.2860750524),
    "metf": (-1.1267753512, 0.154266582),
    "migl": (-0.9497263777, 0.2317585377),
    "piog": (-1.1290919538, 0.2196381302),
    "rosi": (-1.233455753, 0.1278016419),
    "sita": (-0.57, 0.3540956554),
    "sulf": (-0.4165588002, 0.2408838117),
    "vild": (-0.7, 0.3534433662),
}
COMMON = dict(
    zip(
        DRUGS,
        [
            *(-0.827368972, -0.9051864494, -1.114110189, -0.9439329629, -1.0664331069),
            *(-1.2018420107, -0.57, -0.4394971506, -0.7),
        ],
        strict=True,
    )
)
BETWEEN_DRUGS = {  # random effects, contrasts without placebo
    ("acar", "benf"): (-0.1106377234, 0.3771823939),
    ("acar", "metf"): (0.284990413, 0.2580629573),
    ("metf", "rosi"): (0.1066804018, 0.1651709478),
    ("rosi", "sulf"): (-0.8168969528, 0.2371470211),
    ("piog", "rosi"): (0.1043637991, 0.2240281342),
    ("sita", "vild"): (0.13, 0.5003058527),
    ("sulf", "vild"): (0.2834411998, 0.427723303),
    ("migl", "piog"): (0.1793655761, 0.3193006859),
}
P_SCORES = {  # common, random
    "acar": (0.479183553591904, 0.520264415346934),
    "benf": (0.572664185085247, 0.435817023500372),
    "metf": (0.851277164945292, 0.781776531582271),
    "migl": (0.620004412248249, 0.613655528194324),
    "piog": (0.768632565564681, 0.774569730700626),
    "plac": (6.4907432449204e-07, 0.0138950538084336),
    "rosi": (0.978903244463782, 0.89336818125521),
    "sita": (0.238614641905226, 0.333099206416942),
    "sulf": (0.139491658740947, 0.210307659651169),
    "vild": (0.351227924380347, 0.423246669543718),
}
# study, then (treatment, events, patients) of each arm; A no contact, B self-help, C individual and D group counselling
SMOKING = [
    (1, ("A", 9, 140), ("C", 23, 140), ("D", 10, 138)),
    (2, ("B", 11, 78), ("C", 12, 85), ("D", 29, 170)),
    (3, ("A", 75, 731), ("C", 363, 714)),
    (4, ("A", 2, 106), ("C", 9, 205)),
    (5, ("A", 58, 549), ("C", 237, 1561)),
    (6, ("A", 0, 33), ("C", 9, 48)),
    (7, ("A", 3, 100), ("C", 31, 98)),
    (8, ("A", 1, 31), ("C", 26, 95)),
    (9, ("A", 6, 39), ("C", 17, 77)),
    (10, ("A", 79, 702), ("B", 77, 694)),
    (11, ("A", 18, 671), ("B", 21, 535)),
    (12, ("A", 64, 642), ("C", 107, 761)),
    (13, ("A", 5, 62), ("C", 8, 90)),
    (14, ("A", 20, 234), ("C", 34, 237)),
    (15, ("A", 0, 20), ("D", 9, 20)),
    (16, ("A", 8, 116), ("B", 19, 149)),
    (17, ("A", 95, 1107), ("C", 143, 1031)),
    (18, ("A", 15, 187), ("C", 36, 504)),
    (19, ("A", 78, 584), ("C", 73, 675)),
    (20, ("A", 69, 1177), ("C", 54, 888)),
    (21, ("B", 20, 49), ("C", 16, 43)),
    (22, ("B", 7, 66), ("D", 32, 127)),
    (23, ("C", 12, 76), ("D", 20, 74)),
    (24, ("C", 9, 55), ("D", 3, 26)),
]


def test_senn_network_equals_netmeta():
    random = network(SENN)
    assert (random.k, len(random.treatments), random.reference) == (26, 10, "plac")
    assert (random.q, random.q_df) == (pytest.approx(96.9855530052601, rel=1e-12), 18)
    assert random.tau2 == pytest.approx(0.108716923142419, rel=1e-12)
    assert random.i2 == pytest.approx(81.4405347577657, rel=1e-12)
    table = random.summary()
    for drug, (effect, se) in RANDOM.items():
        assert (table.loc[drug, "effect"], table.loc[drug, "se"]) == pytest.approx((effect, se), rel=1e-9)


def test_senn_common_effects_equal_netmeta():
    common = network(SENN, "common")
    assert common.tau2 == 0.0
    table = common.summary()
    for drug, effect in COMMON.items():
        assert table.loc[drug, "effect"] == pytest.approx(effect, rel=1e-9)


def test_senn_league_table_holds_every_comparison_of_netmeta():
    random = network(SENN)
    for (a, b), (effect, se) in BETWEEN_DRUGS.items():
        d = random.difference(a, b)
        assert (d["effect"], d["se"]) == pytest.approx((effect, se), rel=1e-9)
        low, high = effect - 1.959963985 * se, effect + 1.959963985 * se
        text = f"{effect:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
        assert random.league().loc[a, b] == text
    assert len(random.pairs()) == 45


def test_senn_p_scores_equal_netmeta():
    common, random = network(SENN, "common").p_scores("lower"), network(SENN).p_scores("lower")
    for treatment, (of_common, of_random) in P_SCORES.items():
        assert common[treatment] == pytest.approx(of_common, rel=1e-8)
        assert random[treatment] == pytest.approx(of_random, rel=1e-8)
    assert list(random.index[:3]) == ["rosi", "metf", "piog"]


def test_senn_q_decomposition_equals_netmeta():
    r = network(SENN).consistency()
    assert r.table["q"].to_numpy() == pytest.approx([96.985553005261, 74.455281735513, 22.530271269748], rel=1e-12)
    assert list(r.table["df"]) == [18, 11, 7]
    assert r.table.loc["between designs", "p"] == pytest.approx(0.0021, abs=6e-5)
    within = {
        "metf : plac": (42.16, 2),
        "plac : rosi": (21.27, 5),
        "benf : plac": (4.38, 1),
        "migl : plac": (6.45, 2),
        "metf : rosi": (0.19, 1),
    }
    for design, (q, df) in within.items():
        assert r.designs.loc[design, "q"] == pytest.approx(q, abs=6e-3)
        assert r.designs.loc[design, "df"] == df
    assert r.designs["q"].sum() == pytest.approx(74.455281735513)


def test_smoking_cessation_from_arms_equals_netmeta():
    arms = pd.DataFrame(
        [(study, *arm) for study, *found in SMOKING for arm in found], columns=["study", "treatment", "events", "n"]
    )
    table = contrasts(arms, "OR")
    assert len(table) == 28
    zero = table.set_index("study").loc["6"]
    assert (zero["te"], zero["se"]) == pytest.approx((-2.77968374609038, 1.46984024977533), rel=1e-12)
    for model, scores in (
        ("common", (0.0188255170973268, 0.316262623703612, 0.787825295028737, 0.877086564170324)),
        ("random", (0.0478871870493142, 0.404201861940132, 0.71032820917033, 0.837582741840224)),
    ):
        r = network(table, model, reference="A")
        assert r.p_scores("higher").loc[list("ABCD")].to_numpy() == pytest.approx(np.array(scores), rel=1e-8)
    r = network(table, reference="A")
    assert (r.k, r.q, r.q_df) == (24, pytest.approx(202.618871212979, rel=1e-12), 23)
    assert (r.tau2, r.i2) == pytest.approx((0.598875258924702, 88.6486387658216), rel=1e-12)
    published = {"B": (0.4162377049, 0.3681021952), "C": (0.7334060234, 0.218923644), "D": (0.902298208, 0.4115865072)}
    for treatment, (effect, se) in published.items():
        found = r.summary().loc[treatment]
        assert (found["effect"], found["se"]) == pytest.approx((effect, se), rel=1e-9)
    split = r.consistency().table
    assert split["q"].to_numpy() == pytest.approx([202.618871212977, 187.398534192084, 15.220337020893], rel=1e-11)
    assert list(split["df"]) == [23, 16, 7]


def test_without_a_loop_there_is_nothing_to_compare():
    star = network(SENN[SENN["treat2"].eq("plac") & SENN["study"].ne("Willms1999")])
    r = star.consistency()
    assert r.table.loc["between designs", "df"] == 0
    assert math.isnan(r.table.loc["between designs", "p"])
    assert "no loop" in r.report()
