"""Predicted vital capacity: values of the GLI-2012 equation, doi:10.1183/09031936.00080312."""

import numpy as np
import pytest

from stromal.compute.errors import InputError
from stromal.population.spirometry import predicted_fvc_ml


@pytest.mark.parametrize(
    ("sex", "height", "litres"),
    [("male", 178.0, 5.002), ("female", 165.0, 3.572)],
)
def test_the_median_of_a_fifty_year_old_is_the_published_one(sex, height, litres):
    predicted = predicted_fvc_ml([sex], [50.0], [height], ["caucasian"])
    assert predicted[0] == pytest.approx(1000.0 * litres, abs=0.5)


def test_the_order_of_people_does_not_matter():
    sex = np.array(["male", "female", "female", "male"])
    age, height = np.array([20.0, 35.5, 61.2, 80.0]), np.array([170.0, 160.0, 155.0, 181.0])
    ancestry = np.array(["other", "caucasian", "african_american", "north_east_asian"])
    order = [2, 0, 3, 1]
    whole = predicted_fvc_ml(sex, age, height, ancestry)
    np.testing.assert_array_equal(
        predicted_fvc_ml(sex[order], age[order], height[order], ancestry[order]), whole[order]
    )


def test_between_two_ages_of_the_table_the_spline_is_interpolated():
    at = [predicted_fvc_ml(["female"], [age], [165.0], ["caucasian"])[0] for age in (50.0, 50.5, 51.0)]
    assert at[0] > at[1] > at[2]
    assert at[1] == pytest.approx(np.sqrt(at[0] * at[2]), rel=1e-4)


@pytest.mark.parametrize(
    ("sex", "ancestry", "shift"), [("male", "african_american", -0.1684), ("female", "other", -0.0833)]
)
def test_ancestry_shifts_the_logarithm(sex, ancestry, shift):
    own, base = predicted_fvc_ml([sex] * 2, [44.0] * 2, [170.0] * 2, [ancestry, "caucasian"])
    assert np.log(own / base) == pytest.approx(shift, abs=1e-12)


@pytest.mark.parametrize("age", [17.9, 90.1, float("nan")])
def test_an_age_without_an_adult_reference_is_refused(age):
    with pytest.raises(InputError, match="write instead: 18 to 90"):
        predicted_fvc_ml(["male"], [age], [178.0], ["caucasian"])
