"""The contract between odbench and a detector.

A detector is any object with scikit-learn's shape: constructor parameters,
``get_params``, ``fit(X)`` and ``decision_function(X)``, which returns one float per
row, higher = more anomalous. It may also have ``fit_score(X)``, see `ScoresOwnRows`,
and ``score_batch(X)``, see `ScoresBatch`. A `DetectorInfo` describes a detector before
it is built. Detectors that run on the same data set may share work through a
`Workspace`; the core knows neither the detectors nor the kind of work.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from odbench.arrays import FloatArray

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

T = TypeVar("T")
Params = Mapping[str, Any]
_NOTHING: Params = MappingProxyType({})


@runtime_checkable
class Detector(Protocol):
    """The methods that every detector has."""

    def fit(self, X: FloatArray) -> object:
        """Learn from inliers.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite. Do not modify it.
        """

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Score rows.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`. Do not modify it.

        Returns
        -------
        float64 array of shape (n_rows,)
            Finite; higher is more anomalous.
        """


class ScoresOwnRows(Protocol):
    """A detector with a notion of its own of scoring the rows it is fitted on.

    The method is used in the unsupervised setting. Detectors without it are fitted,
    and then score the same rows.
    """

    def fit_score(self, X: FloatArray) -> FloatArray:
        """Fit on the rows of a table and score the same rows.

        A detector that compares rows must not count a row as its own neighbour.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite; may hold anomalies. Do not modify it.

        Returns
        -------
        float64 array of shape (n_rows,)
            Finite; higher is more anomalous.
        """


class KeepsItsChoice(Protocol):
    """A detector that chooses how to score a table, and can be fitted again without.

    ``odbench score`` uses the method where parts of a table are scored by a detector
    that has not seen them: one choice for all parts makes their scores comparable, and
    costs one search.
    """

    def refit(self, X: FloatArray) -> object:
        """Learn from other rows of the same table, after ``fit``, as chosen there.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`. Do not modify it.
        """


class ScoresBatch(Protocol):
    """A detector that can also judge rows by the rows that are scored with them.

    The method is used in the transductive setting, in place of ``decision_function``,
    whose scores stay independent of the batch in all others. The detector's info says
    so by ``scores_batch=True``.
    """

    def score_batch(self, X: FloatArray) -> FloatArray:
        """Score the rows of a batch, after ``fit``.

        It may be called again with other rows, and must not change what was fitted.
        Rows in another order get the same scores, but for rounding.

        Parameters
        ----------
        X : float64 array of shape (n_rows, n_columns)
            Finite, the columns of `fit`; the rows to judge, anomalies among them. Do
            not modify it.

        Returns
        -------
        float64 array of shape (n_rows,)
            Finite; higher is more anomalous.
        """


class Explanation(Protocol):
    """The scores of some rows, split by column.

    A detector that can explain its scores has a method ``explain(X, columns)``. It
    takes the rows, of shape (n_rows, n_columns), and the names of the columns, and
    returns an object with these two members. More members are welcome.

    Two more methods are optional, beside ``explain``. They take a third argument, the
    indices of the rows to explain, or None for all, and return the same shape for these
    rows:

    ``explain_batch(X, columns, rows)``
        Explains the scores of ``score_batch(X)``, see `ScoresBatch`.
    ``explain_own(X, columns, rows)``
        Fits and scores as ``fit_score(X)``, see `ScoresOwnRows`, and explains these
        scores.
    """

    @property
    def scores(self) -> FloatArray:
        """The scores that are explained, float64 of shape (n_rows,)."""

    def table(self, row: int) -> pd.DataFrame:
        """Rank the columns of one of the explained rows, the most important first.

        Parameters
        ----------
        row : int
            Which of the rows, from 0.

        Returns
        -------
        DataFrame
            One row per column of the data set, with ``column``, its name; ``value``,
            the row's value; and ``share``, the column's share of the score. Shares
            descend and sum to 1, or are all 0 for a row without anything unusual.
            Other columns may follow. Numbers are finite.
        """


