"""Virtual patients: who they are, how their disease goes until referral, what is measured, who is enrolled."""

from stromal.population.candidates import Candidates, draw
from stromal.population.enrolment import Cohort, enrol
from stromal.population.posterior import Posterior, shipped_posterior
from stromal.population.recipe import PopulationRecipe, shipped_recipe

__all__ = [
    "Candidates",
    "Cohort",
    "PopulationRecipe",
    "Posterior",
    "draw",
    "enrol",
    "shipped_posterior",
    "shipped_recipe",
]
