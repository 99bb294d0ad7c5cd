"""The common ground of neural detectors: scaling, session, training, base."""

import inspect
import platform
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from odbench.errors import DetectorError  # noqa: E402
from odbench.plugins.find import find_detector, list_detectors  # noqa: E402
from odbench_detectors.deep.adam import Adam  # noqa: E402
from odbench_detectors.deep.base import DeepDetector  # noqa: E402
from odbench_detectors.deep.layers import MLP  # noqa: E402
from odbench_detectors.deep.scaling import LIMIT, Scaling  # noqa: E402
from odbench_detectors.deep.session import find_device, session  # noqa: E402
from odbench_detectors.deep.training import batches, train  # noqa: E402

CPU = torch.device("cpu")


def scaled(train_rows, rows):
    found = np.empty(rows.shape, dtype=np.float32)
    Scaling(train_rows).into(rows, found)
    return found


def test_scaling_is_standardisation(rng):
    rows = rng.normal(5, 3, size=(40_000, 3)) * [1e-9, 1.0, 1e9]

    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    np.testing.assert_allclose(scaled(rows, rows), expected, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -3e300])
def test_a_constant_column_becomes_zero_and_keeps_deviations_in_order(value):
    rows = np.full((30, 1), value)
    others = value + np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]) * (
        abs(value) or 1.0
    )

    found = scaled(rows, others)

    assert (scaled(rows, rows) == 0).all()
    assert (np.diff(found[:, 0]) > 0).all()
    np.testing.assert_allclose(found[:, 0], [-2, -1, 0, 1, 2], rtol=1e-6)


def test_far_values_keep_their_order_and_their_squares_are_finite(rng):
    rows = rng.normal(size=(50, 1))
    far = np.array([[-1e308], [-1e30], [-1e4], [0.0], [1e4], [1e5], [1e30], [1e308]])

    found = scaled(rows, far)[:, 0]

    assert (np.diff(found) > 0).all()
    assert np.abs(found).max() < LIMIT + 1000
    assert np.isfinite(found**2).all()


def test_values_near_the_largest_float_do_not_overflow():
    rows = np.array([[-1.7e308], [1.7e308], [1e308], [0.0]])

    found = scaled(rows, rows)

    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(), 1, rtol=1e-6)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-300])
def test_values_near_zero_are_told_apart(size):
    rows = np.array([[0.0], [size], [0.0], [0.0]])

    found = scaled(rows, rows)[:, 0]

    assert np.isfinite(found).all()
    assert found[1] > found[0] == found[2] == found[3]


@pytest.mark.parametrize(
    ("n", "size", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (1, 4, [1]), (3, 1, [1, 2]), (4, 8, [4])],
)
def test_batches_take_every_row_once_and_none_is_a_single_row(n, size, sizes):
    found = list(batches(torch.randperm(n), size))

    assert [len(one) for one in found] == sizes
    assert sorted(torch.cat(found).tolist()) == list(range(n))


@pytest.mark.parametrize(("n", "sizes"), [(10, [4, 4]), (8, [4, 4]), (3, [3])])
def test_whole_batches_leave_the_rest_of_an_epoch_out(n, sizes):
    network, seen = MLP((2, 1)), []

    def loss(batch):
        seen.append(len(batch))
        return network(batch).square().mean()

    rows = torch.zeros(n, 2)
    train(network, rows, loss, epochs=1, batch_size=4, lr=0.1, whole_batches=True)

    assert seen == sizes


def test_an_optimiser_goes_on_where_it_was():
    def trained(*parts):
        with session(0, CPU):
            network, rows = MLP((3, 4, 1)), torch.randn(30, 3)
            optimiser = Adam(network.parameters(), lr=0.1)
            for epochs in parts:
                train(
                    network,
                    rows,
                    lambda batch: (network(batch) - 1.0).square().mean(),
                    epochs=epochs,
                    batch_size=8,
                    lr=0.1,
                    optimiser=optimiser,
                )
        return [one.detach().clone() for one in network.parameters()]

    assert all(map(torch.equal, trained(2, 3), trained(5)))


def test_training_reaches_the_least_squares():
    with session(0, CPU):
        rows = torch.randn(200, 4)
        target = rows @ torch.tensor([1.0, -2.0, 3.0, 0.5])
        data = torch.cat([rows, target[:, None]], dim=1)
        network = MLP((4, 1))
        losses = train(
            network,
            data,
            lambda batch: (network(batch[:, :4])[:, 0] - batch[:, 4]).square().mean(),
            epochs=60,
            batch_size=20,
            lr=0.05,
        )

    assert len(losses) == 60
    assert losses[-1] < 1e-3 < losses[0]
    assert not network.training


def test_training_stops_by_its_own_loss():
    network = MLP((1, 1))
    losses = train(
        network,
        torch.zeros(4, 1),
        lambda batch: (network(batch) * 0).sum() + 1.0,
        epochs=50,
        batch_size=2,
        lr=0.1,
        patience=3,
    )

    assert losses == [1.0] * 4


def test_the_schedule_sets_the_rate_of_each_epoch():
    network = MLP((1, 1), bias=False)
    start = network.layers[0].weight.item()
    train(
        network,
        torch.ones(2, 1),
        lambda batch: network(batch).mean(),
        epochs=3,
        batch_size=2,
        lr=0.1,
        schedule=lambda epoch: [1.0, 0.1, 0.0][epoch],
    )

    # With a constant gradient each step of Adam is the rate itself.
    assert network.layers[0].weight.item() == pytest.approx(start - 0.11, rel=1e-4)


