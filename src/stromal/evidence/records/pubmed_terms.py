"""What the MEDLINE text and the XML of PubMed share: publication types and references to other papers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from stromal.evidence.records.draft import Draft
from stromal.evidence.records.identifiers import normalised
from stromal.evidence.records.relations import RETRACTED_TYPES

SOURCE: Final = "PubMed"
_PMID: Final = re.compile(r"\bPMID: *(\d{1,9})")
_DOI: Final = re.compile(r"\bdoi: *(10\.\d{4,9}/\S+)")
_REGISTRY: Final = re.compile(r"(?:ClinicalTrials\.gov/)?(NCT\d{8})")
_TYPES: Final = (
    ("preprint", "article"),
    ("dataset", "dataset"),
    ("book chapter", "chapter"),
    ("book", "book"),
    ("academic dissertation", "thesis"),
    ("newspaper article", "article-newspaper"),
    ("interview", "interview"),
)


def put_types(draft: Draft, types: Iterable[str], origin: str) -> None:
    """The type of the work and ``custom.publication_types``; a retracted publication is marked."""
    types = [one.strip() for one in types if one.strip()]
    lower = {one.lower() for one in types}
    kind = next((ours for theirs, ours in _TYPES if theirs in lower), "article-journal")
    draft.put("type", kind, origin if types else "the format of the file")
    draft.put_custom("publication_types", types, origin)
    if lower & RETRACTED_TYPES:
        draft.retracted(origin)


def put_title(draft: Draft, text: str, origin: str) -> None:
    """The title without the full stop that MEDLINE puts at its end."""
    text = text.strip()
    if text.endswith(".") and not text.endswith(".."):
        draft.put("title", text[:-1], f"{origin} (without its full stop)")
    draft.put("title", text, origin)


def put_pages(draft: Draft, text: str, origin: str) -> None:
    """The pages, with the last one written out: ``101-9`` is 101-109."""
    text = text.strip()
    found = re.fullmatch(r"(\d+)-(\d+)", text)
    if found and len(found.group(2)) < len(found.group(1)):
        first, last = found.groups()
        draft.put("page", f"{first}-{first[: -len(last)]}{last}", f"{origin} (the last page written out)")
    draft.put("page", text, origin)


def put_trials(draft: Draft, numbers: Iterable[str], origin: str) -> None:
    """Registered trials that the paper names, in ``custom.trials``."""
    for number in numbers:
        found = _REGISTRY.search(number)
        if found and (curie := normalised("nct", found.group(1))):
            draft.add_custom("trials", curie, origin)


def relate(draft: Draft, kind: str, text: str, origin: str, pmid: str = "") -> None:
    """A relation with the identifier that the citation names: its PMID, else its DOI."""
    found = _PMID.search(text)
    curie = normalised("pmid", pmid or (found.group(1) if found else ""))
    if curie is None and (doi := _DOI.search(text)):
        curie = normalised("doi", doi.group(1).rstrip(".;,"))
    draft.relate(kind, curie, text, origin)
