"""The only rule of composition: the default of a port gives way to the product or sum of what acts there."""

import re

import pytest

from stromal.biology import compose, model, parameter_table
from stromal.biology.composition import combine, ports, source_texts
from stromal.biology.registry import ALL, FOLDER, MECHANISMS, THERAPIES
from stromal.compute.errors import InputError
from stromal.engine import load

BASE = """
  substanceOnly species N in blood; N = 1;
  growth := 1 dimensionless;   // port: factor on growth
  supply_add := 0 per_day;   // port: supply from outside
  N_gain: -> N; kN * growth + supply_add;
  N_loss: N -> ; kN * N;
"""


def texts(**files):
    own = {name: source_texts()[name] for name in ("vocabulary", "units_and_compartments")}
    return own | {"disease": BASE} | files


def rule(text, name):
    return re.search(rf"^\s*{name} := ([^;]+);", text, re.MULTILINE).group(1)


def test_ports_keep_their_default_when_nothing_acts_on_them():
    text = combine(texts())
    assert rule(text, "growth") == "1 dimensionless"
    assert rule(text, "supply_add") == "0 per_day"


def test_factors_multiply_and_sources_add():
    one = "one__growth := 2 dimensionless; one__supply_add := 1 per_day;"
    two = "two__growth := 3 dimensionless; two__supply_add := 5 per_day;"
    text = combine(texts(one=one, two=two))
    assert rule(text, "growth") == "one__growth * two__growth"
    assert rule(text, "supply_add") == "one__supply_add + two__supply_add"
    rate = load(text).expanded["rate of N"]
    system = load(text)
    value = system.graph.substitute(
        rate,
        {name: system.graph.constant(x) for name, x in {**system.parameters, "N": 0.0, "kN": 0.5}.items()},
    ).value
    assert value == 0.5 * 6 + 6


@pytest.mark.parametrize(
    "files, message, remedy",
    [
        ({"one": "one__grwth := 1 dimensionless;"}, "there is no such port", "growth"),
        ({"one": "two__growth := 1 dimensionless;"}, "its own share", "one__growth"),
        ({"disease": BASE + "disease__growth := 1 dimensionless;"}, "its own port", "inside the equation"),
        (
            {"one": "growth := 1 dimensionless;   // port: again"},
            "already declared in disease.ant",
            "one__growth",
        ),
        ({"one": "a_add := 1 dimensionless;   // port: source"}, "does not fit its kind", "0 for a source"),
        ({"one": "a := kN;   // port: not a default"}, "not readable", "// port: meaning"),
        ({"one": "N_loss: N -> ; kN * N;"}, "N_loss is already defined in disease.ant", "another name"),
        ({"one": "x := kN * kNN;"}, "neither a value nor an equation", "kN"),
    ],
)
def test_a_faulty_file_is_refused_with_file_and_remedy(files, message, remedy):
    with pytest.raises(InputError) as refused:
        combine(texts(**files))
    assert message in str(refused.value)
    assert remedy in refused.value.remedy
    assert refused.value.file.endswith(".ant")


def test_an_unknown_therapy_is_refused_with_the_nearest_name():
    with pytest.raises(InputError) as refused:
        compose(["mycophenolat"])
    assert refused.value.remedy == "mycophenolate"


def test_the_disease_alone_is_a_model_without_drugs():
    alone = load(compose(()))
    assert {"dMMF", "Ml", "EV"}.isdisjoint(alone.states)
    assert set(model().states) > set(alone.states)


@pytest.mark.parametrize("therapy", ALL)
def test_each_therapy_composes_alone(therapy):
    assert load(compose((therapy,))).states


def test_every_file_in_the_folders_is_part_of_the_model():
    found = {folder: {p.stem for p in (FOLDER / folder).glob("*.ant")} for folder in ("mechanisms", "therapies")}
    assert found == {"mechanisms": set(MECHANISMS), "therapies": set(ALL)}


def test_every_file_says_what_it_is_its_source_and_its_equations_in_words():
    for stem, text in source_texts().items():
        head = " ".join(line for line in text.splitlines() if line.startswith("//"))
        assert text.startswith("// "), stem
        assert "Source:" in head, stem
        assert "In words:" in head, stem


def test_every_declared_value_is_the_table_s_and_stands_once():
    text = compose()
    for symbol in ("kN", "iMMF", "fL"):
        declared = re.findall(rf"^\s*{symbol} = ([^;]+);", text, re.MULTILINE)
        in_model = symbol in model().parameters
        assert declared == ([f"{parameter_table().at[symbol, 'value']:g}"] if in_model else [])


def test_antifibrotic_factors_multiply():
    assert ports(source_texts())["MF_formation"].filled_by == ("mycophenolate", "cyclophosphamide")
    assert rule(compose(), "MF_formation") == "mycophenolate__MF_formation * cyclophosphamide__MF_formation"


def test_therapies_without_equations_say_where_their_actions_are_from():
    assert all(therapy.source for therapy in THERAPIES if not therapy.equations)
