"""Names of languages, which sources give by name or by any of three codes."""

from __future__ import annotations

from typing import Final

_CODES: Final = """
ar ara Arabic; bg bul Bulgarian; ca cat Catalan; cs ces cze Czech; da dan Danish; de deu ger German; el ell gre Greek;
en eng English; es spa Spanish; et est Estonian; fa fas per Persian; fi fin Finnish; fr fra fre French; he heb Hebrew;
hr hrv Croatian; hu hun Hungarian; id ind Indonesian; is isl ice Icelandic; it ita Italian; ja jpn Japanese;
ko kor Korean; lt lit Lithuanian; lv lav Latvian; nb nob Norwegian; nl nld dut Dutch; nn nno Norwegian;
no nor Norwegian; pl pol Polish; pt por Portuguese; ro ron rum Romanian; ru rus Russian; sk slk slo Slovak;
sl slv Slovenian; sr srp Serbian; sv swe Swedish; th tha Thai; tr tur Turkish; uk ukr Ukrainian; ur urd Urdu;
vi vie Vietnamese; zh zho chi Chinese
"""
_NAMES: Final = {
    word.lower(): entry.split()[-1] for entry in _CODES.replace("\n", " ").split(";") for word in entry.split()
}
"""From the codes of ISO 639-1 and 639-2 (both forms), and from the name itself."""


def language_name(text: str) -> str:
    """English name of a language given as a code (``en``, ``eng``, ``en-GB``) or a name; other text as it stands."""
    return _NAMES.get(text.strip().lower()) or _NAMES.get(text.strip().lower().replace("_", "-").split("-")[0], text)
