"""What a reader sees: figures, and the report of a run as one HTML file."""

from stromal.report.document import write_report
from stromal.report.people_figures import patient_figure, population_figure
from stromal.report.simulation_figure import simulation_figure

__all__ = ["write_report", "patient_figure", "population_figure", "simulation_figure"]
