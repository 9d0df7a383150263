"""A model the engine would get wrong is refused, with the place and what to write instead."""

import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.engine import load

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DECAY = "<apply><times/><ci>k</ci><ci>A</ci></apply>"
TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m" {model}>
<listOfCompartments><compartment id="c" size="2" constant="{fixed}"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" {initial} hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false" {species}/></listOfSpecies>
<listOfParameters><parameter id="k" {value} constant="true"/></listOfParameters>
{more}
<listOfReactions><reaction id="r" reversible="false" {reaction}>
<listOfReactants><speciesReference id="sr" species="A" {stoichiometry}/></listOfReactants>
{law}</reaction></listOfReactions>{last}
</model></sbml>
"""


def sbml(math=DECAY, **changes):
    """Decay of one species, with parts replaced."""
    parts = {
        "model": "",
        "fixed": "true",
        "initial": 'initialAmount="3"',
        "species": "",
        "value": 'value="1"',
        "more": "",
        "reaction": "",
        "stoichiometry": 'stoichiometry="1" constant="true"',
        "law": f"<kineticLaw><math {MATH}>{math}</math></kineticLaw>",
        "last": "",
    }
    return TEMPLATE.format(**(parts | changes))


def assigned(symbol, value="<cn>5</cn>"):
    return (
        f'<listOfInitialAssignments><initialAssignment symbol="{symbol}"><math {MATH}>{value}</math>'
        "</initialAssignment></listOfInitialAssignments>"
    )


def refusal(text):
    """Message of the refusal; every one says what to write instead."""
    with pytest.raises((InputError, InputErrors)) as raised:
        load(text)
    message = str(raised.value)
    assert raised.value.exit_status == 2
    assert "write instead: " in message
    assert not message.rstrip().endswith("write instead:")
    return message


def test_the_template_is_a_model():
    assert load(sbml()).states == ("A",)


CSYMBOL = (
    "<apply><csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/{0}'>{0}</csymbol>{1}</apply>"
)
NOT_TWO = "<apply><lt/><cn>1</cn><ci>A</ci><cn>2</cn></apply>"
RULE = '<listOfRules><{0} variable="{1}"><math {2}>{3}</math></{0}></listOfRules>'
REFUSED = {
    "algebraic rule": (
        sbml(
            more=f"<listOfRules><algebraicRule><math {MATH}><ci>k</ci></math></algebraicRule></listOfRules>",
        ).replace('id="k" value="1" constant="true"', 'id="k" value="1" constant="false"'),
        "algebraic rule",
    ),
    "compartment of changing size": (sbml(fixed="false"), "compartment c"),
    "no kinetic law": (sbml(law=""), "reaction r"),
    "conversion factor of a species": (sbml(species='conversionFactor="k"'), "species A"),
    "conversion factor of the model": (sbml(model='conversionFactor="k"'), "conversion factor"),
    "no stoichiometry": (sbml(stoichiometry='constant="true"'), "reaction r"),
    "assigned stoichiometry": (
        sbml(more=assigned("sr"), stoichiometry='constant="false"'),
        "stoichiometry is not a number",
    ),
    "changing stoichiometry": (
        sbml(more=RULE.format("assignmentRule", "sr", MATH, "<cn>2</cn>"), stoichiometry='constant="false"'),
        "stoichiometry is not a number",
    ),
    "symbol that nothing defines": (sbml("<ci>ghost</ci>"), "ghost"),
    "speed of a reaction": (
        sbml(more=assigned("k", "<ci>r</ci>")),
        "",
    ),
    "delay": (sbml(CSYMBOL.format("delay", "<ci>A</ci><cn>1</cn>")), "delay"),
    "rate of another state": (
        sbml(more=assigned("k", CSYMBOL.format("rateOf", "<ci>A</ci>"))),
        "rateOf",
    ),
    "function the engine does not have": (sbml("<apply><sin/><ci>A</ci></apply>"), "sin(A)"),
    "comparison of three": (
        sbml(f"<piecewise><piece><cn>1</cn>{NOT_TWO}</piece><otherwise><cn>0</cn></otherwise></piecewise>"),
        "1 < A < 2",
    ),
    "piecewise without otherwise": (
        sbml("<piecewise><piece><cn>1</cn><apply><lt/><ci>A</ci><cn>2</cn></apply></piece></piecewise>"),
        "piecewise",
    ),
    "parameter without a value": (sbml(value=""), "at k"),
    "state without an initial value": (sbml(initial=""), "at A"),
    "rule and reaction of one species": (
        sbml(more=RULE.format("rateRule", "A", MATH, "<cn>5</cn>")),
        "both a rule and reaction 'r'",
    ),
    "same id twice": (sbml().replace('id="k"', 'id="A"', 1), "line 6"),
    "truncated XML": (sbml()[:-20], "line"),
    "XML that is no SBML": ('<?xml version="1.0" encoding="UTF-8"?>\n<page/>\n', "line"),
    "SBML without a model": (
        sbml().split("<model")[0].rstrip() + "</sbml>\n",
        "holds no SBML model",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_load_refuses(case):
    text, place = REFUSED[case]
    assert place in refusal(text)


LEVEL_2 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialAmount="3"/></listOfSpecies>
<listOfReactions><reaction id="r" reversible="false" {reaction}><listOfReactants>
<speciesReference species="A">{stoichiometry}</speciesReference></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>A</ci></math></kineticLaw>
</reaction></listOfReactions></model></sbml>
"""


