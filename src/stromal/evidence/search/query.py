"""What a person may ask for, and how it is read from a line of text.

::

    systemic sclerosis            both words, anywhere in title, authors, keywords or abstract
    "skin score"                  these words in this order
    sclero*                       words that begin so
    title:fibrosis                in one field; also author, journal, keyword, abstract, language, type, design, status
    year:2010..2020  year:2010-   years; also year:2015 and year:-2005
    doi:10.1000/x  pmid:1  nct:NCT00000000     the work with this identifier
    a AND b, a OR b, NOT a, (...) in capitals; words side by side mean AND, which binds closer than OR
    *                             everything

A pasted DOI, PMID, PMCID, trial number or address is known as such without a prefix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias, final

from stromal.compute.errors import InputError
from stromal.evidence.records.identifiers import recognised
from stromal.evidence.search.tokens import LONGEST, Token, error, tokens

DEEPEST: Final = 20
"""Parentheses inside one another."""
MOST: Final = 200
"""Words, phrases and other conditions in a query."""
_YEARS: Final = re.compile(r"(\d{1,4})?(?:(\.\.|[-\u2013])(\d{1,4})?)?")


@final
@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was written, from `start` to `end` of the query."""

    text: str
    start: int
    end: int


@final
@dataclass(frozen=True, slots=True)
class Words:
    """Words side by side, all of which must be there; in any field that is searched, or in one."""

    words: tuple[Word, ...]
    field: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in this order; `start` and `end` enclose the quotes."""

    text: str
    field: str | None
    start: int
    end: int


@final
@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin so."""

    text: str
    field: str | None


@final
@dataclass(frozen=True, slots=True)
class Years:
    """Years of issue, both ends included; None is open."""

    low: int | None
    high: int | None


@final
@dataclass(frozen=True, slots=True)
class Identifier:
    """The work with this CURIE, and, unless `text` is empty, those that mention it in these words."""

    curie: str
    text: str = ""


@final
@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    parts: tuple[Node, ...]


@final
@dataclass(frozen=True, slots=True)
class Or:
    """Any of these."""

    parts: tuple[Node, ...]


@final
@dataclass(frozen=True, slots=True)
class Not:
    """All but this."""

    part: Node


@final
@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""


Node: TypeAlias = Words | Phrase | Prefix | Years | Identifier | And | Or | Not | Everything


def parsed(text: str) -> Node:
    """What a line of text asks for.

    Parameters
    ----------
    text : str
        At most `LONGEST` characters, in the NFC form of Unicode (see `words.composed`); places count from it.

    Raises
    ------
    InputError
        It is empty, too long, too deep or has too many parts; a quote or parenthesis is not closed; an operator lacks
        a side; a field is not known, or its value is of another form. The error says at which character.
    """
    if len(text) > LONGEST:
        raise InputError(
            "the query is too long",
            value=f"{len(text):,} characters",
            remedy=f"at most {LONGEST:,} characters",
        )
    whole = recognised(text) if text.strip() else None
    if whole:
        return Identifier(whole, text.strip())
    read = tokens(text)
    if not read:
        raise InputError("the query is empty", value=text, remedy="at least one word, or * for every record")
    if sum(token.kind not in {"(", ")", "AND", "OR", "NOT"} for token in read) > MOST:
        raise InputError("the query has too many parts", remedy=f"at most {MOST} words and phrases")
    reader = _Reader(text, read)
    node = reader.either(None, 0)
    if reader.here is not None:  # only a parenthesis ends an expression early
        raise error("this parenthesis has no other", text, reader.here.start, remedy="both, around words, or none")
    return node


