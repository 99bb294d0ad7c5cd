"""The written-out gradients and steps against torch's own."""

import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench_detectors.deep.adam import Adam  # noqa: E402
from odbench_detectors.deep.layers import MLP  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        yield


def plain_twin(network, bias, slope):
    """Return the same layers as torch modules, with the same weights."""
    sizes = [network.layers[0].in_features]
    sizes += [layer.out_features for layer in network.layers]
    modules = []
    for ours, columns in zip(network.layers, sizes, strict=False):
        theirs = torch.nn.Linear(columns, ours.out_features, bias=bias)
        theirs.load_state_dict(ours.state_dict())
        modules += [theirs, torch.nn.LeakyReLU(slope)]
    return torch.nn.Sequential(*modules[:-1])


def gradients(network):
    return [weight.grad.clone() for weight in network.parameters()]


@pytest.mark.parametrize("sizes", [(3, 2), (5, 7, 4), (4, 6, 5, 3, 4)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_the_gradients_are_those_of_automatic_differentiation(sizes, bias, slope):
    ours = MLP(sizes, bias=bias, slope=slope)
    twin = plain_twin(ours, bias, slope)
    rows = torch.randn(9, sizes[0], requires_grad=True)
    same = rows.detach().clone().requires_grad_()

    ours(rows).square().sum().backward()
    twin(same).square().sum().backward()

    torch.testing.assert_close(ours(rows), twin(same))
    torch.testing.assert_close(rows.grad, same.grad)
    torch.testing.assert_close(gradients(ours), gradients(twin))


@pytest.mark.parametrize("bias", [True, False])
def test_the_recorded_path_adds_the_same_gradients(bias):
    ours = MLP((5, 7, 6, 4), bias=bias)
    twin = plain_twin(ours, bias, 0.0)
    rows = torch.randn(9, 5)

    for _ in range(2):
        outputs, inputs = ours.record(rows)
        before = ours.backward(inputs, 2 * outputs)
        twin(rows).square().sum().backward()

    same = rows.clone().requires_grad_()
    twin(same).square().sum().backward()
    assert not outputs.requires_grad
    torch.testing.assert_close(before @ ours.layers[0].weight.detach(), same.grad)
    torch.testing.assert_close(
        gradients(ours), [2 * one / 3 for one in gradients(twin)]
    )


def test_the_recorded_path_drops_in_training_and_its_gradients_know():
    ours = MLP((5, 8, 16, 16, 4), dropout=0.5)
    rows = torch.randn(9, 5)
    outputs, inputs = ours.record(rows)
    ours.backward(inputs, 2 * outputs)

    # The same network, with what was dropped as factors.
    values, factors = rows, [(one != 0).float() * 2 for one in inputs]
    twin = plain_twin(ours, bias=True, slope=0.0)
    for i, layer in enumerate(twin[::2]):
        if i > 1:
            values = values * factors[i]
        values = layer(values)
        values = values.relu() if i < 3 else values
    values.square().sum().backward()

    torch.testing.assert_close(outputs, values.detach())
    torch.testing.assert_close(gradients(ours), gradients(twin))
    assert (inputs[1] == 0).float().mean() < 0.6
    assert (inputs[2] == 0).float().mean() > 0.6


def test_nothing_is_dropped_outside_training():
    ours = MLP((5, 8, 16, 4), dropout=0.9).eval()
    rows = torch.randn(9, 5)

    torch.testing.assert_close(ours.record(rows)[0], ours(rows))


@pytest.mark.parametrize(
    ("decay", "decoupled", "theirs"),
    [
        (0.0, False, torch.optim.Adam),
        (0.1, False, torch.optim.Adam),
        (0.1, True, torch.optim.AdamW),
    ],
)
def test_adam_takes_torchs_steps(decay, decoupled, theirs):
    ours = MLP((5, 7, 4))
    twin = plain_twin(ours, bias=True, slope=0.0)
    adam = Adam(ours.parameters(), lr=0.01, weight_decay=decay, decoupled=decoupled)
    steps = theirs(twin.parameters(), lr=0.01, weight_decay=decay)
    for step in range(30):
        rows = torch.randn(8, 5)
        value = adam.step(lambda rows=rows: ours(rows).square().mean())
        expected = twin(rows).square().mean()
        steps.zero_grad()
        expected.backward()
        steps.step()
        torch.testing.assert_close(value, expected.detach())
        if step == 20:
            adam.lr = steps.param_groups[0]["lr"] = 0.001

    torch.testing.assert_close(list(ours.parameters()), list(twin.parameters()))


def test_flattened_weights_survive_a_copy_and_a_pickle():
    import copy
    import pickle

    network = MLP((3, 4, 2))
    adam = Adam(network.parameters(), lr=0.1)
    adam.step(lambda: network(torch.ones(2, 3)).sum())
    rows = torch.randn(4, 3)

    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        torch.testing.assert_close(twin(rows), network(rows))
