"""Whatever text is given, `examine` answers."""

from hypothesis import given
from hypothesis import strategies as st

from stromal.engine import examine

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfParameters><parameter id="k" value="1" constant="true"/><parameter id="y" constant="false"/></listOfParameters>
<listOfRules><assignmentRule variable="y"><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><plus/><ci>k</ci><cn>1</cn></apply></math></assignmentRule></listOfRules></model></sbml>
"""


@given(st.text(max_size=200))
def test_any_text_gets_findings_and_no_exception(text):
    assert isinstance(examine(text + "\n"), list)


@given(st.integers(0, len(MODEL)), st.integers(0, 40), st.text(max_size=10))
def test_a_damaged_model_gets_findings_and_no_exception(place, length, inserted):
    assert isinstance(examine(MODEL[:place] + inserted + MODEL[place + length :] + "\n"), list)
