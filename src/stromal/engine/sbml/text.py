"""A model's file or text, looked at before any tree is built of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final
from xml.parsers import expat

from stromal.compute.findings import Finding

LARGEST: Final = 20_000_000
"""Largest model that is read [bytes]."""
DEEPEST: Final = 1_000
"""Deepest nesting of XML elements that is read: libSBML calls itself for each level, on a stack of fixed size."""


@final
class _Stop(Exception):  # noqa: N818 - not an error: it ends the reading
    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


def read_text(source: str | Path) -> tuple[str, str, list[Finding]]:
    """Text, name for messages, and what kept it from being read.

    Parameters
    ----------
    source : path or str
        A file, or the text itself (it holds a line break or begins with ``<``).
    """
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("<")):
        try:
            size = len(source.encode("utf-8"))
        except UnicodeEncodeError as error:
            remedy = "a UTF-8 text in SBML or Antimony"
            return "", "model text", [Finding("error", "model text", f"the text is not UTF-8: {error}", remedy)]
        return source, "model text", [] if size <= LARGEST else [_too_large("model text", size)]
    path = Path(source)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            return "", str(path), [_too_large(str(path), size)]
        return path.read_text(encoding="utf-8"), str(path), []
    except (OSError, ValueError) as error:
        remedy = "a UTF-8 text file in SBML or Antimony"
        return "", str(path), [Finding("error", str(path), f"the model cannot be read: {error}", remedy)]


def _too_large(name: str, size: int) -> Finding:
    return Finding("error", name, f"the model is too large ({size} bytes)", f"at most {LARGEST} bytes")


def screen(xml: str, name: str) -> list[Finding]:
    """What makes an XML text unfit to be parsed: entities, depth, encoding, malformed."""
    parser = expat.ParserCreate("UTF-8")
    depth = 0

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII", "ASCII"):
            raise _Stop(f"the XML declares the encoding {encoding}", 'encoding="UTF-8", which SBML asks for')

    def document_type(*_: object) -> None:
        raise _Stop("the XML declares a document type or entities", "SBML without a DOCTYPE")

    def opened(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise _Stop("the XML elements are nested too deeply", f"at most {DEEPEST} levels")

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.XmlDeclHandler, parser.StartDoctypeDeclHandler = declared, document_type
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(xml.encode("utf-8"), True)
    except _Stop as stop:
        line = f"{name}, line {parser.CurrentLineNumber}"
        return [Finding("error", line, stop.message, stop.remedy)]
    except expat.ExpatError as error:
        line = f"{name}, line {error.lineno}"
        return [Finding("error", line, f"the XML is malformed: {expat.ErrorString(error.code)}", "well-formed XML")]
    return []
