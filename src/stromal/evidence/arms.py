"""Arms of published studies in systemic sclerosis and their results, as two checked tables.

``ssc_arms.csv`` has one row per arm; ``ssc_arm_results.csv`` one per arm, end point, population, statistic and time.
The files hold facts (numbers, with a short quotation that locates each) and the DOI of the paper, and only those that
were seen in a source (`verified` is "yes"): numbers known from memory or only in part are left out until somebody
has read them there. Where `doi_seen` does not begin with "yes" the number was seen but the printed DOI was not. The
verbatim passages are in ``supports.csv``, see `claims`; a table of a user's own needs no column `id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from stromal.compute.errors import InputError

FOLDER: Final = Path(__file__).parent / "base"
ARMS: Final = FOLDER / "ssc_arms.csv"
ARM_RESULTS: Final = FOLDER / "ssc_arm_results.csv"

_ARM_NUMBERS: Final = (
    *("year", "n", "pct_dcssc", "disease_duration_mo_mean", "disease_duration_mo_sd"),
    *("baseline_mrss_mean", "baseline_mrss_sd", "baseline_fvc_pct_mean", "baseline_fvc_pct_sd"),
    *("baseline_dlco_pct_mean", "baseline_dlco_pct_sd"),
    *("pct_ATA", "pct_ACA", "pct_RNAP3", "pct_female", "age_mean"),
)
_ARM_TEXT: Final = (
    *("trial", "registry_id", "arm", "arm_class", "intervention", "dose_schedule", "design", "stat_note"),
    *("source_doi", "quote", "verified", "verified_fields", "doi_seen", "registry_seen", "tuned_prototype"),
)
_RESULT_NUMBERS: Final = ("year", "timepoint_weeks", "value", "sd", "se", "ci_low", "ci_high", "n_at_timepoint")
_RESULT_TEXT: Final = (
    *("trial", "registry_id", "arm", "endpoint", "endpoint_detail", "unit", "stat_type", "population"),
    *("source_doi", "quote", "verified", "note", "doi_seen", "registry_seen"),
)
UNITS: Final[Mapping[str, str]] = {
    "mRSS_change": "points",
    "mRSS_value": "points",
    "FVC_pct_change": "% predicted",
    "FVC_pct_value": "% predicted",
    "FVC_mL_change": "mL",
    "FVC_mL_per_year": "mL/yr",
    "DLCO_pct_change": "% predicted",
    "DLCO_pct_value": "% predicted",
    "mRSS_responder_pct": "% patients",
    "mRSS_regressor_pct": "% patients",
}
"""Unit that each end point used in reports must have."""
UNCLEAR_UNIT: Final = "% (absolute pp vs relative not stated)"
"""Unit of a change in FVC where the paper does not say whether it is in points of percent or relative."""


@cache
def _read(path: Path, numbers: tuple[str, ...], text: tuple[str, ...]) -> pd.DataFrame:
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    odd = sorted(({*raw.columns} - {"id"}) ^ {*numbers, *text})  # rows of the shipped tables have a name
    if odd:
        raise InputError("columns missing or unknown", file=path, value=odd, remedy=", ".join((*text, *numbers)))
    return _with_numbers(raw, numbers, path)


def _with_numbers(raw: pd.DataFrame, numbers: Iterable[str], path: Path) -> pd.DataFrame:
    values = {}
    for name in numbers:
        values[name] = pd.to_numeric(raw[name].replace("", None), errors="coerce").replace([np.inf, -np.inf], np.nan)
        bad = values[name].isna() & (raw[name] != "")
        if bad.any():
            line = int(bad.to_numpy().argmax()) + 2
            raise InputError(
                "not a number", file=path, place=f"line {line}, {name}", value=raw[name][bad].iloc[0], remedy="a number"
            )
    return raw.astype(object).assign(**values)


def own_arms(path: Path) -> pd.DataFrame:
    """A user's table of arms: columns of `arms` (`trial` and `arm` needed) and any others, which are kept as text.

    Raises
    ------
    InputError
        The file cannot be read, a needed column is missing, an arm stands twice, or a number is none.
    """
    table = _own(path, _ARM_NUMBERS, _ARM_TEXT, ("trial", "arm"))
    _check_ranges(table, _ARM_RANGES, path)
    twice = table.duplicated(["trial", "arm"])
    if twice.any():
        line = int(twice.to_numpy().argmax()) + 2
        arm = " / ".join(table.loc[twice, ["trial", "arm"]].iloc[0])
        raise InputError("an arm stands twice", file=path, place=f"line {line}", value=arm, remedy="one row per arm")
    return table


def own_results(path: Path) -> pd.DataFrame:
    """A user's table of results: columns of `arm_results` (those of `NEEDED` needed).

    Raises
    ------
    InputError
        The file cannot be read, a needed column is missing, or a number is none.
    """
    table = _own(path, _RESULT_NUMBERS, _RESULT_TEXT, NEEDED)
    _check_ranges(table, _RESULT_RANGES, path)
    return table


_LONGEST_NAME: Final = 200
_ARM_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "n": (1.0, 1e6),
    "disease_duration_mo_mean": (0.0, 600.0),
    "disease_duration_mo_sd": (0.0, 600.0),
    "baseline_mrss_mean": (0.0, 51.0),
    "baseline_mrss_sd": (0.0, 51.0),
    "baseline_fvc_pct_mean": (1.0, 200.0),
    "baseline_fvc_pct_sd": (0.0, 100.0),
    "baseline_dlco_pct_mean": (1.0, 200.0),
    "baseline_dlco_pct_sd": (0.0, 100.0),
    **dict.fromkeys(("pct_dcssc", "pct_ATA", "pct_ACA", "pct_RNAP3", "pct_female"), (0.0, 100.0)),
}
"""What a number of a user's table of arms can be: beyond it a unit or a column was mistaken."""
_RESULT_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "timepoint_weeks": (0.0, 5000.0),
    "n_at_timepoint": (1.0, 1e6),
    "sd": (0.0, 1e6),
    "se": (0.0, 1e6),
}


