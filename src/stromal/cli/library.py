"""``stromal evidence import | search | show | export | same``: the records of a user, with the shipped ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stromal.cli.console import answer, complain, say
from stromal.cli.options import AsJson
from stromal.compute.errors import InputError
from stromal.compute.runfolder import write_atomic
from stromal.evidence.claims import shipped_claims
from stromal.evidence.library import Library
from stromal.evidence.records import writing
from stromal.evidence.records.citations import STYLES, cite
from stromal.evidence.records.formats import FORMATS
from stromal.evidence.records.record import Record
from stromal.evidence.search import Results
from stromal.evidence.shelf import imported, index_of, library_path, opened, quotes_found
from stromal.report.record_page import RecordPage, record_page

Place = Annotated[Path | None, typer.Option("--library", help="The library's file; default the user's own.")]
SIMILAR = 5
LARGEST_EXPORT = 1_000


class Kind(StrEnum):
    """What a text is."""

    ABSTRACT = "abstract"
    FULL_TEXT = "full text"


def evidence_import(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Records in any known format; or a text.")],
    form: Annotated[
        str | None, typer.Option("--format", help=f"Default: told from the content. {list(FORMATS)}")
    ] = None,
    text_of: Annotated[str | None, typer.Option("--text-of", help="The file is a text of this record (a DOI).")] = None,
    source: Annotated[str | None, typer.Option(help="Where the text is from (an address).")] = None,
    kind: Annotated[Kind, typer.Option(help="What the text is.")] = Kind.FULL_TEXT,
    library: Place = None,
    as_json: AsJson = False,
) -> None:
    """Import records; with `--text-of`, a text of a paper, in which the quotes from that paper are looked up."""
    path = library_path(library)
    with opened(path) as shelf:
        if text_of is not None:
            _import_text(shelf, files, text_of, source, kind, as_json)
            return
        batch = imported(shelf, files, form)
    answer(as_json, {"counts": batch.counts(), "records": _rows(batch.table())}, batch.summary())
    if batch.rejected:
        raise typer.Exit(3)


def _import_text(shelf: Library, files: list[Path], record: str, source: str | None, kind: Kind, as_json: bool) -> None:
    if len(files) != 1 or not source:
        raise InputError(
            "a text needs one file and its source", place="--text-of", value=record, remedy="FILE --source ADDRESS"
        )
    found = quotes_found(shelf, files[0], record, source, kind.value, date.today())  # noqa: DTZ011 - the user's day
    rows = [
        {"row": s.row, "claim": s.claim.sentence, "quote": s.support.quote, "found": f} for s, f in found if s.support
    ]
    lines = [f'{"found" if r["found"] else "NOT FOUND"}  {r["row"]} "{r["quote"]}"' for r in rows]
    answer(as_json, {"quotes": rows}, *(lines or ["the shipped base has no quote from this paper"]))
    if not all(f for _, f in found):
        raise typer.Exit(3)


def evidence_search(
    query: Annotated[str, typer.Argument(help='Words, "phrases", AND OR NOT, title:skin, year:2010..2020, scler*.')],
    where: Annotated[list[str] | None, typer.Option("--where", help="facet=value, e.g. language=English.")] = None,
    facets: Annotated[list[str] | None, typer.Option("--facet", help="Count the values of a facet.")] = None,
    page: Annotated[int, typer.Option(min=1)] = 1,
    size: Annotated[int, typer.Option(min=1, max=LARGEST_EXPORT)] = 10,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first.")] = False,
    library: Place = None,
    as_json: AsJson = False,
) -> None:
    """Search the records: `stromal evidence search 'tocilizumab year:2015..' --facet journal --where design=rct`."""
    path = library_path(library)
    with opened(path) as shelf:
        found = index_of(shelf, path).search(
            query,
            filters=_filters(where or []),
            page=page,
            size=size,
            facets=facets or [],
            order="newest" if newest else "relevance",
        )
        years = {hit.id: shelf.merged(hit.work).item.get("issued", {}) for hit in found.hits}
    if as_json:
        answer(True, _plain(found))
        return
    say(f"{found.total} works" + (f"; did you mean: {found.suggestion}" if found.suggestion else ""))
    for number, hit in enumerate(found.hits, (page - 1) * size + 1):
        year = str(years[hit.id].get("date-parts", [[""]])[0][0])
        say(f"{number:4d}  {hit.title.text or '(no title)'} {f'({year})' if year else ''}\n      {hit.id}")
        if hit.passage.text:
            say(f"      {hit.passage.text}")
    for name, values in found.facets.items():
        say(f"{name}: " + ", ".join(f"{v.value} ({v.count})" for v in values))


def evidence_show(
    name: Annotated[str, typer.Argument(help="An identifier: DOI, PMID, NCT number, doaj:..., record:12.")],
    page: Annotated[Path | None, typer.Option("--html", help="Write the page to this file.")] = None,
    library: Place = None,
    as_json: AsJson = False,
) -> None:
    """Show a record as a catalogue does: summary, details, subjects, similar items, citation, raw fields."""
    path = library_path(library)
    with opened(path) as shelf:
        shown = _page(shelf, path, name)
    if page is not None:
        write_atomic(page, shown.html())
    answer(as_json, shown.plain(), f"Written: {page}" if page else shown.text())


def _page(shelf: Library, path: Path, name: str) -> RecordPage:
    records = shelf.work_of(name)
    best = max(records, key=lambda r: (bool(r.item.get("abstract")), len(r.fields)))
    base, index = shipped_claims(), index_of(shelf, path)
    identifiers = sorted({i for r in records for i in r.identifiers})
    work = shelf.work(name)
    return record_page(
        best,
        versions=[r for r in records if r is not best],
        similar=[shelf.get(hit.id) for hit in index.similar(work.name, SIMILAR)],
        claims=[s for i in identifiers for s in base.from_record(i)],
        citations={style: cite(best, style) for style in STYLES},
    )


def evidence_export(
    form: Annotated[str, typer.Option("--format", help=f"What to write: {', '.join(writing.WRITERS)}.")],
    query: Annotated[str, typer.Option(help="Which works; default all.")] = "*",
    out: Annotated[Path | None, typer.Option(help="File; default standard output.")] = None,
    library: Place = None,
) -> None:
    """Write records as RIS, BibTeX, CSL-JSON, CSV or JSON lines."""
    path = library_path(library)
    with opened(path) as shelf:
        chosen = _found(shelf, path, query)
        number = writing.write(chosen, out or sys.stdout, form)
    complain(f"stromal: {number} records{f' in {out}' if out else ''}")


def _found(shelf: Library, path: Path, query: str) -> list[Record]:
    if query.strip() == "*":
        return list(shelf.records())
    index, records, page = index_of(shelf, path), [], 1
    while True:
        found = index.search(query, page=page, size=LARGEST_EXPORT)
        records += [shelf.get(hit.id) for hit in found.hits]
        if page >= found.pages:
            return records
        page += 1


def evidence_same(
    one: Annotated[str, typer.Argument(help="A record.")],
    other: Annotated[str, typer.Argument(help="Another record.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    why: Annotated[str, typer.Option(help="On what grounds.")],
    different: Annotated[bool, typer.Option("--not", help="They are of different works.")] = False,
    library: Place = None,
) -> None:
    """Say that two records are of one work (or, with --not, that they are not); it holds through every later import."""
    with opened(library_path(library)) as shelf:
        (shelf.not_same if different else shelf.same)(one, other, by, why)
        say(f"noted; {one} is now of one work with: {', '.join(r.id for r in shelf.work_of(one))}")


def _filters(given: list[str]) -> dict[str, list[str | int]]:
    filters: dict[str, list[str | int]] = {}
    for pair in given:
        name, mark, value = pair.partition("=")
        if not mark:
            raise InputError(
                "not a facet and a value", place="--where", value=pair, remedy="facet=value, e.g. year=2016"
            )
        filters.setdefault(name.strip(), []).append(value.strip())
    return filters


def _plain(found: Results) -> dict[str, Any]:
    return {
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "suggestion": found.suggestion,
        "hits": [{"id": h.id, "score": h.score, "title": h.title.text, "passage": h.passage.text} for h in found.hits],
        "facets": {n: [{"value": v.value, "count": v.count} for v in values] for n, values in found.facets.items()},
    }


def _rows(table: Any) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = table.to_dict("records")
    return rows
