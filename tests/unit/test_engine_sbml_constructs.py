"""What constructs of SBML mean, by the reference path: sizes, stoichiometries, rates of change, MathML."""

import math

import numpy as np
import pytest

from stromal.engine import examine, load
from stromal.engine.reference import solve_one

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
DECAY = "<apply><times/><ci>k</ci><ci>A</ci><ci>c</ci></apply>"
TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m" {model}>
<listOfCompartments><compartment id="c" size="2" constant="{fixed}"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialConcentration="3" hasOnlySubstanceUnits="{amount}"
 boundaryCondition="{boundary}" constant="false" {species}/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/>
<parameter id="y" value="4" constant="false"/></listOfParameters>
{more}
<listOfReactions><reaction id="r" reversible="false"><listOfReactants>
<speciesReference id="sr" species="A" stoichiometry="1" constant="false"/></listOfReactants>
<kineticLaw><math {math}>{law}</math></kineticLaw></reaction></listOfReactions>{last}
</model></sbml>
"""


def sbml(**changes):
    """Decay of one species, with parts replaced."""
    parts = {"model": "", "fixed": "false", "amount": "false", "boundary": "false", "species": "", "more": ""}
    return TEMPLATE.format(**(parts | {"law": DECAY, "last": "", "math": MATH} | changes))


def rules(*given):
    texts = [f'<{kind} variable="{name}"><math {MATH}>{math_}</math></{kind}>' for kind, name, math_ in given]
    return f"<listOfRules>{''.join(texts)}</listOfRules>"


def values(text, times, outputs, **parameters):
    course = solve_one(load(text), parameters, [], times, outputs)
    assert course.status == "ok", course.cause
    return {name: course.values[:, i] for i, name in enumerate(outputs)}


TIME = "<csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/time'>t</csymbol>"


def test_a_growing_compartment_dilutes_and_the_amount_is_what_reactions_change():
    system = load(sbml(more=rules(("rateRule", "c", "<cn>1</cn>"))))
    assert system.states == ("amount of A", "c")
    course = values(system.sbml, [0.0, 2.0], ["A", "amount of A", "c"])
    assert course["amount of A"] == pytest.approx([6.0, 6.0 * math.exp(-1.0)], rel=1e-7)
    assert course["A"] == pytest.approx(course["amount of A"] / course["c"], rel=1e-12)


def test_an_amount_without_reactions_stays_when_its_compartment_grows():
    text = sbml(boundary="true", more=rules(("assignmentRule", "c", f"<apply><plus/><cn>2</cn>{TIME}</apply>")))
    assert load(text).states == ()
    assert values(text, [0.0, 1.0], ["A"])["A"] == pytest.approx([3.0, 2.0], rel=1e-12)


def test_a_rate_rule_for_a_concentration_holds_while_the_compartment_grows():
    grown = rules(("rateRule", "A", "<cn>0.25</cn>"), ("rateRule", "c", "<cn>1</cn>"))
    course = values(sbml(boundary="true", more=grown), [0.0, 4.0], ["A", "amount of A"])
    assert course["A"] == pytest.approx([3.0, 4.0], rel=1e-8)
    assert course["amount of A"] == pytest.approx([6.0, 24.0], rel=1e-8)


def test_a_stoichiometry_may_follow_a_rule_and_be_used_in_formulas():
    more = rules(("assignmentRule", "sr", "<cn>2</cn>"), ("assignmentRule", "y", "<ci>sr</ci>"))
    course = values(sbml(fixed="true", more=more), [0.0, 1.0], ["A", "y"])
    assert course["A"][1] == pytest.approx(3.0 * math.exp(-1.0), rel=1e-7)
    assert course["y"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("where", ["model", "species"])
def test_a_conversion_factor_multiplies_what_reactions_change(where):
    course = values(sbml(fixed="true", **{where: 'conversionFactor="k"'}), [0.0, 2.0], ["A"])
    assert course["A"][1] == pytest.approx(3.0 * math.exp(-0.5), rel=1e-7)


def test_the_id_of_a_reaction_means_its_speed():
    course = values(sbml(fixed="true", more=rules(("assignmentRule", "y", "<ci>r</ci>"))), [0.0], ["y", "r"])
    assert course["y"][0] == course["r"][0] == 3.0


RATE_OF = (
    "<apply><csymbol encoding='text' definitionURL='http://www.sbml.org/sbml/symbols/rateOf'>r</csymbol>{}</apply>"
)


def test_the_rate_of_a_concentration_takes_the_growth_of_its_compartment_into_account():
    more = rules(("rateRule", "c", "<cn>1</cn>"), ("assignmentRule", "y", RATE_OF.format("<ci>A</ci>")))
    course = values(sbml(more=more), [0.0, 0.5], ["A", "c", "y"])
    expected = -0.5 * course["A"] - course["A"] / course["c"]
    assert course["y"] == pytest.approx(expected, rel=1e-12)


def test_an_initial_assignment_may_use_states_and_follows_a_patients_own_parameters():
    text = "k = 2; A = 3*k; A' = -A; y = A + 1\n"
    system = load(text)
    assert system.parameters["y"] == 7.0
    assert values(text, [0.0], ["A", "y"], k=5.0) == {"A": [15.0], "y": [16.0]}
    assert values(text, [0.0], ["y"], y=1.5) == {"y": [1.5]}


def test_level_2_has_stoichiometries_that_are_formulas():
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfCompartments><compartment id="c" size="1"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialAmount="3"/></listOfSpecies>
<listOfReactions><reaction id="r" reversible="false"><listOfReactants><speciesReference species="A">
<stoichiometryMath><math {MATH}><cn>5</cn></math></stoichiometryMath></speciesReference></listOfReactants>
<kineticLaw><math {MATH}><ci>A</ci></math></kineticLaw></reaction></listOfReactions></model></sbml>
"""
    assert values(text, [0.0, 0.2], ["A"])["A"][1] == pytest.approx(3.0 * math.exp(-1.0), rel=1e-7)


