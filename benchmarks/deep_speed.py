"""Time neural detectors against PyOD's and DeepOD's at equal epochs, fit and score.

    python benchmarks/deep_speed.py [--epochs N] [--repeats N] [--detectors a,b]

Each pair has the same layers where the peer allows it, the same batch size and the same
number of epochs; tables are normal, and the rows scored are those fitted, because the
peers' `fit` scores them. All run in one process, one after the other in each repeat, on
`--threads` threads; times are processor seconds, the median of the repeats after one
that warms up. DeepOD is not a dependency: `pip install deepod` in another folder and
name that folder in PYTHONPATH. `loop` stands for detectors that neither package has:
the same layers as torch's modules, trained with automatic differentiation, a DataLoader
and `torch.optim.Adam`, as public code of such detectors is written.

`products` compares with the matrix products of training and scoring alone, in the same
sizes and number: no code that multiplies the same matrices can take less.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from odbench.plugins.find import find_detector, list_detectors

TABLES = ((1_000, 10), (4_000, 30))
BATCH = 64
Peer = Callable[[np.ndarray, int], Any]


def pyod_autoencoder(X: np.ndarray, epochs: int) -> None:
    """Fit PyOD's autoencoder with our layers, without batch norm and dropout."""
    from pyod.models.auto_encoder import AutoEncoder

    AutoEncoder(
        hidden_neuron_list=[64, 32, 16], epoch_num=epochs, batch_size=BATCH,
        batch_norm=False, dropout_rate=0.0, preprocessing=True, verbose=0,
    ).fit(X)  # fmt: skip


def pyod_deep_svdd(X: np.ndarray, epochs: int) -> None:
    """Fit PyOD's Deep SVDD with our layers."""
    from pyod.models.deep_svdd import DeepSVDD

    DeepSVDD(
        n_features=X.shape[1], hidden_neurons=[100, 50, 128], epochs=epochs,
        batch_size=BATCH, dropout_rate=0.0, preprocessing=True, verbose=0,
    ).fit(X)  # fmt: skip


def deepod(name: str) -> Peer:
    """Return a call that fits a detector of DeepOD."""

    def fit(X: np.ndarray, epochs: int) -> None:
        from deepod.models import tabular

        kind = getattr(tabular, name)
        kind(epochs=epochs, batch_size=BATCH, device="cpu", verbose=0).fit(X)

    return fit


def deepod_icl(X: np.ndarray, epochs: int) -> None:
    """Fit DeepOD's ICL with our larger network's layers, once instead of twice.

    Its smaller network, of the windows, has half of each layer and cannot be set apart:
    in all it has a fifth more products than ours.
    """
    from deepod.models import tabular

    tabular.ICL(
        epochs=epochs, batch_size=BATCH, device="cpu", verbose=0,
        hidden_dims="200,400", rep_dim=200, temperature=0.1, n_ensemble=1,
    ).fit(X)  # fmt: skip


class Clock(nn.Module):
    """The network of DTE-C, of torch's modules, with the published loss."""

    def __init__(self, detector: Any, columns: int) -> None:
        super().__init__()
        self.bins = detector.bins
        first, second, third = detector.hidden
        self.register_buffer("deviation", detector.network.deviation)
        self.layers = nn.Sequential(
            nn.Linear(columns, first), nn.ReLU(),
            nn.Linear(first, second), nn.ReLU(), nn.Dropout(detector.dropout),
            nn.Linear(second, third), nn.ReLU(), nn.Dropout(detector.dropout),
            nn.Linear(third, detector.bins), nn.Softmax(dim=1),
        )  # fmt: skip

    def loss(self, rows: Tensor) -> Tensor:
        """Return the cross-entropy of the bins of random steps."""
        steps = len(self.deviation)
        step = torch.randint(steps, (len(rows),))
        noisy = rows + torch.randn_like(rows) * self.deviation[step, None]
        return nn.functional.cross_entropy(
            self.layers(noisy), step * self.bins // steps
        )

    def score(self, rows: Tensor) -> Tensor:
        """Return the expected bin."""
        return self.layers(rows) @ torch.arange(float(self.bins))


class Denoiser(nn.Module):
    """The network of KDSM, of torch's modules."""

    def __init__(self, detector: Any, columns: int) -> None:
        super().__init__()
        width = detector.width
        self.copies = detector.copies
        self.register_buffer("noise", detector.network.noise)
        self.into = nn.Linear(columns, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
            )
            for _ in range(detector.blocks)
        )
        self.out = nn.Linear(width, columns)

    def forward(self, rows: Tensor) -> Tensor:
        """Return predicted noise."""
        hidden = self.into(rows / (1.0 + self.noise.square()).sqrt())
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.out(hidden.relu())

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean squared error of the noise."""
        rows = rows.repeat(self.copies, 1)
        noise = torch.randn_like(rows)
        return nn.functional.mse_loss(self(rows + noise * self.noise), noise)

    def score(self, rows: Tensor) -> Tensor:
        """Return the squared length of each row's step."""
        return self(rows).square().sum(dim=1)


