"""Named rules by which a number follows from numbers that a paper prints. What was reported is never overwritten."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, final

from scipy import stats

HOURS, WEEKS, YEAR = 24.0, 7.0, 365.25


@final
@dataclass(frozen=True)
class Derivation:
    """A rule.

    Attributes
    ----------
    formula : str
        In words.
    inputs : int
        How many printed numbers it takes, in order.
    function : callable
    check : str
        The test that pins it down.
    """

    formula: str
    inputs: int
    function: Callable[..., float]
    check: str = "tests/unit/test_evidence_derivations.py"


def standard_error(low: float, high: float, level: float = 0.95) -> float:
    """Standard error of a mean from its confidence interval, taken as normal.

    Raises
    ------
    ValueError
        The interval is empty or the level is not between 0 and 1.
    """
    if not (low < high and 0.0 < level < 1.0):
        raise ValueError(f"no confidence interval: {low} to {high} at level {level}")
    return (high - low) / (2.0 * float(stats.norm.ppf(0.5 + level / 2.0)))


def standard_deviation(se: float, n: float) -> float:
    """Standard deviation between patients from the standard error of their mean.

    Raises
    ------
    ValueError
        A negative standard error or fewer than two patients.
    """
    if se < 0.0 or n < 2.0:
        raise ValueError(f"no standard deviation from a standard error of {se} and {n} patients")
    return se * math.sqrt(n)


def proportion(part: float, whole: float) -> float:
    """Share of a count in another.

    Raises
    ------
    ValueError
        They are no counts, or the first is no part of the second.
    """
    if not (0 <= part <= whole and whole > 0 and part == int(part) and whole == int(whole)):
        raise ValueError(f"{part} is no part of {whole}")
    return part / whole


def midpoint(low: float, high: float) -> float:
    """Middle of a range.

    Raises
    ------
    ValueError
        The range is empty.
    """
    if not low < high:
        raise ValueError(f"no range: {low} to {high}")
    return (low + high) / 2.0


DERIVATIONS: Final[Mapping[str, Derivation]] = {
    "proportion": Derivation("first count divided by the second, of which it is a part", 2, proportion),
    "percentage of counts": Derivation("that proportion, times 100", 2, lambda a, b: 100.0 * proportion(a, b)),
    "complement": Derivation("100 less the number", 1, lambda a: 100.0 - a),
    "percent to fraction": Derivation("a hundredth of the number", 1, lambda a: a / 100.0),
    "share lost": Derivation(
        "first count taken from the second, as a percentage of it", 2, lambda a, b: 100.0 * proportion(b - a, b)
    ),
    "midpoint of range": Derivation("half the sum of both ends", 2, midpoint),
    "midpoint of range, percent to fraction": Derivation("a hundredth of it", 2, lambda a, b: midpoint(a, b) / 100.0),
    "difference": Derivation("second number less the first", 2, lambda a, b: b - a),
    "years to months": Derivation("twelve times the number", 1, lambda a: 12.0 * a),
    "months to weeks": Derivation("weeks in so many months", 1, lambda a: a * YEAR / 12.0 / WEEKS),
    "half-life to rate": Derivation("ln 2 divided by the number [d]", 1, lambda a: math.log(2.0) / a),
    "half-life in hours to rate per day": Derivation(
        "ln 2 divided by the middle of the range [h], times 24",
        2,
        lambda a, b: math.log(2.0) * HOURS / ((a + b) / 2.0),
    ),
    "mean life to rate": Derivation("one divided by the number [d]", 1, lambda a: 1.0 / a),
    "deaths to hazard": Derivation(
        "deaths divided by patients times mean follow-up [months], times 12: constant hazard per year",
        3,
        lambda deaths, patients, months: 12.0 * deaths / (patients * months),
    ),
    "standard error of interval": Derivation("of a 95 % confidence interval, taken as normal", 2, standard_error),
    "standard deviation of standard error": Derivation("times the root of the number", 2, standard_deviation),
}
"""Rules by name."""
AUTOMATIC: Final[Mapping[str, str]] = {
    "percent to fraction": r"fraction",
    "proportion": r"fraction",
    "complement": r"%",
    "percentage of counts": r"%",
    "midpoint of range": r"",
    "midpoint of range, percent to fraction": r"fraction",
    "years to months": r"month",
    "difference": r"points|predicted|mL",
}
"""Rules that are tried when a value is not printed as it stands, in this order, and units for which they make sense."""


def derived(name: str, inputs: Sequence[float]) -> float:
    """Value of a rule.

    Raises
    ------
    KeyError
        No such rule.
    """
    return float(DERIVATIONS[name].function(*inputs))


def explained(value: Decimal, unit: str, printed: Sequence[Decimal]) -> tuple[str, tuple[Decimal, ...]] | None:
    """Rule of `AUTOMATIC` and printed numbers from which a value follows, to the digits it has; None if there is none.

    Pairs of numbers are taken next to each other or with one between, in their order: farther apart, or turned round, a
    match would be chance.
    """
    for name, units in AUTOMATIC.items():
        if not re.search(units, unit):
            continue
        for inputs in _candidates(printed, DERIVATIONS[name].inputs):
            if follows(value, name, [float(i) for i in inputs]):
                return name, inputs
    return None


def follows(value: Decimal, rule: str, inputs: Sequence[float]) -> bool:
    """Whether a rule gives a value, to the digits it has and whatever its sign."""
    try:
        result = derived(rule, inputs)
    except ValueError:
        return False
    return _same_digits(abs(result), value)


def _candidates(printed: Sequence[Decimal], count: int) -> list[tuple[Decimal, ...]]:
    if count == 1:
        return [(p,) for p in dict.fromkeys(printed)]
    sizes = [abs(p) for p in printed]  # the dash of a range is no minus sign
    return [pair for k in (1, 2) for pair in zip(sizes, sizes[k:], strict=False)]


def _same_digits(result: float, value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    step = 10.0 ** (exponent if isinstance(exponent, int) else 0)
    return abs(result - abs(float(value))) <= 0.5000001 * step
