"""Write the page of the documentation that lists every claim with its sentence, and every paper with its claims."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from stromal.compute.content import content_hash
from stromal.evidence.claims import Audit, shipped_claims
from stromal.evidence.claims.base import Base, Supported
from stromal.evidence.records.record import display_name
from stromal.evidence.usable import usable_counts

LONGEST: Final = 48
"""Characters of an anchor."""
MEANINGS: Final = {
    "checked": "the quote was found verbatim in a text named by its hash; a number stands in it, with its unit",
    "draft": "something is missing, the reason is given",
    "rejected": "the record is retracted",
}


def anchor(name: str) -> str:
    """Name of the place of a subject or record on the page, as in ``evidence-base.md#param-kdtcz``."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-").lower()
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}-{content_hash(name)[:8]}"


def cited_as(item: Mapping[str, Any], curie: str) -> str:
    """A record in a few words: first author and year, else the beginning of its title."""
    names = item.get("author", [])
    year = str(item.get("issued", {}).get("date-parts", [[""]])[0][0])
    if not names:
        title = str(item.get("title", curie)).split()
        return " ".join(title[:6]) + (" ..." if len(title) > 6 else "")
    first = str(names[0].get("family") or display_name(names[0]))
    return f"{first}{' et al.' if len(names) > 1 else ''} {year}".strip()


def web_address(curie: str) -> str:
    """Where an identifier leads; empty if nowhere."""
    scheme, _, value = curie.partition(":")
    if scheme == "url":
        return value
    start = {
        "doi": "https://doi.org/",
        "pmid": "https://pubmed.ncbi.nlm.nih.gov/",
        "pmcid": "https://pmc.ncbi.nlm.nih.gov/articles/",
        "nct": "https://clinicaltrials.gov/study/",
        "doaj": "https://doaj.org/article/",
    }.get(scheme)
    return f"{start}{quote(value, safe='/')}" if start else ""


def base_page(found: Audit) -> str:
    """Text of ``docs/evidence-base.md``.

    Parameters
    ----------
    found : Audit
        Of the shipped base and the parameters of the model.
    """
    base = shipped_claims()
    parts = [_head(found), _gaps(found), _counts(), _subjects(base), _records(base)]
    return "\n\n".join(parts) + "\n"


def _head(found: Audit) -> str:
    rows = [f"| {name} | {claims} | {checked} |" for name, (claims, checked) in found.rows.items()]
    meanings = "\n".join(f"* **{status}**: {text}." for status, text in MEANINGS.items())
    total = sum(found.origins.values())
    return "\n".join(
        [
            "# The evidence base",
            "",
            f"{found.share_assumed:.0%} of the {total} parameters of the model are assumed; "
            + ", ".join(f"{n} are {origin}" for origin, n in found.origins.items() if origin != "assumed")
            + f". No claim is accepted: {found.accepted} have the name of a person who stands for them. "
            "`stromal evidence audit` prints this.",
            "",
            meanings,
            "",
            "| table | claims | checked |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def _gaps(found: Audit) -> str:
    without = [f"* `{g.what}` ({g.claim}): {'; '.join(g.reasons)}." for g in found.parameters_without]
    differing = [
        f"* `{symbol}` is {value:.4g}; what the paper reports gives {expected:.4g} ({rule})."
        for symbol, value, expected, rule in found.disagreeing
    ]
    lacking = (
        f"{len(found.rows_without)} usable results of arms have no checked passage (draft below); {found.unverified} "
        "passages were compared with no text. Contradictions:"
    )
    contradictions = [f"* {c}." for c in found.contradictions] or ["* none found."]
    return "\n".join(
        [
            "## What is lacking",
            "",
            "Measured or derived parameters without a checked passage:",
            "",
            *without,
            "",
            "Parameters that differ by more than a tenth from what their passage gives:",
            "",
            *differing,
            "",
            lacking,
            "",
            *contradictions,
        ]
    )


def _counts() -> str:
    table = usable_counts()
    head = "| drug | " + " | ".join(table.columns) + " |"
    rows = [
        f"| {drug} | " + " | ".join(cells) + " |" for drug, cells in zip(table.index, table.to_numpy(), strict=True)
    ]
    note = "Results of arms that a calibration can use, and in brackets those with a checked passage."
    return "\n".join(["## Usable results", "", note, "", head, "| --- |" + " --- |" * len(table.columns), *rows])


def _subjects(base: Base) -> str:
    by_subject: dict[str, list[Supported]] = {}
    for s in base.supported:
        by_subject.setdefault(s.claim.subject, []).append(s)
    parts = ["## Claims by subject"]
    for subject, mine in sorted(by_subject.items(), key=lambda kv: (not kv[0].startswith("param:"), kv[0].lower())):
        parts.append(f'### <a id="{anchor(subject)}"></a>{subject}')
        parts.append("\n".join(_lines(mine, base)))
    return "\n\n".join(parts)


def _lines(mine: Iterable[Supported], base: Base) -> Iterator[str]:
    for s in mine:
        claim = s.claim.sentence.removeprefix(f"{s.claim.subject}: ")
        how = f" ({s.judgement.derivation})" if s.judgement.derivation else ""
        why = f": {'; '.join(s.judgement.reasons)}" if s.judgement.reasons else ""
        yield f"* {s.row} {_escaped(claim)}{how} - {s.judgement.status}{why}."
        if s.support:
            label = f" [{_escaped(s.support.label)}]" if s.support.label else ""
            item = base.items.get(s.support.record, {})
            name = f"[{_escaped(cited_as(item, s.support.record))}](#{anchor(s.support.record)})"
            yield f'  > "{_escaped(s.support.quote)}"{label} - {name}, {s.support.locator or "place not noted"}'


def _records(base: Base) -> str:
    said: dict[str, dict[str, None]] = {}
    for s in base.supported:
        if s.support:
            said.setdefault(s.support.record, {})[s.row] = None
    rows = [_record(curie, base.items.get(curie, {}), list(rows)) for curie, rows in sorted(said.items())]
    return "\n".join(["## Records and what rests on them", "", *rows])


def _record(curie: str, item: Mapping[str, Any], rows: list[str]) -> str:
    about = item.get("custom", {})
    seen = "" if about.get("identifier_seen", True) else "; the identifier was not seen with the paper"
    place = " ".join(str(item[k]) for k in ("container-title", "volume", "page") if item.get(k))
    title = _escaped(str(item.get("title", "title not known")))
    return (
        f'* <a id="{anchor(curie)}"></a>{_escaped(cited_as(item, curie))}. {title}. {place}. {_link(curie)} '
        f"({about.get('design', 'design not known')}{seen}). Supports {', '.join(rows)}."
    )


def _link(curie: str) -> str:
    address = web_address(curie)
    return f"[{curie}]({address})" if address and not curie.startswith("url:") else f"<{address}>" if address else curie


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)
