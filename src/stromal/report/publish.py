"""A run of a trial into a folder: everything that `stromal trial run` writes."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import pandas as pd

from stromal.compute.content import content_hash, source_hash
from stromal.compute.errors import InputError
from stromal.compute.provenance import provenance
from stromal.compute.runfolder import RunFolder, open_run
from stromal.design.reading import read_design, resolved_yaml
from stromal.design.trial import TrialDesign
from stromal.report.document import write_report
from stromal.trial.example import example_tables
from stromal.trial.replicates import PieceResult
from stromal.trial.run import TrialResult, run
from stromal.trial.summary import design_hash

REPORT: Final = "report.html"
SUMMARY: Final = "summary.json"


@final
@dataclass(frozen=True)
class Published:
    """A finished run.

    Attributes
    ----------
    folder : Path
    summary : dict
        As in ``summary.json``.
    was_complete : bool
        The folder held the finished run already; nothing was computed.
    """

    folder: Path
    summary: Mapping[str, Any]
    was_complete: bool


def run_trial(
    path: Path,
    *,
    replicates: int,
    seed: int,
    out: Path | None,
    workers: int,
    resume: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Published:
    """Read a design, simulate it and write the results.

    Parameters
    ----------
    out : Path, optional
        Folder of the results; default ``runs/<design>-<hash of everything that can change the result>``.

    Raises
    ------
    InputError, InputErrors
        The design is wrong, or the folder holds something else; nothing is written then.
    """
    design = read_design(path)
    identity = run_identity(design, replicates, seed)
    folder = open_run(out or Path("runs") / f"{path.stem}-{content_hash(identity)[:8]}", identity, resume=resume)
    if not folder.complete:
        begun = time.perf_counter()
        done = {k: v for k, v in folder.done().items() if isinstance(v, PieceResult)}
        try:
            result = run(
                design,
                replicates=replicates,
                seed=seed,
                workers=workers,
                done=done,
                keep=folder.keep,
                progress=progress,
            )
        except InputError as error:  # seen only when patients are simulated, e.g. a trial that cannot recruit
            folder.abandon()
            raise InputError(
                error.what, file=path, place=error.place, value=error.value, remedy=error.remedy
            ) from error
        _write(folder, path, design, result, workers, time.perf_counter() - begun, resumed=bool(done))
    summary = json.loads((folder.path / SUMMARY).read_text(encoding="utf-8"))
    return Published(folder.path, summary, folder.complete)


def run_identity(design: TrialDesign, replicates: int, seed: int) -> dict[str, object]:
    """Everything that can change the result of a run."""
    return {"design": design_hash(design), "replicates": replicates, "seed": seed, "source": source_hash()}


def summary_text(summary: Mapping[str, object]) -> str:
    """The text of ``summary.json``."""
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def parquet(table: pd.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _write(
    folder: RunFolder,
    path: Path,
    design: TrialDesign,
    result: TrialResult,
    workers: int,
    seconds: float,
    *,
    resumed: bool,
) -> None:
    summary = result.summary
    command = f"stromal trial run {path} --replicates {summary['replicates']} --seed {summary['seed']}"
    origin = provenance(command) | {
        "design_sha256": design_hash(design),
        "run": {"seconds": round(seconds, 1), "workers": workers, "resumed": resumed},
    }
    folder.write(SUMMARY, summary_text(summary))
    folder.write("design.yaml", resolved_yaml(design))
    folder.write("provenance.json", json.dumps(origin, indent=1) + "\n")
    folder.write("replicates.parquet", parquet(result.replicates))
    folder.write("failures.csv", result.failures.to_csv(index=False))
    for name, table in example_tables(result.example).items():
        folder.write(f"example/{name}.csv", table.to_csv(index=False))
    folder.write(REPORT, write_report(result, design, origin))
    folder.finish()