class Workspace(Protocol):
    """Work on one data set that is done once and shared by several detectors.

    A detector that shares work has two methods:

    ``shared_needs() -> Mapping[str, int]``
        The kinds of work it can share, and how much of each (a number of
        neighbours, say). Asked before anything is fitted; the largest need of each
        kind among all detectors of the data set becomes that kind's size.
    ``use_workspace(workspace)``
        Called before ``fit``. From then on, until it is called with None, the
        detector may `obtain` work instead of doing it.

    A result must be the same, to the last bit, with and without a workspace.
    """

    def obtain(
        self,
        kind: str,
        rows: tuple[FloatArray, ...],
        make: Callable[[int], T],
        *,
        sample: Callable[[int, float], object] | None = None,
    ) -> T:
        """Return the work of one kind on these arrays, made at most once.

        Parameters
        ----------
        kind : str
            Name of the shared work. Detectors that use the same kind must accept each
            other's results. Dotted, with the package first, such as
            ``"odbench.neighbours"``.
        rows : tuple of arrays
            The arrays that the work depends on, compared by identity: work on an array
            that did not come from the workspace is not shared.
        make : callable
            Takes the size (the largest announced need of the kind, or 0 when
            none was announced) and does the work.
        sample : callable, optional
            Takes a size and a share from 0 to 1, does the work of that size for this
            share of the rows, and is timed. With it, a detector that needs less than
            the largest size is charged the cost of its own need; without it, the cost
            of the largest.

        Returns
        -------
        object
            The result of `make`, from now or earlier. Do not modify it.
        """


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file of trained weights that a detector loads.

    A run obtains it before the first trial and gives the detector the path of a copy
    named after its hash, so that what was hashed is what is used.

    Attributes
    ----------
    name : str
        What messages call it, such as "YuchenShen/FoMo-0D model.safetensors".
    parameter : str
        The detector's parameter that takes the path.
    find : callable
        Returns the path of the file on this machine, or None; uses no network.
    fetch : callable
        Returns the path of the file, downloaded if need be; raises an `OdbenchError`
        of one line that names the next step.
    sha256 : str
        64 hex digits that the file must have; empty if none are known.
    check : callable, optional
        Takes a file's path and raises an `OdbenchError` of one line if the detector
        cannot use it. A run calls it before its first trial, outside the sandbox, so
        that it must not run what the file holds.
    """

    name: str
    parameter: str
    find: Callable[[], Path | None]
    fetch: Callable[[], Path]
    sha256: str = ""
    check: Callable[[Path], object] | None = None


@dataclass(frozen=True, kw_only=True)
class DetectorInfo:
    """Facts about a detector, known before it is built.

    Attributes
    ----------
    name : str
        The name that users type: lower case, digits and underscores.
    summary : str
        One line, shown in lists.
    build : callable
        ``build(**params)`` returns an unfitted detector. Heavy imports belong inside
        it, so that reading an info is cheap.
    reference : str
        DOI or URL of the paper that describes the method.
    params : mapping
        The reference configuration: every parameter that matters, with its value.
    grid : mapping of str to tuple
        The values that ``--grid`` tries, as a full product.
    deterministic : bool
        True if two runs give the same scores; such a detector runs with one seed.
        Otherwise it has a ``random_state`` parameter.
    inductive : bool
        True if a row's score does not depend on the rows scored with it.
    scores_batch : bool
        True if it has ``score_batch``, see `ScoresBatch`. Its transductive scores then
        differ from its one-class scores, and depend on the batch.
    trims : bool
        True if its ``fit_score`` learns from some of the rows alone, those that it
        finds normal. Of a category that few rows have it may then learn nothing; tables
        with categories are scored in parts instead, see `odbench.score`.
    core : bool
        Whether it is in the core zoo, which runs if no detector is named.
    requires : tuple of str
        Modules that must be importable.
    extra : str
        The distribution's extra that installs them, for the error message.
    devices : tuple of str
        Devices on which it can run: "cpu", "cuda".
    shares : tuple of str
        Kinds of work (see `Workspace`) that it can share. Trials of one data set that
        share a kind are planned into one process.
    compiles : bool
        True if numba compiles its code at first use, and keeps it (``cache=True``). A
        run then compiles it before the first trial, on tables of 64 and 1,000 rows.
    weights : callable, optional
        ``weights(**params)`` returns the files of trained weights (`Weights`) that a
        configuration loads; their hashes become part of its version.
    trained_on : tuple of str
        Data sets that its weights were trained on, as globs on ``suite/dataset``;
        results on them are marked.
    """

    name: str
    summary: str
    build: Callable[..., Any]
    reference: str = ""
    params: Params = field(default_factory=lambda: _NOTHING)
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: _NOTHING)
    deterministic: bool = True
    inductive: bool = True
    scores_batch: bool = False
    trims: bool = False
    core: bool = False
    requires: tuple[str, ...] = ()
    extra: str = ""
    devices: tuple[str, ...] = ("cpu",)
    shares: tuple[str, ...] = ()
    compiles: bool = False
    weights: Callable[..., tuple[Weights, ...]] | None = None
    trained_on: tuple[str, ...] = ()

    def has_seen(self, dataset: str) -> bool:
        """Say whether its weights were trained on a data set, named ``suite/dataset``.

        Examples
        --------
        >>> info = DetectorInfo(name="a", summary="", build=dict, trained_on=("s/*",))
        >>> info.has_seen("s/x"), info.has_seen("t/x")
        (True, False)
        """
        return any(fnmatchcase(dataset, glob) for glob in self.trained_on)

    def configurations(self) -> Iterator[dict[str, Any]]:
        """Yield every point of the grid as parameters that differ from `params`."""
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            yield {k: v for k, v in point.items() if self.params.get(k) != v}


@runtime_checkable
class DetectorFamily(Protocol):
    """Several detectors behind one entry point, named ``family.Member``."""

    def members(self) -> list[str]:
        """Return the members' names, without the family's name."""

    def info(self, member: str) -> DetectorInfo:
        """Return the facts about one member.

        Raises
        ------
        UnknownDetectorError
            If the family has no such member.
        MissingExtraError
            If the library behind the family is not installed.
        """
