"""Time our isolation forest against scikit-learn's and PyOD's, fit and score.

    python benchmarks/forest.py [--repeats N]

Tables are normal, with as many rows to score as to fit; 100 trees of 256 rows, one
thread. Times are the fastest of the repeats after one warm-up run. PyOD's fit scores
the training rows too.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest as Theirs
from threadpoolctl import threadpool_limits

from odbench_detectors.iforest.detector import IForest as Ours

TABLES = ((500, 10), (10_000, 20), (100_000, 20), (2_000, 600))


def scikit_learn(train: np.ndarray, test: np.ndarray) -> tuple[Any, Callable[[], Any]]:
    """Return calls that fit and score with scikit-learn."""
    forest = Theirs(random_state=0)
    return lambda: forest.fit(train), lambda: forest.score_samples(test)


def pyod(train: np.ndarray, test: np.ndarray) -> tuple[Any, Callable[[], Any]]:
    """Return calls that fit and score with PyOD."""
    forest = Ours(random_state=0)
    return lambda: forest.fit(train), lambda: forest.decision_function(test)


def ours(train: np.ndarray, test: np.ndarray) -> tuple[Any, Callable[[], Any]]:
    """Return calls that fit and score with odbench."""
    forest = Ours(random_state=0)
    return lambda: forest.fit(train), lambda: forest.decision_function(test)


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """Return the wall seconds of the fastest of several calls."""
    call()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    """Print one line per table and program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(20260101)
    for rows, columns in TABLES:
        train, test = rng.normal(size=(2, rows, columns))
        for program in (ours, scikit_learn, pyod):
            with threadpool_limits(1):
                fit, score = program(train, test)
                fitting, scoring = seconds(fit, repeats), seconds(score, repeats)
            print(
                f"{rows:7,} x {columns:<4} {program.__name__:13}"
                f"fit {1e3 * fitting:9.2f} ms  score {1e3 * scoring:9.2f} ms"
            )


if __name__ == "__main__":
    main()
