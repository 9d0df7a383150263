"""The plain-language finding of a pooled effect: what it is, how far studies differ, what it does not show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from stromal.evidence.pooling.heterogeneity import ESTIMATORS
from stromal.evidence.pooling.wording import Scale, count, number, p_value, percent

if TYPE_CHECKING:  # the result knows its report, not the other way round
    from stromal.evidence.pooling.pool import Pooled

FEW: Final = 5
"""Below this many studies the variance between studies is hardly known (doi:10.1002/jrsm.1217)."""
DOUBTFUL: Final = 0.1
"""Below this p-value of Q the studies are said to differ; the test has little power, hence not 0.05."""
DOMINANT: Final = 50.0
"""A study with at least this weight [%] decides the result."""


def pooled_report(pooled: Pooled, scale: Scale) -> str:
    """See `Pooled.report`."""
    if pooled.k == 1:
        return _single(pooled, scale)
    return " ".join(
        [
            _what_was_done(pooled),
            _mean(pooled, scale),
            _between(pooled, scale),
            *_next_study(pooled, scale),
            *_caveats(pooled),
        ]
    )


def _single(pooled: Pooled, scale: Scale) -> str:
    own = (
        f"The {scale.name} in this study is {scale.text(pooled.mu)} "
        f"({percent(pooled.level)} interval {scale.span(pooled.ci_low, pooled.ci_high)})."
        if pooled.test == "z"
        else f"The {scale.name} in this study is {scale.text(pooled.mu)}; a Hartung-Knapp interval needs two studies."
    )
    return (
        f"Only one study ({pooled.labels[0]}): nothing was pooled. {own} How far other studies would differ is unknown."
    )


def _what_was_done(pooled: Pooled) -> str:
    studies = count(pooled.k, "study", "studies")
    if pooled.method == "EE":
        return f"{studies} were pooled as if all estimated one common effect."
    interval = {
        "z": "normal interval",
        "knha": "Hartung-Knapp interval",
        "adhoc": "Hartung-Knapp interval with the ad-hoc floor",
    }[pooled.test]
    return f"{studies} were pooled with a random-effects model ({ESTIMATORS[pooled.method].words}; {interval})."


def _mean(pooled: Pooled, scale: Scale) -> str:
    text = (
        f"The pooled {scale.name} is {scale.text(pooled.mu)} "
        f"({percent(pooled.level)} interval {scale.span(pooled.ci_low, pooled.ci_high)})"
    )
    if scale.null is None:
        return text + "."
    none = scale.text(scale.null)
    if scale.holds_null(pooled.ci_low, pooled.ci_high):
        return f"{text}, which includes no effect ({none}): the studies do not show whether there is one."
    side = "below" if pooled.mu < scale.null else "above"
    return f"{text}, which lies {side} no effect ({none})."


def _between(pooled: Pooled, scale: Scale) -> str:
    q = f"Q {number(pooled.q)}, {pooled.q_df} df, {p_value(pooled.q_p)}"
    if pooled.method == "EE":
        return f"Whether one common effect fits: {q}."
    facts = (
        f"tau² {number(pooled.tau2)}, {percent(pooled.level)} interval {number(pooled.tau2_low)} to "
        f"{number(pooled.tau2_high)}; I² {pooled.i2:.0f} %; {q}"
    )
    if pooled.tau2 == 0.0:
        return (
            f"No difference between studies beyond chance was found, which does not show that there is none ({facts})."
        )
    differ = "differ" if pooled.q_p < DOUBTFUL else "may differ"
    of_what = {"exp": "log ", "logistic": "logit "}.get(scale.back, "") + scale.name
    return (
        f"Studies {differ} by more than chance: the true {of_what} varies between them with a standard deviation of "
        f"{number(math.sqrt(pooled.tau2))} ({facts})."
    )


def _next_study(pooled: Pooled, scale: Scale) -> list[str]:
    if math.isnan(pooled.pi_low):
        return []
    text = (
        f"The true {scale.name} of a new, similar study is expected "
        f"{scale.between(pooled.pi_low, pooled.pi_high)} ({percent(pooled.level)} prediction interval)"
    )
    if scale.holds_null(pooled.pi_low, pooled.pi_high) and not scale.holds_null(pooled.ci_low, pooled.ci_high):
        return [f"{text}. This includes no effect: what holds on average need not hold in the next setting."]
    return [text + "."]


def _caveats(pooled: Pooled) -> list[str]:
    found = []
    if pooled.method == "EE" and pooled.i2 > 0.0:
        found.append(
            f"The results vary more than chance alone would make them (I² {pooled.i2:.0f} %); a random-effects model "
            "would give a wider interval."
        )
    if pooled.method != "EE" and pooled.k < FEW:
        advice = " and the interval may be too short; compare the Hartung-Knapp interval" if pooled.test == "z" else ""
        found.append(f"With {pooled.k} studies tau² is hardly known{advice}.")
    if pooled.test == "knha" and pooled.k > 1 and _narrowed(pooled):
        found.append(
            "The studies agree so well that the Hartung-Knapp standard error is below the ordinary one; the ad-hoc "
            "floor would undo that."
        )
    heaviest = int(pooled.weights.argmax())
    if pooled.k > 2 and pooled.weights[heaviest] >= DOMINANT:
        found.append(f"One study ({pooled.labels[heaviest]}) has {pooled.weights[heaviest]:.0f} % of the weight.")
    found.append("The result is no better than the studies: bias in them is not removed by pooling.")
    return found


def _narrowed(pooled: Pooled) -> bool:
    return pooled.se**2 < 1.0 / float((1.0 / (pooled.vi + pooled.tau2)).sum()) * (1.0 - 1e-12)
