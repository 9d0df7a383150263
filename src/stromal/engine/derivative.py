"""Exact derivatives of expressions: sparse forward differentiation on the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Final, final

from stromal.engine.graph import TRUTH_VALUED, Graph, Node

Gradient = Mapping[str, Node]
"""Partial derivatives by symbol; symbols with derivative zero are left out."""

_FLAT: Final = frozenset([*TRUTH_VALUED, "floor", "ceil", "constant"])


@final
class Differentiator:
    """Derivatives of expressions with respect to some symbols.

    Where an expression has a kink or a jump (absolute values, minima, conditions, whole parts), the derivative is the
    one of the branch that holds. The gamma function counts as constant: it stands for factorials of whole numbers.

    Parameters
    ----------
    variables : set of str
        Symbols with respect to which derivatives are taken; all others are constant.
    """

    def __init__(self, graph: Graph, variables: Set[str]) -> None:
        self._graph = graph
        self._variables = variables
        self._known: dict[Node, dict[str, Node]] = {}

    def gradient(self, node: Node) -> Gradient:
        """Partial derivatives of `node`."""
        stack = [node]
        while stack:
            top = stack[-1]
            missing = [a for a in top.args if a not in self._known]
            if top in self._known or not missing:
                self._known.setdefault(top, self._of(top))
                stack.pop()
            else:
                stack.extend(missing)
        return self._known[node]

    def _of(self, node: Node) -> dict[str, Node]:
        if node.op == "symbol":
            return {node.name: self._graph.constant(1.0)} if node.name in self._variables else {}
        gradients = [self._known[a] for a in node.args]
        if node.op in _FLAT or not any(gradients):
            return {}
        if node.op in ("where", "minimum", "maximum"):
            return self._chosen(node, gradients)
        result: dict[str, Node] = {}
        for factor, gradient in zip(self._factors(node, gradients), gradients, strict=True):
            if factor is None:
                continue
            for name, inner in gradient.items():
                term = self._times(factor, inner)
                result[name] = self._plus(result[name], term) if name in result else term
        return result

    def _chosen(self, node: Node, gradients: list[dict[str, Node]]) -> dict[str, Node]:
        """Derivatives of a choice between the last two operands."""
        graph, zero = self._graph, self._graph.constant(0.0)
        if node.op == "where":
            condition = node.args[0]
        else:
            condition = graph.apply("less" if node.op == "minimum" else "greater", *node.args)
        first, second = gradients[-2:]
        return {
            name: graph.apply("where", condition, first.get(name, zero), second.get(name, zero))
            for name in dict.fromkeys((*first, *second))
        }

    def _factors(self, node: Node, gradients: list[dict[str, Node]]) -> list[Node | None]:
        """Derivative of the operation by each operand; None where it is zero or the operand is constant."""
        graph, args = self._graph, node.args
        one = graph.constant(1.0)
        if node.op == "add":
            return [one, one]
        if node.op == "subtract":
            return [one, graph.constant(-1.0)]
        if node.op == "multiply":
            return [args[1], args[0]]
        if node.op == "divide":
            inverse = graph.apply("divide", one, args[1])
            return [inverse, self._negative(self._times(node, inverse))]
        if node.op == "power":
            return self._power(node, bool(gradients[1]))
        return [self._elementary(node)]

    def _power(self, node: Node, exponent_varies: bool) -> list[Node | None]:
        graph = self._graph
        base, exponent = node.args
        zero, one = graph.constant(0.0), graph.constant(1.0)
        if exponent.op == "constant":
            lower = graph.apply("power", base, graph.constant(exponent.value - 1.0))
            by_base = self._times(exponent, lower) if exponent.value else None
        else:
            # power/base is cheaper than another power; at base 0 it has no value, and the limit is put there
            limit = graph.apply("where", graph.apply("less", exponent, one), node, zero)
            limit = graph.apply("where", graph.apply("equal", exponent, one), one, limit)
            ratio = graph.apply("divide", node, base)
            here = graph.apply("where", graph.apply("equal", base, zero), limit, ratio)
            by_base = self._times(exponent, here)
        if not exponent_varies:
            return [by_base, None]
        positive = graph.apply("greater", base, zero)
        logarithm = graph.apply("log", graph.apply("where", positive, base, one))
        return [by_base, self._times(node, logarithm)]

    def _elementary(self, node: Node) -> Node | None:
        if node.op == "gamma":
            return None
        if node.op not in _RULES:
            raise ValueError(f"no derivative is known for the operation {node.op}")
        return _RULES[node.op](_Algebra(self._graph), node.args[0], node)

    def _times(self, one: Node, other: Node) -> Node:
        for first, second in ((one, other), (other, one)):
            if first.op == "constant" and first.value == -1.0:
                return self._negative(second)
        return self._graph.apply("multiply", one, other)

    def _plus(self, one: Node, other: Node) -> Node:
        return self._graph.apply("add", one, other)

    def _negative(self, node: Node) -> Node:
        return node.args[0] if node.op == "negative" else self._graph.apply("negative", node)


@final
class _Algebra:
    """Short names for the operations that the rules below need."""

    def __init__(self, graph: Graph) -> None:
        self.apply = graph.apply
        self.one = graph.constant(1.0)
        self.minus_one = graph.constant(-1.0)

    def inverse(self, a: Node) -> Node:
        return self.apply("divide", self.one, a)

    def inverse_root(self, a: Node) -> Node:
        return self.inverse(self.apply("sqrt", a))

    def square_plus_one(self, a: Node) -> Node:
        return self.apply("add", self.one, self.apply("multiply", a, a))

    def one_less_square(self, a: Node) -> Node:
        return self.apply("subtract", self.one, self.apply("multiply", a, a))

    def square_less_one(self, a: Node) -> Node:
        return self.apply("subtract", self.apply("multiply", a, a), self.one)

    def negative(self, a: Node) -> Node:
        return self.apply("negative", a)

    def sign(self, a: Node) -> Node:
        below = self.apply("less", a, self.apply("subtract", self.one, self.one))
        return self.apply("where", below, self.minus_one, self.one)


_RULES: Final[Mapping[str, Callable[[_Algebra, Node, Node], Node]]] = {
    "negative": lambda g, _, __: g.minus_one,
    "exp": lambda _, __, value: value,
    "log": lambda g, x, _: g.inverse(x),
    "sqrt": lambda g, _, value: g.inverse(g.apply("add", value, value)),
    "absolute": lambda g, x, _: g.sign(x),
    "sin": lambda g, x, _: g.apply("cos", x),
    "cos": lambda g, x, _: g.negative(g.apply("sin", x)),
    "tan": lambda g, _, value: g.square_plus_one(value),
    "arcsin": lambda g, x, _: g.inverse_root(g.one_less_square(x)),
    "arccos": lambda g, x, _: g.negative(g.inverse_root(g.one_less_square(x))),
    "arctan": lambda g, x, _: g.inverse(g.square_plus_one(x)),
    "sinh": lambda g, x, _: g.apply("cosh", x),
    "cosh": lambda g, x, _: g.apply("sinh", x),
    "tanh": lambda g, _, value: g.one_less_square(value),
    "arcsinh": lambda g, x, _: g.inverse_root(g.square_plus_one(x)),
    "arccosh": lambda g, x, _: g.inverse_root(g.square_less_one(x)),
    "arctanh": lambda g, x, _: g.inverse(g.one_less_square(x)),
}
"""Derivative by the operand x of a function with the given value."""
