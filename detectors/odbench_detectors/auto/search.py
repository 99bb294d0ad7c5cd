"""Search a detector without labels: successive halving on made-up anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from odbench.arrays import FloatArray
from odbench.scoring.metrics import adjusted_average_precision, average_precision
from odbench_detectors.auto.anomalies import made
from odbench_detectors.auto.pool import CANDIDATES, INCUMBENT

# Rows of a fit in the first rung; each further rung doubles them.
FIRST_ROWS = 250
# Parts of train that a rung judges by, each with its own held-out rows.
RESAMPLES = 2
# Held-out rows, and made-up anomalies of each kind.
HELD_OUT = 150
# Fewer train rows do not allow a judgement.
_FEWEST = 60
# Mean lead in adjusted AP from which the incumbent is left; see docs/auto.md.
MARGIN = 0.1


@dataclass(frozen=True)
class Rung:
    """The measurements of one rung of the search.

    Attributes
    ----------
    rows : int
        Train rows of each fit.
    values : dict of str to dict of str to list of float
        Candidate -> kind of anomaly -> adjusted AP in each resample, higher is better.
    """

    rows: int
    values: dict[str, dict[str, list[float]]]

    def means(self) -> dict[str, float]:
        """Return each candidate's mean over kinds and resamples."""
        return {
            name: float(np.mean([np.mean(v) for v in kinds.values()]))
            for name, kinds in self.values.items()
        }

    def leads(self, name: str) -> list[float]:
        """Return the candidate's mean lead over the incumbent in each resample."""
        ours, theirs = self.values[name], self.values[INCUMBENT]
        gains = [np.subtract(ours[kind], theirs[kind]) for kind in ours]
        return [float(lead) for lead in np.mean(gains, axis=0)]


@dataclass(frozen=True)
class Search:
    """The course of a search and its outcome.

    Attributes
    ----------
    chosen : str
        One of `odbench_detectors.auto.pool.CANDIDATES`.
    reason : str
        In a sentence.
    rungs : tuple of Rung
    fitted_rows : int
        Rows of all fits together, at most the budget.
    """

    chosen: str
    reason: str
    rungs: tuple[Rung, ...] = field(default=())
    fitted_rows: int = 0


def search(X: FloatArray, budget: int, seed: int) -> Search:
    """Choose a detector for a table of inliers.

    Every candidate is fitted on a few rows and must tell held-out rows from made-up
    anomalies of several kinds. The better half goes on to twice the rows, together
    with the incumbent, until two are left, train is used up or the budget is. The
    incumbent is left only if another leads by `MARGIN` on average in every resample of
    the last rung.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Standardised.
    budget : int
        Rows of all fits together; a number of rows and not of seconds, so that the
        outcome does not depend on the machine.
    seed : int

    Returns
    -------
    Search
    """
    if len(X) < _FEWEST:
        return Search(INCUMBENT, f"{len(X)} train rows are too few to judge by")
    names, rungs, spent, rows = list(CANDIDATES), [], 0, FIRST_ROWS
    while len(names) > 1:
        fit = min(rows, len(X) - held_out(len(X)))
        cost = fit * len(names) * RESAMPLES
        if spent + cost > budget:
            break
        rungs.append(_rung(X, names, fit, seed))
        spent += cost
        if fit < rows:
            break
        names = _better_half(rungs[-1])
        rows *= 2
    if not rungs:
        return Search(INCUMBENT, f"a budget of {budget:,} rows allows no fit")
    chosen, reason = outcome(rungs[-1])
    return Search(chosen, reason, tuple(rungs), spent)


def held_out(n: int) -> int:
    """Return how many of n train rows are held out to judge by."""
    return min(HELD_OUT, n // 4)


def _rung(X: FloatArray, names: Sequence[str], rows: int, seed: int) -> Rung:
    values: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    for resample in range(RESAMPLES):
        rng = np.random.default_rng([seed, rows, resample])
        order = rng.permutation(len(X))
        held = X[order[: held_out(len(X))]]
        train = np.ascontiguousarray(X[order[len(held) :][:rows]])
        odd = made(train, len(held), rng)
        for name in names:
            for kind, value in _judged(name, train, held, odd).items():
                values[name].setdefault(kind, []).append(value)
    return Rung(rows, values)


def _judged(
    name: str, train: FloatArray, held: FloatArray, odd: dict[str, FloatArray]
) -> dict[str, float]:
    """Return a candidate's adjusted AP for each kind of made-up anomaly."""
    detector = CANDIDATES[name]()
    detector.fit(train)
    scores = detector.decision_function(np.concatenate([held, *odd.values()]))
    normal, rest = scores[: len(held)], scores[len(held) :].reshape(len(odd), -1)
    return {kind: _told_apart(normal, s) for kind, s in zip(odd, rest, strict=True)}


def _told_apart(normal: FloatArray, odd: FloatArray) -> float:
    """Return the adjusted AP of a score that should be higher for odd rows."""
    labels = np.repeat([0, 1], [len(normal), len(odd)])
    scores = np.nan_to_num(np.concatenate([normal, odd]))
    base = len(odd) / len(labels)
    return float(adjusted_average_precision(average_precision(labels, scores), base))


def _better_half(rung: Rung) -> list[str]:
    """Return the better half of the candidates, and the incumbent in any case."""
    means = rung.means()
    others = sorted((n for n in means if n != INCUMBENT), key=lambda n: -means[n])
    return [INCUMBENT, *others[: len(others) // 2]]


def outcome(rung: Rung) -> tuple[str, str]:
    """Return the choice after the last rung, and its reason in a sentence."""
    means = rung.means()
    best = max(means, key=lambda name: (means[name], name == INCUMBENT))
    if best == INCUMBENT:
        return best, f"none of {len(means) - 1} others is better on made-up anomalies"
    leads = rung.leads(best)
    told = f"{best} leads {INCUMBENT} by {np.mean(leads):.2f} on made-up anomalies"
    if min(leads) >= MARGIN:
        return best, f"{told}, and by {MARGIN} or more in each resample"
    return INCUMBENT, f"{told}, which is less than {MARGIN} in one resample at least"
