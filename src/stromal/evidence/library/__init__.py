"""The library of a user: records of works in one file, clustered; decisions, relations and texts beside them."""

from stromal.evidence.library.batch import Batch, Entry, Possible
from stromal.evidence.library.events import Event
from stromal.evidence.library.library import Changes, Library
from stromal.evidence.library.lookup import Work
from stromal.evidence.library.merging import Merged, merged
from stromal.evidence.library.overrides import Override
from stromal.evidence.library.relations import Relation
from stromal.evidence.library.texts import Text, text_hash

__all__ = [
    "Library",
    "Work",
    "Merged",
    "merged",
    "Batch",
    "Entry",
    "Possible",
    "Override",
    "Relation",
    "Text",
    "text_hash",
    "Changes",
    "Event",
]
