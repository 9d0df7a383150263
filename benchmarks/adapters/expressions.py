"""Expressions as text in another language: straight-line code, each shared part computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from benchmarks.adapters.engine import NotAbleError
from stromal.engine.graph import Node, walk

ARITHMETIC: Final = (
    {"add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}", "negative": "-{0}"}
    | {"absolute": "abs({0})", "minimum": "min({0}, {1})", "maximum": "max({0}, {1})"}
    | {"exp": "exp({0})", "log": "log({0})", "sqrt": "sqrt({0})"}
)
"""What every language writes alike."""


@final
@dataclass(frozen=True)
class Language:
    """How a language writes each operation.

    Attributes
    ----------
    operations : mapping from str to str
        ``{0}``, ``{1}``, ... stand for the operands.
    """

    name: str
    operations: Mapping[str, str]

    def write(self, node: Node, operands: Sequence[str]) -> str:
        """One operation.

        Raises
        ------
        NotAbleError
            The language does not have it.
        """
        if node.op not in self.operations:
            raise NotAbleError(f"{self.name} has no operation {node.op}")
        return self.operations[node.op].format(*operands)


def changing(roots: Sequence[Node], sources: frozenset[str]) -> set[Node]:
    """Nodes whose value changes along a patient's course: those that depend on a symbol of `sources`."""
    found: set[Node] = set()
    for node in walk(roots):
        if node.name in sources or any(a in found for a in node.args):
            found.add(node)
    return found


def hoisted(roots: Sequence[Node], moving: set[Node]) -> list[Node]:
    """Largest expressions of parameters alone that something else uses: constants of a patient."""
    order = list(walk(roots))
    used = {a for n in order if n in moving for a in n.args} | set(roots)
    return [n for n in order if n in used and n not in moving and n.op not in ("constant", "symbol")]


def straight_line(
    language: Language, roots: Sequence[Node], known: Mapping[Node, str], prefix: str
) -> tuple[list[tuple[str, str]], list[str]]:
    """Write expressions.

    Parameters
    ----------
    known : mapping from Node to str
        What has a name already; every symbol is in it.
    prefix : str
        New names begin with it.

    Returns
    -------
    lines : list of (name, expression)
        An expression that is used more than once has a name of its own, the others stand where they are used.
    results : list of str
        Of each root.
    """
    order = list(walk(roots, known))
    uses = Counter(a for n in order if n not in known for a in n.args) + Counter(roots)
    written: dict[Node, str] = dict(known)
    lines: list[tuple[str, str]] = []
    for node in order:
        if node in written:
            continue
        if node.op == "constant":
            written[node] = repr(node.value) if node.value >= 0 else f"({node.value!r})"
            continue
        text = language.write(node, [written[a] for a in node.args])
        if uses[node] > 1:
            written[node] = f"{prefix}{len(lines)}"
            lines.append((written[node], text))
        else:
            written[node] = f"({text})"
    return lines, [written[r] for r in roots]


def symbols_of(roots: Sequence[Node]) -> Iterator[Node]:
    """Symbol nodes below `roots`."""
    return (n for n in walk(roots) if n.op == "symbol")
