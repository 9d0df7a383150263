"""Every kind of bad design gives file, place with line, value and remedy."""

import re
from pathlib import Path

import pytest
import yaml

from stromal.compute.errors import InputErrors
from stromal.compute.findings import Finding
from stromal.design import read_design

EXAMPLES = Path(__file__).parents[2] / "examples"
CARE = (EXAMPLES / "care-ssc.yaml").read_text(encoding="utf-8")
TWO_ARM = (EXAMPLES / "two-arm-60.yaml").read_text(encoding="utf-8")
SERIES = (EXAMPLES / "single-arm-series.yaml").read_text(encoding="utf-8")

COURSE = "- {product: umbilical_cord_msc, dose_per_kg: 1.0e6, route: iv, days: [0, 91]}"
MORE = "\n      "


def findings(tmp_path: Path, text: str) -> tuple[Finding, ...]:
    path = tmp_path / "design.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputErrors) as caught:
        read_design(path)
    assert caught.value.file == str(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_status == 2
    for finding in caught.value.findings:
        assert finding.severity == "error"
        assert str(finding) in str(caught.value)
    return caught.value.findings


def line_of(text: str, place: str) -> int:
    """The line of a place, or of what is around it, by PyYAML's own tree."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = node.start_mark.line + 1
    for step in re.findall(r"\w+", place):
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
            line = node.start_mark.line + 1
            continue
        entries = [(key, value) for key, value in node.value if key.value == step]
        if not entries:
            return line
        line = entries[-1][0].start_mark.line + 1
        node = entries[-1][1]
    return line


# what is written, what it becomes, and the place, value and remedy that the error must name
# fmt: off
FAULTS = {
    "unknown product": ("umbilical_cord_msc", "umbilical_chord_msc", "arms[1].regimen[0].product",
        "'umbilical_chord_msc'", "umbilical_cord_msc (did you mean that?"),
    "negative dose": ("dose_per_kg: 1.0e6", "dose_per_kg: -1.0e6", "arms[1].regimen[0].dose_per_kg",
        "-1000000.0", "a number above 0"),
    "number as text": ("dose_per_kg: 1.0e6", 'dose_per_kg: "1.0e6"', "arms[1].regimen[0].dose_per_kg",
        "'1.0e6'", "a number, e.g. 0.5 or 1.0e6, without quotes"),
    "number with a unit": ("sample_size: 60", "sample_size: 60 patients", "sample_size", "'60 patients'",
        "a whole number, e.g. 18, without quotes or unit"),
    "true as a number": ("sample_size: 60", "sample_size: true", "sample_size", "True", "a whole number"),
    "fraction of a patient": ("sample_size: 60", "sample_size: 60.5", "sample_size", "60.5",
        "a whole number"),
    "not a number": ("dose_per_kg: 1.0e6", "dose_per_kg: .nan", "arms[1].regimen[0].dose_per_kg", "nan",
        "a finite number"),
    "infinite number": ("msc_effect: 0.25", "msc_effect: .inf", "effect.msc_effect", "inf",
        "a finite number"),
    "empty value": ("sample_size: 60", "sample_size:", "sample_size", "None", "a value after the colon"),
    "misspelt key": ("dose_per_kg: 1.0e6, route", "dose_per_kg: 1.0e6, rout: local, route",
        "arms[1].regimen[0].rout", "'local'", "route (did you mean that?"),
    "misspelt key at the top": ("sample_size: 60", "sample_size: 60\nsampel_size: 60", "sampel_size", "60",
        "sample_size (did you mean that?"),
    "key of a criterion": ("measure: mrss, at_least: 15, at_most: 40",
        "measure: mrss, at_least: 15, at_mots: 40", "eligibility[3].at_mots", "40",
        "at_most (did you mean that?"),
    "missing key": ("question: >-\n", "registry_note: >-\n", "question", None, "add this key"),
    "unknown measure": ("measure: dlco_pct", "measure: dlco", "eligibility[5].measure", "'dlco'",
        "dlco_pct (did you mean that?"),
    "criterion without a limit": ("{measure: dlco_pct, at_least: 40}", "{measure: dlco_pct}",
        "eligibility[5]", "{'measure': 'dlco_pct'}", "above, at_least, below, at_most"),
    "criterion nobody can meet": ("at_least: 15, at_most: 40", "at_least: 40, at_most: 15",
        "eligibility[3]", "40", "a lower limit below the upper"),
    "subset nobody belongs to": ("subset: [diffuse]", "subset: [limited]", "eligibility[1].subset",
        "['limited']", "a share above 0 in population.subsets"),
    "duration nobody has": ("disease_duration_months, at_most: 36", "disease_duration_months, at_most: 2",
        "eligibility[2]", "2", "limits that overlap population.referral_months"),
    "failed drug nobody had": ("{subset: [diffuse]}", "{failed: [rituximab]}", "eligibility[1].failed",
        "['rituximab']", "prior_treatment.products"),
    "failed for longer than anybody": ("{subset: [diffuse]}",
        "{failed: [mycophenolate], at_least_months: 13}", "eligibility[1].at_least_months", "13",
        "a shorter time"),
    "visit before baseline": ("days: [0, 91, 182", "days: [-7, 0, 91, 182", "visits.days[0]", "-7",
        "a day from 0, the day of baseline"),
    "no baseline visit": ("days: [0, 91, 182", "days: [14, 91, 182", "visits.days[0]", "14",
        "0, the day of baseline"),
    "visits out of order": ("[0, 91, 182, 273", "[0, 182, 91, 273", "visits.days[2]", "91",
        "ascending order"),
    "one visit only": ("days: [0, 91, 182, 273, 364]", "days: [0]", "visits.days", "[0]",
        "at least 2 entries"),
    "end point on no visit day": ("    measure: fvc_pct\n    day: 364",
        "    measure: fvc_pct\n    day: 300", "endpoints[1].day", "300",
        "one of the visit days: 91, 182, 273, 364"),
    "event after the last visit": ("    event: death\n    day: 364", "    event: death\n    day: 400",
        "endpoints[3].day", "400", "a day from 1 to the last visit, 364"),
    "dose after the last visit": ("days: [0, 91]}", "days: [0, 400]}", "arms[1].regimen[0].days[1]", "400",
        "a day before the last visit, 364"),
    "drug begun after the last visit": (
        COURSE,
        COURSE + MORE + "- {product: nintedanib, from_day: 500}",
        "arms[1].regimen[1].from_day", "500", "a day before the last visit, 364"),
    "wrong arm in a contrast": (
        "    measure: fvc_pct\n    day: 364\n    contrast: [two_infusions, placebo]",
        "    measure: fvc_pct\n    day: 364\n    contrast: [two_infusion, placebo]",
        "endpoints[1].contrast[0]", "'two_infusion'", "two_infusions (did you mean that?"),
    "arm against itself": ("    measure: fvc_pct\n    day: 364\n    contrast: [two_infusions, placebo]",
        "    measure: fvc_pct\n    day: 364\n    contrast: [placebo, placebo]", "endpoints[1].contrast",
        "['placebo', 'placebo']", "two different names"),
    "end point without a contrast": (
        "    event: death\n    day: 364\n    contrast: [two_infusions, placebo]",
        "    event: death\n    day: 364", "endpoints[3].contrast", None, "contrast: [arm, control]"),
    "two end points of one name": ("name: fvc_change", "name: mrss_change", "endpoints[1].name",
        "'mrss_change'", "a name of its own"),
    "unknown kind of end point": ("kind: responder", "kind: responders", "endpoints[2].kind",
        "'responders'", "responder (did you mean that?"),
    "unknown event": ("event: death", "event: deaths", "endpoints[3].event", "'deaths'",
        "death (did you mean that?"),
    "responder that is not defined": ("    fall_points: 5\n    fall_share: 0.25\n", "", "endpoints[2]",
        "mrss_responder", "fall_points and / or fall_share"),
    "analysis that does not suit": ("analysis: ancova", "analysis: risk_difference",
        "endpoints[0].analysis", "'risk_difference'", "ancova"),
    "composite change": ("analysis: ancova\n    estimand: hypothetical",
        "analysis: ancova\n    estimand: composite", "endpoints[0].estimand", "'composite'",
        "hypothetical"),
    "measure that is no end point": ("    measure: fvc_pct\n    day", "    measure: age_years\n    day",
        "endpoints[1].measure", "'age_years'", "mrss, fvc_pct"),
    "allocation to a missing arm": ("allocation: {placebo: 2, two_infusions: 2}",
        "allocation: {placebo: 1, two_infusions: 2, three_infusions: 1}",
        "randomisation.allocation.three_infusions", "1", "two_infusions (did you mean that?"),
    "arm without patients": ("allocation: {placebo: 2, two_infusions: 2}", "allocation: {two_infusions: 4}",
        "randomisation.allocation", "{'two_infusions': 4}", "`placebo:` with 1 or more"),
    "allocation that does not sum": ("placebo: 2, two_infusions: 2}", "placebo: 2, two_infusions: 3}",
        "randomisation.allocation", "3", "block_size: 5"),
    "share above one": ("background: {mycophenolate: 0.5}", "background: {mycophenolate: 50}",
        "population.background.mycophenolate", "50", "a number of at most 1"),
    "shares of subsets": ("{diffuse: 1.0, limited: 0.0}", "{diffuse: 0.8, limited: 0.1}",
        "population.subsets", "0.8", "shares that sum to 1"),
    "shares of earlier drugs": ("{mycophenolate: 0.3, methotrexate: 0.2}",
        "{mycophenolate: 0.9, methotrexate: 0.2}", "population.prior_treatment.products", "0.9",
        "at most 1 (the rest take none)"),
    "unknown subset": ("{diffuse: 1.0, limited: 0.0}", "{difuse: 1.0}", "population.subsets.difuse", "1.0",
        "diffuse (did you mean that?"),
    "background drug that is not daily": ("background: {mycophenolate: 0.5}",
        "background: {rituximab: 0.5}", "population.background.rituximab", "0.5", "mycophenolate"),
    "range the wrong way round": ("referral_months: {low: 3, high: 36}",
        "referral_months: {low: 36, high: 3}", "population.referral_months.low", "36",
        "low at most as large as high"),
    "two cell products in one arm": (
        COURSE,
        COURSE + MORE + "- {product: adipose_msc, dose_per_kg: 1.0e6, route: iv, days: [182]}",
        "arms[1].regimen[1].product", "'adipose_msc'", "umbilical_cord_msc again, or a separate arm"),
    "two arms of one name": ("  - name: two_infusions",
        "  - {name: placebo, regimen: []}\n  - name: two_infusions", "arms[1].name", "'placebo'",
        "a name of its own"),
    "cells without a dose": ("dose_per_kg: 1.0e6, route: iv", "route: iv", "arms[1].regimen[0].dose_per_kg",
        None, "days, dose_per_kg, route"),
    "unknown route": ("route: iv", "route: mouth", "arms[1].regimen[0].route", "'mouth'",
        "one of: iv, local"),
    "route of a product without routes": (
        COURSE,
        "- {product: msc_vesicles, dose_per_kg: 1.0e6, route: iv, days: [0]}", "arms[1].regimen[0].route",
        "'iv'", "days, dose_per_kg"),
    "days of a daily drug": (
        COURSE,
        "- {product: nintedanib, days: [0]}", "arms[1].regimen[0].days", "[0]", "from_day, to_day"),
    "daily drug that ends before it begins": (
        COURSE,
        "- {product: nintedanib, from_day: 91, to_day: 30}", "arms[1].regimen[0].to_day", "30",
        "a later day"),
    "two transplantations": (
        COURSE,
        "- {product: ahsct, days: [0, 91]}", "arms[1].regimen[0].days", "[0, 91]", "one day, e.g. [0]"),
    "list where a mapping belongs": ("safety: {within_days: 30, gate_next_dose: true}",
        "safety: [30, true]", "safety", "[30, True]", "keys with values"),
    "mapping where a list belongs": ("days: [0, 91, 182, 273, 364]", "days: {first: 0}", "visits.days",
        "{'first': 0}", "a list, e.g. [0, 91]"),
    "name of an arm with a blank": ("- name: two_infusions", "- name: two infusions", "arms[1].name",
        "'two infusions'", "letters, digits and underscores"),
    "text instead of true or false": ("blinded: true", "blinded: yes", "blinded", "'yes'", "true or false"),
    "schema from the future": ("schema: 1", "schema: 2", "schema", "2", "1"),
    "duplicate key": ("sample_size: 60", "sample_size: 60\nsample_size: 40", "sample_size", "40",
        "`sample_size:` once"),
    "empty title": ("title: Two infusions of umbilical-cord cells against placebo, 60 patients",
        "title: ' '", "title", "' '", "a few words"),
    "pool named like an arm": ("baseline: separate",
        "pooled_arms: {placebo: [two_infusions]}\nbaseline: separate", "pooled_arms.placebo",
        "['two_infusions']", "another name for the pool"),
    "pool of a missing arm": ("baseline: separate",
        "pooled_arms: {active: [two_infusion]}\nbaseline: separate", "pooled_arms.active[0]",
        "'two_infusion'", "two_infusions (did you mean that?"),
    "certain drop-out": ("baseline: separate", "retention: {dropout_per_year: 1.0}\nbaseline: separate",
        "retention.dropout_per_year", "1.0", "a number below 1"),
}
# fmt: on


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_design_names_place_line_value_and_remedy(tmp_path: Path, fault: str) -> None:
    written, becomes, place, value, remedy = FAULTS[fault]
    assert written in TWO_ARM
    text = TWO_ARM.replace(written, becomes, 1)
    found = [finding for finding in findings(tmp_path, text) if finding.place.startswith(f"{place} (line ")]
    assert len(found) == 1, f"no single finding at {place}"
    assert remedy in found[0].remedy
    assert found[0].place == f"{place} (line {line_of(text, place)})"
    if value is not None:
        assert value in found[0].message


def test_only_the_fault_that_was_made_is_reported(tmp_path: Path) -> None:
    found = findings(tmp_path, TWO_ARM.replace("sample_size: 60", "sample_size: -1"))
    line = 1 + TWO_ARM.splitlines().index("sample_size: 60")
    assert [finding.place for finding in found] == [f"sample_size (line {line})"]


def test_all_faults_of_a_file_come_in_one_error_in_file_order(tmp_path: Path) -> None:
    text = (
        TWO_ARM.replace("product: umbilical_cord_msc", "product: umbilical_chord_msc")
        .replace("dose_per_kg: 1.0e6", "dose_per_kg: -1.0e6")
        .replace("days: [0, 91, 182", "days: [-7, 91, 182")
        .replace("blinded: true", "blindd: true")
        .replace("contrast: [two_infusions, placebo]", "contrast: [two_infusion, placebo]", 1)
    )
    places = [finding.place.split(" (")[0] for finding in findings(tmp_path, text)]
    assert set(places) == {
        "blinded",
        "blindd",
        "arms[1].regimen[0].product",
        "arms[1].regimen[0].dose_per_kg",
        "visits.days[0]",
        "endpoints[0].contrast[0]",
    }
    assert places.index("blindd") < places.index("arms[1].regimen[0].product") < places.index("visits.days[0]")


def test_a_fault_behind_a_broken_end_point_keeps_its_place(tmp_path: Path) -> None:
    text = TWO_ARM.replace("kind: change", "kind: chang", 1).replace(
        "    event: death\n    day: 364", "    event: death\n    day: 900"
    )
    places = [finding.place.split(" (")[0] for finding in findings(tmp_path, text)]
    assert "endpoints[3].day" in places
