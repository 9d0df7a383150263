"""Writing is whole or not at all, and streams."""

import io
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.records import csl, writing
from stromal.evidence.records.record import Record


def numbered(number: int) -> Record:
    (record,) = csl.read(json.dumps({"type": "book", "title": f"t{number}"}).encode(), "x")
    assert isinstance(record, Record)
    return record


def failing(after: int) -> Iterator[Record]:
    yield from map(numbered, range(after))
    raise RuntimeError("the library is gone")


@pytest.mark.parametrize("form", writing.WRITERS)
def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, form: str) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="gone"):
        writing.write(failing(3), path, form)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    assert writing.write(map(numbered, range(3)), path, form) == 3
    assert path.read_bytes().decode() == writing.text(map(numbered, range(3)), form)
    assert list(tmp_path.iterdir()) == [path]


def test_a_stream_is_written_as_records_come() -> None:
    class Full(io.StringIO):
        def writelines(self, lines) -> None:  # type: ignore[no-untyped-def]
            for line in lines:
                self.write(line)
                if self.tell() > 10_000:
                    raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        writing.write(map(numbered, count()), Full(), "ris")


def test_a_place_that_cannot_be_written_and_an_unknown_format_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        writing.write([], tmp_path / "missing" / "out.ris", "ris")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        writing.write([], tmp_path / "folder", "ris")
    with pytest.raises(InputError, match="bibtex"):
        writing.write([], tmp_path / "x", "endnote")


def test_no_records_are_an_empty_list() -> None:
    assert json.loads(writing.text([], "csl")) == []
    assert writing.text([], "ris") == writing.text([], "bibtex") == writing.text([], "jsonl") == ""
