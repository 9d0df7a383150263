"""How the driver is compiled: by Numba, without the interpreter lock, once per machine and version of the sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config as _numba_config

from stromal.engine.machine.library import cache_folder, engine_hash

F = TypeVar("F", bound=Callable[..., Any])
config: Any = _numba_config  # its settings are made at run time
_compile: Callable[..., Any] = numba.njit
_OPTIONS = {"nogil": True, "error_model": "numpy"}


def inlined(function: F) -> F:
    """A small function of the inner loop, written out where it is called: its many arrays are not passed then."""
    decorate = _compile(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
    return cast("F", decorate(function))


def part(function: F) -> F:
    """A function that only compiled code calls."""
    decorate = _compile(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    return cast("F", decorate(function))


def whole(function: F) -> F:
    """A function that Python calls; it is kept on disk.

    Numba notices changes of this function's file only. The folder bears the hash of all sources of the engine, so
    that no part is ever out of date.
    """
    folder = cache_folder() / f"driver-{engine_hash()[:16]}"
    before = config.CACHE_DIR
    if writable(folder):
        config.CACHE_DIR = str(folder)  # read when the function is decorated, not later
    try:
        return cast("F", _compile(**_OPTIONS, cache=writable(folder))(function))
    finally:
        config.CACHE_DIR = before


def writable(folder: Path) -> bool:
    """Whether the folder is there, or could be made, and can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
    except OSError:
        return False
    return True
