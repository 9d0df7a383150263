"""The short notation of a user's table of arms: regimen, background drugs and eligibility, one cell each.

::

    regimen      umbilical_cord_msc 1e6/kg iv d0,d90; mycophenolate 2g/d d0-; tocilizumab d0-336
    background   mycophenolate:0.6; methotrexate:10%
    eligibility  mrss>=15; duration_mo<=24; subset=diffuse; antibody=ATA|RNAP3; failed=mycophenolate|methotrexate
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from stromal.compute.errors import InputError
from stromal.design.arms import Course
from stromal.design.base import SpecError, place_text, suggestion
from stromal.design.catalogue import ANTIBODIES, MEASURES, PRODUCTS, Product
from stromal.design.eligibility import AntibodyCriterion, Criterion, FailedTreatment, MeasureCriterion, SubsetCriterion
from stromal.design.population import PriorTreatment
from stromal.design.wording import message_and_remedy

LONGEST_TEXT: Final = 10_000
MOST_COURSES: Final = 50
MOST_CRITERIA: Final = 100
ALIASES: Final[Mapping[str, str]] = {
    "duration_mo": "disease_duration_months",
    "duration": "disease_duration_months",
    "age": "age_years",
    "weight": "weight_kg",
    "fvc": "fvc_pct",
    "dlco": "dlco_pct",
    "crp": "crp_mg_l",
    "ct_extent": "ct_extent_pct",
}
"""Short names of measures."""

_NOTHING: Final = ("", "none", "placebo")
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,3})?"
_LIMITS: Final[Mapping[str, str]] = {">=": "at_least", "<=": "at_most", ">": "above", "<": "below"}
_MILLIGRAMS: Final[Mapping[str, float]] = {"g": 1000.0, "mg": 1.0}
_PER_DAY: Final[Mapping[str, float]] = {"day": 1.0, "d": 1.0, "week": 1 / 7, "wk": 1 / 7, "w": 1 / 7}
_CELLS: Final = ("/kg", "cells/kg")
S = TypeVar("S", bound=BaseModel)


def regimen(text: str, *, place: str) -> tuple[Course, ...]:
    """Read what an arm gives, e.g. ``mycophenolate 2g/d d0-; rituximab 375mg/m2 d0,d7,d14,d21``.

    Courses are separated by semicolons: product, dose, route (cells) and days. A dose that is left out is the standard
    one; ``x0.5`` and ``50%`` are shares of it. ``d0,d90`` are days of infusions or sessions, ``d0-`` and ``d0-364``
    the days of a daily drug.

    Parameters
    ----------
    text : str
        At most 10,000 characters; empty, ``none`` or ``placebo`` for no course.
    place : str
        Where the text stands, for messages, e.g. ``ARMS.csv, row 3, column regimen``.

    Returns
    -------
    tuple of Course
        In the order written.

    Raises
    ------
    InputError
        When a product, dose, route or day cannot be read or does not fit the product.
    """
    if _plain(text, place) in _NOTHING:
        return ()
    items = tuple(_items(text))
    _refuse_many(items, MOST_COURSES, "courses", place)
    return tuple(_course(item, place) for item in items)


def background(text: str, *, place: str) -> dict[str, float]:
    """Read which share of the patients takes each daily drug, e.g. ``mycophenolate:0.6; methotrexate:10%``.

    Parameters
    ----------
    text : str
        At most 10,000 characters; empty or ``none`` for no drug.
    place : str
        Where the text stands, for messages.

    Returns
    -------
    dict of str to float
        Share of patients by drug, together at most 1.

    Raises
    ------
    InputError
        When a drug or a share cannot be read, a drug is named twice, or the shares sum to more than 1.
    """
    if _plain(text, place) in _NOTHING:
        return {}
    shares: dict[str, float] = {}
    for item in _items(text):
        found = re.fullmatch(rf"([^:=]+)[:=]\s*({_NUMBER})\s*(%?)", item, re.IGNORECASE)
        if found is None:
            _refuse(
                "a drug with its share of patients cannot be read", place, item, "drug:share, e.g. mycophenolate:0.6"
            )
        name = _product(found[1], place, item).name
        if name in shares:
            _refuse(f"{name} is named twice", place, item, "each drug once")
        shares[name] = _finite(found[2], place, item) / (100 if found[3] else 1)
    return dict(built(PriorTreatment, {"products": shares}, place, text).products)


def eligibility(text: str, *, place: str) -> tuple[Criterion, ...]:
    """Read who may enter, e.g. ``mrss>=15; duration_mo<=24; subset=diffuse; failed=mycophenolate|methotrexate``.

    Parameters
    ----------
    text : str
        At most 10,000 characters; empty or ``none`` for no criterion.
    place : str
        Where the text stands, for messages.

    Returns
    -------
    tuple of criteria
        In the order written; two limits of one measure are two criteria.

    Raises
    ------
    InputError
        When a measure, limit, subset, antibody or product cannot be read.
    """
    if _plain(text, place) in _NOTHING:
        return ()
    items = tuple(_items(text))
    _refuse_many(items, MOST_CRITERIA, "criteria", place)
    return tuple(_criterion(item, place) for item in items)


@dataclass(frozen=True, slots=True)
class _Amount:
    """A dose of a drug: milligrams, per kg, m2 and day as its unit says."""

    value: float
    per: frozenset[str]


def _course(item: str, place: str) -> Course:
    name, *words = re.sub(r"\s*,\s*", ",", item).split()
    product = _product(name, place, item)
    keys: dict[str, Any] = {"product": product.name}
    dose = ""
    for word in (w.lower() for w in words):
        if re.match(r"d[0-9]", word):
            _once(keys, ("days", "from_day"), "days", place, item)
            keys |= _days(word, product, place, item)
        elif word in ("iv", "local"):
            _once(keys, ("route",), "route", place, item)
            keys["route"] = word
        elif re.fullmatch(_NUMBER, dose):
            dose += word  # the unit, written apart from its number
        elif dose and word != "bid":
            _refuse("more than one dose", place, item, "product, dose, route, days, e.g. mycophenolate 2g/d d0-")
        else:
            dose = f"{dose} {word}".strip()
    if not keys.keys() & {"days", "from_day"}:
        _refuse(f"the course of {product.name} has no days", place, item, _days_remedy(product))
    return built(Course, keys | _dose(dose, product, place, item), place, item)


def _days(word: str, product: Product, place: str, item: str) -> dict[str, Any]:
    if product.kind == "drug_daily":
        found = re.fullmatch(r"d([0-9]{1,6})-(?:d?([0-9]{1,6}))?", word)
        if found is None:
            _refuse(f"the days of {product.name} cannot be read", place, item, _days_remedy(product))
        return {"from_day": int(found[1])} | ({} if found[2] is None else {"to_day": int(found[2])})
    days = [re.fullmatch(r"d?([0-9]{1,6})", day) for day in word.split(",")]
    if not all(days):
        _refuse(f"the days of {product.name} cannot be read", place, item, _days_remedy(product))
    return {"days": tuple(int(day[1]) for day in days if day is not None)}


def _days_remedy(product: Product) -> str:
    return "d0- or d0-364" if product.kind == "drug_daily" else "days with commas, e.g. d0,d90"


def _dose(dose: str, product: Product, place: str, item: str) -> dict[str, float]:
    """Key and value of the dose; of cells the number per kg, of drugs the share of the standard dose."""
    cells = product.kind in ("cells", "vesicles")
    if not cells and product.kind not in ("drug_daily", "drug_infusion"):
        if dose:
            _refuse(f"{product.name} takes no dose", place, item, f"leave out {dose!r}")
        return {}
    key = "dose_per_kg" if cells else "share_of_standard_dose"
    standard = _number_at_start(product.standard) if cells else 1.0
    share = _share(dose, place, item)
    if share is not None:
        return {key: share * standard}
    found = re.fullmatch(rf"({_NUMBER})(.*)", dose)
    if found is None:
        _refuse(f"the dose of {product.name} cannot be read", place, item, _dose_remedy(product))
    if cells:
        if found[2] not in _CELLS:
            _refuse(f"the unit of the dose of {product.name} is not known", place, item, _dose_remedy(product))
        return {key: _finite(found[1], place, item)}
    written, usual = _amount(_finite(found[1], place, item), found[2]), _standard(product)
    if written is None or written.per != usual.per:
        _refuse(f"the unit of the dose of {product.name} is not known", place, item, _dose_remedy(product))
    return {key: written.value / usual.value}


def _share(dose: str, place: str, item: str) -> float | None:
    if not dose:
        return 1.0
    found = re.fullmatch(rf"x({_NUMBER})|({_NUMBER})%", dose)
    if found is None:
        return None
    return _finite(found[1], place, item) if found[1] else _finite(found[2], place, item) / 100


def _amount(value: float, unit: str) -> _Amount | None:
    """Put a dose in mg, days; None for an unknown unit."""
    twice = unit.endswith(" bid")
    mass, *per = unit.removesuffix(" bid").replace("m²", "m2").split("/")
    if mass not in _MILLIGRAMS or len(set(per)) < len(per):
        return None
    value *= _MILLIGRAMS[mass]
    kinds = {"day"} if twice else set()
    for part in per:
        kind = "day" if part in _PER_DAY else part
        if kind not in ("day", "kg", "m2") or kind in kinds:
            return None
        kinds.add(kind)
        value *= _PER_DAY.get(part, 1.0)
    return _Amount(2 * value if twice else value, frozenset(kinds))


def _standard(product: Product) -> _Amount:
    """Read the standard dose of a drug in the catalogue."""
    words = product.standard.replace("twice daily", "bid").split()
    unit = " ".join(words[1:3]) if "bid" in words[2:3] else words[1].rstrip(",")
    amount = _amount(float(words[0]), unit)
    if amount is None:
        raise AssertionError(f"the standard dose of {product.name} has an unknown unit: {product.standard}")
    return amount


def _number_at_start(text: str) -> float:
    return float(text.split(maxsplit=1)[0])


def _dose_remedy(product: Product) -> str:
    if product.kind in ("cells", "vesicles"):
        return f"cells per kg, e.g. 1e6/kg (units: {', '.join(_CELLS)}), or a share: x0.5, 50%"
    bases = [unit for unit in ("kg", "m2") if unit in _standard(product).per]
    tail = "".join(f"/{unit}" for unit in bases)
    times = ("/d", "/wk") if "day" in _standard(product).per else ("",)
    units = ", ".join(f"{mass}{tail}{time}" for mass in ("mg", "g") for time in times)
    return f"a number with a unit (units: {units}), or a share: x0.5, 50%; standard: {product.standard}"


def _criterion(item: str, place: str) -> Criterion:
    item = item.replace("≥", ">=").replace("≤", "<=")
    choice = re.fullmatch(r"(subset|antibody|failed)\s*==?\s*(.+)", item, re.IGNORECASE | re.DOTALL)
    if choice is not None:
        options = tuple(option.strip().lower() for option in choice[2].split("|"))
        if choice[1].lower() == "subset":
            return built(SubsetCriterion, {"subset": options}, place, item)
        if choice[1].lower() == "antibody":
            names = {name.lower(): name for name in ANTIBODIES}
            return built(AntibodyCriterion, {"antibody": tuple(names.get(o, o) for o in options)}, place, item)
        return built(FailedTreatment, {"failed": options}, place, item)
    found = re.fullmatch(rf"([^<>=]+?)\s*(>=|<=|>|<)\s*({_NUMBER})", item, re.IGNORECASE)
    if found is None:
        remedy = "measure, limit and number, e.g. mrss>=15; or subset=diffuse, failed=mycophenolate|methotrexate"
        _refuse("a criterion cannot be read", place, item, remedy)
    word = found[1].strip().lower()
    name = ALIASES.get(word, word)
    if name not in MEASURES:
        _refuse("there is no measure of this name", place, found[1], suggestion(name, (*MEASURES, *ALIASES)))
    return built(MeasureCriterion, {"measure": name, _LIMITS[found[2]]: _finite(found[3], place, item)}, place, item)


def _product(word: str, place: str, item: str) -> Product:
    name = word.strip().lower()
    if name not in PRODUCTS:
        _refuse("there is no product of this name", place, item, suggestion(name, PRODUCTS))
    return PRODUCTS[name]


def _plain(text: str, place: str) -> str:
    if len(text) > LONGEST_TEXT:
        _refuse("the text is too long", place, f"{len(text)} characters", f"at most {LONGEST_TEXT} characters")
    return text.strip().lower()


def _items(text: str) -> Iterator[str]:
    return (item.strip() for item in text.split(";") if item.strip())


def _finite(digits: str, place: str, item: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse("the number is too large", place, item, "a number such as 15, 2.5 or 1e6")
    return number


def _once(keys: Mapping[str, Any], names: tuple[str, ...], what: str, place: str, item: str) -> None:
    if any(name in keys for name in names):
        _refuse(
            f"the {what} are written twice" if what == "days" else f"the {what} is written twice", place, item, "once"
        )


def _refuse_many(items: tuple[str, ...], most: int, what: str, place: str) -> None:
    if len(items) > most:
        _refuse(f"too many {what}", place, f"{len(items)} {what}", f"at most {most}")


def built(spec: type[S], keys: Mapping[str, Any], place: str, item: str) -> S:
    """Make a spec; its first fault becomes the error.

    Raises
    ------
    InputError
        With `place`, and `item` as the value.
    """
    try:
        return spec.model_validate(dict(keys))
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, SpecError):
        message, remedy = raised.faults[0].message, raised.faults[0].remedy
    else:
        message, remedy = message_and_remedy(detail)
        message = f"{place_text(tuple(detail['loc']))}: {message}"
    return _refuse(message, place, item, remedy)


def _refuse(what: str, place: str, value: str, remedy: str) -> NoReturn:
    raise InputError(what, place=place, value=value, remedy=remedy)