class _Reader:
    """Reads tokens from left to right (recursive descent)."""

    def __init__(self, text: str, read: list[Token]) -> None:
        self.text, self.read, self.next = text, read, 0

    @property
    def here(self) -> Token | None:
        return self.read[self.next] if self.next < len(self.read) else None

    def take(self, *kinds: str) -> Token | None:
        """The next token if it is of one of these kinds."""
        if self.here is None or self.here.kind not in kinds:
            return None
        self.next += 1
        return self.read[self.next - 1]

    def either(self, field: str | None, depth: int) -> Node:
        parts = [self.all_of(field, depth)]
        while self.take("OR"):
            parts.append(self.all_of(field, depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self, field: str | None, depth: int) -> Node:
        parts = [self.one(field, depth)]
        beside = True
        while self.here is not None and self.here.kind not in {"OR", ")"}:
            beside = self.take("AND") is None
            part = self.one(field, depth)
            last = parts[-1]
            if beside and isinstance(part, Words) and isinstance(last, Words) and part.field == last.field:
                parts[-1] = Words(last.words + part.words, last.field)
            else:
                parts.append(part)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def one(self, field: str | None, depth: int) -> Node:
        negated = False
        while self.take("NOT"):
            negated = not negated
        opened = self.take("(")
        part = self.group(opened, field, depth + 1) if opened else self.single(field)
        return Not(part) if negated else part

    def group(self, opened: Token, field: str | None, depth: int) -> Node:
        if depth > DEEPEST:
            raise error("parentheses are too deep", self.text, opened.start, remedy=f"at most {DEEPEST} levels")
        if self.take(")"):
            raise error("nothing is in the parentheses", self.text, opened.start, remedy="a word in them, or none here")
        node = self.either(opened.field or field, depth)
        if not self.take(")"):
            raise error("the parenthesis is not closed", self.text, opened.start, remedy=") where it ends")
        return node

    def single(self, field: str | None) -> Node:
        token = self.take("word", "phrase", "prefix", "identifier", "everything")
        if token is None:
            raise self._missing()
        field = token.field or field
        if field == "year":
            return self._years(token)
        if field in {"doi", "pmid", "nct"}:
            return self._identifier(token, field)
        match token.kind:
            case "identifier" if field is None:
                return Identifier(token.curie, token.value)
            case "phrase":
                return Phrase(token.value, field, token.start, token.end)
            case "prefix":
                return Prefix(token.value, field)
            case "everything":
                if field:
                    raise error("* alone has no field", self.text, token.start, remedy="* without a field")
                return Everything()
        return Words((Word(token.value, token.start, token.end),), field)

    def _missing(self) -> InputError:
        """What is wrong where a word was expected."""
        before = self.read[self.next - 1] if self.next else None
        here = self.here or self.read[-1]
        if before is not None and before.kind in {"AND", "OR", "NOT"}:
            what, place = f"nothing follows {before.kind}", before.start
        elif here.kind in {"AND", "OR"}:
            what, place = f"nothing precedes {here.kind}", here.start
        else:
            return error("this parenthesis has no other", self.text, here.start, remedy="both, around words, or none")
        return error(what, self.text, place, remedy='words on both sides; "quotes" if it is meant as a word')

    def _years(self, token: Token) -> Node:
        found = _YEARS.fullmatch(token.value.strip()) if token.kind in {"word", "phrase"} else None
        remedy = "a year or years: year:2015, year:2010..2020, year:2010-, year:-2005"
        if not found or not (found[1] or found[3]):
            raise error("these are no years", self.text, token.start, remedy=remedy)
        low = int(found[1]) if found[1] else None
        high = (int(found[3]) if found[3] else None) if found[2] else low
        if low is not None and high is not None and low > high:
            raise error("the first year is after the last", self.text, token.start, remedy=f"year:{high}..{low}")
        return Years(low, high)

    def _identifier(self, token: Token, field: str) -> Node:
        curie = token.curie or recognised(f"{field}:{token.value}") or ""
        if token.kind in {"prefix", "everything"} or not curie.startswith(f"{field}:"):
            forms = {"doi": "doi:10.1000/x", "pmid": "pmid:30254639", "nct": "nct:NCT04356287"}
            what, remedy = f"this is no {field.upper()}", f"all of it, as in {forms[field]}"
            raise error(what, self.text, token.start, remedy=remedy)
        return Identifier(curie)