def test_a_loss_that_becomes_nan_is_one_line():
    network = MLP((1, 1))
    with pytest.raises(DetectorError, match=r"became nan in epoch 1; .* smaller lr"):
        train(
            network,
            torch.ones(2, 1),
            lambda batch: network(batch).mean() * float("nan"),
            epochs=3,
            batch_size=2,
            lr=0.1,
        )


def test_a_session_leaves_the_callers_torch_as_it_was():
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    state = torch.get_rng_state()

    with session(5, CPU):
        first = torch.rand(3)
        assert torch.get_num_threads() == 1
    again = []

    def fail():
        with session(5, CPU):
            again.append(torch.rand(3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert torch.equal(first, again[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", ["deep_svdd", "autoencoder", "dte_c", "kdsm"])
def test_a_seed_gives_the_same_bits_with_any_number_of_threads(rng, name):
    rows = rng.normal(size=(400, 30))
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            detector = find_detector(f"{name}:epochs=3").build(5).fit(rows)
            found.append(detector.decision_function(rows))
    finally:
        torch.set_num_threads(before)
    other = find_detector(f"{name}:epochs=3").build(6).fit(rows)

    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], other.decision_function(rows))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's malloc")
def test_a_session_takes_memory_from_the_system_once():
    import resource  # not on Windows

    def pages():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            torch.zeros(2**20)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    with session(0, CPU):
        pages()

        # 20 times 4 MiB are 20,480 pages, where malloc gives them back each time.
        assert pages() < 2_000


def test_devices_are_refused_in_one_line():
    with pytest.raises(DetectorError, match="got 'tpu'; wanted one of auto, cpu, cuda"):
        find_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DetectorError, match="finds no CUDA device"):
            find_device("cuda")


class Norm(DeepDetector):
    """Scores the norm of a row, through a network whose weights do not matter."""

    name = "norm"

    def __init__(
        self, *, epochs=1, batch_size=4, lr=0.1, device="cpu", random_state=None
    ):
        self.epochs, self.batch_size, self.lr = epochs, batch_size, lr
        self.device, self.random_state = device, random_state

    def build(self, rows):
        self.seen = []
        return MLP((rows.shape[1], 1))

    def loss(self, rows):
        return self.network(rows).square().mean()

    def score(self, rows):
        self.seen.append(len(rows))
        return rows.square().sum(dim=1)


def test_scores_are_computed_in_blocks_of_one_size(rng):
    rows = rng.normal(size=(600, 3))
    detector = Norm().fit(rows)

    scores = detector.decision_function(rows)

    assert detector.seen == [256, 256, 256]
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(scores, (z**2).sum(axis=1), rtol=1e-4)
    assert scores.dtype == np.float64


def test_an_overflow_is_the_largest_score(rng, monkeypatch):
    rows = rng.normal(size=(20, 2))
    detector = Norm().fit(rows)
    monkeypatch.setattr(
        detector, "score", lambda block: (block[:, 0] * 1e30).square() * torch.inf
    )

    scores = detector.decision_function(np.array([[3.0, 0.0]]))

    assert scores.tolist() == [torch.finfo(torch.float32).max]


@pytest.mark.parametrize(
    ("param", "wanted"),
    [
        ({"epochs": -1}, "norm wants epochs a whole number >= 0; got epochs=-1"),
        ({"epochs": 1.5}, "got epochs=1.5"),
        ({"batch_size": 0}, "norm wants batch_size a whole number >= 1"),
        ({"lr": 0.0}, "norm wants lr > 0"),
        ({"device": "tpu"}, "norm wants device one of"),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(rng, param, wanted):
    with pytest.raises(DetectorError, match=wanted):
        Norm(**param).fit(rng.normal(size=(9, 2)))


DEEP = [
    one.name
    for one in list_detectors()[0]
    if one.extra == "deep" and "." not in one.name
]


@pytest.mark.parametrize("d", [5, 9, 11])
@pytest.mark.parametrize("name", DEEP)
def test_equal_rows_have_equal_scores_wherever_they_are(rng, name, d):
    detector = find_detector(f"{name}:epochs=1").build(0).fit(rng.normal(size=(60, d)))
    rows = rng.normal(size=(9, d)) * 3

    scores = detector.decision_function(np.vstack([rows] * 31)).reshape(31, 9)

    assert (scores == scores[0]).all()


@pytest.mark.parametrize("name", DEEP)
def test_no_parameter_is_infinite_or_a_text(name):
    make = type(find_detector(name).build(0).inner)
    parameters = inspect.signature(make).parameters
    numbers = [p for p in parameters if parameters[p].annotation in ("int", "float")]

    assert numbers
    for number in [*numbers, "random_state"]:
        for value in ("abc", (), np.inf, -np.inf, np.nan, 10**400):
            if value == 10**400 and parameters[number].annotation == "int":
                continue
            with pytest.raises(DetectorError, match=f"^{name} wants {number} "):
                make(**{number: value}).check_params()
        if parameters[number].annotation == "int":
            with pytest.raises(DetectorError, match=rf"got {number}=2\.5$"):
                make(**{number: 2.5}).check_params()


def test_the_largest_seed_is_taken(rng):
    rows = rng.normal(size=(9, 2))
    scores = [Norm(random_state=2**63 - 1).fit(rows).losses for _ in range(2)]

    assert scores[0] == scores[1]
    with pytest.raises(DetectorError, match=r"norm wants random_state .* 2\^63 - 1;"):
        Norm(random_state=2**63).fit(rows)


@pytest.mark.parametrize(
    "code",
    [
        "import odbench, odbench_detectors, odbench_detectors.deep",
        "from odbench.plugins.find import list_detectors; list_detectors()",
        "from odbench.plugins.find import find_detector; "
        "[find_detector(n) for n in ('deep_svdd', 'knn')]",
    ],
)
def test_nothing_loads_torch_before_a_detector_is_built(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"
