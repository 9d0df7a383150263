"""Volume, issue, pages, DOI and the publisher's number, run together without separators.

``910.3389/fimmu.2018.02013406327`` is volume 9, DOI 10.3389/fimmu.2018.02013 and number 406327. The text alone does not
tell: the address of the full text, which has the DOI in it, does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final
from urllib.parse import unquote, urlsplit

_DOI: Final = re.compile(r"10\.\d{4,9}/")
_REPEATED: Final = re.compile(r"(10\.\d{4,9}/\S*?(\S{4,}))\2")
_PLACE: Final = "spelling (between publishDate and title)"


@final
@dataclass(frozen=True)
class GluedNumbers:
    """What could be told apart; empty where nothing was said or nothing confirms it.

    Attributes
    ----------
    volume, issue, page : str
    doi : str
        Confirmed by an address, or set apart by blanks.
    publisher_record : str
        What stands behind that DOI.
    unsplit : str
        Volume, issue and pages as they stand, if they could not be told apart.
    unsplit_doi : str
        From the beginning of a DOI whose end is not confirmed.
    how : str
        What told the numbers apart.
    remarks : tuple of str
    """

    volume: str = ""
    issue: str = ""
    page: str = ""
    doi: str = ""
    publisher_record: str = ""
    unsplit: str = ""
    unsplit_doi: str = ""
    how: str = ""
    remarks: tuple[str, ...] = ()


def told_apart(
    text: str, addresses: Iterable[str], known: tuple[str, str, str] = ("", "", ""), *, blanks_between: bool = False
) -> GluedNumbers:
    """What a run of numbers says.

    Parameters
    ----------
    text : str
        Volume, issue, first page, last page, DOI and the publisher's number, each of which may be missing.
    addresses : iterable of str
        Of the full text, and DOIs that other fields give.
    known : tuple of str
        Volume, issue and first page, where other fields give them.
    blanks_between : bool
        The texts of the line are separated by blanks.
    """
    listed = [unquote(address) for address in addresses if address]
    start, doi = _doi(text, listed, blanks_between=blanks_between)
    before = text[:start].strip(" ")
    behind = text[start + len(doi) :].strip(" ") if doi else ""
    unsplit_doi = text[start:] if not doi else ""
    remarks = []
    if unsplit_doi:
        repeated = _REPEATED.fullmatch(unsplit_doi)
        perhaps = f" (perhaps {repeated.group(1)}, if the publisher's number repeats its end)" if repeated else ""
        remarks.append(
            f"spelling: the DOI in {unsplit_doi!r} may be run together with the publisher's number, and no address "
            f"tells where it ends{perhaps}; not taken as an identifier"
        )
    volume, issue, page, how = _numbers(before, listed, known, blanks_between=blanks_between, alone=not doi)
    unsplit = before if before and not how else ""
    if unsplit:
        remarks.append(f"spelling: volume, issue and pages in {unsplit!r} are run together and were not told apart")
    elif volume and how == _PLACE:
        remarks.append(
            f"volume {volume!r}: what stands between publishDate and the DOI in spelling; no field confirms it"
        )
    return GluedNumbers(volume, issue, page, doi, behind, unsplit, unsplit_doi, how, tuple(remarks))


def _doi(text: str, addresses: Iterable[str], *, blanks_between: bool) -> tuple[int, str]:
    """Where a DOI begins (at the end of the text, if there is none), and the DOI, if its end is confirmed."""
    starts = [found.start() for found in _DOI.finditer(text)]
    for start in starts:
        if blanks_between:
            return start, text[start:].split(" ", 1)[0]
        for end in (_confirmed(text[start:], address) for address in addresses):
            if end:
                return start, text[start : start + end]
    return (starts[0] if starts else len(text)), ""


def _confirmed(text: str, address: str) -> int:
    """How many characters from the DOI on stand in an address as well; 0 unless a DOI ends there in the address."""
    low, text = address.lower(), text.lower()
    prefix = _DOI.match(text)
    at = low.find(prefix.group()) if prefix else -1
    while prefix and at >= 0:
        end = next((n for n, (a, b) in enumerate(zip(text, low[at:], strict=False)) if a != b), None)
        end = min(len(text), len(low) - at) if end is None else end
        following = low[at + end : at + end + 1]
        preceded = low[at - 1 : at] if at else ""
        if end > prefix.end() and not following.isalnum() and not preceded.isdigit():
            return end
        at = low.find(prefix.group(), at + 1)
    return 0


def _numbers(
    text: str, addresses: Iterable[str], known: tuple[str, str, str], *, blanks_between: bool, alone: bool
) -> tuple[str, str, str, str]:
    """Volume, issue, page, and how they were told; all empty if nothing tells."""
    nothing = ("", "", "", "")
    if not text:
        return nothing
    if text.replace(" ", "") == "".join(known):
        return (*known, "fields of their own")
    if blanks_between:
        parts = text.split(" ")
        if len(parts) == 4:
            return parts[0], parts[1], f"{parts[2]}-{parts[3]}", "spelling (set apart by blanks)"
        return (text, "", "", _PLACE) if len(parts) == 1 and not alone else nothing
    ways = set(_in_addresses(text, addresses))
    if len(ways) == 1:
        return (*ways.pop(), "spelling, as in the address of the full text")
    # One character cannot be two numbers; without a DOI behind it, it may be the publisher's number.
    return (text, "", "", _PLACE) if len(text) == 1 and not alone else nothing


def _in_addresses(text: str, addresses: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Three parts of a path, one behind the other, that are the text: volume, issue and first page."""
    for address in addresses:
        parts = [part for part in urlsplit(address).path.split("/") if part]
        for three in zip(parts, parts[1:], parts[2:], strict=False):
            if "".join(three) == text:
                yield three
