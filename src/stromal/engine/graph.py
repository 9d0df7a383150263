"""Expressions as a hash-consed graph: equal expressions are one node.

A node is immutable and is only ever made by a `Graph`, which folds constants and applies the identities that
cost nothing in accuracy (``x*1``, ``x+0``, ``x**1``, ``x**2 = x*x``). Constants are folded with NumPy, whose functions
agree with those of the machine code to the last few bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gamma


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


_SHORT_CUTS: Final[tuple[tuple[float, Callable[..., Any]], ...]] = (
    (2.0, np.square),
    (0.5, np.sqrt),
    (-1.0, np.reciprocal),
)


def power(base: ArrayLike, exponent: ArrayLike, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """``base ** exponent``, the same bits whether the exponent is one number or an array of that number.

    NumPy takes short cuts for the exponents 2, 1/2 and -1 when they are one number, and only then.
    """
    result: NDArray[np.float64] = np.power(base, exponent, out=out)
    if np.ndim(exponent):
        for value, short_cut in _SHORT_CUTS:
            short_cut(base, out=result, where=np.equal(exponent, value))
    return result


COMPARISONS: Final = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
TRUTH_VALUED: Final = frozenset([*COMPARISONS, "logical_and", "logical_or", "logical_xor", "logical_not"])
_ARITHMETIC: Final = (
    *("add", "subtract", "multiply", "divide", "negative", "exp", "log", "sqrt", "absolute"),
    *("minimum", "maximum", "where", "floor", "ceil"),
)
TRANSCENDENTAL: Final = (
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
)
OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    name: getattr(np, name) for name in (*_ARITHMETIC, *TRANSCENDENTAL, *sorted(TRUTH_VALUED))
} | {"power": power, "gamma": gamma}
"""Functions on arrays by name: those of NumPy, the gamma function of SciPy, and the `power` above."""


@final
@dataclass
class Graph:
    """Makes nodes and keeps each expression once."""

    _nodes: dict[tuple[object, ...], Node] = field(default_factory=dict)
    _numbers: dict[Node, int] = field(default_factory=dict)

    def constant(self, value: float) -> Node:
        """Node of a number."""
        return self._unique("constant", (), value=float(value))

    def symbol(self, name: str) -> Node:
        """Node of a name."""
        return self._unique("symbol", (), name=name)

    def apply(self, op: str, *args: Node) -> Node:
        """Node for ``op(*args)``, simplified where that is exact."""
        simpler = self._simplify(op, args)
        return simpler if simpler is not None else self._unique(op, args)

    def raw(self, op: str, *args: Node) -> Node:
        """Node for ``op(*args)`` as it stands, for operations that only the machine code knows."""
        return self._unique(op, args)

    def number(self, node: Node) -> int:
        """Position of a node of this graph in the order of making."""
        return self._numbers[node]

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
            self._numbers[self._nodes[key]] = len(self._numbers)
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
        with np.errstate(all="ignore"):
            value = float(OPERATIONS[op](*(np.array([a.value]) for a in args))[0])
        if not math.isfinite(value):
            return None  # 1/0 or log(-1): leave it to run time, where it becomes a status of the patient
        return self.constant(value)


def _is(node: Node, value: float) -> bool:
    return node.op == "constant" and node.value == value


def walk(roots: Iterable[Node], stop: Container[Node] = ()) -> Iterator[Node]:
    """Every node below `roots` once, operands before the operation that uses them; nothing below a node of `stop`."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(list(roots))]
    while stack:
        node, expanded = stack.pop()
        if node in seen:
            continue
        if expanded or not node.args or node in stop:
            seen.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args))


def symbols(roots: Iterable[Node]) -> set[str]:
    """Names of all symbols below `roots`."""
    return {n.name for n in walk(roots) if n.op == "symbol"}
