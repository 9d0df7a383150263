"""No method of pooling without a test that checks it."""

import ast
import inspect
import re
from pathlib import Path

from stromal.evidence import pooling
from stromal.evidence.pooling import METHODS, SCALES
from stromal.evidence.pooling.contrasts import CONTRASTS
from stromal.evidence.pooling.effects import MEASURES

TESTS = Path(__file__).resolve().parents[1]
CHECKING = ("known_answer", "independent", "property")


def names_of_tests() -> set[str]:
    """Names of the tests that can vouch for a number."""
    found: set[str] = set()
    for folder in CHECKING:
        for path in (TESTS / folder).glob("test_evidence_pooling*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}
    return found


def test_every_method_names_a_test_that_exists():
    known = names_of_tests()
    missing = {
        f"{kind}: {name}": method.checked_by
        for kind, methods in METHODS.items()
        for name, method in methods.items()
        if method.checked_by not in known
    }
    assert missing == {}


def test_every_method_says_what_it_is_and_where_it_is_from():
    for methods in METHODS.values():
        for name, method in methods.items():
            assert callable(method.function), name
            assert method.words, name
            assert re.match(r"10\.\d{4,}/\S+$", method.source), name


def test_every_public_function_is_a_method_of_the_registry():
    registered = {method.function for methods in METHODS.values() for method in methods.values()}
    public = {name: getattr(pooling, name) for name in pooling.__all__}
    functions = {name for name, thing in public.items() if inspect.isfunction(thing)}
    # the two entry points whose options are registered one by one
    assert {name for name in functions if public[name] not in registered} == {"pool", "contrasts"}


def test_every_measure_has_a_scale():
    assert set(MEASURES) == set(SCALES)
    assert set(CONTRASTS) <= set(MEASURES)


def test_the_example_in_the_package_runs():
    source = "\n".join(line[4:] for line in pooling.__doc__.splitlines() if line.startswith(">>> "))
    scope: dict[str, object] = {}
    exec(source, scope)  # noqa: S102 - the package's own docstring
    assert "3 studies were pooled" in str(scope["text"])
