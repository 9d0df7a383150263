"""Names as catalogues write them, split into family and given name only where the parts are certain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stromal.evidence.records import names

HOW: Final = "the family name is the last word, with the particles before it"

_LIFE: Final = re.compile(r",?\s*\(?(?:b\. |d\. |ca\. |active )?\d{4}\??-?(?:\d{4}\??)?\)?\.?\Z")
_PARTICLE_WORDS: Final = """
    van von de der den del della di da das do dos du des la le lo ten ter te tot zu zum zur vom af av el al bin ibn y e
"""
_PARTICLES: Final = frozenset(_PARTICLE_WORDS.split())
_INITIALS: Final = re.compile(r"(?:[^\W\d_]\.?-?){1,3}")
_NOT_A_NAME: Final = re.compile(r"[\d@;/&()\[\]]|\band\b|\bet al\b", re.IGNORECASE)
_FAMILY_FIRST: Final = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO")


def split(text: str) -> dict[str, Any]:
    """A name with ``family`` and ``given`` where these can be told, else a ``literal``.

    A name with a comma is ``Family, Given``, from which the years of a life are taken off. Without one it is
    ``Given Family``. It is kept whole where the family name may be more than the last word (two given names or two
    family names: ``Maria García López``), where it may stand first (initials at the end, one word in capitals, scripts
    of East Asia), and where it is no person's.
    """
    text = names.one_line(text)
    bare = _LIFE.sub("", text)
    if "," in bare:
        return names.natural(bare)
    if bare != text or _NOT_A_NAME.search(text) or _from_east_asia(text):
        return {"literal": text}
    name = names.natural(text)
    return name if "family" in name and _is_certain(name) else {"literal": text}


def kept_whole(split_names: Iterable[Mapping[str, Any]]) -> str:
    """A remark on names of several words that were not split, empty if there are none."""
    whole = [str(name["literal"]) for name in split_names if " " in str(name.get("literal", ""))]
    if not whole:
        return ""
    shown = ", ".join(map(repr, whole[:5])) + (f" and {len(whole) - 5} more" if len(whole) > 5 else "")
    return f"author: the family name cannot be told in {shown}; kept whole"


def sorting(name: Mapping[str, Any]) -> str:
    """A name as ``Family, Given``, to sort by; a literal as it is."""
    if "literal" in name:
        return str(name["literal"])
    return ", ".join(str(name[part]) for part in ("family", "given", "suffix") if name.get(part))


def _is_certain(name: Mapping[str, Any]) -> bool:
    given, family = str(name.get("given", "")).split(" "), str(name["family"]).split(" ")
    if any(word.lower() in _PARTICLES for word in given):
        return False
    whole = [word for word in given if not _is_initials(word)]
    if len(family) == 1:
        # "J. Robert Oppenheimer" and "Maria García López": the family name may begin with the word before the last.
        if len(whole) > 1 or (whole and _is_initials(given[0])):
            return False
        if _is_initials(family[0]):
            return False
        shouted = [word for word in (*whole, *family) if word.isupper()]
        return len(shouted) in (0, len(whole) + 1) or (len(shouted) == 1 and shouted[0] == family[0])
    return True


def _is_initials(word: str) -> bool:
    return _INITIALS.fullmatch(word) is not None and (len(word) == 1 or "." in word or word.isupper())


def _from_east_asia(text: str) -> bool:
    return any(unicodedata.name(sign, "").startswith(_FAMILY_FIRST) for sign in text if not sign.isascii())
