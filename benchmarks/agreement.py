"""Compare the rankings of odbench's detectors with PyOD's on every file of a mirror.

    python benchmarks/agreement.py MIRROR [--rows N] [--detectors knn,lof,pca]

Columns are scaled by the mean and standard deviation of train. For each detector,
prints the number of files on which AUROC agrees within 0.002, and the largest
difference.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from odbench.plugins.find import find_detector
from odbench.scoring.metrics import auroc

THEIRS = {"knn": "KNN", "lof": "LOF", "pca": "PCA"}
TOLERANCE = 0.002


def tables(mirror: Path, rows: int) -> Iterator[tuple[str, np.ndarray, ...]]:
    """Yield name, scaled train and test, and labels of files below the row limit."""
    for path in sorted(mirror.glob("MacrOData-CMU/*/public/*.npz")):
        with np.load(path) as file:
            labels = (file["test_labels"] != 0).astype(np.int8)
            train, test = file["train"].astype(float), file["test"].astype(float)
        if len(train) + len(test) < rows:
            centre, spread = train.mean(axis=0), train.std(axis=0)
            spread[spread == 0] = 1.0
            yield path.stem, (train - centre) / spread, (test - centre) / spread, labels


def main() -> None:
    """Print one line per detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--detectors", default=",".join(THEIRS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.detectors.split(","):
        gaps = {}
        for file, train, test, labels in tables(options.mirror, options.rows):
            found = []
            for spec in (name, f"pyod.{THEIRS[name]}"):
                detector = find_detector(spec).build(0)
                detector.fit(train)
                # PyOD's PCA is infinite where columns depend on each other.
                scores = np.nan_to_num(detector.decision_function(test))
                found.append(auroc(labels, scores))
            gaps[file] = abs(found[0] - found[1])
        agree = sum(gap <= TOLERANCE for gap in gaps.values())
        worst = max(gaps, key=lambda file: gaps[file])
        print(f"{name:8} {agree} of {len(gaps)}; {gaps[worst]:.6f} on {worst}")


if __name__ == "__main__":
    main()
