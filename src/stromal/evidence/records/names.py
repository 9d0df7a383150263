"""Names of persons and bodies, to and from names of CSL.

In this package a name has ``family`` with its particles, ``given`` and ``suffix``, or it is a ``literal`` (a body, or a
name whose parts a source does not tell).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_BLANKS: Final = re.compile(r"[ \t\r\n\f\v]+")
_ODD_BLANKS: Final = ("  ", "\n", "\t", "\r", "\f", "\v")
_SUFFIX: Final = re.compile(r"(?:jr|sr|2nd|3rd|4th|ii|iii|iv)\.?", re.IGNORECASE)
_INITIALS: Final = re.compile(r"[^\W\d_](?:[-. ]?[^\W\d_]){0,4}\.?")
_PARTICLES: Final = frozenset(
    [
        "van",
        "von",
        "de",
        "der",
        "den",
        "del",
        "della",
        "dell'",
        "di",
        "da",
        "das",
        "do",
        "dos",
        "du",
        "des",
        "la",
        "le",
        "lo",
        "ten",
        "ter",
        "te",
        "tot",
        "zu",
        "zum",
        "zur",
        "vom",
        "af",
        "av",
        "el",
        "al",
        "bin",
        "ibn",
        "y",
    ]
)
_BODY: Final = re.compile(
    r"\b(?:group|consorti(?:um|a)|committee|investigators?|society|organi[sz]ation|association|network|study|trial"
    r"|collaborat(?:ion|ors|ive)|institut[eo]?|university|hospital|centre|center|foundation|federation|agency|ministry"
    r"|council|college|academy|department|team|task force|working party|initiative|inc|ltd|gmbh|llc)\b",
    re.IGNORECASE,
)
_ORCID: Final = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])")


def inverted(text: str) -> dict[str, Any]:
    """A name written as ``Family, Given`` or ``Family, Given, Suffix``.

    Without a comma one word is a family name, and several are a ``literal``. By EndNote's convention a comma at the
    end marks a body (``World Health Organization,``), and a doubled one stands for a comma inside its name.
    """
    text = one_line(text)
    if ",," in text:
        return {"literal": text.replace(",,", ",", 1)}
    parts = [part.strip(" ") for part in text.split(",", 2)]
    if len(parts) == 1:
        return {"literal" if " " in text else "family": text}
    if not any(parts[1:]) or not parts[0]:
        return {"literal": " ".join(part for part in parts if part)}
    return {key: part for key, part in zip(("family", "given", "suffix"), parts, strict=False) if part}


def written_inverted(name: Mapping[str, Any]) -> str:
    """The name so that `inverted` reads it.

    A comma inside a part of a person's name becomes a blank: there is no way to write it.
    """
    if "literal" in name:
        text = str(name["literal"])
        return text.replace(",", ",,", 1) if "," in text else f"{text},"
    family, given, suffix = (
        one_line(str(name.get(key, "")).replace(",", " ")) for key in ("family", "given", "suffix")
    )
    return ", ".join((family, given, suffix)[: 3 if suffix else 2 if given else 1])


def medline(text: str) -> dict[str, Any]:
    """A name as MEDLINE shortens it: ``Peltzer J``, ``van der Berg JW Jr``."""
    words = one_line(text).split(" ")
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or not _INITIALS.fullmatch(words[-1]) or words[-1] != words[-1].upper():
        return {"literal": one_line(text)}
    name = {"family": " ".join(words[:-1]), "given": words[-1]}
    return {**name, "suffix": suffix} if suffix else name


def medline_full(text: str) -> dict[str, Any]:
    """A full name as MEDLINE writes it: ``Walker, John Jr``."""
    name = inverted(text)
    given, _, last = name.get("given", "").rpartition(" ")
    return {**name, "given": given, "suffix": last} if given and _SUFFIX.fullmatch(last) else name


def natural(text: str) -> dict[str, Any]:
    """A name in natural order, ``Given van Family Jr``: the family name is the last word with the particles before it.

    One word, and what is plainly a body (``... Study Group``), is a ``literal``; a name with a comma is read as
    `inverted`. The order of names of East Asia cannot be told: whoever calls this says so in a remark.
    """
    text = one_line(text)
    if "," in text and not _BODY.search(text):
        head, _, tail = text.rpartition(",")
        return {**natural(head), "suffix": tail.strip()} if _SUFFIX.fullmatch(tail.strip()) else inverted(text)
    words = text.split(" ")
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or _BODY.search(text):
        return {"literal": text}
    first = len(words) - 1
    while first > 1 and words[first - 1].lower() in _PARTICLES and words[first - 1][0].islower():
        first -= 1
    name = {"given": " ".join(words[:first]), "family": " ".join(words[first:])}
    return {**name, "suffix": suffix} if suffix else name


def normal(name: Any) -> dict[str, Any] | None:
    """A name of CSL-JSON (or Crossref) in the one form this package uses; None for what is no name.

    Particles join the family name they stand before; other keys are kept.
    """
    if isinstance(name, str):
        return {"literal": one_line(name)} if name.strip() else None
    if not isinstance(name, dict):
        return None
    said = {key: one_line(name[key]) for key in _PARTS if isinstance(name.get(key), str) and one_line(name[key])}
    family = " ".join(said[key] for key in ("non-dropping-particle", "family") if key in said)
    given = " ".join(said[key] for key in ("given", "dropping-particle") if key in said)
    if family:
        found: dict[str, Any] = {"family": family}
        found.update({key: value for key, value in (("given", given), ("suffix", said.get("suffix"))) if value})
    elif literal := said.get("literal") or given or said.get("name"):
        found = {"literal": literal}
    else:
        return None
    for key, value in name.items():
        if key == "ORCID":
            found["ORCID"] = orcid(str(value)) or str(value)
        elif key == "affiliation":
            found.update(affiliations(value))
        elif key not in _PARTS:
            found[key] = value
    return found


_PARTS: Final = ("family", "given", "suffix", "literal", "name", "non-dropping-particle", "dropping-particle")


def affiliations(said: Any) -> dict[str, Any]:
    """``{"affiliation": [{"name": ...}, ...]}`` from texts or objects; empty if there are none."""
    given = said if isinstance(said, list) else [said]
    found = [{"name": one_line(part)} if isinstance(part, str) else part for part in given if part]
    return {"affiliation": found} if found else {}


def orcid(text: str) -> str | None:
    """Address of an ORCID iD, None if there is none in the text."""
    found = _ORCID.search(text)
    return f"https://orcid.org/{'-'.join(found.groups()).upper()}" if found else None


def one_line(text: str) -> str:
    """Text with each run of ordinary blanks and line ends as one blank, none around it; no text if it is all blank."""
    if any(blank in text for blank in _ODD_BLANKS):  # most texts have none, and looking is fast
        text = _BLANKS.sub(" ", text)
    return "" if text.isspace() else text.strip(" ")
