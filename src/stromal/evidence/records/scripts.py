"""Raised and lowered text (10⁶, β₁) in plain Unicode."""

from __future__ import annotations

from typing import Final

_RAISED: Final = str.maketrans("0123456789+-=()n−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ⁻")
_LOWERED: Final = str.maketrans("0123456789+-=()−", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₋")


def raised(text: str) -> str | None:
    """The text in raised characters; None if one of its characters has no such form."""
    return text.translate(_RAISED) if text and all(ord(sign) in _RAISED for sign in text) else None


def lowered(text: str) -> str | None:
    """The text in lowered characters; None if one of its characters has no such form."""
    return text.translate(_LOWERED) if text and all(ord(sign) in _LOWERED for sign in text) else None
