"""A file that a user wrote to its spec, with every fault of the file in one error; a design back to text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stromal.compute.errors import InputError, InputErrors, shown
from stromal.compute.findings import Finding
from stromal.design.base import Fault, Place, SpecError, place_text, suggestion
from stromal.design.parts import TrialParts
from stromal.design.pooling import PoolSpec
from stromal.design.published import PublishedTrial
from stromal.design.soundness import disagreements_of_sound_parts
from stromal.design.text import Document, TextError, dump, parse
from stromal.design.trial import TrialDesign
from stromal.design.wording import message_and_remedy

MAXIMUM_BYTES = 1_000_000
S = TypeVar("S", bound=BaseModel)


def read_design(path: str | PathLike[str]) -> TrialDesign:
    """Read a design from a YAML file.

    Parameters
    ----------
    path : path
        A UTF-8 text file of at most 1 MB.

    Returns
    -------
    TrialDesign
        With defaults filled in. `design_findings` gives its warnings.

    Raises
    ------
    InputError
        When the file cannot be read or is not YAML.
    InputErrors
        When the design is wrong; holds every fault found in the file.
    """
    return _read(path, TrialDesign, "a design", _design_faults)


def read_pool(path: str | PathLike[str]) -> PoolSpec:
    """Read from a YAML file which studies are pooled, and how.

    Raises
    ------
    InputError
        When the file cannot be read or is not YAML.
    InputErrors
        Every fault found in the file.
    """
    return _read(path, PoolSpec, "what to pool", partial(_own_faults, root=PoolSpec))


def read_published(path: str | PathLike[str]) -> PublishedTrial:
    """Read a published trial from a YAML file.

    Raises
    ------
    InputError
        When the file cannot be read or is not YAML.
    InputErrors
        Every fault found in the file.
    """
    return _read(path, PublishedTrial, "a published trial", partial(_own_faults, root=PublishedTrial))


def _read(
    path: str | PathLike[str],
    spec: type[S],
    what: str,
    faults_of: Callable[[ValidationError, dict[str, Any]], list[Fault]],
) -> S:
    document = _document(path)
    if not isinstance(document.data, dict):
        raise InputError(
            f"the file does not hold {what}",
            file=path,
            place="(the design)" if spec is TrialDesign else "(the whole file)",
            value=document.data,
            remedy="`key: value` lines that begin with `schema: 1`" if spec is TrialDesign else "`key: value` lines",
        )
    faults = list(document.faults)
    read: S | None = None
    try:
        read = spec.model_validate(document.data)
    except ValidationError as error:
        faults += faults_of(error, document.data)
    if read is None or faults:
        raise InputErrors([_finding(fault, document) for fault in _in_file_order(faults, document)], file=path)
    return read


def resolved_yaml(design: TrialDesign) -> str:
    """Write a design as YAML text with every default; `read_design` reads it back unchanged."""
    return dump(_tidy(design.model_dump(mode="json")))


def _tidy(value: Any) -> Any:
    """Leave out what was not given and put where it comes from last."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    last = ("source", "assumed")
    kept = {key: _tidy(item) for key, item in value.items() if item is not None and (key, item) != ("assumed", False)}
    return {key: kept[key] for key in (*(k for k in kept if k not in last), *(k for k in last if k in kept))}


def _document(path: str | PathLike[str]) -> Document:
    text = _text(path)
    try:
        return parse(text)
    except TextError as error:
        place = None if error.line is None else f"line {error.line}"
        raise InputError(
            error.what, file=path, place=place, value=_excerpt(text, error.line), remedy=error.remedy
        ) from error


