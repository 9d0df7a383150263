"""What can still be checked of a design some of whose parts could not be read.

The checks between parts then run on what is sound, so that a file shows all its faults at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo

from stromal.design.agreement import disagreements
from stromal.design.arms import Arm
from stromal.design.base import Fault
from stromal.design.parts import TrialParts

Location = tuple[int | str, ...]


def disagreements_of_sound_parts(data: Mapping[str, Any], broken: Iterable[Location]) -> tuple[Fault, ...]:
    """Check sound parts against each other.

    Parameters
    ----------
    data : mapping
        The design as plain data.
    broken : iterable of locations
        Where reading it failed.
    """
    locations = tuple(broken)
    sound: dict[str, Any] = {}
    kept: dict[str, list[int]] = {}
    for name, field in TrialParts.model_fields.items():
        key = field.alias or name
        inside = [location for location in locations if location[:1] == (key,)]
        if key not in data:
            if not field.is_required():
                sound[name] = field.get_default(call_default_factory=True, validated_data={})
        elif not inside:
            sound[name] = _read(field, data[key])
        elif name == "arms":
            sound.update(_named_arms(data[key], _items(inside)))
        elif name in ("eligibility", "endpoints") and None not in (bad := _items(inside)):
            kept[key] = [i for i in range(len(data[key])) if i not in bad]
            if kept[key]:
                sound[name] = _read(field, [data[key][i] for i in kept[key]])
    faults = disagreements(TrialParts.model_construct(**sound), frozenset(sound))
    return tuple(_where_it_was_written(fault, kept) for fault in faults)


def _read(field: FieldInfo, value: Any) -> Any:
    part: Any = Annotated[field.annotation, Field(), *field.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(part)
    return adapter.validate_python(value)


def _items(inside: list[Location]) -> set[int | None]:
    """List the broken items of a list; None when the list itself is broken."""
    return {step if isinstance(step := (*location, None)[1], int) else None for location in inside}


def _named_arms(arms: Any, bad: set[int | None]) -> dict[str, tuple[Arm, ...]]:
    """Read the sound arms, and the names of the others; nothing when a name is missing."""
    if None in bad:
        return {}
    read: list[Arm] = []
    for i, arm in enumerate(arms):
        if i not in bad:
            read.append(Arm.model_validate(arm))
        elif isinstance(arm, dict) and isinstance(arm.get("name"), str):
            source, assumed = arm.get("source"), bool(arm.get("assumed"))
            read.append(Arm.model_construct(name=arm["name"], regimen=(), source=source, assumed=assumed))
        else:
            return {}
    return {"arms": tuple(read)}


def _where_it_was_written(fault: Fault, kept: Mapping[str, list[int]]) -> Fault:
    """Undo the shift of places in a list whose broken items were left out."""
    head = fault.place[:2]
    if len(head) == 2 and isinstance(head[1], int) and head[0] in kept:
        return replace(fault, place=(head[0], kept[str(head[0])][head[1]], *fault.place[2:]))
    return fault
