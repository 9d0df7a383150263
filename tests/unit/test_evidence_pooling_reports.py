"""What a clinician reads: tables and plain-language findings, with the caveats where they belong."""

import math

import pandas as pd
import pytest

from stromal.evidence.pooling import (
    SCALES,
    Scale,
    begg,
    cumulative,
    egger,
    leave_one_out,
    log_risk_ratio,
    mantel_haenszel,
    network,
    pool,
    regress,
    single_mean,
    subgroups,
    trim_and_fill,
)
from stromal.evidence.pooling.wording import number, p_value

SCORE = Scale("difference in skin score", "points")
SPREAD = pool([-8.0, -1.0, -6.0, 0.5, -7.0, -2.0], [1.0, 0.8, 1.2, 0.9, 1.1, 1.0])
ALIKE = pool([-3.0, -3.2, -2.9], [1.0, 1.2, 0.8])


def test_a_finding_says_effect_spread_and_next_study():
    text = SPREAD.report(SCORE)
    assert text.startswith("6 studies were pooled with a random-effects model (restricted maximum likelihood; normal")
    assert "The pooled difference in skin score is −3.89 points (95 % interval −6.72 to −1.06)" in text
    assert "lies below no effect (0.00 points)" in text
    assert "Studies differ by more than chance" in text
    assert "new, similar study is expected between −11.1 and 3.33 points (95 % prediction interval)" in text
    assert "This includes no effect: what holds on average need not hold in the next setting." in text
    assert text.endswith("bias in them is not removed by pooling.")


def test_an_interval_that_includes_no_effect_shows_nothing():
    text = pool([-1.0, 1.2, 0.3, 0.1, -0.4, 0.2], [0.5] * 6).report(SCORE)
    assert "includes no effect (0.00 points): the studies do not show whether there is one" in text


def test_ratios_are_written_as_ratios_and_their_spread_as_logarithms():
    effects = log_risk_ratio([10, 2, 30, 8], [100, 90, 110, 70], [20, 22, 28, 15], [100, 95, 100, 80])
    text = pool(effects.yi, effects.vi).report(effects.scale)
    r = pool(effects.yi, effects.vi)
    assert f"pooled risk ratio is {math.exp(r.mu):.2f} (95 % interval {math.exp(r.ci_low):.2f} to" in text
    assert "no effect (1.00)" in text
    assert "the true log risk ratio varies" in text


def test_few_studies_and_agreement_by_luck_are_said():
    text = ALIKE.report(SCORE)
    assert "With 3 studies tau² is hardly known and the interval may be too short" in text
    assert "which does not show that there is none" in text
    assert "Hartung-Knapp standard error is below the ordinary one" in pool(ALIKE.yi, ALIKE.vi, test="knha").report()
    assert "ad-hoc floor would" not in pool(ALIKE.yi, ALIKE.vi, test="adhoc").report()
    assert "hardly known" not in SPREAD.report()


def test_a_dominant_study_is_named():
    text = pool([1.0, 2.0, 1.5], [0.001, 1.0, 1.0], labels=["big", "small", "tiny"]).report()
    assert "One study (big) has 100 % of the weight" in text
    assert "of the weight" not in SPREAD.report()


def test_a_common_effect_that_does_not_fit_is_said():
    text = pool(SPREAD.yi, SPREAD.vi, "EE").report(SCORE)
    assert "as if all estimated one common effect" in text
    assert "a random-effects model would give a wider interval" in text
    assert "prediction interval" not in text


def test_one_study_is_not_called_a_pool():
    text = pool([0.4], [0.09], labels=["Xu 2020"]).report()
    assert text.startswith("Only one study (Xu 2020): nothing was pooled.")
    assert "needs two studies" in pool([0.4], [0.09], test="knha").report()


def test_single_arms_are_not_compared_with_no_effect():
    effects = single_mean([-4.0, -5.5, -3.1], [3.0, 4.0, 5.0], [20, 15, 30])
    text = pool(effects.yi, effects.vi).report(effects.scale)
    assert "no effect" not in text
    assert "The mean mean" not in text


def test_tables_hold_what_the_result_holds():
    table = SPREAD.summary()
    assert table.loc["effect", ["value", "low", "high", "p"]].tolist() == [
        SPREAD.mu,
        SPREAD.ci_low,
        SPREAD.ci_high,
        SPREAD.p,
    ]
    assert table.loc["prediction", "low"] == SPREAD.pi_low
    assert table.loc["q", "p"] == SPREAD.q_p
    studies = SPREAD.studies()
    assert list(studies.columns) == ["effect", "se", "ci_low", "ci_high", "weight", "shrunken"]
    # a shrunken effect lies between the study's own and the mean
    for _, row in studies.iterrows():
        assert min(row["effect"], SPREAD.mu) <= row["shrunken"] <= max(row["effect"], SPREAD.mu)


def test_leave_one_out_names_the_study_that_decides():
    r = leave_one_out(pool([-3.0, -0.6, -0.4, -0.5], [0.1, 0.1, 0.1, 0.1], "EE", labels=["A", "B", "C", "D"]))
    assert list(r.summary().index) == ["A", "B", "C", "D"]
    assert r.summary().loc["A", "effect"] == pytest.approx(-0.5)
    steady = leave_one_out(pool([-3.0, -3.1, -2.9, -3.0], [0.1] * 4)).report()
    assert "No single study decides" in steady
    shaky = leave_one_out(pool([-2.0, -0.3, 0.0, -0.2], [0.1] * 4, "EE", labels=["A", "B", "C", "D"])).report(SCORE)
    assert "depends on a single study: A." in shaky


