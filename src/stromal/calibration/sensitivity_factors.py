"""What is moved to see what a trial of cells depends on, and what would have to be measured to narrow each.

The factors are the numbers that calibration learns, the MSC effect, and the parameters of what cells do that no data
fix: those of `msc.ant` and of its ports that are assumed or calibrated within a range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from stromal.biology import parameter_table
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import MSC_EFFECT
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
Kind = Literal["disease", "cells", "effect"]
CENTRAL: Final = 0.9
"""Share of the prior of a hyperparameter that its range holds."""
MSC_RANGE: Final = (0.1, 1.5)
MECHANISMS: Final = ("equation: msc", "equation: regulatory_phagocytes", "equation: tolerance", "action: msc")
"""Who uses a parameter of what cells do."""
SET_OTHERWISE: Final = frozenset({"eff", "pot", "mm"})
"""Set for each patient and infusion: from `msc_effect`, and from `potUC` and `mmUC`."""
OTHER_SOURCES: Final = frozenset({"potBM", "potAT", "potAuto", "mmBM", "mmAT", "mmAuto"})

_PLACEBO = "individual patient data of placebo arms with visits every three months"
_PHAGOCYTES = "counts of regulatory monocytes in blood before infusion and 1, 4, 12 and 24 weeks after it"
_TOLERANCE = "regulatory T cells and autoantigen-specific T-cell responses, serially for a year after the infusion"
_LICENSING = "interferon gamma and TNF at infusion, with licensing of the lot tested in the patient's own serum"
_SENSITISED = "donor-specific antibodies before and after each infusion, with donor DNA in plasma"
_FATE = "donor DNA in plasma in the hours and days after infusion"
_CELLS_HELD_DOWN = (
    "dendritic cells, monocytes and skin macrophages (blood and biopsy) before and 4 to 12 weeks after infusion"
)
_LUNG = "individual patient data of placebo arms with FVC every three months"
MEASUREMENTS: Final[Mapping[str, str]] = {
    MSC_EFFECT: "a blinded, placebo-controlled randomised trial with the skin score at 52 weeks",
    **dict.fromkeys(("kMr", "Mmax", "aE"), _PHAGOCYTES),
    "aS": f"{_PHAGOCYTES}, of cells against their vesicles or killed cells",
    **dict.fromkeys(("kTol", "aTolM", "KTol", "iTol"), _TOLERANCE),
    "bTol": "naive and memory B cells and autoantibody titres, serially for a year after the infusion",
    **dict.fromkeys(("KLic", "lic0", "licE"), _LICENSING),
    **dict.fromkeys(("kallo", "ksal", "kSal", "KSal"), _SENSITISED),
    "kApo": f"{_FATE}, with uptake by monocytes",
    **dict.fromkeys(("kMs", "wloc"), "imaging of labelled cells for two weeks after a local injection"),
    **dict.fromkeys(("gDC", "gM1"), _CELLS_HELD_DOWN),
    **dict.fromkeys(("gTreg", "g10"), "regulatory T cells and interleukin 10 before and 1 to 12 weeks after infusion"),
    "hM": "hepatocyte growth factor in plasma in the days after infusion",
    "potUC": "a potency assay of every lot beside marrow cells, and outcomes by lot",
    "mmUC": "HLA typing of lots and recipients, and outcomes by mismatch",
    "skin_turnover": f"{_PLACEBO}, and repeated skin biopsies",
    "skin_exhaustion": f"{_PLACEBO}, followed for three years or more",
    "skin_oedema": f"{_PLACEBO}, with ultrasound of skin oedema",
    "skin_activity": _PLACEBO,
    **dict.fromkeys(("lung_sensitivity", "lung_activity"), _LUNG),
    "immunosuppression": "individual patient data of the randomised trials of mycophenolate and methotrexate",
    "antifibrotic": "individual patient data of randomised trials of mycophenolate and cyclophosphamide, skin and FVC",
    "interleukin_6": "individual patient data of the randomised trials of tocilizumab",
    "b_cells": "individual patient data of the randomised trials of rituximab",
    "growth_factors": "individual patient data of the randomised trials of nintedanib",
    "hazard": "dates of death in a registry of early diffuse disease",
}
"""What would have to be measured to narrow each factor."""


@final
@dataclass(frozen=True)
class Factor:
    """One number that is moved.

    Attributes
    ----------
    name : str
    label : str
        In words.
    kind : {"disease", "cells", "effect"}
        A hyperparameter (its factor or SD, not the logarithm), a parameter of what cells do, or the MSC effect.
    low, high, base : float
        Range, and the value where the factor is not moved. The range is walked by logarithm, evenly if it begins at 0.
    unit : str
    """

    name: str
    label: str
    kind: Kind
    low: float
    high: float
    base: float
    unit: str

    def value(self, share: Array) -> Array:
        """Value at a share of the range, same shape."""
        if self.low <= 0.0:
            return self.low + (self.high - self.low) * share
        return np.asarray(self.low * (self.high / self.low) ** share)


def all_factors() -> tuple[Factor, ...]:
    """Every hyperparameter, the MSC effect, and what cells do that is assumed or calibrated within a range."""
    learned, reach = hyperparameters(), float(ndtri(0.5 + CENTRAL / 2.0))
    found = []
    for name, prior in learned.priors().items():
        low, high, base = (float(np.exp(prior.mean + z * prior.sd)) for z in (-reach, reach, 0.0))
        meaning = learned.hyperparameters[name].meaning
        found.append(Factor(name, meaning, "disease", low, high, base, "dimensionless"))
    label = "MSC effect: how much of the assumed action the cells have"
    found.append(Factor(MSC_EFFECT, label, "effect", *MSC_RANGE, shipped_recipe().msc_effect.scale, "dimensionless"))
    for symbol, row in parameter_table().iterrows():
        users = {use.strip() for part in str(row["used_by"]).split(";") for use in _uses(part)}
        moved = row["origin"] in ("calibrated", "assumed") and row["low"] < row["high"]
        if moved and users & set(MECHANISMS) and symbol not in SET_OTHERWISE | OTHER_SOURCES:
            low, high, base = (float(row[k]) for k in ("low", "high", "value"))
            found.append(Factor(str(symbol), str(row["name"]), "cells", low, high, base, str(row["unit"])))
    return tuple(found)


def _uses(part: str) -> list[str]:
    """Of ``equation: a, b`` both ``equation: a`` and ``equation: b``."""
    kind, _, names = part.partition(":")
    return [f"{kind.strip()}: {name.strip()}" for name in names.split(",")]
