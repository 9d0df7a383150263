"""The rate of change of a quantity, where a formula asks for it (``rateOf``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stromal.engine.derivative import Differentiator
from stromal.engine.graph import Graph, Node, symbols
from stromal.engine.sbml.mathml import RATE_OF


def rates_of(
    graph: Graph, formulas: Iterable[Node], rates: Mapping[str, Node], rules: Mapping[str, Node]
) -> dict[str, Node]:
    """What each symbol ``rate of NAME`` that occurs in `formulas`, or in the result, stands for.

    Parameters
    ----------
    rates : mapping from str to Node
        Of quantities whose rate of change is known.
    rules : mapping from str to Node
        Of quantities that follow from others: the chain rule gives their rate. What is in neither does not change.

    Raises
    ------
    RecursionError
        A rate of change is asked for without end (a rule that holds its own rate of change).
    """
    found: dict[str, Node] = {}
    pending = sorted(_asked(formulas))
    while pending:
        name = pending.pop()
        if name.startswith(3 * RATE_OF):
            raise RecursionError(name)
        found[name] = _rate(graph, name.removeprefix(RATE_OF), rates, {**rules, **found})
        pending += sorted(_asked([found[name]]) - found.keys() - set(pending))
    return found


def _asked(formulas: Iterable[Node]) -> set[str]:
    return {name for name in symbols(formulas) if name.startswith(RATE_OF)}


def _rate(graph: Graph, name: str, rates: Mapping[str, Node], rules: Mapping[str, Node]) -> Node:
    if name in rates:
        return rates[name]
    if name not in rules:
        return graph.constant(0.0)
    node = rules[name]
    changing = {s for s in symbols([node]) if s == "time" or s in rates or s in rules or s.startswith(RATE_OF)}
    total = graph.constant(0.0)
    for inner, slope in Differentiator(graph, changing).gradient(node).items():
        speed = graph.constant(1.0) if inner == "time" else graph.symbol(RATE_OF + inner)
        total = graph.apply("add", total, graph.apply("multiply", slope, speed))
    return total
