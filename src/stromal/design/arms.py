"""What each arm gives: courses of products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from stromal.design.base import Day, Days, Fault, Name, Positive, Sourced
from stromal.design.catalogue import PRODUCTS, Product, ProductKind, Route
from stromal.design.eligibility import ProductName

_TAKES: dict[ProductKind, tuple[str, ...]] = {
    "drug_daily": ("from_day", "to_day", "share_of_standard_dose"),
    "drug_infusion": ("days", "share_of_standard_dose"),
    "transplant": ("days",),
    "exchange": ("days",),
    "pulse": ("days",),
    "cells": ("days", "dose_per_kg", "route"),
    "vesicles": ("days", "dose_per_kg"),
}


class Course(Sourced):
    """One product, how much of it and when; which keys it takes depends on the product's kind.

    Attributes
    ----------
    product : str
        Name in the catalogue.
    from_day, to_day : int, optional
        First and last day of a daily drug [days after baseline]; no `to_day` means it goes on to the end.
    share_of_standard_dose : float
        Dose of a drug as a share of the product's standard dose.
    days : tuple of int
        Days of infusions, sessions, pulses or the transplantation [days after baseline].
    dose_per_kg : float, optional
        Cells, or cell equivalents of vesicles, per infusion [per kg body weight].
    route : {"iv", "local"}, optional
        Route of a cell product.
    """

    product: ProductName
    from_day: Day | None = None
    to_day: Day | None = None
    share_of_standard_dose: Annotated[float, Field(gt=0, le=5)] = 1.0
    days: Days = ()
    dose_per_kg: Positive | None = None
    route: Route | None = None

    @property
    def entry(self) -> Product:
        """The product's entry in the catalogue."""
        return PRODUCTS[self.product]

    @property
    def kind(self) -> ProductKind:
        """The product's kind."""
        return self.entry.kind

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        written = {
            "from_day": self.from_day is not None,
            "to_day": self.to_day is not None,
            "share_of_standard_dose": self.share_of_standard_dose != 1.0,
            "days": bool(self.days),
            "dose_per_kg": self.dose_per_kg is not None,
            "route": self.route is not None,
        }
        takes = _TAKES[self.kind]
        needs = [key for key in takes if key not in ("to_day", "share_of_standard_dose")]
        remedy = f"for {self.product} (kind {self.kind}): {', '.join(takes)}"
        for key, present in written.items():
            if present and key not in takes:
                yield Fault((key,), f"{self.product} takes no {key}", remedy)
        for key in needs:
            if not written[key]:
                yield Fault((key,), f"the course of {self.product} has no {key}", remedy)
        yield from self._details()

    def _details(self) -> Iterator[Fault]:
        if self.kind == "transplant" and len(self.days) > 1:
            yield Fault(("days",), "a transplantation is done once", "one day, e.g. [0]")
        if self.from_day is not None and self.to_day is not None and self.to_day <= self.from_day:
            yield Fault(
                ("to_day",),
                f"to_day {self.to_day} is not after from_day {self.from_day}",
                "a later day, or leave it out",
            )
        if self.route is not None and self.entry.routes and self.route not in self.entry.routes:
            yield Fault(
                ("route",),
                f"{self.product} is not offered by route {self.route!r}",
                f"one of: {', '.join(self.entry.routes)}",
            )


class Arm(Sourced):
    """One arm of the trial.

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    regimen : tuple of Course
        What the arm gives beyond background drugs; empty for placebo.
    """

    name: Name
    regimen: Annotated[tuple[Course, ...], Field(strict=False, max_length=50)] = ()

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        yield from two_cell_products(self.name, self.regimen)


def two_cell_products(arm: str, regimen: tuple[Course, ...]) -> Iterator[Fault]:
    """An arm may infuse one cell product only."""
    cells = list(dict.fromkeys(course.product for course in regimen if course.kind == "cells"))
    if len(cells) > 1:
        second = next(i for i, course in enumerate(regimen) if course.product == cells[1])
        yield Fault(
            ("regimen", second, "product"),
            f"arm {arm} gives two different cell products ({cells[0]} and {cells[1]}), "
            "whose potency the model cannot tell apart once infused",
            f"{cells[0]} again, or a separate arm for {cells[1]}",
        )
