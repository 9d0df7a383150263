"""What is compared of a record to tell whether another one is of the same work."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, final

from stromal.evidence.records.record import display_name

STRONG: Final = ("doi", "pmid", "pmcid", "doaj", "sha256")
"""Schemes whose identifiers name one work. An address may be a journal's front page, and the number of a trial is
given in every paper about it: these say something only where a record has no better name."""
DECISIVE: Final = ("doi", "pmid", "pmcid")
"""Schemes of which a work has one identifier: the first that two records both have decides whether they differ."""

_PREPRINT_DOI: Final = re.compile(
    r"doi:10\.((?:1101|64898)/(?:\d{6}(?!\d)|\d{4}\.\d\d\.\d\d\.)|21203/rs|20944/preprints|2139/ssrn|48550/arxiv"
    r"|22541/au|26434/chemrxiv|31219/osf|31234/osf|36227/techrxiv|2196/preprints)"
)
_PREPRINT_SERVER: Final = re.compile(
    r"^(?:(?:bio|med)rxiv(?: the preprint server.*)?|arxiv(?: .*)?|research square|preprints?(?: org)?|ssrn(?: .*)?"
    r"|authorea|chemrxiv|techrxiv|osf preprints)$"
)
_STOP: Final = r"(?:\W*$|\s*[:.\u2013\u2014-]\s|\s+(?:{})\b)"
_NOTICES: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "erratum",
            r"(?:author |publisher )?(?:erratum|errata|corrections?|corrigend(?:um|a)|addendum)"
            + _STOP.format(r"to|for\b(?=.*\bet al)"),
        ),
        (
            "retraction",
            r"(?:notice of retraction|(?:retraction|withdrawal)(?: note| notice)?)" + _STOP.format("to|of"),
        ),
        ("concern", r"(?:editorial )?expression of concern" + _STOP.format("on|about|regarding")),
        (
            "reply",
            r"(?:re|reply|response|comments?|commentary|in reply|authors?['\u2019]?s? (?:reply|response))"
            + _STOP.format("to|on"),
        ),
    )
)
"""How titles begin that tell of another work; they have its title, and often its authors."""
_RETRACTED: Final = re.compile(r"^\W*(?:retracted(?: article| paper)?|withdrawn)\s*[:.\]-]\s*", re.IGNORECASE)
"""Put by publishers before the title of the work itself."""
_GENERIC: Final = frozenset(
    (
        *("abstract", "abstracts", "acknowledgement", "acknowledgements", "acknowledgments", "announcement", "comment"),
        *("commentary", "comments", "conclusion", "contents", "correction", "correspondence", "corrigendum"),
        *("discussion", "editorial", "editorials", "erratum", "foreword", "highlights", "index", "introduction"),
        *("letter", "letters", "news", "obituary", "perspective", "posters", "preface", "references", "reply"),
        *("response", "retraction", "review", "reviewers", "summary", "supplement", "untitled", "viewpoint"),
    )
)
_GENERIC_PHRASES: Final = re.compile(
    r"^(?:guest editorial|letters? to the editor|to the editor|in this issue|from the editor|editors? (?:note|choice)|"
    r"authors? (?:reply|response)|book reviews?|table of contents|list of (?:abstracts|contributors|reviewers)|"
    r"(?:oral|poster) (?:abstracts|presentations)|case reports?|original articles?|meeting abstracts?|no title|"
    r"conflicts? of interest|issue information|about the authors?)\b.{0,12}$"
)
_NOBODY: Final = frozenset(("anonymous", "anon", "no authors listed"))
_GREEK: Final = str.maketrans(
    {"α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "κ": " kappa ", "λ": " lambda ", "μ": " mu "}
)
_NOT_WORD: Final = re.compile(r"[\W_]+")
_MARKUP: Final = re.compile(r"</?[A-Za-z][^<>]{0,40}>")


@final
@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What is compared of a record.

    Attributes
    ----------
    digest : str
        Of the content of the record: an order that does not depend on when records were imported.
    identifiers : frozenset of str
        Those that name one work.
    addresses : frozenset of str
        Those of scheme ``url``.
    title : tuple of str
        Words in lower case without accents; of a notice, those after "Erratum to:" and the like.
    squashed : str
        The title without blanks.
    generic : bool
        The title says nothing ("Editorial"), or there is none.
    notice : str
        ``erratum``, ``retraction``, ``concern`` or ``reply``, if the record is one, else empty.
    preprint : bool
    year : int or None
    volume, page : str
        In lower case; the first page without leading zeros or ``e``; empty if unknown.
    journal : str
        Words of the journal, joined by blanks; empty if unknown.
    issns : frozenset of str
    kind : str
        Type of CSL.
    authors : tuple of frozenset of str
        Of each author, the ways the name can be written as one whole name and one initial.
    """

    digest: str
    identifiers: frozenset[str]
    addresses: frozenset[str]
    title: tuple[str, ...]
    squashed: str
    generic: bool
    notice: str
    preprint: bool
    year: int | None
    volume: str
    page: str
    journal: str
    issns: frozenset[str]
    kind: str
    authors: tuple[frozenset[str], ...]


