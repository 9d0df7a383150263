"""Pooling the studies of a table, and the figures of a pool."""

import math
from pathlib import Path

import pandas as pd
import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.design.pooling import PoolColumns
from stromal.design.reading import read_pool
from stromal.evidence.pooled_table import chosen, pool_studies, studies_of
from stromal.report.pool_figures import forest_plot, funnel_plot, network_plot

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "pooling" / "msc.yaml"
COLUMNS = PoolColumns().model_dump()
OPTIONS = {"method": "REML", "test": "knha", "prediction": "t_k1", "level": 0.95}


def studies(**changes: list[str]) -> pd.DataFrame:
    table = {
        "trial": ["a", "b", "c", "d"],
        "events_msc": ["10", "12", "30", "8"],
        "n_msc": ["20", "20", "60", "20"],
        "events_ctrl": ["5", "6", "20", "9"],
        "n_ctrl": ["20", "20", "60", "20"],
        "blinded": ["no", "no", "yes", "yes"],
    }
    return pd.DataFrame(table | changes)


def test_the_odds_ratios_are_those_of_the_tables() -> None:
    result = pool_studies(studies(), "OR", COLUMNS, **OPTIONS)
    assert result.effects.yi[0] == pytest.approx(math.log(10 * 15 / (10 * 5)))
    assert result.effects.vi[0] == pytest.approx(1 / 10 + 1 / 10 + 1 / 5 + 1 / 15)


def test_swapping_the_groups_turns_the_effect_round() -> None:
    swapped = COLUMNS | {"events1": "events_ctrl", "n1": "n_ctrl", "events2": "events_msc", "n2": "n_msc"}
    one, other = (pool_studies(studies(), "OR", c, **OPTIONS) for c in (COLUMNS, swapped))
    assert one.overall.mu == pytest.approx(-other.overall.mu)
    assert one.finding("higher", "the cells").startswith(other.finding("lower", "the cells").split("\n")[0])


def test_the_shipped_blinded_trials_do_not_show_an_effect_and_the_finding_says_so() -> None:
    spec = read_pool(EXAMPLE)
    table = chosen(studies_of(spec.table, EXAMPLE.parent), spec.where)
    result = pool_studies(table, spec.measure, spec.columns.model_dump(), groups=spec.groups, **OPTIONS)
    blinded = dict(zip(result.by["blinded"].groups, result.by["blinded"].pooled, strict=True))["yes"]
    assert blinded.k >= 6
    assert blinded.ci_low < 0.0 < blinded.ci_high
    assert f"blinded = yes ({blinded.k} studies)" in result.finding(spec.benefit, spec.intervention).split("\n")[0]


def test_what_is_wrong_in_a_table_is_named() -> None:
    with pytest.raises(InputError, match="no such column") as missing:
        pool_studies(studies().drop(columns="n_ctrl"), "OR", COLUMNS, **OPTIONS)
    assert missing.value.value == "n_ctrl"
    with pytest.raises(InputError, match="not a number") as wrong:
        pool_studies(studies(events_msc=["10", "many", "30", "8"]), "OR", COLUMNS, **OPTIONS)
    assert wrong.value.place == "events_msc of b"
    with pytest.raises(InputError, match="no study is left"):
        chosen(studies(), {"blinded": "perhaps"})


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        studies_of("none.csv", tmp_path)


def test_every_fault_of_a_specification_is_shown_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text("title: x\nmeasure: HR\ngroups: blinded\nbenfit: up\n", encoding="utf-8")
    with pytest.raises(InputErrors) as error:
        read_pool(path)
    assert {f.place.split(" ")[0] for f in error.value.findings} == {"benefit", "measure", "groups", "benfit"}


def test_a_forest_names_every_study_and_its_figures_are_the_same_for_the_same_numbers() -> None:
    result = pool_studies(studies(), "OR", COLUMNS, groups=["blinded"], **OPTIONS)
    drawn = forest_plot(result, "Title", "blinded")
    assert drawn == forest_plot(result, "Title", "blinded")
    text = drawn.decode()
    assert all(f">{name}<" in text for name in ("a", "b", "c", "d", "mean of all", "weight"))
    assert b"<svg" in funnel_plot(result.overall, result.scale, "Title")


def test_a_network_shows_how_many_studies_compared_two_treatments() -> None:
    rows = [("s1", "placebo", "A"), ("s2", "A", "placebo"), ("s3", "A", "B")]
    text = network_plot(pd.DataFrame(rows, columns=["study", "treat1", "treat2"]), "Title").decode()
    assert all(f">{word}<" in text for word in ("placebo", "A", "B", "2", "1"))
