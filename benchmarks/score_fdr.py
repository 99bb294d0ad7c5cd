"""Compare the realised false discovery rate of `odbench score` with the asked one.

    python benchmarks/score_fdr.py --mirror DIR [--suites a,b] [--limit N]
                                   [--detectors a,b] [--parts 1,5]

Train rows are the reference, test rows the table, labels only judge. Prints, per suite,
detector and number of parts, means over data sets: for each asked rate the share of
inliers among flagged rows (0 if none is flagged), the share of anomalies flagged and
the share of sets with any flag; and for inliers of the test rows alone, the share with
p <= 0.01, 0.05 and 0.1, which is at most that rate where they are as the train rows.
One part is split conformal; several are cross-conformal.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from odbench.data.catalog import load_dataset, select
from odbench.data.dataset import Dataset
from odbench.plugins.find import find_detector
from odbench.tables.conformal import Conformal, benjamini_hochberg, every_kth
from odbench.tables.learner import Learner

RATES = (0.05, 0.1, 0.2)
LEVELS = (0.01, 0.05, 0.1)


def sets(suite: str, mirror: str, limit: int, rows: int) -> Iterator[Dataset]:
    """Yield labelled data sets of a suite, at most so many and so long."""
    records = [r for r in select(suite, mirror=mirror) if r.n_train + r.n_test <= rows]
    for record in records[:: max(1, len(records) // limit)][:limit]:
        yield load_dataset(record.id, mirror=mirror)


def measured(data: Dataset, detector: str, parts: int, shuffle: bool) -> list[float]:
    """Return the figures of one data set."""
    train, test, y = data.X_train, data.X_test, data.y_test
    if shuffle:
        # Inliers of both halves, drawn anew: exchangeable by construction.
        inliers = np.concatenate([train, test[y == 0]])
        inliers = np.random.default_rng(0).permutation(inliers)
        test = np.concatenate([inliers[len(train) :], test[y == 1]])
        y = np.repeat([0, 1], [len(inliers) - len(train), int((y == 1).sum())])
        train = inliers[: len(train)]
    learner = Learner.of(find_detector(detector), train)
    held = every_kth(len(train), parts) if parts > 1 else every_kth(len(train), 2)[:1]
    conformal = Conformal.of(learner.rows, learner.fit, held)
    p = conformal.p_values(learner.scale.apply(test))
    figures = []
    for rate in RATES:
        flagged = benjamini_hochberg(p, rate)
        false = (flagged & (y == 0)).sum() / max(flagged.sum(), 1)
        found = flagged[y == 1].mean() if (y == 1).any() else 0.0
        figures += [false, found, float(flagged.any())]
    return figures + [float((p[y == 0] <= level).mean()) for level in LEVELS]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--suites", default="oddbench,ovrbench,adbench")
    parser.add_argument("--detectors", default="cats,knn,ecod,iforest")
    parser.add_argument("--parts", default="1,5")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--as-given", action="store_true", help="do not redraw halves")
    options = parser.parse_args()
    print(
        "suite detector parts sets | per rate: realised found any | inliers p <= level"
    )
    for suite in options.suites.split(","):
        chosen = list(sets(suite, options.mirror, options.limit, options.rows))
        for detector in options.detectors.split(","):
            for parts in map(int, options.parts.split(",")):
                rows = [
                    measured(data, detector, parts, not options.as_given)
                    for data in chosen
                ]
                means = np.mean(rows, axis=0)
                per = np.reshape(means[: 3 * len(RATES)], (-1, 3))
                shown = "  ".join(
                    f"{rate:.2f}: {a:.3f} {b:.3f} {c:.2f}"
                    for rate, (a, b, c) in zip(RATES, per, strict=True)
                )
                tail = " ".join(f"{v:.4f}" for v in means[3 * len(RATES) :])
                line = (
                    f"{suite:9}{detector:8}{parts:2d}{len(rows):4d} | {shown} | {tail}"
                )
                print(line, flush=True)


if __name__ == "__main__":
    main()
