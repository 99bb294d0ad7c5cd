"""Judge `odbench recommend` by leaving families out.

    python benchmarks/recommend_regret.py [--setting unsupervised] [--evidence FILE]

For each data set, its family is left out, the recommendation is made from the others,
and its regret is the best configuration's result on that set less the chosen one's.
Printed: mean regret over families for several numbers of nearest families, and of fixed
configurations; and how far the expected seconds are from the measured.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from odbench.tables.recommend_cost import expected_costs
from odbench.tables.recommend_evidence import (
    SETTINGS,
    Evidence,
    distances,
    read_evidence,
)
from odbench.tables.recommend_similar import NEAREST, interval, nearest

NUMBERS = (25, 50, 100, NEAREST, 400)
# Every so many data sets are used for the costs.
_EVERY = 5


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setting", choices=SETTINGS, default=SETTINGS[0])
    parser.add_argument("--evidence", type=Path, help="Another file than the shipped.")
    asked = parser.parse_args()
    evidence, note = read_evidence(asked.setting, asked.evidence)
    if note:
        parser.error(note)
    n_families = len(np.unique(evidence.families))
    print(f"{len(evidence.families)} data sets, {n_families} families, {asked.setting}")
    print(f"\n{'mean regret over families (95 %)':34}{'AUROC':>20}{'adjusted AP':>20}")
    for k in NUMBERS:
        for measure in ("auroc", "ap"):
            chosen = choices(evidence, k, measure)
            told(f"nearest {k}, highest {measure}", evidence, chosen)
            counted = Counter(evidence.names[i] for i in chosen).most_common(4)
            print("   picks " + ", ".join(f"{name} {n}" for name, n in counted))
    print("\nfixed configurations")
    order = np.argsort(-evidence.auroc.mean(axis=0))
    for j in order[:5]:
        told(f"always {evidence.names[j]}", evidence, np.full(len(evidence.ap), j))
    limited(evidence, int(order[0]))
    coverage(evidence)
    costs(evidence)


def limited(evidence: Evidence, best: int) -> None:
    """Print the regret of choices where limits exclude the best configuration."""
    print(f"\n{evidence.names[best]} excluded; regret to the best of the others")
    others = replace(
        evidence,
        names=tuple(np.delete(evidence.names, best)),
        auroc=np.delete(evidence.auroc, best, axis=1),
        ap=np.delete(evidence.ap, best, axis=1),
    )
    told(f"nearest {NEAREST}, highest auroc", others, choices(others, NEAREST, "auroc"))
    second = int(others.auroc.mean(axis=0).argmax())
    told(f"always {others.names[second]}", others, np.full(len(others.ap), second))


def choices(evidence: Evidence, k: int, measure: str) -> np.ndarray:
    """Return the recommended configuration for each data set, its family left out."""
    values = getattr(evidence, measure)
    chosen = []
    for i in range(len(values)):
        similar = nearest(evidence, left_out(evidence, i), k)
        chosen.append(int(similar.means(values).mean(axis=0).argmax()))
    return np.array(chosen)


def left_out(evidence: Evidence, i: int) -> np.ndarray:
    """Return the distances from data set i, infinite for its own family."""
    own = evidence.families == evidence.families[i]
    facts = {name: values[i] for name, values in evidence.facts.items()}
    return np.where(own, np.inf, distances(evidence, facts, ~own))


def told(name: str, evidence: Evidence, chosen: np.ndarray) -> None:
    """Print the regret of choices."""
    cells = [
        regret(evidence, values, chosen) for values in (evidence.auroc, evidence.ap)
    ]
    print(f"{name:34}{cells[0]:>20}{cells[1]:>20}")


def regret(evidence: Evidence, values: np.ndarray, chosen: np.ndarray) -> str:
    """Return the mean regret over families, with its interval."""
    lost = values.max(axis=1) - values[np.arange(len(values)), chosen]
    mean, low, high = interval(per_family(evidence, lost)[:, None])
    return f"{mean[0]:.3f} ({low[0]:.3f}-{high[0]:.3f})"


def per_family(evidence: Evidence, values: np.ndarray) -> np.ndarray:
    """Return the mean per family."""
    return np.bincount(evidence.families, values) / np.bincount(evidence.families)


def coverage(evidence: Evidence) -> None:
    """Print how far the expected AUROC is from a single data set's."""
    errors, fixed = [], []
    for i in range(len(evidence.auroc)):
        similar = nearest(evidence, left_out(evidence, i))
        errors.append(similar.means(evidence.auroc).mean(axis=0) - evidence.auroc[i])
        others = evidence.families != evidence.families[i]
        fixed.append(evidence.auroc[others].mean(axis=0) - evidence.auroc[i])
    near, all_sets = (np.abs(np.array(e)).mean() for e in (errors, fixed))
    print(
        f"\nmean error of the expected AUROC on one set: {near:.3f} from similar sets,"
    )
    print(f"{all_sets:.3f} from the mean of all sets")


def costs(evidence: Evidence) -> None:
    """Print by which factor the expected seconds differ from the measured."""
    ratios = []
    for i in range(0, len(evidence.auroc), _EVERY):
        kept = evidence.families != evidence.families[i]
        columns = evidence.facts["columns"][i]
        seconds, _ = expected_costs(evidence, evidence.total_rows[i], columns, kept)
        ratios.append(seconds / np.maximum(evidence.seconds[i], 1e-4))
    off = np.exp(np.abs(np.log(np.array(ratios))))
    half, most = np.quantile(off, [0.5, 0.9])
    print(f"\nexpected seconds differ from the measured by a factor of {half:.2f}")
    print(f"(median) and of {most:.2f} (90 % of trials)")


if __name__ == "__main__":
    main()
