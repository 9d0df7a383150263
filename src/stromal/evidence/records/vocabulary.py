"""Words of the formats: the types of works that CSL knows, and tables from one vocabulary to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CSL_TYPES: Final = frozenset(
    [
        "article",
        "article-journal",
        "article-magazine",
        "article-newspaper",
        "bill",
        "book",
        "broadcast",
        "chapter",
        "classic",
        "collection",
        "dataset",
        "document",
        "entry",
        "entry-dictionary",
        "entry-encyclopedia",
        "event",
        "figure",
        "graphic",
        "hearing",
        "interview",
        "legal_case",
        "legislation",
        "manuscript",
        "map",
        "motion_picture",
        "musical_score",
        "pamphlet",
        "paper-conference",
        "patent",
        "performance",
        "periodical",
        "personal_communication",
        "post",
        "post-weblog",
        "regulation",
        "report",
        "review",
        "review-book",
        "software",
        "song",
        "speech",
        "standard",
        "thesis",
        "treaty",
        "webpage",
    ]
)
"""Types of CSL 1.0.2."""


def pairs(text: str) -> Mapping[str, str]:
    """A table written as ``word=meaning`` between blanks."""
    return dict(pair.split("=", 1) for pair in text.split())
