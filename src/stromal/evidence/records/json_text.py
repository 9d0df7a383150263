"""Records out of JSON: one object, an array, a list inside an answer of a server, or one object per line.

The standard library's scanner does the work at its full speed; what is added is that an array of any size is read
element by element, that each element is given with its own bytes, and that a broken one does not take the others with
it. A key given twice in one object, half a surrogate pair and a zero character are refused: the standard library
would drop or pass them silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, final

from stromal.compute.errors import InputError
from stromal.evidence.records.bounds import DEEPEST, HEAD, LARGEST_RECORD, Text
from stromal.evidence.records.record import Field, Rejected

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_ODD_ESCAPE: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_FARTHEST: Final = 10_000  # brackets inside each other, after which a search for the end of an element is given up


@final
@dataclass(frozen=True)
class Element:
    """One object of a file.

    Attributes
    ----------
    value : dict
        The decoded object.
    content : bytes
        Its bytes in the file.
    place : str
        ``line 3`` in a file of lines, else ``record 3``.
    """

    value: dict[str, Any]
    content: bytes
    place: str


class _BrokenError(ValueError):
    """An element that cannot be taken; the message is the reason."""


def elements(
    content: bytes | BinaryIO, file: str, lists: tuple[tuple[str, ...], ...] = ()
) -> Iterator[Element | Rejected]:
    """Objects of a file, one by one.

    Parameters
    ----------
    content : bytes or binary stream
    file : str
        Name of the file, for messages.
    lists : tuple of paths
        Keys that lead from the root to the list of records (or to a single record), e.g. ``("message", "items")``;
        the first that exists is taken. Without one the root itself is the record.

    Raises
    ------
    InputError
        The file is not JSON, nested deeper than `bounds.DEEPEST`, too large to be read whole (an object at the root),
        or breaks off before its first record.
    """
    text = Text(content, file)
    start = _BLANK.sub("", text.peek(HEAD), count=1)[:1]
    if start == "[":
        yield from _array(_Window(text, file), file)
    elif start == "{":
        if _is_lines(text):
            yield from _lines(text, file)
        else:
            yield from _root(text, file, lists)
    else:
        raise InputError("not JSON", file=file, place="line 1", value=text.peek(40), remedy="an object or an array")


def fields_of(value: dict[str, Any]) -> tuple[Field, ...]:
    """Keys and values of an object: those of inner objects as ``outer.inner``; items of lists are the values.

    Objects inside lists, and lists inside lists, are given as JSON.
    """
    found: list[Field] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, part = waiting.pop()
        if isinstance(part, dict) and part:
            waiting.extend((f"{name}.{key}" if name else key, inner) for key, inner in reversed(part.items()))
        elif isinstance(part, list):
            found.append(Field(name, tuple(map(_written, part))))
        else:
            found.append(Field(name, (_written(part),)))
    return tuple(found)


def text_of(value: Any) -> str:
    """A text or number of JSON as text; nothing for anything else."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def list_of(value: Any) -> list[Any]:
    """A list of JSON; an empty one for anything else."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> dict[str, Any]:
    """An object of JSON; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[dict[str, Any]]:
    """The objects in a list of JSON."""
    return [part for part in list_of(value) if isinstance(part, dict)]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _BrokenError(f"the key {twice!r} is given twice in one object: keep one")
    return value


def _no_constant(name: str) -> Any:
    raise _BrokenError(f"{name} is not JSON: write a number or null")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_only_once, parse_constant=_no_constant)


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """Value that begins at `at`, and where it ends.

    Raises
    ------
    json.JSONDecodeError
        It is not JSON, or its end is missing.
    _BrokenError
        It is JSON, and yet not to be taken.
    """
    try:
        value, end = _DECODER.raw_decode(text, at)
    except RecursionError:
        raise _BrokenError(f"nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise error if isinstance(error, _BrokenError) else _BrokenError(str(error)) from None
    if _deeper_than(value, DEEPEST):
        raise _BrokenError(f"nested deeper than {DEEPEST} levels")
    if _ODD_ESCAPE.search(text, at, end):
        plain = json.dumps(value, ensure_ascii=False)
        if "\\u0000" in plain:
            raise _BrokenError("a zero character (\\u0000) in a text: leave it out")
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise _BrokenError(
                "half a surrogate pair (\\ud800 to \\udfff) in a text: write the character itself"
            ) from None
    return value, end


def _deeper_than(value: Any, levels: int) -> bool:
    layer = [value]
    while layer and levels >= 0:
        levels -= 1
        inner: list[Any] = []
        for part in layer:
            if isinstance(part, dict):
                inner.extend(v for v in part.values() if isinstance(v, dict | list))
            elif isinstance(part, list):
                inner.extend(v for v in part if isinstance(v, dict | list))
        layer = inner
    return bool(layer)


def _element(value: Any, content: bytes, file: str, place: str) -> Element | Rejected:
    if not isinstance(value, dict):
        return Rejected(file, place, f"not an object but {json.dumps(value)[:60]}: a record is an object {{...}}")
    return Element(value, content, place)


def _is_lines(text: Text) -> bool:
    """Whether each line is an object of its own: the first or second that is not blank is one, and there are two."""
    size = HEAD
    while True:
        head = text.peek(size)
        lines = [line for line in re.split(r"[\r\n]+", head) if line.strip()]
        if len(lines) > 2 or len(head) < size or size >= LARGEST_RECORD:
            return len(lines) > 1 and any(map(_is_object, lines[:2]))
        size *= 4


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: Text, file: str) -> Iterator[Element | Rejected]:
    for number, line in text.lines():
        at = _after_blank(line, 0)
        if at == len(line):
            continue
        place = f"line {number}"
        try:
            value, end = _decoded(line, at)
        except ValueError as error:
            yield Rejected(file, place, _reason(error))
            continue
        if _BLANK.fullmatch(line, end):
            yield _element(value, text.bytes_of(line[at:end]), file, place)
        else:
            yield Rejected(file, place, f"column {end + 1}: more text after the object: one object per line")


