"""What a design means once read: defaults, warnings, resolved text, and specs that cannot change."""

import math
import pickle
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from stromal.compute.errors import InputError, InputErrors, StromalError
from stromal.compute.findings import Finding
from stromal.design import (
    MEASURES,
    PRODUCTS,
    AntibodyCriterion,
    AnyOf,
    Arm,
    Course,
    FailedTreatment,
    MeasureCriterion,
    Product,
    Range,
    TrialDesign,
    design_findings,
    read_design,
    resolved_yaml,
)
from stromal.design.text import TextError, dump, parse, plain_scalar

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.yaml"))

VERSUS = ["cells", "control"]
SHORT = {
    "schema": 1,
    "title": "short",
    "question": "does a short design read?",
    "blinded": True,
    "population": {"referral_months": {"low": 3, "high": 24}},
    "sample_size": 20,
    "arms": [
        {"name": "control"},
        {"name": "cells", "regimen": [
            {"product": "adipose_msc", "dose_per_kg": 1e6, "route": "iv", "days": [0]}]},
    ],
    "randomisation": {"block_size": 4, "allocation": {"control": 2, "cells": 2}},
    "visits": {"days": [0, 182, 364]},
    "endpoints": [
        {"name": "skin", "kind": "change", "measure": "mrss", "day": 364, "contrast": VERSUS},
        {"name": "lung", "kind": "change", "measure": "fvc_pct", "day": 364, "contrast": VERSUS},
        {"name": "death", "kind": "event", "event": "death", "day": 364, "contrast": VERSUS},
    ],
}  # fmt: skip


def read(tmp_path: Path, data: object) -> TrialDesign:
    path = tmp_path / "design.yaml"
    path.write_text(dump(data), encoding="utf-8")
    return read_design(path)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_reads_without_a_warning(name: str) -> None:
    assert design_findings(read_design(EXAMPLES / name)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_resolved_text_reads_back_to_the_same_design(name: str, tmp_path: Path) -> None:
    design = read_design(EXAMPLES / name)
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved_yaml(design), encoding="utf-8")
    assert read_design(path) == design
    assert resolved_yaml(read_design(path)) == resolved_yaml(design)


@pytest.mark.parametrize("name", NAMES)
def test_resolved_text_is_plain_yaml_for_any_other_reader(name: str) -> None:
    design = read_design(EXAMPLES / name)
    other = yaml.safe_load(resolved_yaml(design))
    assert other["sample_size"] == design.sample_size
    assert [arm["name"] for arm in other["arms"]] == [arm.name for arm in design.arms]
    assert other["measurement"]["mrss_visit_sd"] == design.measurement.mrss_visit_sd


def test_care_ssc_is_the_registered_design() -> None:
    care = read_design(EXAMPLES / "care-ssc.yaml")
    assert care.registry == "NCT04356287"
    assert care.sample_size == 18
    assert dict(care.randomisation.allocation) == {"placebo": 2, "one_infusion": 2, "two_infusions": 2}
    assert [sum(len(course.days) for course in arm.regimen) for arm in care.arms] == [0, 1, 2]
    assert care.safety.gate_next_block
    assert care.safety.gate_next_dose
    assert care.arms_in("active") == ("one_infusion", "two_infusions")
    primary = [end for end in care.endpoints if end.role == "primary"]
    assert [end.event for end in primary] == ["treatment_related_sae"]
    severe = next(item for item in care.eligibility if isinstance(item, AnyOf))
    early = [c for c in severe.any_of[0] if isinstance(c, MeasureCriterion)]
    assert [(c.measure, c.above, c.at_most) for c in early[:2]] == [
        ("disease_duration_months", None, 24),
        ("mrss", 20, None),
    ]
    assert early[2].assumed, "C-reactive protein stands in for ESR and haemoglobin and must say so"
    assert any(isinstance(item, FailedTreatment) for item in care.eligibility)
    assert all(course.assumed for arm in care.arms for course in arm.regimen), "the dose is not registered"


