"""What the model is made of, and what each therapy does: a new drug is one line here and one `.ant` file.

A therapy has equations (``therapies/NAME.ant``) or, where it is over in a moment (a transplantation, a plasma
exchange), none at all: then its actions are the whole of it. An action's amount is a formula of parameters
and of the course's own numbers: `share` (of the standard dose) and `dose` (reference doses of 1e6 cells/kg).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, final

FOLDER: Final = Path(__file__).parent

MECHANISMS: Final = (
    "vocabulary",
    "units_and_compartments",
    "endothelium_and_vessel",
    "dendritic_cells",
    "memory",
    "t_cells",
    "b_cells_and_antibody",
    "tolerance",
    "regulatory_phagocytes",
    "mediators",
    "macrophages",
    "skin_fibrosis",
    "alveolar_epithelium",
    "lung_fibrosis",
    "readouts",
    "hazards",
)
"""Files of ``mechanisms/`` in the order in which a reader should meet them."""

COURSE_NUMBERS: Final = frozenset({"share", "dose"})


@final
@dataclass(frozen=True, slots=True)
class Change:
    """One row of a schedule.

    Attributes
    ----------
    kind : {"bolus", "scale", "set"}
        Add the amount to a state, multiply a state by it, or give it to a parameter.
    target : str
        State or parameter.
    amount : str
        A formula.
    """

    kind: Literal["bolus", "scale", "set"]
    target: str
    amount: str


@final
@dataclass(frozen=True, slots=True)
class Action:
    """What giving a product does.

    Attributes
    ----------
    changes : tuple of Change
        In order, each time the product is given.
    local : tuple of Change
        The same by local injection; empty where there is no such route.
    while_taken : str
        Input that holds the share of the standard dose while a daily drug is taken; empty for other products.
    """

    changes: tuple[Change, ...] = ()
    local: tuple[Change, ...] = ()
    while_taken: str = ""


@final
@dataclass(frozen=True, slots=True)
class Therapy:
    """One therapy of the model.

    Attributes
    ----------
    name : str
        Stem of its file in ``therapies/``.
    equations : bool
        It has such a file.
    products : mapping from str to Action
        What a design may name, and what each does.
    known_answer : str
        The arm of ``prototype_tables.csv`` that tests it.
    source : str
        Where the actions are from, if there are no equations to say so.
    """

    name: str
    products: Mapping[str, Action]
    known_answer: str
    equations: bool = True
    source: str = ""


def _daily(name: str, target: str, arm: str) -> Therapy:
    return Therapy(name, {name: Action(while_taken=target)}, arm)


def _cells(source: str) -> Action:
    lot = (Change("set", "pot", f"pot * pot{source}"), Change("set", "mm", f"mm{source}"))
    return Action(
        changes=(
            *lot,
            Change("bolus", "Ml", "fL * dose"),
            Change("bolus", "Ms", "fS * dose"),
            Change("bolus", "Apo", "(1 - fL - fS) * dose"),
        ),
        local=(*lot, Change("bolus", "Ms", "dose")),
    )


_TRANSPLANT: Final = Action(
    (
        Change("scale", "N", "aN"),
        *(Change("scale", cell, "aT") for cell in ("Th1", "Th2", "Th17")),
        Change("scale", "Treg", "aTr"),
        Change("scale", "B", "aB"),
        Change("scale", "PC", "aPC"),
        Change("scale", "DC", "aDC"),
        *(Change("scale", cell, "aM") for cell in ("M1s", "M1l")),
        Change("bolus", "Tol", "aTol"),
    )
)

_PULSE: Final = Action(
    (
        *(Change("scale", cell, "pT") for cell in ("Th1", "Th2", "Th17")),
        Change("scale", "Treg", "pTr"),
        Change("scale", "B", "pB"),
    )
)

THERAPIES: Final = (
    _daily("mycophenolate", "uMMF", "MMF"),
    _daily("cyclophosphamide", "uCYC", "CYC"),
    _daily("methotrexate", "uMTX", "MTX"),
    _daily("nintedanib", "uNIN", "NIN"),
    _daily("tocilizumab", "uTCZ", "TCZ"),
    _daily("prednisone", "uPRD", "PRED"),
    Therapy("rituximab", {"rituximab": Action((Change("bolus", "dRTX", "share"),))}, "RTX"),
    Therapy(
        "ahsct",
        {"ahsct": _TRANSPLANT},
        "AHSCT",
        equations=False,
        source="deletion and regulatory rebound: Arruda 2018, doi:10.1182/bloodadvances.2017011072",
    ),
    Therapy(
        "plasma_exchange",
        {"plasma_exchange": Action((Change("scale", "Ab", "aPE"),))},
        "PE",
        equations=False,
        source="one session removes the intravascular share of IgG (assumed)",
    ),
    Therapy(
        "cyclophosphamide_pulse",
        {"cyclophosphamide_pulse": _PULSE},
        "PE+CYC+UC",
        equations=False,
        source="regimen of Zhang 2017, doi:10.1186/s13075-017-1373-2; surviving fractions assumed",
    ),
    Therapy(
        "msc",
        {
            "bone_marrow_msc": _cells("BM"),
            "umbilical_cord_msc": _cells("UC"),
            "adipose_msc": _cells("AT"),
            "autologous_bone_marrow_msc": _cells("Auto"),
            "autologous_adipose_msc": _cells("Auto"),
        },
        "MSC-UC",
    ),
    Therapy("vesicles", {"msc_vesicles": Action((Change("bolus", "EV", "dose"),))}, "EVx6"),
)

ALL: Final = tuple(therapy.name for therapy in THERAPIES if therapy.equations)
"""Names of the therapies that have equations."""

PRODUCTS: Final[Mapping[str, Action]] = MappingProxyType(
    {product: action for therapy in THERAPIES for product, action in therapy.products.items()}
)
"""Action of every product that a design may name."""
