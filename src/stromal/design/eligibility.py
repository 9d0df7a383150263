"""Who may enter: criteria on measured screening values, earlier treatment, subset and antibody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from stromal.design.base import Fault, NotNegative, Sourced, one_of
from stromal.design.catalogue import ANTIBODIES, MEASURES, PRODUCTS, SUBSETS

MeasureName = Annotated[str, AfterValidator(one_of(MEASURES, "measure"))]
ProductName = Annotated[str, AfterValidator(one_of(PRODUCTS, "product"))]
AntibodyName = Annotated[str, AfterValidator(one_of(ANTIBODIES, "antibody"))]
SubsetName = Annotated[str, AfterValidator(one_of(SUBSETS, "subset"))]


class MeasureCriterion(Sourced):
    """A measured screening value lies within limits.

    Attributes
    ----------
    measure : str
        Name of a measure.
    above, at_least, below, at_most : float, optional
        Limits in the measure's unit, at least one; all given ones must hold.
    """

    measure: MeasureName
    above: NotNegative | None = None
    at_least: NotNegative | None = None
    below: NotNegative | None = None
    at_most: NotNegative | None = None

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        floors = [limit for limit in (self.above, self.at_least) if limit is not None]
        ceilings = [limit for limit in (self.below, self.at_most) if limit is not None]
        if not floors and not ceilings:
            yield Fault(
                (),
                f"the criterion on {self.measure} has no limit",
                "one or more of above, at_least, below, at_most",
            )
        if floors and ceilings:
            strict = max(floors) == self.above or min(ceilings) == self.below
            if max(floors) > min(ceilings) or (strict and max(floors) == min(ceilings)):
                yield Fault(
                    (),
                    f"no value of {self.measure} lies between {max(floors):g} and {min(ceilings):g}",
                    "a lower limit below the upper limit",
                )


class FailedTreatment(Sourced):
    """The patient had one of the drugs for long enough before referral and is still eligible.

    Attributes
    ----------
    failed : tuple of str
        Any one of these products counts.
    at_least_months : float
        Shortest time on it before referral [months].
    """

    failed: Annotated[tuple[ProductName, ...], Field(strict=False, min_length=1)]
    at_least_months: NotNegative = 3.0


class SubsetCriterion(Sourced):
    """The patient's cutaneous subset is one of these.

    Attributes
    ----------
    subset : tuple of {"diffuse", "limited"}
        Subsets admitted.
    """

    subset: Annotated[tuple[SubsetName, ...], Field(strict=False, min_length=1)]


class AntibodyCriterion(Sourced):
    """The patient's antibody is one of these.

    Attributes
    ----------
    antibody : tuple of {"ATA", "ACA", "RNAP3", "other"}
        Antibodies admitted.
    """

    antibody: Annotated[tuple[AntibodyName, ...], Field(strict=False, min_length=1)]


_KIND_BY_KEY = {
    "any_of": "AnyOf",
    "failed": "FailedTreatment",
    "subset": "SubsetCriterion",
    "antibody": "AntibodyCriterion",
}


def _kind(value: Any) -> str:
    """Which criterion this is, told by its leading key; a tag never equals a key."""
    for key, kind in _KIND_BY_KEY.items():
        if (isinstance(value, dict) and key in value) or hasattr(value, key):
            return kind
    return "MeasureCriterion"


SimpleCriterion = Annotated[
    Annotated[MeasureCriterion, Tag("MeasureCriterion")]
    | Annotated[FailedTreatment, Tag("FailedTreatment")]
    | Annotated[SubsetCriterion, Tag("SubsetCriterion")]
    | Annotated[AntibodyCriterion, Tag("AntibodyCriterion")],
    Discriminator(_kind),
]
Alternative = Annotated[tuple[SimpleCriterion, ...], Field(strict=False, min_length=1)]


class AnyOf(Sourced):
    """At least one alternative holds.

    Attributes
    ----------
    any_of : tuple of tuple of criteria
        Alternatives; within one alternative all criteria must hold.
    """

    any_of: Annotated[tuple[Alternative, ...], Field(strict=False, min_length=1)]


Criterion = Annotated[
    Annotated[MeasureCriterion, Tag("MeasureCriterion")]
    | Annotated[FailedTreatment, Tag("FailedTreatment")]
    | Annotated[SubsetCriterion, Tag("SubsetCriterion")]
    | Annotated[AntibodyCriterion, Tag("AntibodyCriterion")]
    | Annotated[AnyOf, Tag("AnyOf")],
    Discriminator(_kind),
]
