"""Numbers as papers print them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

_UNITS: Final = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS: Final = (
    {word: n for n, word in enumerate(_UNITS, 1)}
    | {word: 10 * n for n, word in enumerate(_TENS, 2)}
    | {f"{ten}-{one}": 10 * n + k for n, ten in enumerate(_TENS, 2) for k, one in enumerate(_UNITS[:9], 1)}
)
_MINUS: Final = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"))
_NUMBER: Final = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")
_POWER: Final = re.compile(r"(\d+(?:\.\d+)?)\s*[x×]\s*10\^?(\d{1,2})(?!\d)")
_WORD: Final = re.compile(r"\b(" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def folded(text: str) -> str:
    """`text` in the form in which quotes are compared: Unicode NFKC, runs of white space as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def numbers(text: str) -> list[Decimal]:
    """Numbers that a text prints, in their order.

    A raised dot is a decimal point (``3·92``), any dash directly before a digit a minus sign, a comma between groups of
    three digits nothing; number words below a hundred count, and ``2 × 10 6`` is two million (a raised exponent whose
    place was lost).
    """
    plain = re.sub(r"(?<=\d)[·∙‧](?=\d)", ".", folded(text).translate(_MINUS))
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    plain = _POWER.sub(lambda m: f"{m.group(1)}e{m.group(2)}", plain)
    plain = _WORD.sub(lambda m: str(_WORDS[m.group(1).lower()]), plain)
    return [Decimal(m.group()) for m in _NUMBER.finditer(plain)]


def number(text: str) -> Decimal | None:
    """`text` as one number, None if it is anything else."""
    try:
        value = Decimal(text.strip().translate(_MINUS))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def is_printed(value: Decimal, text: str) -> bool:
    """Whether the text prints a value, whatever its sign: a fall of 3.9 is a change of -3.9."""
    return any(abs(found) == abs(value) for found in numbers(text))
