"""Deep SVDD against a slow version, and that it is trained at all."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench_detectors.deep.deep_svdd.detector import DeepSVDD  # noqa: E402
from tests.reference import deep as slow  # noqa: E402


def weights(detector):
    return [w.detach().numpy() for w in detector.network.layers.parameters()]


def small(**params):
    return DeepSVDD(hidden=(6, 5), outputs=4, random_state=1, **params)


def test_scores_are_squared_distances_to_the_centre(rng):
    rows = rng.normal(size=(40, 3)) * [1, 5, 0.1] + 2
    detector = small(epochs=3).fit(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    centre = detector.network.centre.tolist()

    expected = [
        slow.squared_distance(slow.forward(weights(detector), [], row), centre)
        for row in z
    ]

    np.testing.assert_allclose(detector.decision_function(rows), expected, rtol=1e-4)


def test_the_centre_is_the_mean_of_the_untrained_network(rng):
    rows = rng.normal(size=(40, 3))
    detector = small(epochs=0).fit(rows)
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    outputs = [slow.forward(weights(detector), [], row) for row in z]

    centre = detector.network.centre.numpy()
    np.testing.assert_allclose(centre, slow.centre(outputs), rtol=1e-4)
    assert (np.abs(centre) >= 0.0999).all()


def test_the_gradient_is_that_of_the_mean_score(rng):
    detector = small(epochs=0).fit(rng.normal(size=(40, 3)))
    rows = torch.from_numpy(rng.normal(size=(7, 3))).float()
    parameters = list(detector.network.parameters())
    expected = torch.autograd.grad(detector.score(rows).mean(), parameters)

    value = detector.loss(rows)

    torch.testing.assert_close(value, detector.score(rows).mean().detach())
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_training_shrinks_the_sphere(rng):
    rows = rng.normal(size=(200, 5))

    before = DeepSVDD(epochs=0, random_state=0).fit(rows).decision_function(rows)
    after = DeepSVDD(epochs=20, random_state=0).fit(rows).decision_function(rows)

    assert after.mean() < before.mean() / 3


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"hidden": (3, 0)}, "deep_svdd wants hidden a tuple of whole numbers >= 1"),
        ({"outputs": 0}, "deep_svdd wants outputs a whole number >= 1; got outputs=0"),
    ],
)
def test_impossible_sizes_are_refused_in_one_line(params, wanted):
    with pytest.raises(DetectorError, match=wanted):
        DeepSVDD(**params).check_params()
