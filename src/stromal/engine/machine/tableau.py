"""Rosenbrock methods in the transformed form that needs no product with the Jacobian.

With ``u_i`` in place of the slopes, stage i of a step from ``(t, y)`` over ``h`` solves

    (I/(g h) - J) u_i = f(t + c_i h, y + sum_j a_ij u_j) + sum_j (C_ij/h) u_j + d_i h df/dt,

the new state is ``y + sum_j a_sj u_j + u_s``, and the last ``u`` estimates the error (Hairer and Wanner, Solving
Ordinary Differential Equations II, doi:10.1007/978-3-642-05221-7, section IV.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

Rows = tuple[tuple[float, ...], ...]


@final
@dataclass(frozen=True)
class Tableau:
    """A stiffly accurate method: from stage `len(a)` on, each stage starts where the one before has come to.

    Attributes
    ----------
    order : int
    g : float
        Diagonal coefficient.
    a, c : tuple of tuples
        Rows of the coefficients of the stage values and of the right-hand sides.
    dense : tuple of tuples
        Coefficients of the continuous extension, see `stromal.engine.driver`; empty if there is none.
    source : str
    """

    name: str
    order: int
    g: float
    a: Rows
    c: Rows
    dense: Rows
    source: str

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)

    @cached_property
    def _slopes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients of the untransformed method: of the stage values and of the Jacobian."""
        s = self.stages
        a, c = np.zeros((s, s)), np.zeros((s, s))
        for i in range(1, s):
            if i < len(self.a):
                a[i, : len(self.a[i])] = self.a[i]
            else:
                a[i] = a[i - 1]
                a[i, i - 1] += 1.0
            c[i, : len(self.c[i])] = self.c[i]
        gamma = np.asarray(np.linalg.inv(np.eye(s) / self.g - c), dtype=np.float64)
        return a @ gamma, gamma

    @property
    def nodes(self) -> NDArray[np.float64]:
        """Position of each stage within the step (`c_i` above)."""
        return _clean(self._slopes[0].sum(axis=1))

    @property
    def time_weights(self) -> NDArray[np.float64]:
        """Weight of the time derivative in each stage (`d_i` above)."""
        return _clean(self._slopes[1].sum(axis=1))


def _clean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums that are 0 or 1 but for rounding are exactly that."""
    whole = np.round(sums)
    return np.where(np.abs(sums - whole) < 1e-11, whole, sums)


RODAS5P: Final = Tableau(
    name="Rodas5P",
    order=5,
    g=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
    ),
    c=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            *(30.91273214028599, -3.1208243349937974, 77.79954646070892),
            *(34.28646028294783, -19.097331116725623, -28.087943162872662),
        ),
        (
            *(37.80277123390563, -3.2571969029072276, 112.26918849496327),
            *(66.9347231244047, -40.06618937091002, -54.66780262877968, -9.48861652309627),
        ),
    ),
    dense=(
        (
            *(25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204),
            *(0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
        ),
        (
            *(-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796),
            *(20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372),
        ),
        (
            *(11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643),
            *(-52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722),
        ),
    ),
    source="Steinebach 2023, BIT Numer Math 63:27, doi:10.1007/s10543-023-00967-x",
)

RODAS5: Final = Tableau(
    name="Rodas5",
    order=5,
    g=0.19,
    a=(
        (),
        (2.0,),
        (3.040894194418781, 1.041747909077569),
        (2.576417536461461, 1.622083060776640, -0.9089668560264532),
        (2.760842080225597, 1.446624659844071, -0.3036980084553738, 0.2877498600325443),
        (-14.09640773051259, 6.925207756232704, -41.47510893210728, 2.343771018586405, 24.13215229196062),
    ),
    c=(
        (),
        (-10.31323885133993,),
        (-21.04823117650003, -7.234992135176716),
        (32.22751541853323, -4.943732386540191, 19.44922031041879),
        (-20.69865579590063, -8.816374604402768, 1.260436877740897, -0.7495647613787146),
        (-46.22004352711257, -17.49534862857472, -289.6389582892057, 93.60855400400906, 318.3822534212147),
        (
            *(34.20013733472935, -14.15535402717690, 57.82335640988400),
            *(25.83362985412365, 1.408950972071624, -6.551835421242162),
        ),
        (
            *(42.57076742291101, -13.80770672017997, 93.98938432427124),
            *(18.77919633714503, -31.58359187223370, -6.685968952921985, -5.810979938412932),
        ),
    ),
    dense=(),
    source="Di Marzo 1993 (RODAS5(4), Linz), as tabulated in Steinebach 2023, doi:10.1007/s10543-023-00967-x",
)
"""Smaller coefficients than Rodas5P: less is lost to rounding in single precision."""
