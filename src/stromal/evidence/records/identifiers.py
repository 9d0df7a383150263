"""Identifiers of works as CURIEs (`prefix:accession`), normalised so that equal ones are equal text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "doi": (r"^(?:doi:)?(?:https?://(?:dx\.)?doi\.org/)?(?:doi:)?\s*(10\.\d{4,9}/\S+)$", "{}"),
    "pmid": (r"^(?:pmid:)?\s*(?:https?://pubmed\.ncbi\.nlm\.nih\.gov/)?(\d{1,9})/?$", "{}"),
    "pmcid": (
        r"^(?:pmcid:)?\s*(?:https?://(?:www\.ncbi\.nlm\.nih\.gov/pmc|pmc\.ncbi\.nlm\.nih\.gov)/articles/)?PMC(\d{1,9})/?$",
        "PMC{}",
    ),
    "nct": (
        r"^(?:nct:)?(?:https?://(?:www\.)?clinicaltrials\.gov/(?:ct2/show|study|show)/)?NCT(\d{8})/?$",
        "NCT{}",
    ),
    "doaj": (r"^(?:doaj[:-]|oai:doaj\.org/article:|https?://doaj\.org/article/)?([0-9a-f]{32})/?$", "{}"),
    "url": (r"^(?:url:)?(https?://\S+)$", "{}"),
    "sha256": (r"^sha256:([0-9a-f]{64})$", "{}"),
}
SCHEMES: Final = tuple(_RULES)
"""Known schemes, the best first: by what a person would look a work up."""


def normalised(scheme: str, text: str) -> str | None:
    """CURIE of `text` in a scheme of `SCHEMES`, None if it is not of that form.

    DOIs are lower-cased and freed of the resolver's address; numbers keep their digits.
    """
    pattern, form = _RULES[scheme]
    plain = text.strip()
    if scheme == "doi" and "://" in plain:  # an address escapes characters, a DOI by itself does not
        plain = unquote(plain)
    found = re.match(pattern, plain, re.IGNORECASE)
    if not found:
        return None
    value = form.format(found.group(1))
    return f"{scheme}:{value.lower() if scheme in ('doi', 'doaj', 'sha256') else value}"


def recognised(text: str) -> str | None:
    """CURIE of an identifier of any scheme as a person may write it; None if none fits.

    A bare number is taken for a PMID; an address of a known site for what it points to, any other for a ``url:``.
    """
    for scheme in SCHEMES:
        curie = normalised(scheme, text)
        if curie:
            return curie
    return None


def ranked(curies: Iterable[str]) -> tuple[str, ...]:
    """Different CURIEs, the best scheme first; equal schemes in the order given."""
    return tuple(sorted(dict.fromkeys(curies), key=lambda c: SCHEMES.index(c.split(":", 1)[0])))
