"""The engine against libRoadRunner: what a small model with every construct means."""

import numpy as np
import pandas as pd
import pytest

from stromal.engine import antimony_to_sbml, empty_schedule, load, solve

roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed: the extra `independent` has it")
MODELS = {
    "constructs": """
        function saturating(x, K) x/(K + x); end
        model constructs
          compartment plasma = 2.5, tissue = 0.5
          species A in plasma = 4, B in plasma; substanceOnly species C in tissue = 2
          B = 0.3*base
          J1: 2 A -> 3 B; k1*saturating(A, K1)*plasma
          J2: B + C -> ; k2*B*C
          J3: -> C; v*piecewise(2, time > 4, 0.5)
          k1 = 0.7; K1 = 1.3; k2 = 0.2; v = 0.4; base = 3
          z' = -z*k2 + offset; z = 2*base
          offset := base*piecewise(0.1, B < 2, 0.2) + ln(1 + total)
          total := A + B^1.5 + sqrt(C)
        end
    """,
    "stiff": """
        model stiff
          A -> B; 300*A - 0.3*B
          B -> C; 2*B*C + 0.01*B
          C -> ; 0.5*C
          A = 1; B = 0; C = 0.1
        end
    """,
}
NAMES = {"constructs": ["A", "B", "C", "z", "offset", "total"], "stiff": ["A", "B", "C"]}
TIMES = np.array([0.0, 0.5, 1.0, 4.0, 7.0, 12.0])


@pytest.mark.parametrize("name", MODELS)
def test_a_small_model_agrees_with_libroadrunner(name):
    system = load(MODELS[name])
    ours = solve(system, pd.DataFrame(index=[0]), empty_schedule(), TIMES, NAMES[name], rtol=1e-9, atol=1e-12)
    runner = roadrunner.RoadRunner(antimony_to_sbml(MODELS[name]))
    runner.integrator.relative_tolerance = 1e-11
    runner.integrator.absolute_tolerance = 1e-14
    amounts = [n if n not in ("A", "B") else f"[{n}]" for n in NAMES[name]]
    runner.timeCourseSelections = amounts if name == "constructs" else [f"[{n}]" for n in NAMES[name]]
    theirs = np.array(runner.simulate(times=list(TIMES)))
    np.testing.assert_allclose(ours.values[0], theirs, rtol=1e-6, atol=1e-9)
