"""The same patients at every point of a sensitivity analysis, with and without one infusion of cord cells.

What cells do changes nothing in a patient who gets none, so patients are followed to baseline and without cells only
once for each setting of the disease, and with cells at every point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stromal.biology import parameter_table
from stromal.compute.randomness import Streams
from stromal.design import Course, Measurement, Range
from stromal.design.base import FrozenMapping
from stromal.design.eligibility import MeasureCriterion
from stromal.design.population import Population, PriorTreatment
from stromal.engine import Final as FinalState
from stromal.engine.trajectories import solved
from stromal.population.candidates import Candidates, draw, joined
from stromal.population.enrolment import meets
from stromal.population.history import course, from_entry, to_referral
from stromal.population.hyperparameters import hyperparameters
from stromal.population.measurement import SCREENING, measured_values, true_values
from stromal.population.posterior import MSC_EFFECT
from stromal.population.recipe import shipped_recipe

Array = NDArray[np.float64]
POPULATION: Final = Population(
    subsets=FrozenMapping({"diffuse": 1.0, "limited": 0.0}),
    referral_months=Range(low=3.0, high=36.0),
    prior_treatment=PriorTreatment(
        products=FrozenMapping({"mycophenolate": 0.3, "methotrexate": 0.2}), months=Range(low=3.0, high=12.0)
    ),
    background=FrozenMapping({"mycophenolate": 0.5}),
)
"""Early diffuse disease, as in `examples/two-arm-60.yaml`."""
ELIGIBILITY: Final = (
    MeasureCriterion(measure="mrss", at_least=15.0, at_most=40.0),
    MeasureCriterion(measure="fvc_pct", at_least=45.0),
    MeasureCriterion(measure="dlco_pct", at_least=40.0),
)
"""What that example asks of measured values."""
INFUSION: Final = Course(product="umbilical_cord_msc", dose_per_kg=1e6, route="iv", days=(0,))
SCREENING_DAYS: Final = 28.0
YEAR: Final = 364.0
"""Day of the visit at 52 weeks."""
RESULTS: Final[Mapping[str, str]] = {
    "mrss_change": "change of the true skin score in 52 weeks without cells [points]",
    "mrss_difference": "what cells add to the true skin score at 52 weeks [points]",
    "fvc_difference": "what cells add to the true FVC at 52 weeks [% predicted]",
    "mrss_change_sd": "SD between patients of the change of the true skin score without cells [points]",
}


@final
@dataclass(frozen=True)
class FixedCohort:
    """Who is followed: candidates of one seed, by number."""

    seed: int
    numbers: tuple[int, ...]

    def candidates(self, disease: Mapping[str, float]) -> Candidates:
        """The same people where the hyperparameters have these natural logarithms."""
        recipe = hyperparameters().recipe(shipped_recipe(), disease)
        first, last = self.numbers[0], self.numbers[-1]
        many = draw(recipe, POPULATION, Streams(self.seed, 0), first, last - first + 1)
        return many.take(np.array(self.numbers) - first)


def fixed_cohort(seed: int, patients: int) -> FixedCohort:
    """The first candidates who are eligible by measured values at the middles of the priors."""
    numbers: list[int] = []
    start, size = 0, 2 * patients
    while len(numbers) < patients:
        candidates = FixedCohort(seed, tuple(range(start, start + size))).candidates(_middle())
        reached, people = to_referral(candidates, POPULATION), candidates.people
        true = true_values(reached, people)
        values = measured_values(true, people, Measurement(), shipped_recipe(), [SCREENING], seed)
        measured = pd.DataFrame({name: v[:, 0] for name, v in values.items()})
        ok = solved(reached.status)
        for criterion in ELIGIBILITY:
            ok &= meets(criterion, measured, people)
        numbers.extend(int(n) for n in people["candidate"][ok])
        start += size
    return FixedCohort(seed, tuple(numbers[:patients]))


def results_at(points: pd.DataFrame, cohort: FixedCohort) -> tuple[pd.DataFrame, int]:
    """`RESULTS` at every point, and how many courses could not be solved.

    Parameters
    ----------
    points : DataFrame
        Columns are names of factors; those that are missing stay at their base.

    Returns
    -------
    results : DataFrame
        One row per point, over the patients whose courses are whole; NaN with fewer than two.
    failures : int
    """
    middle = _middle()
    learned = [np.log(points[k]) if k in points else pd.Series(m, index=points.index) for k, m in middle.items()]
    settings, which = np.unique(np.column_stack(learned), axis=0, return_inverse=True)
    candidates = joined([cohort.candidates(dict(zip(middle, s, strict=True))) for s in settings])
    screening = to_referral(candidates, POPULATION).final
    without = _year(candidates, candidates.parameters, screening, ())

    n = len(cohort.numbers)
    rows = (n * which.reshape(-1, 1) + np.arange(n)).ravel()  # of each point's patients among those of the settings
    treated = candidates.take(rows)
    cells = _year(treated, _with_cells(treated, points, n), screening.take(rows), (INFUSION,))

    untreated = _Year(without.values[rows], without.solved[rows])
    parts = [slice(k * n, (k + 1) * n) for k in range(len(points))]
    failures = int((~without.solved).sum() + (~cells.solved & untreated.solved).sum())
    return pd.DataFrame([_results(untreated.part(p), cells.part(p)) for p in parts]), failures


@final
@dataclass(frozen=True, eq=False)
class _Year:
    """True skin score and FVC at baseline and at 52 weeks, (n_patients, 2 days, 2 outputs)."""

    values: Array
    solved: NDArray[np.bool_]

    def part(self, rows: slice) -> _Year:
        return _Year(self.values[rows], self.solved[rows])


def _middle() -> dict[str, float]:
    """Middle of the prior of each hyperparameter, a natural logarithm."""
    return {name: prior.mean for name, prior in hyperparameters().priors().items()}


def _with_cells(treated: Candidates, points: pd.DataFrame, n: int) -> pd.DataFrame:
    """Parameters of the treated, `n` for each point: what cells do there, times what differs between patients."""
    table, own = parameter_table(), treated.parameters
    effect = points[MSC_EFFECT] if MSC_EFFECT in points else pd.Series(shipped_recipe().msc_effect.scale, points.index)
    changed = {"eff": np.repeat(effect.to_numpy(), n) * treated.people["msc_factor"].to_numpy()}
    for symbol in points.columns.difference([MSC_EFFECT, *hyperparameters().names]):
        level = np.repeat(points[symbol].to_numpy(), n)
        # a median where patients differ, the value itself where they do not
        changed[symbol] = own[symbol] / float(table.at[symbol, "value"]) * level if symbol in own else level
    return own.assign(**changed)


def _year(candidates: Candidates, parameters: pd.DataFrame, start: FinalState, regimen: Sequence[Course]) -> _Year:
    """Follow from screening to 52 weeks after baseline, on the drugs that go on."""
    people = candidates.people
    entry = people["referral"] + SCREENING_DAYS
    schedule = from_entry(candidates, entry, entry + YEAR, regimen, parameters)
    times = entry.to_numpy()[:, None] + np.array([0.0, YEAR])
    reached = course(parameters, schedule, times, ["mRSS", "FVC"], start=start)
    return _Year(reached.values, solved(reached.status))


def _results(untreated: _Year, treated: _Year) -> dict[str, float]:
    """`RESULTS` of one point."""
    ok = untreated.solved & treated.solved
    if ok.sum() < 2:
        return dict.fromkeys(RESULTS, np.nan)
    change = untreated.values[ok, 1, 0] - untreated.values[ok, 0, 0]
    added = (treated.values[ok, 1] - untreated.values[ok, 1]).mean(axis=0)
    return {
        "mrss_change": float(change.mean()),
        "mrss_difference": float(added[0]),
        "fvc_difference": float(added[1]),
        "mrss_change_sd": float(change.std(ddof=1)),
    }
