"""Machine code of single operations: as exact as stated, in single and double precision, in lanes of any width."""

import ctypes
from functools import partial

import numpy as np
import pytest

from stromal.engine.graph import OPERATIONS, TRUTH_VALUED, Graph, symbols, walk
from stromal.engine.machine.evaluation import Evaluation
from stromal.engine.machine.ir import TINY_NEGATIVE, Function, Lanes
from stromal.engine.machine.library import library

KINDS = [Lanes(w, real, contract) for w in (4, 8) for real in ("double", "float") for contract in (False, True)]
DOUBLE = Lanes(4)
N = 20_000
GRAPH = Graph()
X, Y, Z = (GRAPH.symbol(name) for name in "xyz")
BINARY = ["add", "subtract", "multiply", "divide", "power", "minimum", "maximum"]
BINARY += sorted(TRUTH_VALUED - {"logical_not"})
DOMAINS = {"arcsin": (-1, 1), "arccos": (-1, 1), "arctanh": (-1, 1), "arccosh": (1, 50), "gamma": (0.1, 20)}
POSITIVE = frozenset({"log", "sqrt"})
LIBRARY = frozenset(op for op in OPERATIONS if op.startswith(("arc", "sin", "cos", "tan", "gamma")))


def name_of(lanes):
    return f"{lanes.width} {lanes.real}{' contracted' if lanes.contract else ''}"


each_kind = pytest.mark.parametrize("lanes", KINDS, ids=name_of)
each_real = pytest.mark.parametrize("lanes", [DOUBLE, Lanes(8, "float")], ids=name_of)


def kind_of(lanes):
    return np.float64 if lanes.real == "double" else np.float32


