"""Records out of XML, one by one, each with its own bytes, in bounded memory and without entities or network.

`defusedxml` refuses declarations of entities and external references. A document type that only names an external
definition is let through, for every file from PubMed has one; it is never fetched. One with declarations of its own is
refused.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from stromal.compute.errors import InputError
from stromal.evidence.records.bounds import DEEPEST, HEAD, LARGEST_RECORD, opened, refuse_binary
from stromal.evidence.records.record import Field, Rejected
from stromal.evidence.records.scripts import lowered, raised

MOST_ELEMENTS: Final = 200_000
"""Most elements in one record."""


@final
@dataclass(frozen=True)
class XmlRecord:
    """One record of a file.

    Attributes
    ----------
    element : Element
        With names as ``{namespace}name``; see `local`.
    content : bytes
        Its bytes in the file.
    place : str
        ``record 3 (line 120)``.
    """

    element: Element
    content: bytes
    place: str


def local(name: str) -> str:
    """Name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def xml_records(content: bytes | BinaryIO, file: str, names: frozenset[str]) -> Iterator[XmlRecord | Rejected]:
    """Elements of the given local names, the outermost where they stand inside each other.

    Parameters
    ----------
    content : bytes or binary stream
        XML in any encoding that it declares and the standard library knows.
    file : str
        Name of the file, for messages.
    names : frozenset of str
        Local names of the elements that are records.

    Raises
    ------
    InputError
        The file is not well-formed (before its first record; after it a `Rejected` is the last thing given), declares
        entities, or is nested too deeply; a record is too large.
    """
    stream = opened(content)
    chunk = stream.read(HEAD)
    refuse_binary(chunk, file)
    target = _Target(names, file)
    parser = DefusedXMLParser(target=target, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    expat = parser.parser
    expat.StartDoctypeDeclHandler = target.doctype
    target.index = lambda: (expat.CurrentByteIndex, expat.CurrentLineNumber)
    window = _Window({codecs.BOM_UTF16_LE: b">\0", codecs.BOM_UTF16_BE: b"\0>"}.get(chunk[:2], b">"))
    number = 0
    try:
        while chunk:
            window.held += chunk
            parser.feed(chunk)
            for element, start, end, line in target.taken():
                number += 1
                yield XmlRecord(element, window.cut(start, end), f"record {number} (line {line})")
            window.drop(expat.CurrentByteIndex if target.opened is None else target.opened)
            if len(window.held) > LARGEST_RECORD:
                raise InputError(
                    f"more than {LARGEST_RECORD // 2**20} MiB without the end of a record",
                    file=file,
                    place=f"line {expat.CurrentLineNumber}",
                    remedy="a file of ordinary records",
                )
            chunk = stream.read(HEAD)
        parser.close()
    except (ParseError, LookupError, ValueError) as error:
        if isinstance(error, DefusedXmlException):
            raise InputError(
                "the XML declares entities or refers to other files, which is not safe to read",
                file=file,
                place=f"line {expat.CurrentLineNumber}",
                remedy="XML without a DOCTYPE, as the database exports it",
            ) from None
        yield from _broken(error, file, number, target, window)


def _broken(
    error: Exception, file: str, number: int, target: _Target, window: _Window
) -> Iterator[XmlRecord | Rejected]:
    """What was whole before the place where the XML breaks; an error if that is nothing."""
    for element, start, end, line in target.taken():
        number += 1
        yield XmlRecord(element, window.cut(start, end), f"record {number} (line {line})")
    line, column = getattr(error, "position", (0, 0))
    place = f"line {line}, column {column + 1}" if line else "its declaration"
    if not number:
        raise InputError(
            f"not well-formed XML: {error}", file=file, place=place, remedy="a whole XML document"
        ) from None
    yield Rejected(file, place, f"not well-formed XML: {error}; nothing after this place was read: export it again")


@final
class _Window:
    """The bytes of the file that may still be needed."""

    def __init__(self, end_of_tag: bytes) -> None:
        self.held = bytearray()
        self._first = 0
        self._end_of_tag = end_of_tag

    def cut(self, start: int, last: int) -> bytes:
        """The bytes from `start` to the end of the tag that begins at `last`."""
        end = self.held.index(self._end_of_tag, last - self._first) + len(self._end_of_tag)
        return bytes(self.held[start - self._first : end])

    def drop(self, before: int) -> None:
        """Forget what stands before a place."""
        if before > self._first:
            del self.held[: before - self._first]
            self._first = before


@final
class _Target:
    """Builds the records, and nothing else of the tree."""

    def __init__(self, names: frozenset[str], file: str) -> None:
        self.opened: int | None = None
        self.index: Any = None
        self._names, self._file = names, file
        self._builder = TreeBuilder()
        self._depth = self._record_depth = self._elements = self._line = 0
        self._done: list[tuple[Element, int, int, int]] = []

    def doctype(self, name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal:
            raise InputError(
                "the XML declares its own document type, which is not safe to read",
                file=self._file,
                place=f"line {self.index()[1]}",
                value=f"<!DOCTYPE {name} [",
                remedy="the file without the declarations in the brackets",
            )

    def taken(self) -> list[tuple[Element, int, int, int]]:
        """Records that ended since the last call: element, start, start of the last tag, line."""
        done, self._done = self._done, []
        return done

    def start(self, tag: str, attributes: dict[str, str]) -> Element | None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"elements nested deeper than {DEEPEST} levels")
        if self.opened is None:
            if local(tag) not in self._names:
                return None
            self.opened, self._line = self.index()
            self._record_depth, self._elements = self._depth, 0
            self._builder = TreeBuilder()
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            self._refuse(f"more than {MOST_ELEMENTS:,} elements in one record")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        if self.opened is not None:
            self._builder.end(tag)
            if self._depth == self._record_depth:
                self._done.append((self._builder.close(), self.opened, self.index()[0], self._line))
                self.opened = None
        self._depth -= 1

    def data(self, text: str) -> None:
        if self.opened is not None:
            self._builder.data(text)

    def close(self) -> None:
        """Nothing is left to do: records are taken as they end."""

    def _refuse(self, what: str) -> None:
        place = f"line {self.index()[1]}"
        raise InputError(what, file=self._file, place=place, remedy="a file of ordinary records")


def text_of(element: Element | None) -> str:
    """Text of an element with that of the elements inside it, without markup; blanks are as they stand.

    What ``sup`` and ``sub`` raise and lower is so in Unicode where it can be: 10⁶ is not 106.
    """
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element:
        inner, name = text_of(child), local(child.tag)
        moved = raised(inner) if name == "sup" else lowered(inner) if name == "sub" else None
        parts += (moved or inner, child.tail or "")
    return "".join(parts)


def fields_of(element: Element, name: str = "") -> tuple[Field, ...]:
    """Every text and attribute below an element: ``Article/Journal/ISSN``, attributes as ``.../ISSN@IssnType``.

    Elements that repeat and have elements inside them, and texts with markup, are given as XML.
    """
    found: dict[str, list[str]] = {}
    _collect(element, name, found)
    return tuple(Field(key, tuple(values)) for key, values in found.items())


def _collect(element: Element, name: str, found: dict[str, list[str]]) -> None:
    for key, value in element.attrib.items():
        found.setdefault(f"{name}@{local(key)}", []).append(value)
    if not len(element):
        if element.text:
            found.setdefault(name, []).append(element.text)
        return
    if any((part or "").strip() for part in (element.text, *(child.tail for child in element))):
        found.setdefault(name, []).append(_inner(element))
        return
    counts: dict[str, int] = {}
    for child in element:
        counts[child.tag] = counts.get(child.tag, 0) + 1
    for child in element:
        path = f"{name}/{local(child.tag)}".lstrip("/")
        if counts[child.tag] > 1 and len(child):
            found.setdefault(path, []).append(_xml(child))
        else:
            _collect(child, path, found)


def _inner(element: Element) -> str:
    parts = [escape(element.text or "")]
    for child in element:
        parts += (_xml(child), escape(child.tail or ""))
    return "".join(parts)


def _xml(element: Element) -> str:
    """The element as XML with local names; not what follows it."""
    name = local(element.tag)
    attributes = "".join(f" {local(key)}={quoteattr(value)}" for key, value in element.attrib.items())
    inner = _inner(element)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
