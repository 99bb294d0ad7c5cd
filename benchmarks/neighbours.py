"""Time our exact neighbours against scikit-learn's or FAISS's, one thread each.

    python benchmarks/neighbours.py [--rows N] [--queries M]
    python benchmarks/neighbours.py --faiss [--rows N] [--queries M] [--repeats R]

Prints the seconds of both and their ratio; above 1, ours is faster. Both find the k
nearest of N training rows for M test rows; building the index is included, compiling
is not.

With ``--faiss``, the peer is the flat index of the package faiss-cpu, which searches
all rows in float32, and each figure is the median of R alternating calls. Ours answers
in float64; the last column is the share of its neighbours that FAISS finds as well.
Both libraries multiply matrices by an OpenBLAS of their own. The first line says for
which processors: if they differ, set ``OPENBLAS_CORETYPE`` to the newer name.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info, threadpool_limits

from odbench_detectors.shared.neighbours.graph import neighbour_graph

Table = tuple[str, np.ndarray, np.ndarray]


def tables(n: int, m: int) -> Iterator[Table]:
    """Yield smooth tables of several widths, a low-rank one and a tied one."""
    rng = np.random.default_rng(0)
    for d in (2, 5, 10, 15, 20, 50, 100):
        yield f"gaussian, d = {d}", rng.normal(size=(n, d)), rng.normal(size=(m, d))
    yield low_rank(rng, n, m, 50)
    grid = np.round(rng.normal(size=(n + m, 5)) * 2)
    yield "whole numbers, d = 5", grid[:n], grid[n:]
    copies = np.concatenate([np.zeros((n // 2, 8)), rng.normal(size=(n // 2, 8))])
    yield "half copies of one row, d = 8", copies, rng.normal(size=(m, 8))


def wide_tables(n: int, m: int) -> Iterator[Table]:
    """Yield tables of 50, 100 and 256 columns: independent, clustered, of low rank."""
    rng = np.random.default_rng(0)
    for d in (50, 100, 256):
        yield f"gaussian, d = {d}", rng.normal(size=(n, d)), rng.normal(size=(m, d))
        centres = 3.0 * rng.normal(size=(20, d))
        yield (
            f"20 clusters, d = {d}",
            centres[rng.integers(0, 20, n)] + rng.normal(size=(n, d)),
            centres[rng.integers(0, 20, m)] + rng.normal(size=(m, d)),
        )
        yield low_rank(rng, n, m, d)


def low_rank(rng: np.random.Generator, n: int, m: int, d: int) -> Table:
    """Return a table of d columns that vary in six directions."""
    basis = rng.normal(size=(6, d))
    return (
        f"rank 6 and noise, d = {d}",
        rng.normal(size=(n, 6)) @ basis + 0.01 * rng.normal(size=(n, d)),
        rng.normal(size=(m, 6)) @ basis + 0.01 * rng.normal(size=(m, d)),
    )


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def against_sklearn(n: int, m: int) -> None:
    """Print a line per table and k."""
    print(f"{'table':32}{'k':>4}{'ours s':>9}{'sklearn s':>11}{'ratio':>7}")
    for name, train, test in tables(n, m):
        for k in (5, 50):
            ours = seconds(lambda: neighbour_graph(train, test, k))  # noqa: B023 - called at once
            theirs = seconds(
                lambda: NearestNeighbors(n_neighbors=k).fit(train).kneighbors(test)  # noqa: B023 - called at once
            )
            print(f"{name:32}{k:4}{ours:9.3f}{theirs:11.3f}{theirs / ours:7.2f}")


def against_faiss(n: int, m: int, repeats: int) -> None:
    """Print a line per wide table and k."""
    import faiss

    faiss.omp_set_num_threads(1)

    def flat(train: np.ndarray, test: np.ndarray, k: int) -> np.ndarray:
        index = faiss.IndexFlatL2(train.shape[1])
        index.add(train.astype(np.float32))
        return index.search(test.astype(np.float32), k)[1]

    pools = [pool for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    used = {Path(pool["filepath"]).parent.name: pool["architecture"] for pool in pools}
    print("OpenBLAS: " + ", ".join(f"{key} {value}" for key, value in used.items()))
    print(
        f"{'table':28}{'k':>4}{'ours s':>9}{'faiss s':>9}{'ratio':>7}{'same rows':>11}"
    )
    for name, train, test in wide_tables(n, m):
        for k in (5, 20):
            rows, found = neighbour_graph(train, test, k).rows, flat(train, test, k)
            same = np.mean(np.sort(rows, axis=1) == np.sort(found, axis=1))
            ours, theirs = [], []
            for _ in range(repeats):
                ours.append(seconds(lambda: neighbour_graph(train, test, k)))  # noqa: B023 - called at once
                theirs.append(seconds(lambda: flat(train, test, k)))  # noqa: B023 - called at once
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"{name:28}{k:4}{a:9.3f}{b:9.3f}{b / a:7.2f}{same:11.4f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--queries", type=int, help="default: as many as rows")
    parser.add_argument("--faiss", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, m = options.rows, options.queries or options.rows
    warm = np.random.default_rng(1).normal(size=(2000, 40))
    neighbour_graph(warm, warm, 5)
    neighbour_graph(warm[:, :3].copy(), warm[:, :3].copy(), 5)
    with threadpool_limits(1):
        if options.faiss:
            against_faiss(n, m, options.repeats)
        else:
            against_sklearn(n, m)


if __name__ == "__main__":
    main()
