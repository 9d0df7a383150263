"""Which published results a calibration can use, and what follows from what they report.

What a paper reports is never overwritten: derived values have columns of their own, and the rule stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from stromal.evidence.arms import UNCLEAR_UNIT, arm_results, arms
from stromal.evidence.claims import Audit, audit, shipped_claims
from stromal.evidence.claims.base import Base
from stromal.evidence.claims.derivations import standard_deviation, standard_error

_DRUGS: Final[Mapping[str, str]] = {
    r"->| vs ": "",
    r"car-?t|nex-t|rese-cel": "CAR-T cells",
    r"ahsct|transplant": "AHSCT",
    r"svf|adsc|fat|at graft": "local stromal cells or fat",
    r"msc": "systemic MSC",
    r"placebo|sham": "placebo",
    r"mycophenolate|mmf": "mycophenolate",
    r"cyc|cyclophosphamide": "cyclophosphamide",
    r"tocilizumab": "tocilizumab",
    r"rituximab": "rituximab",
    r"nintedanib": "nintedanib",
    r"methotrexate": "methotrexate",
}
"""What an arm is, by words of its name; the first that fits counts. Comparisons and changes of drug are neither."""
_NATURAL: Final = r"all|ssc|eustar|dcssc|lcssc|incident|sct|would|no imm|pooled"
"""Names of cohorts and of patients without a drug under test."""
DRUGS: Final = (*dict.fromkeys(d for d in _DRUGS.values() if d), "other drugs", "natural history")
ENDPOINTS: Final[Mapping[str, str]] = {
    "skin score": r"^mRSS_(change|value)$",
    "skin responders": r"^mRSS_.*_pct$",
    "FVC": r"^FVC_(pct_change|pct_value|mL_change|mL_per_year|rel_change_pct|L_value)$",
    "FVC decliners": r"^FVC_.*(decline|improved|stable).*pct$",
    "DLCO": r"^DLCO_pct_(change|value)$",
    "survival": r"^(overall_survival|mortality|event_free_survival|treatment_related_mortality).*pct$",
    "drop-out": r"^dropout_pct$",
}
"""Groups of end points, by pattern of their names."""
_INTERVAL_OF_MEAN: Final = re.compile(r"mean|LSM|model estimate|slope|difference", re.IGNORECASE)


def drug_of(arm: str) -> str:
    """What was given in an arm, one of `DRUGS`; empty for comparisons of arms and for arms that change drug."""
    for pattern, drug in _DRUGS.items():
        if re.search(pattern, arm, re.IGNORECASE):
            return drug
    classes = dict(zip(arms()["arm"], arms()["arm_class"], strict=True))
    kind = str(classes.get(arm, ""))
    if kind.startswith("natural") or re.match(
        r"all|ssc|eustar|dcssc|lcssc|incident|sct|would|no imm|pooled", arm, re.I
    ):
        return "natural history"
    return "other drugs"


def usable_results() -> pd.DataFrame:
    """Results of arms that are numbers of a known end point and unit, with what follows from them.

    Returns
    -------
    DataFrame
        Rows of `arm_results` with the columns `drug` (of `DRUGS`), `group` (of `ENDPOINTS`), `checked` (whether a
        verbatim passage of the source gives the value), `se_derived` and `sd_derived` with the rules `se_rule` and
        `sd_rule` (a standard error from the 95 % interval, a standard deviation from the standard error and the number
        of patients; NaN where there is nothing to derive from, or where it was reported).
    """
    table = arm_results()
    groups = [_group(e) for e in table["endpoint"]]
    drugs = [drug_of(a) for a in table["arm"]]
    table = table.assign(group=groups, drug=drugs)
    keep = table["value"].notna() & (table["group"] != "") & (table["drug"] != "") & (table["unit"] != UNCLEAR_UNIT)
    checked = _checked_rows(shipped_claims())
    table = table[keep].assign(checked=lambda t: [i in checked for i in t["id"]])
    return with_derived(table).reset_index(drop=True)


def usable_counts() -> pd.DataFrame:
    """How many usable results there are, by drug (rows) and end point (columns): total and, in brackets, checked."""
    table = usable_results()
    total = pd.crosstab(table["drug"], table["group"]).reindex(index=DRUGS, columns=list(ENDPOINTS), fill_value=0)
    seen = table[table["checked"]]
    checked = pd.crosstab(seen["drug"], seen["group"]).reindex(index=DRUGS, columns=list(ENDPOINTS), fill_value=0)
    return total.astype(str) + " (" + checked.astype(str) + ")"


def shipped_audit(parameters: pd.DataFrame) -> Audit:
    """Audit of the shipped base.

    Parameters
    ----------
    parameters : DataFrame
        The table of the model: columns `symbol`, `name`, `value`, `origin`.
    """
    return audit(shipped_claims(), parameters, set(usable_results()["id"]))


def with_derived(table: pd.DataFrame) -> pd.DataFrame:
    """Add standard errors and standard deviations that follow from what is reported; see `usable_results`."""
    derived = [_derived(*row) for row in table[_REPORTED].itertuples(index=False)]
    columns = ["se_derived", "se_rule", "sd_derived", "sd_rule"]
    return table.join(pd.DataFrame(derived, columns=columns, index=table.index))


_REPORTED: Final = ["stat_type", "sd", "se", "ci_low", "ci_high", "n_at_timepoint"]


def _derived(statistic: str, sd: float, se: float, low: float, high: float, n: float) -> tuple[float, str, float, str]:
    nothing = float("nan")
    from_interval = pd.isna(se) and low < high and bool(_INTERVAL_OF_MEAN.search(statistic)) and "IQR" not in statistic
    error = standard_error(low, high) if from_interval else nothing
    best = error if from_interval else se
    from_error = (
        pd.isna(sd) and pd.notna(best) and n >= 2 and "difference" not in statistic and "slope" not in statistic
    )
    deviation = standard_deviation(best, n) if from_error else nothing
    return (
        error,
        "standard error of interval" if from_interval else "",
        deviation,
        "standard deviation of standard error" if from_error else "",
    )


def _group(endpoint: str) -> str:
    return next((name for name, pattern in ENDPOINTS.items() if re.search(pattern, endpoint)), "")


def _checked_rows(base: Base) -> set[str]:
    return {s.row for s in base.supported if s.checked}
