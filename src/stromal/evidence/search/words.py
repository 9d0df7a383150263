"""How text becomes the words that are compared: accents, case and endings play no part."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import tantivy

from stromal.compute.errors import InputError

STEMMED: Final = "stemmed"
"""Name of the analysis that takes English endings off (Porter's second stemmer): for text."""
WHOLE: Final = "whole"
"""Name of the analysis that leaves words as they are: for names, and for beginnings of words."""
PLACED: Final = "placed"
"""Name of the analysis `STEMMED` that keeps words of any length: what is side by side after it was so in the text."""
LONGEST_WORD: Final = 60
"""Bytes; longer ones are no words, and cannot be searched."""

_STOP_WORDS: Final = """
a an and are as at be been by for from has have in into is it its of on or than that the their these this to was were
which with
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())
"""Need not be there when there are other words; inside quotes they must."""

_POSSESSIVE: Final = re.compile(r"(?<=\w)['\u2019][sS]\b")
_PLURAL_ACRONYM: Final = re.compile(r"(?<=[A-Z0-9][A-Z])s\b")
"""MSCs: a stemmer leaves words without a vowel as they are."""
_TAG: Final = re.compile(
    r"</?(?:jats:|mml:)?(?P<name>[A-Za-z][A-Za-z0-9-]{0,20})(?:\s+[\w:-]{1,30}\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*\s*/?>"
)
_INLINE: Final = frozenset(
    (
        *("i", "b", "u", "em", "strong", "sub", "sup", "sc", "inf", "italic", "bold", "underline"),
        *("span", "a", "font", "small"),
    )
)
_BLOCK: Final = frozenset(
    (
        *("p", "br", "div", "title", "sec", "list", "list-item", "li", "ul", "ol", "abstract", "label"),
        *("h1", "h2", "h3", "h4", "h5", "h6"),
    )
)


def composed(text: str) -> str:
    """Text in the NFC form of Unicode, in which an accented letter is one character.

    Raises
    ------
    InputError
        It has halves of characters (lone surrogates), which no encoding can carry.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "the text has a character that is none",
            place=f"character {error.start + 1}",
            value=text[error.start],
            remedy="text that can be written as UTF-8",
        ) from error
    return unicodedata.normalize("NFC", text)


def legible(text: str) -> str:
    """Text of a record as it is shown and searched: NFC, one blank between words, without the tags of HTML and JATS.

    Only known tags are taken away: ``p <0.05`` stays. Halves of characters become question marks.
    """
    clean = text if text.isascii() else unicodedata.normalize("NFC", text.encode(errors="replace").decode())
    if "<" in clean:
        clean = _TAG.sub(_without_tag, clean)
    return " ".join(clean.split())


def searchable(text: str) -> str:
    """`legible` text as it is taken apart: Raynaud's phenomenon is Raynaud phenomenon, MSCs are MSC."""
    if "'" in text or "\u2019" in text:
        text = _POSSESSIVE.sub("", text)
    return _PLURAL_ACRONYM.sub("", text)


def stems(text: str) -> list[str]:
    """Words without accents, case and endings, as they are in the index."""
    return analyzer(STEMMED).analyze(searchable(text))


def whole_words(text: str) -> list[str]:
    """Words without accents and case; as many as `stems`, in the same order."""
    return analyzer(WHOLE).analyze(searchable(text))


@cache
def analyzer(name: str) -> tantivy.TextAnalyzer:
    """The analysis `STEMMED`, `WHOLE` or `PLACED`."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    if name != PLACED:
        builder = builder.filter(tantivy.Filter.remove_long(LONGEST_WORD))
    builder = builder.filter(tantivy.Filter.ascii_fold()).filter(tantivy.Filter.lowercase())
    if name != WHOLE:
        builder = builder.filter(tantivy.Filter.stemmer("english"))
    return builder.build()


def _without_tag(found: re.Match[str]) -> str:
    name = found["name"].lower()
    if name in _BLOCK:
        return " "
    return "" if name in _INLINE else found[0]