def test_the_series_is_open_label_and_its_baseline_is_screening() -> None:
    series = read_design(EXAMPLES / "single-arm-series.yaml")
    assert not series.blinded
    assert series.baseline == "screening"
    assert dict(series.randomisation.allocation) == {"cells": 1}
    assert {end.analysis for end in series.endpoints} == {"mean_change", "proportion"}


def test_a_short_design_takes_the_universal_defaults(tmp_path: Path) -> None:
    design = read(tmp_path, SHORT)
    assert design.measurement.mrss_visit_sd == 2.7
    assert design.measurement.mrss_rater_sd == 4.0
    assert design.retention.dropout_per_year == 0.12
    assert design.population.max_candidates_per_patient == 200
    assert [end.role for end in design.endpoints] == ["primary", "secondary", "secondary"]
    assert [end.benefit for end in design.endpoints] == ["lower", "higher", "lower"]
    assert [end.analysis for end in design.endpoints] == ["ancova", "ancova", "risk_difference"]
    assert {(end.alpha, end.sides) for end in design.endpoints} == {(0.05, 2)}


def warnings(tmp_path: Path, **changes: object) -> list[str]:
    found = design_findings(read(tmp_path, {**SHORT, **changes}))
    assert all(finding.severity == "warning" and finding.remedy for finding in found)
    return [finding.place for finding in found]


def test_a_criterion_on_the_antibody_is_read_alone_and_within_alternatives(tmp_path: Path) -> None:
    antibody = {"antibody": ["ATA", "RNAP3"]}
    design = read(tmp_path, SHORT | {"eligibility": [antibody, {"any_of": [[antibody, {"subset": ["diffuse"]}]]}]})
    first, second = design.eligibility
    assert first == AntibodyCriterion(antibody=("ATA", "RNAP3"))
    assert isinstance(second, AnyOf)
    assert second.any_of[0][0] == first


def test_an_unknown_antibody_is_refused(tmp_path: Path) -> None:
    with pytest.raises((InputError, InputErrors), match=r"no antibody called 'AT'.*ATA, ACA, RNAP3, other"):
        read(tmp_path, SHORT | {"eligibility": [{"antibody": ["AT"]}]})


def test_a_last_block_cut_short_is_a_warning_and_not_an_error(tmp_path: Path) -> None:
    assert warnings(tmp_path, sample_size=20) == []
    assert warnings(tmp_path, sample_size=22) == ["sample_size"]
    (finding,) = design_findings(read(tmp_path, {**SHORT, "sample_size": 22}))
    assert "cut to 2" in finding.message
    assert "20 or 24" in finding.remedy


def test_open_label_between_arms_is_a_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, blinded=False) == ["blinded"]


def test_a_drug_given_twice_is_a_warning(tmp_path: Path) -> None:
    arms = [SHORT["arms"][0], {"name": "cells", "regimen": [{"product": "mycophenolate", "from_day": 0}]}]  # type: ignore[index]
    population = {"referral_months": {"low": 3, "high": 24}, "background": {"mycophenolate": 0.5}}
    assert warnings(tmp_path, arms=arms, population=population) == ["arms[1].regimen[0].product"]


def test_a_dose_far_outside_use_is_a_warning(tmp_path: Path) -> None:
    arms = [SHORT["arms"][0], {"name": "cells", "regimen": [  # type: ignore[index]
        {"product": "adipose_msc", "dose_per_kg": 1.0, "route": "iv", "days": [0]}]}]  # fmt: skip
    assert warnings(tmp_path, arms=arms) == ["arms[1].regimen[0].dose_per_kg"]


def test_two_primary_end_points_are_a_warning(tmp_path: Path) -> None:
    endpoints = [{**end, "role": "primary"} for end in SHORT["endpoints"][:2]]  # type: ignore[index]
    assert warnings(tmp_path, endpoints=endpoints) == ["endpoints"]


