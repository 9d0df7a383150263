"""Whether a passage supports a claim: what can be checked without trusting anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, final

from stromal.evidence.claims.claim import Claim, Support
from stromal.evidence.claims.derivations import explained, follows
from stromal.evidence.claims.numbers import folded, is_printed, number, numbers

Status = Literal["draft", "checked", "accepted", "rejected"]

UNIT_WORDS: Final[Mapping[str, str]] = {
    "points": r"rodnan|mrss|skin (thickness )?score|\btss\b|score|function|points",
    "% predicted": r"pred|\bp?fvc|forced vital|vital capacity|dlco|diffusing",
    "%": r"%|per ?cent",
    "mL": r"\bml\b|millilit",
    "mL/yr": r"ml.{0,3}(/|per|·)?.{0,3}y|millilitres? per year",
    "events/100 person-years": r"(person|patient)[- ]years",
    "months": r"\bmo(nths?)?\b|years?",
    "years": r"\by(ears?|rs?)?\b|\baged?\b",
    "d": r"days?\b|\bd\b",
    "h": r"hours?\b|\bh\b|hrs?\b",
    "1/d": r"days?\b|/d\b",
    "1/y": r"year|month",
    "USD/dose": r"(us)?\$.*dose|usd",
}
"""Words by which a passage names a unit. The longest that a unit begins with counts; a unit without any must be
printed as it stands."""
UNITLESS: Final = re.compile(r"^$|count|fraction|ratio|^patients$|dimensionless|text|cells|lots|donors", re.I)
"""Units of counts, shares and ratios: their noun is in the sentence, in words of its own."""
OF_COUNTS: Final = frozenset(["proportion", "percentage of counts"])
"""Rules whose result has a unit that the paper need not print."""
REVIEWS: Final = frozenset(["review"])
"""Designs whose statements never support a number."""


@final
@dataclass(frozen=True)
class Judgement:
    """What a support is worth.

    Attributes
    ----------
    status : {"draft", "checked", "accepted", "rejected"}
        Checked: the quote was found verbatim in a text that is named by its hash, and for a number it prints value and
        unit. Accepted: checked, and a named person stands for it. Rejected: the record is retracted.
    reasons : tuple of str
        Why it is not checked.
    derivation : str
        Rule by which the value follows from the printed numbers; empty where it is printed as it stands.
    """

    status: Status
    reasons: tuple[str, ...]
    derivation: str = ""


def judged(claim: Claim, support: Support, item: Mapping[str, object]) -> Judgement:
    """Judge a support of a claim.

    Parameters
    ----------
    item : mapping
        The record's CSL item; ``custom.design`` is its study design, ``custom.retracted`` marks a retracted one.
    """
    custom = item.get("custom")
    about: Mapping[str, object] = custom if isinstance(custom, Mapping) else {}
    if about.get("retracted"):
        return Judgement("rejected", ("the record is retracted",))
    reasons = []
    if not (support.text_sha256 and support.text_source and support.text_date):
        reasons.append("the quote was not compared with the text of the source")
    if support.stance == "mentions":
        reasons.append("the passage names the subject, but not this value")
    derivation = ""
    if numbers(claim.value):
        if about.get("design") in REVIEWS:
            reasons.append("a review's statement supports no number")
        elif support.secondary:
            reasons.append("the text reports what another paper found")
        derivation = _explanation(claim, support, reasons)
        if derivation not in OF_COUNTS and not _names_unit(claim.unit, f"{support.quote} {support.label}"):
            reasons.append(f"the unit ({claim.unit}) is not in the quote")
    if reasons:
        return Judgement("draft", tuple(reasons), derivation)
    return Judgement("accepted" if support.by else "checked", (), derivation)


def is_verbatim(passage: str, text: str) -> bool:
    """Whether a passage stands in a text, word for word."""
    return bool(passage) and folded(passage) in folded(text)


def _explanation(claim: Claim, support: Support, reasons: list[str]) -> str:
    """How the quote gives the value; a reason is added where it does not."""
    value, printed = number(claim.value), numbers(support.quote)
    if value is None:  # a result in words has no number, several numbers must all be there
        missing = [n for n in numbers(claim.value) if abs(n) not in {abs(p) for p in printed}]
        if missing:
            reasons.append(f"the value ({claim.value}) is not in the quote")
        return ""
    if is_printed(value, support.quote):
        return ""
    if support.derivation:
        unseen = [i for i in support.inputs if not is_printed(Decimal(i), support.quote)]
        if not unseen and follows(value, support.derivation, [float(i) for i in support.inputs]):
            return support.derivation
    rule = explained(value, claim.unit, printed)
    if rule:
        return rule[0]
    reasons.append(f"the value ({claim.value}) is not in the quote")
    return ""


def _names_unit(unit: str, text: str) -> bool:
    if UNITLESS.search(unit):
        return True
    known = [u for u in UNIT_WORDS if unit.startswith(u)]
    if known:
        return bool(re.search(UNIT_WORDS[max(known, key=len)], text, re.IGNORECASE))
    return folded(unit).lower() in folded(text).lower()
