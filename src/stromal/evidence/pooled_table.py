"""Pool the studies of a table: all of them, and by group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import pandas as pd

from stromal.compute.errors import InputError
from stromal.evidence.arms import FOLDER
from stromal.evidence.pooling.effects import MEASURES, SCALES, Effects
from stromal.evidence.pooling.pool import Pooled, pool
from stromal.evidence.pooling.subgroups import Subgroups, subgroups
from stromal.evidence.pooling.wording import Scale, count

SHIPPED: Final[Mapping[str, Path]] = {"msc_trials": FOLDER / "msc_trials.csv"}
"""Tables of studies in this package."""
BINARY: Final = ("OR", "RR", "RD")
_COUNTS: Final = ("events1", "n1", "events2", "n2")
_MEANS: Final = ("mean1", "sd1", "n1", "mean2", "sd2", "n2")


@final
@dataclass(frozen=True, eq=False)
class PooledTable:
    """Studies of a table, pooled.

    Attributes
    ----------
    effects : Effects
        Of each study.
    overall : Pooled
        All studies.
    by : mapping from column to Subgroups
        The same by the values of a column.
    """

    effects: Effects
    overall: Pooled
    by: Mapping[str, Subgroups]

    @property
    def scale(self) -> Scale:
        """How the effect is written."""
        return SCALES[self.effects.measure]

    def finding(self, benefit: str, intervention: str) -> str:
        """What it means, in plain language.

        Parameters
        ----------
        benefit : {"higher", "lower"}
            Which direction is better for the patient.
        intervention : str
            What was given, for the sentence.
        """
        verdict = _verdict(self.overall, self.scale, benefit, intervention)
        otherwise = [
            f"{column} = {group} ({count(p.k, 'study', 'studies')})"
            for column, parts in self.by.items()
            for group, p in zip(parts.groups, parts.pooled, strict=True)
            if p.k > 1 and _direction(p, self.scale) != _direction(self.overall, self.scale)
        ]
        if otherwise:
            verdict += f" This does not hold of: {', '.join(otherwise)}."
        parts = [verdict, self.overall.report(self.scale)]
        parts += [f"By {column}. {s.report(self.scale)}" for column, s in self.by.items()]
        if self.effects.dropped:
            parts.append(f"Left out, without any information: {', '.join(self.effects.dropped)}.")
        return "\n\n".join(parts)

    def summary(self) -> dict[str, Any]:
        """Everything as plain data, on the scale of the analysis (logarithms for ratios)."""
        studies = self.overall.studies().reset_index()
        return {
            "measure": self.effects.measure,
            "overall": _plain(self.overall),
            "studies": [{k: _finite(v) for k, v in row.items()} for row in studies.to_dict("records")],
            "by": {
                column: {
                    "groups": {g: _plain(p) for g, p in zip(s.groups, s.pooled, strict=True)},
                    "q_between": _finite(s.q_between),
                    "q_between_p": _finite(s.q_between_p),
                }
                for column, s in self.by.items()
            },
        }


def studies_of(table: str, beside: Path) -> pd.DataFrame:
    """Read a table of studies as text.

    Parameters
    ----------
    table : str
        A key of `SHIPPED`, or the path of a CSV file.
    beside : path
        Folder that a relative path is seen from.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    path = SHIPPED.get(table, beside / table)
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the table of studies cannot be read: {error}",
            file=path,
            remedy=f"a CSV file in UTF-8, or one of the shipped tables: {', '.join(SHIPPED)}",
        ) from error


def chosen(studies: pd.DataFrame, where: Mapping[str, str]) -> pd.DataFrame:
    """Rows with just these values.

    Raises
    ------
    InputError
        There is no such column, or no such row.
    """
    for column, value in where.items():
        require(studies, [column], "where")
        seen = sorted(set(studies[column]))
        studies = studies[studies[column] == value]
        if studies.empty:
            raise InputError("no study is left", place=f"where.{column}", value=value, remedy=f"one of {seen}")
    return studies


def pool_studies(
    studies: pd.DataFrame,
    measure: str,
    columns: Mapping[str, str],
    *,
    groups: Sequence[str] = (),
    double_zero: str = "drop",
    **options: Any,
) -> PooledTable:
    """Pool the studies of a table.

    Parameters
    ----------
    studies : DataFrame
        One row per study, as text.
    measure : {"OR", "RR", "RD", "MD", "SMD"}
    columns : mapping
        Columns that hold `label` and the counts or means of both groups.
    groups : sequence of str
        Columns to pool by as well.
    double_zero : {"keep", "drop"}
        Studies without any event.
    options
        `method`, `test`, `prediction` and `level` of `pool`.

    Raises
    ------
    InputError
        A column is missing, a number is none, or the studies cannot be pooled.
    """
    wanted = _COUNTS if measure in BINARY else _MEANS
    require(studies, [columns["label"], *(columns[c] for c in wanted), *groups], "columns")
    labels = list(studies[columns["label"]])
    values = [_numbers(studies, columns[name], labels) for name in wanted]
    more = {"double_zero": double_zero} if measure in ("OR", "RR") else {}
    effects: Effects = MEASURES[measure].function(*values, labels=labels, **more)
    kept = [n not in effects.dropped for n in labels]
    overall = pool(effects.yi, effects.vi, labels=effects.labels, **options)
    by = {
        column: subgroups(effects.yi, effects.vi, studies[column][kept], labels=effects.labels, **options)
        for column in groups
    }
    return PooledTable(effects, overall, by)


def require(studies: pd.DataFrame, names: Sequence[str], place: str) -> None:
    """Refuse a table without these columns."""
    for name in names:
        if name not in studies:
            raise InputError("no such column", place=place, value=name, remedy=f"one of {list(studies.columns)}")


def _numbers(studies: pd.DataFrame, column: str, labels: Sequence[str]) -> list[float]:
    numbers = pd.to_numeric(studies[column], errors="coerce")
    if numbers.isna().any():
        k = int(numbers.isna().to_numpy().argmax())
        raise InputError(
            "not a number",
            place=f"{column} of {labels[k]}",
            value=studies[column].iloc[k],
            remedy="a number, or `where`",
        )
    return [float(x) for x in numbers]


def _direction(pooled: Pooled, scale: Scale) -> int:
    """1 or -1 where the interval of the mean lies above or below no effect, else 0."""
    if not pooled.ci_low < pooled.ci_high or scale.holds_null(pooled.ci_low, pooled.ci_high):
        return 0
    return 1 if pooled.mu > (scale.null or 0.0) else -1


def _verdict(pooled: Pooled, scale: Scale, benefit: str, intervention: str) -> str:
    direction = _direction(pooled, scale)
    if not direction:
        return f"The pooled trials do not show that {intervention} do better or worse than control."
    favoured = (direction > 0) == (benefit == "higher")
    return f"On average the pooled trials favour {intervention if favoured else f'control over {intervention}'}."


def _plain(pooled: Pooled) -> dict[str, Any]:
    names = ("mu", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "h2", "q", "q_p", "k", "p")
    return {name: _finite(getattr(pooled, name)) for name in names}


def _finite(value: Any) -> Any:
    """None where there is no number: JSON has no word for it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
