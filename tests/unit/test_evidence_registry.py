"""ClinicalTrials.gov: design, arms and posted results, with numbers as they were posted."""

import json
from pathlib import Path
from typing import Any

import pytest

from stromal.evidence.records import csl, registry, writing
from stromal.evidence.records.record import Record, Rejected

CONTENT = (Path(__file__).parent / "evidence_samples" / "sample.registry.json").read_bytes()
STUDY = json.loads(CONTENT)["studies"][0]


def one(said: Any) -> Record:
    (record,) = registry.read(json.dumps(said).encode(), "x.json")
    assert isinstance(record, Record)
    return record


def test_a_registration_is_a_citable_item() -> None:
    record = one(STUDY)
    assert record.identifiers == ("nct:NCT01234567",)
    expected = {
        "type": "dataset",
        "title": "An Invented Randomised Trial of MSC in SSc",
        "title-short": "INVENT",
        "author": [{"literal": "Invented Hospital"}],
        "issued": {"date-parts": [[2017, 12, 5]]},
        "publisher": "ClinicalTrials.gov",
        "abstract": "Is it safe?\n\nDetails.",
        "URL": "https://clinicaltrials.gov/study/NCT01234567",
    }
    assert {key: record.item.get(key) for key in expected} == expected
    assert record.keywords == ("Systemic Sclerosis", "MSC")
    assert record.origin["title"] == "protocolSection.identificationModule.officialTitle"


def test_design_arms_and_outcomes_are_taken() -> None:
    trial = one(STUDY).item["custom"]["registry"]
    assert trial["enrollment"] == {"count": "18", "type": "ACTUAL"}
    assert (trial["allocation"], trial["masking"], trial["phases"]) == ("RANDOMIZED", "DOUBLE", ["PHASE1", "PHASE2"])
    assert trial["other_ids"] == ["INV-1", "2018-000001-11"]
    assert trial["arms"] == [
        {
            "label": "MSC",
            "type": "EXPERIMENTAL",
            "description": "One infusion",
            "interventions": ["Biological: UC-MSC"],
        },
        {"label": "Placebo", "type": "PLACEBO_COMPARATOR"},
    ]
    assert trial["outcomes"][0] == {"type": "primary", "measure": "mRSS", "time_frame": "12 months"}
    assert trial["references"] == [{"id": "pmid:12345", "type": "RESULT", "citation": "Peltzer J. 2018."}]


def test_results_keep_their_digits_groups_and_numbers_of_patients() -> None:
    results = one(STUDY).item["custom"]["registry"]["results"]
    (measure,) = results["measures"]
    assert measure["values"] == [
        {"group": "OG000", "class": "Change", "value": "-4.70", "spread": "3.1"},
        {"group": "OG001", "class": "Change", "value": "-2.0", "low": "-5", "high": "1", "comment": "one missing"},
    ]
    assert (measure["unit"], measure["statistic"], measure["dispersion"]) == ("points", "MEAN", "STANDARD_DEVIATION")
    assert measure["counts"][1] == {"group": "OG001", "units": "Participants", "value": "8"}
    assert measure["groups"][1] == {"id": "OG001", "title": "Placebo"}
    assert measure["analyses"] == [{"groupIds": ["OG000", "OG001"], "pValue": "0.04", "statisticalMethod": "ANCOVA"}]
    assert results["baseline"][0]["values"] == [{"group": "BG000", "value": "48.0", "spread": "11.50"}]
    assert results["baseline"][0]["counts"] == [{"group": "BG000", "units": "Participants", "value": "9"}]
    assert results["flow"]["steps"] == [{"period": "Overall", "milestone": "STARTED", "group": "FG000", "count": "9"}]
    (harmed,) = results["adverse_events"]["groups"]
    assert (harmed["deaths"], harmed["serious"], harmed["serious_at_risk"]) == ("0", "1", "9")
    assert results["adverse_events"]["events"][0]["term"] == "Pneumonia"


def test_numbers_of_patients_of_a_class_go_with_its_values() -> None:
    said = json.loads(json.dumps(STUDY))
    classes = said["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"][0]["classes"]
    classes[0]["denoms"] = [{"units": "Participants", "counts": [{"groupId": "OG000", "value": "7"}]}]
    values = one(said).item["custom"]["registry"]["results"]["measures"][0]["values"]
    assert [value.get("n") for value in values] == ["7", None]


@pytest.mark.parametrize("said", [STUDY, [STUDY], {"studies": [STUDY], "nextPageToken": "x"}])
def test_single_studies_lists_and_pages_are_read(said: Any) -> None:
    record = one(said)
    assert json.loads(record.source.content) == STUDY
    names = {field.name for field in record.fields}
    assert "protocolSection.eligibilityModule.minimumAge" in names
    assert "resultsSection.outcomeMeasuresModule.outcomeMeasures" in names


def test_a_study_without_number_is_rejected_and_one_of_odd_parts_is_read() -> None:
    found = list(registry.read(json.dumps({"studies": [{"protocolSection": {}}, STUDY]}).encode(), "x"))
    assert [type(part) for part in found] == [Rejected, Record]
    odd = {
        "protocolSection": {
            **dict.fromkeys(STUDY["protocolSection"], "odd"),
            "identificationModule": {"nctId": "NCT01234567", "briefTitle": "t"},
        }
    }
    assert one({**odd, "resultsSection": []}).title == "t"


def test_results_left_out_of_the_file_are_said() -> None:
    assert any("leaves out" in remark for remark in one({**STUDY, "resultsSection": None}).remarks)


def test_the_trial_survives_export() -> None:
    record = one(STUDY)
    for form in ("csl", "jsonl"):
        (again,) = csl.read(writing.text([record], form).encode(), "y")
        assert isinstance(again, Record)
        assert again.item == record.item
        assert again.identifiers == record.identifiers
