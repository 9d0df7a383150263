"""The SBML Test Suite: expected values by its authors, for every construct of the language."""

import importlib.util
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "verification" / "sbml_suite.py"
SPEC = importlib.util.spec_from_file_location("sbml_suite", SCRIPT)
suite = sys.modules["sbml_suite"] = importlib.util.module_from_spec(SPEC)  # its dataclasses look themselves up
SPEC.loader.exec_module(suite)

REFUSED = {"01820"}  # a parameter whose id is `time`
SLICES = 8  # so that the workers of pytest share the cases


@pytest.mark.skipif(
    not suite.ARCHIVE.exists(), reason=f"no cases of the SBML Test Suite (STROMAL_SBML_CASES) at {suite.ARCHIVE}"
)
@pytest.mark.parametrize("part", range(SLICES))
def test_every_case_passes_or_is_refused_for_a_known_reason(part, tmp_path):
    with zipfile.ZipFile(suite.ARCHIVE) as archive:
        names = sorted({name.split("/")[0] for name in archive.namelist()})[part::SLICES]
        for name in archive.namelist():
            if name.split("/")[0] in names:
                archive.extract(name, tmp_path)
    found = [suite.outcome("engine", tmp_path / name) for name in names]
    assert len(found) > 80
    assert {o.case: (o.kind, o.cause) for o in found if o.kind != "passed" and o.case not in REFUSED} == {}
    assert {o.kind for o in found if o.case in REFUSED} <= {"refused"}
