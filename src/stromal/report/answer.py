"""The answer in words: sentences computed from the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stromal.design.endpoints import EndPoint
from stromal.design.trial import TrialDesign
from stromal.evidence import msc_changes, placebo_differences
from stromal.report.wording import (
    comparison,
    listed,
    number,
    on_scale,
    outcome,
    percent,
    percent_with_error,
    plain,
    row_of,
    scale,
    unit,
    value_with_error,
)
from stromal.trial.operating import share_with_error

Summary = Mapping[str, Any]
WEEKS_AROUND = 8.0
"""Published values this near to a visit are set beside it [weeks]."""


def headline(design: TrialDesign) -> EndPoint:
    """The end point that the answer is about: the first that asks about efficacy, else the first of all."""
    efficacy = [e for e in design.endpoints if e.kind != "event"]
    primary = [e for e in efficacy if e.role == "primary"]
    return (primary or efficacy or list(design.endpoints))[0]


def role_sentence(design: TrialDesign) -> str:
    """Which end point the answer is about, and what the design says of its rank."""
    endpoint = headline(design)
    text = f"The answer is about the {outcome(endpoint)} ({comparison(endpoint)})."
    if endpoint.role == "primary":
        return text + " It is the primary end point of the design."
    primary = [outcome(e) for e in design.endpoints if e.role == "primary"]
    if not primary:
        return f"{text} The design calls none of its end points primary."
    return (
        f"{text} It is a secondary end point. The design's primary end point is {listed(primary)}, which says "
        "nothing about efficacy."
    )


def answer(design: TrialDesign, summary: Summary, replicates: pd.DataFrame) -> list[str]:
    """The answer, one sentence or two each."""
    endpoint = headline(design)
    if endpoint.contrast is None:
        return _without_control(design, summary)
    row, n = row_of(summary, endpoint.name), int(summary["replicates"])
    return [
        _nothing(endpoint, row, n),
        _stated(endpoint, row, n),
        *_beside_drugs(endpoint, row),
        _believed(summary, row, n),
        *_where_they_work(endpoint, replicates),
        *_of_the_successes(endpoint, replicates),
        _estimate_alone(endpoint, row),
    ]


def _nothing(endpoint: EndPoint, row: Mapping[str, Any], n: int) -> str:
    two = endpoint.sides == 2
    direction = "in either direction" if two else "in favour of treatment"
    favour = f" ({percent(row['false_success'])} in favour of the cells)" if two and row["false_success"] else ""
    return (
        f"If the cells do nothing, {_share(row, 'type_one_error', n)} of such trials would still report a "
        f"statistically significant difference {direction}{favour}; the test is set to {percent(endpoint.alpha)}."
    )


def _stated(endpoint: EndPoint, row: Mapping[str, Any], n: int) -> str:
    size = ""
    if row["truth"] is not None:
        error = None if row["truth_mcse"] is None else row["truth_mcse"] * scale(endpoint)
        digits = 2 if endpoint.kind == "change" else 1
        true = value_with_error(row["truth"] * scale(endpoint), error, digits)
        size = f" (a true difference of {true} {unit(endpoint)} in these patients)"
    missed = "" if row["power"] is None else f"; the other {percent(1.0 - row['power'])} would miss it"
    return (
        f"If the effect is as the design states{size}, {_share(row, 'power', n)} of such trials would find it{missed}."
    )


def _beside_drugs(endpoint: EndPoint, row: Mapping[str, Any]) -> list[str]:
    """The stated effect beside what drugs achieved against placebo."""
    week = endpoint.day / 7.0
    published = placebo_differences(week - WEEKS_AROUND, week + WEEKS_AROUND)
    if (endpoint.kind, endpoint.measure) != ("change", "mrss") or row["truth"] is None or published.empty:
        return []
    drugs = listed([f"{number(p.value, 2)} ({p.comparison}, {p.trial})" for p in published.itertuples()])
    verdict = (
        "The stated effect is larger than each of them: a world in which it is true is an optimistic one."
        if row["truth"] < published["value"].min()
        else "The stated effect is within or below their range."
    )
    text = (
        f"For comparison, placebo-controlled differences of drugs on file at about that time: {drugs}. {verdict} "
        "Earlier and larger differences of trials that stand apart (DESIRES, brodalumab) are left out."
    )
    return [text]


def _believed(summary: Summary, row: Mapping[str, Any], n: int) -> str:
    effect = summary["effect"]
    return (
        f"Averaged over what is believed today ({percent(effect['posterior_share_at_zero'], 0)} chance that the cells "
        f"do nothing; {percent(effect['prior_share_at_zero'], 0)} before calibration to a published series), the "
        f"probability that such a trial succeeds is {_share(row, 'probability_of_success', n)}. To succeed means "
        "a statistically significant result in favour of treatment in this end point, not a benefit that patients "
        "notice, and not approval."
    )


def _where_they_work(endpoint: EndPoint, replicates: pd.DataFrame) -> list[str]:
    """What today's belief means in the patients of this trial."""
    own = replicates[(replicates["scenario"] == "prior") & (replicates["endpoint"] == endpoint.name)]
    working = own.loc[own["msc_effect"] > 0.0, "estimate"].dropna()
    if working.empty:
        return []
    text = (
        f"In the {len(working)} of these trials in which the cells do work, the mean estimate is "
        f"{on_scale(endpoint, float(working.mean()))}: the prior of the effect is set on the model's reference "
        "patient and means more in these patients, so the belief began as an optimistic one."
    )
    return [text]


