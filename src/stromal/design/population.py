"""Who is referred to the trial, and what they took before and take meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from stromal.design.base import Fault, FrozenMapping, Place, Range, Share, Sourced, suggestion
from stromal.design.catalogue import PRODUCTS, SUBSETS

_ROUNDING = 1e-9
_DAILY = tuple(name for name, product in PRODUCTS.items() if product.kind == "drug_daily")


class PriorTreatment(Sourced):
    """Drugs taken before referral.

    Attributes
    ----------
    products : mapping of str to float
        Share of candidates who had each drug; one drug each, the rest had none.
    months : Range
        How long before referral the drug was started [months], evenly spread, never before the first symptom.
    continues : float
        Share of those on the drug who go on with it during the trial.
    """

    products: FrozenMapping[Share] = Field(default_factory=FrozenMapping)
    months: Range = Field(default_factory=lambda: Range(low=3.0, high=9.0))
    continues: Share = 0.0

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        yield from _daily_shares(self.products, "products")


class Population(Sourced):
    """Candidates referred to the trial.

    Attributes
    ----------
    subsets : mapping of {"diffuse", "limited"} to float
        Share of each cutaneous subset among candidates; the shares sum to 1.
    referral_months : Range
        Time from the first non-Raynaud symptom to referral [months], evenly spread.
    prior_treatment : PriorTreatment
        Drugs taken before referral.
    background : mapping of str to float
        Share of patients who take each daily drug from baseline on; one drug each, the rest take none.
    max_candidates_per_patient : int
        Screening gives up, with an error, beyond this many candidates per enrolled patient.
    """

    subsets: FrozenMapping[Share] = FrozenMapping({"diffuse": 1.0, "limited": 0.0})
    referral_months: Range
    prior_treatment: PriorTreatment = Field(default_factory=PriorTreatment)
    background: FrozenMapping[Share] = Field(default_factory=FrozenMapping)
    max_candidates_per_patient: Annotated[int, Field(ge=1, le=100_000)] = 200

    def _own_faults(self) -> Iterator[Fault]:
        yield from super()._own_faults()
        yield from _daily_shares(self.background, "background")
        for name in self.subsets:
            if name not in SUBSETS:
                yield Fault(("subsets", name), f"there is no subset called {name!r}", suggestion(name, SUBSETS))
        total = sum(self.subsets.values())
        if abs(total - 1) > _ROUNDING:
            yield Fault(("subsets",), f"the shares of the subsets sum to {total:g}", "shares that sum to 1")


def _daily_shares(shares: FrozenMapping[float], key: str) -> Iterator[Fault]:
    for name in shares:
        place: Place = (key, name)
        product = PRODUCTS.get(name)
        if product is None:
            yield Fault(place, f"there is no product called {name!r}", suggestion(name, _DAILY))
        elif product.kind != "drug_daily":
            yield Fault(place, f"{name} is not a drug taken daily", f"one of: {', '.join(_DAILY)}")
    total = sum(shares.values())
    if total > 1 + _ROUNDING:
        yield Fault((key,), f"the shares sum to {total:g}", "shares that sum to at most 1 (the rest take none)")
