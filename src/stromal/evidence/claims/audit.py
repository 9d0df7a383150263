"""What the evidence base lacks: the list a sceptical reader would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import pandas as pd

from stromal.evidence.claims.base import Base, Supported
from stromal.evidence.claims.derivations import derived

AGREEMENT: Final = 0.1
"""A parameter agrees with the value that follows from its claim up to this share of the latter."""
NEEDS_SUPPORT: Final = ("measured", "derived")
"""Origins of parameters that must rest on a claim."""


@final
@dataclass(frozen=True)
class Gap:
    """Something without a checked passage.

    Attributes
    ----------
    what : str
        Symbol of a parameter, or row of a table.
    claim : str
        In words.
    reasons : tuple of str
        Why no passage counts.
    """

    what: str
    claim: str
    reasons: tuple[str, ...]


@final
@dataclass(frozen=True)
class Audit:
    """Findings on the shipped base.

    Attributes
    ----------
    origins : mapping from origin to number of parameters
    parameters_without : tuple of Gap
        Measured or derived parameters without a checked claim.
    disagreeing : tuple of (symbol, value, derived value, rule)
        Parameters whose value is not what their claim gives.
    rows : mapping from table to (claims, of which checked)
    rows_without : tuple of Gap
        Claims of the tables that calibration uses without a checked passage.
    unverified : int
        Passages that were compared with no text.
    contradictions : tuple of str
    retracted : tuple of str
        Records.
    accepted : int
        Claims for which a person has signed.
    """

    origins: Mapping[str, int]
    parameters_without: tuple[Gap, ...]
    disagreeing: tuple[tuple[str, float, float, str], ...]
    rows: Mapping[str, tuple[int, int]]
    rows_without: tuple[Gap, ...]
    unverified: int
    contradictions: tuple[str, ...]
    retracted: tuple[str, ...]
    accepted: int

    @property
    def share_assumed(self) -> float:
        """Share of the parameters that rest on nothing but judgement."""
        return self.origins.get("assumed", 0) / max(sum(self.origins.values()), 1)

    def summary(self) -> dict[str, Any]:
        """Everything as plain data."""
        gaps = {
            name: [{"what": g.what, "claim": g.claim, "reasons": list(g.reasons)} for g in getattr(self, name)]
            for name in ("parameters_without", "rows_without")
        }
        return {
            "share_assumed": self.share_assumed,
            "parameters": dict(self.origins),
            "tables": {k: {"claims": n, "checked": c} for k, (n, c) in self.rows.items()},
            "disagreeing": [
                dict(zip(("symbol", "value", "derived", "rule"), d, strict=True)) for d in self.disagreeing
            ],
            "unverified_quotes": self.unverified,
            "contradictions": list(self.contradictions),
            "retracted": list(self.retracted),
            "accepted": self.accepted,
            **gaps,
        }


def audit(base: Base, parameters: pd.DataFrame, used: Iterable[str]) -> Audit:
    """Look through a base of claims.

    Parameters
    ----------
    parameters : DataFrame
        The table of the model: columns `symbol`, `name`, `value`, `origin`.
    used : iterable of str
        Rows of the tables that calibration uses.
    """
    best = _best(base.supported)
    wanted = set(used)
    rows: dict[str, list[bool]] = {}
    for (row, _), mine in best.items():
        rows.setdefault(row[0], []).append(mine.checked)
    return Audit(
        origins=dict(Counter(str(o) for o in parameters["origin"])),
        parameters_without=_unsupported(base, parameters),
        disagreeing=_disagreeing(base, parameters),
        rows={_TABLES[k]: (len(v), sum(v)) for k, v in sorted(rows.items())},
        rows_without=tuple(
            Gap(row, s.claim.sentence, s.judgement.reasons)
            for (row, _), s in best.items()
            if row in wanted and not s.checked
        ),
        unverified=sum(s.support is not None and not s.support.text_sha256 for s in base.supported),
        contradictions=_contradictions(base),
        retracted=tuple(k for k, item in base.items.items() if item.get("custom", {}).get("retracted")),
        accepted=sum(s.judgement.status == "accepted" for s in base.supported),
    )


_TABLES: Final = {
    "A": "arms at entry",
    "R": "results of arms",
    "T": "trials of MSC",
    "P": "parameters of MSC",
    "M": "manufacture of MSC",
    "B": "what model parameters rest on",
    "F": "mechanisms of the founding review",
}


def _best(supported: Iterable[Supported]) -> dict[tuple[str, str], Supported]:
    """Of each claim in a row the support that is worth most: checked, else that with the fewest reasons against it."""
    best: dict[tuple[str, str], Supported] = {}
    for s in supported:
        key = s.row, s.claim.id
        if key not in best or _worth(s) > _worth(best[key]):
            best[key] = s
    return best


def _worth(s: Supported) -> tuple[bool, int]:
    return s.checked, -len(s.judgement.reasons)


def _unsupported(base: Base, parameters: pd.DataFrame) -> tuple[Gap, ...]:
    gaps = []
    needing = parameters[parameters["origin"].isin(NEEDS_SUPPORT)]
    for symbol, name in zip(needing["symbol"], needing["name"], strict=True):
        mine = base.about(f"param:{symbol}")
        if any(s.checked and s.claim.value for s in mine):
            continue
        reasons = dict.fromkeys(r for s in mine for r in s.judgement.reasons)
        if mine and not any(s.claim.value for s in mine):
            reasons = dict.fromkeys(["the passage has no number"]) | reasons
        gaps.append(Gap(str(symbol), str(name), tuple(reasons) or ("no claim is about it",)))
    return tuple(gaps)


def _disagreeing(base: Base, parameters: pd.DataFrame) -> tuple[tuple[str, float, float, str], ...]:
    found = []
    origins = dict(zip(parameters["symbol"], parameters["origin"], strict=True))
    for symbol, value in zip(parameters["symbol"], parameters["value"], strict=True):
        rule, inputs = base.derivations.get(f"param:{symbol}", ("", ()))
        if origins[symbol] not in NEEDS_SUPPORT or not inputs:
            continue
        expected = derived(rule, inputs) if rule else inputs[0]
        if abs(float(value) - expected) > AGREEMENT * abs(expected):
            found.append((str(symbol), float(value), expected, rule or "as reported"))
    return tuple(found)


def _contradictions(base: Base) -> tuple[str, ...]:
    """Claims with passages for and against, and claims that give one quantity two values."""
    stances: dict[str, set[str]] = {}
    values: dict[tuple[object, ...], dict[str, str]] = {}
    for s in base.supported:
        if s.support:
            stances.setdefault(s.claim.sentence, set()).add(s.support.stance)
        if s.claim.value:
            c = s.claim
            key = c.subject, c.predicate, c.unit, tuple(sorted(c.context.items()))
            values.setdefault(key, {})[c.value] = s.row
    both = [f"for and against: {k}" for k, v in stances.items() if {"supports", "contradicts"} <= v]
    two = [
        f"{subject}: {predicate} is " + " and ".join(f"{value} ({row})" for value, row in found.items())
        for (subject, predicate, *_), found in values.items()
        if len(found) > 1
    ]
    return tuple(both + two)
