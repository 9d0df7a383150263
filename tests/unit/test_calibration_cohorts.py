"""Simulated studies: what one draw gives depends on that draw alone, and cells without effect add nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stromal.calibration import cells
from stromal.calibration.cohorts import Simulated, simulate
from stromal.calibration.exploring import collected, first_points, pieces, run_piece
from stromal.calibration.fitting import shipped_observations
from stromal.calibration.literature import Study
from stromal.compute.executor import run_pieces
from stromal.population.hyperparameters import hyperparameters
from stromal.population.posterior import Posterior
from stromal.population.recipe import shipped_recipe

PATIENTS = 20
POINTS = first_points(hyperparameters(), 4, 1)


def _study(name: str) -> Study:
    _, found, _ = shipped_observations()
    return next(s for s in found if s.trial.trial == name)


def _simulated(name: str, draws: list[int], points: pd.DataFrame = POINTS) -> Simulated:
    return simulate(_study(name), Posterior(shipped_recipe(), points), 5, draws, PATIENTS)


def test_a_draw_is_the_same_whoever_else_is_simulated() -> None:
    together, alone = _simulated("NOVESA", [0, 1, 2]), _simulated("NOVESA", [1])
    for name in ("mean", "sd", "control", "drift"):
        assert np.array_equal(getattr(together, name)[1], getattr(alone, name)[0])


def test_an_arm_without_a_regimen_is_its_own_control_and_a_drug_changes_the_skin() -> None:
    found = _simulated("faSScinate", [0, 1])
    results = _study("faSScinate").results
    placebo = [k for k, r in enumerate(results) if not r.arm.regimen]
    treated = [k for k, r in enumerate(results) if r.arm.regimen and r.statistic.kind == "change"]
    assert np.array_equal(found.mean[:, placebo], found.control[:, placebo])
    assert (found.mean[:, treated] < found.control[:, treated]).all()


def test_cells_without_effect_add_nothing_and_more_effect_adds_more() -> None:
    study = _study(cells.FITTED)
    todo = cells.pieces([study], POINTS.iloc[:2], 1, PATIENTS)
    added = cells.added(todo, [cells.run_piece(p) for p in todo])[study.trial.trial]
    assert (added[0] == 0.0).all()
    assert (np.diff(added[:, :, 0], axis=0) < 0.0).all()


def test_neither_workers_nor_pieces_change_what_a_wave_finds() -> None:
    study = _study("NOVESA")
    whole = pieces([study], POINTS, 1, 0, PATIENTS)
    cut = [type(whole[0])(study, POINTS, (k,), whole[0].seed, PATIENTS) for k in range(len(POINTS))]
    results = dict(run_pieces(run_piece, cut, 2))
    one = collected(whole, [run_piece(whole[0])], hyperparameters())
    other = collected(cut, [results[k] for k in range(len(cut))], hyperparameters())
    for name in ("mean", "sd", "control", "drift", "ess"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_too_few_patients_of_a_group_give_no_prediction() -> None:
    found = _simulated("SENSCIS", [0])
    assert found.support["eligible"].tolist()[0] <= PATIENTS
    assert np.isnan(found.mean).any()  # a third of twenty patients are fewer than a group needs
    assert found.mean[0][np.isfinite(found.mean[0])].size > 0
    assert found.failures == 0
