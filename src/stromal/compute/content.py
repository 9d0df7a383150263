"""Hashes of content: the same content, and only that, has the same hash."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
PACKAGE = Path(__file__).resolve().parent.parent


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no white space; numbers as the shortest text that reads back the same.

    Raises
    ------
    ValueError
        A number is not finite: JSON has no word for it.
    """
    return _CANONICAL.encode(value)


def content_hash(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@cache
def source_hash() -> str:
    """SHA-256 over every file of the installed package that can change a result (code, model text, data)."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".ant", ".csv", ".yaml", ".j2"} and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(PACKAGE)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