def computed(roots, values, lanes=DOUBLE):
    """Values of expressions by machine code, (n_roots, n); `values` maps names of symbols to arrays of one length."""
    names = sorted(symbols(roots))
    function = Function("values", ("x", "result"), lanes)
    leaves = {n: partial(function.load, "%x", names.index(n.name)) for n in walk(roots) if n.op == "symbol"}
    for i, value in enumerate(Evaluation(function, leaves).values(roots)):
        function.store(value, "%result", i)
    text = "\n".join([function.text, *sorted(function.declarations)])
    made = library({"test": text}, lambda: (text, {}), ("values",))
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(made.addresses["values"])
    n, width = len(values[names[0]]), lanes.width
    table = np.ones((len(names), -(-n // width) * width), kind_of(lanes))
    for i, name in enumerate(names):
        table[i, :n] = values[name]
    x, result = aligned(kind_of(lanes), len(names), width), aligned(kind_of(lanes), len(roots), width)
    out = np.empty((len(roots), table.shape[1]), kind_of(lanes))
    for k in range(0, table.shape[1], width):
        x[:] = table[:, k : k + width]
        call(x.ctypes.data, result.ctypes.data)
        out[:, k : k + width] = result
    return out[:, :n]


def aligned(kind, rows, width):
    room = np.zeros(rows * width * kind().itemsize + 64, np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + rows * width * kind().itemsize].view(kind).reshape(rows, width)


def ulps(got, exact):
    """Largest error in units of the last place of the exact value (long double)."""
    rounded = exact.astype(got.dtype)
    return float(np.max(np.abs(got.astype(np.longdouble) - exact) / np.spacing(np.abs(rounded))))


def unary(op, x, lanes=DOUBLE):
    return computed([GRAPH.apply(op, X)], {"x": x}, lanes)[0]


def powers(x, y, lanes=DOUBLE):
    return computed([GRAPH.apply("power", X, Y)], {"x": x, "y": y}, lanes)[0]


@each_kind
def test_the_exponential_is_within_1_25_units_of_the_last_place(lanes):
    ends = (-708.0, 709.0) if lanes.real == "double" else (-87.0, 88.0)
    random = np.random.default_rng(1)
    for low, high in (ends, (-1.0, 1.0), (-1e-6, 1e-6)):
        x = random.uniform(low, high, N).astype(kind_of(lanes))
        assert ulps(unary("exp", x, lanes), np.exp(x.astype(np.longdouble))) < 1.25


@each_kind
def test_the_logarithm_is_within_3_units_of_the_last_place(lanes):
    random = np.random.default_rng(2)
    ends = (-708.0, 709.0) if lanes.real == "double" else (-87.0, 88.0)
    for x in (np.exp(random.uniform(*ends, N)), random.uniform(0.5, 2.0, N), 1.0 + random.uniform(-1e-5, 1e-5, N)):
        narrow = x.astype(kind_of(lanes))
        narrow = narrow[narrow != 1.0]
        assert ulps(unary("log", narrow, lanes), np.log(narrow.astype(np.longdouble))) < 3.0


@each_kind
def test_a_power_loses_no_more_than_the_size_of_its_logarithm(lanes):
    """The relative error is below ``2 eps (1 + |y log x|)``: that of the product in the exponent."""
    random = np.random.default_rng(3)
    largest = 650.0 if lanes.real == "double" else 80.0
    x = np.exp(random.uniform(-8.0, 8.0, N)).astype(kind_of(lanes))
    y = (random.uniform(-largest, largest, N) / np.abs(np.log(x.astype(float)))).astype(kind_of(lanes))
    exact = x.astype(np.longdouble) ** y
    error = np.abs(powers(x, y, lanes) - exact) / exact / np.finfo(x.dtype).eps
    assert np.max(error / (1.0 + np.abs(y * np.log(x)))) < 2.0


@each_real
def test_a_whole_power_of_a_negative_number_has_the_sign_of_its_parity_and_any_other_is_no_number(lanes):
    base, exponent = (a.ravel() for a in np.meshgrid([-7.5, -1.0, -0.3], [-3.0, -2.0, 0.0, 1.0, 2.0, 5.0, 0.5, -1.7]))
    with np.errstate(invalid="ignore"):
        expected = np.power(base, exponent)
    assert np.isnan(expected).any()
    np.testing.assert_allclose(powers(base, exponent, lanes), expected, rtol=1e-14 if lanes.real == "double" else 1e-5)


@each_real
def test_what_touches_zero_from_below_by_rounding_has_root_and_power_zero(lanes):
    base = np.array([0.1, 0.9]) * TINY_NEGATIVE
    assert powers(base, np.array([0.5, 2.3]), lanes).tolist() == [0.0, 0.0]
    assert unary("sqrt", base, lanes).tolist() == [0.0, 0.0]
    clearly = np.array([3.0, 1e9]) * TINY_NEGATIVE
    assert np.isnan(powers(clearly, np.array([0.5, 2.3]), lanes)).all()
    assert np.isnan(unary("sqrt", clearly, lanes)).all()


@each_real
def test_zero_infinity_and_no_number_go_through_as_in_ieee_arithmetic(lanes):
    inf, nan = np.inf, np.nan
    x = np.array([-inf, -2.0, -0.0, 0.0, inf, nan])
    assert_same(unary("exp", x, lanes), [0.0, np.exp(-2.0), 1.0, 1.0, inf, nan])
    assert_same(unary("log", x, lanes), [nan, nan, -inf, -inf, inf, nan])
    assert_same(unary("sqrt", x, lanes), [nan, nan, 0.0, 0.0, inf, nan])
    assert_same(powers(np.zeros(4), np.array([-1.5, 0.0, 0.5, 3.0]), lanes), [inf, 1.0, 0.0, 0.0])
    assert_same(
        powers(np.array([inf, inf, inf, -inf, -inf]), np.array([-2.0, 0.0, 0.5, 3.0, 2.0]), lanes),
        [0, 1, inf, -inf, inf],
    )
    assert_same(powers(np.array([0.5, 2.0, 2.0, 0.5]), np.array([inf, inf, -inf, -inf]), lanes), [0, inf, 0, inf])
    # other than IEEE pow: what is no number stays none, also to the power 0
    assert_same(powers(np.array([nan, nan, 2.0]), np.array([0.0, 1.5, nan]), lanes), [nan, nan, nan])


def assert_same(got, expected):
    np.testing.assert_allclose(got, np.asarray(expected, dtype=float), rtol=1e-6)


@each_real
def test_beyond_the_range_of_its_numbers_the_exponential_is_infinite_or_zero(lanes):
    largest = 709.8 if lanes.real == "double" else 88.8
    assert (
        unary("exp", np.array([largest, 1e6, 1e30, -largest, -1e6, -1e30]), lanes).tolist() == [np.inf] * 3 + [0.0] * 3
    )


@each_kind
@pytest.mark.parametrize("op", sorted(OPERATIONS))
def test_every_operation_of_the_graph_is_that_of_numpy(op, lanes):
    random = np.random.default_rng(4)
    low, high = DOMAINS.get(op, (0.01, 10.0) if op in {*POSITIVE, "power"} else (-5.0, 5.0))
    x, y, z = (random.uniform(low, high, 401).astype(kind_of(lanes)) for _ in range(3))
    if op in TRUTH_VALUED or op in ("minimum", "maximum"):
        x, y, z = np.round(x), np.round(y), np.round(z)  # so that some are equal, or zero
    if op == "where":
        node, expected = GRAPH.apply("where", GRAPH.apply("less", X, Y), Y, Z), np.where(x < y, y, z)
    elif op in BINARY:
        node, expected = GRAPH.apply(op, X, Y), OPERATIONS[op](x.astype(float), y.astype(float))
    else:
        node, expected = GRAPH.apply(op, X), OPERATIONS[op](x.astype(float))
    got = computed([node], {"x": x, "y": y, "z": z}, lanes)[0]
    exact = {"exp", "log", "power"} | LIBRARY
    eps = np.finfo(x.dtype).eps
    np.testing.assert_allclose(got, expected.astype(float), rtol=40 * eps if op in exact else eps, atol=0)


def test_a_condition_may_be_used_as_a_number_and_a_number_as_a_condition():
    less = GRAPH.apply("less", X, Y)
    nodes = [GRAPH.apply("add", less, less), GRAPH.apply("logical_and", X, less), GRAPH.apply("where", X, Y, less)]
    x, y = np.array([0.0, 2.0, -1.0, 0.0]), np.array([1.0, 1.0, 3.0, -1.0])
    got = computed(nodes, {"x": x, "y": y})
    np.testing.assert_array_equal(got, [[2, 0, 2, 0], [0, 0, 1, 0], [1, 1, 3, 0]])


def test_strict_code_gives_the_same_bits_in_lanes_of_any_width():
    random = np.random.default_rng(6)
    x, y = random.lognormal(0, 2, (2, 501))
    tree = GRAPH.apply("add", GRAPH.apply("multiply", X, GRAPH.apply("exp", Y)), GRAPH.apply("power", X, Y))
    for real in ("double", "float"):
        results = [computed([tree], {"x": x, "y": y}, Lanes(width, real)) for width in (1, 2, 4, 8, 16)]
        for other in results[1:]:
            np.testing.assert_array_equal(other, results[0])