def _reason(error: ValueError, start: int = 0) -> str:
    """What is wrong, with its place from `start` on."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (character {error.pos - start + 1})"
    return str(error)


def _root(text: Text, file: str, lists: tuple[tuple[str, ...], ...]) -> Iterator[Element | Rejected]:
    whole = text.whole()
    root = start = _after_blank(whole, 0)
    try:
        for path in lists:
            at = _found(whole, start, path)
            if at is not None and whole[at] == "[":
                yield from _array(_Window(text, file, whole, at), file, inside=True)
                return
            if at is not None and whole[at] == "{":
                start = at
                break
        value, end = _decoded(whole, start)
        if start == root and not _BLANK.fullmatch(whole, end):
            raise json.JSONDecodeError("more text after the object", whole, end)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"not JSON: {error.msg}", file=file, place=place, remedy="a whole JSON document") from None
    except _BrokenError as error:
        raise InputError(str(error), file=file, remedy="plain JSON as the database exports it") from None
    yield _element(value, text.bytes_of(whole[start:end]), file, "record 1")


def _found(text: str, at: int, path: tuple[str, ...]) -> int | None:
    """Where the value at `path` begins in the object that begins at `at`; None if there is none."""
    at = _after_blank(text, at + 1)
    while text[at : at + 1] == '"':
        key, at = _decoded(text, at)
        at = _after_blank(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
        at = _after_blank(text, at + 1)
        if key == path[0]:
            if len(path) == 1:
                return at
            return _found(text, at, path[1:]) if text[at : at + 1] == "{" else None
        at = _after_blank(text, _decoded(text, at)[1])
        if text[at : at + 1] != ",":
            break
        at = _after_blank(text, at + 1)
    return None


def _after_blank(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text too


@final
class _Window:
    """The part of an array that is in memory; `at` is where reading stands."""

    def __init__(self, text: Text, file: str, held: str = "", at: int = 0) -> None:
        self.file = file
        self.bytes_of = text.bytes_of
        self.held, self.at = held, at
        self._pieces = text.pieces()

    def more(self) -> bool:
        """Take at least as much again as there is left; False at the end of the file or the largest record."""
        left = len(self.held) - self.at
        if left > LARGEST_RECORD:
            return False
        parts, taken = [self.held[self.at :]], 0
        for piece in self._pieces:
            parts.append(piece)
            taken += len(piece)
            if taken >= left:
                break
        self.held, self.at = "".join(parts), 0
        return taken > 0

    def next(self) -> str:
        """The next character that is no blank; empty at the end of the file."""
        while True:
            self.at = _after_blank(self.held, self.at)
            if self.at < len(self.held):
                return self.held[self.at]
            if not self.more():
                return ""

    def value(self) -> tuple[Any, str]:
        """The value that begins here, and its text; reading goes on behind it."""
        while True:
            try:
                value, end = _decoded(self.held, self.at)
            except json.JSONDecodeError:
                if self.more():
                    continue
                raise
            if end == len(self.held) and self.more():
                continue  # the digits of a number may go on
            text = self.held[self.at : end]
            self.at = end
            return value, text

    def skip(self) -> bool:
        """Go behind the broken object or array that begins here; False if its end is not found."""
        while True:
            depth = 0
            for token in _TOKEN.finditer(self.held, self.at):
                mark = token.group()
                depth += (mark in ("[", "{")) - (mark in ("]", "}"))
                if depth > _FARTHEST:
                    return False
                if depth == 0 and mark in ("]", "}"):
                    self.at = token.end()
                    return True
            if not self.more():
                return False


_NO_MORE: Final = {"": "the file breaks off", "no comma": "a comma is missing before this record"}


def _array(window: _Window, file: str, *, inside: bool = False) -> Iterator[Element | Rejected]:
    """Elements of the array that begins at the window; `inside` says that other text may follow it."""
    window.next()
    window.at += 1
    number, taken = 0, False
    while (mark := window.next()) != "]":
        number += 1
        place = f"record {number}"
        if number > 1 and mark == ",":
            window.at += 1
            mark = window.next()
        elif number > 1 and mark:
            mark = "no comma"
        try:
            if mark in _NO_MORE:
                raise _BrokenError
            value, text = window.value()
        except ValueError as error:
            why = _NO_MORE.get(mark) or _reason(error, window.at)
            if mark in ("{", "[") and window.skip():
                yield Rejected(file, place, why)
                continue
            if not taken:
                remedy = "a whole JSON document"
                raise InputError(f"no record could be read: {why}", file=file, place=place, remedy=remedy) from None
            yield Rejected(file, place, f"{why}; nothing after this place was read: export the file again")
            return
        taken = True
        yield _element(value, window.bytes_of(text), file, place)
    window.at += 1
    if not inside and window.next():
        yield Rejected(file, f"after record {number}", "more text after the array: one array per file")
