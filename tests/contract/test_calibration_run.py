"""A whole calibration, with studies that answer at once in the place of simulated ones: files and resuming."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stromal.calibration import cells, exploring
from stromal.calibration import run as running
from stromal.calibration.artefact import read_cells, read_literature
from stromal.calibration.cohorts import Simulated
from stromal.calibration.fitting import Plan, shipped_observations
from stromal.calibration.literature import Study
from stromal.compute.errors import InputError
from stromal.compute.randomness import Streams
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import MSC_EFFECT, Posterior

PLAN = Plan(first=150, second=50, patients=20, draws=60, seed=3)
FILES = ("posterior.csv", "emulators.csv", "cells.csv", "support.csv")


def answer(study: Study, posterior: Posterior, seed: int, draws: Sequence[int], patients: int) -> Simulated:
    """Skin falls with the first hyperparameter and with the MSC effect; a little noise, keyed as the real one is."""
    names, size = hyperparameters().names, (len(draws), len(study.results))
    first = np.array([posterior.of(d)[names[0]] for d in draws])[:, None]
    effect = np.array([posterior.of(d)[MSC_EFFECT] for d in draws])[:, None]
    noise = np.stack([Streams(seed, d).normal(f"test {study.trial.trial}", size[1]) for d in draws])
    cured = np.array([[any(c.kind == "cells" for c in r.arm.regimen) for r in study.results]])
    shares = np.array([[r.statistic.kind in ("share", "survival", "mortality") for r in study.results]])
    control = np.where(shares, 50.0, 0.0) - 3.0 - first + 0.2 * noise
    support = pd.DataFrame(
        [
            {"draw": d, "arm": a, "eligible": patients, "screened": 96, "ess": 20.0, "missed": "", "supported": True}
            for d in draws
            for a in dict.fromkeys(r.arm.name for r in study.results)
        ]
    )
    return Simulated(control - 2.0 * cured * effect, np.full(size, 6.0), control, np.ones(size), support, 0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "simulate", answer)
    monkeypatch.setattr(cells, "simulate", answer)
    monkeypatch.setattr("stromal.calibration.fitting.draw_posterior.__kwdefaults__", {"steps": 60, "start": None})


def calibration(out: Path, *, resume: bool = False, stop_after: int | None = None) -> running.Calibrated:
    seen: list[int] = []

    def progress(_what: str, done: int, _total: int) -> None:
        seen.append(done)
        if stop_after is not None and len(seen) > stop_after:
            raise KeyboardInterrupt

    return running.run_calibration(
        PLAN, out=out, workers=1, resume=resume, progress=progress, command="stromal calibrate"
    )


def test_a_calibration_that_was_stopped_goes_on_and_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = calibration(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        calibration(tmp_path / "cut", stop_after=40)
    assert not (tmp_path / "cut" / "posterior.csv").exists()
    with pytest.raises(InputError, match="unfinished"):
        calibration(tmp_path / "cut")
    resumed = calibration(tmp_path / "cut", resume=True)
    for name in FILES:
        assert (whole.folder / name).read_bytes() == (resumed.folder / name).read_bytes()
    assert calibration(tmp_path / "cut", resume=True).was_complete


def test_what_a_calibration_writes_is_what_the_package_reads(tmp_path: Path) -> None:
    done = calibration(tmp_path / "run")
    _, _, observed = shipped_observations()
    literature = read_literature(observed, done.folder)
    assert len(literature.fitted) == done.about["results_fitted"]
    draws = pd.read_csv(done.folder / "posterior.csv")
    assert len(draws) == PLAN.draws
    assert set(draws.columns) >= {*hyperparameters().names, MSC_EFFECT}
    added, _ = read_cells(done.folder)[cells.FITTED]
    assert added[:, 0] == pytest.approx([-2.0 * level for level in cells.LEVELS])
    about = json.loads((done.folder / "posterior.json").read_text(encoding="utf-8"))
    assert 0.0 < about["msc_effect"]["posterior_none"] < 1.0
    assert about["plan"]["seed"] == PLAN.seed
