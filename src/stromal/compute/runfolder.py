"""A folder of results that is there whole, or marked incomplete and can be gone on with.

While a run is under way its folder holds the file ``INCOMPLETE`` (what the run is) and the pieces done so far.
Each file is written beside its place and moved there, so none is ever half. `finish` removes the mark last.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from stromal.compute.content import canonical_json
from stromal.compute.errors import InputError

MARK: Final = "INCOMPLETE"
IDENTITY: Final = "run.json"
PIECES: Final = "pieces"


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    beside.replace(path)


@final
@dataclass(frozen=True)
class RunFolder:
    """An open folder of one run.

    Attributes
    ----------
    path : Path
    complete : bool
        The run had ended before it was opened.
    """

    path: Path
    complete: bool

    def done(self) -> dict[int, object]:
        """Results of the pieces that are done."""
        pieces = sorted((self.path / PIECES).glob("*.pickle"))
        return {int(p.stem): pickle.loads(p.read_bytes()) for p in pieces}  # noqa: S301 - written by this run itself

    def keep(self, position: int, result: object) -> None:
        """Store the result of a piece."""
        write_atomic(self.path / PIECES / f"{position:06d}.pickle", pickle.dumps(result, protocol=5))

    def write(self, name: str, data: str | bytes) -> Path:
        """Write one of the results."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
        return path

    def abandon(self) -> None:
        """Remove a folder in which nothing has been done yet."""
        if not any((self.path / PIECES).iterdir()):
            shutil.rmtree(self.path)

    def finish(self) -> None:
        """Drop the pieces, then the mark."""
        shutil.rmtree(self.path / PIECES)
        (self.path / MARK).replace(self.path / IDENTITY)


def open_run(path: Path, identity: Mapping[str, object], *, resume: bool) -> RunFolder:
    """Make a folder for a run, or open it again.

    Parameters
    ----------
    identity : mapping
        Everything that can change the result (plain JSON values).
    resume : bool
        Go on with a run of the same identity; without it an existing folder is an error.

    Raises
    ------
    InputError
        The folder holds something else, or a run and `resume` was not asked for.
    """
    text = canonical_json(identity)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        found = next((path / name for name in (MARK, IDENTITY) if (path / name).is_file()), None)
        if found is None:
            raise InputError(
                "the output folder holds files that are not of a run", file=str(path), remedy="another folder"
            )
        if not resume:
            state = "an unfinished run" if found.name == MARK else "a finished run"
            raise InputError(
                f"the output folder holds {state}",
                file=str(path),
                remedy="--resume, or another folder with --out",
            )
        if found.read_text(encoding="utf-8") != text:
            raise InputError(
                f"the output folder holds another run ({_difference(found, identity)} differs)",
                file=str(path),
                remedy="another folder with --out",
            )
        folder = RunFolder(path, complete=found.name == IDENTITY)
    else:
        path.mkdir(parents=True, exist_ok=True)
        write_atomic(path / MARK, text)
        folder = RunFolder(path, complete=False)
    if not folder.complete:
        (path / PIECES).mkdir(exist_ok=True)  # a run that was killed while it ended has no pieces any more
    return folder


def _difference(found: Path, identity: Mapping[str, object]) -> str:
    earlier = json.loads(found.read_text(encoding="utf-8"))
    return ", ".join(sorted(k for k in {*earlier, *identity} if earlier.get(k) != identity.get(k)))