def _of_the_successes(endpoint: EndPoint, replicates: pd.DataFrame) -> list[str]:
    own = replicates[(replicates["scenario"] == "prior") & (replicates["endpoint"] == endpoint.name)]
    found = own[own["favours_treatment"]]
    if found.empty:
        return []
    idle = found["msc_effect"] == 0.0
    share = percent_with_error(*share_with_error(idle), len(found))
    trials = "trial" if len(found) == 1 else "trials"
    text = (
        f"Of the {len(found)} simulated {trials} that succeeded under what is believed today, {share} had cells "
        "that do nothing. A success would raise the probability that the cells work; it would not settle it."
    )
    return [text]


def _estimate_alone(endpoint: EndPoint, row: Mapping[str, Any]) -> str:
    null, stated = row["estimates_null"], row["estimates_reference"]
    parts = [
        f"between {on_scale(endpoint, e['p05'])} and {on_scale(endpoint, e['p95'])} {world}"
        for e, world in ((null, "if the cells do nothing"), (stated, "if the effect is as stated"))
    ]
    return (
        f"A single trial of this size would estimate the difference with a wide margin: nine in ten would report "
        f"{' and '.join(parts)}."
    )


def _without_control(design: TrialDesign, summary: Summary) -> list[str]:
    endpoint = headline(design)
    row, n = row_of(summary, endpoint.name), int(summary["replicates"])
    null, stated = row["estimates_null"], row["estimates_reference"]
    what = "mean change" if endpoint.kind == "change" else "share"
    opening = (
        f"This design has no control group. If the cells do nothing, such a series would still report a {what} of "
        f"{on_scale(endpoint, null['mean'])} (nine in ten series between {on_scale(endpoint, null['p05'])} and "
        f"{on_scale(endpoint, null['p95'])}). If the effect is as the design states, it would report "
        f"{on_scale(endpoint, stated['mean'])} ({on_scale(endpoint, stated['p05'])} to "
        f"{on_scale(endpoint, stated['p95'])}). Without a control group nobody could tell which of the two it is."
    )
    sentences = [opening]
    if endpoint.kind == "change":
        sentences += [*_where_it_comes_from(endpoint, design, summary), *_beside_published(endpoint, null["mean"])]
        sentences.append(
            f"A test of the mean change against no change at all would be significant in "
            f"{_share(row, 'type_one_error', n)} of such series although the cells do nothing: that test does not "
            "ask whether the cells work. Power and probability of success have no meaning here and are not given."
        )
    return sentences


