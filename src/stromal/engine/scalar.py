"""Expressions as one plain function of numbers: slow, short, and easy to check by eye."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stromal.engine.graph import OPERATIONS, Node, walk

_SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}

Function = Callable[[Sequence[np.float64]], list[np.float64]]
"""Values of expressions for values of symbols."""


def compile_scalar(expressions: Sequence[Node], names: Sequence[str]) -> Function:
    """Compile `expressions` into one function of the values of `names`.

    The values given to it must be NumPy numbers: these divide by zero without an exception.
    """
    places = {name: f"x[{i}]" for i, name in enumerate(names)}
    constants: list[np.float64] = []
    code: dict[Node, str] = {}
    lines = ["def function(x):"]
    for node in walk(expressions):
        if node.op == "constant":
            code[node] = f"constants[{len(constants)}]"
            constants.append(np.float64(node.value))
        elif node.op == "symbol":
            code[node] = places[node.name]
        else:
            code[node] = f"v{len(code)}"
            lines.append(f"    {code[node]} = {_operation(node, [code[a] for a in node.args])}")
    lines.append(f"    return [{', '.join(code[e] for e in expressions)}]")
    namespace: dict[str, object] = {**OPERATIONS, "constants": constants}
    exec(compile("\n".join(lines), "<stromal scalar function>", "exec"), namespace)  # noqa: S102 - our own generated code; names of symbols are never pasted into it
    return namespace["function"]  # type: ignore[return-value]


def _operation(node: Node, args: Sequence[str]) -> str:
    if node.op in _SIGNS:
        return f"{args[0]} {_SIGNS[node.op]} {args[1]}"
    if node.op == "where":
        return f"{args[1]} if {args[0]} else {args[2]}"
    return f"{node.op}({', '.join(args)})"
