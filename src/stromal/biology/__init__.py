"""The disease and its therapies as a model, one file per mechanism and per therapy.

`compose` puts the files together as Antimony text, `model` reads them into the engine; `actions` and
`trigger` turn what a patient meets into a schedule; `parameter_table` holds every number with its source.
"""

from stromal.biology.composition import compose, model, sbml
from stromal.biology.organ_events import organ_events
from stromal.biology.parameters import neutral, parameter_table
from stromal.biology.schedule import actions, trigger

__all__ = ["actions", "compose", "model", "neutral", "organ_events", "parameter_table", "sbml", "trigger"]
