"""The smallest parts of a query: words, phrases, operators, parentheses, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

from stromal.compute.errors import InputError
from stromal.evidence.records.identifiers import recognised

LONGEST: Final = 4_000
"""Characters of a query."""
FIELDS: Final = (
    *("title", "author", "journal", "keyword", "abstract", "year", "doi", "pmid", "nct"),
    *("language", "type", "design", "status"),
)
"""What may stand before a colon."""
SHORTEST_PREFIX: Final = 2
"""Characters before ``*``."""

_QUOTES: Final = '"\u201c\u201d\u201e'
_NO_WORD: Final = f"(){_QUOTES}"
_FIELD: Final = re.compile(r"([A-Za-z]{2,20}):(?!//)")
_IDENTIFIER: Final = re.compile(
    r"(?:doi:|pmid:|pmcid:|nct:|doaj[:-]|oai:doaj|url:|sha256:|https?://|10\.\d{4,9}/|nct\d{8}(?!\w)|pmc\d{1,9}(?!\w))"
    rf"[^\s{_QUOTES}]*",
    re.IGNORECASE,
)


@final
@dataclass(frozen=True, slots=True)
class Token:
    """One part of a query.

    Attributes
    ----------
    kind : str
        ``word``, ``phrase``, ``prefix``, ``identifier``, ``everything``, ``(``, ``)``, ``AND``, ``OR`` or ``NOT``.
    start, end : int
        Characters of the query; those of the value, not of a field before it.
    value : str
        Without quotes and without ``*``.
    field : str or None
        What stood before its colon.
    curie : str
        Of an identifier.
    """

    kind: str
    start: int
    end: int
    value: str = ""
    field: str | None = None
    curie: str = ""


def tokens(text: str) -> list[Token]:
    """All parts of a query, in order; what has neither letter nor digit is none.

    Raises
    ------
    InputError
        A quote is not closed or has nothing in it, a field is not known or has no value, or ``*`` stands where it
        cannot.
    """
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    place, field = 0, None
    while place < len(text):
        if text[place].isspace():
            if field:
                raise _valueless(text, place, field)
            place += 1
            continue
        token = None if field else _identifier(text, place)
        named = None if field or token else _FIELD.match(text, place)
        if named:
            field = _known(text, named)
            place = named.end()
            continue
        token = token or _bracket(text, place, field) or _phrase(text, place, field) or _word(text, place, field)
        if token.kind in {")", "AND", "OR", "NOT"} and field:
            raise _valueless(text, place, field)
        if token.value or token.kind not in {"word"}:
            yield token
            field = None
        elif field:
            raise _valueless(text, place, field)
        place = token.end
    if field:
        raise _valueless(text, place, field)


def _identifier(text: str, place: int) -> Token | None:
    """An identifier as people paste it, with its parentheses but without those of the sentence around it."""
    found = _IDENTIFIER.match(text, place)
    if not found:
        return None
    raw = found[0]
    while raw and (raw[-1] in ".,;]" or (raw[-1] == ")" and raw.count(")") > raw.count("("))):
        raw = raw[:-1]
    curie = recognised(raw)
    named, _, value = raw.partition(":")
    if curie is None and named.lower() in {"doi", "pmid", "nct"}:
        if value and not value.startswith("("):
            return Token("word", place + len(named) + 1, place + len(raw), value, named.lower())
        return None  # a field before quotes or parentheses
    if curie is None:
        return None
    explicit = named.lower() if named.lower() in {"doi", "pmid", "nct"} else None
    return Token("identifier", place, place + len(raw), raw, explicit, curie)


def _known(text: str, named: re.Match[str]) -> str:
    name = named[1].lower()
    if name not in FIELDS:
        raise error(
            f"there is no field {named[1]}",
            text,
            named.start(),
            remedy=f'one of {", ".join(FIELDS)}; "quotes" or a blank around the colon if it is meant as text',
        )
    return name


def _bracket(text: str, place: int, field: str | None) -> Token | None:
    return Token(text[place], place, place + 1, field=field) if text[place] in "()" else None


def _phrase(text: str, place: int, field: str | None) -> Token | None:
    if text[place] not in _QUOTES:
        return None
    closed = re.search(f"[{_QUOTES}]", text[place + 1 :])
    if not closed:
        raise error("the quote is not closed", text, place, remedy='" where the phrase ends, or no quotes')
    end = place + 1 + closed.end()
    value = text[place + 1 : end - 1]
    if not _says_something(value):
        raise error("nothing is in the quotes", text, place, remedy="words in them, or no quotes")
    return Token("phrase", place, end, value, field)


def _word(text: str, place: int, field: str | None) -> Token:
    end = place + 1
    while end < len(text) and not (text[end].isspace() or text[end] in _NO_WORD):
        end += 1
    value = text[place:end]
    if value in {"AND", "OR", "NOT"}:
        return Token(value, place, end)
    if value == "*":
        return Token("everything", place, end, value, field)
    if "*" in value and _says_something(value):
        return Token("prefix", place, end, _beginning(text, place, value), field)
    return Token("word", place, end, value if _says_something(value) else "", field)


def _beginning(text: str, place: int, value: str) -> str:
    """What stands before a ``*`` at the end of a word."""
    stripped = value.rstrip(",;.?!")
    begin = stripped[:-1]
    if not stripped.endswith("*") or "*" in begin:
        remedy = 'the beginning of a word and *, or "quotes" around a text with *'
        raise error("* can only end a word", text, place, remedy=remedy)
    if sum(c.isalnum() for c in begin) < SHORTEST_PREFIX:
        raise error("too little stands before *", text, place, remedy=f"{SHORTEST_PREFIX} letters or more before *")
    return begin


def _says_something(value: str) -> bool:
    return any(c.isalnum() for c in value)


def _valueless(text: str, place: int, field: str) -> InputError:
    return error(
        f"the field {field} has no value",
        text,
        max(0, place - len(field) - 1),
        remedy=f"{field}:WORD without a blank, or no colon if it is meant as text",
    )


def error(what: str, text: str, place: int, *, remedy: str) -> InputError:
    """An error at a character of the query, with what stands there."""
    return InputError(what, place=f"character {place + 1} of the query", value=text[place : place + 30], remedy=remedy)
