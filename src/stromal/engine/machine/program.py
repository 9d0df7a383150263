"""A model's machine code, ready to be driven."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal, final

from stromal.engine.machine.blueprint import draw_blueprint
from stromal.engine.machine.ir import Lanes
from stromal.engine.machine.kernels import Writer
from stromal.engine.machine.layout import Layout
from stromal.engine.machine.library import Library, library, vector_width
from stromal.engine.machine.tableau import RODAS5, RODAS5P, Tableau
from stromal.engine.system import System

Precision = Literal["double", "mixed"]
FUNCTIONS: Final = (
    *("common", "hoist", "start", "rates", "first_step", "step", "accept"),
    *("outputs", "triggers", "event_values"),
)
_NAMES: Final = ("own", "shared", "computed", "changing")


@final
@dataclass(frozen=True)
class Options:
    """How the code of a step is made.

    Attributes
    ----------
    precision : {"double", "mixed"}
        Mixed: states in double, steps in single precision.
    strict : bool
        Products and sums are never fused, so that results are the same bits for any lane width and machine.
    width : int
        Lanes; 0 for what suits the processor.
    """

    precision: Precision = "double"
    strict: bool = False
    width: int = 0

    @property
    def lanes(self) -> Lanes:
        """Kind of the vectors of a step."""
        width = self.width or vector_width() * (2 if self.precision == "mixed" else 1)
        return Lanes(width, "float" if self.precision == "mixed" else "double", contract=not self.strict)

    @property
    def tableau(self) -> Tableau:
        """The method."""
        return RODAS5 if self.precision == "mixed" else RODAS5P


@final
@dataclass(frozen=True, eq=False)
class Program:
    """Functions of a model for one division of its quantities into shared and own.

    Attributes
    ----------
    own, shared, computed, changing : tuple of str
        As of the blueprint.
    searches : bool
        Whether some trigger turns at a time that must be searched.
    """

    library: Library
    layout: Layout
    options: Options
    own: tuple[str, ...]
    shared: tuple[str, ...]
    computed: tuple[str, ...]
    changing: tuple[str, ...]
    searches: bool

    @property
    def narrow(self) -> bool:
        """Whether steps are in single precision."""
        return self.options.lanes.real == "float"

    @property
    def width(self) -> int:
        """Lanes."""
        return self.options.lanes.width


def build_program(
    system: System,
    varying: Collection[str],
    scheduled: Collection[str],
    infused: Collection[str],
    outputs: Sequence[str],
    options: Options,
) -> Program:
    """Machine code of a model, from the disk cache if it was made before; arguments as of `draw_blueprint`."""
    identity = {
        "model": system.fingerprint,
        "varying": sorted(varying),
        "scheduled": sorted(scheduled),
        "infused": sorted(infused),
        "outputs": list(outputs),
        "lanes": asdict(options.lanes),
        "method": options.tableau.name,
    }

    def make() -> tuple[str, dict[str, object]]:
        blueprint = draw_blueprint(system, varying, scheduled, infused, outputs)
        writer = Writer(blueprint, options.tableau, options.lanes)
        names = {name: getattr(blueprint, name) for name in _NAMES}
        return writer.module(), {"layout": asdict(writer.layout), "searches": blueprint.searches, **names}

    made = library(identity, make, FUNCTIONS)
    parts = {name: tuple(made.notes[name]) for name in _NAMES}
    return Program(made, Layout(**made.notes["layout"]), options, **parts, searches=made.notes["searches"])
