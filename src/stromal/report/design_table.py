"""The design as it was read, item by item, with the source of each item or the word that it is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stromal.design.arms import Course
from stromal.design.base import Sourced
from stromal.design.eligibility import (
    AntibodyCriterion,
    AnyOf,
    Criterion,
    FailedTreatment,
    MeasureCriterion,
    SubsetCriterion,
)
from stromal.design.trial import TrialDesign
from stromal.report.wording import MEASURE_NAMES, UNITS, comparison, listed, outcome, percent, plain

Row = dict[str, str]
LIMITS: Final = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}
ASSUMED: Final = "assumed"
DEFAULT: Final = "not written: shipped default (assumed)"
CHOSEN: Final = "no source stated"


def design_rows(design: TrialDesign) -> list[Row]:
    """Every item of the design as read, with where it comes from."""
    people, prior = design.population, design.population.prior_treatment
    return [
        _row("candidates", _candidates(design), people),
        _row("treatment before referral", _prior(design), prior),
        *(_row(f"criterion {k}", criterion(c), c) for k, c in enumerate(design.eligibility, 1)),
        {"item": "patients", "value": f"{design.sample_size} randomised, {_blinding(design)}", "source": CHOSEN},
        *(_row(f"arm {plain(a.name)}", "; ".join(map(course, a.regimen)) or "no cells", a) for a in design.arms),
        _row("randomisation", _allocation(design), design.randomisation),
        _row("safety rules", _safety(design), design.safety, written="safety" in design.model_fields_set),
        _row("visits", _visits(design), design.visits),
        _row(
            "measurement error",
            _values(design.measurement.model_dump(exclude={"source", "assumed"})),
            design.measurement,
            written="measurement" in design.model_fields_set,
        ),
        _row(
            "who leaves",
            _values(design.retention.model_dump(exclude={"source", "assumed"})),
            design.retention,
            written="retention" in design.model_fields_set,
        ),
        _row(
            "effect in the reference world",
            f"msc_effect {design.effect.msc_effect:g}",
            design.effect,
            written="effect" in design.model_fields_set,
        ),
        *(_row(f"end point {plain(e.name)}", f"{outcome(e)}; {comparison(e)}; {e.role}", e) for e in design.endpoints),
    ]


def criterion(item: Criterion) -> str:
    """An eligibility criterion in words."""
    if isinstance(item, AnyOf):
        return " or ".join("(" + " and ".join(criterion(c) for c in way) + ")" for way in item.any_of)
    if isinstance(item, FailedTreatment):
        drugs = " or ".join(map(plain, item.failed))
        return f"had {drugs} for at least {item.at_least_months:g} months"
    if isinstance(item, SubsetCriterion):
        return f"{' or '.join(item.subset)} disease"
    if isinstance(item, AntibodyCriterion):
        return f"antibody {' or '.join(item.antibody)}"
    return _limits(item)


def course(item: Course) -> str:
    """A course of a product in words."""
    text = plain(item.product)
    if item.dose_per_kg is not None:
        text += f", {item.dose_per_kg / 1e6:g} million per kg"
    if item.route is not None:
        text += ", intravenous" if item.route == "iv" else ", local injection"
    if item.share_of_standard_dose != 1.0:
        text += f", {percent(item.share_of_standard_dose, 0)} of the standard dose"
    if item.days:
        return f"{text}, {'day' if len(item.days) == 1 else 'days'} {listed([str(d) for d in item.days])}"
    return f"{text}, from day {item.from_day}" + (f" to day {item.to_day}" if item.to_day is not None else "")


def _limits(item: MeasureCriterion) -> str:
    limits = [f"{words} {getattr(item, key):g}" for key, words in LIMITS.items() if getattr(item, key) is not None]
    return f"{MEASURE_NAMES[item.measure].split(' (')[0]} {' and '.join(limits)} {UNITS[item.measure]}"


def _row(item: str, value: str, spec: Sourced, *, written: bool = True) -> Row:
    source = spec.source or (ASSUMED if spec.assumed else CHOSEN if written else DEFAULT)
    return {"item": item, "value": value, "source": source}


def _candidates(design: TrialDesign) -> str:
    people = design.population
    subsets = listed([f"{percent(v, 0)} {k}" for k, v in people.subsets.items() if v])
    months = people.referral_months
    background = ", ".join(f"{plain(k)} {percent(v, 0)}" for k, v in people.background.items()) or "none"
    return (
        f"{subsets} disease, referred {months.low:g} to {months.high:g} months after the first non-Raynaud symptom; "
        f"background drug from baseline on: {background}"
    )


def _prior(design: TrialDesign) -> str:
    prior = design.population.prior_treatment
    if not prior.products:
        return "none"
    drugs = ", ".join(f"{plain(k)} {percent(v, 0)}" for k, v in prior.products.items())
    return (
        f"{drugs}; begun {prior.months.low:g} to {prior.months.high:g} months before referral; "
        f"{percent(prior.continues, 0)} go on during the trial"
    )


def _blinding(design: TrialDesign) -> str:
    baseline = "measured again at baseline" if design.baseline == "separate" else "the screening value is the baseline"
    return f"{'blinded' if design.blinded else 'open label'}, {baseline}"


def _allocation(design: TrialDesign) -> str:
    if len(design.arms) == 1:
        return "none: one arm"
    allocation = ", ".join(f"{plain(k)} {v}" for k, v in design.randomisation.allocation.items())
    return f"blocks of {design.randomisation.block_size}: {allocation}"


def _safety(design: TrialDesign) -> str:
    safety = design.safety
    gates = [
        words
        for holds, words in (
            (safety.gate_next_block, "the next block opens only without such an event in the block before"),
            (safety.gate_next_dose, "a later infusion is given only without such an event"),
        )
        if holds
    ]
    return (
        f"treatment-related severe adverse event within {safety.within_days} days of an infusion: "
        f"{percent(safety.treatment_related_sae_per_infusion)} (sham "
        f"{percent(safety.treatment_related_sae_per_control_visit)}); infusion reaction: "
        f"{percent(safety.infusion_reaction_per_infusion)}" + "".join(f"; {g}" for g in gates)
    )


def _visits(design: TrialDesign) -> str:
    days = listed([str(d) for d in design.visits.days])
    return f"screening {design.visits.screening_days_before} days before baseline; days {days}"


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{plain(k)} {v:g}" for k, v in values.items())