@pytest.mark.parametrize(
    "changes",
    [
        {"reaction": 'fast="true"', "stoichiometry": ""},
        {"reaction": "", "stoichiometry": f"<stoichiometryMath><math {MATH}><cn>5</cn></math></stoichiometryMath>"},
    ],
    ids=["fast reaction", "stoichiometry as a formula"],
)
def test_load_refuses_what_only_level_2_has(changes):
    assert load(LEVEL_2.format(reaction="", stoichiometry="")).states == ("A",)
    assert "reaction r" in refusal(LEVEL_2.format(**changes))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("A = 1\nA' = -A\nat time > 1: A = 2\n", "listOfEvents"),
        ("A = 1\nA' = -A*\n", "line 2"),
        ("A = 1\nA' = -x\nx := y + A\ny := x + 1\n", "y"),
        ("A = 1\nA' = -k\n", "k"),
        ("J: A -> ; A\nA = 1\nr := 2*J\n", "J"),
        ("A = 1\nA' = 0\nk = 2*A\nB = k\nB' = 0\n", "k"),
    ],
    ids=["event", "syntax", "circle of rules", "no value", "reaction as a number", "parameter of a state"],
)
def test_load_refuses_antimony(text, place):
    assert place in refusal(text)


@pytest.mark.parametrize("declaration", ['<!DOCTYPE sbml SYSTEM "{0}">', '<!DOCTYPE sbml [<!ENTITY x SYSTEM "{0}">]>'])
def test_xml_that_asks_for_another_file_is_refused_and_the_file_not_read(declaration, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("do not show this")
    lines = sbml(last="<!-- &x; -->").split("\n", 1)
    message = refusal("\n".join([lines[0], declaration.format(secret.as_uri()), lines[1]]))
    assert "entities" in message
    assert "do not show this" not in message


def test_entities_that_explode_are_refused_before_they_are_parsed():
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 100}">' for i in range(1, 12))
    first, rest = sbml().split("\n", 1)
    assert "entities" in refusal(f"{first}\n<!DOCTYPE sbml [{entities}]>\n{rest}")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00A"], ids=["no file", "not text"])
def test_a_file_that_cannot_be_read_is_named(content, tmp_path):
    path = tmp_path / "model.xml"
    if content is not None:
        path.write_bytes(content)
    assert str(path) in refusal(path)


def test_a_refused_construct_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "model.xml"
    path.write_text(sbml(fixed="false"))
    assert str(path) in refusal(path)
