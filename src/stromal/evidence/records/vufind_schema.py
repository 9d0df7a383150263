"""Fields of VuFind's Solr index: their names, which hold one value, and what a value looks like.

References
----------
``solr/vufind/biblio/conf/schema.xml`` of VuFind 1 to 10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_SINGLE: Final = """
    _version_ id fullrecord record_format recordtype author_sort title title_sort title_sub title_short title_full
    title_full_unstemmed title_auth edition description thumbnail lccn callnumber-first callnumber-subject
    callnumber-label callnumber-sort dewey-sort illustrated container_title container_volume container_issue
    container_start_page container_reference hierarchytype is_hierarchy_id is_hierarchy_title first_indexed
    last_indexed publishDateSort score
"""
_SEVERAL: Final = """
    marc_error spelling spellingShingle institution collection building language format author author_variant
    author_fuller author_role author_facet author_browse author_additional author_corporate author_corporate_role
    author2 author2_variant author2_fuller author2_role author2-role title_fullStr title_alt title_old title_new
    physical publisher publisherStr publishDate contents url ctrlnum isbn issn oclc_num callnumber-raw
    callnumber-search dewey-hundreds dewey-tens dewey-ones dewey-full dewey-raw dewey-search dateSpan series series2
    topic topic_unstemmed topic_facet topic_browse genre genre_facet geographic geographic_facet era era_facet
    long_lat long_lat_display long_lat_label hierarchy_top_id hierarchy_top_title hierarchy_parent_id
    hierarchy_parent_title hierarchy_sequence hierarchy_browse title_in_hierarchy sources
"""
SINGLE: Final = frozenset(_SINGLE.split())
"""Fields with one value."""
SEVERAL: Final = frozenset(_SEVERAL.split())
"""Fields with any number of values; ``sources`` is not VuFind's own, but common."""
SEVERAL_LINES: Final = frozenset({"description", "fullrecord"})
"""Fields the value of which may have line ends."""
SHINGLE: Final = ("author", "title", "contents", "series", "topic")
"""Fields of which ``spellingShingle`` is the copy, in this order."""

USUAL: Final = frozenset(
    ("collection", "language", "format", "author", "title", "publisher", "series", "description", "topic")
)
"""Fields that nearly every record has, and whose names are words."""

DOAJ: Final = USUAL | {"id", "spelling", "institution", "sources", "issn", "url"}
"""Fields of records of DOAJ whose names are words."""

_DYNAMIC: Final = re.compile(r"[A-Za-z][\w.-]*_(?:str|txt|txtF|txtP|date|isn|boolean|geo)(_mv)?")
_SNAKE: Final = re.compile(r"_?[a-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*_[A-Za-z0-9_]+")
_WORD: Final = re.compile(r"[a-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")

_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "_version_": re.compile(r"\d{1,19}"),
    "id": re.compile(r"(?=.*(?:\d|[0-9a-f]{32}))\S+"),
    "url": re.compile(r"[a-z][a-z0-9+.-]*://\S.*"),
    "thumbnail": re.compile(r"\S+"),
    "issn": re.compile(r"\d{4}-?\d{3}[\dXx](?:[ (:;,].*)?"),
    "isbn": re.compile(r"[\d-]{9,16}[\dXx](?:[ (:;,].*)?"),
    "publishDate": re.compile(r".{0,40}\d.{0,40}"),
    "first_indexed": re.compile(_TIME),
    "last_indexed": re.compile(_TIME),
    "work_keys_str_mv": re.compile(r"(?:AT|UT) \S.*"),
    "illustrated": re.compile(r"(?:Not )?Illustrated"),
    "record_format": re.compile(r"\S+"),
    "recordtype": re.compile(r"\S+"),
}
_DYNAMIC_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "boolean": re.compile(r"true|false"),
    "date": re.compile(_TIME),
}


def known(name: str) -> bool:
    """Whether a field of this name is in every VuFind, or has the ending of a field that a site may add."""
    return name in SINGLE or name in SEVERAL or _DYNAMIC.fullmatch(name) is not None


def single(name: str) -> bool:
    """Whether a known field holds one value."""
    if name in SINGLE:
        return True
    dynamic = _DYNAMIC.fullmatch(name)
    return dynamic is not None and dynamic.group(1) is None and name not in SEVERAL


def typed(name: str) -> bool:
    """Whether the values of a field have a form by which they can be told from other text."""
    return _form(name) is not None


def fits(name: str, value: str) -> bool:
    """Whether a value has the form of those of the field; True for a field of free text."""
    form = _form(name)
    return form is None or form.fullmatch(value) is not None


def begins(name: str, value: str) -> bool:
    """Whether a line with the name of a field and a value begins that field.

    A name that is a word of common language must have a value of its form behind it.
    """
    return known(name) and (fits(name, value) or not (plain_word(name) or name.startswith("_")))


def plain_word(name: str) -> bool:
    """Whether a line of text may begin with the name by chance: it is one word."""
    return name.isalpha() and name.islower()


def site_field(name: str) -> bool:
    """Whether an unknown name has the form of a field's: parts with ``_`` between them."""
    return _SNAKE.fullmatch(name) is not None


def may_be_field(name: str) -> bool:
    """Whether an unknown name could be that of a field."""
    return _WORD.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _form(name: str) -> re.Pattern[str] | None:
    if name in _FORMS:
        return _FORMS[name]
    for ending, form in _DYNAMIC_FORMS.items():
        if name.endswith((f"_{ending}", f"_{ending}_mv")) and _DYNAMIC.fullmatch(name):
            return form
    return None
