"""MathML of an SBML model, read into the expression graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import libsbml

from stromal.engine.graph import TRUTH_VALUED, Graph, Node

_FOLDED: Final = {libsbml.AST_PLUS: ("add", 0.0), libsbml.AST_TIMES: ("multiply", 1.0)}
_LOGIC: Final = {libsbml.AST_LOGICAL_AND: "logical_and", libsbml.AST_LOGICAL_OR: "logical_or"}
_PLAIN: Final = {
    libsbml.AST_DIVIDE: "divide",
    libsbml.AST_POWER: "power",
    libsbml.AST_FUNCTION_POWER: "power",
    libsbml.AST_FUNCTION_EXP: "exp",
    libsbml.AST_FUNCTION_LN: "log",
    libsbml.AST_FUNCTION_ABS: "absolute",
    libsbml.AST_RELATIONAL_LT: "less",
    libsbml.AST_RELATIONAL_LEQ: "less_equal",
    libsbml.AST_RELATIONAL_GT: "greater",
    libsbml.AST_RELATIONAL_GEQ: "greater_equal",
    libsbml.AST_RELATIONAL_EQ: "equal",
    libsbml.AST_RELATIONAL_NEQ: "not_equal",
    libsbml.AST_FUNCTION_MIN: "minimum",
    libsbml.AST_FUNCTION_MAX: "maximum",
}
_CONSTANTS: Final = {
    libsbml.AST_CONSTANT_E: 2.718281828459045,
    libsbml.AST_CONSTANT_PI: 3.141592653589793,
    libsbml.AST_CONSTANT_TRUE: 1.0,
    libsbml.AST_CONSTANT_FALSE: 0.0,
    libsbml.AST_NAME_AVOGADRO: 6.02214076e23,
}


class UnsupportedMathError(Exception):
    """A formula uses a construct that the engine does not evaluate."""


@final
class Reader:
    """Reads formulas of one model; calls of its function definitions are expanded in place."""

    def __init__(self, graph: Graph, model: libsbml.Model) -> None:
        self._graph = graph
        self._functions = {
            f.getId(): f for f in (model.getFunctionDefinition(i) for i in range(model.getNumFunctionDefinitions()))
        }

    def read(self, math: libsbml.ASTNode) -> Node:
        """Node of a formula.

        Raises
        ------
        UnsupportedMathError
            Naming the construct.
        """
        return self._number(self._node(math, {}))

    def read_kinetic_law(self, reaction: libsbml.Reaction) -> Node:
        """Rate of a reaction, its local parameters replaced by their values."""
        law = reaction.getKineticLaw()
        own = {}
        for i in range(law.getNumParameters()):
            own[law.getParameter(i).getId()] = self._graph.constant(law.getParameter(i).getValue())
        return self._number(self._node(law.getMath(), own))

    def _node(self, math: libsbml.ASTNode, bound: Mapping[str, Node]) -> Node:
        kind = math.getType()
        if math.isNumber():
            return self._graph.constant(math.getValue())
        if kind == libsbml.AST_NAME:
            return bound.get(math.getName()) or self._graph.symbol(math.getName())
        if kind == libsbml.AST_NAME_TIME:
            return self._graph.symbol("time")
        if kind in _CONSTANTS:
            return self._graph.constant(_CONSTANTS[kind])
        args = [self._node(math.getChild(i), bound) for i in range(math.getNumChildren())]
        if kind == libsbml.AST_FUNCTION and math.getName() in self._functions:
            return self._call(self._functions[math.getName()], args)
        return self._operation(math, kind, args)

    def _call(self, function: libsbml.FunctionDefinition, args: list[Node]) -> Node:
        names = [function.getArgument(i).getName() for i in range(function.getNumArguments())]
        if len(names) != len(args):
            raise UnsupportedMathError(f"{function.getId()} takes {len(names)} arguments, {len(args)} are given")
        return self._node(function.getBody(), dict(zip(names, args, strict=True)))

    def _operation(self, math: libsbml.ASTNode, kind: int, args: list[Node]) -> Node:
        graph = self._graph
        if kind in _FOLDED:
            op, neutral = _FOLDED[kind]
            return self._chain(op, [self._number(a) for a in args]) if args else graph.constant(neutral)
        if kind in _LOGIC and args:
            return self._chain(_LOGIC[kind], args)
        if kind == libsbml.AST_LOGICAL_NOT:
            return graph.apply("logical_not", *args)
        if kind == libsbml.AST_FUNCTION_PIECEWISE and len(args) % 2:
            result = self._number(args[-1])
            for value, condition in zip(args[-3::-2], args[-2::-2], strict=True):
                result = graph.apply("where", condition, self._number(value), result)
            return result
        args = [self._number(a) for a in args]
        if kind == libsbml.AST_MINUS:
            return graph.apply("negative", args[0]) if len(args) == 1 else graph.apply("subtract", *args)
        if kind == libsbml.AST_FUNCTION_ROOT and len(args) == 2:
            return graph.apply("power", args[1], graph.apply("divide", graph.constant(1.0), args[0]))
        if kind in (libsbml.AST_FUNCTION_MIN, libsbml.AST_FUNCTION_MAX):
            return self._chain(_PLAIN[kind], args)
        if kind in _PLAIN and (_PLAIN[kind] not in TRUTH_VALUED or len(args) == 2):
            return graph.apply(_PLAIN[kind], *args)
        raise UnsupportedMathError(f"`{libsbml.formulaToL3String(math)}` is not supported")

    def _number(self, node: Node) -> Node:
        """A truth value as 1 or 0: NumPy does not calculate with truth values as with numbers."""
        if node.op not in TRUTH_VALUED:
            return node
        return self._graph.apply("where", node, self._graph.constant(1.0), self._graph.constant(0.0))

    def _chain(self, op: str, args: list[Node]) -> Node:
        result = args[0]
        for arg in args[1:]:
            result = self._graph.apply(op, result, arg)
        return result
