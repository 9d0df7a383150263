"""What the methods accept: effects with their variances, and words from a list; everything else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stromal.compute.errors import InputError

Array = npt.NDArray[np.float64]

_LARGEST: Final = 1e50
_SMALLEST: Final = 1e-50


@final
@dataclass(frozen=True, eq=False)
class Studies:
    """Effects that passed the checks.

    Attributes
    ----------
    yi, vi : (k,)
        Effects and their sampling variances; read-only.
    labels : tuple of str
        Name of each study.
    """

    yi: Array
    vi: Array
    labels: tuple[str, ...]


def read_studies(yi: npt.ArrayLike, vi: npt.ArrayLike, labels: Iterable[object] | None = None) -> Studies:
    """Check effects and their sampling variances.

    Parameters
    ----------
    yi, vi : (k,)
        Effects and their sampling variances (squares of the standard errors).
    labels : iterable, optional
        Names of the studies; ``study 1``, ``study 2``, ... otherwise.

    Raises
    ------
    InputError
        Not numbers, not of one length, no study, missing or infinite values, or a variance that is not positive.
    """
    effects, variances = numbers(yi, "yi"), numbers(vi, "vi")
    if len(effects) < 1:
        raise InputError("there is no study", place="yi", value=len(effects), remedy="the effect of at least one study")
    same_length(yi=effects, vi=variances)
    refuse(~np.isfinite(effects), "an effect is missing or infinite", "yi", effects, "a number, or leave the study out")
    refuse(~(np.abs(effects) <= _LARGEST), "an effect is too large to compute with", "yi", effects, "another unit")
    refuse(
        ~np.isfinite(variances),
        "a variance is missing or infinite",
        "vi",
        variances,
        "a number, or leave the study out",
    )
    refuse(variances <= 0.0, "a variance is not positive", "vi", variances, "the square of the standard error")
    refuse(
        ~((variances >= _SMALLEST) & (variances <= _LARGEST)),
        "a variance is too large or too small to compute with",
        "vi",
        variances,
        "another unit",
    )
    return Studies(frozen(effects), frozen(variances), names(labels, len(effects)))


def columns(table: pd.DataFrame | Mapping[str, Any], place: str) -> pd.DataFrame:
    """A table from a DataFrame or a mapping of columns of one length.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        found = {str(name): pd.Series(column).reset_index(drop=True) for name, column in dict(table).items()}
    except (TypeError, ValueError):
        remedy = "a DataFrame or a mapping of columns"
        raise InputError("not a table", place=place, value=table, remedy=remedy) from None
    same_length(**found)
    return pd.DataFrame(found)


def numbers(values: npt.ArrayLike, place: str) -> Array:
    """A list of numbers as an array of one dimension.

    Raises
    ------
    InputError
        It is not.
    """
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError("not a list of numbers", place=place, value=values, remedy="one number per study") from None
    if array.ndim != 1:
        raise InputError("not a flat list", place=place, value=array.shape, remedy="one number per study")
    return array


def same_length(**lists: Sequence[object] | Array | pd.Series) -> None:
    """Raise InputError unless all lists have the length of the first."""
    first = next(iter(lists), "")
    for name, values in lists.items():
        if len(values) != len(lists[first]):
            raise InputError(
                f"{name} and {first} differ in length",
                place=name,
                value=len(values),
                remedy=f"{len(lists[first])} values, one per study",
            )


def refuse(wrong: npt.NDArray[np.bool_], what: str, place: str, values: Array, remedy: str) -> None:
    """Raise InputError at the first place where `wrong` is true."""
    if wrong.any():
        at = int(wrong.argmax())
        raise InputError(what, place=f"{place}[{at}]", value=float(values[at]), remedy=remedy)


def names(labels: Iterable[object] | None, k: int) -> tuple[str, ...]:
    """Labels as text, one per study; numbered ones where none are given."""
    if labels is None:
        return tuple(f"study {i + 1}" for i in range(k))
    texts = tuple(str(label) for label in labels)
    if len(texts) != k:
        raise InputError("not one label per study", place="labels", value=len(texts), remedy=f"{k} labels")
    return texts


def one_of(value: str, options: Iterable[str], place: str) -> None:
    """Raise InputError unless `value` is among `options`."""
    known = tuple(options)
    if value not in known:
        raise InputError(f"no such {place}", place=place, value=value, remedy=" or ".join(known))


def check_level(level: object) -> None:
    """Raise InputError unless `level` is the coverage of an interval."""
    if not (isinstance(level, int | float) and 0.0 < level < 1.0):
        raise InputError("not a coverage", place="level", value=level, remedy="a share between 0 and 1, such as 0.95")


def frozen(array: Array) -> Array:
    """Make an array read-only."""
    array.setflags(write=False)
    return array
