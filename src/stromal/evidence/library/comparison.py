"""Whether two records are of the same work: identifiers first, then title, year, place and authors.

Nothing is taken for the same that could be two works: the parts of a series, the yearly reports of one author, a
statement printed in two journals, a paper and its erratum, a preprint and the article. Where the evidence is good but
not enough the pair is `possible`, for a person to decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast, final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from stromal.evidence.library.traits import DECISIVE, Traits

Kind = Literal["same", "possible", "version", "erratum", "retraction", "concern"]
RELATED: Final = ("version", "erratum", "retraction", "concern")
"""Kinds of two works that belong together and are never one."""

_NEAR: Final = 88.0
"""Similarity of two titles [0 to 100] from which they may be the same with more than misprints between them."""
_SHORT: Final = 25
"""Titles with fewer letters than this are borne by several works ("Systemic sclerosis")."""
_WINDOW: Final = 3
"""Longest time between a preprint and its article, or a paper and its erratum, for two titles to be enough [years]."""
_NOT_ARTICLES: Final = frozenset(
    ("book", "chapter", "dataset", "paper-conference", "patent", "report", "software", "thesis", "webpage")
)
_JOINING: Final = frozenset(("of", "the", "and", "in", "for", "on"))
_SMALL_WORDS: Final = frozenset(
    (
        *("of", "in", "to", "by", "on", "or", "an", "at", "as", "is", "a", "i"),
        *("the", "and", "for", "are", "was", "its", "with", "from"),
    )
)
_COUNTED: Final = frozenset(
    (
        *("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"),
        *("one", "two", "three", "four", "five", "six", "first", "second", "third", "fourth", "fifth", "sixth"),
        *("alpha", "beta", "gamma", "delta", "kappa", "lambda"),
    )
)
"""Words that alone tell two titles apart, as digits and single letters do."""


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """What the comparison of records a and b found.

    Attributes
    ----------
    kind : Kind
    why : str
        In words.
    forward : bool
        Of a relation: a is the version, erratum ... of b; otherwise b is that of a.
    """

    kind: Kind
    why: str
    forward: bool = True


def compared(a: Traits, b: Traits) -> Finding | None:
    """What two records are to each other by what they say; None if nothing.

    Records that share an identifier are the same without this comparison, unless `conflict`.
    """
    years = _apart(a.year, b.year)
    if a.notice != b.notice or a.preprint != b.preprint:
        return _relation(a, b, years)
    if years is not None and years > 1 and not (a.preprint and b.preprint):
        return None  # the same title in another year is another work
    title = _title_agreement(a, b)
    authors = authors_agree(a.authors, b.authors)
    if title is None or authors is False:
        return None
    if conflict(a.identifiers, b.identifiers) is not None:
        if a.preprint and title != "near" and authors:
            return Finding("version", "versions of a preprint", _later(a, b))
        if title != "near" and authors and not a.generic and years != 1:  # in the next year it is the next report
            return Finding("possible", f"same title and authors, but {conflict(a.identifiers, b.identifiers)}")
        return None
    return _same(a, b, title, years, authors)


def conflict(a: Collection[str], b: Collection[str]) -> str | None:
    """Why two records cannot be of one work by their identifiers; None if they can.

    The first of the schemes DOI, PMID, PMCID that both have decides: an identifier in common, or different works.
    """
    for scheme in DECISIVE:
        first, second = (sorted(c for c in each if c.startswith(f"{scheme}:")) for each in (a, b))
        if first and second:
            return None if set(first) & set(second) else f"{first[0]} is not {second[0]}"
    return None


def contradictory(a: Traits, b: Traits) -> bool:
    """Whether two records say of their works what cannot be true of one."""
    years = _apart(a.year, b.year)
    return (
        (years is not None and years > 1)
        or _title_agreement(a, b) is None
        or authors_agree(a.authors, b.authors) is False
        or bool(_doubt(a, b, _journals_agree(a, b)))
    )


def authors_agree(a: tuple[frozenset[str], ...], b: tuple[frozenset[str], ...]) -> bool | None:
    """Whether half of the names in the shorter list are in the longer one; None if too little is known."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if not short:
        return None
    known = set().union(*long)
    shared = sum(1 for name in short if not known.isdisjoint(name))
    if 2 * shared >= len(short):
        return True
    return None if shared else False


def _same(a: Traits, b: Traits, title: str, years: int | None, authors: bool | None) -> Finding | None:
    """Of two records whose titles agree and whose identifiers do not decide."""
    journals = _journals_agree(a, b)
    place = bool(a.page) and a.page == b.page and bool(a.volume) and a.volume == b.volume
    doubt = _doubt(a, b, journals)
    if a.generic or b.generic:
        sure = place and years == 0 and journals is True and authors is True and title == "equal"
        return Finding("same", "same title, authors and place") if sure and not doubt else None
    if not doubt:
        if place and authors is not False and (title != "near" or (years == 0 and authors)):
            return Finding("same", f"{_words(title)}, same volume and page")
        short = len(a.squashed) < _SHORT
        if title != "near" and years == 0 and authors and (not short or (title == "equal" and journals)):
            return Finding("same", f"{_words(title)}, same year and authors")
    if authors and (title != "near" or years == 0):
        gap = {0: "same year", 1: "years that differ by one", None: "a year unknown"}.get(years, "another year")
        return Finding("possible", ", ".join([f"{_words(title)} and authors", gap, *([doubt] if doubt else [])]))
    return None


