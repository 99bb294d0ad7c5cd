"""Time our exact neighbours against scikit-learn's, one thread each, compiled.

    python benchmarks/neighbours.py [--rows N]

Prints the seconds of both and their ratio; above 1, ours is faster. Both find the k
nearest of N training rows for N test rows; building the index is included.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from odbench_detectors.shared.neighbours.graph import neighbour_graph

Table = tuple[str, np.ndarray, np.ndarray]


def tables(n: int) -> Iterator[Table]:
    """Yield smooth tables of several widths, a low-rank one and a tied one."""
    rng = np.random.default_rng(0)
    for d in (2, 5, 10, 15, 20, 50, 100):
        yield f"gaussian, d = {d}", rng.normal(size=(n, d)), rng.normal(size=(n, d))
    basis = rng.normal(size=(6, 50))
    yield (
        "rank 6 and noise, d = 50",
        rng.normal(size=(n, 6)) @ basis + 0.01 * rng.normal(size=(n, 50)),
        rng.normal(size=(n, 6)) @ basis + 0.01 * rng.normal(size=(n, 50)),
    )
    grid = np.round(rng.normal(size=(2 * n, 5)) * 2)
    yield "whole numbers, d = 5", grid[:n], grid[n:]
    copies = np.concatenate([np.zeros((n // 2, 8)), rng.normal(size=(n // 2, 8))])
    yield "half copies of one row, d = 8", copies, rng.normal(size=(n, 8))


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    n = parser.parse_args().rows
    warm = np.random.default_rng(1).normal(size=(2000, 40))
    neighbour_graph(warm, warm, 5)
    neighbour_graph(warm[:, :3].copy(), warm[:, :3].copy(), 5)
    print(f"{'table':32}{'k':>4}{'ours s':>9}{'sklearn s':>11}{'ratio':>7}")
    with threadpool_limits(1):
        for name, train, test in tables(n):
            for k in (5, 50):
                ours = seconds(lambda: neighbour_graph(train, test, k))  # noqa: B023 - called at once
                theirs = seconds(
                    lambda: NearestNeighbors(n_neighbors=k).fit(train).kneighbors(test)  # noqa: B023 - called at once
                )
                print(f"{name:32}{k:4}{ours:9.3f}{theirs:11.3f}{theirs / ours:7.2f}")


if __name__ == "__main__":
    main()
