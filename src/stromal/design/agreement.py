"""Checks between the parts of a design: errors that stop it from being read, and warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from stromal.design.base import Fault, Place, Sourced, suggestion
from stromal.design.catalogue import DAYS_PER_MONTH
from stromal.design.eligibility import FailedTreatment, MeasureCriterion, SubsetCriterion
from stromal.design.parts import TrialParts
from stromal.design.population import Population

ALL_PARTS = frozenset(TrialParts.model_fields)
Check = Callable[[TrialParts], Iterable[Fault]]
_SOURCED_PARTS = ("population", "eligibility", "arms", "randomisation", "safety", "visits", "endpoints")
_USUAL_DOSE_PER_KG = (1e4, 1e8)


def disagreements(parts: TrialParts, known: frozenset[str] = ALL_PARTS) -> tuple[Fault, ...]:
    """Every fault between parts.

    Parameters
    ----------
    parts : TrialParts
        The design; may lack parts that could not be read.
    known : frozenset of str
        The parts it has; checks that need another part are left out.
    """
    return tuple(fault for needs, check in _CHECKS if needs <= known for fault in check(parts))


def _names_once(parts: TrialParts) -> Iterator[Fault]:
    yield from _repeated([arm.name for arm in parts.arms], "arms", "arm")


def _endpoint_names_once(parts: TrialParts) -> Iterator[Fault]:
    yield from _repeated([end.name for end in parts.endpoints], "endpoints", "end point")


def _repeated(names: Sequence[str], key: str, kind: str) -> Iterator[Fault]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Fault((key, i, "name"), f"two {kind}s are called {name!r}", "a name of its own")


def _pools(parts: TrialParts) -> Iterator[Fault]:
    names = [arm.name for arm in parts.arms]
    for pool, members in parts.pooled_arms.items():
        if pool in names:
            yield Fault(("pooled_arms", pool), f"{pool!r} is already the name of an arm", "another name for the pool")
        for i, member in enumerate(members):
            if member not in names:
                place: Place = ("pooled_arms", pool, i)
                yield Fault(place, f"there is no arm called {member!r}", suggestion(member, names))
            elif member in members[:i]:
                yield Fault(("pooled_arms", pool, i), f"{member!r} is in the pool twice", "each arm once")


def _allocation(parts: TrialParts) -> Iterator[Fault]:
    names = [arm.name for arm in parts.arms]
    place: Place = ("randomisation", "allocation")
    for name in parts.randomisation.allocation:
        if name not in names:
            yield Fault((*place, name), f"there is no arm called {name!r}", suggestion(name, names))
    for name in names:
        if parts.randomisation.allocation.get(name, 0) == 0:
            yield Fault(
                place,
                f"no patient is allocated to arm {name!r}",
                f"`{name}:` with 1 or more, or leave the arm out",
            )


def _blocks(parts: TrialParts) -> Iterator[Fault]:
    size, block = parts.sample_size, parts.randomisation.block_size
    if size % block:
        down = size - size % block
        sizes = f"{down} or {down + block}" if down else f"{block}"
        yield Fault(
            ("sample_size",),
            f"{size} patients do not fill blocks of {block}: the last block is cut to {size % block}, "
            "so the arms may differ in size",
            f"{sizes}, or keep it",
            severity="warning",
        )


def _contrasts(parts: TrialParts) -> Iterator[Fault]:
    names = [*(arm.name for arm in parts.arms), *parts.pooled_arms]
    for i, end in enumerate(parts.endpoints):
        place: Place = ("endpoints", i, "contrast")
        if end.contrast is None:
            if len(parts.arms) > 1:
                yield Fault(place, f"end point {end.name} compares no arms", "contrast: [arm, control]")
            continue
        for k, name in enumerate(end.contrast):
            if name not in names:
                yield Fault((*place, k), f"there is no arm or pool called {name!r}", suggestion(name, names))
        members = [set(parts.pooled_arms.get(name, (name,))) for name in end.contrast]
        shared = sorted(members[0] & members[1])
        if shared and end.contrast[0] != end.contrast[1]:
            yield Fault(place, f"arm {shared[0]} is on both sides of the contrast", "two sides without a common arm")


def _endpoint_days(parts: TrialParts) -> Iterator[Fault]:
    days = parts.visits.days
    for i, end in enumerate(parts.endpoints):
        place: Place = ("endpoints", i, "day")
        if end.kind == "event":
            if not 0 < end.day <= days[-1]:
                yield Fault(
                    place,
                    f"day {end.day} is not within the trial",
                    f"a day from 1 to the last visit, {days[-1]}",
                )
        elif end.day not in days[1:]:
            later = ", ".join(str(day) for day in days[1:])
            yield Fault(place, f"day {end.day} is no visit after baseline", f"one of the visit days: {later}")


def _course_days(parts: TrialParts) -> Iterator[Fault]:
    last = parts.visits.last
    for i, arm in enumerate(parts.arms):
        for k, course in enumerate(arm.regimen):
            place: Place = ("arms", i, "regimen", k)
            remedy = f"a day before the last visit, {last}, or a later last visit"
            for n, day in enumerate(course.days):
                if day > last:
                    yield Fault((*place, "days", n), f"day {day} lies after the last visit", remedy)
            if course.from_day is not None and course.from_day > last:
                yield Fault((*place, "from_day"), f"day {course.from_day} lies after the last visit", remedy)


def _doses(parts: TrialParts) -> Iterator[Fault]:
    low, high = _USUAL_DOSE_PER_KG
    for i, arm in enumerate(parts.arms):
        for k, course in enumerate(arm.regimen):
            dose = course.dose_per_kg
            if dose is not None and not low <= dose <= high:
                yield Fault(
                    ("arms", i, "regimen", k, "dose_per_kg"),
                    f"{dose:g} per kg lies far outside what has been given to patients",
                    "cells per kg body weight, usually about 1.0e6, or keep it",
                    severity="warning",
                )


def _background_twice(parts: TrialParts) -> Iterator[Fault]:
    background = [name for name, share in parts.population.background.items() if share > 0]
    for i, arm in enumerate(parts.arms):
        for k, course in enumerate(arm.regimen):
            if course.product in background:
                yield Fault(
                    ("arms", i, "regimen", k, "product"),
                    f"{course.product} is also a background drug: a patient on both gets the arm's dose",
                    "leave one of the two out, or keep it",
                    severity="warning",
                )


def _open_label(parts: TrialParts) -> Iterator[Fault]:
    if not parts.blinded and len(parts.arms) > 1 and any(end.measure == "mrss" for end in parts.endpoints):
        yield Fault(
            ("blinded",),
            "the trial is open label, so expectation shifts the skin score",
            "true, or keep it and read the skin score with care",
            severity="warning",
        )


def _nobody_eligible(parts: TrialParts) -> Iterator[Fault]:
    people = parts.population
    for i, criterion in enumerate(parts.eligibility):
        place: Place = ("eligibility", i)
        if isinstance(criterion, SubsetCriterion):
            if not sum(people.subsets.get(name, 0.0) for name in criterion.subset):
                yield Fault(
                    (*place, "subset"),
                    "no candidate belongs to these subsets",
                    "a subset with a share above 0 in population.subsets",
                )
        elif isinstance(criterion, FailedTreatment):
            yield from _nobody_failed(parts, criterion, place)
        elif isinstance(criterion, MeasureCriterion) and criterion.measure == "disease_duration_months":
            yield from _nobody_that_early(parts, criterion, place)


def _nobody_failed(parts: TrialParts, criterion: FailedTreatment, place: Place) -> Iterator[Fault]:
    prior = parts.population.prior_treatment
    if not sum(prior.products.get(name, 0.0) for name in criterion.failed):
        yield Fault(
            (*place, "failed"),
            "no candidate had any of these drugs",
            "a share above 0 in population.prior_treatment.products",
        )
    longest = min(prior.months.high, parts.population.referral_months.high)
    if longest < criterion.at_least_months:
        yield Fault(
            (*place, "at_least_months"),
            f"no candidate was on the drug for {criterion.at_least_months:g} months (longest {longest:g})",
            "a shorter time, or a wider population.prior_treatment.months and referral_months",
        )


def _nobody_that_early(parts: TrialParts, criterion: MeasureCriterion, place: Place) -> Iterator[Fault]:
    referral = parts.population.referral_months
    highest = min(limit for limit in (criterion.at_most, criterion.below, float("inf")) if limit is not None)
    lowest = max(limit for limit in (criterion.at_least, criterion.above, 0.0) if limit is not None)
    wait = parts.visits.screening_days_before / DAYS_PER_MONTH
    if highest < referral.low or lowest > referral.high + wait:
        yield Fault(
            place,
            f"no candidate has this duration (referral at {referral.low:g} to {referral.high:g} months)",
            "limits that overlap population.referral_months",
        )


def _sources(part: str) -> Check:
    """Make the check that every item of a part says where it comes from once a registry is named."""

    def check(parts: TrialParts) -> Iterator[Fault]:
        for place, item in _sourced_items(part, getattr(parts, part)):
            if parts.registry is not None and item.source is None and not item.assumed:
                yield Fault(
                    place,
                    f"the design names {parts.registry}, but this item does not say where it comes from",
                    'add `source: "..."` or `assumed: true`',
                )

    return check


def _sourced_items(part: str, value: Sourced | tuple[Sourced, ...]) -> Iterator[tuple[Place, Sourced]]:
    if isinstance(value, tuple):
        yield from (((part, i), item) for i, item in enumerate(value))
        return
    yield (part,), value
    if isinstance(value, Population) and value.prior_treatment.products:
        yield (part, "prior_treatment"), value.prior_treatment


def _several_primary(parts: TrialParts) -> Iterator[Fault]:
    primary = [end.name for end in parts.endpoints if end.role == "primary"]
    if len(primary) > 1:
        yield Fault(
            ("endpoints",),
            f"{len(primary)} end points are primary ({', '.join(primary)}) and their errors add up",
            "one primary end point, or a smaller alpha for each, or keep it",
            severity="warning",
        )


_CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"arms"}), _names_once),
    (frozenset({"endpoints"}), _endpoint_names_once),
    (frozenset({"arms", "pooled_arms"}), _pools),
    (frozenset({"arms", "randomisation"}), _allocation),
    (frozenset({"sample_size", "randomisation"}), _blocks),
    (frozenset({"arms", "pooled_arms", "endpoints"}), _contrasts),
    (frozenset({"visits", "endpoints"}), _endpoint_days),
    (frozenset({"visits", "arms"}), _course_days),
    (frozenset({"arms"}), _doses),
    (frozenset({"population", "arms"}), _background_twice),
    (frozenset({"blinded", "arms", "endpoints"}), _open_label),
    (frozenset({"population", "eligibility", "visits"}), _nobody_eligible),
    *((frozenset({"registry", part}), _sources(part)) for part in _SOURCED_PARTS),
    (frozenset({"endpoints"}), _several_primary),
)
