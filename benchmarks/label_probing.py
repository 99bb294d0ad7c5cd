"""Count the submissions needed to learn 1 % of hidden labels.

    python benchmarks/label_probing.py

An attacker who gets evaluations, but has no labels, ranks a few rows above otherwise
equal scores and reads from the answer whether they contain anomalies. An exact answer
tells how many; a rounded answer, or one behind the Ladder, tells whether there is at
least one, once the other scores have been tuned so that a single anomaly crosses the
edge. Groups of unknown content are halved until every row is known. There are four
evaluators:

* exact scores of every data set: one group per data set and submission;
* the exact mean over 20 data sets: one group per submission;
* the mean rounded to 3 decimals: one group per submission, yes or no;
* the same behind the Ladder: a yes moves the edge up by the step, and the attacker
  needs scores that are better by as much to make up for it.

The model favours the attacker: tuning to the edge costs nothing and is exact, and the
attacker's own detector can be set to any mean AUROC between `WORST` and `BEST`. Prints
medians over repetitions, for the best size of group.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from odbench.scoring.metrics import auroc
from odbench.submissions.ladder import climbs
from odbench.submissions.rules import RULES

N_SETS, N_ROWS, SHARE = 20, 1000, 0.1
N_LABELS = N_SETS * N_ROWS
GOAL = N_LABELS // 100
WORST, BEST = 0.15, 0.85
N_ANOMALIES = round(N_ROWS * SHARE)
N_INLIERS = N_ROWS - N_ANOMALIES
PER_YEAR = RULES.per_submitter * 365.25 / RULES.window_days
# Above 9 rows, one anomaly among inliers no longer lifts the AUROC of a group.
SIZES = (1, 2, 3, 4, 6, 8)

# A fact learned: number of the submission, rows now known, anomalies among them.
Told = tuple[int, int, int]
Labels = np.ndarray
Ask = Callable[[np.ndarray], "bool | None"]


def lift(count: int, size: int) -> float:
    """Return the change in AUROC when `size` rows with `count` anomalies go on top."""
    return (count / N_ANOMALIES - (size - count) / N_INLIERS) / 2


def exact(labels: Labels, rows: np.ndarray, size: int) -> Iterator[Told]:
    """Halve groups when the answer tells their exact number of anomalies."""
    submission = 0
    for start in range(0, len(rows), size):
        submission += 1
        whole = rows[start : start + size]
        groups = [(whole, int(labels[whole].sum()))]
        while groups:
            group, count = groups.pop()
            if count in (0, len(group)):
                yield submission, len(group), count
                continue
            submission += 1
            half = len(group) // 2
            left = int(labels[group[:half]].sum())
            groups += [(group[half:], count - left), (group[:half], left)]


def yes_or_no(rows: np.ndarray, size: int, ask: Ask) -> Iterator[Told]:
    """Halve groups when the answer tells only whether they contain anomalies."""
    submission = 0
    for start in range(0, len(rows), size):
        groups = [(rows[start : start + size], False)]
        while groups:
            group, is_known = groups.pop()
            if not is_known:
                submission += 1
                answer = ask(group)
                if answer is None:
                    return
                if not answer:
                    yield submission, len(group), 0
                    continue
            if len(group) == 1:
                yield submission, 1, 1
                continue
            half = len(group) // 2
            submission += 1
            left = ask(group[:half])
            if left is None:
                return
            if left:
                groups += [(group[half:], False), (group[:half], True)]
            else:
                yield submission, half, 0
                groups.append((group[half:], True))


def rounded(labels: Labels) -> Ask:
    """Answer from the mean rounded to 3 decimals, with the rest tuned to an edge."""

    def ask(group: np.ndarray) -> bool:
        change = lift(int(labels[group].sum()), len(group)) / N_SETS
        return round(0.5005 - 1e-9 + change, RULES.decimals) > 0.5

    return ask


def laddered(labels: Labels) -> Ask:
    """Answer as the evaluator does: release a new value or keep the old one."""
    released = WORST

    def ask(group: np.ndarray) -> bool | None:
        nonlocal released
        base = released + RULES.step - 1e-9
        if base > BEST:
            return None
        value = base + lift(int(labels[group].sum()), len(group)) / N_SETS
        if not climbs(value, released, step=RULES.step):
            return False
        released = round(value, RULES.decimals)
        return True

    return ask


def play(evaluator: str, size: int, seed: np.random.SeedSequence) -> list[Told]:
    """Attack once; return the facts learned, in order of submissions."""
    rng = np.random.default_rng(seed)
    one = np.repeat([1, 0], [N_ANOMALIES, N_INLIERS])
    labels = rng.permuted(np.tile(one, (N_SETS, 1)), axis=1).ravel()
    rows = rng.permuted(np.arange(N_LABELS).reshape(N_SETS, -1), axis=1)
    if evaluator == "exact, every data set":
        told = [each for part in rows for each in exact(labels, part, size)]
    elif evaluator == "exact mean":
        told = list(exact(labels, rng.permutation(N_LABELS), size))
    else:
        ask = rounded(labels) if evaluator == "3 decimals" else laddered(labels)
        told = list(yes_or_no(rng.permutation(N_LABELS), size, ask))
    return sorted(told)


def needed(told: list[Told], what: int) -> float:
    """Return the submission after which 1 % is known, or infinity if it never is."""
    totals = np.cumsum([each[what] for each in told])
    place = int(np.searchsorted(totals, GOAL))
    return float(told[place][0]) if place < len(told) else np.inf


def check_lift(rng: np.random.Generator) -> None:
    """Check the formula against the metric in use."""
    labels = np.repeat([1, 0], [N_ANOMALIES, N_INLIERS]).astype(np.int8)
    group = rng.permutation(N_ROWS)[:7]
    scores = np.zeros(N_ROWS)
    scores[group] = 1.0
    expected = 0.5 + lift(int(labels[group].sum()), group.size)
    assert abs(auroc(labels, scores) - expected) < 1e-12


def line(evaluator: str, seeds: list[np.random.SeedSequence]) -> str:
    """Return one line of the printed table."""
    games = {size: [play(evaluator, size, s) for s in seeds] for size in SIZES}
    cells = []
    for what in (1, 2):
        medians = [np.median([needed(t, what) for t in games[n]]) for n in SIZES]
        best = float(min(medians))
        years = "never" if np.isinf(best) else f"{best / PER_YEAR:.1f}"
        cells += ["never" if np.isinf(best) else f"{best:.0f}", years]
    most = max(np.median([sum(t[2] for t in told) for told in games[n]]) for n in SIZES)
    return (
        f"{evaluator:<24}{cells[0]:>14}{cells[1]:>8}{cells[2]:>18}{cells[3]:>8}"
        f"{most:>12.0f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    check_lift(np.random.default_rng(arguments.seed))
    seeds = np.random.SeedSequence(arguments.seed).spawn(arguments.repeats)
    print(f"{N_LABELS} labels in {N_SETS} data sets, {SHARE:.0%} anomalies")
    print(f"1 % = {GOAL}; years at {PER_YEAR:.1f} evaluations per year and submitter")
    print(
        f"{'answer':<24}{'1 % of labels':>14}{'years':>8}{'1 % as anomalies':>18}"
        f"{'years':>8}{'most found':>12}"
    )
    for evaluator in ("exact, every data set", "exact mean", "3 decimals", "Ladder"):
        print(line(evaluator, seeds), flush=True)


if __name__ == "__main__":
    main()
