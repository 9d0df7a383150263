"""The Staff View of a VuFind page as text: which lines begin a field, and which go on with the one before.

Nothing marks a field but its name at the start of a line, so a keyword such as "physical activity" looks like one.
VuFind stores most texts twice, in ``spellingShingle`` and ``spelling``: of the possible readings the one is taken in
which all copies agree. Where there is no copy to compare with, lines that could be read otherwise are told in a remark.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Final, final

from stromal.evidence.records import vufind_schema as schema
from stromal.evidence.records.record import Field
from stromal.evidence.records.work_keys import only_latin, work_keys

MOST_CHANGES: Final = 12
"""Most lines that are read otherwise than their first word says before the search is given up."""
_MOST_PAIRS: Final = 300
_MOST_WORK: Final = 60_000  # lines that are read in one round of the search
_SHOWN: Final = 60
_FEW: Final = 5

_OPENING: Final = re.compile(r"(\S+)[ \t](.*\S.*)")
_DOAJ_SPELLING: Final = re.compile(r"\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DOAJ_START: Final = re.compile(rf"\S{{1,60}}?{_DOAJ_SPELLING.pattern}")
_COPIES: Final = (
    ("spellingShingle", schema.SHINGLE),
    ("author_facet", ("author", "author2", "author_corporate")),
)


@final
@dataclass(frozen=True)
class StaffView:
    """Fields of a Staff View.

    Attributes
    ----------
    fields : tuple of Field
        In the order of the page.
    remarks : tuple of str
        Lines that could be read otherwise, and copies that do not agree.
    """

    fields: tuple[Field, ...]
    remarks: tuple[str, ...]


@final
@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    name: str
    rest: str


@final
@dataclass
class _Run:
    """Lines of one field."""

    name: str
    line: _Line
    lines: list[str]
    after: str = ""  # the field before it
    bare: int = 0  # further lines without the name of the field before them


@final
@dataclass(frozen=True)
class _Reading:
    """What is decided otherwise than the first word of a line says."""

    values: frozenset[str] = field(default_factory=frozenset)  # lines that are values though a name begins them
    opens: frozenset[str] = field(default_factory=frozenset)  # lines that begin a field of an unknown name
    repeats: bool = False  # each value has the name of its field before it


_REPEATING: Final = _Reading(repeats=True)


def begins_field(text: str) -> str:
    """Name of the field that a line begins by its first word and the form of its value; empty if it begins none."""
    found = _OPENING.fullmatch(text)
    return found.group(1) if found and schema.begins(*found.groups()) else ""


def read(lines: Sequence[str], first: int = 1) -> StaffView:
    """Fields of the lines of a Staff View.

    Parameters
    ----------
    lines : sequence of str
        Without line ends. The first begins a field.
    first : int
        Number of the first line in the file, for remarks.
    """
    parsed = [_line(number, text) for number, text in enumerate(lines, first)]
    reading = _best(parsed)
    runs = _runs(parsed, reading)
    faults = _faults(runs, reading)
    remarks = [*_told(parsed, reading), *_doubts(parsed, runs, reading, faults), *_disagreements(runs)]
    return StaffView(tuple(Field(run.name, _values(run)) for run in runs), tuple(remarks))


def _line(number: int, text: str) -> _Line:
    found = _OPENING.fullmatch(text)
    return _Line(number, text, *(found.groups() if found else ("", "")))


def _runs(lines: Iterable[_Line], reading: _Reading) -> list[_Run]:
    runs: list[_Run] = []
    opened: dict[str, _Run] = {}
    for line in lines:
        current = runs[-1] if runs else None
        if current is not None and not line.text.strip():
            if current.name in schema.SEVERAL_LINES:
                current.lines.append("")
        elif reading.repeats and line.name in opened and schema.fits(line.name, line.rest):
            opened[line.name].lines.append(line.rest)
        elif current is None or (line.name not in opened and _opens(line, current, reading)):
            runs.append(_Run(line.name, line, [line.rest], current.name if current else ""))
            opened[line.name] = runs[-1]
        else:
            current.lines.append(line.text)
            current.bare += current.name not in schema.SEVERAL_LINES
    for run in runs:
        while len(run.lines) > 1 and not run.lines[-1]:
            run.lines.pop()
    return runs


def _opens(line: _Line, current: _Run, reading: _Reading) -> bool:
    if not line.name or line.text in reading.values:
        return False
    if line.text in reading.opens:
        return True
    if schema.known(line.name):
        return schema.begins(line.name, line.rest)
    if schema.site_field(line.name):
        return True
    return schema.may_be_field(line.name) and _is_full(current, line.text)


def _is_full(run: _Run, text: str) -> bool:
    """Whether a line is no further value of a field: it has one value, or values of another kind."""
    if run.name in schema.SEVERAL_LINES:
        return False
    if schema.single(run.name):
        return True
    if schema.typed(run.name):
        return not schema.fits(run.name, text)
    facet = run.name in ("collection", "institution", "building", "language", "format", "sources")
    return (facet or not schema.known(run.name)) and not any(value[:1].islower() for value in run.lines)


def _values(run: _Run) -> tuple[str, ...]:
    return ("\n".join(run.lines),) if schema.single(run.name) else tuple(run.lines)


def _best(lines: Sequence[_Line]) -> _Reading:
    """The reading without faults nearest to the plain one, or one in which the copies agree, or one nearly so."""
    copied = _Reading(values=_copied(lines))
    starts = [(reading, _faults(_runs(lines, reading), reading)) for reading in (_Reading(), copied, _REPEATING)]
    for reading, faults in starts:
        if faults.rank == (0, 0):
            return reading
    found = [_searched(lines, reading, faults) for reading, faults in starts]
    agreeing = [one for one in found if one[1].contradicted == 0 and (one[1].copied or one[1].odd == 0)]
    return min(agreeing or starts[:2], key=lambda one: one[1].rank)[0]


def _copied(lines: Sequence[_Line]) -> frozenset[str]:
    """Lines that may begin with a name by chance, and stand in the page again with it: in a line, or in `spelling`."""
    counts = Counter(line.text for line in lines)
    first = {line.rest for line in lines if line.name in schema.SHINGLE}
    whole = _squeezed(max((line.rest for line in lines if line.name == "spelling"), key=len, default=""))
    named = {
        line.text
        for line in lines
        if schema.plain_word(line.name)
        and schema.begins(line.name, line.rest)
        and (line.name == "id" or not schema.typed(line.name))
    }
    return frozenset(text for text in named if counts[text] > 1 or text in first or _squeezed(text) in whole)


def _searched(lines: Sequence[_Line], reading: _Reading, least: _Faults) -> tuple[_Reading, _Faults]:
    """Change one line after the other, or two at once, as long as faults disappear."""
    for _ in range(MOST_CHANGES):
        changes = _changes(lines, reading)
        if len(changes) * len(lines) > _MOST_WORK:
            break
        tried = [(change, _faults(_runs(lines, change), change)) for change in changes]
        if not any(faults.rank < least.rank for _, faults in tried):
            pairs = [_both(a, b) for a, b in list(combinations(changes, 2))[:_MOST_PAIRS]]
            tried = [(pair, _faults(_runs(lines, pair), pair)) for pair in pairs]
        best = min(tried, key=lambda one: one[1].rank, default=None)
        if best is None or best[1].rank >= least.rank:
            break
        reading, least = best
        if least.rank == (0, 0):
            break
    return reading, least


def _changes(lines: Sequence[_Line], reading: _Reading) -> list[_Reading]:
    """Readings that differ in one text of a line, wherever it stands."""
    runs = _runs(lines, reading)
    begun = {run.line.text for run in runs[1:] if _by_chance(run.name)}
    if any(_DOAJ_START.match(line.rest) for line in lines if line.name == "spelling"):
        begun &= _copied(lines)  # all texts of the record are in that line
    opened = {run.name for run in runs}
    others = {
        line.text
        for line in lines
        if line.name not in opened and line.text not in reading.values and schema.may_be_field(line.name)
    }
    return [
        *(replace(reading, values=reading.values | {text}, opens=reading.opens - {text}) for text in sorted(begun)),
        *(replace(reading, values=reading.values - {text}) for text in sorted(reading.values)),
        *(replace(reading, opens=reading.opens | {text}) for text in sorted(others - reading.opens)),
    ]


def _by_chance(name: str) -> bool:
    """Whether a line of text may begin with a name by chance, and have a value of its form."""
    return not schema.typed(name) and (schema.plain_word(name) or not schema.known(name))


def _both(one: _Reading, other: _Reading) -> _Reading:
    return replace(one, values=one.values | other.values, opens=one.opens | other.opens)


@final
@dataclass(frozen=True)
class _Faults:
    """What speaks against a reading.

    Attributes
    ----------
    contradicted : int
        Lines in which copies of a text differ.
    odd : int
        Lines that are odd in themselves.
    copied : bool
        Whether there are copies to compare with.
    """

    contradicted: int
    odd: int
    copied: bool

    @property
    def rank(self) -> tuple[int, int]:
        """The lower, the better."""
        return self.contradicted, self.odd


def _faults(runs: Sequence[_Run], reading: _Reading) -> _Faults:
    said = {run.name: run.lines for run in runs}
    contradicted = sum(_difference(said, copy, parts) for copy, parts in _COPIES)
    ends = _ends_as_spelling(said)
    contradicted += 3 * (ends is False)
    if ends is not None:
        contradicted += sum(schema.plain_word(name) and schema.known(name) and name not in schema.DOAJ for name in said)
    odd = sum(_oddities(run, repeats=reading.repeats) for run in runs) + (_keys_agree(said) is False)
    # Nearly every record has these fields: a line that begins one is rather that than text.
    odd += 2 * sum(text.split()[0] in schema.USUAL - said.keys() for text in reading.values)
    return _Faults(contradicted, odd, "spellingShingle" in said or ends is not None)


def _difference(said: dict[str, list[str]], copy: str, parts: Iterable[str]) -> int:
    """How many lines of a copy and of its originals differ; 1 where only the order does."""
    if copy not in said:
        return 0
    originals = [line for part in parts for line in said.get(part, ())]
    if said[copy] == originals:
        return 0
    first, second = Counter(said[copy]), Counter(originals)
    return max(1, (first - second).total() + (second - first).total())


def _oddities(run: _Run, *, repeats: bool) -> int:
    odd = 0 if run.name in schema.SEVERAL_LINES or not schema.single(run.name) else len(run.lines) - 1
    odd += sum(not schema.fits(run.name, line) for line in run.lines)
    if repeats or run.name in schema.SEVERAL_LINES:
        return odd + run.bare * repeats
    return odd + sum(line.startswith((f"{run.name} ", f"{run.name}\t")) for line in run.lines[1:])


def _ends_as_spelling(said: dict[str, list[str]]) -> bool | None:
    """Whether ``spelling`` ends with abstract, address and topics; None where it is no such line of DOAJ."""
    spelling, identifier = (next(iter(said.get(name, ())), "") for name in ("spelling", "id"))
    if not identifier or not spelling.startswith(identifier) or not _DOAJ_SPELLING.match(spelling, len(identifier)):
        return None
    ending = _squeezed(spelling)
    abstract, address, topics = (_squeezed("".join(said.get(name, ()))) for name in ("description", "url", "topic"))
    return any(ending.endswith(f"{abstract}{one}{topics}") for one in (address, address.removeprefix("http://")))


@lru_cache(maxsize=64)
def _squeezed(text: str) -> str:
    return "".join(text.split())


def _keys_agree(said: dict[str, list[str]]) -> bool | None:
    """Whether the work keys are those of title and authors; None where they cannot be made."""
    title, authors = " ".join(said.get("title", ())), said.get("author", [])
    if "work_keys_str_mv" not in said:
        return None
    if not all(map(only_latin, (title, *authors))):  # each title has a key with each author, whatever they are
        return False if authors and len(said["work_keys_str_mv"]) % len(authors) else None
    return tuple(said["work_keys_str_mv"]) == work_keys((title,), authors)


def _shown(line: _Line | str) -> str:
    text = line if isinstance(line, str) else line.text
    shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
    return shown if isinstance(line, str) else f"line {line.number} ({shown})"


def _listed(lines: Sequence[_Line | str]) -> str:
    rest = f" and {len(lines) - _FEW} more" if len(lines) > _FEW else ""
    return ", ".join(map(_shown, lines[:_FEW])) + rest


def _told(lines: Sequence[_Line], reading: _Reading) -> list[str]:
    """Remarks on lines that were read otherwise than their first word says."""
    remarks = []
    values = [line for line in lines if line.text in reading.values]
    opens = [line for line in lines if line.text in reading.opens]
    if values:
        remarks.append(f"{_listed(values)}: read as text, not as a field of that name, as the copies of the text show")
    if opens:
        remarks.append(f"{_listed(opens)}: read as a field of its own, as the copies of the text show")
    if reading.repeats:
        remarks.append("each value has the name of its field before it; the names were left out of the values")
    return remarks


def _doubts(lines: Sequence[_Line], runs: Sequence[_Run], reading: _Reading, faults: _Faults) -> list[str]:
    """Remarks on lines of which nothing but their first word tells what they are."""
    begun = {run.line.number for run in runs}
    names = {run.name for run in runs}
    sure = faults.copied and faults.contradicted == 0
    remarks = []
    unknown = [run.line for run in runs if not schema.known(run.name) and not schema.site_field(run.name)]
    if unknown := [line for line in unknown if line.text not in reading.opens]:
        remarks.append(f"{_listed(unknown)}: taken for a field of a name that VuFind does not have")
    misshapen = [
        line for line in lines if line.number not in begun and schema.known(line.name) and line.name not in names
    ]
    if misshapen and not sure:
        remarks.append(f"{_listed(misshapen)}: not of the form of the field of that name; read as text")
    flowing = {"description", "contents", "topic", "genre", "geographic", "era", "series", "series2"}
    words = [run.line for run in runs if run.after in flowing and schema.plain_word(run.name)]
    words = [line for line in words if not schema.typed(line.name)]
    if words and not sure:
        remarks.append(f"{_listed(words)}: may be text that goes on; there is no copy of the text that tells")
    return remarks


def _disagreements(runs: Sequence[_Run]) -> list[str]:
    """Remarks on copies that do not agree, and on values that are not of the form of their field."""
    said = {run.name: run.lines for run in runs}
    remarks = []
    for copy, parts in _COPIES:
        if _difference(said, copy, parts):
            originals = [line for part in parts for line in said.get(part, ())]
            differing = [*(Counter(said[copy]) - Counter(originals)), *(Counter(originals) - Counter(said[copy]))]
            what = f"in {_listed(differing)}" if differing else "in their order"
            remarks.append(
                f"{copy} and {', '.join(parts)} differ {what}: the page may be cut off or changed, or a line misread"
            )
    if _ends_as_spelling(said) is False:
        remarks.append("spelling does not end with description, url and topic: the page may be cut off or changed")
    if _keys_agree(said) is False:
        remarks.append("work_keys_str_mv: not the keys of this title and these authors")
    for run in runs:
        if schema.single(run.name) and run.name not in schema.SEVERAL_LINES and len(run.lines) > 1:
            remarks.append(f"line {run.line.number}: {run.name} has one value, but {len(run.lines)} lines; joined")
        if odd := [line for line in run.lines if not schema.fits(run.name, line)]:
            remarks.append(f"{run.name}: {_listed(odd)} is not of its form")
    return remarks
