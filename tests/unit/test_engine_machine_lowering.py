"""The fast form of expressions: the same values but for rounding, and less work."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromal.engine.graph import OPERATIONS, Graph, walk
from stromal.engine.machine.lowering import Lowering, constant_along_course

GRAPH = Graph()
CHANGING, CONSTANT = ("x", "y"), ("a", "b", "c")
EPS = np.finfo(float).eps
LEAVES = st.one_of(
    st.sampled_from([GRAPH.symbol(n) for n in (*CHANGING, *CONSTANT)]),
    st.sampled_from([-1.0, 0.0, 1.0, 2.0, 0.3, -2.5]).map(GRAPH.constant),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(GRAPH.apply, st.sampled_from(["add", "subtract", "multiply", "divide"]), inner, inner),
        st.builds(GRAPH.apply, st.sampled_from(["negative", "absolute"]), inner),
        st.builds(
            lambda x, n: GRAPH.apply("power", x, GRAPH.constant(n)), inner, st.sampled_from([-3, -1, 2, 3, 5, 64])
        ),
    ),
    max_leaves=25,
)
NUMBERS = st.floats(0.1, 10.0) | st.floats(-10.0, -0.1)


def value_and_error(root, symbols):
    """Value of an expression in double precision, and a bound of its rounding error by running error analysis."""
    done = {}
    for node in walk([root]):
        if node.op in ("constant", "symbol"):
            done[node] = (np.float64(node.value if node.op == "constant" else symbols[node.name]), 0.0)
            continue
        (a, da), (b, db) = [*(done[arg] for arg in node.args), (1.0, 0.0)][:2]
        value = 1.0 / a if node.op == "reciprocal" else OPERATIONS[node.op](*(done[arg][0] for arg in node.args))
        if node.op in ("add", "subtract"):
            error = da + db
        elif node.op == "multiply":
            error = abs(a) * db + abs(b) * da + da * db
        elif node.op == "divide":
            error = (da + abs(value) * db) / (abs(b) - db) if abs(b) > db else np.inf
        elif node.op == "reciprocal":
            error = da / abs(a) / (abs(a) - da) if abs(a) > da else np.inf
        elif node.op == "power":
            spread = (1.0 + da / abs(a)) ** abs(b) if a and da < abs(a) else np.inf
            error = (
                abs(value) * (spread - 1.0) + abs(value) * EPS * abs(b) * (2.0 + abs(np.log(abs(a)))) if a else np.inf
            )
        else:
            error = da
        done[node] = (value, error + EPS * abs(value))
    return done[root]


@settings(max_examples=400)
@given(EXPRESSIONS, st.lists(NUMBERS, min_size=5, max_size=5))
def test_lowering_keeps_every_value_within_the_bound_of_rounding(expression, numbers):
    symbols = dict(zip((*CHANGING, *CONSTANT), numbers, strict=True))
    (lowered,) = Lowering(set(CHANGING)).lower([expression])
    with np.errstate(all="ignore"):
        (plain, error), (fast, other) = (value_and_error(node, symbols) for node in (expression, lowered))
    assume(np.isfinite([plain, error, fast, other]).all())
    assert abs(plain - fast) <= 2.0 * (error + other)


@given(EXPRESSIONS)
def test_no_division_is_left_but_reciprocals(expression):
    (lowered,) = Lowering(set(CHANGING)).lower([expression])
    assert not [node for node in walk([lowered]) if node.op == "divide"]


X, Y, A, B = (GRAPH.symbol(name) for name in "xyab")  # x and y change, a and b are constant along a course


def lowered(node):
    """Fast form of an expression, and what made it."""
    lowering = Lowering(set(CHANGING))
    (fast,) = lowering.lower([node])
    return fast, lowering


def test_quotients_with_one_denominator_share_its_reciprocal():
    total = GRAPH.apply("add", X, B)
    node, _ = lowered(GRAPH.apply("add", GRAPH.apply("divide", A, total), GRAPH.apply("divide", Y, total)))
    assert [n.op for n in walk([node])].count("reciprocal") == 1


@pytest.mark.parametrize("exponent, products", [(2, 1), (3, 2), (4, 2), (8, 3), (64, 6)])
def test_a_small_whole_power_is_a_chain_of_products(exponent, products):
    for sign in (1, -1):
        node, _ = lowered(GRAPH.apply("power", X, GRAPH.constant(sign * exponent)))
        ops = [n.op for n in walk([node])]
        assert ops.count("multiply") == products
        assert ops.count("reciprocal") == (sign < 0)
        assert "power" not in ops


def test_constant_factors_are_gathered_so_that_they_are_computed_once_per_patient():
    node, lowering = lowered(GRAPH.apply("multiply", GRAPH.apply("multiply", X, A), GRAPH.apply("multiply", B, Y)))
    hoists = constant_along_course(list(walk([node])), lowering, [node])
    factors = [n for n in walk([node]) if n.op == "multiply" and lowering.is_changing(n)]
    assert len(hoists) <= 2
    assert len(factors) <= 3


def test_a_rate_that_is_the_negative_of_another_shares_all_its_products():
    graph = Graph()
    x, a = graph.symbol("x"), graph.symbol("a")
    flow = graph.apply("multiply", graph.apply("multiply", a, x), x)
    gain, loss = Lowering({"x"}).lower([flow, graph.apply("negative", flow)])
    assert loss.op == "negative"
    assert loss.args[0] is gain
