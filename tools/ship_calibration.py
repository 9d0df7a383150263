"""Put a finished calibration into the package: `python tools/ship_calibration.py runs/calibration-...`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "stromal"
PLACES = {
    "posterior.csv": SOURCE / "population",
    "posterior.json": SOURCE / "population",
    "emulators.csv": SOURCE / "calibration" / "fitted",
    "cells.csv": SOURCE / "calibration" / "fitted",
    "support.csv": SOURCE / "calibration" / "fitted",
}


def main() -> int:
    """Copy the files; a folder that is not a finished calibration is refused."""
    if len(sys.argv) != 2:
        print("usage: python tools/ship_calibration.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    missing = [name for name in (*PLACES, "run.json") if not (folder / name).is_file()]
    if missing:
        print(f"{folder} is not a finished calibration: {', '.join(missing)} missing", file=sys.stderr)
        return 2
    for name, place in PLACES.items():
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, place / name)
        print(place.relative_to(SOURCE.parents[1]) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
