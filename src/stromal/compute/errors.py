"""Every exception the library raises on purpose.

::

    StromalError            exit status 1   anything the library raises on purpose
    |-- InputError          exit status 2   one thing in the input is wrong
    `-- InputErrors         exit status 2   several things in one input, shown at once

An `InputError` says what is wrong, where (file, place inside it), which value, and what to write
instead. A numeric failure of one virtual patient is a status in the results, never an exception.
Exceptions of other libraries that escape are defects.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import ClassVar

from stromal.compute.findings import Finding

_SHOWN_CHARACTERS = 80


class StromalError(Exception):
    """Base of every exception the library raises on purpose."""

    exit_status: ClassVar[int] = 1


class InputError(StromalError):
    """One thing in the input is wrong.

    Parameters
    ----------
    what : str
        What is wrong.
    file : path, optional
        The file it is in.
    place : str, optional
        The place inside the file, e.g. ``visits.days[0] (line 12)``.
    value : object, optional
        The value found there; None when there is no value to show.
    remedy : str
        What to write instead.
    """

    exit_status: ClassVar[int] = 2

    def __init__(
        self,
        what: str,
        *,
        file: str | PathLike[str] | None = None,
        place: str | None = None,
        value: object = None,
        remedy: str,
    ) -> None:
        self.what = what
        self.file = None if file is None else fspath(file)
        self.place = place
        self.value = value
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        """Give what, file, place, value and remedy on one line."""
        parts = [self.what]
        if self.file is not None:
            parts.append(f"file {self.file}")
        if self.place is not None:
            parts.append(f"at {self.place}")
        if self.value is not None:
            parts.append(f"value {shown(self.value)}")
        parts.append(f"write instead: {self.remedy}")
        return "; ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild after a journey between processes."""
        return _input_error, (self.what, self.file, self.place, self.value, self.remedy)


class InputErrors(StromalError):  # noqa: N818 - the plural says that it holds several
    """Several things in one input are wrong; all are shown at once.

    Parameters
    ----------
    findings : iterable of Finding
        At least one; kept as a tuple.
    file : path, optional
        The file they are in.
    """

    exit_status: ClassVar[int] = 2

    def __init__(self, findings: Iterable[Finding], *, file: str | PathLike[str] | None = None) -> None:
        self.findings = tuple(findings)
        if not self.findings:
            raise ValueError("InputErrors needs at least one finding")
        self.file = None if file is None else fspath(file)
        super().__init__(f"{len(self.findings)} finding(s)")

    def __str__(self) -> str:
        """Give the file and one line per finding."""
        count = len(self.findings)
        head = f"{count} thing{'s are' if count > 1 else ' is'} wrong"
        if self.file is not None:
            head += f" in file {self.file}"
        return "\n".join([head + ":", *(f"  {finding}" for finding in self.findings)])

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild after a journey between processes."""
        return _input_errors, (self.findings, self.file)


def shown(value: object) -> str:
    """`value` as short text for a message, at most 80 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."


def _input_error(what: str, file: str | None, place: str | None, value: object, remedy: str) -> InputError:
    return InputError(what, file=file, place=place, value=value, remedy=remedy)


def _input_errors(findings: tuple[Finding, ...], file: str | None) -> InputErrors:
    return InputErrors(findings, file=file)
