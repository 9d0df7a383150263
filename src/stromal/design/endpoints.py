"""What is compared at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from stromal.design.base import Day, Fault, Name, Positive, Sourced, one_of
from stromal.design.catalogue import END_POINT_MEASURES, MEASURES, Benefit

Kind = Literal["change", "responder", "event"]
Event = Literal["death", "treatment_related_sae"]
Analysis = Literal["ancova", "risk_difference", "mean_change", "proportion"]
Estimand = Literal["treatment_policy", "hypothetical", "composite"]
Role = Literal["primary", "secondary"]

_ANALYSES: dict[Kind, tuple[Analysis, Analysis]] = {
    "change": ("ancova", "mean_change"),
    "responder": ("risk_difference", "proportion"),
    "event": ("risk_difference", "proportion"),
}

_ESTIMANDS: dict[Kind, Estimand] = {"change": "hypothetical", "responder": "composite", "event": "treatment_policy"}


class EndPoint(Sourced):
    """One end point with its analysis.

    Attributes
    ----------
    name : str
        Letters, digits and underscores.
    kind : {"change", "responder", "event"}
        Change of a measure from baseline, a fall large enough to count, or an event by a day.
    measure : str, optional
        What is measured (change, responder).
    event : {"death", "treatment_related_sae"}, optional
        What is counted (event).
    day : int
        When it is read [days after baseline]; an event counts up to and including this day.
    fall_points : float, optional
        A responder falls by at least this much [unit of the measure].
    fall_share : float, optional
        A responder falls by at least this share of baseline; with both given, both must hold.
    contrast : tuple of (str, str), optional
        Arm (or pool of arms) and control. Left out only in a trial with one arm.
    role : {"primary", "secondary"}
        The first end point is primary unless a role is written for it; the others are secondary.
    benefit : {"lower", "higher"}
        The direction that is good for the patient.
    analysis : {"ancova", "risk_difference", "mean_change", "proportion"}
        With a contrast: `ancova` (change) or `risk_difference`. Without: `mean_change` or `proportion`.
    estimand : {"treatment_policy", "hypothetical", "composite"}
        What an intercurrent event means for the analysis; it follows from the kind: a change is hypothetical (nobody
        died or left), a responder composite (who died or left is none), an event treatment policy.
    alpha : float
        Level of the test and complement of the interval's coverage.
    sides : {1, 2}
        Sides of the test.
    """

    name: Name
    kind: Kind
    measure: Annotated[str, AfterValidator(one_of(END_POINT_MEASURES, "measured end point"))] | None = None
    event: Event | None = None
    day: Day
    fall_points: Positive | None = None
    fall_share: Annotated[float, Field(gt=0, le=1)] | None = None
    contrast: Annotated[tuple[Name, Name], Field(strict=False)] | None = None
    role: Role = "secondary"
    benefit: Benefit
    analysis: Analysis
    estimand: Estimand
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    sides: Literal[1, 2] = 2

    @model_validator(mode="before")
    @classmethod
    def _fill_what_the_kind_implies(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        kind, measure = data.get("kind"), data.get("measure")
        if isinstance(kind, str) and kind in _ANALYSES:
            filled.setdefault("estimand", _ESTIMANDS[kind])
            filled.setdefault("analysis", _ANALYSES[kind][0 if data.get("contrast") else 1])
            if kind == "change" and isinstance(measure, str) and measure in END_POINT_MEASURES:
                filled.setdefault("benefit", MEASURES[measure].benefit)
            elif kind != "change":
                filled.setdefault("benefit", "higher" if kind == "responder" else "lower")
        return filled

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        needs, other = ("event", "measure") if self.kind == "event" else ("measure", "event")
        if getattr(self, needs) is None:
            yield Fault((needs,), f"an end point of kind {self.kind} has no {needs}", f"add `{needs}:`")
        if getattr(self, other) is not None:
            yield Fault((other,), f"an end point of kind {self.kind} takes no {other}", f"leave `{other}` out")
        yield from self._fall_faults()
        suited = _ANALYSES[self.kind][0 if self.contrast else 1]
        if self.analysis != suited:
            kind_text = f"kind {self.kind} {'with' if self.contrast else 'without'} a contrast"
            yield Fault(("analysis",), f"analysis {self.analysis} does not suit {kind_text}", suited)
        if self.contrast and self.contrast[0] == self.contrast[1]:
            yield Fault(
                ("contrast",),
                f"{self.contrast[0]} is compared with itself",
                "[arm, control], two different names",
            )
        yield from self._estimand_faults()

    def _fall_faults(self) -> Iterator[Fault]:
        falls = [key for key in ("fall_points", "fall_share") if getattr(self, key) is not None]
        if self.kind == "responder" and not falls:
            yield Fault((), "a responder is not defined", "fall_points and / or fall_share")
        if self.kind != "responder":
            for key in falls:
                yield Fault((key,), f"an end point of kind {self.kind} takes no {key}", f"leave `{key}` out")

    def _estimand_faults(self) -> Iterator[Fault]:
        meant = _ESTIMANDS[self.kind]
        if self.estimand != meant:
            yield Fault(
                ("estimand",),
                f"an end point of kind {self.kind} is analysed as {meant}, not as {self.estimand}",
                f"{meant}, or leave it out",
            )
