"""Dates of issue as sources write them, to and from dates of CSL.

What is written between programs is EDTF (ISO 8601-2): ``2018``, ``2018-09``, ``2018-09-01``, ``2018-21`` (spring; 22
summer, 23 autumn, 24 winter), ``2018-09/2018-10``, ``2018~`` (about). A year has four digits.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from typing import Any, Final

from stromal.compute.errors import shown

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SEASONS: Final[Mapping[str, int]] = {"spring": 1, "summer": 2, "autumn": 3, "fall": 3, "winter": 4}

_EDTF: Final = re.compile(r"(-?\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?(?:T[\d:.]+Z?(?:[+-]\d\d:?\d\d)?)?")
_MONTH: Final = r"(?P<{}>" + "|".join(MONTHS) + r")[a-z]*\.?"
_FIRST: Final = _MONTH.format("m1")
_SECOND: Final = _MONTH.format("m2")
_RANGES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"(?P<y1>\d{{4}})[ .,]+{_FIRST}[ .,]*(?:(?P<d1>\d{{1,2}})\b)?"
            rf"(?:\s*[-–/]\s*(?:(?P<y2>\d{{4}})[ ,]+)?(?:{_SECOND})?[ .,]*(?:(?P<d2>\d{{1,2}})\b)?)?"
        ),
        rf"{_FIRST}(?:[ .,]+(?P<d1>\d{{1,2}}))?(?:\s*[-–/]\s*{_SECOND})?[ .,]+(?P<y1>\d{{4}})",
        rf"(?P<d1>\d{{1,2}})[. -]*{_FIRST}[ .,-]+(?P<y1>\d{{4}})",
        r"(?P<y1>\d{4})\s*[-–/]\s*(?P<y2>\d{4})",
    )
)
_SEASON: Final = re.compile(
    r"(?:(\d{4}) +(spring|summer|autumn|fall|winter)|(spring|summer|autumn|fall|winter),? +(\d{4}))", re.I
)
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")


def parsed(text: str) -> tuple[dict[str, Any], str]:
    """A date of CSL from the words of a source, and a remark on what was doubtful (empty if nothing was).

    Text in which no date is found becomes a ``literal``.
    """
    text = " ".join(text.split())
    about = text.endswith("~")
    bare = text[:-1] if about else text
    date = _edtf(bare) or _worded(bare)
    if date is not None:
        return ({**date, "circa": True} if about else date), ""
    years = set(_YEAR.findall(text))
    if len(years) == 1:
        return {"date-parts": [[int(years.pop())]]}, f"of the date {shown(text)} only the year was understood"
    return {"literal": text}, f"the date {shown(text)} was not understood"


def written(date: Mapping[str, Any]) -> str:
    """A date of CSL as EDTF; a ``literal`` as it is, nothing for an empty date."""
    parts = [part for part in date.get("date-parts", ()) if part]
    if not parts:
        return str(date.get("literal", ""))
    if "season" in date and len(parts[0]) == 1:
        text = f"{_year(parts[0][0])}-{20 + int(date['season'])}"
    else:
        text = "/".join("-".join((_year(p[0]), *(f"{n:02d}" for n in p[1:]))) for p in parts)
    return text + ("~" if date.get("circa") else "")


def normal(date: Any) -> tuple[dict[str, Any] | None, str]:
    """A date of CSL-JSON in the one form this package uses, and a remark; None for what is no date.

    Parts become whole numbers, ``raw`` and ``literal`` are understood where they can be, a season is 1 to 4.
    """
    if not isinstance(date, dict):
        return None, "a date is an object with date-parts"
    try:
        parts = [[int(n) for n in part if n not in ("", None)] for part in date.get("date-parts") or ()]
    except (TypeError, ValueError):
        return None, f"date-parts {date.get('date-parts')!r} are not lists of numbers"
    parts = [part for part in parts if part]
    if not parts:
        said = date.get("raw") or date.get("literal")
        return parsed(str(said)) if said else (None, "a date without parts")
    if len(parts) > 2 or not all(map(_is_date, parts)):
        return None, f"date-parts {parts!r} are no date"
    found: dict[str, Any] = {"date-parts": parts}
    season = date.get("season")
    if season not in (None, "") and len(parts[0]) == 1:
        number = SEASONS.get(str(season).lower(), season)
        if str(number) not in ("1", "2", "3", "4"):
            return found, f"the season {season!r} was not understood"
        found["season"] = int(number)
    if date.get("circa"):
        found["circa"] = True
    return found, ""


def precision_remark(date: Mapping[str, Any]) -> str:
    """A remark on a date of which only the year is known, else nothing."""
    parts = date.get("date-parts", [[]])
    return "of the date only the year is known" if [len(p) for p in parts] == [1] and "season" not in date else ""


def _year(year: int) -> str:
    return f"{year:05d}" if year < 0 else f"{year:04d}"


def _is_date(part: list[int]) -> bool:
    if len(part) > 3 or not -9999 <= part[0] <= 9999:
        return False
    if len(part) > 1 and not 1 <= part[1] <= 12:
        return False
    return len(part) < 3 or 1 <= part[2] <= _days(part[0], part[1])


def _days(year: int, month: int) -> int:
    return 29 if month == 2 and calendar.isleap(year) else _DAYS[month - 1]


def _part(found: re.Match[str]) -> list[int] | None:
    part = [int(n) for n in found.groups() if n is not None]
    return part if _is_date(part) else None


def _edtf(text: str) -> dict[str, Any] | None:
    first, slash, second = (
        text.partition("/") if re.fullmatch(r"-?\d{4}[-\d]*/-?\d{4}-?[-\d]*", text) else (text, "", "")
    )
    found = _EDTF.fullmatch(first)
    if not found:
        return None
    if found.group(2) in ("21", "22", "23", "24") and not found.group(3) and not slash:
        return {"date-parts": [[int(found.group(1))]], "season": int(found.group(2)) - 20}
    parts = [_part(found)]
    if slash:
        other = _EDTF.fullmatch(second)
        parts.append(_part(other) if other else None)
    return None if None in parts else {"date-parts": parts}


def _worded(text: str) -> dict[str, Any] | None:
    if season := _SEASON.fullmatch(text):
        year, name = (season.group(1), season.group(2)) if season.group(1) else (season.group(4), season.group(3))
        return {"date-parts": [[int(year)]], "season": SEASONS[name.lower()]}
    for pattern in _RANGES:
        found = pattern.fullmatch(text)
        if found:
            named = {key: value for key, value in found.groupdict().items() if value}
            return _range(named)
    return None


def _range(named: Mapping[str, str]) -> dict[str, Any] | None:
    first = _from(named.get("y1"), named.get("m1"), named.get("d1"))
    parts = [first]
    if any(key in named for key in ("y2", "m2", "d2")):
        # "2018 Sep 1-7" and "2018 Sep-Oct": what the second date leaves out is that of the first.
        second = _from(named.get("y2", named["y1"]), named.get("m2", named.get("m1")), named.get("d2"))
        if "d2" not in named and "m2" not in named and "m1" in named:
            return None
        parts.append(second)
    return {"date-parts": parts} if all(map(_is_date, parts)) else None


def _from(year: str | None, month: str | None, day: str | None) -> list[int]:
    numbers = [int(year)] if year else []
    if month:
        numbers.append(MONTHS.index(month.lower()[:3]) + 1)
        numbers += [int(day)] if day else []
    return numbers
