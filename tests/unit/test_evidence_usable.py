"""What calibration can use of the published results, and what is derived from them."""

import numpy as np
import pandas as pd
import pytest

from stromal.evidence.arms import arm_results
from stromal.evidence.usable import DRUGS, ENDPOINTS, drug_of, usable_counts, usable_results


def test_derived_values_never_overwrite_what_was_reported() -> None:
    table = usable_results().set_index("id")
    reported = arm_results().set_index("id").loc[table.index]
    for name in ("value", "sd", "se", "ci_low", "ci_high", "n_at_timepoint"):
        pd.testing.assert_series_equal(table[name], reported[name])
    assert table.loc[reported["se"].notna(), "se_derived"].isna().all()
    assert table.loc[reported["sd"].notna(), "sd_derived"].isna().all()
    assert (table["se_derived"].notna() == (table["se_rule"] != "")).all()


def test_a_standard_error_follows_from_a_printed_interval() -> None:
    table = usable_results()
    mine = table[table["se_derived"].notna()]
    assert len(mine) >= 5
    width = (mine["ci_high"] - mine["ci_low"]).to_numpy()
    assert mine["se_derived"].to_numpy() == pytest.approx(width / (2 * 1.959963985))


def test_a_quartile_range_gives_no_standard_error() -> None:
    table = usable_results()
    quartiles = table[table["stat_type"].str.contains("IQR")]
    assert len(quartiles)
    assert quartiles["se_derived"].isna().all()


@pytest.mark.parametrize(
    ("arm", "drug"),
    [
        ("placebo", "placebo"),
        ("UC-MSC", "systemic MSC"),
        ("AD-SVF", "local stromal cells or fat"),
        ("AHSCT vs cyclophosphamide", ""),
        ("placebo->abatacept", ""),
        ("tocilizumab vs placebo", ""),
        ("EUSTAR dcSSc", "natural history"),
    ],
)
def test_arms_are_sorted_by_what_was_given(arm: str, drug: str) -> None:
    assert drug_of(arm) == drug


def test_the_counts_add_up_to_the_usable_results() -> None:
    counts = usable_counts()
    assert list(counts.index) == list(DRUGS)
    assert list(counts.columns) == list(ENDPOINTS)
    totals = counts.map(lambda cell: int(cell.split(" ")[0])).to_numpy()
    checked = counts.map(lambda cell: int(cell.split("(")[1][:-1])).to_numpy()
    table = usable_results()
    assert totals.sum() == len(table)
    assert checked.sum() == int(np.sum(table["checked"]))
