"""Plan of a sparse factorisation without pivoting: which entries are combined with which, in what order.

The matrices are ``I/(g h) - J`` of a Rosenbrock method: a small enough step makes the diagonal dominate, and a step
whose factorisation went wrong is rejected by the error control like any other bad step. Pivots are taken in the order
of Markowitz (smallest fill first).

Reference: Markowitz 1957, Manage Sci 3:255, doi:10.1287/mnsc.3.3.255.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Pivot:
    """One step of the elimination.

    Attributes
    ----------
    index : int
        Row and column that is eliminated.
    below : tuple of int
        Rows that still contain it.
    right : tuple of int
        Columns in its row that are still to be eliminated.
    """

    index: int
    below: tuple[int, ...]
    right: tuple[int, ...]


@final
@dataclass(frozen=True)
class Elimination:
    """The pivots in order, and where each entry of the factors is stored.

    Attributes
    ----------
    pivots : tuple of Pivot
    place : dict from (row, column) to int
        Of every entry of the factors, fill included.
    """

    pivots: tuple[Pivot, ...]
    place: dict[tuple[int, int], int]


def plan_elimination(size: int, pattern: Iterable[tuple[int, int]]) -> Elimination:
    """Plan the factorisation of a matrix with the given entries (the diagonal is always taken as present)."""
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    entries = dict.fromkeys((i, i) for i in range(size)) | dict.fromkeys(pattern)
    for i, j in entries:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(size))
    pivots = []
    while left:
        k = min(left, key=lambda q: ((len(rows[q]) - 1) * (len(columns[q]) - 1), len(rows[q]) + len(columns[q]), q))
        left.remove(k)
        below, right = sorted(columns[k] - {k}), sorted(rows[k] - {k})
        pivots.append(Pivot(k, tuple(below), tuple(right)))
        for i in below:
            rows[i].remove(k)
        for j in right:
            columns[j].remove(k)
        for i in below:
            for j in right:
                entries[i, j] = None
                rows[i].add(j)
                columns[j].add(i)
    return Elimination(tuple(pivots), {entry: place for place, entry in enumerate(sorted(entries))})
