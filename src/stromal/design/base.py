"""What every spec shares: the frozen base, faults with a place and a remedy, and common field types."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from stromal.compute.findings import Severity

Place = tuple[str | int, ...]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a design, before it has a file and a line.

    Attributes
    ----------
    place : tuple of str or int
        Path from the spec that reports it, e.g. ``("regimen", 0, "days")``.
    message, remedy : str
        What is wrong and what to write instead.
    severity : {"error", "warning"}
        A warning never stops a design from being read.
    """

    place: Place
    message: str
    remedy: str
    severity: Severity = "error"


class SpecError(ValueError):
    """Raised inside validation; carries faults whose places are relative to the spec that raised it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{place_text(f.place)}: {f.message}; {f.remedy}" for f in self.faults))


class Spec(BaseModel):
    """A frozen piece of a design: no unknown key, no text read as a number, no infinite number."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class Sourced(Spec):
    """A spec that may say where it comes from.

    Attributes
    ----------
    source : str, optional
        Where it is written, e.g. a registry entry or a paper.
    assumed : bool
        True when nobody wrote it down and the designer chose it.
    """

    source: Text | None = None
    assumed: bool = False

    def _own_faults(self) -> Iterator[Fault]:
        """Things wrong within this spec alone."""
        if self.source is not None and self.assumed:
            yield Fault(
                ("assumed",),
                "an item cannot be both sourced and assumed",
                "keep either `source:` or `assumed: true`",
            )

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse what is wrong within this spec alone."""
        refuse(self._own_faults())


def refuse(faults: Iterable[Fault]) -> None:
    """Raise `SpecError` when there is any fault."""
    found = tuple(faults)
    if found:
        raise SpecError(found)


def place_text(place: Place) -> str:
    """Write a place as a path, e.g. ``arms[1].regimen[0].days``; the design itself is ``(the design)``."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else str(step))
    return text or "(the design)"


def suggestion(word: str, options: Iterable[str]) -> str:
    """Word the remedy for an unknown word: the nearest option, and all of them."""
    known = tuple(options)
    near = difflib.get_close_matches(word.strip().lower()[:60], known, n=1, cutoff=0.6)
    listed = ", ".join(known) if known else "(none)"
    return f"{near[0]} (did you mean that? known: {listed})" if near else f"one of: {listed}"


def one_of(options: Iterable[str], kind: str) -> Callable[[str], str]:
    """Make a validator that accepts only the options and suggests the nearest one."""
    known = tuple(options)

    def check(word: str) -> str:
        if word not in known:
            raise SpecError([Fault((), f"there is no {kind} called {word!r}", suggestion(word, known))])
        return word

    return check


class FrozenMapping(Mapping[str, V], Generic[V]):
    """A mapping that cannot be changed, in the order written; equal to any with the same items."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, V] | None = None) -> None:
        self._items: dict[str, V] = dict(items or {})

    def __getitem__(self, key: str) -> V:
        """Look up one value."""
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        """Give the keys in the order written."""
        return iter(self._items)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._items)

    def __hash__(self) -> int:
        """Hash the items whatever their order, as equality ignores it."""
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        """Show the items."""
        return f"FrozenMapping({self._items!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic to read it from, and write it as, a plain dictionary."""
        plain = handler.generate_schema(dict[Name, get_args(source)[0]])  # type: ignore[misc]
        return core_schema.no_info_before_validator_function(
            lambda value: dict(value) if isinstance(value, Mapping) else value,
            core_schema.no_info_after_validator_function(cls, plain),
            serialization=core_schema.plain_serializer_function_ser_schema(dict, return_schema=plain),
        )


def _ascending(days: tuple[int, ...]) -> tuple[int, ...]:
    for i in range(1, len(days)):
        if days[i] <= days[i - 1]:
            raise SpecError(
                [
                    Fault(
                        (i,),
                        f"day {days[i]} follows day {days[i - 1]}",
                        "the days in ascending order, each once",
                    )
                ]
            )
    return days


def _not_before_baseline(day: int) -> int:
    if day < 0:
        remedy = "a day from 0, the day of baseline (`visits.screening_days_before` holds the screening)"
        raise SpecError([Fault((), f"day {day} lies before baseline", remedy)])
    return day


def _not_blank(text: str) -> str:
    if not text.strip():
        raise SpecError([Fault((), "the text is empty", "a few words")])
    return text


Text = Annotated[str, Field(max_length=2000), AfterValidator(_not_blank)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,59}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
LAST_DAY = 7305
Day = Annotated[int, Field(le=LAST_DAY), AfterValidator(_not_before_baseline)]
Days = Annotated[tuple[Day, ...], Field(strict=False, max_length=400), AfterValidator(_ascending)]

Sourced.model_rebuild()


class Range(Spec):
    """Values spread evenly between two ends.

    Attributes
    ----------
    low, high : float
        The ends, in the unit of the key that holds the range; `low` is at most `high`.
    """

    low: NotNegative
    high: NotNegative

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse ends in the wrong order."""
        if self.low > self.high:
            raise SpecError(
                [
                    Fault(
                        ("low",),
                        f"low {self.low:g} lies above high {self.high:g}",
                        "low at most as large as high",
                    )
                ]
            )
