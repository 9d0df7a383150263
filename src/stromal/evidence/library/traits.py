"""What is compared of a record to tell whether another one is of the same work."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, final

STRONG: Final = ("doi", "pmid", "pmcid", "doaj", "sha256")
"""Schemes whose identifiers name one work. An address may be a journal's front page, and the number of a trial is
given in every paper about it: these say something only where a record has no better name."""
_STRONG_PREFIXES: Final = tuple(f"{scheme}:" for scheme in STRONG)
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
_MAY_BE_NOTICE: Final = re.compile(
    r"\W*(?:add|author|comment|corr|editorial exp|err|expression|in reply|notice|publisher|re|withdrawal)",
    re.IGNORECASE,
)
"""How all of these begin: asked first, as most titles begin otherwise."""
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
_PLAIN_ASCII: Final = str.maketrans({c: c.lower() if c.isalnum() else " " for c in map(chr, range(128))})
"""What `_NOT_WORD` and lower case make of ASCII, in one pass."""
_ISSN: Final = re.compile(r"\d{7}[\dX]")
_PAGE: Final = re.compile(r"\s*(?:pp?\.?\s*)?([A-Za-z]{0,4})0*(\d+)")
_MARKUP: Final = re.compile(r"</?[A-Za-z][^<>]{0,40}>")


@final
class Traits:
    """What is compared of a record.

    What its keys need is worked out at once, the rest when it is first asked for, as most records meet no other.

    Parameters
    ----------
    identifiers : sequence of str
        Of the record.
    item : mapping
        Of the record.
    digest : str
        Of the content of the record: an order that does not depend on when records were imported.

    Attributes
    ----------
    digest : str
    identifiers : frozenset of str
        Those that name one work.
    heading : str
        The title as the item has it.
    notice : str
        ``erratum``, ``retraction``, ``concern`` or ``reply``, if the record is one, else empty.
    title : tuple of str
        Words of the title in lower case without accents; of a notice, those after "Erratum to:" and the like.
    squashed : str
        The title without blanks.
    generic : bool
        Whether the title says nothing ("Editorial"), or there is none.
    names : list of mapping
        Names of the authors, as the item has them.
    volume : str
        In lower case; empty if unknown.
    page : str
        The first page, or the number of the article, without leading zeros or ``e``; empty if unknown.
    addresses : list of str
        Identifiers of scheme ``url``.
    """

    def __init__(self, identifiers: Sequence[str], item: Mapping[str, Any], digest: str) -> None:
        self.digest: Final = digest
        self.identifiers: Final = frozenset(naming(identifiers))
        self._all: Final = identifiers
        self._item: Final = item
        # No cached properties: each would take a lock, for every record that is imported.
        self.heading: Final = plain(item.get("title"))
        self.notice, said = _notice(_RETRACTED.sub("", self.heading, count=1))
        words = folded(said)
        self.title: Final = tuple(words.split())
        self.squashed: Final = words.replace(" ", "")
        self.generic: Final = _is_generic(self.title)
        self.names: Final = _names(item.get("author"))
        self.volume: Final = folded_name(plain(item.get("volume")))
        self.page: Final = _first_page(plain(item.get("page")) or plain(item.get("number")))
        self.addresses: Final = [c for c in identifiers if c.startswith("url:")]

    @cached_property
    def preprint(self) -> bool:
        """Whether the record is a preprint, by its DOI, else by what it says of its genre and server."""
        dois = [c for c in self._all if c.startswith("doi:")]
        if dois:
            return any(_PREPRINT_DOI.match(c) for c in dois)
        return "preprint" in plain(self._item.get("genre")).lower() or bool(_PREPRINT_SERVER.match(self.journal))

    @cached_property
    def year(self) -> int | None:
        """Year of issue; None where the item has none, or something else in its place."""
        issued = self._item.get("issued")
        parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
        try:
            return int(parts[0][0]) if parts else None
        except (ValueError, TypeError, IndexError, KeyError):
            return None

    @cached_property
    def journal(self) -> str:
        """Words of the journal, joined by blanks; empty if unknown."""
        return folded_name(plain(self._item.get("container-title")))

    @cached_property
    def issns(self) -> frozenset[str]:
        """ISSNs without hyphens."""
        return frozenset(_ISSN.findall(plain(self._item.get("ISSN")).replace("-", "").upper()))

    @cached_property
    def kind(self) -> str:
        """Type of CSL."""
        return plain(self._item.get("type"))

    @cached_property
    def authors(self) -> tuple[frozenset[str], ...]:
        """Of each author, the ways the name can be written as one whole name and one initial."""
        return tuple(spellings(name) for name in self.names)


def naming(identifiers: Iterable[str]) -> list[str]:
    """Those of the identifiers of a record, the best first, that name one work and nothing else."""
    listed = list(identifiers)
    return [c for c in listed if c.startswith(_STRONG_PREFIXES) or (c == listed[0] and c.startswith("nct:"))]


def _names(names: Any) -> list[Mapping[str, Any]]:
    """Names of persons and groups among what an item has as its authors."""
    if not isinstance(names, (list, tuple)):
        return []
    known = [name for name in names if type(name) is dict or isinstance(name, Mapping)]
    return [n for n in known if "literal" not in n or folded(plain(n["literal"])) not in _NOBODY]


def _is_generic(words: Sequence[str]) -> bool:
    if len(words) < 2 or (words[0] in _GENERIC and all(word in _GENERIC for word in words)):
        return True
    return len(words) < 9 and bool(_GENERIC_PHRASES.match(" ".join(words)))


def plain(value: Any) -> str:
    """A value of an item as text: a list is joined, what is missing is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return " ".join(plain(v) for v in value)
    return "" if value is None or isinstance(value, Mapping) else str(value)


def folded(text: str) -> str:
    """Text as lower-case words without accents, markup and punctuation, joined by blanks; other scripts stay."""
    if "<" in text or "&" in text:
        text = _MARKUP.sub("", html.unescape(text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.lower().translate(_GREEK))
        text = "".join([c for c in text if not unicodedata.combining(c)])
        return _NOT_WORD.sub(" ", text.lower()).strip()
    return " ".join(text.translate(_PLAIN_ASCII).split())


folded_name = lru_cache(maxsize=65_536)(folded)
"""`folded`, for names of persons and journals, which come again and again."""


def is_retracted(item: Mapping[str, Any]) -> bool:
    """Whether a record says of its work that it was retracted: by a mark of its source, or before its title."""
    custom = item.get("custom")
    marked = isinstance(custom, Mapping) and bool(custom.get("retracted"))
    return marked or bool(_RETRACTED.match(plain(item.get("title"))))


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


def _notice(title: str) -> tuple[str, str]:
    """Which notice a title begins as, and the title of the work it is about."""
    if not _MAY_BE_NOTICE.match(title):
        return "", title
    start = title.lstrip("\"'[(\u201c\u2018 \t")
    for kind, pattern in _NOTICES:
        found = pattern.match(start)
        if found:
            # "Response to cyclophosphamide" is no reply, and must keep its words.
            return kind, title if kind == "reply" else start[found.end() :]
    return "", title


def _first_page(pages: str) -> str:
    """The first page; ``1`` says nothing, as articles with a number are often given pages counted from one."""
    found = _PAGE.match(pages)
    if not found:
        return ""
    letters, digits = found.group(1).lower(), found.group(2)
    page = ("" if letters in {"e", "p"} else letters) + digits
    return "" if page == "1" else page