def _where_it_comes_from(endpoint: EndPoint, design: TrialDesign, summary: Summary) -> list[str]:
    true = [
        t["mean"]
        for t in summary["trajectories"]
        if (t["scenario"], t["day"], t["readout"], t["value"])
        == ("null", endpoint.day, endpoint.measure, "true change")
    ]
    seen = row_of(summary, endpoint.name)["estimates_null"]["mean"]
    if not true or seen is None:
        return []
    rest = seen - true[0]
    expectation = "" if design.blinded else "expectation of an unblinded rater and patient, "
    text = (
        f"Of the {on_scale(endpoint, seen)} without any effect, {on_scale(endpoint, true[0])} are the true course of "
        f"the disease under background drugs. The other {on_scale(endpoint, rest)} are how patients were chosen and "
        f"measured: regression to the mean, {expectation}who was still seen, and chance between studies."
    )
    return [text]


def _beside_published(endpoint: EndPoint, null_mean: float | None) -> list[str]:
    if endpoint.measure != "mrss" or null_mean is None:
        return []
    week = endpoint.day / 7.0
    published = msc_changes("mRSS_change", week - WEEKS_AROUND, week + WEEKS_AROUND)
    return [
        f"The published uncontrolled series of {p.background} ({p.trial}, {p.n:.0f} patients) reported "
        f"{number(p.value)} points at week {p.week:.0f}. "
        f"In the patients simulated here {_share_of(null_mean, p.value)} with no effect at all."
        for p in published.itertuples()
    ]


def _share_of(null_mean: float, published: float) -> str:
    share = null_mean / published
    if share >= 1.0:
        return f"at least as much appears ({number(null_mean)})"
    if share <= 0.0:
        return f"none of it appears ({number(null_mean)})"
    return f"a change of {number(null_mean)}, {percent(share, 0)} of that, appears"


def _share(row: Mapping[str, Any], key: str, n: int) -> str:
    return percent_with_error(row[key], row[f"{key}_mcse"], n)


def idle_responders(design: TrialDesign, summary: Summary) -> list[str]:
    """How many respond although the cells do nothing, for each responder end point."""
    sentences = []
    for endpoint in (e for e in design.endpoints if e.kind == "responder"):
        row = row_of(summary, endpoint.name)
        null, stated = row["estimates_null"], row["estimates_reference"]
        if endpoint.contrast is None:
            sentences.append(
                f"{percent(null['mean'])} of the patients would count as responders although the cells do nothing "
                f"({outcome(endpoint)}); {percent(stated['mean'])} if the effect is as stated."
            )
            continue
        shares = _arm_shares(summary, endpoint)
        if shares:
            sentences.append(
                f"If the cells do nothing, {listed(shares)} would still count as responders ({outcome(endpoint)}; "
                "who dies or leaves is no responder)."
            )
        sentences.append(
            f"If the cells do nothing, the difference in responders ({comparison(endpoint)}) is "
            f"{on_scale(endpoint, null['mean'])} on average, but between {on_scale(endpoint, null['p05'])} and "
            f"{on_scale(endpoint, null['p95'])} in nine of ten single trials; if the effect is as stated, it is "
            f"{on_scale(endpoint, stated['mean'])} on average."
        )
    return sentences


def _arm_shares(summary: Summary, endpoint: EndPoint) -> list[str]:
    """Share of responders of each arm without an effect."""
    patients = {row["arm"]: row["patients"] for row in summary["safety"]}
    return [
        f"{percent_with_error(r['share'], r['share_mcse'], patients[r['arm']])} of the arm {plain(r['arm'])}"
        for r in summary["responders"]
        if (r["scenario"], r["endpoint"]) == ("null", endpoint.name) and r["share"] is not None
    ]
