"""CSV: safe to open in a spreadsheet, and the same when read again."""

import csv
import io
import json
from pathlib import Path

import pytest

from stromal.evidence.records import csl, table, writing
from stromal.evidence.records.record import Record, Rejected

SAMPLE = (Path(__file__).parent / "evidence_samples" / "sample.csv").read_bytes()


def with_title(title: str) -> Record:
    (record,) = csl.read(json.dumps({"type": "book", "title": title, "publisher": title}).encode(), "x")
    assert isinstance(record, Record)
    return record


def test_a_table_is_read_row_by_row() -> None:
    first, second = table.read(SAMPLE, "x.csv")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.id == "doi:10.5555/invented.1"
    assert first.title == 'Invented, "quoted" trial'
    assert first.item["author"] == [
        {"family": "Peltzer", "given": "Juliette"},
        {"family": "van der Berg", "given": "Jan", "suffix": "Jr"},
        {"literal": "Example Study Group"},
    ]
    assert first.item["issued"] == {"date-parts": [[2018, 9]]}
    assert first.keywords == ("a", "b;c")
    assert {field.name: field.values for field in first.fields}["own column"] == ("kept",)
    assert first.source.content in SAMPLE
    assert second.title == "=1+1"
    assert second.source.place == "line 3"


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\uff1d1", "'=1", "'", "''x", "-"]
)
def test_no_cell_is_a_formula_and_the_value_survives(value: str) -> None:
    record = with_title(value)
    text = writing.text([record], "csv")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert all(cell[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20") or not cell for row in rows for cell in row)
    (again,) = table.read(text.encode(), "y")
    assert isinstance(again, Record)
    assert (again.title, again.item["publisher"]) == (value, value)


def test_rows_of_another_length_are_rejected_with_their_line() -> None:
    found = list(table.read(b'title,type\n"a\nb",book\nc\nd,book\n', "x"))
    assert [type(one) for one in found] == [Record, Rejected, Record]
    assert [one.place for one in found if isinstance(one, Rejected)] == ["line 4"]
    assert [one.source.place for one in found if isinstance(one, Record)] == ["line 2", "line 5"]


def test_spreadsheets_are_told_that_it_is_utf_8() -> None:
    assert writing.text([], "csv").startswith("\ufefftype,author,title,")
