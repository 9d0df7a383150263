"""The file of a library: killed imports, readers beside a writer, and files that are no library."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stromal.compute.errors import InputError
from stromal.evidence.library import Library, importing, store
from stromal.evidence.library.schema import VERSION
from stromal.evidence.records.record import Record, Source

MANY = 1_000
PORTION = 100

WRITER = """
import sys
from stromal.evidence.library import Library, importing, store
from stromal.evidence.records.record import Record, Source

many, portion, stop = map(int, sys.argv[2:])
importing._RECORDS = portion

def records():
    for i in range(many):
        if i % 50 == 0:
            print(i, flush=True)
        if i == stop:
            sys.stdin.readline()
        item = {"type": "article-journal", "title": f"Title number {i} of a long series", "volume": str(i)}
        yield Record((f"pmid:{i + 1}",), item, Source("csl", str(i).encode(), "a.json", f"record {i + 1}"))

with Library(sys.argv[1]) as library:
    library.add(records())
"""


def record(i: int) -> Record:
    item = {"type": "article-journal", "title": f"Title number {i} of a long series", "volume": str(i)}
    return Record((f"pmid:{i + 1}",), item, Source("csl", str(i).encode(), "a.json", f"record {i + 1}"))


def started(path: Path, *, stop: int = -1) -> subprocess.Popen[str]:
    """A process that imports, and waits for a word before record `stop`."""
    arguments = [str(path), str(MANY), str(PORTION), str(stop)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def until(writer: subprocess.Popen[str], number: int) -> None:
    """Wait until the process has come to a record."""
    assert writer.stdout is not None
    assert any(int(line) >= number for line in writer.stdout), "the process ended before its time"


@pytest.mark.parametrize("stop", [50, 350, -1])
def test_an_import_killed_half_way_leaves_a_whole_library_that_the_next_import_completes(
    tmp_path: Path, stop: int
) -> None:
    path = tmp_path / "a.library"
    with started(path, stop=stop) as writer:
        until(writer, stop if stop > 0 else 650)
        writer.send_signal(signal.SIGKILL)
    with Library(path) as library:
        there = len(library)
        assert there == stop // PORTION * PORTION if stop > 0 else there % PORTION == 0
        assert library.check() == ()
        batch = library.add(map(record, range(MANY)))
        assert (len(batch.duplicate), len(batch.added)) == (there, MANY - there)
        assert library.check() == ()
        assert len(list(library.works())) == MANY


def test_a_reader_beside_a_writer_sees_whole_portions_only(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with started(path, stop=450) as writer:
        until(writer, 450)
        with Library(path, read_only=True) as reader:
            assert len(reader) == 400
            before = reader.revision
            assert writer.stdin is not None
            writer.stdin.write("go on\n")
            writer.stdin.flush()
            seen = 400
            while writer.poll() is None:
                now = sum(1 for _ in reader.records())
                assert now >= seen
                seen = now
                assert len(reader) % PORTION == 0
            assert len(reader) == MANY
            assert len(reader.changes_since(before).works) == MANY - 400


def test_reading_goes_on_while_another_process_holds_the_pen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.library"
    monkeypatch.setattr(store, "_WAIT", 0.05)
    with Library(path) as library:
        library.add([record(0)])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE records SET place = 'elsewhere'")
        assert library.get("pmid:1").source.place == "record 1"
        with Library(path) as second:
            assert second.get("pmid:1").source.place == "record 1"
        with pytest.raises(InputError, match="another process has been writing"):
            library.add([record(1)])
        other.execute("ROLLBACK")
        other.close()
        library.add([record(1)])
        assert len(library) == 2


def test_two_writers_at_a_time_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_RECORDS", 20)
    path = tmp_path / "a.library"

    def write(part: range) -> None:
        with Library(path) as library:
            library.add(map(record, part))

    parts = [range(200), range(100, 300)]
    threads = [threading.Thread(target=write, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Library(path) as library:
        assert {r.id for r in library.records()} == {f"pmid:{i + 1}" for i in range(300)}
        assert len(library) == 300
        assert library.check() == ()


@contextmanager
def folder_that_cannot_be_written() -> Iterator[Path]:
    """With the rights of nobody where the tests run as root, whom no right stops."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Library(folder / "there.library") as library:
            library.add([record(0)])
        (folder / "there.library").chmod(0o444)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        try:
            if root:
                os.seteuid(65_534)
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_gives_a_clear_error_and_can_be_read() -> None:
    with folder_that_cannot_be_written() as folder:
        with pytest.raises(InputError, match=r"cannot be opened or created here; file .*new\.library"):
            Library(folder / "new.library")
        with pytest.raises(InputError, match=r"cannot be (written|opened).*read_only=True"):
            Library(folder / "there.library").add([record(1)])
        with Library(folder / "there.library", read_only=True) as library:
            assert library.get("pmid:1") == record(0)
            assert [w.name for w in library.works()] == ["work:1"]
            with pytest.raises(InputError, match="cannot be written"):
                library.add([record(1)])
            with pytest.raises(InputError, match="cannot be written"):
                library.same("pmid:1", "record:1", by="A", why="w")


def test_a_library_opened_to_read_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no library"):
        Library(tmp_path / "none.library", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["missing/a.library", "."])
def test_a_place_where_no_file_can_be_gives_a_clear_error(tmp_path: Path, place: str) -> None:
    with pytest.raises(InputError, match="cannot be opened or created here"):
        Library(tmp_path / place)


@pytest.mark.parametrize(
    "content", [b"id doaj-222e9dabaf5c", b"\x00" * 5_000, b"SQLite format 3\x00" + b"\xff" * 4_080]
)
def test_a_file_that_is_no_library_gives_a_clear_error_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.library"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"(no library|damaged)"):
        Library(path)
    assert path.read_bytes() == content


def test_another_programs_database_gives_a_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(InputError, match="this SQLite file is no library"):
            Library(path, read_only=read_only)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_library(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    path.touch()
    with Library(path) as library:
        assert len(library) == 0


def test_a_library_of_a_newer_version_gives_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    Library(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(InputError, match=rf"newer version of stromal.*version {VERSION + 1} of its tables"):
        Library(path)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_cut_off_gives_an_input_error_and_never_a_half_answer(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "a.library"
    with Library(path) as library:
        library.add(map(record, range(300)))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])

    def read_all() -> int:
        with Library(path) as library:
            return len(list(library.records()))

    with pytest.raises(InputError, match="damaged"):
        read_all()


def test_overwritten_pages_are_found_by_the_check(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with Library(path) as library:
        library.add(map(record, range(300)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4_096 * 4_096
    content[middle : middle + 4_096] = b"\xaa" * 4_096
    path.write_bytes(bytes(content))
    with Library(path) as library:
        found = library.check()
    assert {f.place for f in found} == {"file"}
    assert found[0].severity == "error"


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.library"
    with Library(path) as library:
        library.add(map(record, range(2)))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE records SET content = x'00ff' WHERE id = 2")
    raw.close()
    with Library(path) as library:
        assert library.get("pmid:1") == record(0)
        with pytest.raises(InputError, match=r"a record of the library is damaged.*record 2"):
            library.get("pmid:2")
        assert [f.place for f in library.check()] == ["record:2"]
