"""The network against a slow twin, and the published tensors' names."""

import numpy as np
import pytest
import torch

from odbench.errors import ArchiveError
from odbench_detectors.foundation.filling import fill
from odbench_detectors.foundation.network import (
    ContextNetwork,
    needed_tensors,
    shape_of,
)
from tests.reference import prior_fitted as slow


def network_of(tensors):
    needed = needed_tensors(tensors)
    with torch.device("meta"):
        network = ContextNetwork(shape_of(needed, "made"))
    fill(network, needed, "made")
    return network


@pytest.mark.parametrize("mixing", ["routers", "none", "full"])
def test_scores_are_those_of_the_slow_twin(made, mixing):
    size = made.Size(width=128, hidden=96, depth=3, mixing=mixing)
    tensors = made.noise(size, seed=3)
    draws = torch.Generator().manual_seed(5)
    context, queries = (torch.randn(n, 100, generator=draws) for n in (23, 7))
    network = network_of(made.prefixed(tensors))

    with torch.no_grad():
        found = network(queries, network.read(context))

    expected = slow.log_odds(tensors, context, queries, heads=2)
    assert np.ptp(expected.numpy()) > 0.1
    assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-4)


def test_the_published_names_and_shapes_fit(made):
    # 23 tensors per layer; two encoders, the decoder and the loss's weights.
    published = made.names(made.PUBLISHED)
    assert len(published) == 4 * 23 + 9

    network = network_of(made.prefixed(made.noise(made.PUBLISHED)))

    assert network.shape.heads == 4
    parameters = sum(value.numel() for value in network.parameters())
    assert parameters == sum(
        int(np.prod(shape))
        for name, shape in published.items()
        if not name.startswith(("y_encoder", "criterion"))
    )


def test_outformers_size_fits(made):
    size = made.Size(width=512, hidden=1024, depth=10, mixing="none")

    assert network_of(made.noise(size)).shape.heads == 8


def test_a_row_does_not_depend_on_the_rows_beside_it(made):
    network = network_of(made.noise(made.Size()))
    draws = torch.Generator().manual_seed(0)
    context, rows = (torch.randn(n, 100, generator=draws) for n in (40, 30))
    memory = network.read(context)

    moved = rows.clone()
    moved[1:] += 100.0

    assert torch.equal(network(rows, memory)[:1], network(moved, memory)[:1])


def test_another_model_is_refused_in_one_line(made):
    with pytest.raises(ArchiveError, match=r"'x': is not of FoMo-0D's kind: wanted"):
        shape_of({"a": torch.zeros(3)}, "x")


def test_a_layer_that_is_missing_is_named(made):
    tensors = made.noise(made.Size(depth=3))
    cut = {k: v for k, v in tensors.items() if ".layers.1." not in k}

    with pytest.raises(ArchiveError, match=r"is without 23 tensors .*another model"):
        network_of(cut)