def applied(name, *args):
    return f"<apply><{name}/>{''.join(args)}</apply>"


X = "<ci>x</ci>"
TWO = "<cn>2</cn>"
FORMULAS = {
    "sec": (applied("sec", X), lambda x: 1 / math.cos(x)),
    "csc": (applied("csc", X), lambda x: 1 / math.sin(x)),
    "cot": (applied("cot", X), lambda x: 1 / math.tan(x)),
    "sech": (applied("sech", X), lambda x: 1 / math.cosh(x)),
    "coth": (applied("coth", X), lambda x: 1 / math.tanh(x)),
    "arccot": (applied("arccot", X), lambda x: math.atan(1 / x)),
    "arcsec": (applied("arcsec", X), lambda x: math.acos(1 / x)),
    "arccsch": (applied("arccsch", X), lambda x: math.asinh(1 / x)),
    "arctanh": (applied("arctanh", applied("divide", "<cn>1</cn>", X)), lambda x: math.atanh(1 / x)),
    "log to base 10": (applied("log", X), math.log10),
    "log to base 2": (applied("log", f"<logbase>{TWO}</logbase>", X), math.log2),
    "cube root": (applied("root", "<degree><cn>3</cn></degree>", X), lambda x: x ** (1 / 3)),
    "factorial": (applied("factorial", applied("ceiling", X)), lambda x: math.factorial(math.ceil(x))),
    "floor": (applied("floor", applied("minus", X)), lambda x: math.floor(-x)),
    "quotient": (applied("quotient", applied("times", "<cn>-7</cn>", X), TWO), lambda x: math.trunc(-7 * x / 2)),
    "rem": (applied("rem", applied("times", "<cn>-7</cn>", X), TWO), lambda x: math.fmod(-7 * x, 2)),
    "xor": (
        applied("xor", applied("lt", X, TWO), applied("gt", X, "<cn>1</cn>"), "<true/>"),
        lambda x: float(x < 2 or x <= 1) if (x < 2) == (x > 1) else 0.0,
    ),
    "implies": (applied("implies", applied("gt", X, TWO), "<false/>"), lambda x: float(x <= 2)),
    "three in order": (applied("lt", "<cn>1</cn>", X, TWO), lambda x: float(1 < x < 2)),
    "truth of a number": (applied("not", X), lambda x: float(x == 0)),
    "number of a truth": (applied("plus", applied("lt", X, TWO), "<true/>"), lambda x: (x < 2) + 1.0),
    "no sum": (applied("plus", X, "<apply><plus/></apply>"), lambda x: x),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("x", [1.3, 2.7])
def test_mathml_has_its_meaning(name, x):
    formula, expected = FORMULAS[name]
    text = sbml(more=rules(("assignmentRule", "y", formula.replace(X, "<ci>k</ci>"))))
    assert values(text, [0.0], ["y"], k=x)["y"][0] == pytest.approx(expected(x), rel=1e-12)


def test_where_no_piece_holds_there_is_no_value():
    piece = "<piecewise><piece><cn>1</cn><apply><lt/><ci>k</ci><cn>0</cn></apply></piece></piecewise>"
    assert np.isnan(values(sbml(more=rules(("assignmentRule", "y", piece))), [0.0], ["y"])["y"]).all()


def test_rules_without_a_formula_mean_nothing():
    more = '<listOfRules><assignmentRule variable="y"/></listOfRules>'
    assert values(sbml(more=more), [0.0], ["y"])["y"].tolist() == [4.0]


@pytest.mark.parametrize(
    ("trigger", "warned"), [("x == 5", True), ("x >= 5", False), ("time == 2", True), ("k == 1", False)]
)
def test_a_trigger_that_is_true_for_an_instant_only_is_warned_of(trigger, warned):
    text = f"k = 1\nx = 0\nx' = k\nn = 0\nat {trigger}: n = n + 1\n"
    found = [f for f in examine(text) if "equal to another" in f.message]
    assert [f.severity for f in found] == ["warning"] * warned
    assert load(text).events
