"""Teacher expectancy and pupils' intelligence: 19 studies of Raudenbush 1984, doi:10.1037/0022-0663.76.1.85.

Published results: Raudenbush 2009, Handbook of Research Synthesis, 2nd edition, tables 16.2 and 16.3 (pages 301, 309).
"""

import numpy as np
import pytest

from stromal.evidence.pooling import pool, regress

YI = [
    *(0.03, 0.12, -0.14, 1.18, 0.26, -0.06, -0.02, -0.32, 0.27, 0.80),
    *(0.54, 0.18, -0.02, 0.23, -0.18, -0.06, 0.30, 0.07, -0.07),
]
VI = [
    *(0.0156, 0.0216, 0.0279, 0.1391, 0.1362, 0.0106, 0.0106, 0.0484, 0.0269, 0.0630),
    *(0.0912, 0.0497, 0.0835, 0.0841, 0.0253, 0.0279, 0.0193, 0.0088, 0.0303),
]
WEEKS = [2, 21, 19, 0, 0, 3, 17, 24, 0, 1, 0, 0, 1, 2, 17, 5, 1, 2, 7]
PUBLISHED = {
    "EE": (0.0, 0.0604, 0.0365),
    "ML": (0.0126, 0.0777, 0.0475),
    "REML": (0.0188, 0.0837, 0.0516),
    "DL": (0.0259, 0.0893, 0.0558),
    "HE": (0.0804, 0.1143, 0.0792),
}
HARTUNG_KNAPP = {"ML": 0.0593, "REML": 0.0616, "DL": 0.0636, "HE": 0.0711}


@pytest.mark.parametrize("method", PUBLISHED)
def test_teacher_expectancy_published_table(method):
    r = pool(YI, VI, method)
    assert (r.tau2, r.mu, r.se) == pytest.approx(PUBLISHED[method], abs=6e-5)
    assert r.q == pytest.approx(35.8295, abs=6e-5)


@pytest.mark.parametrize("method", HARTUNG_KNAPP)
def test_teacher_expectancy_published_hartung_knapp_errors(method):
    assert pool(YI, VI, method, "knha").se == pytest.approx(HARTUNG_KNAPP[method], abs=6e-5)


def test_teacher_expectancy_to_the_last_digit_of_a_tight_metafor():
    reml, pm, dl = (pool(YI, VI, m) for m in ("REML", "PM", "DL"))
    assert (reml.mu, reml.se, reml.tau2) == pytest.approx((0.08370124188, 0.05164067136, 0.01881828814), rel=1e-9)
    assert (pm.mu, pm.tau2) == pytest.approx((0.1039569702, 0.0517733101), rel=1e-8)
    assert dl.tau2 == pytest.approx(0.0259036723, rel=1e-8)


def test_teacher_expectancy_published_regression_on_weeks_of_contact():
    r = regress(YI, VI, {"weeks": np.minimum(WEEKS, 3)})
    assert r.coefficients["estimate"].to_numpy() == pytest.approx([0.4072, -0.1572], abs=6e-5)
    assert (r.tau2, r.qe) == (0.0, pytest.approx(16.5708, abs=6e-5))
