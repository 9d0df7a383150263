"""Compile machine code for this processor, and keep it on disk.

The folder is that of the environment variable STROMAL_CACHE, else ``stromal`` in the user's cache folder. A file is
named by a hash of everything that can change the code: what it was made from, the sources of the engine, LLVM and the
processor. A file that is damaged is made again; a folder that cannot be written is done without.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, final

import llvmlite.binding as llvm

from stromal.compute.content import content_hash
from stromal.compute.runfolder import write_atomic

FOLDER_VARIABLE: Final = "STROMAL_CACHE"
_ENGINE: Final = Path(__file__).resolve().parents[1]
_LOCK: Final = threading.Lock()  # LLVM's set-up is not made for several threads


@final
@dataclass(frozen=True, eq=False)
class Library:
    """Functions in memory.

    Attributes
    ----------
    addresses : mapping from str to int
        Of the functions by name; valid as long as this object lives.
    notes : mapping
        What was stored with the code.
    """

    addresses: Mapping[str, int]
    notes: Mapping[str, Any]
    _engine: llvm.ExecutionEngine


def library(
    identity: Mapping[str, object], make: Callable[[], tuple[str, Mapping[str, Any]]], names: tuple[str, ...]
) -> Library:
    """The functions `names`, from disk if they are there, else compiled.

    Parameters
    ----------
    identity : mapping
        What the code follows from (values that JSON can write).
    make : callable
        Returns the LLVM text and the notes to keep with it; called only if there is no file.
    """
    versions = {"engine": engine_hash(), "llvm": list(llvm.llvm_version_info), "processor": list(_processor())}
    key = content_hash({**identity, **versions})
    path = cache_folder() / f"{key[:32]}.code"
    with _LOCK:
        stored = _read(path)
        if stored is None:
            text, notes = make()
            module = llvm.parse_assembly(text)
            module.verify()
            stored = (notes, _target_machine().emit_object(module))
            _write(path, *stored)
        return _loaded(*stored, names)


@cache
def vector_width() -> int:
    """Doubles that one instruction of this processor handles best, at least 4."""
    return 8 if llvm.get_host_cpu_features().get("avx512f", False) else 4


@cache
def _processor() -> tuple[str, str]:
    """Name and features of this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _target_machine() -> llvm.TargetMachine:
    name, features = _processor()
    target = llvm.Target.from_default_triple()
    # level 2 takes a third longer and makes code that is no faster
    return target.create_target_machine(cpu=name, features=features, opt=1, codemodel="jitdefault")


@cache
def engine_hash() -> str:
    """SHA-256 over the sources of the engine."""
    digest = hashlib.sha256()
    for path in sorted(_ENGINE.rglob("*.py")):
        digest.update(str(path.relative_to(_ENGINE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where compiled code is kept."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stromal"


def _read(path: Path) -> tuple[Mapping[str, Any], bytes] | None:
    try:
        head, _, rest = path.read_bytes().partition(b"\n")
        notes = json.loads(head)
    except (OSError, ValueError):
        return None
    digest, code = rest[:32], rest[32:]
    return (notes, code) if hashlib.sha256(head + code).digest() == digest else None


def _write(path: Path, notes: Mapping[str, Any], code: bytes) -> None:
    head = json.dumps(dict(notes)).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, head + b"\n" + hashlib.sha256(head + code).digest() + code)
    except OSError:
        return  # the next process compiles again


def _loaded(notes: Mapping[str, Any], code: bytes, names: tuple[str, ...]) -> Library:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())  # it takes the machine over
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Library({name: engine.get_function_address(name) for name in names}, notes, engine)