def loop(name: str, kind: type[Clock | Denoiser]) -> Peer:
    """Return a call that trains torch's modules with a DataLoader and torch's Adam."""

    def fit(X: np.ndarray, epochs: int) -> None:
        detector = find_detector(f"{name}:epochs=0").build(0).inner
        detector.fit(X)
        rows = detector.scaled(X)
        network = kind(detector, X.shape[1])
        adam = torch.optim.Adam(network.parameters(), lr=1e-4)
        for _ in range(epochs):
            for batch in DataLoader(rows, batch_size=BATCH, shuffle=True):
                adam.zero_grad()
                loss = network.loss(batch)
                loss.backward()
                adam.step()
                loss.item()
        network.eval()
        with torch.no_grad():
            for batch in DataLoader(rows, batch_size=BATCH):
                network.score(batch)

    return fit


def products(sizes: Callable[[int], Sequence[tuple[int, int]]], copies: int) -> Peer:
    """Return a call that multiplies what a network of linear layers multiplies.

    Parameters
    ----------
    sizes : callable
        Takes the number of columns, returns the inputs and outputs of each layer.
    copies : int
        Noisy copies of a row in a batch.
    """

    def fit(X: np.ndarray, epochs: int) -> None:
        layers = [torch.randn(size) for size in sizes(X.shape[1])]
        m = BATCH * copies
        values = [
            (torch.randn(m, a), torch.randn(m, b)) for a, b in map(_shape, layers)
        ]
        for _ in range(epochs * -(-len(X) // BATCH)):
            for i, (layer, (rows, gradient)) in enumerate(
                zip(layers, values, strict=True)
            ):
                torch.mm(rows, layer)
                torch.mm(rows.t(), gradient)
                if i > 0:
                    torch.mm(gradient, layer.t())
        for _ in range(-(-len(X) // m)):
            for layer, (rows, _) in zip(layers, values, strict=True):
                torch.mm(rows, layer)

    return fit


def _shape(layer: Tensor) -> tuple[int, int]:
    return layer.shape[0], layer.shape[1]


def of_clock(d: int) -> list[tuple[int, int]]:
    """Return the layers of DTE-C."""
    return [(d, 256), (256, 512), (512, 256), (256, 7)]


def of_denoiser(d: int) -> list[tuple[int, int]]:
    """Return the layers of KDSM."""
    return [(d, 128), *[(128, 128)] * 4, (128, d)]


PEERS: tuple[tuple[str, str, Peer], ...] = (
    ("autoencoder", "PyOD", pyod_autoencoder),
    ("deep_svdd", "PyOD", pyod_deep_svdd),
    ("deep_svdd", "DeepOD", deepod("DeepSVDD")),
    ("icl", "DeepOD", deepod_icl),
    ("slad", "DeepOD", deepod("SLAD")),
    ("goad", "DeepOD", deepod("GOAD")),
    ("neutral", "DeepOD", deepod("NeuTraL")),
    ("dte_c", "loop", loop("dte_c", Clock)),
    ("dte_c", "products", products(of_clock, 1)),
    ("kdsm", "loop", loop("kdsm", Denoiser)),
    ("kdsm", "products", products(of_denoiser, 3)),
)


def ours(spec: str) -> Peer:
    """Return a call that fits our detector and scores."""

    def fit(X: np.ndarray, epochs: int) -> None:
        params = f"epochs={epochs},batch_size={BATCH}"
        if spec == "icl":  # which otherwise stops after a number of steps
            params += ",steps=1000000"
        find_detector(f"{spec}:{params}").build(0).fit(X).decision_function(X)

    return fit


def seconds(fit: Peer, X: np.ndarray, epochs: int) -> float:
    """Return the processor seconds of one call."""
    started = time.process_time()
    fit(X, epochs)
    return time.process_time() - started


def compare(name: str, peer: str, theirs: Peer, args: argparse.Namespace) -> None:
    """Print one line per table."""
    for n, d in TABLES:
        X = np.random.default_rng(0).normal(size=(n, d))
        try:
            theirs(X, 1)
        except ImportError as error:
            print(f"{name:12} {peer:8} not installed: {error}")
            return
        ours(name)(X, 1)
        times = np.array(
            [
                [seconds(ours(name), X, args.epochs), seconds(theirs, X, args.epochs)]
                for _ in range(args.repeats)
            ]
        )
        mine, other = np.median(times, axis=0)
        ratio = np.median(times[:, 1] / times[:, 0])
        print(
            f"{name:12} {peer:8} {n:6} {d:4} {mine:9.3f} {other:9.3f} {ratio:7.1f}",
            flush=True,
        )


def main() -> None:
    """Read the arguments, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--detectors", default=",".join(dict(p[:2] for p in PEERS)))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(args.threads)
    known = {info.name for info in list_detectors()[0]}
    print("detector     peer       rows cols   ours, s  peer, s   ratio")
    for name, peer, theirs in PEERS:
        if name in known and name in args.detectors.split(","):
            compare(name, peer, theirs, args)


if __name__ == "__main__":
    main()
