"""What every registry of this package holds: a method, its source, and the test that checks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class Method:
    """An entry of a registry.

    Attributes
    ----------
    function : callable
        What computes it.
    words : str
        What it is, in a few words.
    source : str
        DOI of its paper; a book is named.
    checked_by : str
        Name of the test that checks it against published numbers, other software or an independent derivation.
    """

    function: Callable[..., Any]
    words: str
    source: str
    checked_by: str
