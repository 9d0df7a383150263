"""Write expressions as vector instructions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from stromal.engine.graph import COMPARISONS, TRUTH_VALUED, Node, walk
from stromal.engine.machine.ir import TINY_NEGATIVE, Function
from stromal.engine.machine.lowering import OF_EXPONENT

_COMPARE: Final = dict(zip(COMPARISONS, ("olt", "ole", "ogt", "oge", "oeq", "une"), strict=True))
_LOGIC: Final = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
_INTRINSIC: Final = {"absolute": "fabs", "floor": "floor", "ceil": "ceil"}
_LIBRARY: Final = {
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "gamma": "tgamma",
}
_METHODS: Final[Mapping[str, Callable[..., str]]] = {
    **{name: getattr(Function, name) for name in ("add", "subtract", "multiply", "divide", "negative", "reciprocal")},
    "minimum": Function.smaller,
    "maximum": Function.larger,
    "exp": Function.exp,
    "log": Function.log,
    "log_size": Function.log_size,
    "prepared_power": Function.power,
    **{name: getattr(Function, name) for name in OF_EXPONENT},
}

SLOW: Final = frozenset(["exp", "log", "log_size", "prepared_power"])
"""Operations of many instructions in a row that wait for each other: side by side they overlap."""


@final
class Evaluation:
    """Writes expressions into a function, each once.

    Parameters
    ----------
    leaves : mapping from Node to callable
        How to get the value of a symbol, or of any node that was computed before.
    """

    def __init__(self, function: Function, leaves: Mapping[Node, Callable[[], str]]) -> None:
        self._function = function
        self._leaves = leaves
        self._values: dict[Node, str] = {}

    def values(self, roots: Sequence[Node]) -> list[str]:
        """Values of expressions as numbers (truth values as 1 and 0)."""
        slow = [n for n in walk(roots, stop=self._leaves) if n.op in SLOW]
        for node in walk([*slow, *roots], stop=self._leaves):
            if node not in self._values:
                self._values[node] = self._value(node)
        return [self._number(r) for r in roots]

    def _value(self, node: Node) -> str:
        function = self._function
        if node in self._leaves:
            return self._leaves[node]()
        if node.op == "constant":
            return function.constant(node.value)
        if node.op in _LOGIC:
            a, b = (self._truth(a) for a in node.args)
            return function.emit(f"{_LOGIC[node.op]} {function.lanes.truths} {a}, {b}")
        if node.op == "logical_not":
            ones = "<" + ", ".join(["i1 true"] * function.lanes.width) + ">"
            return function.emit(f"xor {function.lanes.truths} {self._truth(node.args[0])}, {ones}")
        if node.op == "where":
            condition, a, b = self._truth(node.args[0]), self._number(node.args[1]), self._number(node.args[2])
            return function.select(condition, a, b)
        args = [self._number(a) for a in node.args]
        if node.op in _COMPARE:
            return function.compare(_COMPARE[node.op], *args)
        return self._operation(node, args)

    def _operation(self, node: Node, args: list[str]) -> str:
        function, op = self._function, node.op
        if op == "power":
            return self._power(node, args)
        if op == "sqrt":
            return self._root(args[0])
        if op in _INTRINSIC:
            return function.intrinsic(_INTRINSIC[op], args[0])
        if op in _LIBRARY:
            return function.library(_LIBRARY[op], args[0])
        if op not in _METHODS:
            raise ValueError(f"no machine code is known for the operation {op}")
        return _METHODS[op](function, *args)

    def _power(self, node: Node, args: list[str]) -> str:
        function, (base, exponent) = self._function, args
        if node.args[1].op == "constant" and node.args[1].value == 0.5:
            return self._root(base)
        prepared = (getattr(function, name)(exponent) for name in OF_EXPONENT)
        return function.power(base, exponent, function.log_size(base), *prepared)

    def _root(self, x: str) -> str:
        function, zero = self._function, self._function.constant(0.0)
        small = function.compare("ogt", x, function.constant(TINY_NEGATIVE))
        return function.intrinsic("sqrt", function.select(small, function.larger(x, zero), x))

    def _is_truth(self, node: Node) -> bool:
        """Whether the value is a condition; one that was computed before is kept as 1 or 0."""
        return node.op in TRUTH_VALUED and node not in self._leaves

    def _number(self, node: Node) -> str:
        value = self._values[node]
        if not self._is_truth(node):
            return value
        return self._function.select(value, self._function.constant(1.0), self._function.constant(0.0))

    def _truth(self, node: Node) -> str:
        value = self._values[node]
        if self._is_truth(node):
            return value
        return self._function.compare("une", value, self._function.constant(0.0))
