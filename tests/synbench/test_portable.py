"""Portable functions are accurate to a few units in the last place."""

import numpy as np
import pytest
from scipy import special

from odbench.synbench import portable


def relative(found, wanted):
    return np.max(np.abs(found - wanted) / np.maximum(np.abs(wanted), 1e-300))


def test_exponential():
    x = np.concatenate([np.linspace(-690, 690, 40_001), np.linspace(-1, 1, 40_001)])

    assert relative(portable.exp(x), np.exp(x)) < 1e-15


def test_logarithm():
    x = np.concatenate([np.geomspace(1e-290, 1e290, 40_001), np.linspace(0.4, 2, 9999)])
    wanted = np.log(x)

    assert relative(portable.log(x[wanted != 0]), wanted[wanted != 0]) < 1e-15
    assert portable.log(1.0) == 0.0


def test_normal_quantile_from_the_centre_to_the_far_tail():
    u = np.concatenate(
        [np.linspace(1e-6, 1 - 1e-6, 40_001), 10.0 ** -np.arange(1, 290)]
    )
    wanted = special.ndtri(u)

    found = portable.normal_quantile(u)

    assert np.max(np.abs(found - wanted) / np.maximum(np.abs(wanted), 1e-3)) < 1e-14


def test_activations_are_absolutely_close():
    x = np.linspace(-30, 30, 40_001)

    elu = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))

    np.testing.assert_allclose(portable.tanh(x), np.tanh(x), rtol=0, atol=1e-15)
    np.testing.assert_allclose(portable.elu(x), elu, rtol=0, atol=1e-15)


def test_out_of_range_exponents_are_clipped_not_infinite():
    found = portable.exp([-1e9, 1e9])

    assert np.isfinite(found).all()
    assert found[0] > 0


@pytest.mark.parametrize("shape", [(), (1,), (3, 5000)])
def test_shape_is_kept_and_each_value_stands_alone(shape, rng):
    x = rng.uniform(0.01, 0.99, shape)

    together = portable.normal_quantile(x)

    assert together.shape == shape
    alone = [portable.normal_quantile(value) for value in x.reshape(-1)[:20]]
    np.testing.assert_array_equal(together.reshape(-1)[:20], alone)
