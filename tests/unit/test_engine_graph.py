"""Expressions: each is kept once, and simplifying or folding never changes a bit of the result."""

import numpy as np
import pytest

from stromal.engine.codegen import compile_kernel
from stromal.engine.graph import OPERATIONS, TRUTH_VALUED, Graph, power, symbols, walk

VALUES = np.array([-3.7, -1.0, -0.0, 0.0, 1e-300, 0.3, 1.0, 2.5, 1e300])
POSITIVE = np.random.default_rng(1).lognormal(0.0, 1.5, 2001)


def evaluated(graph, node, *, fixed=None, varying=None, states=None):
    """Values of one expression; each keyword maps names to numbers or arrays."""
    varying, states = varying or {}, states or {}
    arrays = [np.asarray(a, dtype=float) for a in (*varying.values(), *states.values())]
    n = max((len(a) for a in arrays), default=1)
    kernel = compile_kernel(graph, [node], states=list(states), slots=[], varying=list(varying), fixed=fixed or {})
    y = np.array(list(states.values()), dtype=float).reshape(len(states), n)
    hoisted = kernel.hoist([np.asarray(a, dtype=float) for a in varying.values()])
    out = np.empty((1, n))
    kernel.evaluate(np.zeros(n), y, np.empty((0, n)), hoisted, out)
    return out[0]


def test_equal_expressions_are_one_node():
    graph = Graph()
    x, y = graph.symbol("x"), graph.symbol("y")
    assert graph.apply("add", x, y) is graph.apply("add", x, y)
    assert graph.apply("add", x, y) is not graph.apply("add", y, x)
    assert graph.constant(0.0) is not graph.constant(-0.0)


def test_each_shared_expression_is_visited_once_and_after_its_operands():
    graph = Graph()
    node = graph.symbol("x")
    for _ in range(60):  # as a tree it would have 2**60 leaves
        node = graph.apply("add", node, node)
    order = list(walk([node]))
    assert len(order) == 61
    assert order[0] is graph.symbol("x")
    assert symbols([node]) == {"x"}


@pytest.mark.parametrize(
    ("op", "constant", "constant_first"),
    [
        ("add", 0.0, False),
        ("add", 0.0, True),
        ("multiply", 1.0, False),
        ("multiply", 1.0, True),
        ("subtract", 0.0, False),
        ("divide", 1.0, False),
        ("power", 1.0, False),
    ],
)
def test_identities_leave_the_operand_and_every_value_as_it_is(op, constant, constant_first):
    graph = Graph()
    x, c = graph.symbol("x"), graph.constant(constant)
    args = (c, x) if constant_first else (x, c)
    assert graph.apply(op, *args) is x
    numbers = (np.full_like(VALUES, constant), VALUES)
    direct = OPERATIONS[op](*(numbers if constant_first else numbers[::-1]))
    np.testing.assert_array_equal(direct, VALUES)


@pytest.mark.parametrize(("op", "constant"), [("multiply", 0.0), ("power", 0.0), ("divide", 2.0)])
def test_what_is_not_exact_for_every_value_is_not_simplified(op, constant):
    graph = Graph()
    assert graph.apply(op, graph.symbol("x"), graph.constant(constant)).op == op


def test_a_square_is_a_product():
    graph = Graph()
    x = graph.symbol("x")
    assert graph.apply("power", x, graph.constant(2.0)) is graph.apply("multiply", x, x)


def test_constants_that_have_no_finite_value_are_left_to_run_time():
    graph = Graph()
    assert graph.apply("divide", graph.constant(1.0), graph.constant(0.0)).op == "divide"
    assert graph.apply("log", graph.constant(-1.0)).op == "log"


@pytest.mark.parametrize("op", sorted(set(OPERATIONS) - TRUTH_VALUED - {"where"}))
def test_folding_a_constant_gives_the_bits_of_the_compiled_code(op):
    graph = Graph()
    names = ["p", "q"] if isinstance(OPERATIONS[op], np.ufunc) and OPERATIONS[op].nin == 2 else ["p"]
    names = ["p", "q"] if op == "power" else names
    node = graph.apply(op, *(graph.symbol(n) for n in names))
    for k in range(0, 400, 2):
        values = dict(zip(names, POSITIVE[k : k + 2], strict=False))
        if op == "power":
            values["q"] = (2.0, 0.5, -1.0, 3.0, 1.7)[k // 2 % 5]
        folded = evaluated(graph, node, fixed=values)
        per_patient = evaluated(graph, node, varying={n: [v] * 3 for n, v in values.items()})
        np.testing.assert_array_equal(per_patient, np.full(3, folded[0]))


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
def test_a_power_has_the_same_bits_for_one_exponent_and_for_an_array_of_it(exponent):
    one = power(POSITIVE, exponent)
    np.testing.assert_array_equal(power(POSITIVE, np.full_like(POSITIVE, exponent)), one)
    for k in range(0, 200, 7):
        assert power(POSITIVE[k : k + 1], np.array([exponent]))[0] == one[k]


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0])
def test_a_power_of_a_state_does_not_depend_on_whose_parameter_the_exponent_is(exponent):
    graph = Graph()
    node = graph.apply("power", graph.symbol("x"), graph.symbol("n"))
    same = evaluated(graph, node, fixed={"n": exponent}, states={"x": POSITIVE})
    own = evaluated(graph, node, varying={"n": np.full_like(POSITIVE, exponent)}, states={"x": POSITIVE})
    np.testing.assert_array_equal(own, same)


def test_scratch_arrays_never_overwrite_a_value_that_is_needed_later():
    graph = Graph()
    random = np.random.default_rng(3)
    states = {f"x{i}": random.uniform(0.5, 2.0, 5) for i in range(4)}
    nodes = [graph.symbol(name) for name in states]
    direct = list(states.values())
    for _ in range(200):
        i, j = random.integers(0, len(nodes), 2)
        op = str(random.choice(["add", "subtract", "multiply", "minimum", "maximum", "less"]))
        node = graph.apply(op, nodes[i], nodes[j])
        value = OPERATIONS[op](direct[i], direct[j])
        if op == "less":
            node = graph.apply("where", node, nodes[i], nodes[j])
            value = np.where(value, direct[i], direct[j])
        nodes.append(graph.apply("divide", node, graph.constant(3.0)))
        direct.append(value / 3.0)
    kernel = compile_kernel(graph, nodes, states=list(states), slots=[], varying=[], fixed={})
    out = np.empty((len(nodes), 5))
    kernel.evaluate(np.zeros(5), np.array(list(states.values())), np.empty((0, 5)), kernel.hoist([]), out)
    np.testing.assert_array_equal(out, np.array(direct))


def test_rates_never_write_into_the_states_or_the_parameters():
    graph = Graph()
    x, p = graph.symbol("x"), graph.symbol("p")
    expressions = [x, p, graph.apply("multiply", graph.apply("add", x, p), p)]
    kernel = compile_kernel(graph, expressions, states=["x"], slots=[], varying=["p"], fixed={})
    y, own = np.array([[1.0, 2.0]]), np.array([3.0, 4.0])
    hoisted = kernel.hoist([own])
    for _ in range(3):
        kernel.evaluate(np.zeros(2), y, np.empty((0, 2)), hoisted, np.empty((3, 2)))
    np.testing.assert_array_equal(y, [[1.0, 2.0]])
    np.testing.assert_array_equal(own, [3.0, 4.0])
