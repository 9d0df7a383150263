"""A record while its source is being read: values are put in with the name of the field they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, final

from stromal.evidence.records import dates
from stromal.evidence.records.identifiers import normalised, ranked, recognised
from stromal.evidence.records.names import one_line
from stromal.evidence.records.record import Field, Record, Rejected, Source

_ISSN: Final = re.compile(r"(\d{4})-?(\d{3}[\dXx])")
_RETRACTED: Final = re.compile(r"\W*retracted\b", re.IGNORECASE)
_PREFIXED: Final = re.compile(r"(?:doi|pmid|pmcid|nct|doaj|sha256):", re.IGNORECASE)
_KEYS: Final[Mapping[str, str]] = {"doi": "DOI", "pmid": "PMID", "pmcid": "PMCID"}
_SEVERAL_LINES: Final = frozenset({"abstract", "note", "annote"})
KEYWORD_SEPARATOR: Final = "; "


def paragraphs(text: str) -> str:
    """Text of several lines: each with single blanks, at most one empty line between two, none around all."""
    if "\n" not in text and "\r" not in text:
        return one_line(text)
    lines = [one_line(line) for line in re.split(r"\r\n|\r|\n", text)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def grouped(pairs: Iterable[tuple[str, str]]) -> tuple[Field, ...]:
    """Fields from names and values in the order of the source; neighbours of one name are one field."""
    runs: list[tuple[str, list[str]]] = []
    for name, value in pairs:
        if not runs or runs[-1][0] != name:
            runs.append((name, []))
        runs[-1][1].append(value)
    return tuple(Field(name, tuple(values)) for name, values in runs)


@final
class Draft:
    """A record that is being read.

    Attributes
    ----------
    item, origin : dict
        As in `Record`.
    keywords, remarks : list of str
        As in `Record`.
    """

    def __init__(self, source: Source, fields: tuple[Field, ...]) -> None:
        self.item: dict[str, Any] = {}
        self.origin: dict[str, str] = {}
        self.keywords: list[str] = []
        self.remarks: list[str] = []
        self._source, self._fields = source, fields
        self._identifiers: list[str] = []

    def put(self, key: str, value: Any, origin: str) -> None:
        """Set a key of the item unless it is set already; texts lose needless blanks, empty values are no values."""
        if isinstance(value, str):
            value = paragraphs(value) if key in _SEVERAL_LINES else one_line(value)
        if value not in ("", None, [], {}) and key not in self.item:
            self.item[key] = value
            self.origin[key] = origin

    def put_custom(self, key: str, value: Any, origin: str) -> None:
        """Set a key inside ``custom`` unless it is set already."""
        custom = self.item.setdefault("custom", {})
        if value not in ("", None, [], {}) and key not in custom:
            custom[key] = value
            self.origin[f"custom.{key}"] = origin
        if not custom:
            del self.item["custom"]

    def add_custom(self, key: str, value: Any, origin: str) -> None:
        """Append to a list inside ``custom``."""
        values = self.item.setdefault("custom", {}).setdefault(key, [])
        if value not in values:
            values.append(value)
        self.origin.setdefault(f"custom.{key}", origin)

    def put_date(self, key: str, text: str, origin: str) -> None:
        """Set a date from the words of the source, with a remark if it is doubtful."""
        if text.strip() and key not in self.item:
            date, doubt = dates.parsed(text)
            self.put(key, date, origin)
            self.remark(f"{origin}: {doubt}" if doubt else "")

    def put_names(self, key: str, names: Iterable[Mapping[str, Any] | None], origin: str) -> None:
        """Set a list of names."""
        self.put(key, [dict(name) for name in names if name], origin)

    def put_issn(self, values: Iterable[str], origin: str) -> None:
        """Set ``ISSN``: different ones with a hyphen, joined by ``", "``; those of another form as they are."""
        written = []
        for value in map(str.strip, values):
            found = _ISSN.fullmatch(value)
            written.append("-".join(found.groups()).upper() if found else value)
        self.put("ISSN", ", ".join(dict.fromkeys(written)), origin)

    def add_keywords(self, values: Iterable[str], origin: str) -> None:
        """Append subjects that are not there yet."""
        for value in map(one_line, values):
            if value and value not in self.keywords:
                self.keywords.append(value)
                self.origin.setdefault("keywords", origin)
                self.origin.setdefault("keyword", origin)

    def identify(self, scheme: str, text: str, origin: str) -> bool:
        """Take an identifier of a scheme of `identifiers.SCHEMES`; False, with a remark, if it is not of that form.

        Of several DOIs the first is the work's; the others go to ``custom.other_dois`` (they may name another
        version, a part or a correction), with a remark. So for PMIDs and PMCIDs.
        """
        text = one_line(text)
        if not text:
            return False
        bare = text.rstrip(".,;")
        curie = normalised(scheme, bare)
        if curie is not None and bare != text:
            self.remark(f"{origin}: the sign at the end of {text[:80]!r} was left out of the {scheme.upper()}")
        if curie is None:
            self.remark(f"{origin}: {text[:80]!r} is not of the form of a {scheme.upper()}; left out")
            return False
        self._take(curie, origin)
        return True

    def identify_any(self, text: str, origin: str) -> bool:
        """Take an identifier with its prefix, as this package writes it (``nct:NCT04356287``)."""
        curie = recognised(one_line(text)) if _PREFIXED.match(text.strip()) else None
        if curie is not None:
            self._take(curie, origin)
        return curie is not None

    def put_url(self, text: str, origin: str) -> None:
        """Set ``URL``, or add to ``custom.other_urls``; an address of a known site gives its identifier too."""
        text = one_line(text)
        if not text:
            return
        if self.item.setdefault("URL", text) == text:
            self.origin.setdefault("URL", origin)
        else:
            self.add_custom("other_urls", text, origin)
        curie = recognised(text) if "://" in text else None
        if curie is not None and not curie.startswith("url:"):
            scheme = curie.split(":", 1)[0]
            if not any(known.startswith(f"{scheme}:") for known in self._identifiers):
                self._take(curie, f"{origin} (address)")

    def retracted(self, origin: str) -> None:
        """Mark the work as retracted."""
        self.put_custom("retracted", True, origin)

    def relate(self, kind: str, to: str | None, text: str, origin: str) -> None:
        """Add a relation to another work: its identifier if known, and the words of the source."""
        relation = {"type": kind, **({"id": to} if to else {}), **({"text": one_line(text)} if text.strip() else {})}
        self.add_custom("relations", relation, origin)
        if kind == "retracted_by":
            self.retracted(origin)

    def remark(self, text: str) -> None:
        """Add a remark; an empty or repeated one is none."""
        if text and text not in self.remarks:
            self.remarks.append(text)

    def finished(self) -> Record | Rejected:
        """The record, or why it is none: it has neither title, names nor identifier."""
        if not self._identifiers and not any(key in self.item for key in ("title", "author", "editor", "URL")):
            return Rejected(
                self._source.file,
                self._source.place,
                "neither title, author, address nor identifier: a record needs one of them",
            )
        if self.keywords:
            self.item["keyword"] = KEYWORD_SEPARATOR.join(self.keywords)
        if "issued" in self.item:
            self.remark(dates.precision_remark(self.item["issued"]))
        if _RETRACTED.match(self.item.get("title", "")) and not self.item.get("custom", {}).get("retracted"):
            self.remark("the title begins with 'Retracted': the work may have been retracted, or be the notice of it")
        if not self.item.get("title"):
            self.remark("there is no title")
        if not self._identifiers:
            address = normalised("url", self.item.get("URL", ""))
            self._identifiers.append(address or f"sha256:{self._source.sha256}")
        return Record(
            identifiers=ranked(self._identifiers),
            item=self.item,
            source=self._source,
            keywords=tuple(self.keywords),
            origin=self.origin,
            fields=self._fields,
            remarks=tuple(self.remarks),
        )

    def _take(self, curie: str, origin: str) -> None:
        scheme, accession = curie.split(":", 1)
        key = _KEYS.get(scheme)
        if curie in self._identifiers:
            return
        if key and self.item.get(key, accession) != accession:
            self.add_custom(f"other_{scheme}s", accession, origin)
            self.remark(f"{origin}: several {scheme.upper()}s; {accession} was not taken for that of the work")
            return
        self._identifiers.append(curie)
        if key:
            self.put(key, accession, origin)
