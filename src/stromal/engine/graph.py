"""Expressions as a hash-consed graph: equal expressions are one node.

A node is immutable and is only ever made by a `Graph`, which folds constants and applies the identities that
cost nothing in accuracy (``x*1``, ``x+0``, ``x**1``, ``x**2 = x*x``). Arithmetic on constants is the IEEE
arithmetic that NumPy would do, so folding does not change a result.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, final


@final
@dataclass(frozen=True, eq=False)
class Node:
    """One operation. Identity is equality: compare with ``is``.

    Attributes
    ----------
    op : str
        ``constant``, ``symbol`` or a key of `OPERATIONS`.
    args : tuple of Node
        Operands, empty for constants and symbols.
    value : float
        Of a constant; truth values are 1.0 and 0.0.
    name : str
        Of a symbol.
    """

    op: str
    args: tuple[Node, ...] = ()
    value: float = 0.0
    name: str = ""


def _select(condition: float, when_true: float, when_false: float) -> float:
    return when_true if condition else when_false


OPERATIONS: Final[Mapping[str, Callable[..., float]]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "power": operator.pow,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "absolute": abs,
    "minimum": min,
    "maximum": max,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_not": operator.not_,
    "where": _select,
}
"""Operations by the name of the NumPy function that does the same to arrays."""


@final
@dataclass
class Graph:
    """Makes nodes and keeps each expression once."""

    _nodes: dict[tuple[object, ...], Node] = field(default_factory=dict)

    def constant(self, value: float) -> Node:
        return self._unique("constant", (), value=float(value))

    def symbol(self, name: str) -> Node:
        return self._unique("symbol", (), name=name)

    def apply(self, op: str, *args: Node) -> Node:
        """Node for ``op(*args)``, simplified where that is exact."""
        simpler = self._simplify(op, args)
        return simpler if simpler is not None else self._unique(op, args)

    def substitute(self, node: Node, replacements: Mapping[str, Node]) -> Node:
        """`node` with symbols replaced by nodes; names that are not in `replacements` stay."""
        done: dict[Node, Node] = {}
        for inner in walk([node]):
            if inner.op == "symbol":
                done[inner] = replacements.get(inner.name, inner)
            elif inner.op == "constant":
                done[inner] = inner
            else:
                done[inner] = self.apply(inner.op, *(done[a] for a in inner.args))
        return done[node]

    def _unique(self, op: str, args: tuple[Node, ...], *, value: float = 0.0, name: str = "") -> Node:
        key = (op, args, value, math.copysign(1.0, value), name)
        if key not in self._nodes:
            self._nodes[key] = Node(op, args, value, name)
        return self._nodes[key]

    def _simplify(self, op: str, args: tuple[Node, ...]) -> Node | None:
        if all(a.op == "constant" for a in args):
            return self._fold(op, args)
        if op == "where" and args[0].op == "constant":
            return args[1] if args[0].value else args[2]
        if op in ("add", "multiply"):
            neutral = 0.0 if op == "add" else 1.0
            for one, other in (args, args[::-1]):
                if _is(one, neutral):
                    return other
        if op == "subtract" and _is(args[1], 0.0):
            return args[0]
        if op in ("divide", "power") and _is(args[1], 1.0):
            return args[0]
        if op == "power" and _is(args[1], 2.0):
            return self.apply("multiply", args[0], args[0])
        return None

    def _fold(self, op: str, args: tuple[Node, ...]) -> Node | None:
        try:
            value = float(OPERATIONS[op](*(a.value for a in args)))
        except (ArithmeticError, ValueError):
            return None  # 1/0 or log(-1): leave it to run time, where it becomes a status of the patient
        return self.constant(value)


def _is(node: Node, value: float) -> bool:
    return node.op == "constant" and node.value == value


def walk(roots: Iterable[Node]) -> Iterator[Node]:
    """Every node below `roots` once, operands before the operation that uses them."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if node in seen:
            continue
        if expanded or not node.args:
            seen.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args))


def symbols(roots: Iterable[Node]) -> set[str]:
    """Names of all symbols below `roots`."""
    return {n.name for n in walk(roots) if n.op == "symbol"}
