"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from defusedxml.ElementTree import parse
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import stromal

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {name: ROOT / "requirements" / f"{name}.lock" for name in ("runtime", "dev")}
ABSOLUTE_PATH = r"(?<![\w.$)}>*-])/(home|tmp|work|root|mnt|opt|workspace)/\w"
LONGEST_FILE = 500  # lines; the rule is "about 400"


def files_of_the_repository() -> list[Path]:
    """Tracked files, and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for path in map(ROOT.joinpath, listed) if path.is_file() and not path.is_symlink()]


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Relative path and text of each text file but this one, which has to spell out what it looks for."""
    for path in files_of_the_repository():
        if path == Path(__file__).resolve() or (suffixes and path.suffix not in suffixes):
            continue
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or other binary file


def places(pattern: str, *suffixes: str) -> list[str]:
    """`file:line: text` of each match."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts(*suffixes)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


def locked(name: str) -> dict[str, list[str]]:
    """Requirement lines of a lock file, each with its hashes."""
    entries: dict[str, list[str]] = {}
    for line in LOCKS[name].read_text().replace("\\\n", "").splitlines():
        if line and not line.startswith((" ", "#")):
            requirement, *hashes = line.split("--hash=")
            entries[requirement.strip()] = hashes
    return entries


@pytest.mark.parametrize(
    "line, named",
    [
        ("see /home/someone/notes", True),
        ('open("/tmp/x")', True),
        ("(`/work/x`)", True),
        ("https://example.org/work/page", False),
        ("docs/work/page", False),
        ("$(CURDIR)/work/x", False),
    ],
)
def test_an_absolute_path_is_told_from_an_address(line: str, named: bool) -> None:
    assert bool(re.search(ABSOLUTE_PATH, line)) == named


def test_no_file_names_an_absolute_path_of_the_machine_it_was_written_on() -> None:
    assert places(ABSOLUTE_PATH) == []


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements/runtime.lock", "requirements/dev.lock", "Makefile"])
def test_what_installs_names_no_package_index(file: str) -> None:
    named = re.findall(
        r"pypi\.org|pythonhosted|index-url|index_url|find-links|trusted-host|file://|https?://",
        (ROOT / file).read_text(),
    )
    assert named == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_one_version_with_hashes(name: str) -> None:
    entries = locked(name)
    assert entries
    assert [entry for entry, hashes in entries.items() if "==" not in entry or not hashes] == []
    assert [
        hash_ for hashes in entries.values() for hash_ in hashes if not re.match(r"sha256:[0-9a-f]{64}\s*$", hash_)
    ] == []


def test_locks_hold_every_dependency_in_a_version_that_pyproject_allows() -> None:
    extras = PROJECT["optional-dependencies"]
    for name, wanted in (
        ("runtime", PROJECT["dependencies"]),
        ("dev", [*PROJECT["dependencies"], *extras["dev"], *extras["independent"]]),
    ):
        pins: dict[str, list[Version]] = {}
        for entry in map(Requirement, locked(name)):
            pins.setdefault(canonicalize_name(entry.name), []).append(Version(str(entry.specifier).removeprefix("==")))
        for requirement in map(Requirement, wanted):
            versions = pins.get(canonicalize_name(requirement.name), [])
            assert any(version in requirement.specifier for version in versions), (
                f"{name}.lock: {requirement}; run: make lock"
            )


def test_tests_run_with_the_versions_that_users_get() -> None:
    assert [entry for entry in locked("runtime") if entry not in locked("dev")] == []


def test_versions_agree() -> None:
    version = PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert stromal.__version__ == version, "the installed package is another version; run: make setup"
    assert str(citation["version"]) == version
    assert citation["license"] == PROJECT["license"]
    if Version(version).is_devrelease:
        assert headings[0] == "Unreleased"
        assert all(Version(heading) < Version(version) for heading in headings[1:])
    else:
        assert next(heading for heading in headings if heading != "Unreleased") == version


def test_help_lists_every_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = re.findall(r"^\.PHONY:(.*)$", makefile, flags=re.MULTILINE)
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, flags=re.MULTILINE))
    assert set(" ".join(declared).split()) == targets
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[0] for line in shown.splitlines()} == targets
    assert all(len(line.split()) > 1 for line in shown.splitlines())


def python_files(folder: str) -> list[tuple[Path, ast.Module]]:
    """Relative path and syntax tree of each Python file below a folder."""
    return [(path, ast.parse(text)) for path, text in texts(".py") if path.is_relative_to(folder)]


def reason_of(node: ast.AST) -> str | None:
    """The reason a skip or expected failure gives; None when `node` is neither."""
    name = (
        ast.unparse(node.func if isinstance(node, ast.Call) else node)
        if isinstance(node, ast.Call | ast.Attribute)
        else ""
    )
    if not re.fullmatch(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)", name):
        return None
    if not isinstance(node, ast.Call):
        return ""  # the bare decorator
    given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
    if not given and name in {"pytest.skip", "pytest.xfail", "pytest.mark.skip"}:
        given = node.args[:1]
    return ast.unparse(given[0]).strip("'\"f ") if given else ""


def test_every_skipped_test_says_why() -> None:
    silent = []
    for path, tree in python_files("tests"):
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        silent += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call | ast.Attribute) and id(node) not in called and reason_of(node) == ""
        ]
    assert silent == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("@pytest.mark.skip\ndef test_a(): ...", ""),
        ("@pytest.mark.skipif(True)\ndef test_a(): ...", ""),
        ("pytest.skip('no data')", "no data"),
        ("pytest.importorskip('roadrunner', reason='no wheel')", "no wheel"),
    ],
)
def test_reason_of_a_skip_is_found(source: str, reason: str) -> None:
    assert reason in {reason_of(node) for node in ast.walk(ast.parse(source))}


def claims_something(function: ast.FunctionDef) -> bool:
    """Whether a test asserts, expects an error, or calls something named for asserting."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call) and re.search(
            r"(^|[._])(assert|raises|warns|expect|check)", ast.unparse(node.func)
        ):
            return True
    return False


def test_every_test_asserts_something() -> None:
    assert [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in python_files("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not claims_something(node)
    ] == []


def test_no_python_file_has_two_subjects() -> None:
    assert [str(path) for path, text in texts(".py") if text.count("\n") > LONGEST_FILE] == []


def test_no_module_is_named_for_leftovers() -> None:
    assert [
        str(path) for path, _ in python_files("src") if path.stem in {"utils", "util", "helpers", "misc", "common"}
    ] == []


def test_no_work_is_left_marked_in_the_code() -> None:
    assert places(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError", ".py", ".ant", ".sh") == []


def test_every_figure_is_well_formed_and_every_link_to_one_leads_there() -> None:
    figures = [path for path in files_of_the_repository() if path.suffix == ".svg"]
    assert figures
    for path in figures:
        assert parse(path).getroot().tag.endswith("svg"), path
    for path, text in texts(".md"):
        for link in re.findall(r"!\[[^\]]*\]\(([^)\s]+\.svg)\)", text):
            assert (ROOT / path).parent.joinpath(link).is_file(), (path, link)


def test_generated_pages_are_what_make_docs_would_write() -> None:
    ran = subprocess.run(
        [sys.executable, "tools/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
