"""What a design may name: products, measures, subsets and events, as data.

A product's entry says how it is written in a regimen; what it does to the disease is the biology's
matter. The standard doses are the reference regimens of the model's therapy actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

ProductKind = Literal["drug_daily", "drug_infusion", "transplant", "exchange", "pulse", "cells", "vesicles"]
Route = Literal["iv", "local"]
Benefit = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Product:
    """One product a regimen may name.

    Attributes
    ----------
    name : str
        As written in a design.
    kind : ProductKind
        Decides which keys a course of it takes.
    routes : tuple of {"iv", "local"}
        Routes offered; empty where the route is not a choice.
    dose_unit : str
        Unit of the dose that is written.
    standard : str
        The standard regimen, to which `share_of_standard_dose` refers.
    description : str
        What it is.
    """

    name: str
    kind: ProductKind
    routes: tuple[Route, ...]
    dose_unit: str
    standard: str
    description: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One quantity a trial records.

    Attributes
    ----------
    name : str
        As written in a design.
    unit : str
        Its unit.
    benefit : {"lower", "higher"} or None
        The direction that is good for the patient; None for a quantity that is no end point.
    description : str
        What it is.
    """

    name: str
    unit: str
    benefit: Benefit | None
    description: str


_SHARE = "share of the standard dose"
_CELLS = "viable cells per kg body weight"
_CELLS_STANDARD = "1e6 cells/kg per infusion"

_PRODUCTS = (
    Product("mycophenolate", "drug_daily", (), _SHARE, "2 g/day by mouth", "mycophenolate mofetil"),
    Product("cyclophosphamide", "drug_daily", (), _SHARE, "2 mg/kg/day by mouth", "continuous cyclophosphamide"),
    Product("methotrexate", "drug_daily", (), _SHARE, "25 mg/week", "methotrexate, as a steady exposure"),
    Product("nintedanib", "drug_daily", (), _SHARE, "150 mg twice daily by mouth", "tyrosine-kinase inhibitor"),
    Product(
        "tocilizumab",
        "drug_daily",
        (),
        _SHARE,
        "162 mg/week under the skin",
        "anti-IL-6 receptor, steady exposure",
    ),
    Product("prednisone", "drug_daily", (), _SHARE, "10 mg/day by mouth", "low-dose glucocorticoid"),
    Product(
        "rituximab",
        "drug_infusion",
        (),
        _SHARE,
        "375 mg/m2 per infusion, four weekly infusions",
        "anti-CD20 antibody",
    ),
    Product(
        "ahsct",
        "transplant",
        (),
        "one procedure",
        "one conditioning and reinfusion",
        "autologous haematopoietic stem-cell transplantation",
    ),
    Product("plasma_exchange", "exchange", (), "one session", "3 sessions in 5 days", "plasma exchange"),
    Product(
        "cyclophosphamide_pulse",
        "pulse",
        (),
        "one pulse",
        "3 pulses before the cells (Zhang 2017)",
        "intravenous cyclophosphamide pulse",
    ),
    Product(
        "bone_marrow_msc",
        "cells",
        ("iv", "local"),
        _CELLS,
        _CELLS_STANDARD,
        "allogeneic MSC from bone marrow",
    ),
    Product(
        "umbilical_cord_msc",
        "cells",
        ("iv", "local"),
        _CELLS,
        _CELLS_STANDARD,
        "allogeneic MSC from umbilical cord",
    ),
    Product("adipose_msc", "cells", ("iv", "local"), _CELLS, _CELLS_STANDARD, "allogeneic MSC from adipose tissue"),
    Product(
        "autologous_bone_marrow_msc",
        "cells",
        ("iv", "local"),
        _CELLS,
        _CELLS_STANDARD,
        "MSC from the patient's own bone marrow",
    ),
    Product(
        "autologous_adipose_msc",
        "cells",
        ("iv", "local"),
        _CELLS,
        _CELLS_STANDARD,
        "MSC from the patient's own adipose tissue",
    ),
    Product(
        "msc_vesicles",
        "vesicles",
        (),
        "cell equivalents per kg body weight",
        "1e6 cell equivalents/kg, six doses two weeks apart",
        "extracellular vesicles or secretome of MSC",
    ),
)

_MEASURES = (
    Measure("mrss", "points, 0 to 51", "lower", "modified Rodnan skin score"),
    Measure("fvc_pct", "% of predicted", "higher", "forced vital capacity"),
    Measure("fvc_ml", "mL", "higher", "forced vital capacity"),
    Measure("dlco_pct", "% of predicted", "higher", "lung diffusing capacity for carbon monoxide"),
    Measure("crp_mg_l", "mg/L", "lower", "C-reactive protein"),
    Measure("ct_extent_pct", "% of lung volume", "lower", "extent of interstitial lung disease on CT"),
    Measure("disease_duration_months", "months", None, "time since the first non-Raynaud symptom"),
    Measure("age_years", "years", None, "age"),
    Measure("weight_kg", "kg", None, "body weight"),
)

PRODUCTS: Mapping[str, Product] = MappingProxyType({product.name: product for product in _PRODUCTS})
MEASURES: Mapping[str, Measure] = MappingProxyType({measure.name: measure for measure in _MEASURES})
END_POINT_MEASURES: tuple[str, ...] = tuple(m.name for m in _MEASURES if m.benefit is not None)
SUBSETS: tuple[str, ...] = ("diffuse", "limited")
ANTIBODIES: tuple[str, ...] = ("ATA", "ACA", "RNAP3", "other")
DAYS_PER_MONTH = 365.25 / 12
