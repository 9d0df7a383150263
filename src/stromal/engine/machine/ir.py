"""Write functions over SIMD lanes as LLVM instructions in text form.

A value is the name of a vector with one element per lane (one patient per lane). The instructions are a small part of
the LLVM language reference; vectors wider than the machine's are cut to its size by LLVM.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np

Real = Literal["double", "float"]
ATTRIBUTES: Final = 'nounwind "no-trapping-math"="true"'

_EXP: Final = {
    "double": (
        *(1.0, 1.0, 0.5000000000000019, 0.1666666666666668, 0.04166666666648795, 0.008333333333319589),
        *(0.0013888888952352863, 0.00019841269890076403, 2.4801485441561313e-05, 2.755724088722987e-06),
        *(2.763265472252779e-07, 2.5110049204818658e-08),
    ),
    "float": tuple(1.0 / math.factorial(k) for k in range(8)),
}
"""Polynomial of ``exp(r)`` for ``|r| <= ln(2)/2``; in double precision through Chebyshev nodes, error 4e-18."""
_ARTANH: Final = {
    "double": (
        *(2.0, 0.6666666666666765, 0.39999999999301483, 0.2857142876083493, 0.2222219703607824),
        *(0.18183632803180275, 0.15312498077913925, 0.148100248017037),
    ),
    "float": tuple(2.0 / k for k in range(1, 10, 2)),
}
"""Polynomial of ``2 artanh(z)/z`` in ``z**2``, ``|z| <= 3 - 2 sqrt(2)``; likewise, error 1.2e-18."""

TINY_NEGATIVE: Final = -1e-8
"""A negative base of a power that is not whole, or number under a root, counts as zero down to here: states touch zero
from below by rounding."""


@final
@dataclass(frozen=True)
class Lanes:
    """Kind of the vectors.

    Attributes
    ----------
    width : int
        Patients that are computed together.
    real : {"double", "float"}
    contract : bool
        Whether products and sums may be fused: faster, but the last bits then depend on the machine.
    """

    width: int
    real: Real = "double"
    contract: bool = False

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return 8 if self.real == "double" else 4

    @property
    def vector(self) -> str:
        """LLVM type of a value."""
        return f"<{self.width} x {self.real}>"

    @property
    def integers(self) -> str:
        """LLVM type of the bits of a value."""
        return f"<{self.width} x {'i64' if self.real == 'double' else 'i32'}>"

    @property
    def truths(self) -> str:
        """LLVM type of a condition."""
        return f"<{self.width} x i1>"


@final
class Function:
    """The instructions of one function.

    Parameters
    ----------
    arguments : sequence of str
        Names of its arguments; all are pointers, to vectors unless read with `splat`.
    """

    def __init__(self, name: str, arguments: Sequence[str], lanes: Lanes, *, internal: bool = False) -> None:
        self.lanes = lanes
        self._linkage = "internal " if internal else ""
        self._inline = "noinline " if internal else ""
        self._name, self._arguments = name, arguments
        self._lines: list[str] = []
        self._count = 0
        self.declarations: set[str] = set()
        self._fast = "contract nsz " if lanes.contract else ""

    @property
    def text(self) -> str:
        """The finished function."""
        arguments = ", ".join(f"ptr noalias nocapture %{a}" for a in self._arguments)
        head = f"define {self._linkage}void @{self._name}({arguments}) {self._inline}{ATTRIBUTES} {{"
        return "\n".join([head, *self._lines, "  ret void", "}"])

    def emit(self, instruction: str) -> str:
        """Append an instruction and name its value."""
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"  {name} = {instruction}")
        return name

    def call(self, name: str, arguments: Sequence[str]) -> None:
        """Call another function of the module."""
        self._lines.append(f"  call void @{name}({', '.join(f'ptr {a}' for a in arguments)})")

    # -- memory

    def at(self, base: str, index: int | str) -> str:
        """Pointer to the vector number `index` from `base` on."""
        return self.emit(f"getelementptr inbounds {self.lanes.vector}, ptr {base}, i64 {index}")

    def load(self, base: str, index: int | str) -> str:
        """The vector number `index`."""
        align = self.lanes.size * self.lanes.width
        return self.emit(f"load {self.lanes.vector}, ptr {self.at(base, index)}, align {align}")

    def store(self, value: str, base: str, index: int | str) -> None:
        """Write the vector number `index`."""
        pointer, align = self.at(base, index), self.lanes.size * self.lanes.width
        self._lines.append(f"  store {self.lanes.vector} {value}, ptr {pointer}, align {align}")

    def splat(self, base: str, index: int | str, real: Real | None = None) -> str:
        """The number at `index` of an array of single numbers, the same in all lanes."""
        lanes, kind = self.lanes, real or self.lanes.real
        pointer = self.emit(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")
        number = self.emit(f"load {kind}, ptr {pointer}, align {8 if kind == 'double' else 4}")
        if kind != lanes.real:
            number = self.emit(f"fptrunc {kind} {number} to {lanes.real}")
        first = self.emit(f"insertelement {lanes.vector} poison, {lanes.real} {number}, i32 0")
        zeros = f"<{lanes.width} x i32> zeroinitializer"
        return self.emit(f"shufflevector {lanes.vector} {first}, {lanes.vector} poison, {zeros}")

    def load_double(self, base: str, index: int | str) -> str:
        """A vector of doubles, as a value of this function's kind."""
        value = self.wide_load(base, index)
        return value if self.lanes.real == "double" else self.narrow(value)

    def wide_load(self, base: str, index: int | str) -> str:
        """A vector of doubles."""
        kind = f"<{self.lanes.width} x double>"
        pointer = self.emit(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")
        return self.emit(f"load {kind}, ptr {pointer}, align 32")

    def wide_store(self, value: str, base: str, index: int | str) -> None:
        """Write a vector of doubles."""
        kind = f"<{self.lanes.width} x double>"
        pointer = self.emit(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")
        self._lines.append(f"  store {kind} {value}, ptr {pointer}, align 32")

    def store_as(self, value: str, base: str, index: int, real: Real) -> None:
        """Write the vector number `index` of an array of another precision."""
        if real == self.lanes.real:
            self.store(value, base, index)
            return
        kind = f"<{self.lanes.width} x {real}>"
        pointer = self.emit(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")
        other = self.emit(f"fptrunc {self.lanes.vector} {value} to {kind}")
        self._lines.append(f"  store {kind} {other}, ptr {pointer}, align {4 * self.lanes.width}")

    def narrow(self, value: str) -> str:
        """Doubles rounded to single precision."""
        return self.emit(f"fptrunc <{self.lanes.width} x double> {value} to {self.lanes.vector}")

    def widen(self, value: str) -> str:
        """A value as doubles."""
        if self.lanes.real == "double":
            return value
        return self.emit(f"fpext {self.lanes.vector} {value} to <{self.lanes.width} x double>")

    def loop(self, count: int, body: Callable[[str], None]) -> None:
        """Repeat `body` for the indices 0 to `count` - 1."""

        def without_values(i: str, _carried: list[str]) -> list[str]:
            body(i)
            return []

        self.fold(count, (), without_values)

    def fold(self, count: int, starts: Sequence[str], body: Callable[[str, list[str]], list[str]]) -> list[str]:
        """Repeat `body` for the indices 0 to `count` - 1, handing on values that begin as `starts`."""
        if not count:
            return list(starts)
        self._count += 1
        q = self._count
        self._lines.append(f"  br label %before{q}\nbefore{q}:\n  br label %loop{q}\nloop{q}:")
        self._lines.append(f"  %i{q} = phi i64 [0, %before{q}], [%next{q}, %loop{q}]")
        carried = [f"%c{q}_{k}" for k in range(len(starts))]
        place = len(self._lines)
        values = body(f"%i{q}", carried)
        heads = zip(carried, starts, values, strict=True)
        vector = self.lanes.vector
        self._lines[place:place] = [
            f"  {name} = phi {vector} [{start}, %before{q}], [{value}, %loop{q}]" for name, start, value in heads
        ]
        self._lines.append(f"  %next{q} = add i64 %i{q}, 1\n  %more{q} = icmp ult i64 %next{q}, {count}")
        self._lines.append(f"  br i1 %more{q}, label %loop{q}, label %after{q}\nafter{q}:")
        return values

    # -- arithmetic

    def constant(self, value: float) -> str:
        """A number in all lanes."""
        number = float(np.float32(value)) if self.lanes.real == "float" else float(value)
        bits = struct.unpack("<Q", struct.pack("<d", number))[0]
        return "<" + ", ".join([f"{self.lanes.real} 0x{bits:016X}"] * self.lanes.width) + ">"

    def add(self, a: str, b: str) -> str:
        """Sum."""
        return self._binary("fadd", a, b)

    def add_apart(self, a: str, b: str) -> str:
        """Sum that is fused with nothing, so that adding zero changes no bit of `a`."""
        return self.emit(f"fadd {self.lanes.vector} {a}, {b}")

    def subtract(self, a: str, b: str) -> str:
        """Difference."""
        return self._binary("fsub", a, b)

    def multiply(self, a: str, b: str) -> str:
        """Product."""
        return self._binary("fmul", a, b)

    def divide(self, a: str, b: str) -> str:
        """Quotient."""
        return self._binary("fdiv", a, b)

    def reciprocal(self, a: str) -> str:
        """``1/a``, correctly rounded."""
        return self.divide(self.constant(1.0), a)

    def negative(self, a: str) -> str:
        """``-a``."""
        return self.emit(f"fneg {self.lanes.vector} {a}")

    def compare(self, predicate: str, a: str, b: str) -> str:
        """Condition; ordered predicates are false for NaN."""
        return self.emit(f"fcmp {predicate} {self.lanes.vector} {a}, {b}")

    def select(self, condition: str, a: str, b: str) -> str:
        """`a` where the condition holds, else `b`."""
        vector = self.lanes.vector
        return self.emit(f"select {self.lanes.truths} {condition}, {vector} {a}, {vector} {b}")

    def smaller(self, a: str, b: str) -> str:
        """The smaller; `b` where `a` is NaN."""
        return self.select(self.compare("olt", a, b), a, b)

    def larger(self, a: str, b: str) -> str:
        """The larger; `b` where `a` is NaN."""
        return self.select(self.compare("ogt", a, b), a, b)

    def intrinsic(self, name: str, a: str) -> str:
        """A function that the processor has: fabs, sqrt, floor, ceil."""
        lanes = self.lanes
        full = f"@llvm.{name}.v{lanes.width}f{8 * lanes.size}"
        self.declarations.add(f"declare {lanes.vector} {full}({lanes.vector})")
        return self.emit(f"call {lanes.vector} {full}({lanes.vector} {a})")

    def library(self, name: str, a: str) -> str:
        """A function of the C library, lane by lane, in double precision."""
        lanes = self.lanes
        self.declarations.add(f"declare double @{name}(double)")
        result = "poison"
        for lane in range(lanes.width):
            x = self.emit(f"extractelement {lanes.vector} {a}, i32 {lane}")
            x = x if lanes.real == "double" else self.emit(f"fpext float {x} to double")
            y = self.emit(f"call double @{name}(double {x})")
            y = y if lanes.real == "double" else self.emit(f"fptrunc double {y} to float")
            result = self.emit(f"insertelement {lanes.vector} {result}, {lanes.real} {y}, i32 {lane}")
        return result

    def _binary(self, operation: str, a: str, b: str) -> str:
        return self.emit(f"{operation} {self._fast}{self.lanes.vector} {a}, {b}")

    # -- elementary functions, the same bits on every machine unless contracted

    def exp(self, x: str) -> str:
        """Exponential: range reduction by ln 2 in two parts, then a polynomial.

        Below the normal numbers 0, and infinite from 709.44 on (88.38 in single precision): the clamped ends have the
        exponents of zero and of infinity.
        """
        double = self.lanes.real == "double"
        low, high = (-709.09, 709.79) if double else (-88.03, 88.73)
        inside = self.smaller(self.constant(high), self.larger(self.constant(low), x))  # in this order, NaN stays
        magic = self.constant(1.5 * 2.0 ** (52 if double else 23))  # adding it rounds to a whole number
        shifted = self.add(self.multiply(inside, self.constant(math.log2(math.e))), magic)
        whole = self.emit(f"fsub {self.lanes.vector} {shifted}, {magic}")
        parts = (0.693147180369123816490, 1.90821492927058770002e-10) if double else (0.693359375, -2.12194440e-4)
        r = inside
        for part in parts:
            r = self.subtract(r, self.multiply(whole, self.constant(part)))
        p = self._polynomial(_EXP[self.lanes.real], r)
        bias, shift = (1023, 52) if double else (127, 23)
        exponent = self._integer("shl", self._integer("add", self._bits(shifted), bias), shift)
        return self.multiply(p, self._real(exponent))

    def log(self, x: str) -> str:
        """Natural logarithm. Below the normal numbers: as the smallest."""
        zero, infinite = self.constant(0.0), self.constant(math.inf)
        value = self.select(self.compare("oeq", x, infinite), infinite, self.log_size(x))
        value = self.select(self.compare("oeq", x, zero), self.constant(-math.inf), value)
        return self.select(self.compare("olt", x, zero), self.constant(math.nan), value)

    def log_size(self, x: str) -> str:
        """Logarithm of ``|x|``; that of zero and of infinity is finite: of the smallest normal number, and huge."""
        double = self.lanes.real == "double"
        huge = self.constant(float(np.finfo(np.float64 if double else np.float32).max))
        size, smallest = self.intrinsic("fabs", x), 2.0 ** (-1022 if double else -126)
        bits = self._bits(self.larger(size, self.constant(smallest)))
        # exponent apart, then log((1+z)/(1-z)) = 2 artanh(z)
        root_half, shift, bias = (0x3FE6A09E667F3BCD, 52, 1024) if double else (0x3F3504F3, 23, 128)
        exponent = self._integer("lshr", self._integer("add", bits, (bias << shift) - root_half), shift)
        moved = self._integer("shl", self._integer("sub", exponent, bias), shift)
        mantissa = self._real(self.emit(f"sub {self.lanes.integers} {bits}, {moved}"))
        magic = 1.5 * 2.0 ** (52 if double else 23)
        magic_bits = struct.unpack("<Q" if double else "<I", struct.pack("<d" if double else "<f", magic))[0]
        whole = self._real(self._integer("add", exponent, magic_bits))
        whole = self.emit(f"fsub {self.lanes.vector} {whole}, {self.constant(magic + bias)}")
        one = self.constant(1.0)
        z = self.divide(self.subtract(mantissa, one), self.add(mantissa, one))
        square = self.multiply(z, z)
        p = self._polynomial(_ARTANH[self.lanes.real], square)
        value = self.add(self.multiply(z, p), self.multiply(whole, self.constant(math.log(2.0))))
        return self.select(self.compare("olt", size, self.constant(math.inf)), value, self.smaller(huge, size))

    def power(self, base: str, exponent: str, log_size: str, sign: str, at_zero: str, root_below: str) -> str:
        """``base ** exponent``.

        Parameters
        ----------
        log_size : str
            That of the base.
        sign, at_zero, root_below : str
            What depends on the exponent alone, of the functions below.
        """
        value = self.exp(self.multiply(exponent, log_size))
        is_zero = self.compare("oge", base, root_below)
        below = self.select(is_zero, at_zero, self.multiply(sign, value))
        return self.select(self.compare("ole", base, self.constant(0.0)), below, value)

    def sign_of_power(self, exponent: str) -> str:
        """Sign of the power of a negative number: 1 for even exponents, -1 for odd ones, else NaN."""
        one, half = self.constant(1.0), self.multiply(exponent, self.constant(0.5))
        even = self.compare("oeq", self.intrinsic("floor", half), half)
        whole = self.compare("oeq", self.intrinsic("floor", exponent), exponent)
        return self.select(even, one, self.select(whole, self.constant(-1.0), self.constant(math.nan)))

    def power_of_zero(self, exponent: str) -> str:
        """``0 ** exponent``."""
        zero = self.constant(0.0)
        value = self.select(self.compare("olt", exponent, zero), self.constant(math.inf), self.constant(1.0))
        return self.select(self.compare("ogt", exponent, zero), zero, value)

    def root_below(self, exponent: str) -> str:
        """From where on a base below zero counts as zero: see `TINY_NEGATIVE`."""
        whole = self.compare("oeq", self.intrinsic("floor", exponent), exponent)
        return self.select(whole, self.constant(0.0), self.constant(TINY_NEGATIVE))

    def _polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """Polynomial with ascending coefficients, by Horner's rule."""
        value = self.constant(coefficients[-1])
        for c in coefficients[-2::-1]:
            value = self.add(self.multiply(value, x), self.constant(c))
        return value

    def _bits(self, x: str) -> str:
        return self.emit(f"bitcast {self.lanes.vector} {x} to {self.lanes.integers}")

    def _real(self, x: str) -> str:
        return self.emit(f"bitcast {self.lanes.integers} {x} to {self.lanes.vector}")

    def _integer(self, operation: str, a: str, b: int) -> str:
        kind = self.lanes.integers.split()[-1].rstrip(">")
        splat = "<" + ", ".join([f"{kind} {b}"] * self.lanes.width) + ">"
        return self.emit(f"{operation} {self.lanes.integers} {a}, {splat}")
