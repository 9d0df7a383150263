"""Call machine code by its address from code that Numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _typed(_context: Any, _address: Any, pointers: Any) -> Any:
    """Type of a call for Numba, and how to write it."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        function = ir.FunctionType(ir.VoidType(), [pointer] * len(pointers))
        values = [builder.extract_value(arguments[1], k) for k in range(len(pointers))]
        target = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(target, [builder.inttoptr(v, pointer) for v in values])
        return context.get_dummy_value()

    return types.void(types.int64, pointers), generate


_made: Any = intrinsic(_typed)
call: Callable[[int, tuple[int, ...]], None] = _made
"""``call(address, (pointer, ...))``: all are whole numbers."""
