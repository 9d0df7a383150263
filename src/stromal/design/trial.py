"""The whole design: parts that agree with each other."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from stromal.compute.findings import Finding
from stromal.design.agreement import disagreements
from stromal.design.base import place_text, refuse
from stromal.design.parts import TrialParts


class TrialDesign(TrialParts):
    """A trial as its designer writes it; the fields are those of `TrialParts`.

    Raises
    ------
    pydantic.ValidationError
        When a part is wrong in itself or the parts do not agree. `read_design` turns this into an
        `InputErrors` with file, line, value and remedy.
    """

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        refuse(fault for fault in disagreements(self) if fault.severity == "error")
        return self


def design_findings(design: TrialDesign) -> tuple[Finding, ...]:
    """Warnings about a design that reads: things that run but may not be meant."""
    return tuple(Finding(f.severity, place_text(f.place), f.message, f.remedy) for f in disagreements(design))
