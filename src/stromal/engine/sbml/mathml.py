"""MathML of an SBML model, read into the expression graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, final

import libsbml

from stromal.compute.findings import Finding
from stromal.engine.graph import TRUTH_VALUED, Graph, Node

RATE_OF: Final = "rate of "
"""Beginning of the symbol that stands for the rate of change of a quantity until it is resolved."""

_FOLDED: Final = {libsbml.AST_PLUS: ("add", 0.0), libsbml.AST_TIMES: ("multiply", 1.0)}
_LOGIC: Final = {
    libsbml.AST_LOGICAL_AND: ("logical_and", 1.0),
    libsbml.AST_LOGICAL_OR: ("logical_or", 0.0),
    libsbml.AST_LOGICAL_XOR: ("logical_xor", 0.0),
}
_RELATIONS: Final = {
    libsbml.AST_RELATIONAL_LT: "less",
    libsbml.AST_RELATIONAL_LEQ: "less_equal",
    libsbml.AST_RELATIONAL_GT: "greater",
    libsbml.AST_RELATIONAL_GEQ: "greater_equal",
    libsbml.AST_RELATIONAL_EQ: "equal",
    libsbml.AST_RELATIONAL_NEQ: "not_equal",
}
_PLAIN: Final = {
    libsbml.AST_DIVIDE: ("divide", 2),
    libsbml.AST_POWER: ("power", 2),
    libsbml.AST_FUNCTION_POWER: ("power", 2),
    libsbml.AST_FUNCTION_EXP: ("exp", 1),
    libsbml.AST_FUNCTION_LN: ("log", 1),
    libsbml.AST_FUNCTION_ABS: ("absolute", 1),
    libsbml.AST_FUNCTION_FLOOR: ("floor", 1),
    libsbml.AST_FUNCTION_CEILING: ("ceil", 1),
    libsbml.AST_FUNCTION_SIN: ("sin", 1),
    libsbml.AST_FUNCTION_COS: ("cos", 1),
    libsbml.AST_FUNCTION_TAN: ("tan", 1),
    libsbml.AST_FUNCTION_ARCSIN: ("arcsin", 1),
    libsbml.AST_FUNCTION_ARCCOS: ("arccos", 1),
    libsbml.AST_FUNCTION_ARCTAN: ("arctan", 1),
    libsbml.AST_FUNCTION_SINH: ("sinh", 1),
    libsbml.AST_FUNCTION_COSH: ("cosh", 1),
    libsbml.AST_FUNCTION_TANH: ("tanh", 1),
    libsbml.AST_FUNCTION_ARCSINH: ("arcsinh", 1),
    libsbml.AST_FUNCTION_ARCCOSH: ("arccosh", 1),
    libsbml.AST_FUNCTION_ARCTANH: ("arctanh", 1),
}
_RECIPROCAL: Final = {
    libsbml.AST_FUNCTION_SEC: "cos",
    libsbml.AST_FUNCTION_CSC: "sin",
    libsbml.AST_FUNCTION_COT: "tan",
    libsbml.AST_FUNCTION_SECH: "cosh",
    libsbml.AST_FUNCTION_CSCH: "sinh",
    libsbml.AST_FUNCTION_COTH: "tanh",
}
_OF_RECIPROCAL: Final = {
    libsbml.AST_FUNCTION_ARCSEC: "arccos",
    libsbml.AST_FUNCTION_ARCCSC: "arcsin",
    libsbml.AST_FUNCTION_ARCCOT: "arctan",
    libsbml.AST_FUNCTION_ARCSECH: "arccosh",
    libsbml.AST_FUNCTION_ARCCSCH: "arcsinh",
    libsbml.AST_FUNCTION_ARCCOTH: "arctanh",
}
_OF_TWO: Final = (
    libsbml.AST_FUNCTION_ROOT,
    libsbml.AST_FUNCTION_LOG,
    libsbml.AST_FUNCTION_QUOTIENT,
    libsbml.AST_FUNCTION_REM,
)
_CHOSEN: Final = {libsbml.AST_FUNCTION_MIN: "minimum", libsbml.AST_FUNCTION_MAX: "maximum"}
_CONSTANTS: Final = {
    libsbml.AST_CONSTANT_E: math.e,
    libsbml.AST_CONSTANT_PI: math.pi,
    libsbml.AST_CONSTANT_TRUE: 1.0,
    libsbml.AST_CONSTANT_FALSE: 0.0,
    libsbml.AST_NAME_AVOGADRO: 6.02214179e23,  # the value that SBML level 3 fixes (CODATA 2006), not the newest one
}

_Call = tuple[str, tuple[Node, ...]]
"""A call of a function definition: its name and its arguments."""


@final
class _UnsupportedError(Exception):
    """A formula uses a construct that the engine does not evaluate; the two arguments are message and remedy."""


@final
@dataclass
class _Frame:
    """A piece of a formula that is being read, with the operands that are known already."""

    math: libsbml.ASTNode
    bound: Mapping[str, Node]
    call: _Call | None = None
    args: list[Node] = field(default_factory=list)


@final
class Reader:
    """Reads formulas of one model; calls of its function definitions are expanded in place.

    A formula that cannot be read is a finding in `faults`, and stands as NaN. Nothing here calls itself, so depth is
    not limited by Python's stack.
    """

    def __init__(self, graph: Graph, model: libsbml.Model, name: str) -> None:
        self.faults: list[Finding] = []
        self._graph = graph
        self._name = name
        self._functions = {
            f.getId(): f for f in (model.getFunctionDefinition(i) for i in range(model.getNumFunctionDefinitions()))
        }
        self._calls: dict[_Call, Node] = {}

    def number(self, formula: libsbml.ASTNode, place: str, own: Mapping[str, Node] | None = None) -> Node:
        """Node of a formula; names in `own` (local parameters) hide those of the model."""
        return self._number(self._read(formula, place, own or {}))

    def truth(self, formula: libsbml.ASTNode, place: str) -> Node:
        """Node of a condition."""
        return self._truth(self._read(formula, place, {}))

    def fault(self, place: str, message: str, remedy: str) -> None:
        """Add a finding."""
        self.faults.append(Finding("error", f"{self._name}: {place}", message, remedy))

    def _read(self, formula: libsbml.ASTNode, place: str, own: Mapping[str, Node]) -> Node:
        try:
            return self._node(formula, own)
        except _UnsupportedError as error:
            self.fault(place, *error.args)
            return self._graph.constant(math.nan)

    def _node(self, formula: libsbml.ASTNode, own: Mapping[str, Node]) -> Node:
        stack = [_Frame(formula, own)]
        while True:
            frame = stack[-1]
            if len(frame.args) < frame.math.getNumChildren():
                stack.append(_Frame(frame.math.getChild(len(frame.args)), frame.bound))
                continue
            if frame.math.getType() == libsbml.AST_FUNCTION:
                call = (frame.math.getName(), tuple(frame.args))
                if call not in self._calls:
                    stack.append(self._body(call))
                    continue
                value = self._calls[call]
            else:
                value = self._value(frame.math, frame.bound, frame.args)
            stack.pop()
            if frame.call is not None:
                self._calls[frame.call] = value  # the call below it on the stack asks again, and finds it
            elif stack:
                stack[-1].args.append(value)
            else:
                return value

    def _body(self, call: _Call) -> _Frame:
        name, args = call
        function = self._functions.get(name)
        if function is None:
            raise _UnsupportedError(f"the function {name} is not defined", "a function of the model or of MathML")
        if function.getBody() is None:
            raise _UnsupportedError(f"the function {name} has no formula", "give it one")
        names = [function.getArgument(i).getName() for i in range(function.getNumArguments())]
        if len(names) != len(args):
            message = f"{name} takes {len(names)} arguments, {len(args)} are given"
            raise _UnsupportedError(message, "as many arguments as its definition has")
        return _Frame(function.getBody(), dict(zip(names, args, strict=True)), call)

    def _value(self, formula: libsbml.ASTNode, bound: Mapping[str, Node], args: list[Node]) -> Node:
        kind = formula.getType()
        if formula.isNumber():
            return self._graph.constant(formula.getValue())
        if kind == libsbml.AST_NAME:
            return bound.get(formula.getName()) or self._graph.symbol(formula.getName())
        if kind == libsbml.AST_NAME_TIME:
            return self._graph.symbol("time")
        if kind in _CONSTANTS:
            return self._graph.constant(_CONSTANTS[kind])
        if kind == libsbml.AST_FUNCTION_RATE_OF and len(args) == 1 and args[0].op == "symbol":
            return self._graph.symbol(RATE_OF + args[0].name)
        if kind == libsbml.AST_FUNCTION_DELAY:
            message = f"`{libsbml.formulaToL3String(formula)}` uses a value of the past (delay)"
            raise _UnsupportedError(message, "a chain of compartments or another approximation without delay")
        result = self._conditional(kind, args) or self._arithmetic(kind, [self._number(a) for a in args])
        if result is None:
            message = f"`{libsbml.formulaToL3String(formula)}` is not supported"
            raise _UnsupportedError(message, "write it with the functions of SBML's core")
        return result

    def _conditional(self, kind: int, args: list[Node]) -> Node | None:
        graph = self._graph
        if kind in _LOGIC:
            op, neutral = _LOGIC[kind]
            return self._chain(op, [self._truth(a) for a in args]) if args else graph.constant(neutral)
        if kind == libsbml.AST_LOGICAL_NOT and len(args) == 1:
            return graph.apply("logical_not", self._truth(args[0]))
        if kind == libsbml.AST_LOGICAL_IMPLIES and len(args) == 2:
            return graph.apply("logical_or", graph.apply("logical_not", self._truth(args[0])), self._truth(args[1]))
        if kind in _RELATIONS and (kind != libsbml.AST_RELATIONAL_NEQ or len(args) == 2):
            numbers = [self._number(a) for a in args]
            pairs = [graph.apply(_RELATIONS[kind], *pair) for pair in pairwise(numbers)]
            return self._chain("logical_and", pairs) if pairs else graph.constant(1.0)
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            undefined = graph.constant(math.nan)  # SBML gives no value where no piece holds
            result = self._number(args[-1]) if len(args) % 2 else undefined
            pieces = args[: len(args) // 2 * 2]
            for value, condition in zip(pieces[-2::-2], pieces[::-2], strict=True):
                result = graph.apply("where", self._truth(condition), self._number(value), result)
            return result
        return None

    def _arithmetic(self, kind: int, args: list[Node]) -> Node | None:
        graph = self._graph
        if kind in _FOLDED:
            op, neutral = _FOLDED[kind]
            return self._chain(op, args) if args else graph.constant(neutral)
        if kind in _CHOSEN and args:
            return self._chain(_CHOSEN[kind], args)
        if kind in _PLAIN and len(args) == _PLAIN[kind][1]:
            return graph.apply(_PLAIN[kind][0], *args)
        if kind == libsbml.AST_MINUS and len(args) in (1, 2):
            return graph.apply("negative", args[0]) if len(args) == 1 else graph.apply("subtract", *args)
        if kind in _OF_TWO and len(args) in (1, 2):
            return self._of_two(kind, args)
        return self._of_one(kind, args[0]) if len(args) == 1 else None

    def _of_one(self, kind: int, arg: Node) -> Node | None:
        """Functions that come from others and 1."""
        graph = self._graph
        one = graph.constant(1.0)
        if kind in _RECIPROCAL:
            return graph.apply("divide", one, graph.apply(_RECIPROCAL[kind], arg))
        if kind in _OF_RECIPROCAL:
            return graph.apply(_OF_RECIPROCAL[kind], graph.apply("divide", one, arg))
        if kind == libsbml.AST_FUNCTION_FACTORIAL:
            return graph.apply("gamma", graph.apply("add", arg, one))
        return None

    def _of_two(self, kind: int, args: list[Node]) -> Node | None:
        """Functions with a degree or base before the argument, and division of whole numbers."""
        graph = self._graph
        if kind == libsbml.AST_FUNCTION_ROOT:
            if len(args) == 1 or (args[0].op == "constant" and args[0].value == 2.0):
                return graph.apply("sqrt", args[-1])
            return graph.apply("power", args[1], graph.apply("divide", graph.constant(1.0), args[0]))
        if kind == libsbml.AST_FUNCTION_LOG:
            base = args[0] if len(args) == 2 else graph.constant(10.0)
            return graph.apply("divide", graph.apply("log", args[-1]), graph.apply("log", base))
        if len(args) == 1:
            return None
        ratio = graph.apply("divide", *args)
        below = graph.apply("less", ratio, graph.constant(0.0))
        whole = graph.apply("where", below, graph.apply("ceil", ratio), graph.apply("floor", ratio))
        if kind == libsbml.AST_FUNCTION_QUOTIENT:
            return whole
        return graph.apply("subtract", args[0], graph.apply("multiply", args[1], whole))

    def _number(self, node: Node) -> Node:
        """A truth value as 1 or 0: NumPy does not calculate with truth values as with numbers."""
        if node.op not in TRUTH_VALUED:
            return node
        return self._graph.apply("where", node, self._graph.constant(1.0), self._graph.constant(0.0))

    def _truth(self, node: Node) -> Node:
        """A number as a truth value: everything but 0 is true."""
        if node.op in TRUTH_VALUED:
            return node
        return self._graph.apply("not_equal", node, self._graph.constant(0.0))

    def _chain(self, op: str, args: list[Node]) -> Node:
        result = args[0]
        for arg in args[1:]:
            result = self._graph.apply(op, result, arg)
        return result
