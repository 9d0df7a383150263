"""Drive machine code: patients through lanes, each on time steps of its own.

`memory` names the arrays, `advance` takes steps and fills lanes, `happenings` applies what a schedule and the events
of a model do to a patient, `crossings` finds when a condition turns inside a step, `calls` calls the machine code,
`compiled` says how all this is compiled: by Numba, once per machine, whatever the model.
"""
