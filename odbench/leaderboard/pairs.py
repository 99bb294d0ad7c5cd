"""Compare two configurations: differences, intervals, tests, ties, slices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.slices import restrict, slices_of
from odbench.leaderboard.tables import DEFAULT, GROUP, Settings, families_of
from odbench.leaderboard.terminal import shortened
from odbench.results import RESULTS, select_present
from odbench.results.pending import is_pending, pending_words
from odbench.scoring.cells import Cells, Method, split_results
from odbench.scoring.paired import Pair, compare_pair, tie_band, variance_of
from odbench.scoring.policy import Quality, apply_policy
from odbench.scoring.significance import PERMUTATIONS, holm

if TYPE_CHECKING:
    import pandas as pd

# Slice and level of the rows over all data sets.
WHOLE = ("all", "all data sets")
# A detector, and its parameters in brackets or behind a colon.
_NAMED = re.compile(r"([^:\[]+)(?:\[(.*)\]|:(.*))?", re.DOTALL)
# Names in a message, and the letters of each.
_MOST_NAMED, _LONGEST_NAMED = 10, 60
COLUMNS = (
    *GROUP, "slice", "level", "metric", "a", "b", *Pair._fields, "verdict", "p_holm",
)  # fmt: skip


def compare_methods(
    results: pd.DataFrame, a: str, b: str, *, settings: Settings = DEFAULT
) -> pd.DataFrame:
    """Compare two configurations on the data sets on which both were tried.

    Failures count as in the main table. Differences are a minus b.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per trial, the columns of `odbench.results`.
    a, b : str
        Detectors, with parameters as for ``--detectors``: ``knn``, ``knn:k=20``.
    settings : Settings
        Clusters, seed and number of sign flips (the usual number if it is 0).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: for every suite, partition and protocol that has both, and every
        ranked metric, one row over all data sets and one per slice of at least two
        (`odbench.scoring.paired.Pair` has the meanings). ``p_holm`` is corrected for
        the number of slices of the metric. Private partitions have no rows.

    Raises
    ------
    UsageError
        If a or b is not in the results, or they were never tried on the same data set.
    """
    import pandas as pd

    results, _ = select_present(results)
    rows, known = [], set()
    for cells in split_results(results):
        if cells.partition != "private":
            known |= {method.label for method in cells.methods}
        chosen = [find_method(cells.methods, text) for text in (a, b)]
        if None in chosen or cells.partition == "private":
            continue
        rows += list(
            _of_group(cells, [int(c) for c in chosen if c is not None], settings)
        )
    if not rows:
        there = f"the public results hold {listed(known) or 'nothing'}"
        msg = (
            f"compare {a!r} with {b!r}: on no public data set were both tried; {there}"
        )
        raise UsageError(msg)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def listed(names: Collection[str]) -> str:
    """Return the first names in alphabetical order, and how many others there are."""
    first = [shortened(name, _LONGEST_NAMED) for name in sorted(names)[:_MOST_NAMED]]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def find_method(methods: Sequence[Method], text: str) -> int | None:
    """Find the configuration that a text names.

    Parameters
    ----------
    methods : sequence of Method
        The configurations of a table.
    text : str
        ``knn``, ``knn:k=20,method=mean``, ``knn[k=20]`` or ``egmm:components=(1,2)``;
        parameters in any order. A name without parameters is the default configuration,
        or the only one.

    Returns
    -------
    int or None
        Its position; None if it is not there.
    """
    named = _NAMED.fullmatch(text.strip())
    if named is None:
        return None
    wanted = _parameters(named[2] or named[3] or "")
    same = [i for i, method in enumerate(methods) if method.detector == named[1]]
    for i in same:
        config = "" if methods[i].config == "default" else methods[i].config
        if _parameters(config) == wanted:
            return i
    return same[0] if len(same) == 1 and not wanted else None


def _parameters(config: str) -> list[str]:
    """Return the parameters of a configuration, sorted; a list may be a tuple."""
    text = config.replace("(", "[").replace(")", "]").replace(" ", "").rstrip(",")
    # Commas between brackets are those of a list.
    return sorted(re.findall(r"(?:\[[^\]]*\]|[^,\[])+", text))


def runs_below(path: Path) -> list[Path]:
    """Find the results behind a path.

    Parameters
    ----------
    path : Path
        A results file, the folder of a run, a folder of runs, or a leaderboard's folder
        with its runs in ``runs/``.

    Returns
    -------
    list of Path
        Results files or folders of runs, sorted.

    Raises
    ------
    ResultsError
        If there are none.
    """
    if path.suffix == ".parquet" or (path / RESULTS).is_file():
        return [path]
    for folder in (path, path / "runs"):
        runs = sorted(file.parent for file in folder.glob(f"*/{RESULTS}"))
        if runs:
            return runs
    if is_pending(path):
        raise ResultsError(pending_words(path))
    msg = (
        f"compare {str(path)!r}: has no {RESULTS}; name a run, a folder of runs or a "
        "leaderboard's folder that has them in runs/"
    )
    raise ResultsError(msg)


def _of_group(
    cells: Cells, chosen: list[int], settings: Settings
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one suite, partition and protocol."""
    both = (cells.trials[:, chosen] > 0).all(axis=1)
    if not both.any():
        return
    every = apply_policy(cells, "main")
    parts = [(*WHOLE, np.asarray(both))]
    parts += [(p.slice, p.level, np.asarray(p.rows & both)) for p in slices_of(every)]
    labels = [cells.methods[i].label for i in chosen]
    for metric in every.values:
        rows = []
        for name, level, members in parts:
            if members.sum() < 2 and name != WHOLE[0]:
                continue
            pair = _compared(restrict(every, members), chosen, metric, settings)
            group = {key: getattr(cells, key) for key in GROUP}
            about = {"slice": name, "level": level, "metric": metric}
            named = {"a": labels[0], "b": labels[1]}
            rows.append(
                {**group, **about, **named, **pair._asdict(), "verdict": pair.verdict}
            )
        corrected = holm(np.array([row["p"] for row in rows[1:]]))
        for row, p in zip(rows, [rows[0]["p"], *corrected], strict=True):
            yield {**row, "p_holm": float(p)}


