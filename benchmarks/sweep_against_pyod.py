"""Time a whole sweep against a plain loop over PyOD, on the same cores.

    python benchmarks/sweep_against_pyod.py --mirror DIR [--limit N] [--repeats 3]
    python benchmarks/sweep_against_pyod.py --mirror DIR [--limit N] --grids

Both read the public OddBench sets of a mirror, standardise, fit, score the test rows
and compute AUROC and AP for ecod, copod, hbos, iforest (one seed), pca, knn and lof in
their reference configurations. Times are of whole commands, including imports and
start-up. odbench reads its Arrow store (filled beforehand: pulling is not timed), the
loop reads the npz files. Sets of over 100,000 rows are left out, so that both use the
same rows. The two alternate, each --repeats times; the seconds of each and the ratio of
the medians are printed.

With --grids: the grids of knn, lof and dte_np (23 configurations) against the most
expensive of them alone, and against the loop with PyOD's KNN and LOF at the same
parameters (PyOD has no DTE-NP, so KNN stands in for it).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REFERENCE = ("ecod", "copod", "hbos", "iforest", "pca", "knn", "lof")
SHARING = ("knn", "lof", "dte_np")
DEAREST = "lof:k=100"


def pyod_models(*, grids: bool) -> list[tuple[str, dict[str, object]]]:
    """Return module and parameters of the loop's detectors."""
    if not grids:
        return [(name, {}) for name in REFERENCE]
    knn = [
        ("knn", {"n_neighbors": k, "method": method})
        for k in (1, 5, 10, 20, 50)
        for method in ("largest", "mean")
    ]
    lof = [("lof", {"n_neighbors": k}) for k in (5, 10, 20, 50, 100)]
    dte = [
        ("knn", {"n_neighbors": k, "method": "mean"})
        for k in (1, 5, 10, 20, 1, 5, 10, 20)
    ]
    return knn + lof + dte


def one(path: str, *, grids: bool) -> int:
    """Do the work of odbench on one data set, with PyOD and scikit-learn."""
    import importlib

    from sklearn.metrics import average_precision_score, roc_auc_score
    from sklearn.preprocessing import StandardScaler

    with np.load(path, allow_pickle=False) as archive:
        train, test = archive["train"], archive["test"]
        labels = archive["test_labels"]
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    names = {"ecod": "ECOD", "copod": "COPOD", "hbos": "HBOS", "iforest": "IForest"}
    done = 0
    for name, parameters in pyod_models(grids=grids):
        module = importlib.import_module(f"pyod.models.{name}")
        detector = getattr(module, names.get(name, name.upper()))(**parameters)
        try:
            scores = detector.fit(train).decision_function(test)
            roc_auc_score(labels, scores)
            average_precision_score(labels, scores)
            done += 1
        except ValueError as error:
            print(f"PyOD {name} on {Path(path).stem}: {error}", file=sys.stderr)
    return done


def loop(paths: list[str], *, grids: bool) -> None:
    """Run the plain loop over data sets with joblib."""
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(one)(path, grids=grids) for path in paths)


def timed(arguments: list[str], root: Path) -> float:
    """Return the wall seconds of a whole command."""
    environment = {
        **os.environ,
        "ODBENCH_CACHE": str(root / "cache"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    started = time.perf_counter()
    done = subprocess.run(
        arguments, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode not in {0, 3}:
        sys.exit(f"{arguments[:5]} ended with {done.returncode}")
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--limit", type=int, help="maximum number of data sets")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--grids", action="store_true")
    parser.add_argument("--loop", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop:
        loop(asked.loop, grids=asked.grids)
        return
    from odbench.data.catalog import list_source, load_suites, open_source

    suite = load_suites()["oddbench"]
    source = open_source(suite, mirror=asked.mirror)
    records = [
        record
        for record in list_source(suite, source).records
        if 0 < record.n_train + record.n_test <= 100_000
    ][: asked.limit]
    folder = Path(asked.mirror) / "MacrOData-CMU/OddBench"
    paths = [str(folder / record.path) for record in records]
    names = ",".join(record.name for record in records)
    print(f"{len(records)} data sets, two workers, whole commands")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        base = [
            sys.executable,
            "-m",
            "odbench",
            "run",
            "--suite",
            "oddbench",
            "--quiet",
        ]
        base += ["--mirror", asked.mirror, "--jobs", "2", "--seeds", "1"]
        base += ["--datasets", names]
        fill = [*base, "--detectors", "hbos", "--out", str(root / "fill")]
        timed(fill, root)
        script = [sys.executable, __file__, "--mirror", asked.mirror]
        script += ["--grids"] * asked.grids + ["--loop", *paths]
        if asked.grids:
            ours = [*base, "--grid", "--detectors", ",".join(SHARING)]
            grids = timed([*ours, "--out", str(root / "grids")], root)
            dear = [*base, "--detectors", DEAREST, "--out", str(root / "dear")]
            dearest = timed(dear, root)
            print(f"odbench, knn + lof + dte_np grids: {grids:7.1f} s")
            print(
                f"odbench, {DEAREST} alone: {dearest:7.1f} s ({grids / dearest:.2f}x)"
            )
            plain = timed(script, root)
            print(f"plain loop over PyOD: {plain:7.1f} s ({plain / grids:.1f}x)")
            return
        ours = [*base, "--detectors", ",".join(REFERENCE)]
        own, theirs = [], []
        for number in range(asked.repeats):
            own.append(timed([*ours, "--out", str(root / f"ours-{number}")], root))
            theirs.append(timed(script, root))
        print(f"odbench, {len(REFERENCE)} detectors: {_listed(own)}")
        print(f"plain loop over PyOD: {_listed(theirs)}")
        ratio = statistics.median(theirs) / statistics.median(own)
        print(f"ratio of medians: {ratio:.1f}")


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in seconds) + " s"


if __name__ == "__main__":
    main()
