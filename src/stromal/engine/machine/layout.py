"""Where everything is in the memory of a model's machine code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final


@final
@dataclass(frozen=True)
class Layout:
    """Numbers of things; they determine all places.

    Attributes
    ----------
    states, outputs, common, hoists, switches, factors, stages : int
        States; outputs; constants of all patients; constants of each patient; times of switches; entries of the
        factorised matrix; stages of the method.
    """

    states: int
    outputs: int
    common: int
    hoists: int
    switches: int
    factors: int
    stages: int

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each part of the work memory begins, in vectors."""
        n = self.states
        sizes = {
            "stages": self.stages * n,
            **dict.fromkeys(("slopes", "value", "reached", "narrow", "increment", "by_time"), n),
            "clock": 2,
            "diagonal": 1,
            "factors": self.factors,
            "end": 0,
        }
        places, next_free = {}, 0
        for name, size in sizes.items():
            places[name] = next_free
            next_free += size
        return places

    @property
    def work(self) -> int:
        """Length of the work memory [vectors]."""
        return self.places["end"]
