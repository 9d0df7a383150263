"""Affiliations that stand run together: where one ends and the next begins."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

_SMALL_BEFORE_CAPITAL: Final = "where a capital follows a small letter, a digit or a full stop without a blank"
_PREFIXES: Final = frozenset(
    (
        "Mc",
        "Mac",
        "De",
        "Del",
        "Di",
        "Da",
        "La",
        "Le",
        "Lo",
        "Du",
        "Van",
        "Von",
        "Fitz",
        "St",
        "Ph",
        "Bio",
        "Med",
        "e",
        "i",
    )
)
"""Beginnings of words in which a capital follows (McGill, DeKalb, PhD)."""


def cut(text: str, count: int) -> tuple[tuple[str, ...] | None, str]:
    """Affiliations of which it is known how many there are.

    Parameters
    ----------
    text : str
        Without anything else before or behind.
    count : int
        How many affiliations it holds.

    Returns
    -------
    parts : tuple of str or None
        None if the places of the cuts are not certain: more or fewer capitals stand where one could begin, or there
        are places that could be one although nothing marks them (``USADepartment``).
    how : str
        How they were told apart, or why they could not be.
    """
    if count == 0:
        return ((), "") if not text else (None, "there is text where affiliations stand, but no author has a number")
    if not text:
        return None, "authors have numbers of affiliations, but there are none"
    if count == 1:
        return (text,), "the only one"
    certain = [at for at in range(1, len(text)) if _begins(text, at)]
    if len(certain) != count - 1:
        return None, f"{count} affiliations are run together, and {len(certain) + 1} places could begin one"
    if any(_doubtful(text, at) for at in range(1, len(text))) or any(_inside_word(text, at) for at in certain):
        return None, f"{count} affiliations are run together, and it cannot be told where each begins"
    edges = [0, *certain, len(text)]
    parts = tuple(text[start:end].strip(" ") for start, end in pairwise(edges))
    return parts, f"cut {_SMALL_BEFORE_CAPITAL}; {count} parts for {count} numbers"


def _begins(text: str, at: int) -> bool:
    """Whether an affiliation can begin at a place: a capital behind what ends a word."""
    before = text[at - 1]
    ends_word = before.isdigit() or before in ".)]»”" or (before.isalpha() and not before.isupper())
    if not text[at].isupper() or not ends_word:
        return False
    # The inner capitals of "U.S.A."
    return not (before == "." and text[at - 2 : at - 1].isupper() and text[at + 1 : at + 2] == ".")


def _doubtful(text: str, at: int) -> bool:
    """Whether an affiliation could begin at a place without a mark: ``USA|Department``, ``France|1st Hospital``."""
    before, here, behind = text[at - 1], text[at], text[at + 1 : at + 2]
    if here.isdigit():
        return before.islower()
    return before.isupper() and here.isupper() and behind.islower()


def _inside_word(text: str, at: int) -> bool:
    """Whether the capital at a place may belong to the word before it."""
    start = at
    while start and text[start - 1].islower():
        start -= 1
    start -= start > 0 and text[start - 1].isupper()
    return text[start:at] in _PREFIXES
