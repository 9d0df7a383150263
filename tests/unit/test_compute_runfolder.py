"""A folder of results is there whole, or marked incomplete and can be gone on with."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from stromal.compute import runfolder
from stromal.compute.errors import InputError
from stromal.compute.runfolder import IDENTITY, MARK, open_run, write_atomic

IDENTITY_A = {"design": "abc", "seed": 1}


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_atomic(path, "first")

    def power_cut(*_):
        raise OSError("power cut")

    monkeypatch.setattr(runfolder.os, "replace", power_cut)
    with pytest.raises(OSError, match="power cut"):
        write_atomic(path, "second, much longer")
    assert path.read_text() == "first"


def test_text_and_bytes_are_written_as_they_are(tmp_path):
    write_atomic(tmp_path / "text", "mRSS ≤ 51\n")
    write_atomic(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == "mRSS ≤ 51\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def test_a_run_is_marked_until_it_ends(tmp_path):
    folder = open_run(tmp_path / "run", IDENTITY_A, resume=False)
    folder.keep(3, {"value": 3.5})
    folder.write("figures/one.svg", "<svg/>")
    assert (folder.path / MARK).is_file()
    assert folder.done() == {3: {"value": 3.5}}
    folder.finish()
    assert names(folder.path) == ["figures/one.svg", IDENTITY]


def test_a_run_goes_on_with_the_pieces_it_had(tmp_path):
    open_run(tmp_path, IDENTITY_A, resume=False).keep(0, "zero")
    again = open_run(tmp_path, IDENTITY_A, resume=True)
    assert not again.complete
    assert again.done() == {0: "zero"}
    again.finish()
    assert open_run(tmp_path, IDENTITY_A, resume=True).complete


def test_a_run_that_was_stopped_while_it_ended_goes_on(tmp_path, monkeypatch):
    folder = open_run(tmp_path, IDENTITY_A, resume=False)
    folder.keep(0, "zero")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runfolder.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.finish()
    again = open_run(tmp_path, IDENTITY_A, resume=True)
    assert again.done() == {}
    again.keep(0, "zero once more")
    again.finish()
    assert names(tmp_path) == [IDENTITY]


@pytest.mark.parametrize("ended", [False, True])
def test_an_existing_run_is_not_touched_without_resume(tmp_path, ended):
    folder = open_run(tmp_path, IDENTITY_A, resume=False)
    if ended:
        folder.finish()
    before = names(tmp_path)
    with pytest.raises(InputError, match=r"finished run; .*write instead: --resume"):
        open_run(tmp_path, IDENTITY_A, resume=False)
    assert names(tmp_path) == before


@pytest.mark.parametrize("ended", [False, True])
def test_another_run_in_the_folder_is_refused_and_the_difference_named(tmp_path, ended):
    folder = open_run(tmp_path, IDENTITY_A, resume=False)
    if ended:
        folder.finish()
    with pytest.raises(InputError, match=r"another run \(seed differs\).*--out"):
        open_run(tmp_path, IDENTITY_A | {"seed": 2}, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_other_files_is_refused(tmp_path, resume):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match="not of a run"):
        open_run(tmp_path, IDENTITY_A, resume=resume)
    assert names(tmp_path) == ["thesis.docx"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="not of a run"):
        open_run(tmp_path / "run", IDENTITY_A, resume=True)


def test_an_identity_that_is_not_plain_json_is_no_identity(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        open_run(tmp_path, {"seed": float("nan")}, resume=False)
    assert names(tmp_path) == []


WORK = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from stromal.compute.runfolder import open_run

    folder = open_run(Path(sys.argv[1]), {"run": 1}, resume=True)
    done = folder.done()
    for k in range(6):
        if k not in done:
            if k == int(sys.argv[2]):
                (folder.path / "pieces" / f".{k:06d}.pickle.1.part").write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            folder.keep(k, k**3)
    folder.write("sum.txt", str(sum(folder.done().values())))
    folder.finish()
    """
)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX signal")
def test_a_killed_run_gives_the_same_result_when_it_goes_on(tmp_path):
    def work(folder, dies_at):
        return subprocess.run([sys.executable, "-c", WORK, str(folder), str(dies_at)], check=False).returncode

    killed = tmp_path / "killed"
    assert work(killed, 3) == -signal.SIGKILL
    assert (killed / MARK).is_file()
    assert sorted(open_run(killed, {"run": 1}, resume=True).done()) == [0, 1, 2]
    assert work(killed, 99) == 0
    assert work(tmp_path / "straight", 99) == 0
    assert names(killed) == names(tmp_path / "straight") == [IDENTITY, "sum.txt"]
    assert (killed / "sum.txt").read_bytes() == (tmp_path / "straight" / "sum.txt").read_bytes()
