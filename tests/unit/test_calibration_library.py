"""The shipped library of published trials: every file loads, and every usable result has a file and an arm."""

from pathlib import Path

import pytest

import stromal.calibration
from stromal.design import MeasureCriterion, PublishedTrial, SubsetCriterion, read_published
from stromal.evidence.usable import usable_results

FILES = sorted((Path(stromal.calibration.__file__).parent / "library").glob("*.yaml"))
CALIBRATED = ("skin score", "skin responders", "FVC", "FVC decliners", "survival")


@pytest.fixture(scope="module")
def library() -> dict[str, PublishedTrial]:
    return {file.stem: read_published(file) for file in FILES}


def reported(*groups: str) -> dict[str, set[str]]:
    """Arms by trial that have usable results of these groups, of any group when none is given."""
    table = usable_results()
    if groups:
        table = table[table["group"].isin(groups)]
    return {trial: set(rows["arm"]) for trial, rows in table.groupby("trial")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_the_library_loads(file: Path) -> None:
    trial = read_published(file)
    assert trial.source is not None or trial.assumed


def test_there_are_files() -> None:
    assert len(FILES) > 50


def test_no_trial_has_two_files(library: dict[str, PublishedTrial]) -> None:
    names = [trial.trial for trial in library.values()]
    assert len(set(names)) == len(names)


def test_every_arm_with_a_usable_result_is_named_in_the_file_of_its_trial(library: dict[str, PublishedTrial]) -> None:
    known = {trial.trial: {arm.name for arm in trial.arms} for trial in library.values()}
    pairs = {(trial, arm) for trial, arms in reported().items() if trial in known for arm in arms}
    assert {(trial, arm) for trial, arm in pairs if arm not in known[trial]} == set()


def test_every_population_of_a_usable_result_is_a_group_in_the_file_of_its_trial(
    library: dict[str, PublishedTrial],
) -> None:
    named = {(trial.trial, group.population) for trial in library.values() for group in trial.groups}
    table = usable_results()
    told = table[table["population"] != ""]
    assert len(told)
    assert set(zip(told["trial"], told["population"], strict=True)) - named == set()


def test_a_group_that_is_not_simulated_has_no_criteria(library: dict[str, PublishedTrial]) -> None:
    for trial in library.values():
        for group in trial.groups:
            assert group.not_simulated is None or not (group.eligibility or group.among), group.population


def test_each_subset_of_the_spanish_registry_is_an_arm_of_one_file(library: dict[str, PublishedTrial]) -> None:
    registry = library["rescle"]
    assert registry.population.subsets == {"diffuse": 0.5, "limited": 0.5}
    assert {arm.name: arm.eligibility for arm in registry.arms} == {
        "dcSSc": (SubsetCriterion(subset=("diffuse",)),),
        "lcSSc": (SubsetCriterion(subset=("limited",)),),
    }


@pytest.mark.parametrize("group", CALIBRATED)
def test_every_trial_with_a_usable_result_of_a_calibrated_group_has_a_file(
    group: str, library: dict[str, PublishedTrial]
) -> None:
    with_file = {trial.trial for trial in library.values()}
    assert sorted(reported(group).keys() - with_file) == []


def test_an_arm_says_what_it_gave_or_why_it_is_not_simulated(library: dict[str, PublishedTrial]) -> None:
    """An arm without either is untreated, which only these names may be."""
    untreated = ("placebo", "control", "all arms pooled", "low-dose D-Pen", "no immunosuppressant")
    cohorts = ("eustar", "press", "rescle", "french", "royal_free")
    for stem, trial in library.items():
        for arm in trial.arms:
            silent = not arm.regimen and arm.not_simulated is None and not arm.among
            assert not silent or arm.name.startswith(untreated) or stem.startswith(cohorts), (stem, arm.name)


def test_the_last_visit_is_not_before_the_last_day_of_an_infusion(library: dict[str, PublishedTrial]) -> None:
    late = [
        (stem, arm.name)
        for stem, trial in library.items()
        for arm in trial.arms
        for course in arm.regimen
        if course.days and course.days[-1] > trial.visits.last
    ]
    assert late == []


def test_candidates_can_meet_the_limit_of_disease_duration(library: dict[str, PublishedTrial]) -> None:
    """Referral ends at or before the longest duration that the plain criteria admit, so that screening succeeds."""
    for stem, trial in library.items():
        limits = [
            limit
            for criterion in trial.eligibility
            if isinstance(criterion, MeasureCriterion) and criterion.measure == "disease_duration_months"
            for limit in (criterion.at_most, criterion.below)
            if limit is not None
        ]
        assert all(trial.population.referral_months.high <= limit for limit in limits), stem
