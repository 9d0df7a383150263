"""Search in a library: an index beside it that can be deleted and is made again."""

from stromal.evidence.search.documents import FACETS, Standing
from stromal.evidence.search.facets import FacetCount, Filters
from stromal.evidence.search.highlights import Marked
from stromal.evidence.search.index import Hit, Index, Results

__all__ = ["Index", "Results", "Hit", "Marked", "FACETS", "FacetCount", "Filters", "Standing"]
