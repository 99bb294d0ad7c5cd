"""The map from normal values is the true inverse of each law's distribution."""

import numpy as np
import pytest
from scipy import special, stats

from odbench.synbench import marginals
from odbench.synbench.columns import column_map, draw_column
from odbench.synbench.stream import seeded
from tests.reference import synbench as reference

Z = np.linspace(-8.1, 8.1, 4001)
LAWS = {
    "normal": {"family": "normal", "mean": -0.7, "sd": 1.9},
    "flat beta": {"family": "beta", "a": 1.001, "b": 1.001},
    "steep beta": {"family": "beta", "a": 1.01, "b": 4.99},
    "narrow beta": {"family": "beta", "a": 4.99, "b": 4.99},
    "exponential": {"family": "exponential", "rate": 1.7},
    "student 3": {"family": "student", "df": 3},
    "student 10": {"family": "student", "df": 10},
    "two far normals": {
        "family": "normals",
        "components": [(0.3, -3.0, 0.5), (0.7, 3.0, 0.5)],
    },
    "three normals": {
        "family": "normals",
        "components": [(0.2, -1.0, 1.5), (0.5, 0.0, 0.5), (0.3, 2.0, 1.0)],
    },
    "two opposite betas": {
        "family": "betas",
        "components": [(0.5, 1.05, 4.9), (0.5, 4.9, 1.05)],
    },
    "three betas": {
        "family": "betas",
        "components": [(0.2, 2.0, 3.0), (0.5, 1.0, 1.0), (0.3, 4.0, 1.5)],
    },
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_inverse_is_true_to_eight_digits_of_probability(law):
    to_value = column_map(law["family"], law)
    wanted = reference.column_law(law)

    x = to_value(Z)

    lower, upper = Z < 0, Z >= 0
    # Largest drift, measured on two opposite betas: 5e-9.
    assert np.max(np.abs(wanted.cdf(x[lower]) - special.ndtr(Z[lower]))) < 1e-8
    assert np.max(np.abs(wanted.sf(x[upper]) - special.ndtr(-Z[upper]))) < 1e-8
    assert (np.diff(x) >= 0).all()


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_values_of_normal_draws_follow_the_law(law, rng):
    x = column_map(law["family"], law)(rng.normal(size=20_000))

    assert stats.kstest(x, reference.column_law(law).cdf).pvalue > 1e-3


def test_a_mixture_of_betas_is_not_the_uniform_law(rng):
    law = LAWS["two opposite betas"]

    x = column_map("betas", law)(rng.normal(size=20_000))

    assert x.min() > -5
    assert x.max() < 5
    assert stats.kstest(x, stats.uniform(-5, 10).cdf).pvalue < 1e-100


@pytest.mark.parametrize("df", [1, 2, 3, 10, 19, 20, 50, 100])
def test_chi_square_quantiles(df):
    z = special.ndtri([0.85, 0.95])

    found = marginals.chi_square_map(df)(z)

    # Largest drift, measured at one degree of freedom: 1.2e-9.
    np.testing.assert_allclose(found, stats.chi2.ppf([0.85, 0.95], df), rtol=3e-9)


def test_drawn_laws_keep_to_their_ranges():
    source = seeded(5, (0,))
    laws = [draw_column(source)[1] for _ in range(1200)]

    counts = [sum(law["family"] == f for law in laws) for f in marginals.FAMILIES]
    assert stats.chisquare(counts).pvalue > 1e-3
    for law in laws:
        assert -1 <= law.get("mean", 0) <= 1
        assert 1.5 <= law.get("sd", 1.5) <= 2
        assert 1 <= law.get("rate", 1) <= 2
        assert 3 <= law.get("df", 3) <= 10
        assert all(1 <= law.get(shape, 1) <= 5 for shape in "ab")
    for family, first, second in (
        ("normals", (-3, 3), (0.5, 1.5)),
        ("betas", (1, 5), (1, 5)),
    ):
        mixtures = [law["components"] for law in laws if law["family"] == family]
        assert {len(parts) for parts in mixtures} == {1, 2, 3}
        for parts in mixtures:
            assert sum(weight for weight, _, _ in parts) == pytest.approx(1)
            # Raw weights lie in (0.3, 0.7).
            weights = [weight for weight, _, _ in parts]
            assert max(weights) / min(weights) < 7 / 3
            assert all(first[0] <= a <= first[1] for _, a, _ in parts)
            assert all(second[0] <= b <= second[1] for _, _, b in parts)
