"""A run: the same summary for any number of workers and any cut into pieces, valid JSON with every key."""

import functools
import importlib
import json

import pandas as pd
import pytest

from stromal.compute.content import canonical_json
from stromal.trial.replicates import pieces

RUN = importlib.import_module("stromal.trial.run")
KEYS = {
    "endpoint", "visit", "contrast", "estimand", "analysis", "alpha", "sides", "benefit", "truth", "truth_mcse",
    "effect_mean", "effect_sd", "bias", "coverage", "coverage_mcse", "type_one_error", "type_one_error_mcse",
    "power", "power_mcse", "probability_of_success", "probability_of_success_mcse",
}  # fmt: skip
REPLICATES = 2


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(RUN, "TRUTH_PATIENTS", 0)


def run(design, **options):
    return RUN.run(design, **({"replicates": REPLICATES, "seed": 1} | options))


def ordered(result):
    keys = ["scenario", "replicate", "endpoint"]
    return result.replicates.sort_values(keys).reset_index(drop=True)


def assert_same_summary(first, second):
    assert canonical_json(first.summary) == canonical_json(second.summary)
    pd.testing.assert_frame_equal(ordered(first), ordered(second), check_exact=True)
    for scenario, data in first.example.items():
        pd.testing.assert_frame_equal(second.example[scenario].patients, data.patients, check_exact=True)


def test_neither_workers_nor_the_cut_into_pieces_change_a_bit(tiny, few, monkeypatch):
    one = run(tiny)
    monkeypatch.setattr(RUN, "pieces", functools.partial(pieces, patients=1))
    assert len(RUN.plan(tiny, REPLICATES, 1)) == REPLICATES
    assert_same_summary(one, run(tiny, workers=3))


def test_a_run_that_goes_on_with_kept_pieces_ends_as_if_never_interrupted(tiny, few, stable_disease, monkeypatch):
    monkeypatch.setattr(RUN, "pieces", functools.partial(pieces, patients=1))
    kept, again = {}, []
    one = run(tiny, replicates=3, keep=kept.__setitem__)
    assert sorted(kept) == [0, 1, 2]
    half = {k: v for k, v in kept.items() if k % 2}
    resumed = run(tiny, replicates=3, done=half, keep=lambda position, _: again.append(position))
    assert sorted([*again, *half]) == sorted(kept)
    assert_same_summary(one, resumed)


def test_trajectories_come_from_the_same_replicates_however_the_work_is_cut(tiny, monkeypatch):
    """A long run keeps the data of its first replicates only: those, and not those of the pieces they are in."""
    monkeypatch.setattr(RUN, "TRAJECTORY_REPLICATES", 5)

    def shown():
        kept = [p.replicates for p in RUN.plan(tiny, 12, 1) if p.keep_data]
        return [r for replicates in kept for r in replicates]

    for patients in (1, 24, 40, 1000):
        monkeypatch.setattr(RUN, "pieces", functools.partial(pieces, patients=patients))
        assert shown() == [0, 1, 2, 3, 4]
        trials = [p for p in RUN.plan(tiny, 12, 1) if not p.is_truth]
        assert [r for p in trials for r in p.replicates] == list(range(12))


def test_the_summary_has_every_key_is_json_and_depends_on_the_seed(tiny, stable_disease, monkeypatch):
    monkeypatch.setattr(RUN, "TRUTH_PATIENTS", 1)  # one group of patients
    done = []
    first = run(tiny, replicates=2, progress=lambda k, n: done.append((k, n)))
    summary = json.loads(canonical_json(first.summary))
    assert {
        "design", "replicates", "seed", "endpoints", "trajectories", "safety", "supply", "failures",
        "effect", "population_draws",
    } <= summary.keys()  # fmt: skip
    assert {"title", "registry", "content_hash"} <= summary["design"].keys()
    assert (summary["replicates"], summary["seed"], summary["failures"]) == (2, 1, 0)
    assert [e["endpoint"] for e in summary["endpoints"]] == [e.name for e in tiny.endpoints]
    for entry in summary["endpoints"]:
        assert entry.keys() >= KEYS
        assert entry["truth"] is not None
        assert 0.0 <= entry["power"] <= 1.0
    seen = {(t["scenario"], t["arm"], t["day"], t["value"]) for t in summary["trajectories"]}
    assert {(s, a.name, d, v) for s in RUN.SCENARIOS for a in tiny.arms for d in tiny.visits.days
            for v in ("true", "measured")} <= seen  # fmt: skip
    assert [row["arm"] for row in summary["safety"]] == [arm.name for arm in tiny.arms]
    assert summary["supply"]["infusions_mean"] > 0
    assert summary["supply"]["lots"] is None
    assert done[0][0] == 0
    assert done[-1][0] == done[-1][1] == len(RUN.plan(tiny, 2, 1))
    monkeypatch.setattr(RUN, "TRUTH_PATIENTS", 0)
    other = run(tiny, replicates=1, seed=2)
    estimates = [ordered(r).query("replicate == 0")["estimate"].to_numpy() for r in (first, other)]
    assert (estimates[0] != estimates[1]).any()
    assert canonical_json(other.summary["baseline"]) != canonical_json(first.summary["baseline"])


def test_a_design_without_a_control_arm_runs(series, few, stable_disease):
    small = series.model_copy(update={"sample_size": 5})
    summary = json.loads(canonical_json(run(small, replicates=1).summary))
    change = summary["endpoints"][0]
    assert change["contrast"] is None
    assert change["analysis"] == "mean_change"
    assert change["effect_mean"] is not None
