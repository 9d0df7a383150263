"""What a user writes: a trial design as frozen specs, read from YAML."""

from stromal.design.arms import Arm, Course
from stromal.design.base import Range
from stromal.design.catalogue import MEASURES, PRODUCTS, Measure, Product
from stromal.design.conduct import Effect, Measurement, Randomisation, Retention, Safety, Visits
from stromal.design.eligibility import (
    AntibodyCriterion,
    AnyOf,
    Criterion,
    FailedTreatment,
    MeasureCriterion,
    SubsetCriterion,
)
from stromal.design.endpoints import EndPoint
from stromal.design.population import Population, PriorTreatment
from stromal.design.published import PublishedArm, PublishedTrial
from stromal.design.reading import read_design, read_published, resolved_yaml
from stromal.design.trial import TrialDesign, design_findings

__all__ = [
    "MEASURES",
    "PRODUCTS",
    "AntibodyCriterion",
    "AnyOf",
    "Arm",
    "Course",
    "Criterion",
    "Effect",
    "EndPoint",
    "FailedTreatment",
    "Measure",
    "MeasureCriterion",
    "Measurement",
    "Population",
    "PriorTreatment",
    "Product",
    "PublishedArm",
    "PublishedTrial",
    "Randomisation",
    "Range",
    "Retention",
    "Safety",
    "SubsetCriterion",
    "TrialDesign",
    "Visits",
    "design_findings",
    "read_design",
    "read_published",
    "resolved_yaml",
]
