"""Expressions: each is kept once, and simplifying or folding does not change what they are worth."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import gamma

from stromal.engine import empty_schedule, load, solve
from stromal.engine.graph import OPERATIONS, Graph, power, symbols, walk

VALUES = np.array([-3.7, -1.0, -0.0, 0.0, 1e-300, 0.3, 1.0, 2.5, 1e300])
POSITIVE = np.random.default_rng(1).lognormal(0.0, 1.5, 2001)
X, N = np.array([0.05, 0.3, 0.99, 1.0, 1.7, 4.0, 9.5]), np.array([-2.0, 0.5, 1.0, 2.0, 3.0, -1.0, 1.7])
FORMULAS = {
    "x + n": X + N,
    "x - n": X - N,
    "x*n": X * N,
    "x/n": X / N,
    "-x": -X,
    "x^n": X**N,
    "x^2": X * X,
    "exp(n)": np.exp(N),
    "ln(x)": np.log(X),
    "log10(x)": np.log10(X),
    "sqrt(x)": np.sqrt(X),
    "abs(n)": np.abs(N),
    "min(x, n)": np.minimum(X, N),
    "max(x, n)": np.maximum(X, N),
    "floor(n)": np.floor(N),
    "ceil(n)": np.ceil(N),
    "factorial(4)": np.full(7, gamma(5.0)),
    "piecewise(x, x < n, 7, n >= 1, 9)": np.where(X < N, X, np.where(N >= 1, 7.0, 9.0)),
    "piecewise(1, ((x > 1) && !(n == 3)) || (x == 1), 0)": np.where((X > 1) & (N != 3) | (X == 1), 1.0, 0.0),
    **{f"{f}(n)": getattr(np, f)(N) for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "arctan(n)": np.arctan(N),
    "arcsin(x/10)": np.arcsin(X / 10),
    "arccos(x/10)": np.arccos(X / 10),
    "arcsinh(n)": np.arcsinh(N),
    "arccosh(x + 1)": np.arccosh(X + 1),
    "arctanh(x/10)": np.arctanh(X / 10),
}


def rule(formula, table=None, defaults=""):
    """A rule at the start, (n_patients,); the symbols in it are parameters, the columns each patient's own."""
    system = load(f"y := {formula}\nx = 0.5; n = 2; {defaults}\n")
    table = pd.DataFrame({"x": X, "n": N}) if table is None else table
    return solve(system, table, empty_schedule(), [0.0], ["y"], strict=True)["y"][:, 0]


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


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_worth_what_its_text_says(formula):
    np.testing.assert_allclose(rule(formula), FORMULAS[formula], rtol=1e-14, atol=0)


@pytest.mark.parametrize("formula", ["exp(x)", "ln(x)", "x^1.7", "x^0.5", "x^-1", "sqrt(x)*tanh(x)", "x/3 - 0.1"])
def test_folding_a_constant_gives_the_value_of_the_machine_code(formula):
    for x in X:
        folded = rule(re.sub(r"\bx\b", repr(float(x)), formula), pd.DataFrame({"n": [1.0]}))
        np.testing.assert_allclose(folded, rule(formula, pd.DataFrame({"x": [x]})), rtol=1e-15, atol=1e-16)


@pytest.mark.parametrize("formula", ["x^n", "exp(x)/n", "ln(x + n^2) - x*n", "piecewise(x, n > 1, n)"])
def test_a_value_has_the_same_bits_whether_it_is_everybodys_or_the_patients_own(formula):
    for x, n in zip(X, N, strict=True):
        own = rule(formula, pd.DataFrame({"x": [x, x], "n": [n, n]}))
        shared = rule(formula, pd.DataFrame(index=[0]), f"x = {float(x)!r}; n = {float(n)!r}")
        assert own.tolist() == [shared[0], shared[0]]


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
def test_a_power_has_the_same_bits_for_one_exponent_and_for_an_array_of_it(exponent):
    one = power(POSITIVE, exponent)
    np.testing.assert_array_equal(power(POSITIVE, np.full_like(POSITIVE, exponent)), one)
    for k in range(0, 200, 7):
        assert power(POSITIVE[k : k + 1], np.array([exponent]))[0] == one[k]
