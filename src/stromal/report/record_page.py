"""The page of a record: what a catalogue shows of a work, and every field of its source."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final
from urllib.parse import urlsplit

from stromal.evidence.claims.base import Supported
from stromal.evidence.page import cited_as, web_address
from stromal.evidence.records.record import Record

SUMMARY: Final = 300
"""Characters of the abstract before it is folded away."""
_STYLE: Final = """
:root { color-scheme: light dark; --faint: #767c86 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; line-height: 1.25 }
h2, summary { font-size: 1.05rem; font-weight: bold; margin: 1.6rem 0 .4rem }
dl { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: .2rem 1rem; margin: 0 }
dt { color: var(--faint) }
dd { margin: 0; overflow-wrap: anywhere }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr } }
"""


@final
@dataclass(frozen=True)
class Part:
    """A part of the page.

    Attributes
    ----------
    title : str
    rows : tuple of (name, text)
        A name may be empty. Text is plain.
    folded : bool
        Whether a reader opens it first.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    folded: bool = False


@final
@dataclass(frozen=True)
class RecordPage:
    """What is shown of a record, in order.

    Attributes
    ----------
    heading : str
    parts : tuple of Part
        Those without anything to show are left out.
    """

    heading: str
    parts: tuple[Part, ...]

    def text(self) -> str:
        """For a terminal."""
        blocks = [self.heading]
        for part in self.parts:
            lines = [f"  {f'{name}: ' if name else ''}{text}" for name, text in part.rows]
            blocks.append("\n".join([part.title, *lines]))
        return "\n\n".join(blocks)

    def html(self) -> str:
        """A page of its own, without any request to another place."""
        body = "\n".join(_html(part) for part in self.parts)
        title = html.escape(self.heading)
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
            f"<body><h1>{title}</h1>\n{body}\n</body></html>\n"
        )

    def plain(self) -> dict[str, Any]:
        """As data."""
        return {
            "heading": self.heading,
            "parts": [{"title": p.title, "rows": [{"name": n, "text": t} for n, t in p.rows]} for p in self.parts],
        }


def record_page(
    record: Record,
    *,
    versions: Sequence[Record] = (),
    similar: Sequence[Record] = (),
    claims: Iterable[Supported] = (),
    citations: Mapping[str, str] | None = None,
) -> RecordPage:
    """Page of a record.

    Parameters
    ----------
    versions : sequence of Record
        Other records of the same work.
    similar : sequence of Record
    claims : iterable of Supported
        What rests on it.
    citations : mapping from style to text
    """
    item = record.item
    abstract = " ".join(str(item.get("abstract", "")).split())
    short = len(abstract) <= SUMMARY
    parts = [
        Part("Summary", (("", abstract if short else f"{abstract[:SUMMARY].rstrip()}..."),) if abstract else ()),
        Part("Full description", (("", abstract),) if abstract and not short else (), folded=True),
        Part("Bibliographic details", tuple(_details(record))),
        Part("Subjects", tuple(("", k) for k in record.keywords)),
        Part("Online access", tuple(("", a) for a in _addresses(record))),
        Part("What rests on it", tuple(_claimed(claims))),
        Part("Cite this", tuple((citations or {}).items())),
        Part("Other records of this work", tuple((r.source.format, f"{r.title} ({r.id})") for r in versions)),
        Part("Similar items", tuple((r.id, f"{r.title}, {cited_as(r.item, r.id)}") for r in similar)),
        Part("What a reader should know", tuple(("", remark) for remark in record.remarks)),
        Part("Fields of the source", tuple(_fields(record)), folded=True),
    ]
    return RecordPage(record.title or record.id, tuple(p for p in parts if p.rows))


def _details(record: Record) -> Iterable[tuple[str, str]]:
    item = record.item
    for name in item.get("author", ()):
        places = "; ".join(str(a.get("name", "")) for a in name.get("affiliation", ()))
        given = " ".join(str(name[k]) for k in ("given", "non-dropping-particle", "family", "literal") if name.get(k))
        yield "Author", f"{given} ({places})" if places else given
    date = "-".join(f"{int(p):02d}" for p in item.get("issued", {}).get("date-parts", [[]])[0])
    known = {
        "Published": " ".join(filter(None, (str(item.get("publisher", "")), date))),
        "In": " ".join(str(item[k]) for k in ("container-title", "volume", "issue", "page", "number") if item.get(k)),
        "ISSN": item.get("ISSN", ""),
        "Language": item.get("language", ""),
        "Type": item.get("type", ""),
        "Design": item.get("custom", {}).get("design", ""),
        "Identifiers": ", ".join(record.identifiers),
    }
    yield from ((name, _flat(value)) for name, value in known.items() if value)


def _flat(value: object) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else str(value)


def _addresses(record: Record) -> list[str]:
    addresses = [str(record.item.get("URL", "")), *(web_address(c) for c in record.identifiers)]
    return [a for a in dict.fromkeys(addresses) if urlsplit(a).scheme in ("http", "https")]


def _claimed(claims: Iterable[Supported]) -> Iterable[tuple[str, str]]:
    for s in claims:
        quote = f': "{s.support.quote}"' if s.support else ""
        yield s.row, f"{s.claim.sentence} [{s.judgement.status}]{quote}"


def _fields(record: Record) -> Iterable[tuple[str, str]]:
    yield "source", f"{record.source.format}, {len(record.source.content)} bytes, SHA-256 {record.source.sha256}"
    for field in record.fields:
        yield from ((field.name if k == 0 else "", value) for k, value in enumerate(field.values))


def _html(part: Part) -> str:
    named = any(name for name, _ in part.rows)
    if named:
        rows = "".join(f"<dt>{html.escape(n)}</dt><dd>{_linked(t)}</dd>" for n, t in part.rows)
        inside = f"<dl>{rows}</dl>"
    else:
        inside = "".join(f"<p>{_linked(text)}</p>" for _, text in part.rows)
    title = html.escape(part.title)
    if part.folded:
        return f"<details><summary>{title}</summary>{inside}</details>"
    return f"<section><h2>{title}</h2>{inside}</section>"


def _linked(text: str) -> str:
    """Text with its web addresses as links; everything else is escaped."""
    pieces = re.split(r"(https?://[^\s\"<>]+)", text)
    return "".join(
        f'<a href="{html.escape(p)}" rel="noreferrer">{html.escape(p)}</a>' if k % 2 else html.escape(p)
        for k, p in enumerate(pieces)
    )
