"""Derivatives of expressions against the difference of a complex step, or a central one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromal.engine.derivative import Differentiator
from stromal.engine.graph import OPERATIONS, TRUTH_VALUED, Graph, walk

GRAPH = Graph()
X, Y, P = (GRAPH.symbol(n) for n in "xyp")
ANALYTIC = [
    *("negative", "exp", "log", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
]
FLAT = sorted({*TRUTH_VALUED, "floor", "ceil"})
INSIDE = {"arcsin": 0.3, "arccos": 0.3, "arctanh": 0.3, "arccosh": 2.7}
LEAVES = st.one_of(st.sampled_from([X, Y, P]), st.floats(-3.0, 3.0).map(GRAPH.constant))
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(GRAPH.apply, st.sampled_from(["add", "subtract", "multiply", "divide", "power"]), inner, inner),
        st.builds(GRAPH.apply, st.sampled_from(ANALYTIC), inner),
        st.builds(
            lambda a, b, c, d: GRAPH.apply("where", GRAPH.apply("less", a, b), c, d),
            *(st.sampled_from([X, Y, P]),) * 2,
            *(inner,) * 2,
        ),
    ),
    max_leaves=12,
)
POSITIVE = st.floats(0.2, 3.0)


def value(root, **symbols):
    """Value of an expression; symbols may be complex."""
    done = {}
    with np.errstate(all="ignore"):
        for node in walk([root]):
            if node.op == "constant":
                done[node] = np.float64(node.value)
            elif node.op == "symbol":
                done[node] = symbols[node.name]
            elif node.op in TRUTH_VALUED:
                done[node] = OPERATIONS[node.op](*(np.real(done[a]) for a in node.args))
            else:
                done[node] = OPERATIONS[node.op](*(done[a] for a in node.args))
    return done[root]


@settings(max_examples=400)
@given(EXPRESSIONS, POSITIVE, POSITIVE, POSITIVE)
def test_a_random_expression_has_the_derivative_of_a_complex_step(expression, x, y, p):
    symbols = {"x": np.float64(x), "y": np.float64(y), "p": np.float64(p)}
    assume(regular(expression, symbols))
    gradient = Differentiator(GRAPH, {"x", "y"}).gradient(expression)
    assert set(gradient) <= {"x", "y"}
    for name in ("x", "y"):
        step = value(expression, **(symbols | {name: symbols[name] + 1e-30j}))
        exact = np.imag(step) / 1e-30
        ours = value(gradient[name], **symbols) if name in gradient else 0.0
        assert ours == pytest.approx(exact, rel=1e-9, abs=1e-9)


def regular(expression, symbols):
    """Whether every value inside is finite, of moderate size, and well inside the domain of its function."""
    with np.errstate(all="ignore"):
        for node in walk([expression]):
            size = abs(value(node, **symbols))
            if not size < 1e3 or (node.op == "power" and value(node.args[0], **symbols) < 1e-2):
                return False
            inner = value(node.args[0], **symbols) if node.args else 0.0
            if node.op in ("log", "sqrt") and inner < 1e-2:
                return False
            if node.op in ("arcsin", "arccos", "arctanh") and abs(inner) > 0.99:
                return False
            if node.op == "arccosh" and inner < 1.01:
                return False
            if node.op == "divide" and abs(value(node.args[1], **symbols)) < 1e-2:
                return False
    return True


@pytest.mark.parametrize("op", ANALYTIC)
def test_every_function_has_the_derivative_of_a_central_difference(op):
    node = GRAPH.apply(op, X)
    at, step = INSIDE.get(op, 0.7), 1e-5
    central = (value(node, x=at + step) - value(node, x=at - step)) / (2.0 * step)
    gradient = Differentiator(GRAPH, {"x"}).gradient(node)
    assert value(gradient["x"], x=np.float64(at)) == pytest.approx(central, rel=1e-8)


@pytest.mark.parametrize("op", ["absolute", "minimum", "maximum"])
@pytest.mark.parametrize("x", [-1.3, 0.4])
def test_at_a_kink_the_branch_that_holds_counts(op, x):
    node = GRAPH.apply(op, X) if op == "absolute" else GRAPH.apply(op, GRAPH.apply("multiply", X, X), Y)
    symbols = {"x": np.float64(x), "y": np.float64(1.0)}
    gradient = Differentiator(GRAPH, {"x", "y"}).gradient(node)
    for name in ("x", "y") if op != "absolute" else ("x",):
        up, down = (value(node, **(symbols | {name: symbols[name] + h})) for h in (1e-6, -1e-6))
        assert value(gradient[name], **symbols) == pytest.approx((up - down) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("op", [*FLAT, "gamma"])
def test_conditions_whole_parts_and_factorials_are_flat(op):
    binary = op in TRUTH_VALUED - {"logical_not"}
    node = GRAPH.apply(op, X, Y) if binary else GRAPH.apply(op, X)
    assert Differentiator(GRAPH, {"x", "y"}).gradient(node) == {}


@pytest.mark.parametrize("exponent, by_base", [(1.0, 1.0), (1.5, 0.0), (2.0, 0.0), (3.0, 0.0)])
def test_at_base_zero_a_power_has_the_derivative_of_its_limit(exponent, by_base):
    """That is 1 for the exponent 1 and else 0, and ``0^n`` does not change with ``n``."""
    gradient = Differentiator(GRAPH, {"x", "y"}).gradient(GRAPH.apply("power", X, Y))
    symbols = {"x": np.float64(0.0), "y": np.float64(exponent)}
    assert [value(gradient[name], **symbols) for name in ("x", "y")] == [by_base, 0.0]


def test_what_does_not_depend_on_a_variable_has_no_entry():
    node = GRAPH.apply("add", GRAPH.apply("exp", P), X)
    assert list(Differentiator(GRAPH, {"x", "y"}).gradient(node)) == ["x"]