def traits(identifiers: Sequence[str], item: Mapping[str, Any], digest: str) -> Traits:
    """What is compared of a record with these identifiers and this item."""
    title = _RETRACTED.sub("", plain(item.get("title")))
    notice, title = _notice(title)
    words = tuple(folded(title).split())
    journal = folded(plain(item.get("container-title")))
    return Traits(
        digest,
        frozenset(naming(identifiers)),
        frozenset(c for c in identifiers if c.startswith("url:")),
        words,
        "".join(words),
        _is_generic(words),
        notice,
        _is_preprint(identifiers, item, journal),
        year_of(item),
        folded(plain(item.get("volume"))),
        _first_page(plain(item.get("page")) or plain(item.get("number"))),
        journal,
        frozenset(re.findall(r"\d{4}-?\d{3}[\dxX]", plain(item.get("ISSN")).replace("-", ""))),
        plain(item.get("type")),
        tuple(spellings(name) for name in _names(item)),
    )


def naming(identifiers: Iterable[str]) -> list[str]:
    """Those of the identifiers of a record, the best first, that name one work and nothing else."""
    listed = list(identifiers)
    return [c for c in listed if c.split(":", 1)[0] in STRONG or (c == listed[0] and c.startswith("nct:"))]


def plain(value: Any) -> str:
    """A value of an item as text: a list is joined, what is missing is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return " ".join(plain(v) for v in value)
    return "" if value is None or isinstance(value, Mapping) else str(value)


def folded(text: str) -> str:
    """Text as lower-case words without accents, markup and punctuation, joined by blanks; other scripts stay."""
    if text.isascii() and text.isalpha():
        return text.lower()
    if "<" in text or "&" in text:
        text = _MARKUP.sub("", html.unescape(text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.lower().translate(_GREEK))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", text.lower()).strip()


def is_retracted(item: Mapping[str, Any]) -> bool:
    """Whether a record says of its work that it was retracted: by a mark of its source, or before its title."""
    custom = item.get("custom")
    marked = isinstance(custom, Mapping) and bool(custom.get("retracted"))
    return marked or bool(_RETRACTED.match(plain(item.get("title"))))


def author_names(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Authors as ``Given Family``, in order."""
    return tuple(display_name(name) for name in _names(item))


def year_of(item: Mapping[str, Any]) -> int | None:
    """Year of issue; None where the item has none, or something else in its place."""
    issued = item.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
    try:
        return int(parts[0][0]) if parts else None
    except (ValueError, TypeError, IndexError, KeyError):
        return None


def spellings(name: Mapping[str, Any]) -> frozenset[str]:
    """The ways a name can be written as one whole name and one initial.

    ``Juliette Peltzer``, ``Peltzer J`` and a name whose parts were mistaken for each other have one in common.
    """
    family, given = plain(name.get("family")), plain(name.get("given"))
    if not family and not given:
        return _spellings_of_words(tuple(folded(plain(name.get("literal"))).split()))
    for key in ("dropping-particle", "non-dropping-particle"):
        family = f"{plain(name[key])} {family}" if key in name else family
    return _spelled(family, given)


@lru_cache(maxsize=65_536)
def _spelled(family: str, given: str) -> frozenset[str]:
    return _spellings(folded(family).replace(" ", ""), folded(given).replace(" ", ""))


def _spellings(family: str, given: str) -> frozenset[str]:
    if not family or not given:
        return frozenset((family or given,))
    return frozenset((f"{family} {given[0]}", f"{given} {family[0]}"))


def _spellings_of_words(words: tuple[str, ...]) -> frozenset[str]:
    """Of a name that is not split: the family name may stand first or last, or it is a group."""
    if len(words) < 2 or len(words) > 4:
        return frozenset(("".join(words),)) if words else frozenset()
    return _spellings(words[-1], "".join(words[:-1])) | _spellings(words[0], "".join(words[1:]))


def _names(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    names = item.get("author")
    known = [name for name in names if isinstance(name, dict | Mapping)] if isinstance(names, list | tuple) else []
    return [n for n in known if "literal" not in n or folded(plain(n["literal"])) not in _NOBODY]


def _notice(title: str) -> tuple[str, str]:
    """Which notice a title begins as, and the title of the work it is about."""
    start = title.lstrip("\"'[(\u201c\u2018 \t")
    for kind, pattern in _NOTICES:
        found = pattern.match(start)
        if found:
            # "Response to cyclophosphamide" is no reply, and must keep its words.
            return kind, title if kind == "reply" else start[found.end() :]
    return "", title


def _is_generic(words: tuple[str, ...]) -> bool:
    return len(words) < 2 or all(w in _GENERIC for w in words) or bool(_GENERIC_PHRASES.match(" ".join(words)))


def _is_preprint(identifiers: Sequence[str], item: Mapping[str, Any], journal: str) -> bool:
    dois = [c for c in identifiers if c.startswith("doi:")]
    if dois:
        return any(_PREPRINT_DOI.match(c) for c in dois)
    return "preprint" in plain(item.get("genre")).lower() or bool(_PREPRINT_SERVER.match(journal))


def _first_page(pages: str) -> str:
    """The first page; ``1`` says nothing, as articles with a number are often given pages counted from one."""
    found = re.match(r"\s*(?:pp?\.?\s*)?([A-Za-z]{0,4})0*(\d+)", pages)
    if not found:
        return ""
    letters, digits = found.group(1).lower(), found.group(2)
    page = ("" if letters in {"e", "p"} else letters) + digits
    return "" if page == "1" else page