def test_a_design_cannot_be_changed(tmp_path: Path) -> None:
    design = read(tmp_path, SHORT)
    with pytest.raises(ValidationError):
        design.sample_size = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        design.randomisation.allocation["cells"] = 3  # type: ignore[index]


def test_a_design_survives_the_journey_to_another_process(tmp_path: Path) -> None:
    design = read(tmp_path, SHORT)
    assert pickle.loads(pickle.dumps(design)) == design  # noqa: S301 - our own bytes
    assert hash(pickle.loads(pickle.dumps(design))) == hash(design)  # noqa: S301


def test_errors_survive_the_journey_to_another_process() -> None:
    one = InputError("wrong", file="a.yaml", place="x (line 2)", value=-1, remedy="1")
    several = InputErrors([Finding("error", "x", "wrong", "1")], file="a.yaml")
    for error in (one, several):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
        assert isinstance(error, StromalError)
        assert error.exit_status == 2
    assert str(one) == "wrong; file a.yaml; at x (line 2); value -1; write instead: 1"


def test_a_spec_built_in_python_is_checked_like_a_file() -> None:
    with pytest.raises(ValidationError, match="low 3 lies above high 1"):
        Range(low=3.0, high=1.0)
    products = ("adipose_msc", "bone_marrow_msc")
    courses = tuple(Course(product=p, dose_per_kg=1e6, route="iv", days=(0,)) for p in products)
    with pytest.raises(ValidationError, match="two different cell products"):
        Arm(name="a", regimen=courses)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_every_product_of_the_catalogue_can_be_written(product: Product) -> None:
    keys = {
        "drug_daily": {"from_day": 0, "to_day": 91, "share_of_standard_dose": 0.5},
        "drug_infusion": {"days": [0, 7], "share_of_standard_dose": 0.5},
        "transplant": {"days": [0]},
        "exchange": {"days": [0, 2, 4]},
        "pulse": {"days": [1, 3, 5]},
        "cells": {"days": [0], "dose_per_kg": 1e6, "route": "local"},
        "vesicles": {"days": [0, 14], "dose_per_kg": 1e6},
    }[product.kind]
    course = Course.model_validate({"product": product.name, **keys})
    assert course.kind == product.kind
    assert product.description
    assert product.standard
    assert product.dose_unit


def test_the_reference_of_the_keys_names_every_product_measure_and_key() -> None:
    text = (EXAMPLES.parent / "docs" / "designs.md").read_text(encoding="utf-8")
    words = {*PRODUCTS, *MEASURES}
    for spec in _specs(TrialDesign):
        words |= {field.alias or name for name, field in spec.model_fields.items()}
    assert sorted(word for word in words if f"`{word}`" not in text) == []


def _specs(spec: type[BaseModel]) -> set[type[BaseModel]]:
    inner = {s for field in spec.model_fields.values() for s in _named_in(field.annotation)}
    return {spec}.union(*(_specs(s) for s in inner))


def _named_in(annotation: object) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {spec for inner in get_args(annotation) for spec in _named_in(inner)}


@pytest.mark.parametrize(
    "text,value",
    [("1e6", 1e6), ("1.0e6", 1e6), ("-.5", -0.5), ("012", 12), ("no", "no"), ("1:30", "1:30"), ("~", None),
     ("TRUE", True), ("2026-01-01", "2026-01-01"), (".inf", math.inf), ("0x10", "0x10"), ("1_000", "1_000")],
)  # fmt: skip
def test_plain_scalars_mean_what_a_reader_thinks(text: str, value: object) -> None:
    assert plain_scalar(text) == value
    assert type(plain_scalar(text)) is type(value)


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_plain_data_written_as_text_reads_back_equal(data: object) -> None:
    document = parse(dump(data))
    assert document.data == data
    assert document.faults == []


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_remedy(text: str) -> None:
    assert refusal(text) is None or refusal(text).remedy


def refusal(text: str) -> TextError | None:
    try:
        parse(text)
    except TextError as error:
        return error
    return None
