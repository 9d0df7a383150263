"""The library and the index of this user, with the shipped base in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, Literal

from stromal.compute.errors import InputError
from stromal.evidence.claims import shipped_claims
from stromal.evidence.claims.base import FOLDER, Base, Supported
from stromal.evidence.claims.judging import is_verbatim
from stromal.evidence.library import Batch, Library
from stromal.evidence.records.bounds import Text
from stromal.evidence.records.formats import read_file
from stromal.evidence.records.record import Record, Rejected
from stromal.evidence.search import Index, Standing

PLACE_VARIABLE: Final = "STROMAL_LIBRARY"
SHIPPED: Final = {"founding_record.txt": "catalogue_page", "records.json": "csl"}
"""Files of the base that hold records, with their formats."""


def library_path(chosen: Path | None = None) -> Path:
    """Where the library is: as chosen, else the environment variable STROMAL_LIBRARY, else the user's data folder."""
    if chosen is not None:
        return chosen
    told = os.environ.get(PLACE_VARIABLE)
    if told:
        return Path(told)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "stromal" / "evidence.sqlite"


@contextmanager
def opened(path: Path) -> Iterator[Library]:
    """Open a library; the shipped base is put into it first, which changes nothing if it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Library(path) as library:
        library.add(shipped_records())
        yield library


def index_of(library: Library, path: Path) -> Index:
    """The index beside a library."""
    return Index.open(path.with_suffix(path.suffix + ".index"), library, standing(shipped_claims()))


def shipped_records() -> Iterator[Record | Rejected]:
    """Records of the base."""
    for name, form in SHIPPED.items():
        yield from read_file(FOLDER / name, form)


def standing(base: Base) -> dict[str, Standing]:
    """What the base makes of each of its records: whether a claim rests on it and was checked, and its design."""
    known = {}
    for curie, item in base.items.items():
        said = base.from_record(curie)
        status = ("checked" if any(s.checked for s in said) else "draft",) if said else ()
        design = str(item.get("custom", {}).get("design", ""))
        known[curie] = Standing(status=status, designs=(design,) if design else ())
    return known


def imported(library: Library, paths: Iterable[Path], form: str | None) -> Batch:
    """Add the records of files to a library.

    Raises
    ------
    InputError
        A file cannot be read at all; what single records lack is in the batch.
    """
    return library.add(r for path in paths for r in read_file(path, form))


def quotes_found(
    library: Library,
    path: Path,
    record: str,
    source: str,
    kind: Literal["abstract", "full text"],
    on: date,
) -> list[tuple[Supported, bool]]:
    """Import a text of a paper, and look for every quote that the base has from that paper.

    Returns
    -------
    list of (Supported, bool)
        Whether each quote stands in the text.
    """
    text = library.add_text(record, _whole(path), source=source, date=on, kind=kind)
    names = {i for r in library.work_of(record) for i in r.identifiers}
    said = [s for name in sorted(names) for s in shipped_claims().from_record(name) if s.support]
    return [(s, is_verbatim(s.support.quote, text.content)) for s in said if s.support]


def _whole(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return Text(stream, str(path)).whole()
    except OSError as error:
        raise InputError(
            f"the text cannot be read: {error.strerror}", file=path, remedy="a text file in UTF-8"
        ) from error