def _doubt(a: Traits, b: Traits, journals: bool | None) -> str:
    """What speaks against two records being of the same work; empty if nothing."""
    if a.volume and b.volume and a.volume != b.volume:
        return f"volumes {a.volume} and {b.volume}"
    if a.page and b.page and a.page != b.page:
        return f"first pages {a.page} and {b.page}"
    if journals is False:
        return f"journals {a.journal!r} and {b.journal!r}"
    if a.kind != b.kind and a.kind and b.kind and {a.kind, b.kind} & _NOT_ARTICLES:
        return f"types {a.kind} and {b.kind}"
    return ""


def _relation(a: Traits, b: Traits, years: int | None) -> Finding | None:
    """Of a notice or preprint, and a record that is none."""
    if a.generic or b.generic or (years is not None and years > _WINDOW):
        return None
    if a.notice != b.notice:
        notice = a if a.notice else b
        kind = notice.notice
        if (a.notice and b.notice) or kind == "reply":
            return None
    else:
        notice, kind = (a if a.preprint else b), "version"
    title = _title_agreement(a, b)
    authors = authors_agree(a.authors, b.authors)
    if title is None or authors is False or (title == "near" and not authors) or (kind == "version" and not authors):
        return None
    why = "a preprint with the title and authors" if kind == "version" else "its title names the work"
    return Finding(cast(Kind, kind), why, notice is a)


def _title_agreement(a: Traits, b: Traits) -> Literal["equal", "misprint", "near"] | None:
    if a.squashed == b.squashed:
        return "equal" if a.squashed else None
    if _misprinted(a, b):
        return "misprint"
    if _counted(a.title) != _counted(b.title):
        return None  # Part I and Part II, T cells and B cells, IL-6 and IL-8
    short, long = sorted((a.squashed, b.squashed), key=len)
    if len(short) >= _SHORT and (long.startswith(short) or fuzz.ratio(a.squashed, b.squashed) >= _NEAR):
        return "near"  # a subtitle is missing, or a word was changed
    return None


def _misprinted(a: Traits, b: Traits) -> bool:
    """Whether titles differ only by what a slip of the keyboard does to one or two words."""
    if OSA.distance(a.squashed, b.squashed, score_cutoff=2) > 2:
        return False
    if len(a.title) != len(b.title):
        return _counted(a.title) == _counted(b.title) and OSA.distance(a.squashed, b.squashed, score_cutoff=1) <= 1
    return all(_slip(x, y) for x, y in zip(a.title, b.title, strict=True) if x != y)


def _slip(x: str, y: str) -> bool:
    if OSA.distance(x, y, score_cutoff=1) > 1:
        return False
    if x in _SMALL_WORDS or y in _SMALL_WORDS:
        return not (_is_counted(x) and _is_counted(y))
    return min(len(x), len(y)) >= 4 and not _is_counted(x) and not _is_counted(y)


def _is_counted(word: str) -> bool:
    return word in _COUNTED or (len(word) == 1 and word != "a") or any(c.isdigit() for c in word)


def _counted(words: Iterable[str]) -> Counter[str]:
    """Numbers, single letters and numerals of a title."""
    found: Counter[str] = Counter()
    for word in words:
        if word in _COUNTED or (len(word) == 1 and word != "a"):
            found[word] += 1
        elif any(c.isdigit() for c in word):
            found["".join(c if c.isdigit() else " " for c in word).strip()] += 1
    return found


def _journals_agree(a: Traits, b: Traits) -> bool | None:
    """Whether two journals are one; None if that cannot be told."""
    if a.issns and b.issns and a.issns & b.issns:
        return True
    if not a.journal or not b.journal:
        return None
    if a.journal == b.journal or _abbreviates(a.journal, b.journal) or _abbreviates(b.journal, a.journal):
        return True
    return True if fuzz.ratio(a.journal, b.journal) >= 90 else False  # noqa: SIM210 - one of three answers


def _abbreviates(short: str, long: str) -> bool:
    """Whether a journal's short name is made of the beginnings of words of the long one, or of their first letters."""
    full = [w for w in long.split() if w not in _JOINING]
    parts = [w for w in short.split() if w not in _JOINING]
    if not full or not parts or not full[0].startswith(parts[0][0]):
        return False
    if "".join(parts) == "".join(w[0] for w in full):
        return True
    words = iter(full)
    return full[0].startswith(parts[0]) and all(any(word.startswith(part) for word in words) for part in parts)


def _apart(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else abs(a - b)


def _later(a: Traits, b: Traits) -> bool:
    """Whether a is the later version of a preprint: by year, else by its identifiers, which are counted up."""
    return (a.year or 0, sorted(a.identifiers), a.digest) > (b.year or 0, sorted(b.identifiers), b.digest)


def _words(title: str) -> str:
    return {"equal": "same title", "misprint": "same title but for misprints", "near": "nearly the same title"}[title]
