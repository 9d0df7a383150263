"""Author-title keys as the catalogue software VuFind makes them: records that share one may be of one work.

A key says only that an author and a title are the same, so it serves to find what is worth comparing. "Editorial" by
one author twice gives one key for two works.

VuFind writes other scripts in Latin letters with rules of ICU. They are kept as they are here, so that two records in
one script still meet, but keys of such titles differ from those in a catalogue (`only_latin` tells).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

LONGEST: Final = 255
"""Most characters of an author or a title in a key."""

_PLAIN_ASCII: Final = str.maketrans({c: c.lower() if c.isalnum() else None for c in map(chr, range(128))})
_BLANKS: Final = " \t\n\r\0\x0b"  # what PHP trims
_ARTICLES: Final = ("a ", "an ", "the ")


def work_keys(titles: Iterable[str], authors: Iterable[str], uniform_titles: Iterable[str] = ()) -> tuple[str, ...]:
    """Keys of a work: ``UT title`` for uniform titles, ``AT author title`` for each title and author.

    Parameters
    ----------
    titles : iterable of str
        Titles as they are written. One that begins with a, an or the also gives keys without it.
    authors : iterable of str
        Names as they are written; their order of given and family name makes different keys.
    uniform_titles : iterable of str
        Titles under which a library lists all editions of a work.

    Returns
    -------
    tuple of str
        First the uniform titles, then all authors with the first title, then with the next. Without authors there are
        no keys of the second kind; titles without a letter or a number give none.

    References
    ----------
    ``VuFindWorkKeys::getWorkKeys`` with the rules of VuFind's ``doaj.xsl``, VuFind 7.1 and later.
    """
    titles, authors = list(titles), list(authors)
    keys = [f"UT {key}" for key in map(normalised, uniform_titles) if key]
    # Without an article a title in ASCII gives the same key again.
    without = [short for t in titles if len(short := without_article(t)) != len(t) or not t.isascii()]
    wanted = dict.fromkeys(map(normalised, (*titles, *without)))
    named = [_normalised_name(author) for author in authors if author]
    keys += [f"AT {name} {title}" for title in wanted if title for name in named]
    return tuple(keys)


def normalised(text: str) -> str:
    """Letters and numbers of a text in lower case without accents, at most `LONGEST`.

    Letters that are not composed (``ø``, ``ß``, ``ł``) stay.
    """
    if text.isascii():
        return text.translate(_PLAIN_ASCII)[:LONGEST]
    apart = unicodedata.normalize("NFD", text).lower()
    kept = "".join(sign for sign in apart if unicodedata.category(sign)[0] in "LN")
    return unicodedata.normalize("NFKC", kept).lower()[:LONGEST]


_normalised_name = lru_cache(maxsize=65_536)(normalised)


def without_article(title: str) -> str:
    """A title in lower case without a, an or the before it."""
    text = title.strip(_BLANKS).lower()
    if text.startswith(_ARTICLES):
        return text.partition(" ")[2]
    return text


def only_latin(text: str) -> bool:
    """Whether all letters of a text are Latin, so that its keys are those of a catalogue."""
    return text.isascii() or all(
        unicodedata.name(sign, "").startswith(("LATIN", "FEMININE ORDINAL", "MASCULINE ORDINAL"))
        for sign in normalised(text)
        if not sign.isnumeric() and unicodedata.category(sign)[0] == "L"
    )
