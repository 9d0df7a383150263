"""What a model text means: amounts and concentrations, stoichiometry, functions, initial values."""

import numpy as np
import pandas as pd
import pytest

from stromal.engine import antimony_to_sbml, empty_schedule, load, solve

ONE = pd.DataFrame(index=["p"])
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def values(text, times, parameters=None):
    system = load(text)
    table = ONE if parameters is None else pd.DataFrame(parameters, index=["p"])
    result = solve(system, table, empty_schedule(), times, system.outputs, rtol=1e-10, atol=1e-13)
    return {name: result[name][0] for name in system.outputs}


ANTIMONY = """
function saturating(x, K) x/(K + x); end
model little
  compartment plasma = 2.5
  species A in plasma = 4, B in plasma = 1
  J1: 2 A -> 3 B; k1*saturating(A, K1)*plasma
  J2: B -> ; k2*B*plasma
  k1 = 0.7; K1 = 1.3; k2 = 0.2; base = 3
  z' = -z*k2 + offset; z = 2*base
  offset := base*piecewise(0.1, B < 2, 0.2)
  total := A + B
end
"""


def test_antimony_and_the_sbml_made_from_it_are_the_same_system():
    from_antimony, from_sbml = load(ANTIMONY), load(antimony_to_sbml(ANTIMONY))
    assert from_antimony.states == from_sbml.states == ("A", "B", "z")
    assert from_antimony.parameters == from_sbml.parameters
    assert list(from_antimony.rules) == list(from_sbml.rules)
    times = np.linspace(0.0, 20.0, 15)
    first, second = (solve(s, ONE, empty_schedule(), times, s.outputs).values for s in (from_antimony, from_sbml))
    np.testing.assert_array_equal(first, second)


def test_a_file_gives_what_its_text_gives(tmp_path):
    path = tmp_path / "little.ant"
    path.write_text(ANTIMONY)
    assert load(path).sbml == load(ANTIMONY).sbml


def test_a_system_lists_every_name_it_can_record_once():
    system = load(ANTIMONY)
    assert len(set(system.outputs)) == len(system.outputs)
    assert {"A", "B", "z", "offset", "total", "k1", "plasma"} <= set(system.outputs)


def test_stoichiometry_multiplies_the_speed_of_the_reaction():
    course = values(ANTIMONY.replace("k2 = 0.2", "k2 = 0"), [0.0, 5.0])
    used, made = course["A"][0] - course["A"][1], course["B"][1] - course["B"][0]
    assert used > 0.1
    assert made == pytest.approx(1.5 * used, rel=1e-9)


SPECIES = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfCompartments><compartment id="c" size="2" constant="true"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" {initial} hasOnlySubstanceUnits="{amount}"
 boundaryCondition="{boundary}" constant="{constant}"/></listOfSpecies>
