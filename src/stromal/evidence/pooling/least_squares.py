"""Weighted least squares at many values of tau² at once, accurate when a few studies carry nearly all the weight.

A study that is far more precise than the others has leverage h close to 1; then 1 - h and its residual are differences
of nearly equal numbers, multiplied by a huge weight. For such studies both come from the fit without that study:
``w (1 - h) = 1/(v + tau² + x C x')`` with C the covariance of that fit, and ``Py = w (1 - h) (y - x b)`` with b its
coefficients. Everything else follows from these: ``y'Py = sum (v + tau²)(Py)²`` and ``tr P = sum w (1 - h)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import numpy.typing as npt

from stromal.evidence.pooling.inputs import Array

_HIGH: Final = 0.5
"""Leverage above which a study is treated as described; fewer than two studies per coefficient can have it."""
_ROWS: Final = 256
"""Rows of P held at a time."""


@final
@dataclass(frozen=True, eq=False)
class Linear:
    """Effects `y` (k,), their sampling variances `v` (k,) and regressors `x` (k, p) of full column rank."""

    y: Array
    v: Array
    x: Array

    @property
    def k(self) -> int:
        """Number of effects."""
        return len(self.y)

    @property
    def df(self) -> int:
        """Degrees of freedom left by the regressors, ``k - p``."""
        return len(self.y) - len(self.x[0])


def intercept_only(y: Array, v: Array) -> Linear:
    """Effects around one mean."""
    return Linear(y, v, np.ones((len(y), 1)))


@final
@dataclass(frozen=True, eq=False)
class Weighted:
    """Fits at m values of tau²; P is ``W - WX(X'WX)^-1 X'W``.

    Attributes
    ----------
    beta : (m, p)
        Coefficients.
    covariance : (m, p, p)
        Their covariance, the inverse of X'WX.
    weights : (m, k)
        ``1/(v + tau²)``.
    q : (m,)
        y'Py, the weighted sum of squared residuals.
    ppy : (m,)
        y'PPy.
    trace : (m,)
        tr P.
    log_likelihood, log_restricted : (m,)
        Up to a constant.
    """

    beta: Array
    covariance: Array
    weights: Array
    q: Array
    ppy: Array
    trace: Array
    log_likelihood: Array
    log_restricted: Array


def weighted(data: Linear, tau2: Array | float) -> Weighted:
    """Least squares with weights ``1/(v + tau²)`` for each value of `tau2`."""
    # Rows in falling order of weight keep Householder's method accurate row by row.
    order = np.argsort(data.v, kind="stable")
    y, x = data.y[order], data.x[order]
    total = data.v[order] + np.atleast_1d(np.asarray(tau2, dtype=float))[:, None]
    w = 1.0 / total
    beta, inverse, r, leverage = _fits(y, x, np.sqrt(w))
    diagonal = w * (1.0 - leverage)
    py = w * (y - beta @ x.T)
    at, study = np.nonzero(leverage > _HIGH)
    if len(at):
        diagonal[at, study], py[at, study] = _from_the_others(y, x, total, at, study)
    q = np.sum(total * py**2, axis=1)
    log_det = np.sum(np.log(total), axis=1)
    log_information = 2.0 * np.sum(np.log(np.abs(np.diagonal(r, axis1=1, axis2=2))), axis=1)
    return Weighted(
        beta=beta,
        covariance=inverse @ np.swapaxes(inverse, 1, 2),
        weights=w[:, np.argsort(order, kind="stable")],
        q=q,
        ppy=np.sum(py**2, axis=1),
        trace=np.sum(diagonal, axis=1),
        log_likelihood=-0.5 * (log_det + q),
        log_restricted=-0.5 * (log_det + log_information + q),
    )


def trace_of_square(data: Linear, tau2: float) -> float:
    """Tr PP at one value of tau²."""
    order = np.argsort(data.v, kind="stable")
    y, x, total = data.y[order], data.x[order], data.v[order] + tau2
    root = 1.0 / np.sqrt(total)
    _, inverse, _, leverage = _fits(y, x, root[None, :])
    basis = (root[:, None] * x) @ inverse[0]
    diagonal = root**2 * (1.0 - leverage[0])
    study = np.flatnonzero(leverage[0] > _HIGH)
    if len(study):
        diagonal[study], _ = _from_the_others(y, x, total[None, :], np.zeros(len(study), dtype=np.intp), study)
    found = float(np.sum(diagonal**2))
    for start in range(0, data.k, _ROWS):
        rows = slice(start, min(start + _ROWS, data.k))
        block = root[rows, None] * root[None, :] * (basis[rows] @ basis.T)
        block[np.arange(len(block)), np.arange(data.k)[rows]] = 0.0
        found += float(np.sum(block**2))
    return found


def _fits(y: Array, x: Array, root: Array) -> tuple[Array, Array, Array, Array]:
    """Coefficients, inverse of R, R and leverages from QR, for each row of `root` (square roots of weights)."""
    if x.shape[1] == 1:  # the common case, many times faster
        own = root * x[:, 0]
        r = np.sqrt(np.sum(own**2, axis=1))[:, None]
        basis = own / r
        beta = np.sum(basis * root * y, axis=1)[:, None] / r
        return beta, 1.0 / r[:, :, None], r[:, :, None], basis**2
    basis, r = np.linalg.qr(root[:, :, None] * x)
    inverse = np.linalg.inv(r)
    beta = np.einsum("mij,mkj,mk->mi", inverse, basis, root * y)
    return beta, inverse, r, np.einsum("mkj,mkj->mk", basis, basis)


def _from_the_others(
    y: Array, x: Array, total: Array, at: npt.NDArray[np.intp], study: npt.NDArray[np.intp]
) -> tuple[Array, Array]:
    """Diagonal of P and Py of single studies, from the fits (rows `at` of `total`) without them.

    Both are 0 for a study that the others cannot predict.
    """
    diagonal, py = np.zeros(len(at)), np.zeros(len(at))
    predicted = np.isin(study, [i for i in np.unique(study) if _span(np.delete(x, i, axis=0))])
    at, study = at[predicted], study[predicted]
    if len(at):
        root = 1.0 / np.sqrt(total[at])
        root[np.arange(len(at)), study] = 0.0
        beta, inverse, _, _ = _fits(y, x, root)
        variance = total[at, study] + np.sum(np.einsum("mi,mij->mj", x[study], inverse) ** 2, axis=1)
        diagonal[predicted] = 1.0 / variance
        py[predicted] = (y[study] - np.einsum("mi,mi->m", x[study], beta)) / variance
    return diagonal, py


def _span(x: Array) -> bool:
    """Whether the rows determine every coefficient."""
    return bool(x.any()) if x.shape[1] == 1 else bool(np.linalg.matrix_rank(x) == x.shape[1])
