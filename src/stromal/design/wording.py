"""What a failed validation means, in the words of someone who writes designs."""

from __future__ import annotations

import re

from pydantic_core import ErrorDetails

from stromal.design.base import suggestion


def message_and_remedy(detail: ErrorDetails) -> tuple[str, str]:
    """Say what is wrong and what to write instead, for one error of pydantic."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if value is None and kind != "missing":
        return "the key has no value", "a value after the colon, or leave the key out if it has a default"
    if kind in ("float_type", "int_type") and isinstance(value, str):
        return "text stands where a number is needed", _NUMBERS[kind] + ", without quotes or unit"
    if kind == "literal_error" and isinstance(value, str):
        return "this word is not known here", suggestion(value, re.findall(r"'([^']*)'", context["expected"]))
    if kind in _WORDINGS:
        message, remedy = _WORDINGS[kind]
        return message, remedy.format(**context)
    return detail["msg"], "a value of the kind that docs/designs.md names for this key"


_NUMBERS = {"float_type": "a number, e.g. 0.5 or 1.0e6", "int_type": "a whole number, e.g. 18"}

_WORDINGS: dict[str, tuple[str, str]] = {
    "missing": (
        "a key that is needed is missing",
        "add this key (docs/designs.md says what it means)",
    ),
    "float_type": ("this is not a number", _NUMBERS["float_type"]),
    "int_type": ("this is not a whole number", _NUMBERS["int_type"]),
    "int_from_float": ("this is not a whole number", _NUMBERS["int_type"]),
    "bool_type": ("this is neither true nor false", "true or false, without quotes"),
    "string_type": ("this is not text", "text; put it in quotes if it looks like a number"),
    "finite_number": ("the number is not finite", "a finite number"),
    "greater_than": ("the number is too small", "a number above {gt:g}"),
    "greater_than_equal": ("the number is too small", "a number of at least {ge:g}"),
    "less_than": ("the number is too large", "a number below {lt:g}"),
    "less_than_equal": ("the number is too large", "a number of at most {le:g}"),
    "literal_error": ("this is none of the choices", "one of: {expected}"),
    "string_pattern_mismatch": (
        "this is not a name",
        "a name of at most 60 letters, digits and underscores that begins with a letter",
    ),
    "string_too_long": ("the text is too long", "at most {max_length} characters"),
    "too_short": ("the list is too short", "at least {min_length} entries"),
    "too_long": ("the list is too long", "at most {max_length} entries"),
    "tuple_type": ("this is not a list", "a list, e.g. [0, 91] or lines that begin with `- `"),
    "dict_type": ("this is not a mapping of keys to values", "keys with values, e.g. {{placebo: 2}}"),
    "model_type": (
        "this is not a mapping of keys to values",
        "keys with values, e.g. {{low: 3, high: 24}}",
    ),
    "model_attributes_type": (
        "this is not a mapping of keys to values",
        "keys with values, e.g. {{low: 3, high: 24}}",
    ),
}