def _observations(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return how many anomalies and inliers are distinct, or all where that is unknown.

    Copies of a row have its score, so that they are one observation.
    """
    facts = cells.facts

    def known(name: str, otherwise: str) -> FloatArray:
        rows = facts[otherwise].to_numpy(dtype=np.float64)
        found = facts[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(found), rows, np.minimum(found, rows))

    anomalies = known("n_distinct_anomalies", "n_anomalies")
    inliers = known("n_distinct_test", "n_test") - anomalies
    return np.maximum(anomalies, 1.0), np.maximum(inliers, 1.0)


def _compared(
    quality: Quality, chosen: list[int], metric: str, settings: Settings
) -> Pair:
    cells = quality.cells
    values = quality.values[metric][:, chosen]
    anomalies, inliers = _observations(cells)
    seeds = _between_seeds(cells, metric)[:, chosen]
    variance = variance_of(metric, values, seeds, anomalies, inliers)
    return compare_pair(
        values,
        tie_band(variance),
        families_of(cells, settings),
        rng=np.random.default_rng(settings.seed),
        permutations=settings.permutations or PERMUTATIONS,
    )


def _between_seeds(cells: Cells, metric: str) -> FloatArray:
    """Return the variance of the mean over seeds; 0 with one successful trial."""
    n = np.maximum(cells.succeeded, 1).astype(np.float64)
    mean = cells.sums[metric] / n
    spread = np.maximum(cells.squares[metric] / n - mean**2, 0.0)
    variance: FloatArray = np.where(n > 1.0, spread / np.maximum(n - 1.0, 1.0), 0.0)
    return variance
