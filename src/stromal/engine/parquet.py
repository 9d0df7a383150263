"""Trajectories of many patients in one Parquet file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stromal.compute.errors import InputError
from stromal.engine.model_text import time_unit
from stromal.engine.system import System
from stromal.engine.trajectories import Trajectories

METADATA: Final = b"stromal"
"""Key under which the file says what it holds, as JSON: model, unit of time, outputs, version of the software."""


def write_parquet(system: System, chunks: Iterable[Trajectories], path: Path) -> Path:
    """Write trajectories to a file, one row group per chunk.

    A row is one patient at one time, with a column per output: whoever wants one output reads that column alone, and
    the names of outputs are not repeated in every row, as they would be with one row per value. The rows of a patient
    whose solve failed are there too: the status says so, and what was not reached is empty.

    Parameters
    ----------
    system : System
        What was solved.
    chunks : iterable of Trajectories
        E.g. of `solve_chunks`; each is written and forgotten.
    path : Path
        It is there whole or not at all: the file is made beside it and moved there at the end. An earlier file stays
        until then, also when the work is interrupted.

    Returns
    -------
    Path
        The file. Columns `patient`, `visit` (position of the time, from 0), `time` [time unit of the model],
        `status`, and the outputs; times that were not asked for have no row. `METADATA` of the schema says the rest.

    Raises
    ------
    InputError
        There is no chunk; chunks of unlike outputs; an output has the name of another column; the folder is missing.
    """
    if not path.parent.is_dir():
        raise InputError("the folder does not exist", file=str(path), remedy="a file in a folder that exists")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    writer: pq.ParquetWriter | None = None
    try:
        for chunk in chunks:
            table = _table(chunk)
            if writer is None:
                schema = table.schema.with_metadata({**(table.schema.metadata or {}), METADATA: _origin(system, chunk)})
                writer = pq.ParquetWriter(beside, schema, compression="zstd")
            elif table.schema.names != writer.schema.names:
                remedy = "the same outputs in every chunk"
                raise InputError("chunks are not alike", place="chunks", value=chunk.outputs, remedy=remedy)
            writer.write_table(table.cast(writer.schema), row_group_size=max(table.num_rows, 1))
        if writer is None:
            raise InputError("there is no chunk to write", place="chunks", remedy="at least one chunk")
        writer.close()
        beside.replace(path)
    except BaseException:  # an interrupt must not leave half a file either
        if writer is not None:
            writer.close()
        beside.unlink(missing_ok=True)
        raise
    return path


def _table(chunk: Trajectories) -> pa.Table:
    taken = {"patient", "visit", "time", "status"} & set(chunk.outputs)
    if taken:
        remedy = "another name for it in the model"
        raise InputError("an output has the name of a column", place="outputs", value=min(taken), remedy=remedy)
    patient, visit = np.nonzero(~np.isnan(chunk.times))
    status = pa.array([str(s) for s in chunk.status], type=pa.string())
    columns = {
        "patient": pa.array(chunk.patients).take(pa.array(patient)),
        "visit": pa.array(visit, type=pa.int32()),
        "time": pa.array(chunk.times[patient, visit]),
        "status": status.take(pa.array(patient)).dictionary_encode(),
    }
    for k, output in enumerate(chunk.outputs):
        columns[output] = pa.array(chunk.values[patient, visit, k], from_pandas=True)
    return pa.table(columns)


def _origin(system: System, chunk: Trajectories) -> bytes:
    said = {
        "model": system.name,
        "time_unit": time_unit(system),
        "outputs": list(chunk.outputs),
        "software": f"stromal {metadata.version('stromal')}",
    }
    return json.dumps(said).encode()
