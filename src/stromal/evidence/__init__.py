"""What is known from published studies, with the source of every number."""

from stromal.evidence.arms import arm_results, arms
from stromal.evidence.changes import msc_changes, placebo_changes, placebo_differences, published_responders

__all__ = ["arms", "arm_results", "placebo_changes", "placebo_differences", "msc_changes", "published_responders"]
