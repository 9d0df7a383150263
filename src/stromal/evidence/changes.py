"""How much patients change in published arms: without the drug under test, and in uncontrolled series of MSC."""

from __future__ import annotations

from typing import Final

import pandas as pd

from stromal.evidence.arms import UNITS, arm_results, arms

OUTLIERS: Final = ("DESIRES", "Brodalumab ph3 Japan")
"""Trials whose placebo arms stand apart from all others: for sensitivity analyses only, never shown as typical."""
COLUMNS: Final = (
    *("trial", "year", "arm", "week", "value", "sd", "ci_low", "ci_high", "n", "n_is_of_arm"),
    *("statistic", "subgroup", "population", "background", "doi", "doi_seen", "note"),
)


def placebo_changes(endpoint: str, low_week: float, high_week: float) -> pd.DataFrame:
    """Mean changes from baseline in published placebo arms, between two weeks (both included).

    A placebo arm is one whose name begins with "placebo", background drugs allowed, and that has not crossed over to
    another drug. Of several values of one arm, this one is taken: a value of all randomised patients before values of
    subgroups; then an observed mean before a mean from a model before a median; then the one nearest to the middle of
    the window. An arm that gives only subgroups gives all of them, marked `subgroup`. `OUTLIERS` are left out.

    Parameters
    ----------
    endpoint : str
        ``mRSS_change`` [points] or ``FVC_pct_change`` [% of predicted], or another change of `arms.UNITS`.
    low_week, high_week : float
        [weeks after baseline]

    Returns
    -------
    DataFrame
        One row per trial (or subgroup), by trial: the columns of `COLUMNS`. `value`, `sd` (between patients) and
        the 95 % interval of the mean are in the unit of the end point; `n` is the number at that week where it is
        printed, else the size of the arm (`n_is_of_arm`); numbers that were not found are NaN. The interval is the
        printed one, else the mean with 1.96 standard errors; a median has none, nor has a mean whose standard
        error would rest on the size of the arm.

    Raises
    ------
    ValueError
        The end point is not a change that the table of units knows.
    """
    rows = _changes(endpoint, low_week, high_week)
    placebo = rows["arm"].str.startswith("placebo") & ~rows["arm"].str.contains("->", regex=False)
    return _chosen(rows[placebo & ~rows["trial"].isin(OUTLIERS)])


def msc_changes(endpoint: str, low_week: float, high_week: float) -> pd.DataFrame:
    """Mean changes from baseline in published, uncontrolled series of systemic MSC; arguments as `placebo_changes`.

    Such a change has no control: it is the sum of what the cells do and of everything else.
    """
    known = arms()
    series = set(zip(*(known.loc[known["arm_class"] == "MSC", c] for c in ("trial", "arm")), strict=True))
    rows = _changes(endpoint, low_week, high_week)
    mine = [key in series for key in zip(rows["trial"], rows["arm"], strict=True)]
    return _chosen(rows[pd.Series(mine, index=rows.index, dtype=bool)])  # also when there are no rows


def published_responders(low_week: float, high_week: float) -> pd.DataFrame:
    """Shares of patients whose skin score fell by a stated amount, in placebo arms and in registries.

    Parameters
    ----------
    low_week, high_week : float
        [weeks after baseline]

    Returns
    -------
    DataFrame
        Columns trial, year, arm, week, definition, share (0 to 1), n, doi.
    """
    rows = arm_results()
    rows = rows[
        rows["endpoint"].isin(["mRSS_responder_pct", "mRSS_regressor_pct"])
        & rows["timepoint_weeks"].between(low_week, high_week)
        & (rows["arm"].eq("placebo") | rows["endpoint"].eq("mRSS_regressor_pct"))
    ]
    columns = ["trial", "year", "arm", "week", "definition", "share", "n", "doi"]
    return rows.assign(
        week=rows["timepoint_weeks"],
        definition=rows["endpoint_detail"],
        share=rows["value"] / 100.0,
        n=rows["n_at_timepoint"],
        doi=rows["source_doi"],
    )[columns].reset_index(drop=True)


