"""What the index holds of a work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import tantivy

from stromal.evidence.library.merging import merged
from stromal.evidence.records.record import Record, display_name
from stromal.evidence.search.languages import language_name
from stromal.evidence.search.synonyms import shipped_synonyms
from stromal.evidence.search.words import PLACED, STEMMED, WHOLE, analyzer, composed, legible, searchable

FACETS: Final = ("year", "journal", "author", "subject", "language", "type", "design", "status")
"""By what results can be counted and filtered."""

LOWEST_YEAR, HIGHEST_YEAR = -9999, 9999
"""Other years are none."""
OFTEN: Final = 10
"""Works that an author has at least to be in the field ``author_often``."""
_OTHER: Final = "_"
"""Any word in ``*_term`` that is no term with synonyms."""
_LONGEST_VALUE: Final = 300
"""Characters of a value of a facet; longer ones are cut."""


@final
@dataclass(frozen=True)
class Standing:
    """What is known of a work that its records do not say.

    Attributes
    ----------
    status : tuple of str
        How far it has been used as evidence, e.g. ``included``, ``extracted``.
    designs : tuple of str
        Designs of the studies it reports, e.g. ``rct``.
    """

    status: tuple[str, ...] = ()
    designs: tuple[str, ...] = ()


def schema() -> tantivy.Schema:
    """Fields of the index.

    ``title``, ``keyword`` and ``abstract`` are stemmed; ``*_word`` are the same without stemming, for beginnings of
    words and for suggestions, ``*_text`` what is shown. ``*_facet`` hold values as they are counted, and ``order``
    sorts what ranks alike. ``author_often`` leaves out the many authors of few works. ``*_term`` hold the names of
    groups of synonyms wherever a term of the group stands: one word is looked for instead of many phrases.
    """
    builder = tantivy.SchemaBuilder()
    for name in ("work", "id"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("identifier", tokenizer_name="raw", index_option="basic")
    for name in ("title", "keyword", "abstract"):
        builder.add_text_field(name, tokenizer_name=STEMMED, index_option="position")
        builder.add_text_field(f"{name}_word", tokenizer_name=WHOLE, index_option="basic")
        builder.add_text_field(term_field(name), tokenizer_name="whitespace", index_option="freq")
        builder.add_bytes_field(f"{name}_text", stored=True)
    for name in ("author", "journal", "language", "type", "design", "status"):
        builder.add_text_field(name, tokenizer_name=WHOLE, index_option="position")
    for name in FACETS[1:]:
        builder.add_text_field(facet_field(name), fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("author_often", fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_unsigned_field("order", fast=True)
    return builder.build()


def facet_field(name: str) -> str:
    """Field of the index that holds the values of a facet."""
    return "year" if name == "year" else f"{name}_facet"


def term_field(name: str) -> str:
    """Field of the index that holds the groups of synonyms in a text."""
    return f"{name}_term"


def facet_value(text: str) -> str:
    """A value of a facet as it is counted."""
    return legible(text)[:_LONGEST_VALUE]


def registered(index: tantivy.Index) -> tantivy.Index:
    """The index, knowing how to take text apart."""
    for name in (STEMMED, WHOLE):
        index.register_tokenizer(name, analyzer(name))
    return index


def document(
    name: str, records: Sequence[Record], standing: Mapping[str, Standing], is_often: Callable[[str], bool]
) -> tantivy.Document:
    """What the index holds of a work.

    Parameters
    ----------
    name : str
        Of the work in its library.
    records : sequence of Record
        Of the work, the best first.
    standing : mapping
        CURIE of any of its records -> what is known of the work beyond them.
    is_often : callable
        Whether an author, as a value of the facet, has many works; the same for all documents of an index.
    """
    item, keywords, identifiers = _view(records)
    made = tantivy.Document()
    made.add_text("work", name)
    made.add_text("id", _whole(identifiers[0]))
    for curie in identifiers:
        made.add_text("identifier", composed(_whole(curie)))
    _add_text(made, "title", _text(item, "title"))
    _add_text(made, "abstract", _text(item, "abstract"))
    for keyword in dict.fromkeys(map(legible, keywords)):
        _add_text(made, "keyword", keyword)
    for author in item.get("author") or ():
        for form in author_forms(author):
            made.add_text("author", searchable(form))
    made.add_text("journal", searchable(_text(item, "container-title")))
    year = _year(item)
    if year is not None:
        made.add_integer("year", year)
    for facet, value in _facets(item, keywords, [standing[c] for c in identifiers if c in standing]):
        made.add_text(facet_field(facet), facet_value(value))
        if facet == "author" and is_often(facet_value(value)):
            made.add_text("author_often", facet_value(value))
        if facet in {"language", "type", "design", "status"}:
            made.add_text(facet, searchable(legible(value)))
    made.add_unsigned("order", _order(year, identifiers))
    return made


def authors(record: Record) -> frozenset[str]:
    """Authors in a record, as values of the facet."""
    return frozenset(facet_value(display_name(name)) for name in record.item.get("author") or ())


def author_forms(name: Mapping[str, Any]) -> tuple[str, ...]:
    """How an author may be looked up: Jacob M van Laar, van Laar Jacob M, van Laar J M, van Laar JM, van Laar J."""
    family = " ".join(str(name[k]) for k in ("dropping-particle", "non-dropping-particle", "family") if name.get(k))
    given = str(name.get("given") or "")
    shown = legible(display_name(name))
    if not family or not given:
        return (shown,)
    family, given = legible(family), legible(given)
    initials = [part[0] for part in given.replace(".", " ").replace("-", " ").split()]
    short = (" ".join(initials), "".join(initials), "".join(initials[:1]))
    return tuple(dict.fromkeys((shown, f"{family} {given}", *(f"{family} {part}" for part in short))))


def _add_text(made: tantivy.Document, name: str, text: str) -> None:
    if text:
        plain = searchable(text)
        made.add_text(name, plain)
        made.add_text(f"{name}_word", plain)
        words = analyzer(PLACED).analyze(plain)
        groups = shipped_synonyms().groups_in(words)
        # As long as the text itself, as a word in a long text counts less.
        made.add_text(term_field(name), " ".join(groups + [_OTHER] * (len(words) - len(groups))))
        made.add_bytes(f"{name}_text", text.encode())


def _view(records: Sequence[Record]) -> tuple[Mapping[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Item, keywords and identifiers of a work."""
    if len(records) == 1:
        return records[0].item, records[0].keywords, records[0].identifiers
    whole = merged(records)
    return whole.item, whole.keywords, whole.identifiers