def _check_ranges(table: pd.DataFrame, ranges: Mapping[str, tuple[float, float]], path: Path) -> None:
    for column, (low, high) in ranges.items():
        wrong = (table[column] < low) | (table[column] > high)
        if wrong.any():
            line, value = int(wrong.to_numpy().argmax()) + 2, table[column][wrong].iloc[0]
            remedy = f"a number from {low:g} to {high:g}"
            raise InputError(
                "a number that cannot be", file=path, place=f"line {line}, {column}", value=value, remedy=remedy
            )


def _check_names(table: pd.DataFrame, path: Path) -> None:
    for column in ("trial", "arm"):
        names = table[column].str.strip()
        wrong = (names == "") | (names.str.len() > _LONGEST_NAME)
        if wrong.any():
            line, value = int(wrong.to_numpy().argmax()) + 2, names[wrong].iloc[0]
            remedy = f"a name of 1 to {_LONGEST_NAME} letters"
            raise InputError(
                f"the {column} has no usable name",
                file=path,
                place=f"line {line}, {column}",
                value=value,
                remedy=remedy,
            )


NEEDED: Final = ("trial", "arm", "endpoint", "timepoint_weeks", "value")
"""Columns without which a result cannot be predicted."""
_LARGEST_BYTES: Final = 50_000_000


def _own(path: Path, numbers: tuple[str, ...], text: tuple[str, ...], needed: tuple[str, ...]) -> pd.DataFrame:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError("the file is larger than 50 MB", file=path, remedy="a table of trials as CSV text")
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:  # the parser's errors are ValueErrors
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"the table cannot be read: {reason}", file=path, remedy="a CSV file in UTF-8") from error
    missing = [c for c in needed if c not in raw.columns]
    if missing:
        raise InputError("columns are missing", file=path, value=missing, remedy=", ".join(needed))
    if not len(raw):
        raise InputError("the table has no rows", file=path, remedy="one row per arm or result")
    for column in (*numbers, *text):
        if column not in raw.columns:
            raw[column] = ""
    _check_names(raw, path)
    return _with_numbers(raw, numbers, path)


def read_arms(path: Path) -> pd.DataFrame:
    """Read and check a table of arms; see `arms`.

    Raises
    ------
    InputError
        A column is missing or unknown, or a number is none.
    """
    return _read(path, _ARM_NUMBERS, _ARM_TEXT).copy()


def read_arm_results(path: Path) -> pd.DataFrame:
    """Read and check a table of results; see `arm_results`.

    Raises
    ------
    InputError
        A column is missing or unknown, a number is none, or an end point of `UNITS` has another unit.
    """
    table = _read(path, _RESULT_NUMBERS, _RESULT_TEXT)
    expected = table["endpoint"].map(UNITS)
    wrong = expected.notna() & (table["unit"] != expected) & (table["unit"] != UNCLEAR_UNIT)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"the unit of {table['endpoint'].iloc[row]} is another",
            file=path,
            place=f"line {row + 2}, unit",
            value=table["unit"].iloc[row],
            remedy=str(expected.iloc[row]),
        )
    return table.copy()


def arms() -> pd.DataFrame:
    """Arms of published studies.

    Returns
    -------
    DataFrame
        One row per arm: `trial`, `arm`, `arm_class`, what was given, `n` patients, and baseline (`age_mean` [years],
        `disease_duration_mo_*` [months], `baseline_mrss_*` [points], `baseline_fvc_pct_*` and `baseline_dlco_pct_*`
        [% of predicted], `pct_*` [% of patients]). `tuned_prototype` marks trials whose numbers tuned the model by
        hand. Missing numbers are NaN, missing text is empty.
    """
    return read_arms(ARMS)


def arm_results() -> pd.DataFrame:
    """Results of arms of published studies.

    Returns
    -------
    DataFrame
        One row per `trial`, `arm`, `endpoint`, `endpoint_detail`, `population`, `stat_type` and `timepoint_weeks`
        [weeks]: `value` in `unit`, `sd` between patients, `se`, `ci_low`, `ci_high` (an interval of 95 % unless
        `stat_type` says otherwise) and `n_at_timepoint`. A result in words has no `value`.
    """
    return read_arm_results(ARM_RESULTS)
