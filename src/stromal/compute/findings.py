"""What a check found, as data: the library, the command line and the web page show the same list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found.

    Attributes
    ----------
    severity : {"error", "warning"}
        An error stops the work; a warning is shown and the work goes on.
    place : str
        Where it is, e.g. ``arms[1].regimen[0].dose_per_kg (line 34)``.
    message : str
        What is wrong, with the value that is wrong.
    remedy : str
        What to write instead.
    """

    severity: Severity
    place: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Give one line: severity, place, message and remedy."""
        return f"{self.severity}: {self.place}: {self.message}; write instead: {self.remedy}"
