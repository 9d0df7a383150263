"""Random numbers by key: a draw depends on what it is for, and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stromal.compute.randomness import Streams, stream_key

N = 100_000
FALSE_ALARM = 1e-6  # of each statistical test here; the seeds are fixed, so a pass stays a pass


@given(st.integers(0, 5000), st.integers(1, 60), st.integers(0, 40), st.sampled_from(["uniform", "normal"]))
def test_a_draw_does_not_depend_on_where_the_range_begins_or_ends(start, n, more, kind):
    streams = Streams(7, 3)
    whole = getattr(streams, kind)("age", start + n + more)
    part = getattr(streams, kind)("age", n, start=start)
    np.testing.assert_array_equal(part, whole[start : start + n])


@pytest.mark.parametrize(
    ("other", "occasion", "purpose"),
    [(Streams(8, 3), 0, "age"), (Streams(7, 4), 0, "age"), (Streams(7, 3), 1, "age"), (Streams(7, 3), 0, "sex")],
)
def test_seed_replicate_occasion_and_purpose_each_give_other_numbers(other, occasion, purpose):
    own = Streams(7, 3).uniform("age", 1000)
    assert not np.intersect1d(own, other.uniform(purpose, 1000, occasion=occasion)).size


@given(
    st.tuples(st.integers(0, 30), st.integers(-30, 30), st.integers(0, 30), st.text("0123456789| -", max_size=4)),
    st.tuples(st.integers(0, 30), st.integers(-30, 30), st.integers(0, 30), st.text("0123456789| -", max_size=4)),
)
def test_different_keys_never_meet(first, second):
    keys = [stream_key(seed, replicate, text, occasion) for seed, replicate, occasion, text in (first, second)]
    assert (keys[0] == keys[1]) == (first == second)


def test_the_numbers_are_those_of_every_installation():
    """Changing the generator, the key or the transformation would change every published result."""
    np.testing.assert_array_equal(
        Streams(1, 0).uniform("age", 3, start=5, occasion=2),
        Streams(1, 0).uniform("age", 8, occasion=2)[5:],
    )
    bits = np.random.Philox(key=stream_key(1, 0, "age", 2)).random_raw(8)
    assert Streams(1, 0).uniform("age", 8, occasion=2).tolist() == [((int(b) >> 11) + 0.5) / 2**53 for b in bits]
    assert stream_key(1, 0, "age", 2) == 0xD653D290C3FCDFA53DF20CF4A6E0E2A4


def test_uniforms_lie_inside_the_unit_interval_and_are_uniform():
    u = Streams(1, 0).uniform("age", N)
    assert 0.0 < u.min() < u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > FALSE_ALARM


def test_neighbours_and_purposes_are_not_correlated():
    streams = Streams(1, 0)
    u = streams.uniform("age", N)
    others = [u[1:], streams.uniform("sex", N)[:-1], streams.uniform("age", N, occasion=1)[:-1]]
    others.append(Streams(1, 1).uniform("age", N)[:-1])
    for other in others:
        assert stats.pearsonr(u[:-1], other).pvalue > FALSE_ALARM


def test_normals_have_the_moments_and_the_shape_of_a_normal_distribution():
    z = Streams(1, 0).normal("height", N)
    bound = stats.norm.isf(FALSE_ALARM / 2)
    for power, mean, variance in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs(np.mean(z**power) - mean) < bound * np.sqrt(variance / N)
    assert stats.kstest(z, "norm").pvalue > FALSE_ALARM


def test_a_normal_is_the_inverse_distribution_function_of_the_uniform():
    streams = Streams(5, 2)
    np.testing.assert_allclose(stats.norm.cdf(streams.normal("x", 100)), streams.uniform("x", 100), rtol=1e-12)
