"""Design text to plain data with a line for every value, and back.

Only mappings, lists, text, numbers, true / false and null are built, straight from the parser's
events: no tag can construct an object, no alias can multiply a value, and depth and size are bounded.
Plain scalars follow the YAML 1.2 core schema, so ``1e6`` is a number and ``no`` is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from stromal.design.base import Fault, Place

MAXIMUM_VALUES = 20_000
MAXIMUM_DEPTH = 20

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


class TextError(ValueError):
    """The text is not a design at all: `what`, `line` (from 1) and `remedy`."""

    def __init__(self, what: str, line: int | None, remedy: str) -> None:
        self.what, self.line, self.remedy = what, line, remedy
        super().__init__(what)


@dataclass(slots=True)
class Document:
    """Plain data, the line of every place in it, and keys written twice."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, place: Place) -> int | None:
        """Find the line of a place, or of the nearest thing around it that is in the text."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return None


@dataclass(slots=True)
class _OpenMapping:
    """A mapping that is being read; `key` waits for its value while `has_key`."""

    value: dict[str, Any]
    place: Place
    key: str = ""
    has_key: bool = False


@dataclass(slots=True)
class _OpenList:
    """A list that is being read."""

    value: list[Any]
    place: Place


_Open = _OpenMapping | _OpenList


def parse(text: str) -> Document:
    """Read one YAML document.

    Raises
    ------
    TextError
        When the text is not one plain YAML document.
    """
    document = Document()
    stack: list[_Open] = []
    documents = values = 0
    for event in _events(text):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TextError(
                    "the file holds more than one document",
                    line,
                    "one design per file, without a second `---`",
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            _refuse_machinery(event, line)
            values += 1
            if values > MAXIMUM_VALUES or len(stack) >= MAXIMUM_DEPTH:
                raise TextError(
                    "the file is larger or deeper than any design",
                    line,
                    f"at most {MAXIMUM_VALUES} values, {MAXIMUM_DEPTH} levels deep",
                )
            _place_value(document, stack, event, line)
    return document


def _events(text: str) -> Any:
    try:
        yield from yaml.parse(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "; ".join(part for part in (error.context, error.problem) if part)
        line = None if mark is None else mark.line + 1
        raise TextError(
            f"the file is not YAML: {what}", line, "YAML: `key: value` lines, indented by spaces"
        ) from error
    except yaml.YAMLError as error:
        raise TextError("the file is not YAML: it holds control characters", None, "plain UTF-8 text") from error


def _refuse_machinery(event: yaml.NodeEvent, line: int) -> None:
    if event.anchor is not None:
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        raise TextError(
            f"anchors and aliases are not read ({sign}{event.anchor})",
            line,
            "the value itself, at each place",
        )
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise TextError(f"tags are not read ({tag})", line, "the value without a tag")


def _place_value(document: Document, stack: list[_Open], event: yaml.NodeEvent, line: int) -> None:
    top = stack[-1] if stack else None
    if isinstance(top, _OpenMapping) and not top.has_key:
        if not isinstance(event, yaml.ScalarEvent):
            raise TextError("a key is a list or a mapping", line, "a word as the key")
        _take_key(document, top, event.value, line)
        return
    value = _value(event)
    place = _put(document, top, value)
    document.lines.setdefault(place, line)
    if isinstance(value, dict):
        stack.append(_OpenMapping(value, place))
    elif isinstance(value, list):
        stack.append(_OpenList(value, place))


def _take_key(document: Document, top: _OpenMapping, key: str, line: int) -> None:
    place = (*top.place, key)
    if key in top.value:
        message = f"the key {key!r} is written twice (first on line {document.lines[place]})"
        document.faults.append(Fault(place, message, f"`{key}:` once, with the value that is meant"))
    document.lines[place] = line
    top.key, top.has_key = key, True


def _put(document: Document, top: _Open | None, value: Any) -> Place:
    """Put a value where it belongs and give its place."""
    if top is None:
        document.data = value
        return ()
    if isinstance(top, _OpenList):
        top.value.append(value)
        return (*top.place, len(top.value) - 1)
    top.value[top.key] = value
    top.has_key = False
    return (*top.place, top.key)


def _value(event: yaml.NodeEvent) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return plain_scalar(event.value) if event.style is None else event.value
    return {} if isinstance(event, yaml.MappingStartEvent) else []


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Read an unquoted scalar."""
    if text in _WORDS:
        value: str | int | float | bool | None = _WORDS[text]
        return value
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever it would be read back as something else."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(data: Any) -> str:
    """Plain data as YAML that `parse` reads back to equal data."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
    return text
