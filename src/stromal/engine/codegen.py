"""NumPy code for expressions, over many patients at once.

Each expression is split by what it depends on: what is the same for everybody is folded to a number, what is
constant for one patient is computed once (the hoist), and only the rest is computed at every step. Each operation
is one call of a NumPy function on arrays that hold one element per patient, so a patient's number never depends
on who else is in the array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from stromal.engine.graph import OPERATIONS, TRUTH_VALUED, Graph, Node, walk

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Kernel:
    """Compiled expressions.

    Attributes
    ----------
    hoist : callable
        ``hoist(p) -> c``: `p` holds one array (n_patients,) per varying constant; `c` is the list of arrays that
        `evaluate` needs.
    evaluate : callable
        ``evaluate(t, y, s, c, out)``: `t` (n_patients,) time, `y` (n_states, n_patients), `s` (n_slots, n_patients)
        quantities that a schedule changes, `out` (n_expressions, n_patients), written.
    """

    hoist: Callable[[Sequence[Array]], list[Array]]
    evaluate: Callable[[Array, Array, Array, Sequence[Array], Array], None]


def compile_kernel(
    graph: Graph,
    expressions: Sequence[Node],
    *,
    states: Sequence[str],
    slots: Sequence[str],
    varying: Sequence[str],
    fixed: Mapping[str, float],
) -> Kernel:
    """Compile `expressions` (free of rules).

    Parameters
    ----------
    states, slots, varying : sequence of str
        Names that are rows of `y`, rows of `s` and entries of `p` in the compiled functions.
    fixed : mapping from str to float
        Names that have the same value for every patient.
    """
    numbers = {name: graph.constant(value) for name, value in fixed.items()}
    roots = [graph.substitute(e, numbers) for e in expressions]
    order = list(walk(roots))
    changing = _changing(order, frozenset((*states, *slots, "time")))
    leaves = {name: f"y[{i}]" for i, name in enumerate(states)}
    leaves |= {name: f"s[{i}]" for i, name in enumerate(slots)}
    leaves["time"] = "t"
    constant_leaves = {name: f"p[{i}]" for i, name in enumerate(varying)}
    hoisted = _hoisted(order, roots, changing)
    hoist = _hoist_source(order, changing, hoisted, constant_leaves)
    known = {node: f"c[{i}]" for i, node in enumerate(hoisted)}
    evaluate = _evaluate_source(order, roots, changing, known, leaves)
    namespace: dict[str, object] = dict(OPERATIONS)
    namespace |= {"empty_like": np.empty_like, "inf": np.inf, "nan": np.nan}
    exec(compile(hoist + "\n" + evaluate, "<stromal kernel>", "exec"), namespace)  # noqa: S102 - our own generated code; symbols were checked by the SBML reader and are never pasted into it
    return Kernel(namespace["hoist"], namespace["evaluate"])  # type: ignore[arg-type]


def _changing(order: Iterable[Node], sources: frozenset[str]) -> set[Node]:
    """Nodes whose value changes along a patient's course."""
    changing: set[Node] = set()
    for node in order:
        if node.name in sources or any(a in changing for a in node.args):
            changing.add(node)
    return changing


def _hoisted(order: Sequence[Node], roots: Sequence[Node], changing: set[Node]) -> list[Node]:
    """Per-patient constants that a changing node, or an output, uses directly."""
    used = {a for n in order if n in changing for a in n.args} | set(roots)
    return [n for n in order if n in used and n not in changing and n.op != "constant"]


def _call(node: Node, operands: Mapping[Node, str], target: str = "") -> str:
    args = ", ".join(operands[a] if a in operands else repr(a.value) for a in node.args)
    if node.op == "where":
        return f"where({args})"
    return f"{node.op}({args}{target})"


def _hoist_source(
    order: Sequence[Node], changing: set[Node], hoisted: Sequence[Node], leaves: Mapping[str, str]
) -> str:
    lines, names = ["def hoist(p):"], {}
    for node in order:
        if node in changing or node.op == "constant":
            continue
        if node.op == "symbol":
            names[node] = leaves[node.name]
        else:
            names[node] = f"v{len(names)}"
            lines.append(f"    {names[node]} = {_call(node, names)}")
    lines.append(f"    return [{', '.join(names[n] for n in hoisted)}]")
    return "\n".join(lines)


def _evaluate_source(
    order: Sequence[Node],
    roots: Sequence[Node],
    changing: set[Node],
    known: Mapping[Node, str],
    leaves: Mapping[str, str],
) -> str:
    """Straight-line code; scratch arrays are used again as soon as their value is needed no more."""
    remaining: dict[Node, int] = {}
    for node in [*(a for n in order if n in changing for a in n.args), *roots]:
        remaining[node] = remaining.get(node, 0) + 1
    names = dict(known) | {n: leaves[n.name] for n in order if n.op == "symbol" and n in changing}
    lines: list[str] = []
    scratch: dict[Node, int] = {}
    free: list[int] = []
    width = 0
    for k, node in enumerate(order):
        if node not in changing or node.op == "symbol":
            continue
        if node.op == "where" or node.op in TRUTH_VALUED:  # of another type, or made anew by NumPy
            names[node] = f"b{k}"
            lines.append(f"    {names[node]} = {_call(node, names)}")
        else:
            if not free:
                free.append(width)
                width += 1
            scratch[node] = free.pop()
            names[node] = f"w{scratch[node]}"
            lines.append(f"    {_call(node, names, f', out={names[node]}')}")
        for operand in set(node.args):
            remaining[operand] -= node.args.count(operand)
            if not remaining[operand] and operand in scratch:
                free.append(scratch.pop(operand))
    for i, root in enumerate(roots):
        lines.append(f"    out[{i}] = {names.get(root) or repr(root.value)}")
    head = ["def evaluate(t, y, s, c, out):"]
    head += [f"    w{i} = empty_like(t)" for i in range(width)]
    lines = lines or ["    pass"]  # a model may have no states
    return "\n".join([*head, *lines])
