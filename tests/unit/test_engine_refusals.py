"""A model the engine would get wrong is refused, with the place and what to write instead."""

import pytest

from stromal.compute.errors import InputError, InputErrors
from stromal.engine import examine, load

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
RULE = '<listOfRules><{0} variable="{1}"><math {2}>{3}</math></{0}></listOfRules>'
FUNCTION = (
    '<functionDefinition id="f{0}"><math {1}><lambda><bvar><ci>x</ci></bvar>{2}</lambda></math></functionDefinition>'
)
NESTED = (
    "<listOfFunctionDefinitions>"
    + FUNCTION.format(0, MATH, "<ci>x</ci>")
    + "".join(FUNCTION.format(i, MATH, f"<apply><ci>f{i - 1}</ci><ci>x</ci></apply>") for i in range(1, 40))
    + "</listOfFunctionDefinitions><listOfCompartments>",
    "<apply><ci>f39</ci><ci>A</ci></apply>",
)
REFUSED = {
    "algebraic rule": (
        sbml(
            more=f"<listOfRules><algebraicRule><math {MATH}><ci>k</ci></math></algebraicRule></listOfRules>",
        ).replace('id="k" value="1" constant="true"', 'id="k" value="1" constant="false"'),
        "algebraic rule",
    ),
    "no kinetic law": (sbml(law=""), "reaction r"),
    "no stoichiometry": (sbml(stoichiometry='constant="true"'), "sr: a quantity has no value"),
    "symbol that nothing defines": (sbml("<ci>ghost</ci>"), "ghost"),
    "delay": (sbml(CSYMBOL.format("delay", "<ci>A</ci><cn>1</cn>")), "delay"),
    "parameter without a value": (sbml(value=""), "k: a quantity has no value"),
    "state without an initial value": (sbml(initial=""), "A: a quantity has no value"),
    "rate of change that follows from itself": (
        sbml(more=RULE.format("rateRule", "k", MATH, CSYMBOL.format("rateOf", "<ci>k</ci>"))).replace(
            'id="k" value="1" constant="true"', 'id="k" value="1" constant="false"'
        ),
        "circular dependencies",
    ),
    "quantity with the id of time": (
        sbml("<ci>time</ci>").replace('id="k"', 'id="time"'),
        "another id for the quantity",
    ),
    "package that is required": (
        sbml().replace(
            ' level="3"',
            ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true" level="3"',
            1,
        ),
        "SBML package comp",
    ),
    "functions nested too deeply": (sbml(NESTED[1]).replace("<listOfCompartments>", NESTED[0], 1), "nested too deeply"),
    "elements nested too deeply": (sbml("<apply><sin/>" * 1200 + "<ci>A</ci>" + "</apply>" * 1200), "1000 levels"),
    "another encoding": (sbml().replace("UTF-8", "ISO-8859-1", 1), "UTF-8"),
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


def test_load_refuses_the_fast_reactions_of_level_2():
    assert load(LEVEL_2.format(reaction="", stoichiometry="")).states == ("A",)
    assert "fast reaction" in refusal(LEVEL_2.format(reaction='fast="true"', stoichiometry=""))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("A = 1\nA' = -A*\n", "line 2"),
        ("A = 1\nA' = -x\nx := y + A\ny := x + 1\n", "y"),
        ("A = 1\nA' = -k\n", "k"),
    ],
    ids=["syntax", "circle of rules", "no value"],
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
    path.write_text(sbml(law=""))
    assert str(path) in refusal(path)


def test_all_findings_of_a_model_are_given_at_once():
    message = refusal(sbml("<ci>k</ci>", value="", more=assigned("c", CSYMBOL.format("delay", "<ci>A</ci><cn>1</cn>"))))
    assert "delay" in message
    both = refusal(sbml(initial="", value=""))
    assert "k: a quantity has no value" in both
    assert "A: a quantity has no value" in both


def test_examine_gives_findings_for_bad_content_and_never_raises():
    for text, _ in REFUSED.values():
        assert any(f.severity == "error" for f in examine(text))
    assert [f for f in examine("A = 1\nA' = -A*\n") if f.severity == "error"]


def test_units_that_do_not_fit_are_warnings_of_examine_and_do_not_stop_load():
    text = sbml("<apply><plus/><ci>k</ci><ci>A</ci></apply>").replace(
        'id="k" value="1"', 'id="k" value="1" units="second"'
    )
    found = examine(text)
    assert {f.severity for f in found} == {"warning"}
    assert load(text).states == ("A",)