<listOfParameters><parameter id="k" value="0.5" constant="true"/></listOfParameters>{assignments}
<listOfReactions><reaction id="r" reversible="false">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>k</ci><ci>A</ci></apply></math>{local}</kineticLaw></reaction></listOfReactions>
</model></sbml>
"""


def species(**changes):
    parts = {
        "initial": 'initialAmount="6"',
        "amount": "false",
        "boundary": "false",
        "constant": "false",
        "assignments": "",
        "local": "",
    }
    return SPECIES.format(**(parts | changes))


@pytest.mark.parametrize(
    ("initial", "amount", "start", "decay"),
    [
        ('initialAmount="6"', "true", 6.0, 0.5),
        ('initialAmount="6"', "false", 3.0, 0.25),
        ('initialConcentration="6"', "false", 6.0, 0.25),
        ('initialConcentration="6"', "true", 12.0, 0.5),
    ],
)
def test_a_symbol_is_an_amount_or_a_concentration_as_its_species_says(initial, amount, start, decay):
    """The speed of a reaction is an amount per time: a concentration changes by it over the size, here 2."""
    course = values(species(initial=initial, amount=amount), [0.0, 1.5])["A"]
    assert course[0] == start
    assert course[1] == pytest.approx(start * np.exp(-decay * 1.5), rel=1e-9)


@pytest.mark.parametrize(
    ("initial", "amount", "start"),
    [('initialAmount="6"', "false", 6.0 / 4.0), ('initialConcentration="6"', "true", 24.0)],
)
def test_an_assigned_size_of_a_compartment_reaches_the_initial_values_in_it(initial, amount, start):
    size = (
        f'<listOfInitialAssignments><initialAssignment symbol="c"><math {MATH}><cn>4</cn></math>'
        "</initialAssignment></listOfInitialAssignments>"
    )
    assert values(species(initial=initial, amount=amount, assignments=size), [0.0])["A"][0] == start


def test_a_local_parameter_hides_a_global_one_of_the_same_name():
    local = '<listOfLocalParameters><localParameter id="k" value="3"/></listOfLocalParameters>'
    course = values(species(amount="true", local=local), [0.0, 1.0])["A"]
    assert course[1] == pytest.approx(6.0 * np.exp(-3.0), rel=1e-9)


def test_a_boundary_species_is_not_changed_by_reactions():
    assert load(species(boundary="true")).states == ()
    assert values(species(boundary="true"), [0.0, 5.0])["A"].tolist() == [3.0, 3.0]


def test_functions_call_functions_and_their_arguments_hide_names_of_the_model():
    text = """
    function twice(x) 2*x; end
    function shifted(k, x) twice(x) + k; end
    x = 10; k = 100
    y := shifted(1, 3)
    A = 1; A' = 0
    """
    assert values(text, [0.0])["y"][0] == 7.0


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("7/2/2", 1.75),
        ("1 - 2 - 3", -4.0),
        ("root(3, 27)", 3.0),
        ("sqrt(2.25)", 1.5),
        ("ln(exponentiale)", 1.0),
        ("abs(-3.5)", 3.5),
        ("exp(2)*exp(-2)", 1.0),
        ("min(3, 1, 2) + 10*max(3, 1, 2)", 31.0),
        ("piecewise(1, x < 1, 2, x < 3, 3)", 2.0),
        ("piecewise(1, x < 1, 2, x < 2, 3)", 3.0),
        ("piecewise(1, x > 1 && !(x == 3), 0)", 1.0),
        ("piecewise(1, x != 2 || x >= 2, 0)", 1.0),
        ("(x > 0) + (x > 1) + (x > 5)", 2.0),
        ("3*(x > 1) - (x > 0)", 2.0),
        ("-(x > 1)", -1.0),
    ],
)
def test_a_formula_has_its_usual_value_for_a_constant_and_for_a_state(formula, expected):
    for kind in ("x = 2", "x = 2; x' = 0", "y = 1; y' = 0; x := 2*y"):
        text = f"{kind}\nA = 1; A' = 0\nresult := {formula}\n"
        assert values(text, [0.0, 1.0])["result"] == pytest.approx([expected] * 2, rel=1e-15), kind


def test_a_rule_that_is_a_truth_value_counts_as_one_or_zero():
    course = values("x = 1; x' = 1\nhigh := x > 2\nboth := high + high\n", [0.0, 2.0])
    assert course["high"].tolist() == [0.0, 1.0]
    assert course["both"].tolist() == [0.0, 2.0]


def test_rules_are_evaluated_in_the_order_that_they_need():
    course = values("A = 3; A' = 0\nc := b + 1\nb := a*2\na := A + 1\n", [0.0])
    assert (course["a"][0], course["b"][0], course["c"][0]) == (4.0, 8.0, 9.0)


def test_initial_values_follow_from_parameters_rules_and_other_initial_values():
    text = "base = 3\nr := base + 1\nA = 2*B\nB = r\nC = A + B\nA' = 0*A\nB' = 0\nC' = 0\n"
    course = values(text, [0.0])
    assert (course["A"][0], course["B"][0], course["C"][0]) == (8.0, 4.0, 12.0)
    own = values(text, [0.0], {"base": [9.0]})
    assert (own["A"][0], own["B"][0], own["C"][0]) == (20.0, 10.0, 30.0)


def test_initial_assignments_of_parameters_follow_each_other():
    course = values("c = b + 1\nb = a*2\na = 5\nA = c; A' = 0\n", [0.0])
    assert (course["b"][0], course["c"][0], course["A"][0]) == (10.0, 11.0, 11.0)


def test_time_is_the_models_time():
    course = values("A = 0; A' = 2*time\nnow := time\n", [0.0, 3.0])
    assert course["A"] == pytest.approx([0.0, 9.0], rel=1e-9)
    assert course["now"].tolist() == [0.0, 3.0]
