"""The parts of a design and what follows from writing only some of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from stromal.design.arms import Arm
from stromal.design.base import FrozenMapping, Name, Spec, Text
from stromal.design.conduct import Effect, Measurement, Randomisation, Retention, Safety, Visits
from stromal.design.eligibility import Criterion
from stromal.design.endpoints import EndPoint
from stromal.design.population import Population

ArmNames = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]


class TrialParts(Spec):
    """The parts of a trial, each sound in itself; `TrialDesign` adds that they agree.

    Attributes
    ----------
    schema_version : int
        Written `schema`; always 1.
    title, question : str
        What the trial is called and, in one sentence, asks.
    registry : str, optional
        Registry number; when given, every item says its source or that it is assumed.
    blinded : bool
        False for open label: expectation then lowers the measured skin score.
    population, eligibility, sample_size, arms, randomisation, safety, visits, measurement, retention, effect
        The parts; `sample_size` counts randomised patients over all arms.
    baseline : {"separate", "screening"}
        Whether baseline is measured again or the screening values are taken.
    pooled_arms : mapping of str to tuple of str
        Names for several arms taken together, usable in contrasts.
    endpoints : tuple of EndPoint
        End points with their analyses.
    """

    schema_version: Literal[1] = Field(alias="schema")
    title: Text
    registry: Text | None = None
    question: Text
    blinded: bool
    population: Population
    eligibility: Annotated[tuple[Criterion, ...], Field(strict=False, max_length=100)] = ()
    sample_size: Annotated[int, Field(ge=1, le=100_000)]
    arms: Annotated[tuple[Arm, ...], Field(strict=False, min_length=1, max_length=50)]
    randomisation: Randomisation
    safety: Safety = Field(default_factory=Safety)
    visits: Visits
    baseline: Literal["separate", "screening"] = "separate"
    measurement: Measurement = Field(default_factory=Measurement)
    retention: Retention = Field(default_factory=Retention)
    effect: Effect = Field(default_factory=Effect)
    pooled_arms: FrozenMapping[ArmNames] = Field(default_factory=FrozenMapping)
    endpoints: Annotated[tuple[EndPoint, ...], Field(strict=False, min_length=1, max_length=100)]

    def arm(self, name: str) -> Arm:
        """Find an arm by name; `KeyError` when there is none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)

    def arms_in(self, name: str) -> tuple[str, ...]:
        """List the arms meant by a name in a contrast: an arm's own name, or the members of a pool."""
        return self.pooled_arms[name] if name in self.pooled_arms else (self.arm(name).name,)

    @model_validator(mode="before")
    @classmethod
    def _one_arm_needs_no_allocation(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "randomisation" in data:
            return data
        arms = data.get("arms")
        if isinstance(arms, list | tuple) and len(arms) == 1:
            name = arms[0].get("name") if isinstance(arms[0], dict) else getattr(arms[0], "name", None)
            if isinstance(name, str):
                whole = {"block_size": 1, "allocation": {name: 1}, "assumed": True}
                return {**data, "randomisation": whole}
        return data

    @field_validator("endpoints", mode="after")
    @classmethod
    def _first_is_primary(cls, endpoints: tuple[EndPoint, ...]) -> tuple[EndPoint, ...]:
        first = endpoints[0]
        if "role" in first.model_fields_set:
            return endpoints
        return (first.model_copy(update={"role": "primary"}), *endpoints[1:])
