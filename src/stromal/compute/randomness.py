"""Random numbers by key: every draw is a function of (seed, replicate, purpose, occasion, entity).

There is one Philox stream per (seed, replicate, purpose, occasion) and one position in it per entity (candidate
patient, site, lot, draw of a posterior). So a draw never depends on the number of workers, on chunking or on order,
adding a purpose moves no other draw, and two arms, scenarios or designs that ask for the same key share the number.

Philox: Salmon et al. 2011, Proc SC11, doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

_WORDS_PER_BLOCK: Final = 4
"""64-bit words that Philox makes per counter value."""


@final
@dataclass(frozen=True)
class Streams:
    """The random streams of one replicate.

    Attributes
    ----------
    seed : int
        Of the run.
    replicate : int
        Number of the simulated trial.
    """

    seed: int
    replicate: int

    def uniform(self, purpose: str, n: int, *, start: int = 0, occasion: int = 0) -> Array:
        """Uniform draws of entities `start` to ``start + n - 1``.

        Parameters
        ----------
        purpose : str
            What the numbers are for; no two purposes share a stream.
        occasion : int
            Visit, infusion or other repetition of the same purpose.

        Returns
        -------
        (n,)
            In the open interval (0, 1): the middles of 2**53 equal parts.
        """
        bits = np.random.Philox(key=stream_key(self.seed, self.replicate, purpose, occasion))
        bits.advance(start // _WORDS_PER_BLOCK)
        skip = start % _WORDS_PER_BLOCK
        words = bits.random_raw(skip + n)[skip:]
        return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, purpose: str, n: int, *, start: int = 0, occasion: int = 0) -> Array:
        """Standard normal draws, by the inverse of the distribution function (one uniform each)."""
        draws: Array = ndtri(self.uniform(purpose, n, start=start, occasion=occasion))
        return draws


def stream_key(seed: int, replicate: int, purpose: str, occasion: int) -> int:
    """The 128-bit Philox key of a stream."""
    text = f"{seed}|{replicate}|{occasion}|{purpose}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
