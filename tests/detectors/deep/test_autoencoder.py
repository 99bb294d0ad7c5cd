"""The autoencoder's two losses and two scorings against slow versions."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.autoencoder import errors  # noqa: E402
from odbench_detectors.deep.autoencoder.detector import AutoEncoder  # noqa: E402
from tests.reference import deep as slow  # noqa: E402


@pytest.fixture
def rows(rng):
    table = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3)) + 4
    table[7] = table[3]
    return table


def small(**params):
    params = {"hidden": (6, 2), "epochs": 4, "k": 5, "random_state": 1} | params
    return AutoEncoder(**params)


def slow_error(detector, row, given):
    """Return the error of a row when `given` is reconstructed in its place."""
    layers = detector.network.layers
    weights = [layer.weight.detach().numpy() for layer in layers]
    biases = [layer.bias.detach().numpy() for layer in layers]
    outputs = slow.forward(weights, biases, given, slope=0.01)
    if detector.loss == "mse":
        return slow.squared_error(row, outputs)
    return slow.probabilistic_error(
        row, outputs, detector.error_weight, detector.variance_weight
    )


PARAMS = [{"loss": "mse"}, {"loss": "apre"}, {"loss": "apre", "error_weight": 0.3}]


@pytest.mark.parametrize("params", PARAMS)
def test_the_score_is_the_mean_error_of_the_columns(rows, params):
    detector = small(**params).fit(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    expected = [slow_error(detector, row, row) for row in z]

    np.testing.assert_allclose(
        detector.decision_function(rows), expected, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(
        small(**params).fit_score(rows), detector.decision_function(rows)
    )


@pytest.mark.parametrize("params", PARAMS)
def test_mean_shift_reconstructs_the_mean_of_the_neighbours(rows, rng, params):
    detector = small(scoring="mean_shift", **params).fit(rows)
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    others = rng.normal(4, 3, size=(9, 3))
    z, w = (rows - centre) / spread, (others - centre) / spread

    expected = [slow_error(detector, row, slow.moved(row, z, 5)) for row in w]

    np.testing.assert_allclose(
        detector.decision_function(others), expected, rtol=1e-4, atol=1e-5
    )


def test_a_fitted_row_is_not_its_own_neighbour(rows):
    detector = small(scoring="mean_shift")
    scores = detector.fit_score(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    expected = [
        slow_error(detector, row, slow.moved(row, np.delete(z, i, axis=0), 5))
        for i, row in enumerate(z)
    ]

    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_a_row_that_is_reconstructed_well_is_found_by_its_move():
    class Identity(AutoEncoder):
        """An autoencoder that reconstructs everything: all errors are 0."""

        def score(self, rows):
            rows, *given = rows.split(self._n_columns, dim=1)
            return (rows - (given or [rows])[0]).square().mean(dim=1)

    line = np.column_stack([np.linspace(-1, 1, 50)] * 2)
    far = np.array([[0.0, 0.0], [1.0, -1.0]])
    found = [
        Identity(scoring=scoring, epochs=0).fit(line).decision_function(far)
        for scoring in ("error", "mean_shift")
    ]

    assert found[0].tolist() == [0, 0]
    assert found[1][1] > 10 * found[1][0]


def test_the_gradient_of_the_squared_error_is_automatic_differentiations(rows):
    detector = small(epochs=0).fit(rows)
    batch = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    parameters = list(detector.network.parameters())
    expected = torch.autograd.grad(detector.score(batch).mean(), parameters)

    value = detector._squared_loss(batch)

    torch.testing.assert_close(value, detector.score(batch).mean().detach())
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_halves_give_the_gaussian_likelihood():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(20, 3, generator=generator)
    outputs = torch.randn(20, 6, generator=generator)
    mean, log_variance = outputs.chunk(2, dim=1)

    found = errors.probabilistic(rows, outputs, 0.5, 0.5)

    expected = torch.nn.functional.gaussian_nll_loss(
        mean, rows, log_variance.exp(), reduction="none"
    )
    torch.testing.assert_close(found, expected)


def test_the_predicted_variance_follows_the_noise_of_a_column(rng):
    rows = rng.normal(size=(400, 1)) + rng.normal(size=(400, 4)) * [0, 0, 1, 1]
    detector = AutoEncoder(loss="apre", epochs=60, random_state=0).fit(rows)
    scaled = torch.from_numpy((rows - rows.mean(axis=0)) / rows.std(axis=0)).float()

    with torch.inference_mode():
        variance = detector.network(scaled)[:, 4:].mean(dim=0)

    assert variance[:2].max() < variance[2:].min() - 1


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("scoring", ["error", "mean_shift"])
def test_few_rows_have_scores(rows, n, scoring):
    scores = small(scoring=scoring).fit_score(rows[:n])

    assert scores.shape == (n,)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"loss": "mae"}, "autoencoder wants loss one of .*; got loss='mae'"),
        ({"scoring": "x"}, "autoencoder wants scoring one of"),
        ({"k": 0}, "autoencoder wants k a whole number >= 1; got k=0"),
        ({"error_weight": 0.0}, "autoencoder wants error_weight > 0"),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(params, wanted):
    with pytest.raises(DetectorError, match=wanted):
        AutoEncoder(**params).check_params()
