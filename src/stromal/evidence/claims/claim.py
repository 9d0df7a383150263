"""A claim, and what supports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

from stromal.compute.content import content_hash

Kind = Literal["parameter", "mechanism", "outcome"]
Stance = Literal["supports", "contradicts", "mentions"]
Spread = Literal["", "between patients", "standard error", "confidence interval", "interquartile range", "range"]


@final
@dataclass(frozen=True)
class Claim:
    """One statement. Two papers that say the same support one claim; a corrected number is another claim.

    Attributes
    ----------
    subject : str
        What it is about: ``param:kdTCZ``, ``trial:SENSCIS/placebo``, ``cell:MSC``, ``product:...``.
    predicate : str
        For numbers what was measured (``half_life``, ``mRSS_change at week 52``); for mechanisms a relation of the
        Biological Expression Language (increases, decreases, regulates, association).
    object : str
        Of a mechanism.
    value, unit : str
        As the source reports them; conversions are derivations. Empty for mechanisms and results in words.
    low, high : str
        Interval of the value, of the kind `spread_of` says.
    spread, spread_of : str
        A spread (SD, SE) and what it is a spread of. A spread of unknown origin is not guessed: it stays empty.
    n : str
        Number of patients behind the value.
    context : mapping
        What must be known besides: week, population, statistic, species, disease ...
    """

    kind: Kind
    subject: str
    predicate: str
    object: str = ""
    value: str = ""
    unit: str = ""
    low: str = ""
    high: str = ""
    spread: str = ""
    spread_of: Spread = ""
    n: str = ""
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """First 16 digits of the SHA-256 of the statement."""
        return content_hash({**self.__dict__, "context": dict(self.context)})[:16]

    def __hash__(self) -> int:
        """By content."""
        return hash(self.id)

    @property
    def sentence(self) -> str:
        """The claim in words."""
        if self.object:
            return f"{self.subject} {self.predicate} {self.object}"
        number = f" {self.value} {self.unit}".rstrip() if self.value else ""
        return f"{self.subject}: {self.predicate}{number}"


@final
@dataclass(frozen=True)
class Support:
    """A passage that bears on a claim.

    Attributes
    ----------
    claim : str
        Its id.
    row : str
        Where it is in the shipped tables, e.g. ``R001``.
    record : str
        CURIE of the record of the paper.
    quote : str
        Verbatim, misprints included; white space and Unicode compatibility forms are folded.
    label : str
        A second passage of the same text that names the quantity or its unit, where the quote has only the number
        (the heading of a table).
    locator : str
        Where in the paper: abstract, table 2.
    secondary : bool
        Whether the text reports what another paper found.
    text_sha256, text_source, text_date : str
        The text in which the quote was found: hash of its bytes, where it was read, and when. Empty if the quote was
        compared with no text.
    derivation : str
        Name of the rule by which the claim's value follows from numbers of the quote; empty where it is printed, or
        where the rule and its numbers are to be found.
    inputs : tuple of str
        Numbers of the quote that the rule takes.
    by : str
        The person who accepted it, if anybody did.
    """

    claim: str
    row: str
    record: str
    stance: Stance
    quote: str
    label: str = ""
    locator: str = ""
    secondary: bool = False
    text_sha256: str = ""
    text_source: str = ""
    text_date: str = ""
    derivation: str = ""
    inputs: tuple[str, ...] = ()
    note: str = ""
    by: str = ""
