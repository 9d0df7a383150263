"""Machine code on disk: found again, made again when damaged, and new when and only when it has to be."""

import importlib

import pandas as pd
import pytest

from stromal.engine import antimony_to_sbml, empty_schedule, load, solve
from stromal.engine.machine import library
from stromal.engine.machine.program import Options, build_program

PROGRAM = importlib.import_module("stromal.engine.machine.program")
BATCH = importlib.import_module("stromal.engine.batch")
DECAY = "x = 2; x' = -k*x^n; k = 0.5; n = 1\n"
TABLE = pd.DataFrame(index=range(3))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own, and no program kept in memory."""
    monkeypatch.setenv(library.FOLDER_VARIABLE, str(tmp_path / "cache"))
    BATCH._program.cache_clear()
    yield tmp_path / "cache"
    BATCH._program.cache_clear()


@pytest.fixture
def made(monkeypatch):
    """One entry per module that was written."""
    written = []
    drawn = PROGRAM.draw_blueprint
    monkeypatch.setattr(PROGRAM, "draw_blueprint", lambda *args: written.append(args) or drawn(*args))
    return written


def program(text, varying=(), outputs=("x",), **options):
    return build_program(load(text), varying, (), (), outputs, Options(**options))


def end(text):
    BATCH._program.cache_clear()
    return solve(load(text), TABLE, empty_schedule(), [3.0]).values


def files(folder):
    return sorted(folder.glob("*.code"))


def test_the_second_time_nothing_is_compiled(folder, made):
    first, second = program(DECAY), program(DECAY)
    assert len(made) == len(files(folder)) == 1
    assert (second.layout, second.own, second.shared) == (first.layout, first.own, first.shared)


def test_a_changed_default_number_of_a_parameter_makes_no_new_code_and_is_used(folder, made):
    slow, fast = end(DECAY), end(DECAY.replace("k = 0.5", "k = 1.5"))
    assert len(made) == len(files(folder)) == 1
    assert fast.max() < 0.1 * slow.min()


@pytest.mark.parametrize(
    "other",
    [DECAY.replace("-k*x^n", "-k*x"), DECAY.replace("x = 2", "x = 3"), DECAY.replace("n = 1", "n = 1; m = 2")],
)
def test_a_changed_formula_initial_value_or_set_of_names_makes_new_code(other, folder, made):
    program(DECAY)
    program(other)
    assert len(made) == 2


def test_a_system_with_another_initial_value_makes_new_code_and_uses_it(folder, made):
    first = end(DECAY)
    assert end(DECAY.replace("x = 2", "x = 4")) == pytest.approx(2.0 * first, rel=1e-6)
    assert len(made) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"varying": ("k",)},
        {"outputs": ("x", "k")},
        {"width": 8},
        {"width": 2},
        {"strict": True},
        {"precision": "mixed"},
    ],
)
def test_everything_else_that_can_change_the_code_makes_new_code(change, folder, made):
    program(DECAY, width=4)
    program(DECAY, **({"width": 4} | change))
    assert len(made) == 2


@pytest.mark.parametrize(
    "what, value",
    [("engine_hash", "another"), ("_processor", (library._processor()[0], ""))],
    ids=["sources", "processor"],
)
def test_other_sources_or_another_processor_make_new_code(what, value, folder, made, monkeypatch):
    program(DECAY)
    monkeypatch.setattr(library, what, lambda: value)
    program(DECAY)
    assert len(made) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda _content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
        lambda content: b"{" + content,
        lambda content: content.replace(b'"own"', b'"owm"', 1),
    ],
    ids=["empty", "half", "one byte short", "one bit", "no JSON", "other notes"],
)
def test_a_damaged_file_is_made_again_and_replaced(damage, folder, made):
    whole = end(DECAY)
    (path,) = files(folder)
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert (end(DECAY) == whole).all()
    assert len(made) == 2
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, made):
    whole = end(DECAY)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv(library.FOLDER_VARIABLE, str(blocked / "cache"))
    before = len(made)
    assert (end(DECAY) == whole).all()
    assert (end(DECAY) == whole).all()
    assert len(made) == before + 2
    BATCH._program.cache_clear()


def test_code_lives_as_long_as_the_program_that_holds_it(folder):
    programs = [program(DECAY, width=w) for w in (4, 8)]
    addresses = {p.library.addresses["step"] for p in programs}
    assert 0 not in addresses
    assert len(addresses) == 2


def test_sbml_and_antimony_of_one_model_share_their_code(folder, made):
    program(DECAY)
    program(antimony_to_sbml(DECAY))
    assert len(made) == 1
