"""The folder of an index: which state of which library it holds, and whether it is whole.

::

    FOLDER/state.json       what the index was made from, and size, time and CRC of each of its files
    FOLDER/lock             held while somebody looks, builds or updates
    FOLDER/index-XXXXXXXX/  files of tantivy

A new index is built in a new folder beside the old one and takes its place when `state.json` is replaced: an
interrupted build leaves the old one, and an interrupted update is done again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, final

from stromal.compute.errors import InputError

_STATE: Final = "state.json"
_INDEX: Final = "index-"
_WAIT: Final = 300.0
"""For another process that builds the index [s]."""
_TRANSIENT: Final = frozenset((".tantivy-writer.lock", ".tantivy-meta.lock"))


@final
@dataclass(frozen=True)
class State:
    """What an index was made from.

    Attributes
    ----------
    maker : str
        Hash of all that decides how records become documents.
    library : str
        Revision of the library.
    standing : mapping
        CURIE -> hash of what was known of it.
    current : str
        Name of the folder with the files.
    replaced : int
        Documents that updates have replaced since it was built; they still weigh in the ranking.
    added : int
        Documents that updates have added.
    files : mapping
        Name -> size [bytes], time of last change [ns], CRC-32.
    """

    maker: str
    library: str
    standing: Mapping[str, str]
    current: str
    replaced: int
    added: int
    files: Mapping[str, tuple[int, int, int]]


@final
class Folder:
    """The folder of an index.

    Parameters
    ----------
    path : Path
        Made when it does not exist.

    Raises
    ------
    InputError
        It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not (path / "lock").exists():
                (path / "lock").touch()
        except OSError as error:
            raise self._explained(error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else looks at the folder or changes it meanwhile.

        Raises
        ------
        InputError
            Another process keeps it for longer than five minutes, or it cannot be written.
        """
        begun = time.monotonic()
        try:
            with (self.path / "lock").open("rb") as file:
                while not _taken(file.fileno()):
                    if time.monotonic() - begun > _WAIT:
                        raise InputError(
                            f"another process has been building the index for {_WAIT:.0f} s",
                            file=self.path,
                            remedy="wait for it, or another folder",
                        )
                    time.sleep(0.05)
                yield
        except OSError as error:
            raise self._explained(error) from error

    def state(self) -> State | None:
        """What is there; None if that is nothing, is damaged, or cannot be read."""
        try:
            raw = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
            state = State(**{**raw, "files": {name: tuple(values) for name, values in raw["files"].items()}})
            whole = state.files == self._files(state.current, state.files)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return state if whole else None

    def new(self) -> str:
        """Make an empty folder for files; gives its name. Those of builds that came to nothing are removed."""
        state = self.state()
        self._remove_all_but(state.current if state else "")
        name = f"{_INDEX}{secrets.token_hex(4)}"
        (self.path / name).mkdir()
        return name

    def files_of(self, name: str) -> Path:
        """Where the files of an index are."""
        return self.path / name

    def keep(self, state: State) -> State:
        """Make this the state of the folder, with the files as they are now; remove what was there before."""
        complete = State(**{**asdict(state), "files": self._files(state.current, state.files)})
        draft = self.path / f"{_STATE}.{secrets.token_hex(4)}"
        draft.write_text(json.dumps(asdict(complete), sort_keys=True), encoding="utf-8")
        draft.replace(self.path / _STATE)
        self._remove_all_but(complete.current)
        return complete

    def _remove_all_but(self, current: str) -> None:
        for entry in self.path.iterdir():
            if entry.name.startswith(_INDEX) and entry.name != current:
                shutil.rmtree(entry, ignore_errors=True)  # who still reads it keeps it until done
            elif entry.name.startswith(f"{_STATE}."):
                entry.unlink(missing_ok=True)

    def _files(self, name: str, known: Mapping[str, tuple[int, int, int]]) -> dict[str, tuple[int, int, int]]:
        """Size, time and CRC of the files; the CRC is taken anew where size or time are others than known."""
        if not name.startswith(_INDEX) or os.sep in name:
            raise ValueError(name)
        found = {}
        for path in sorted((self.path / name).iterdir()):
            if path.name in _TRANSIENT:
                continue
            status = path.stat()
            size, at = status.st_size, status.st_mtime_ns
            old = known.get(path.name)
            same = old is not None and old[:2] == (size, at)
            found[path.name] = (size, at, old[2] if old and same else _crc(path))
        # A copy of the folder has other times; what counts is what is in the files.
        return {n: k if (k := known.get(n)) and (k[0], k[2]) == (v[0], v[2]) else v for n, v in found.items()}

    def _explained(self, error: OSError) -> InputError:
        return InputError(
            "the folder of the search index cannot be used",
            file=self.path,
            value=str(error),
            remedy="a folder where you may write, or None for an index in memory",
        )


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _crc(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value
