"""The numerical core: any model that SBML or Antimony text describes, solved for many patients.

It knows no biology. `load` reads a model, `solve` carries patients through a schedule of actions; `simulate` runs a
model once, `solve_chunks` with `reduce` or `write_parquet` serves more patients than memory holds, `solve_adaptive`
asks on the way what is to be done next.
"""

from stromal.engine.decisions import Adaptive, Decision, solve_adaptive
from stromal.engine.ensemble import solve_chunks
from stromal.engine.load import antimony_to_sbml, examine, load
from stromal.engine.parquet import write_parquet
from stromal.engine.quantiles import Quantiles
from stromal.engine.reducers import Mean, Reducer, Reduction, TimeToThreshold, reduce
from stromal.engine.simulate import Simulation, simulate
from stromal.engine.solve import solve
from stromal.engine.system import System
from stromal.engine.timeline import empty_schedule
from stromal.engine.trajectories import Final, Status, Trajectories

__all__ = [
    "Adaptive",
    "Decision",
    "Final",
    "Mean",
    "Quantiles",
    "Reducer",
    "Reduction",
    "Simulation",
    "Status",
    "System",
    "TimeToThreshold",
    "Trajectories",
    "antimony_to_sbml",
    "empty_schedule",
    "examine",
    "load",
    "reduce",
    "simulate",
    "solve",
    "solve_adaptive",
    "solve_chunks",
    "write_parquet",
]