def _text(path: str | PathLike[str]) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(
            f"the file cannot be read: {reason}",
            file=path,
            remedy="the path of a design file, e.g. examples/care-ssc.yaml",
        ) from error
    if len(content) > MAXIMUM_BYTES:
        raise InputError(
            "the file is larger than 1 MB",
            file=path,
            value=f"over {MAXIMUM_BYTES} bytes",
            remedy="a design file (YAML text)",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            "the file is not text in UTF-8",
            file=path,
            place=f"line {line}",
            value=content[error.start : error.start + 8],
            remedy="a design file (YAML text in UTF-8)",
        ) from error
    return text


def _excerpt(text: str, line: int | None) -> str | None:
    lines = text.splitlines()
    return lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else None


def _own_faults(error: ValidationError, data: dict[str, Any], root: type[BaseModel]) -> list[Fault]:
    return [fault for detail in error.errors(include_url=False) for fault in _fault(detail, data, root)]


def _design_faults(error: ValidationError, data: dict[str, Any]) -> list[Fault]:
    """Every fault of the parts, and of their agreement as far as the parts are sound."""
    details = error.errors(include_url=False)
    found = [fault for detail in details for fault in _fault(detail, data, TrialDesign)]
    if any(detail["loc"] for detail in details):
        between = disagreements_of_sound_parts(data, [detail["loc"] for detail in details])
        found += [fault for fault in between if fault.severity == "error"]
    return found


def _fault(detail: ErrorDetails, data: dict[str, Any], root: type[BaseModel]) -> list[Fault]:
    place = _place_in(data, detail["loc"])
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, SpecError):
        return [Fault((*place, *fault.place), fault.message, fault.remedy, fault.severity) for fault in raised.faults]
    if detail["type"] == "extra_forbidden":
        key = str(place[-1])
        remedy = suggestion(key, _keys_at(detail["loc"][:-1], root))
        return [Fault(place, f"there is no key {shown(key)} here", remedy)]
    message, remedy = message_and_remedy(detail)
    return [Fault(place, message, remedy)]


def _place_in(data: Any, location: tuple[int | str, ...]) -> Place:
    """Find the place in the file that an error's location means: without the names of union members."""
    place: list[str | int] = []
    here = data
    for i, step in enumerate(location):
        inside = (isinstance(here, dict) and step in here) or (
            isinstance(here, list) and isinstance(step, int) and step < len(here)
        )
        if inside:
            place.append(step)
            here = here[step]
        elif i == len(location) - 1 and step not in _MEMBERS and step != "[key]":
            place.append(step)
    return tuple(place)


def _specs_in(annotation: Any) -> list[type[BaseModel]]:
    """List the specs named anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [spec for inner in get_args(annotation) for spec in _specs_in(inner)]


_MEMBERS = {spec.__name__: spec for spec in _specs_in(TrialParts.model_fields["eligibility"].annotation)}


def _keys_at(location: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """List the keys that may be written at the place of an error."""
    spec = root
    for step in location:
        if isinstance(step, int):
            continue
        if step in _MEMBERS:
            spec = _MEMBERS[step]
            continue
        field = next(f for name, f in spec.model_fields.items() if step in (name, f.alias))
        inner = _specs_in(field.annotation)
        spec = inner[0] if inner else spec
    return [field.alias or name for name, field in spec.model_fields.items()]


def _in_file_order(faults: list[Fault], document: Document) -> list[Fault]:
    return sorted(faults, key=lambda fault: (document.line(fault.place) or 0, place_text(fault.place)))


def _finding(fault: Fault, document: Document) -> Finding:
    line = document.line(fault.place)
    place = place_text(fault.place) + (f" (line {line})" if line is not None else "")
    found, value = _value_at(document.data, fault.place)
    message = f"{fault.message}; value {shown(value)}" if found else fault.message
    return Finding(fault.severity, place, message, fault.remedy)


def _value_at(data: Any, place: Place) -> tuple[bool, Any]:
    here = data
    for step in place:
        inside = step in here if isinstance(here, dict) else isinstance(here, list) and step in range(len(here))
        if not inside:
            return False, None
        here = here[step]
    return True, here
