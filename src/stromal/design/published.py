"""A trial that was published: who entered, what each arm was given, when it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from stromal.design.arms import Course, two_cell_products
from stromal.design.base import Fault, Sourced, Text, suggestion
from stromal.design.catalogue import PRODUCTS
from stromal.design.conduct import Visits
from stromal.design.eligibility import Criterion
from stromal.design.population import Population

NO_DRUG = "none"


class PublishedArm(Sourced):
    """An arm, or a group of patients, of a published trial.

    Attributes
    ----------
    name : str
        As in the tables of arms and results.
    regimen : tuple of Course
        What the arm was given beyond the drugs taken before; empty for placebo and for natural history.
    among : tuple of str
        Only patients who took one of these drugs (``none``: no drug) at baseline; empty for all.
    eligibility : tuple of criteria
        Criteria of this arm or group beyond those of the trial.
    not_simulated : str, optional
        Why the model cannot speak to this arm.
    """

    name: Text
    regimen: Annotated[tuple[Course, ...], Field(strict=False, max_length=50)] = ()
    eligibility: Annotated[tuple[Criterion, ...], Field(strict=False, max_length=20)] = ()
    among: Annotated[tuple[str, ...], Field(strict=False, max_length=20)] = ()
    not_simulated: Text | None = None

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        yield from _drug_faults(self.among)
        yield from two_cell_products(self.name, self.regimen)
        if self.not_simulated is not None and (self.regimen or self.among or self.eligibility):
            yield Fault(("not_simulated",), "the arm has a regimen and is not simulated", "one of the two")


class PublishedGroup(Sourced):
    """What a result's `population` means, where it is not the whole arm.

    Attributes
    ----------
    population : str
        As in the table of results.
    eligibility : tuple of criteria
        Patients of the arm who meet all of these by values at baseline; empty for the whole arm.
    among : tuple of str
        Only patients who took one of these drugs (``none``: no drug) at baseline; empty for all.
    not_simulated : str, optional
        Why the model cannot speak to this group.
    """

    population: Text
    eligibility: Annotated[tuple[Criterion, ...], Field(strict=False, max_length=20)] = ()
    among: Annotated[tuple[str, ...], Field(strict=False, max_length=20)] = ()
    not_simulated: Text | None = None

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        yield from _drug_faults(self.among)


class PublishedTrial(Sourced):
    """A published trial or cohort, as far as the model can repeat it.

    Attributes
    ----------
    schema_version : int
        Written `schema`; always 1.
    trial : str
        As in the tables of arms and results.
    blinded : bool
        False for open-label trials: expectation lowers the measured skin score of those treated.
    population : Population
        Who was referred, and what they took before (drugs that go on are the trial's background).
    eligibility : tuple of criteria
        All must hold, by values measured at screening.
    arms : tuple of PublishedArm
    visits : Visits
        When patients were looked at; days of reported results are added.
    groups : tuple of PublishedGroup
        Every `population` of the trial's results; a result of a population that is not listed has no prediction.
    baseline : {"separate", "screening"}
        Whether baseline was measured again or the screening values are taken.
    not_fitted : str, optional
        Why its results are predicted and shown, but teach the calibration nothing.
    """

    schema_version: Literal[1] = Field(alias="schema")
    trial: Text
    blinded: bool
    population: Population
    eligibility: Annotated[tuple[Criterion, ...], Field(strict=False, max_length=100)] = ()
    arms: Annotated[tuple[PublishedArm, ...], Field(strict=False, min_length=1, max_length=50)]
    groups: Annotated[tuple[PublishedGroup, ...], Field(strict=False, max_length=100)] = ()
    visits: Visits
    baseline: Literal["separate", "screening"] = "separate"
    not_fitted: Text | None = None

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        names = [arm.name for arm in self.arms]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield Fault(("arms", i, "name"), f"two arms are called {name!r}", "another name")


def _drug_faults(among: tuple[str, ...]) -> Iterator[Fault]:
    for i, name in enumerate(among):
        if name != NO_DRUG and name not in PRODUCTS:
            remedy = suggestion(name, (NO_DRUG, *PRODUCTS))
            yield Fault(("among", i), f"there is no product called {name!r}", remedy)
