"""The plan of the sparse factorisation, carried out in plain Python, solves as NumPy does."""

from itertools import pairwise

import numpy as np
import pytest

from stromal.engine.machine.elimination import plan_elimination


def random_matrix(size, density, seed):
    """A sparse matrix whose diagonal dominates, and the places of its entries."""
    random = np.random.default_rng(seed)
    matrix = np.where(random.random((size, size)) < density, random.uniform(-1.0, 1.0, (size, size)), 0.0)
    np.fill_diagonal(matrix, 0.0)
    pattern = [(int(i), int(j)) for i, j in np.argwhere(matrix)]
    np.fill_diagonal(matrix, np.abs(matrix).sum(axis=1) + random.uniform(0.5, 1.5, size))
    return matrix, pattern


def solution(plan, matrix, right):
    """Factorise and substitute as the plan says; only its places may be touched."""
    entries = {place: matrix[place] for place in plan.place}
    x = right.copy()
    for pivot in plan.pivots:
        k = pivot.index
        for i in pivot.below:
            entries[i, k] /= entries[k, k]
            x[i] -= entries[i, k] * x[k]
            for j in pivot.right:
                entries[i, j] -= entries[i, k] * entries[k, j]
    for pivot in reversed(plan.pivots):
        k = pivot.index
        x[k] = (x[k] - sum(entries[k, j] * x[j] for j in pivot.right)) / entries[k, k]
    return x


@pytest.mark.parametrize("size, density", [(1, 0.0), (2, 1.0), (7, 0.3), (20, 0.15), (36, 0.1), (36, 0.5)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_factors_of_a_random_sparse_matrix_solve_as_numpy_does(size, density, seed):
    matrix, pattern = random_matrix(size, density, seed)
    right = np.random.default_rng(seed + 10).standard_normal(size)
    plan = plan_elimination(size, pattern)
    assert sorted(p.index for p in plan.pivots) == list(range(size))
    np.testing.assert_allclose(solution(plan, matrix, right), np.linalg.solve(matrix, right), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("hub", [0, 5, 9])
def test_a_star_is_eliminated_from_its_arms_without_fill(hub):
    pattern = [(hub, k) for k in range(10)] + [(k, hub) for k in range(10)]
    plan = plan_elimination(10, pattern)
    assert set(plan.place) == {*pattern, *((k, k) for k in range(10))}
    assert hub in {p.index for p in plan.pivots[-2:]}


def test_a_chain_needs_no_fill_in_whatever_order_it_is_numbered():
    order = np.random.default_rng(4).permutation(30).tolist()
    pattern = [*pairwise(order), *pairwise(order[::-1])]
    assert len(plan_elimination(30, pattern).place) == 30 + len(pattern)


def test_places_are_numbered_without_gaps():
    _, pattern = random_matrix(15, 0.3, 5)
    place = plan_elimination(15, pattern).place
    assert sorted(place.values()) == list(range(len(place)))