def _facets(
    item: Mapping[str, Any], keywords: Iterable[str], standing: Sequence[Standing]
) -> Iterable[tuple[str, str]]:
    """Facet and value, each pair once."""
    design = (item.get("custom") or {}).get("design") or ()
    values: dict[str, Iterable[str]] = {
        "journal": [_text(item, "container-title")],
        "author": [display_name(name) for name in item.get("author") or ()],
        "subject": keywords,
        "language": [language_name(_text(item, "language"))],
        "type": [_text(item, "type")],
        "design": [
            *([design] if isinstance(design, str) else design),
            *(d for s in standing for d in s.designs),
        ],
        "status": [v for s in standing for v in s.status],
    }
    return dict.fromkeys(
        (facet, str(value)) for facet, several in values.items() for value in several if legible(str(value))
    )


def _whole(text: str) -> str:
    """Text without halves of characters, which the index cannot hold."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key) or ""
    return legible(value if isinstance(value, str) else " ".join(map(str, value)))


def _year(item: Mapping[str, Any]) -> int | None:
    parts = (item.get("issued") or {}).get("date-parts") or [[]]
    year = int(parts[0][0]) if parts[0] else None
    return year if year is not None and LOWEST_YEAR <= year <= HIGHEST_YEAR else None


def _order(year: int | None, identifiers: Sequence[str]) -> int:
    """What ranks alike is ordered by year, the latest first, then by identifiers in an order without meaning."""
    age = 4095 - min(max(year or 0, 0), 4095)
    drawn = hashlib.sha256("\n".join(identifiers).encode(errors="replace")).digest()
    return age << 52 | int.from_bytes(drawn[:8], "big") >> 12
