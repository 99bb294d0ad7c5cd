"""Compare the false discovery rate of CATS with the requested rate.

    python benchmarks/cats_fdr.py --mirror DIR [--limit N] [--suites a,b]

Prints, per suite and requested rate, means over data sets: the share of inliers among
the flagged test rows (0 if none is flagged), the share of anomalies that are flagged,
and the share of sets with any flagged row. The bound is for the mean over draws of the
data, so a single set may exceed it; it holds only if test inliers are exchangeable with
train.
"""

from __future__ import annotations

import argparse

import numpy as np
from cats_sets import SUITES, development

from odbench.tables.conformal import benjamini_hochberg
from odbench_detectors.cats.detector import CATS

RATES = (0.01, 0.05, 0.1, 0.2)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror")
    parser.add_argument("--limit", type=int, default=20_000)
    parser.add_argument("--suites", default=",".join(SUITES))
    options = parser.parse_args()
    print("suite      sets  asked  realised  anomalies found  sets with any")
    for suite in options.suites.split(","):
        rows = {rate: [] for rate in RATES}
        for data in development(suite, options.mirror, options.limit):
            p = CATS().fit(data.train).p_values(data.test)
            for rate in RATES:
                flagged = benjamini_hochberg(p, rate)
                false = (flagged & (data.labels == 0)).sum() / max(flagged.sum(), 1)
                rows[rate].append(
                    (false, flagged[data.labels == 1].mean(), any(flagged))
                )
        for rate, found in rows.items():
            false, power, some = np.mean(found, axis=0)
            print(
                f"{suite:10s} {len(found):4d}  {rate:5.2f}  {false:8.3f}  "
                f"{power:15.3f}  {some:13.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
