"""Test a detector on small tables, and report each fault and its cure in one line.

The probes look for common faults: a flipped sign, scores that depend on the batch,
modified input, NaN on a constant column.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from odbench.errors import DetectorError
from odbench.plugins.check import inputs
from odbench.plugins.check.bench import SEED, Bench, DoubtError, FaultError, difference
from odbench.plugins.check.explained import EXPLAINS, can_explain, explained
from odbench.plugins.check.tables import planted
from odbench.plugins.configuration import Configuration
from odbench.plugins.contained import prints_to_stderr
from odbench.plugins.entry_points import one_line
from odbench.text import counted

# Differences up to this size are reported as rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Finding:
    """The result of one probe.

    Attributes
    ----------
    probe : str
        Name of the probe.
    verdict : {"ok", "warn", "fail"}
        A warning is worth knowing; a failure violates the contract.
    message : str
        The observation and, unless it is "ok", the cure.
    """

    probe: str
    verdict: str
    message: str


def check_detector(configuration: Configuration) -> Iterator[Finding]:
    """Run every probe on a detector.

    Parameters
    ----------
    configuration : Configuration
        The detector, as `odbench.plugins.find.find_detector` returns it.

    Yields
    ------
    Finding
        One per probe, in a fixed order. An exception is a failure of that probe. If
        the detector does not score the first table, only that: the other probes
        compare with these scores.
    """
    bench = Bench(configuration, planted())
    for name, probe in _PROBES.items():
        finding = _try(name, probe, bench)
        if probe is _shape and finding.verdict == "fail":
            more = f"the {len(_PROBES) - 1} probes that need these scores were not run"
            yield replace(finding, message=f"{finding.message}; {more}")
            return
        yield finding


def _try(name: str, probe: Callable[[Bench], str], bench: Bench) -> Finding:
    try:
        with warnings.catch_warnings(), prints_to_stderr():
            warnings.simplefilter("ignore")
            return Finding(name, "ok", probe(bench))
    except DoubtError as doubt:
        return Finding(name, "warn", str(doubt))
    except FaultError as fault:
        return Finding(name, "fail", str(fault))
    except (Exception, SystemExit) as error:
        what = f"raised {type(error).__name__}: {one_line(error)}"
        return Finding(name, "fail", f"{what}; it must give finite scores here")


def _shape(bench: Bench) -> str:
    bench.finite(bench.table.train, bench.table.test, "planted outliers")
    return "one finite float per row"


def _varied(bench: Bench) -> str:
    count = len(np.unique(bench.expected()))
    if count == 1:
        msg = "all rows get the same score; nothing can be ranked"
        raise FaultError(msg)
    return f"{count} different scores for {len(bench.expected())} rows"


def _orientation(bench: Bench) -> str:
    rate = bench.table.detection_rate(bench.expected())
    if rate < 0.2:
        msg = (
            f"planted outliers score lowest (AUROC {rate:.3f}); return the negative: "
            "higher must be more anomalous"
        )
        raise FaultError(msg)
    if rate < 0.9:
        msg = (
            f"planted outliers reach AUROC {rate:.3f} only; rows 15 standard "
            "deviations off should stand out"
        )
        raise DoubtError(msg)
    return f"planted outliers score highest (AUROC {rate:.3f})"


def _seeded(bench: Bench) -> str:
    again = bench.score(bench.table.train, bench.table.test)
    if not np.array_equal(bench.expected(), again):
        what = difference(bench.expected(), again)
        msg = (
            f"two fits with one seed differ ({what}); take a random_state parameter "
            "and draw from it alone"
        )
        raise FaultError(msg)
    if bench.configuration.info.deterministic:
        return "two fits agree to the last bit"
    return "two fits with one random_state agree to the last bit"


def _batch(bench: Bench) -> str:
    detector = bench.configuration.build(SEED)
    detector.fit(bench.table.train)
    whole = detector.decision_function(bench.table.test)
    rows = bench.table.test
    alone = np.concatenate(
        [detector.decision_function(rows[i : i + 1]) for i in range(20)]
    )
    if np.array_equal(whole[:20], alone):
        return "a row alone scores as in a batch, to the last bit"
    gap = difference(whole[:20], alone)
    if np.allclose(whole[:20], alone, rtol=_ROUNDING, atol=0):
        return f"a row alone scores as in a batch, up to rounding ({gap})"
    if not bench.configuration.info.inductive:
        return f"transductive, as declared ({gap})"
    msg = (
        f"transductive: a row's score depends on the rows scored with it ({gap}); "
        "it is ranked in the transductive setting only. Use the training rows, or "
        "declare inductive=False"
    )
    raise DoubtError(msg)


def _input_kept(bench: Bench) -> str:
    train, test = bench.table.train.copy(), bench.table.test.copy()
    bench.score(train, test)
    if not np.array_equal(train, bench.table.train):
        msg = "fit changes its input; work on a copy: X = X.copy()"
        raise FaultError(msg)
    if not np.array_equal(test, bench.table.test):
        msg = "decision_function changes its input; work on a copy: X = X.copy()"
        raise FaultError(msg)
    return "input unchanged"


def _refit(bench: Bench) -> str:
    detector = bench.configuration.build(SEED)
    detector.fit(bench.table.test[:50])
    detector.fit(bench.table.train)
    if not np.array_equal(
        detector.decision_function(bench.table.test), bench.expected()
    ):
        msg = (
            "a second fit gives other scores than a fresh detector; reset all state "
            "in fit"
        )
        raise FaultError(msg)
    return "a second fit forgets the first"


def _params(bench: Bench) -> str:
    inner: Any = getattr(bench.configuration.build(SEED), "inner", None)
    if not callable(getattr(inner, "get_params", None)):
        msg = "no get_params; results cannot record parameters that it does not tell"
        raise DoubtError(msg)
    params = inner.get_params()
    rebuilt = type(inner)(**params) if not hasattr(inner, "steps") else inner
    again = rebuilt.get_params()
    lost = [name for name in params if repr(again.get(name)) != repr(params[name])]
    if lost:
        msg = (
            f"get_params returns another {lost[0]} than the constructor was given; "
            "store parameters as they come"
        )
        raise FaultError(msg)
    told = counted(len(params), "parameter")
    return f"get_params tells {told}, and the constructor takes them"


def _clone(bench: Bench) -> str:
    detector = bench.configuration.build(SEED)
    detector.fit(bench.table.train)
    try:
        twin = pickle.loads(pickle.dumps(detector))  # noqa: S301 - made one line above
    except Exception as error:
        twin = None
        doubt = f"a fitted detector cannot be pickled ({one_line(error)})"
    fresh = copy.deepcopy(bench.configuration.build(SEED))
    fresh.fit(bench.table.train)
    if not np.array_equal(fresh.decision_function(bench.table.test), bench.expected()):
        msg = "a copy scores differently from the original; keep no state outside it"
        raise FaultError(msg)
    if twin is None:
        raise DoubtError(doubt)
    if not np.array_equal(twin.decision_function(bench.table.test), bench.expected()):
        msg = "a pickled copy scores differently from the original"
        raise FaultError(msg)
    return "copies and pickles score alike"


def _own_rows(bench: Bench) -> str:
    rows = np.vstack([bench.table.train, bench.table.test])
    given = rows.copy()
    scores, again = (
        np.asarray(bench.configuration.build(SEED).fit_score(given)) for _ in range(2)
    )
    if scores.shape != (len(rows),) or not np.isfinite(scores).all():
        msg = (
            f"the scores of fitted rows have shape {scores.shape}, "
            f"{int(np.isfinite(scores).sum())} of them finite; return {len(rows)} "
            "finite floats from fit_score"
        )
        raise FaultError(msg)
    if not np.array_equal(given, rows):
        msg = "fit_score changes its input; work on a copy: X = X.copy()"
        raise FaultError(msg)
    if not np.array_equal(scores, again):
        msg = (
            f"two calls of fit_score differ ({difference(scores, again)}); draw from "
            "random_state alone"
        )
        raise FaultError(msg)
    return "fitted rows get one finite float each"


def _whole_batch(bench: Bench) -> str:
    detector = bench.configuration.build(SEED)
    has_it = callable(getattr(getattr(detector, "inner", None), "score_batch", None))
    if has_it != bench.configuration.info.scores_batch:
        msg = f"the info should say scores_batch={has_it}, as the detector's methods do"
        raise FaultError(msg)
    if not has_it:
        return "no score_batch(X), which is optional"
    detector.fit(bench.table.train)
    rows = bench.table.test.copy()
    before = detector.decision_function(rows)
    scores, backwards = detector.score_batch(rows), detector.score_batch(rows[::-1])
    if scores.shape != (len(rows),) or not np.isfinite(scores).all():
        msg = f"score_batch gives {scores.shape}; wanted {len(rows)} finite floats"
        raise FaultError(msg)
    if not np.array_equal(rows, bench.table.test):
        msg = "score_batch changes its input; work on a copy: X = X.copy()"
        raise FaultError(msg)
    if not np.array_equal(before, detector.decision_function(rows)):
        msg = "score_batch changes the fitted detector; keep what it learns to itself"
        raise FaultError(msg)
    if not np.allclose(scores, backwards[::-1], rtol=_ROUNDING, atol=_ROUNDING):
        msg = (
            f"score_batch depends on the order of the rows "
            f"({difference(scores, backwards[::-1])}); sort them first"
        )
        raise FaultError(msg)
    return "score_batch scores the rows of a batch in any order"


def _explain(bench: Bench) -> str:
    detector = bench.configuration.build(SEED)
    if not can_explain(detector):
        return "no explain(X, columns), which is optional"
    detector.fit(bench.table.train)
    name, test = bench.configuration.info.name, bench.table.test
    names = [f"column {j}" for j in range(test.shape[1])]
    # The other settings' methods see the whole table, and explain some of its rows.
    rows = np.array([len(test) - 1, 0])
    others = [
        method for method in EXPLAINS if callable(getattr(detector, method, None))
    ][1:]
    try:
        explained(detector, name, test[[0, -1]], names)
        for method in others:
            explained(detector, name, test, names, method=method, rows=rows)
    except DetectorError as error:
        raise FaultError(str(error)) from error
    return f"{', '.join(['explain', *others])}: scores are split by column"


_PROBES: dict[str, Callable[[Bench], str]] = {
    "scores": _shape,
    "variety": _varied,
    "orientation": _orientation,
    "determinism": _seeded,
    "batch": _batch,
    "input": _input_kept,
    "read-only": inputs.read_only,
    "fortran": inputs.fortran,
    "strided": inputs.strided,
    "float32": inputs.float32,
    "one row": inputs.one_row,
    "one column": inputs.one_column,
    "constant": inputs.constant_column,
    "duplicates": inputs.duplicates,
    "few rows": inputs.few_rows,
    "large values": inputs.large_values,
    "refit": _refit,
    "own rows": _own_rows,
    "whole batch": _whole_batch,
    "parameters": _params,
    "copies": _clone,
    "explain": _explain,
}
# The names of the probes, in the order in which they run.
PROBES = tuple(_PROBES)