def test_cumulative_pooling_says_since_when():
    r = cumulative(pool([0.1, -2.0, -2.1, -2.2], [0.2] * 4, "EE", labels="abcd"))
    table = r.summary()
    assert list(table["k"]) == [1, 2, 3, 4]
    assert table["effect"].iloc[-1] == pytest.approx(-1.55)
    assert "excluded no effect since b was added" in r.report(SCORE)
    assert "includes no effect" in cumulative(pool([0.1, -0.2], [0.2] * 2)).report()


def test_subgroup_reports_warn_of_single_studies_and_of_comparing_intervals():
    r = subgroups([-1.0, -1.2, -4.0, -0.9], [0.2] * 4, ["open", "open", "blind", "open"], test="knha")
    text = r.report(SCORE)
    assert "blind (1 study): −4.00 points (no interval)" in text
    assert "A group of one study says nothing about differences within it (blind)" in text
    assert "The groups differ" in text
    assert list(r.summary().index) == ["open", "blind", "all studies"]
    assert r.summary().loc["all studies", "k"] == 4
    one = subgroups([-1.0, -1.2], [0.2] * 2, ["open", "open"])
    assert math.isnan(one.q_between_p)
    assert "groups" not in one.report().split(".")[1]


def test_regression_reports_say_that_studies_are_compared():
    text = regress(SPREAD.yi, SPREAD.vi, {"year": [1, 2, 3, 4, 5, 6]}, test="knha").report(SCORE)
    assert "year" in text
    assert "F(1, 4)" in text
    assert "With 6 studies this is exploratory" in text
    assert "It compares studies, not patients" in text


def test_small_study_reports_never_call_it_publication_bias():
    r = pool([-1.0, -1.2, -2.4, -3.8, -0.9], [0.02, 0.04, 0.5, 1.4, 0.01])
    for result in (egger(r), egger(r, "classic"), begg(r)):
        assert "With 5 studies the test has little power" in result.report()
        assert "publication bias" not in result.report()
        assert result.summary().loc[result.name, "p"] == result.p
    same = begg(pool([1.0, 2.0, 4.0], [1.0, 1.0, 1.0]))
    assert math.isnan(same.p)
    assert "cannot be computed" in same.report()


def test_trim_and_fill_says_that_imputed_studies_are_not_data():
    r = trim_and_fill(pool([-0.5, -0.6, -0.9, -1.8, -2.6, -3.1], [0.02, 0.03, 0.2, 0.5, 0.8, 0.9]))
    assert (r.filled, r.side) == (3, "right")
    assert "not data" in r.report(SCORE)
    assert r.summary().loc["after", "k"] == r.before.k + r.filled
    assert all(label.startswith("imputed opposite") for label in r.after.labels[r.before.k :])
    none = trim_and_fill(pool([-1.0, 0.0, 1.0], [0.1, 0.1, 0.1]))
    assert none.filled == 0
    assert "finds no study missing" in none.report()


def test_two_by_two_reports_count_studies_without_information():
    r = mantel_haenszel([0, 5, 7], [10, 40, 50], [0, 9, 12], [11, 42, 55], "OR")
    assert (r.k, r.informative, r.q_df) == (3, 2, 1)
    assert "1 study without information had no weight" in r.report()
    assert "odds ratio is" in r.report()
    assert r.summary().loc["effect", "value"] == r.mu
    rd = mantel_haenszel([0, 5, 7], [10, 40, 50], [0, 9, 12], [11, 42, 55], "RD")
    assert rd.informative == 3


def test_network_reports_name_indirect_comparisons_and_distrust_ranks():
    studies = pd.DataFrame(
        [
            ("s1", "cells", "placebo", -2.0, 0.5),
            ("s2", "drug", "placebo", -1.0, 0.4),
            ("s3", "drug", "placebo", -1.4, 0.6),
            ("s4", "cells", "drug", -0.8, 0.7),
            ("s5", "drug", "transplant", 3.0, 0.9),
        ],
        columns=["study", "treat1", "treat2", "te", "se"],
    )
    found = network(studies, reference="placebo")
    text = found.report("lower", SCORE)
    assert text.startswith("5 studies compare 4 treatments in one network")
    assert "No study compares transplant with placebo directly" in text
    assert "Ranked by P-score, transplant comes first" in text
    assert "direct and indirect evidence" in text
    assert found.summary().loc["drug", "direct"] == 2
    league = found.league(SCORE)
    assert league.loc["cells", "cells"] == "cells"
    assert league.loc["cells", "placebo"].startswith("−1.98 (")
    chain = network(studies.iloc[[0, 3]])
    assert "too few studies to see whether they differ" in chain.report("lower")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (-1.234, "−1.23"),
        (12.345, "12.3"),
        (-123.4, "−123"),
        (0.00312, "0.0031"),
        (3.2e-7, "3.2e−07"),
        (4.2e9, "4.2e+09"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
        (9.999, "10.00"),
    ],
)
def test_numbers_have_the_digits_that_matter(x, text):
    assert number(x) == text


def test_p_values_are_never_zero():
    assert [p_value(x) for x in (0.0, 0.0123, 0.4567, math.nan)] == [
        "p < 0.001",
        "p = 0.012",
        "p = 0.46",
        "p not available",
    ]


def test_scales_turn_back_to_what_was_counted():
    assert SCALES["OR"].value(math.log(2.0)) == pytest.approx(2.0)
    assert SCALES["PLO"].value(math.log(0.25 / 0.75)) == pytest.approx(0.25)
    assert SCALES["OR"].value(1e4) == math.inf
    assert not SCALES["PLO"].holds_null(-1.0, 1.0)
