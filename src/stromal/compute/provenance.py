"""Where a result comes from: enough to make it again."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

from stromal.compute.content import source_hash

LIBRARIES = (
    *("numpy", "scipy", "pandas", "pyarrow", "statsmodels", "pydantic", "antimony", "python-libsbml"),
    *("llvmlite", "numba"),
)


def provenance(command: str) -> dict[str, object]:
    """Software, versions and machine behind a result.

    Parameters
    ----------
    command : str
        The command that makes the result again.
    """
    return {
        "command": command,
        "software": {
            "name": "stromal",
            "version": metadata.version("stromal"),
            "source_sha256": source_hash(),
        },
        "python": sys.version.split()[0],
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "processor": processor(),
        },
    }


def processor() -> str:
    """Name of the processor, as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
