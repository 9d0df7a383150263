"""Rewrite expressions so that the machine has less to do; the last bits of a value may change, nothing more.

Divisions become products with reciprocals (one reciprocal serves all quotients with that denominator), small whole
powers become products, signs move outwards, and factors that are constant along a patient's course are gathered, so
that they are computed once per patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Final, final

from stromal.engine.graph import Graph, Node, walk

LARGEST_CHAIN: Final = 64
"""Whole exponents up to this size are chains of products."""
OF_EXPONENT: Final = ("sign_of_power", "power_of_zero", "root_below")
"""Parts of a power that depend on the exponent alone; the methods of `ir.Function` that write them."""


@final
class Lowering:
    """Makes the fast form of expressions in a graph of its own.

    Parameters
    ----------
    changing : set of str
        Symbols that change along a patient's course (states, ``time``); everything else is constant there.
    """

    def __init__(self, changing: Set[str]) -> None:
        self._graph = Graph()
        self._sources = changing
        self._changing: dict[Node, bool] = {}
        self._done: dict[Node, Node] = {}
        self._special: Mapping[str, Callable[..., Node]] = {
            "add": self._add,
            "subtract": self._subtract,
            "multiply": self._multiply,
            "divide": lambda a, b: self._multiply(a, self.reciprocal(b)),
            "negative": self._negative,
            "power": self._power,
        }

    def lower(self, nodes: Iterable[Node]) -> list[Node]:
        """Fast forms of `nodes`, in their order. The additional operation is ``reciprocal``."""
        roots = list(nodes)
        for node in walk(roots):
            if node in self._done:
                continue
            if node.op == "constant":
                self._done[node] = self._graph.constant(node.value)
            elif node.op == "symbol":
                self._done[node] = self._graph.symbol(node.name)
            else:
                args = [self._done[a] for a in node.args]
                self._done[node] = (
                    self._special[node.op](*args) if node.op in self._special else self._make(node.op, *args)
                )
        return [self._done[r] for r in roots]

    def is_changing(self, node: Node) -> bool:
        """Whether a lowered node changes along a patient's course."""
        known = self._changing
        if node not in known:
            below = [node] if all(a in known for a in node.args) else walk([node], stop=known)
            for inner in below:
                own = inner.op == "symbol" and inner.name in self._sources
                known[inner] = own or any(known[a] for a in inner.args)
        return known[node]

    def reciprocal(self, a: Node) -> Node:
        """``1/a``."""
        if a.op == "reciprocal":
            return a.args[0]
        if a.op == "negative":
            return self._negative(self.reciprocal(a.args[0]))
        return self._make("reciprocal", a)

    def _make(self, op: str, *args: Node) -> Node:
        if op == "reciprocal":
            if args[0].op == "constant" and args[0].value:
                return self._graph.constant(1.0 / args[0].value)
            return self._graph.raw(op, *args)
        return self._graph.apply(op, *args)

    def _add(self, a: Node, b: Node) -> Node:
        if b.op == "negative":
            return self._subtract(a, b.args[0])
        if a.op == "negative":
            return self._subtract(b, a.args[0])
        return self._make("add", *self._ordered(a, b))

    def _subtract(self, a: Node, b: Node) -> Node:
        if _is(a, 0.0):
            return self._negative(b)
        if b.op == "negative":
            return self._add(a, b.args[0])
        return self._make("subtract", a, b)

    def _negative(self, a: Node) -> Node:
        if a.op == "negative":
            return a.args[0]
        if a.op == "subtract":
            return self._make("subtract", a.args[1], a.args[0])
        return self._make("negative", a)

    def _multiply(self, a: Node, b: Node) -> Node:
        for one, other in ((a, b), (b, a)):
            if _is(one, -1.0):
                return self._negative(other)
            if one.op == "negative":
                return self._negative(self._multiply(one.args[0], other))
        a, b = self._ordered(a, b)
        if not self.is_changing(a) and b.op == "multiply" and self.is_changing(b) and not self.is_changing(b.args[0]):
            return self._multiply(self._multiply(a, b.args[0]), b.args[1])
        return self._make("multiply", a, b)

    def _power(self, base: Node, exponent: Node) -> Node:
        value = exponent.value
        if exponent.op != "constant" or value != int(value) or abs(value) > LARGEST_CHAIN:
            return self._general_power(base, exponent)
        if value < 0:
            return self.reciprocal(self._whole_power(base, int(-value)))
        return self._whole_power(base, int(value))

    def _general_power(self, base: Node, exponent: Node) -> Node:
        """A power whose logarithm serves other powers of the base, and what depends on the exponent alone is apart."""
        if exponent.op == "constant" and exponent.value == 0.5:
            return self._make("sqrt", base)
        raw = self._graph.raw
        prepared = (raw(name, exponent) for name in OF_EXPONENT)
        return raw("prepared_power", base, exponent, raw("log_size", base), *prepared)

    def _whole_power(self, base: Node, exponent: int) -> Node:
        result, square = self._graph.constant(1.0), base
        while exponent:
            if exponent & 1:
                result = self._multiply(result, square)
            exponent >>= 1
            if exponent:
                square = self._multiply(square, square)
        return result

    def _ordered(self, a: Node, b: Node) -> tuple[Node, Node]:
        """Operands of a sum or product in an order that does not depend on how it was written."""
        key = [(self.is_changing(x), self._graph.number(x)) for x in (a, b)]
        return (a, b) if key[0] <= key[1] else (b, a)


def _is(node: Node, value: float) -> bool:
    return node.op == "constant" and node.value == value


def constant_along_course(order: Sequence[Node], lowering: Lowering, roots: Sequence[Node]) -> list[Node]:
    """What is constant for a patient and used by something that changes, or itself wanted (the hoists)."""
    used = dict.fromkeys(a for n in order if lowering.is_changing(n) for a in n.args) | dict.fromkeys(roots)
    return [n for n in used if not lowering.is_changing(n) and n.op != "constant"]
