r"""BibTeX and BibLaTeX: ``@article{key, title = {...}, author = {Family, Given and ...}, ...}``.

Entries are split by our own code, because bibtexparser 2.1 misreads what it should refuse or keep: a missing comma
glues the next field to the value, ``{C:\\}`` counts as an open brace, a line ``@foo{bar}`` inside an abstract
becomes an entry, and ``a # b`` is not resolved. Its rules for names are right and are used. LaTeX is read by `latex`.

What BibTeX has no field for is written as ``pmid``, ``pmcid``, ``entrysubtype`` (a type of CSL without an entry type of
its own), ``date`` (EDTF, where year, month and day cannot say it) and ``identifiers``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from bibtexparser.middlewares.names import NameParts, parse_single_name_into_parts, split_multiple_persons_names

from stromal.compute.errors import InputError
from stromal.evidence.records import dates, latex
from stromal.evidence.records.bibtex_entries import Entry, EntryField, blocks
from stromal.evidence.records.bounds import Text
from stromal.evidence.records.draft import Draft
from stromal.evidence.records.names import one_line
from stromal.evidence.records.record import Field, Record, Rejected, Source
from stromal.evidence.records.vocabulary import CSL_TYPES, pairs

FORMAT: Final = "bibtex"

_ACCENTED: Final = re.compile(r"\{\\(?:[`'^\"~=.]|[uvHcdkrbtoOlLij]\b|(?:ss|ae|AE|oe|OE|aa|AA)\b)")
_START: Final = re.compile(r"^[ \t]*@[A-Za-z]+[ \t]*[{(]", re.MULTILINE)
_TYPES: Final[Mapping[str, str]] = pairs(
    """
    article=article-journal book=book incollection=chapter inproceedings=paper-conference thesis=thesis
    report=report dataset=dataset software=software online=webpage patent=patent unpublished=manuscript
    misc=document booklet=pamphlet
    """
)
_MORE_TYPES: Final[Mapping[str, str]] = pairs(
    """
    conference=paper-conference inbook=chapter mvbook=book collection=book proceedings=book phdthesis=thesis
    mastersthesis=thesis techreport=report electronic=webpage www=webpage manual=report periodical=periodical
    """
)
"""Entry types that share a type of CSL with one above: read, and not written."""
_ENTRIES: Final[Mapping[str, str]] = {kind: name for name, kind in _TYPES.items()}

_COPIED: Final = (
    ("title", ("title",)),
    ("title-short", ("shorttitle",)),
    ("container-title", ("journal", "journaltitle", "booktitle", "maintitle")),
    ("container-title-short", ("shortjournal",)),
    ("collection-title", ("series",)),
    ("volume", ("volume",)),
    ("issue", ("issue",)),
    ("publisher", ("publisher", "school", "institution", "organization")),
    ("publisher-place", ("address", "location")),
    ("edition", ("edition",)),
    ("language", ("language", "langid")),
    ("abstract", ("abstract",)),
    ("note", ("note", "annote", "annotation")),
)
_WRITTEN: Final = (
    *(("title-short", "shorttitle"), ("container-title-short", "shortjournal"), ("collection-title", "series")),
    *(("volume", "volume"), ("publisher", "publisher"), ("publisher-place", "address"), ("edition", "edition")),
    *(("language", "language"), ("abstract", "abstract"), ("note", "note")),
)


def looks_like(head: str) -> int | None:
    """Place of the first entry in the first text of a file, None if there is none."""
    found = _START.search(head)
    return found.start() if found else None


def read(content: bytes | BinaryIO, file: str) -> Iterator[Record | Rejected]:
    """Entries of a BibTeX file; what stands between them is comment, as BibTeX takes it.

    Raises
    ------
    InputError
        The file is not text in UTF-8 (or marked UTF-16), is larger than `bounds.LARGEST_WHOLE`, or has no entry.
    """
    text = Text(content, file)
    whole = text.whole()
    found = False
    for block in blocks(whole, file):
        found = True
        yield _record(block, text, file) if isinstance(block, Entry) else block
    if not found:
        raise InputError("no BibTeX entry", file=file, place="line 1", remedy="entries as @article{key, title = {...}}")


def _record(entry: Entry, text: Text, file: str) -> Record | Rejected:
    fields = (Field(f"@{entry.kind}", (entry.key,)), *(Field(f.name, (f.raw,)) for f in entry.fields))
    draft = Draft(Source(FORMAT, text.bytes_of(entry.text), file, f"line {entry.line}"), fields)
    for remark in entry.remarks:
        draft.remark(remark)
    values: dict[str, EntryField] = {}
    for one in entry.fields:
        if one.value.strip() and values.setdefault(one.name.lower(), one) is not one:
            draft.remark(f"{one.name} is given several times; the first was taken")
    _fill(draft, entry.kind.lower(), values)
    return draft.finished()


def _fill(draft: Draft, kind: str, values: Mapping[str, EntryField]) -> None:
    subtype = one_line(values["entrysubtype"].value) if "entrysubtype" in values else ""
    if subtype in CSL_TYPES:
        draft.put("type", subtype, "entrysubtype")
    known = _TYPES.get(kind) or _MORE_TYPES.get(kind)
    draft.remark("" if known else f"@{kind} is no known type of entry; taken for a document")
    draft.put("type", known or "document", f"@{kind}")
    for key, names in _COPIED:
        for name in names:
            if name in values and key not in draft.item:
                draft.put(key, _plain(draft, values[name]), values[name].name)
    if "number" in values:
        number = values["number"]
        draft.put("issue" if kind in ("article", "periodical") else "number", _plain(draft, number), number.name)
    for key in ("author", "editor"):
        if key in values:
            draft.put_names(key, _people(draft, values[key]), values[key].name)
    if "pages" in values:
        dashes = re.sub(r"[ \t\n]*-{2,}[ \t\n]*", "-", values["pages"].value)
        draft.put("page", latex.decoded(dashes)[0], values["pages"].name)
    _date(draft, values)
    for name in ("keywords", "keyword"):
        if name in values:
            draft.add_keywords(_keywords(draft, values[name]), values[name].name)
    _identify(draft, values)
    if "crossref" in values:
        draft.remark(f"crossref: what it inherits from {values['crossref'].value.strip()!r} was not filled in")


def _plain(draft: Draft, said: EntryField) -> str:
    plain, unknown = latex.decoded(said.value)
    if unknown:
        draft.remark(f"{said.name}: LaTeX left as it is: {', '.join(unknown[:3])[:80]}")
    return plain


def _people(draft: Draft, said: EntryField) -> Iterator[dict[str, Any]]:
    flat = one_line(said.value)
    for text in split_multiple_persons_names(flat):
        if text.strip().lower() == "others":
            draft.remark(f"{said.name}: the list ends with 'others': names are missing")
            continue
        if text.startswith("{") and _closes_at_the_end(text) and (" " in text or not _ACCENTED.match(text)):
            yield {"literal": one_line(_plain(draft, EntryField(said.name, text, text)))}
            continue
        parts: NameParts = parse_single_name_into_parts(text, strict=False)
        words = {"family": (*parts.von, *parts.last), "given": parts.first, "suffix": parts.jr}
        plain = {key: _plain(draft, EntryField(said.name, " ".join(w), "")) for key, w in words.items() if w}
        name = {key: one_line(value) for key, value in plain.items() if one_line(value)}
        if name.get("family"):
            yield name
        elif name:
            yield {"literal": " ".join(name.values())}


def _closes_at_the_end(text: str) -> bool:
    """Whether the brace that a text begins with is closed by its last character."""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return at == len(text) - 1
    return False


def _date(draft: Draft, values: Mapping[str, EntryField]) -> None:
    doubt = ""
    if "date" in values:
        date, doubt = dates.parsed(latex.verbatim_decoded(values["date"].value))
        if "date-parts" in date and not doubt:
            draft.put("issued", date, values["date"].name)
            return
    if "year" not in values:
        if doubt:
            draft.put_date("issued", values["date"].value, values["date"].name)
        return
    plain = {key: one_line(_plain(draft, values[key])) for key in ("year", "month", "day") if key in values}
    year, month, day = plain["year"], *(plain.get(key, "").strip(" ,.~") for key in ("month", "day"))
    if month.isdigit():
        text = "-".join(part for part in (year, month, day) if part)
    else:
        text = " ".join(part for part in (year, month, day) if part)
    draft.put_date("issued", text, ", ".join(plain))


def _keywords(draft: Draft, said: EntryField) -> Iterator[str]:
    """Keywords, cut at semicolons, else at commas, outside braces."""
    cuts: dict[str, list[int]] = {";": [], ",": []}
    depth = 0
    for at, sign in enumerate(said.value):
        depth += (sign == "{") - (sign == "}")
        if depth == 0 and sign in cuts:
            cuts[sign].append(at)
    places = cuts[";"] or cuts[","]
    for start, end in zip([0, *(at + 1 for at in places)], [*places, len(said.value)], strict=True):
        yield _plain(draft, EntryField(said.name, said.value[start:end], ""))


def _identify(draft: Draft, values: Mapping[str, EntryField]) -> None:
    verbatim = {key: one_line(latex.verbatim_decoded(said.value)) for key, said in values.items()}
    for scheme in ("doi", "pmid", "pmcid"):
        if scheme in verbatim:
            draft.identify(scheme, verbatim[scheme].strip("{}"), values[scheme].name)
    archive = verbatim.get("eprinttype") or verbatim.get("archiveprefix") or ""
    if "eprint" in verbatim and archive.lower() in ("pubmed", "pmid", "pmc", "pmcid"):
        draft.identify("pmid" if archive.lower() in ("pubmed", "pmid") else "pmcid", verbatim["eprint"], "eprint")
    elif "eprint" in verbatim:
        draft.put_custom("eprint", f"{archive}:{verbatim['eprint']}".lstrip(":"), "eprint")
    for curie in verbatim.get("identifiers", "").split():
        draft.identify_any(curie, "identifiers")
    draft.put_url(verbatim.get("url", ""), "url")
    published = re.search(r"\\url\{([^{}]+)\}", values["howpublished"].value) if "howpublished" in values else None
    if published:
        draft.put_url(latex.verbatim_decoded(published.group(1)), "howpublished")
    draft.put_issn((part for part in re.split(r"[;, ]+", verbatim.get("issn", "")) if part), "issn")
    draft.put("ISBN", verbatim.get("isbn", ""), "isbn")


def key_of(record: Record) -> str:
    """A citation key: first family name, year and first long word of the title, in plain letters."""
    people: list[dict[str, Any]] = record.item.get("author") or record.item.get("editor") or [{}]
    name = people[0].get("family") or people[0].get("literal") or "anonymous"
    word = next((w for w in re.findall(r"\w+", record.title) if len(w) > 3), "")
    plain = unicodedata.normalize("NFKD", f"{name}{record.year or ''}{word}")
    return re.sub(r"[^a-z0-9]", "", plain.lower()) or "work"


def write(record: Record, key: str = "") -> str:
    """The record as a BibTeX entry with an empty line after it; `key_of` gives its key unless one is given."""
    item = record.item
    kind = str(item.get("type", "document"))
    name = _ENTRIES.get(kind, "misc")
    lines = [("author", _written_people(item.get("author", ())))]
    lines.append(("editor", _written_people(item.get("editor", ()))))
    lines.append(("title", _written_title(record.title)))
    lines.append(("journal" if name == "article" else "booktitle", latex.encoded(str(item.get("container-title", "")))))
    lines += ((field, latex.encoded(str(item.get(csl, "")))) for csl, field in _WRITTEN)
    lines.append(("number" if name == "article" else "issue", latex.encoded(str(item.get("issue", "")))))
    if name != "article":
        lines.append(("number", latex.encoded(str(item.get("number", "")))))
    pages = str(item.get("page", ""))
    lines.append(("pages", pages.replace("-", "--") if re.fullmatch(r"\w+-\w+", pages) else latex.encoded(pages)))
    lines += _written_date(item.get("issued", {}))
    lines.append(("keywords", ", ".join(map(_written_keyword, record.keywords))))
    lines += ((field, latex.verbatim_encoded(str(item.get(csl, "")))) for csl, field in _VERBATIM)
    others = [c for c in record.identifiers if c.split(":", 1)[0] not in ("doi", "pmid", "pmcid", "url")]
    lines.append(("identifiers", " ".join(others)))
    if _TYPES[name] != kind:
        lines.append(("entrysubtype", kind))
    body = "".join(f"  {field} = {value if field == 'month' else f'{{{value}}}'},\n" for field, value in lines if value)
    return f"@{name}{{{key or key_of(record)},\n{body}}}\n\n"


_VERBATIM: Final = (
    *(("DOI", "doi"), ("PMID", "pmid"), ("PMCID", "pmcid"), ("URL", "url"), ("ISSN", "issn"), ("ISBN", "isbn")),
)


def _written_people(people: Iterable[Mapping[str, Any]]) -> str:
    return " and ".join(map(_written_name, people))


def _written_name(name: Mapping[str, Any]) -> str:
    if "family" not in name:
        return f"{{{latex.encoded(str(name.get('literal', '')))}}}"
    family, given, suffix = (_word(str(name.get(key, ""))) for key in ("family", "given", "suffix"))
    if suffix:
        return f"{family}, {suffix}, {given or '{}'}"
    if given:
        return f"{family}, {given}"
    return f"{family}, {{}}" if family.startswith("{") else family


def _word(part: str) -> str:
    """A part of a name, in braces where BibTeX would cut it or take it for a particle."""
    plain = re.fullmatch(r"[^\W\d_][^\W_]*(?:[-'’.][^\W_]*)*(?: [^\W\d_][^\W_]*(?:[-'’.][^\W_]*)*)*", part)
    safe = (
        plain and not part[0].islower() and not re.search(r"\b(?:and|others)\b| [^\W\d_A-Z]|--|''", part, re.IGNORECASE)
    )
    return latex.encoded(part) if safe or not part else f"{{{latex.encoded(part)}}}"


def _written_title(title: str) -> str:
    """The title, with words that have capitals inside in braces, so that styles keep them."""
    words = title.split(" ")
    return " ".join(
        f"{{{latex.encoded(word)}}}" if any(c.isupper() for c in word[1:]) else latex.encoded(word) for word in words
    )


def _written_date(issued: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    text = dates.written(issued)
    simple = re.fullmatch(r"(-?\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d\d))?)?", text)
    if simple:
        year, month, day = simple.groups()
        yield from (("year", year), ("month", dates.MONTHS[int(month) - 1] if month else ""), ("day", day or ""))
    elif "date-parts" in issued:
        yield "year", text[: text.index("-", 1) if "-" in text[1:] else 4][:5]
        yield "date", text
    else:
        yield "year", latex.encoded(text)


def _written_keyword(word: str) -> str:
    return f"{{{latex.encoded(word)}}}" if re.search(r"[,;]", word) else latex.encoded(word)
