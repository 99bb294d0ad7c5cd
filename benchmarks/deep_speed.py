"""Time neural detectors against PyOD's and DeepOD's at equal epochs, fit and score.

    python benchmarks/deep_speed.py [--epochs N] [--repeats N] [--detectors a,b]

Each pair has the same layers where the peer allows it, the same batch size and the same
number of epochs; tables are normal, and the rows scored are those fitted, because the
peers' `fit` scores them. All run in one process, one after the other in each repeat, on
`--threads` threads; times are processor seconds, the median of the repeats after one
that warms up. DeepOD is not a dependency: `pip install deepod` in another folder and
name that folder in PYTHONPATH. `loop` stands for detectors that neither package has:
the same network in the loop of the authors' code, a DataLoader and `torch.optim.Adam`.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
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


def loop(name: str) -> Peer:
    """Return a call that trains our own network with a DataLoader and torch's Adam."""

    def fit(X: np.ndarray, epochs: int) -> None:
        detector = find_detector(f"{name}:epochs=0").build(0).inner
        detector.fit(X)
        rows = detector.scaled(X)
        adam = torch.optim.Adam(detector.network.parameters(), lr=1e-4)
        detector.network.train()
        for _ in range(epochs):
            for batch in DataLoader(rows, batch_size=BATCH, shuffle=True):
                adam.zero_grad()
                loss = detector.loss(batch)
                loss.backward()
                adam.step()
                loss.item()
        detector.network.eval()
        detector.decision_function(X)

    return fit


PEERS: tuple[tuple[str, str, Peer], ...] = (
    ("autoencoder", "PyOD", pyod_autoencoder),
    ("deep_svdd", "PyOD", pyod_deep_svdd),
    ("deep_svdd", "DeepOD", deepod("DeepSVDD")),
    ("icl", "DeepOD", deepod("ICL")),
    ("slad", "DeepOD", deepod("SLAD")),
    ("goad", "DeepOD", deepod("GOAD")),
    ("neutral", "DeepOD", deepod("NeuTraL")),
    ("dte_c", "loop", loop("dte_c")),
    ("kdsm", "loop", loop("kdsm")),
)


def ours(spec: str) -> Peer:
    """Return a call that fits our detector and scores."""

    def fit(X: np.ndarray, epochs: int) -> None:
        params = f"epochs={epochs},batch_size={BATCH}"
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
            print(f"{name:12} {peer:7} not installed: {error}")
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
            f"{name:12} {peer:7} {n:6} {d:4} {mine:9.3f} {other:9.3f} {ratio:7.1f}",
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
    print("detector     peer      rows cols   ours, s  peer, s   ratio")
    for name, peer, theirs in PEERS:
        if name in known and name in args.detectors.split(","):
            compare(name, peer, theirs, args)


if __name__ == "__main__":
    main()
