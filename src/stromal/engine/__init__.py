"""The numerical core: any model that SBML or Antimony text describes, solved for many patients.

It knows no biology. `load` reads a model, `solve` carries patients through a schedule of actions.
"""

from stromal.engine.load import antimony_to_sbml, load
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.timeline import empty_schedule
from stromal.engine.trajectories import Final, Status, Trajectories

__all__ = [
    "Final",
    "Status",
    "System",
    "Trajectories",
    "antimony_to_sbml",
    "empty_schedule",
    "load",
    "solve",
]