def placebo_differences(low_week: float, high_week: float) -> pd.DataFrame:
    """Placebo-controlled differences in the change of the skin score that drugs achieved; `OUTLIERS` are left out.

    Parameters
    ----------
    low_week, high_week : float
        [weeks after baseline]

    Returns
    -------
    DataFrame
        Columns trial, comparison, week, value [mRSS points], ci_low, ci_high, doi; by value, the largest fall first.
    """
    rows = arm_results()
    rows = rows[
        (rows["endpoint"] == "mRSS_change_difference")
        & rows["arm"].str.endswith("vs placebo")
        & rows["timepoint_weeks"].between(low_week, high_week)
        & ~rows["trial"].isin(OUTLIERS)
    ]
    columns = ["trial", "comparison", "week", "value", "ci_low", "ci_high", "doi"]
    table = rows.assign(comparison=rows["arm"], week=rows["timepoint_weeks"], doi=rows["source_doi"])[columns]
    return table.sort_values("value", kind="stable").reset_index(drop=True)


def _changes(endpoint: str, low_week: float, high_week: float) -> pd.DataFrame:
    """All values of a change within the window, with what the rule of preference needs."""
    if endpoint not in UNITS or not endpoint.endswith("_change"):
        raise ValueError(f"{endpoint!r} is not a change from baseline; one of: {[u for u in UNITS if 'change' in u]}")
    rows = arm_results()
    rows = rows[
        (rows["endpoint"] == endpoint)
        & (rows["unit"] == UNITS[endpoint])
        & (rows["endpoint_detail"] == "")
        & rows["timepoint_weeks"].between(low_week, high_week)
        & rows["value"].notna()
    ]
    rows = rows.assign(
        subgroup=[_is_subgroup(p) for p in rows["population"]],
        statistic=[_statistic(s) for s in rows["stat_type"]],
        distance=(rows["timepoint_weeks"] - (low_week + high_week) / 2.0).abs(),
    )
    return rows.assign(rank=rows["statistic"].map({"observed mean": 0, "model mean": 1, "median": 2}))


def _chosen(rows: pd.DataFrame) -> pd.DataFrame:
    parts = [_preferred(group) for _, group in rows.groupby(["trial", "arm"], sort=True)]
    return _with_arm(pd.concat(parts) if parts else rows).reset_index(drop=True)[list(COLUMNS)]


def _preferred(rows: pd.DataFrame) -> pd.DataFrame:
    """The value of one arm, or one value for each subgroup where there is none of all randomised patients."""
    whole = rows[~rows["subgroup"]]
    ordered = (whole if len(whole) else rows).sort_values(["rank", "distance"], kind="stable")
    return ordered.head(1) if len(whole) else ordered.drop_duplicates("population").sort_index()


def _is_subgroup(population: str) -> bool:
    """Whether a result is of some patients only; those observed at a visit count as all randomised."""
    return not (population in ("", "all", "completers") or population.startswith("ITT"))


def _statistic(stat_type: str) -> str:
    if stat_type.startswith("median"):
        return "median"
    observed = ("mean", "observed mean", "derived difference of means")
    return "observed mean" if stat_type in observed else "model mean"


def _with_arm(table: pd.DataFrame) -> pd.DataFrame:
    """Add size and background of the arm, and the interval of the mean."""
    known = arms().drop_duplicates(["trial", "arm"])[["trial", "arm", "n", "intervention"]]
    joined = table.reset_index(drop=True).merge(known, on=["trial", "arm"], how="left", validate="many_to_one")
    of_arm = joined["n"].where(~joined["subgroup"])
    half = 1.96 * joined["se"].fillna(joined["sd"] / joined["n_at_timepoint"] ** 0.5)
    is_mean = joined["statistic"] != "median"
    return joined.assign(
        n=joined["n_at_timepoint"].fillna(of_arm),
        n_is_of_arm=joined["n_at_timepoint"].isna() & of_arm.notna(),
        week=joined["timepoint_weeks"],
        background=joined["intervention"].fillna(joined["arm"]),
        doi=joined["source_doi"],
        ci_low=joined["ci_low"].fillna(joined["value"] - half).where(is_mean),
        ci_high=joined["ci_high"].fillna(joined["value"] + half).where(is_mean),
    )
