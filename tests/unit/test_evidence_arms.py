"""The tables of published arms, and what is taken from them."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from stromal.compute.errors import InputError
from stromal.evidence import arm_results, arms, msc_changes, placebo_changes, placebo_differences, published_responders
from stromal.evidence.arms import ARM_RESULTS, ARMS, read_arm_results, read_arms

YEAR = (44.0, 60.0)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The file as text, read without the package."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("path", [ARMS, ARM_RESULTS])
def test_only_numbers_seen_in_their_source_are_shipped(path: Path) -> None:
    assert {row["verified"] for row in rows_of(path)} == {"yes"}


def test_every_value_is_read_as_the_number_it_is_in_the_file() -> None:
    raw, table = rows_of(ARM_RESULTS), arm_results()
    assert len(table) == len(raw)
    for name in ("value", "sd", "ci_low", "ci_high", "timepoint_weeks"):
        read = [None if pd.isna(v) else v for v in table[name]]
        assert read == [float(row[name]) if row[name] else None for row in raw], name


def test_shares_of_patients_lie_between_0_and_100() -> None:
    table = arms()
    shares = table[[c for c in table.columns if c.startswith("pct_")]].stack().dropna()
    assert len(shares) > 50
    assert shares.between(0.0, 100.0).all()


def test_asset_placebo_is_the_published_observed_change_not_the_modelled_one() -> None:
    # Chung 2020, doi:10.1016/S2665-9913(20)30237-X: placebo -3.7 (SD 7.6), n = 38; the model's mean was -4.49
    row = placebo_changes("mRSS_change", *YEAR).set_index("trial").loc["ASSET"]
    assert (row["value"], row["sd"], row["n"], row["week"]) == (-3.7, 7.6, 38, 52)
    assert row["doi"] == "10.1016/S2665-9913(20)30237-X"
    half = 1.96 * 7.6 / 38**0.5
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-3.7 - half, -3.7 + half))


def test_fasscinate_placebo_has_its_printed_interval() -> None:
    # Khanna 2018, doi:10.1136/annrheumdis-2017-211682: -3.1 (SD 6.3; 95 % CI -5.4 to -0.9) at week 48
    row = placebo_changes("mRSS_change", *YEAR).set_index("trial").loc["faSScinate"]
    assert (row["value"], row["sd"], row["ci_low"], row["ci_high"]) == (-3.1, 6.3, -5.4, -0.9)
    assert (row["n"], row["n_is_of_arm"]) == (33, False)


def test_arms_that_crossed_over_to_a_drug_are_no_placebo_arms() -> None:
    late = placebo_changes("mRSS_change", 70.0, 100.0)
    assert "ASSET" in set(arm_results().query("arm == 'placebo->abatacept'")["trial"])
    assert late.empty


def test_a_trial_that_gives_only_subgroups_gives_all_of_them_marked() -> None:
    table = placebo_changes("FVC_mL_change", *YEAR)
    limited = table[table["trial"] == "SENSCIS"]
    assert limited["subgroup"].all()
    assert limited["value"].to_list() == [-86.4]
    assert not placebo_changes("FVC_pct_change", *YEAR)["subgroup"].any()


def test_a_value_of_all_patients_is_preferred_to_those_of_subgroups() -> None:
    published = arm_results().query("trial == 'SLS I' and arm == 'placebo' and endpoint == 'FVC_pct_change'")
    assert len(published) > 1
    lung = placebo_changes("FVC_pct_change", *YEAR).set_index("trial").loc["SLS I"]
    assert (lung["value"], lung["subgroup"]) == (-2.6, False)


def test_a_median_has_no_interval_of_the_mean() -> None:
    row = placebo_changes("mRSS_change", *YEAR).set_index("trial").loc["Belimumab pilot (Gordon 2018)"]
    assert row["statistic"] == "median"
    assert pd.isna(row["ci_low"])


def test_outliers_and_unchecked_arms_are_not_shown() -> None:
    shown = set(placebo_changes("mRSS_change", 0.0, 200.0)["trial"])
    assert "NOVESA" in shown
    assert shown.isdisjoint({"DESIRES", "Brodalumab ph3 Japan", "RISE-SSc"})


def test_uncontrolled_series_of_cord_cells_fell_by_4_7_points() -> None:
    # Alip 2024, doi:10.1007/s10067-024-06865-z: 18.68 before, 13.95 at one year
    row = msc_changes("mRSS_change", *YEAR).set_index("doi").loc["10.1007/s10067-024-06865-z"]
    assert row["value"] == pytest.approx(13.95 - 18.68)
    assert row["n"] == 41


def test_differences_of_drugs_against_placebo_leave_out_the_outlier() -> None:
    # tocilizumab (faSScinate), 10.1016/S0140-6736(16)00232-4: -3.55 (95 % CI -7.23 to 0.12) at week 48
    table = placebo_differences(*YEAR)
    first = table.iloc[0]
    assert (first["trial"], first["value"], first["ci_low"], first["ci_high"]) == ("faSScinate", -3.55, -7.23, 0.12)
    assert "Brodalumab ph3 Japan" not in set(placebo_differences(0.0, 200.0)["trial"])


def test_a_quarter_of_placebo_patients_respond_by_4_7_points() -> None:
    table = published_responders(*YEAR)
    placebo = table[(table["trial"] == "faSScinate") & table["definition"].str.contains("4.7")]
    assert placebo["share"].to_list() == [0.273]


def test_a_change_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a change from baseline"):
        placebo_changes("mortality_pct", *YEAR)


def test_a_number_that_is_none_is_named_with_file_and_line(tmp_path: Path) -> None:
    rows = rows_of(ARMS)
    rows[3]["n"] = "about 20"
    with pytest.raises(InputError, match=r"line 5, n.*about 20"):
        read_arms(written(tmp_path / "arms.csv", rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k != "arm_class"} for row in rows_of(ARMS)]
    with pytest.raises(InputError, match="arm_class"):
        read_arms(written(tmp_path / "arms.csv", rows))


def test_another_unit_is_refused(tmp_path: Path) -> None:
    rows = rows_of(ARM_RESULTS)
    row = next(r for r in rows if r["endpoint"] == "FVC_pct_change")
    row["unit"] = "mL"
    with pytest.raises(InputError, match="write instead: % predicted"):
        read_arm_results(written(tmp_path / "results.csv", rows))
