"""In-silico trials of mesenchymal stromal cell therapy in systemic sclerosis.

The floors of the house, from the ground up; imports point downward only:

- `stromal.compute`: errors, findings, keyed random streams, content hashes.
- `stromal.engine`: the solver; it knows no biology.
- `stromal.design`: what a user writes, as frozen specifications.
- `stromal.biology`: the disease and its therapies, one file per mechanism.
- `stromal.population`: virtual patients.
- `stromal.trial`: conduct, end points, analyses, operating characteristics.
- `stromal.report`: figures, the HTML report, exports.
- `stromal.cli`: the command line, a thin layer over the same functions.

For research and trial design only; nothing here may guide the treatment of a patient.
"""

from importlib.metadata import version

__version__ = version("stromal")
