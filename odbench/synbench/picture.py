"""Draw a set in its two most informative columns, with the oracle's contour."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odbench.arrays import FloatArray, IntArray, LabelArray
from odbench.errors import UsageError
from odbench.files import is_disk_fault, whole_file
from odbench.synbench import marginals, suite
from odbench.synbench.copula import Copula
from odbench.synbench.gmm import Mixture
from odbench.synbench.portable import normal_quantile

_LEVEL = 0.95
_CELLS = 6
_MAX_INLIERS = 2500
# Maximum number of columns compared in pairs; wider tables are reduced to this first.
_MAX_COLUMNS = 100
_MAX_ROWS = 20_000
_MARGIN = 0.06
_INLIER, _ANOMALY, _CONTOUR = "#8da0b3", "#c8332b", "#1f2933"


def telling_columns(X: FloatArray, labels: LabelArray) -> tuple[int, int]:
    """Return the pair of columns in which the labels differ most.

    The quantiles of the inliers divide each pair of columns into 6 x 6 cells. The pair
    with the largest total variation distance between the classes is returned, which
    detects shifts, tails and broken dependence alike. Of more than 100 columns, only
    the 100 that differ most by themselves are paired.

    Parameters
    ----------
    X : float64 array of shape (n_rows, n_columns)
        At least two columns.
    labels : int8 array of shape (n_rows,)
        1 = anomaly; both labels occur.

    Returns
    -------
    tuple of int
        In ascending order.
    """
    anomalous = labels == 1
    shares = np.arange(1, _CELLS) / _CELLS
    cells = [
        np.searchsorted(np.quantile(column[~anomalous], shares), column)
        for column in X.T
    ]

    def distance(cell: IntArray) -> float:
        inside, outside = (
            np.bincount(cell[rows], minlength=_CELLS**2) / rows.sum()
            for rows in (anomalous, ~anomalous)
        )
        return float(np.abs(inside - outside).sum())

    def difference(pair: tuple[int, int]) -> float:
        return distance(cells[pair[0]] * _CELLS + cells[pair[1]])

    paired = range(X.shape[1])
    if len(paired) > _MAX_COLUMNS:
        alone = np.argsort([-distance(cell) for cell in cells], kind="stable")
        paired = np.sort(alone[:_MAX_COLUMNS]).tolist()
    return max(itertools.combinations(paired, 2), key=difference)


def figure(name: str, *, width_inches: float = 5.0) -> Any:
    """Draw a set of the suite.

    Parameters
    ----------
    name : str
        Such as ``gmm-subspace-017``.
    width_inches : float
        Of the picture; it is square but for its title.

    Returns
    -------
    matplotlib.figure.Figure
        Not shown on a screen; matplotlib's global state is not used.

    Raises
    ------
    UnknownDatasetError
        If the suite has no such set.
    UsageError
        If matplotlib is not installed.
    """
    made = suite.make(name)
    oracle = f"oracle AUROC {made.metadata['oracle_auroc']:.3f}"
    return table_figure(
        f"synbench/{name}", made.X_test, made.y_test, made.columns,
        note=oracle, law=made.law, width_inches=width_inches,
    )  # fmt: skip


def table_figure(
    title: str,
    X: FloatArray,
    labels: LabelArray,
    columns: Sequence[str],
    *,
    note: str = "",
    law: Any = None,
    width_inches: float = 5.0,
) -> Any:
    """Draw any labelled table in its two most informative columns.

    Parameters
    ----------
    title : str
        First part of the title.
    X : float64 array of shape (n_rows, n_columns)
        At most about 20,000 evenly spaced rows are used.
    labels : int8 array of shape (n_rows,)
        1 = anomaly.
    columns : sequence of str
        Their names.
    note : str
        Second part of the title.
    law : object
        The generating law; laws with a known contour get one.
    width_inches : float
        Of the picture; it is square but for its title.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UsageError
        If matplotlib is not installed, the table has one column, or only one label
        occurs.
    """
    if len(columns) < 2 or len(set(labels.tolist())) < 2:
        msg = (
            f"picture of {title}: {len(columns)} columns, {int(labels.sum())} "
            f"anomalies in {len(labels)} rows; wanted two columns and both labels"
        )
        raise UsageError(msg)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        msg = f"picture of {title}: needs matplotlib: pip install 'odbench[plot]'"
        raise UsageError(msg) from None
    X, labels = _thinned(X, labels)
    i, j = telling_columns(X, labels)
    drawing = Figure(figsize=(width_inches, width_inches), layout="constrained")
    axes = drawing.subplots()
    _draw_points(axes, X[:, [i, j]], labels)
    contour = _draw_contour(axes, law, i, j)
    if contour is not None:
        axes.plot([], [], c=_CONTOUR, lw=1.1, label=contour)
    axes.set_xlabel(columns[i], parse_math=False)
    axes.set_ylabel(columns[j], parse_math=False)
    facts = ", ".join(filter(None, [f"{len(columns)} columns", note]))
    axes.set_title(f"{title}\n{facts}", fontsize="medium", loc="left", parse_math=False)
    drawing.legend(
        loc="outside lower center", ncols=3, fontsize="small", frameon=False,
        markerscale=1.6,
    )  # fmt: skip
    return drawing


def _thinned(X: FloatArray, labels: LabelArray) -> tuple[FloatArray, LabelArray]:
    """Return a subset of each label's rows, small enough for all pairs of columns."""
    kept = []
    for label in (0, 1):
        rows = np.flatnonzero(labels == label)
        kept.append(rows[:: -(-len(rows) // (_MAX_ROWS // 2))])
    chosen = np.sort(np.concatenate(kept))
    return (X, labels) if len(chosen) == len(X) else (X[chosen], labels[chosen])


def save(name: str, path: Path, *, dpi: int = 90) -> tuple[int, int]:
    """Draw a set of the suite into a file.

    Parameters
    ----------
    name : str
        Such as ``gmm-subspace-017``.
    path : Path
        Its suffix decides the format: png, svg, pdf.
    dpi : int
        Pixels per inch.

    Returns
    -------
    tuple of int
        Width and height in pixels.

    Raises
    ------
    UsageError
        If matplotlib is missing or the file cannot be written.
    """
    return write(figure(name), path, dpi=dpi)


def write(drawing: Any, path: Path, *, dpi: int = 90) -> tuple[int, int]:
    """Write a figure into a file; see `save`."""
    try:
        with whole_file(path, durable=False) as sink:
            drawing.savefig(sink, dpi=dpi, format=path.suffix[1:] or "png")
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and is_disk_fault(error):
            raise OSError(error.errno, error.strerror, str(path)) from None
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"picture {str(path)!r}: cannot be written ({reason}); name another file"
        raise UsageError(msg) from None
    width, height = drawing.get_size_inches() * dpi
    return round(width), round(height)


def _draw_points(axes: Any, points: FloatArray, labels: LabelArray) -> None:
    inliers, anomalies = points[labels == 0], points[labels == 1]
    shown = inliers[:_MAX_INLIERS]
    axes.scatter(
        shown[:, 0], shown[:, 1], s=5, c=_INLIER, linewidths=0, label="inliers"
    )
    axes.scatter(
        anomalies[:_MAX_INLIERS, 0], anomalies[:_MAX_INLIERS, 1],
        s=14, c=_ANOMALY, marker="x", linewidths=0.8, label="anomalies",
    )  # fmt: skip
    # A few distant points must not squeeze the rest into a corner.
    for axis, column in zip("xy", points.T, strict=True):
        low, high = np.quantile(column, [0.002, 0.998])
        margin = _MARGIN * (high - low) or 0.5
        getattr(axes, f"set_{axis}lim")(low - margin, high + margin)


def _draw_contour(axes: Any, law: Any, i: int, j: int) -> str | None:
    """Draw the law's contour in two columns; return its description."""
    if isinstance(law, Mixture):
        return _mixture_contour(axes, law, np.array([i, j]))
    if isinstance(law, Copula):
        x, y = copula_ellipse(law, i, j)
        axes.plot(x, y, c=_CONTOUR, lw=1.1)
        return "95 % of the inliers' law"
    return None


def _mixture_contour(axes: Any, law: Mixture, shown: IntArray) -> str | None:
    """Draw the 95 % region of each component, within the inflated columns."""
    inflated = np.isin(shown, law.subspace)
    if not inflated.any():
        return None
    df = int(inflated.sum())
    level = float(marginals.chi_square_map(df)(normal_quantile([_LEVEL]))[0])
    x, y = (
        np.linspace(low, high, 300) for low, high in (axes.get_xlim(), axes.get_ylim())
    )
    grid = np.stack([side.reshape(-1) for side in np.meshgrid(x, y)])
    inside = Mixture(
        means=law.means[:, shown],
        variances=law.variances[:, shown],
        subspace=np.flatnonzero(inflated),
    )
    height = inside.distance(grid).reshape(len(y), len(x))
    axes.contour(x, y, height, levels=[level], colors=_CONTOUR, linewidths=1.1)
    return "95 % of each component"


def copula_ellipse(law: Copula, i: int, j: int) -> tuple[FloatArray, FloatArray]:
    """Return the curve that holds 95 % of the inliers of two columns.

    An ellipse of the columns' normal values, transformed by the columns' maps.

    Parameters
    ----------
    law : Copula
    i, j : int
        Columns.

    Returns
    -------
    tuple of float64 arrays of shape (n_points,)
        x and y along the closed curve.
    """
    angle = np.linspace(0.0, 2.0 * np.pi, 721)
    radius = np.sqrt(-2.0 * np.log(1.0 - _LEVEL))
    r = law.correlation[i, j]
    first = radius * np.cos(angle)
    second = r * first + np.sqrt(1.0 - r * r) * radius * np.sin(angle)
    return law.columns[i](first), law.columns[j](second)
