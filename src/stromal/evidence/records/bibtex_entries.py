"""Entries of a BibTeX file with their fields, before anything in them is understood."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, final

from stromal.evidence.records.bounds import DEEPEST
from stromal.evidence.records.dates import MONTHS
from stromal.evidence.records.record import Rejected

_ENTRY: Final = re.compile(r"@[ \t]*([A-Za-z]\w*)[ \t\r\n]*([{(])")
_INSIDE: Final = re.compile(
    # A line that begins another entry, with its key and first field, means that this one was never closed.
    r"[{}]|^[ \t]*(?P<next>@[A-Za-z]+[ \t]*[{(][^\s,{}()=\"#]*,[ \t\r\n]*[\w-]+[ \t]*=)",
    re.MULTILINE,
)
_INSIDE_PARENTHESES: Final = re.compile(_INSIDE.pattern.replace("[{}]", '[{}")]', 1), re.MULTILINE)
_BRACES: Final = re.compile(r"[{}]")
_QUOTED_END: Final = re.compile(r'[{}"]')
_KEY: Final = re.compile(r"[ \t\r\n]*([^\s,{}=\"#]*)[ \t\r\n]*(,|\Z)")
_NAME: Final = re.compile(r"[ \t\r\n,]*([^\s=,{}\"#%'()]+)[ \t\r\n]*=[ \t\r\n]*")
_PLAIN: Final = re.compile(r"[^\s,{}\"#=]+")
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SHOWN: Final = 40
_MACROS: Final[Mapping[str, str]] = {name: name.capitalize() for name in MONTHS}


@final
@dataclass(frozen=True)
class EntryField:
    """One field: its name, its value with strings resolved and the outer braces or quotes gone, and its raw value."""

    name: str
    value: str
    raw: str


@final
@dataclass(frozen=True)
class Entry:
    """One entry: type, key, fields in order, its text in the file, first line, and what was doubtful."""

    kind: str
    key: str
    fields: tuple[EntryField, ...]
    text: str
    line: int
    remarks: tuple[str, ...]


class _BrokenError(ValueError):
    """An entry that cannot be read; the message says why, `at` where."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.at = at


def blocks(text: str, file: str) -> Iterator[Entry | Rejected]:
    """Entries of the text; ``@comment`` and ``@preamble`` are passed over, ``@string`` is remembered."""
    newlines = [found.start() for found in re.finditer("\n", text)]
    strings = dict(_MACROS)
    at = 0
    while found := _ENTRY.search(text, at):
        kind, start = found.group(1), found.start()
        line = bisect_right(newlines, start) + 1
        end, unclosed = _end(text, found)
        at = end
        if kind.lower() in ("comment", "preamble"):
            at = found.end() if unclosed else end
            continue
        try:
            if unclosed:
                raise _BrokenError("the entry is not closed: a brace is missing", start)
            body = _Body(text, found.end(), end - 1, strings)
            if kind.lower() == "string":
                strings.update((one.name.lower(), one.value) for one in body.fields())
                continue
            key = body.key()
            yield Entry(kind, key, tuple(body.fields()), text[start:end], line, tuple(body.remarks))
        except _BrokenError as error:
            where = bisect_right(newlines, error.at) + 1
            yield Rejected(file, f"line {line}", f"@{kind}: {error} (line {where})")


def _end(text: str, opening: re.Match[str]) -> tuple[int, bool]:
    """Place behind the entry, and whether it was never closed (then: where the next begins)."""
    depth, quoted = 0, False
    parentheses = opening.group(2) == "("
    pattern = _INSIDE_PARENTHESES if parentheses else _INSIDE
    for found in pattern.finditer(text, opening.end()):
        sign = found.group()
        if found.group("next"):
            return found.start("next"), True
        if sign == "{":
            depth += 1
        elif sign == '"':
            quoted = quoted != (depth == 0)
        elif depth == 0 and not quoted and sign == (")" if parentheses else "}"):
            return found.end(), False
        elif sign == "}":
            depth -= 1
    return len(text), True


@final
class _Body:
    """What stands between the braces of an entry."""

    def __init__(self, text: str, at: int, end: int, strings: Mapping[str, str]) -> None:
        self.remarks: list[str] = []
        self._text, self._at, self._end, self._strings = text, at, end, strings

    def key(self) -> str:
        found = _KEY.match(self._text, self._at, self._end)
        if not found:
            raise _BrokenError("a key and a comma are missing at its beginning", self._at)
        self._at = found.end()
        return found.group(1)

    def fields(self) -> Iterator[EntryField]:
        while True:
            self._at = _BLANK.match(self._text, self._at, self._end).end()  # type: ignore[union-attr]  # never None
            if self._text[self._at : self._at + 1] == "," and self._at < self._end:
                self._at += 1
                continue
            if self._at >= self._end:
                return
            named = _NAME.match(self._text, self._at, self._end)
            if not named:
                shown = self._text[self._at : min(self._end, self._at + _SHOWN)]
                raise _BrokenError(f"'name = value' was expected, not {shown!r}", self._at)
            self._at = named.end()
            yield self._field(named.group(1))

    def _field(self, name: str) -> EntryField:
        start = self._at
        pieces = []
        while True:
            pieces.append(self._piece(name))
            stop = self._at
            self._at = _BLANK.match(self._text, self._at, self._end).end()  # type: ignore[union-attr]  # never None
            mark = self._text[self._at] if self._at < self._end else ""
            if mark != "#":
                break
            self._at = _BLANK.match(self._text, self._at + 1, self._end).end()  # type: ignore[union-attr]  # never None
        if mark and mark != ",":
            if not _NAME.match(self._text, self._at, self._end):
                raise _BrokenError(f"a comma was expected after {name}, not {self._text[self._at]!r}", self._at)
            self.remarks.append(f"a comma is missing after {name}")
        raw = self._text[start:stop]
        return EntryField(name, "".join(pieces), raw if len(pieces) > 1 or raw[:1] not in '{"' else raw[1:-1])

    def _piece(self, name: str) -> str:
        sign = self._text[self._at] if self._at < self._end else ""
        if sign == "{":
            return self._enclosed(name, _BRACES, "}")
        if sign == '"':
            return self._enclosed(name, _QUOTED_END, '"')
        found = _PLAIN.match(self._text, self._at, self._end)
        if not found:
            raise _BrokenError(f"{name} has no value", self._at)
        self._at = found.end()
        word = found.group()
        if word.lower() not in self._strings and not word.isdigit():
            self.remarks.append(f"{name}: the string {word!r} is not defined; its name was kept")
        return self._strings.get(word.lower(), word)

    def _enclosed(self, name: str, marks: re.Pattern[str], close: str) -> str:
        start, depth = self._at + 1, 0
        for found in marks.finditer(self._text, start, self._end):
            sign = found.group()
            if depth == 0 and sign == close:
                self._at = found.end()
                return self._text[start : found.start()]
            depth += (sign == "{") - (sign == "}")
            if depth > DEEPEST:
                raise _BrokenError(f"braces of {name} are nested deeper than {DEEPEST} levels", found.start())
        raise _BrokenError(f"the value of {name} is not closed", start)
