"""How the trial is run: randomisation, safety rules, visits, measurement error, drop-out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from stromal.design.base import Days, Fault, FrozenMapping, NotNegative, Share, Sourced


class Randomisation(Sourced):
    """Permuted blocks.

    Attributes
    ----------
    block_size : int
        Patients per block.
    allocation : mapping of str to int
        Patients of each arm per block; sums to `block_size`.
    """

    block_size: Annotated[int, Field(ge=1, le=1000)]
    allocation: FrozenMapping[Annotated[int, Field(ge=0)]]

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        total = sum(self.allocation.values())
        if total != self.block_size:
            yield Fault(
                ("allocation",),
                f"the allocation sums to {total}, the block size is {self.block_size}",
                f"allocations that sum to {self.block_size}, or block_size: {total}",
            )


class Safety(Sourced):
    """Treatment-related severe adverse events, infusion reactions and the rules that follow from them.

    Attributes
    ----------
    treatment_related_sae_per_infusion : float
        Probability after each infusion of an active product.
    treatment_related_sae_per_control_visit : float
        Probability that the same is recorded after a sham infusion.
    infusion_reaction_per_infusion : float
        Probability of an infusion reaction after each infusion.
    within_days : int
        An event counts when it begins this soon after the infusion [days].
    gate_next_block : bool
        The next block opens only without such an event in the block before.
    gate_next_dose : bool
        A patient's later infusion is given only without such an event after the earlier one.
    """

    treatment_related_sae_per_infusion: Share = 0.01
    treatment_related_sae_per_control_visit: Share = 0.0
    infusion_reaction_per_infusion: Share = 0.1
    within_days: Annotated[int, Field(ge=1, le=365)] = 30
    gate_next_block: bool = False
    gate_next_dose: bool = False


class Visits(Sourced):
    """When patients are seen.

    Attributes
    ----------
    screening_days_before : int
        Screening this long before baseline [days].
    days : tuple of int
        Visits [days after baseline]; the first is 0, the baseline visit.
    """

    screening_days_before: Annotated[int, Field(ge=0, le=365)] = 28
    days: Annotated[Days, Field(min_length=2)]

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        if self.days[0] != 0:
            yield Fault(
                ("days", 0),
                f"the first visit is on day {self.days[0]}",
                "0, the day of baseline and first treatment",
            )

    @property
    def last(self) -> int:
        """Last visit [days after baseline]."""
        return self.days[-1]


class Measurement(Sourced):
    """Error of each measurement.

    Attributes
    ----------
    mrss_visit_sd : float
        Error of one skin score by the same rater, SD [points].
    mrss_rater_sd : float
        Lasting bias between raters, SD [points]; cancels in a change while the rater stays.
    rater_change_per_visit : float
        Probability that another rater takes over at a visit.
    fvc_visit_sd, dlco_visit_sd : float
        Error of one measurement, SD [% of predicted].
    crp_assay_cv : float
        Coefficient of variation of the assay.
    ct_extent_sd : float
        Error of one reading, SD [% of lung volume].
    """

    mrss_visit_sd: NotNegative = 2.7
    mrss_rater_sd: NotNegative = 4.0
    rater_change_per_visit: Share = 0.0
    fvc_visit_sd: NotNegative = 3.0
    dlco_visit_sd: NotNegative = 4.0
    crp_assay_cv: NotNegative = 0.1
    ct_extent_sd: NotNegative = 3.0


class Retention(Sourced):
    """Who leaves the trial.

    Attributes
    ----------
    dropout_per_year : float
        Share of patients without any worsening who leave within a year.
    log_hazard_per_mrss_point, log_hazard_per_fvc_point : float
        Rise of the log hazard of leaving per point of skin score gained, or of FVC % lost, since baseline.
    """

    dropout_per_year: Annotated[float, Field(ge=0, lt=1)] = 0.12
    log_hazard_per_mrss_point: NotNegative = 0.05
    log_hazard_per_fvc_point: NotNegative = 0.05


class Effect(Sourced):
    """The effect of the cells in the `reference` scenario.

    Attributes
    ----------
    msc_effect : float
        Dimensionless responsiveness to the cells; 0 means that they do nothing.
    """

    msc_effect: NotNegative = 0.25
