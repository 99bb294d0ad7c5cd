"""Figures of a leaderboard: critical differences, time against quality, slices."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from odbench.errors import UsageError
from odbench.leaderboard.comparisons import pareto_table
from odbench.leaderboard.terminal import method_name, shortened

if TYPE_CHECKING:
    import pandas as pd

_INK, _FAINT, _STRONG = "#222222", "#9a9a9a", "#0b5cad"
_LONGEST = 28
# Size of a point's name, its distance from the point, and heights to try, in points.
_LABEL_POINTS, _REACH = 7.0, 4.0
_RISES = (5.0, -5.0, 13.0, -13.0, 21.0, -21.0)
_Box: TypeAlias = tuple[float, float, float, float]
# The same figure gives the same bytes.
_STABLE: Any = {"svg.hashsalt": "odbench", "svg.fonttype": "none", "font.size": 9.0}
_DATES: Mapping[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "ModDate": None},
}


def need_matplotlib() -> None:
    """Raise `UsageError` if matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        msg = (
            "figures: matplotlib is not installed; wanted it for svg and pdf; "
            "`pip install odbench[plot]`, or choose latex,markdown,csv,bibtex"
        )
        raise UsageError(msg) from None


def figure_bytes(draw: Callable[[Any], None], form: str) -> bytes:
    """Return a figure as SVG or PDF.

    Parameters
    ----------
    draw : callable
        Draws on an empty `matplotlib.figure.Figure`.
    form : {"svg", "pdf"}

    Returns
    -------
    bytes
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sink = io.BytesIO()
    with mpl.rc_context(_STABLE):
        figure = Figure(layout="constrained")
        draw(figure)
        figure.savefig(sink, format=form, metadata=_DATES[form], bbox_inches="tight")
    return sink.getvalue()


def draw_critical_difference(figure: Any, tests: Mapping[str, Any]) -> None:
    """Draw average ranks on a line, and bars over those that do not differ.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty.
    tests : mapping
        From `odbench.leaderboard.comparisons.rank_tests`.
    """
    ranks = tests["average_rank"]
    names, values = list(ranks), np.array(list(ranks.values()))
    bars = [[names.index(name) for name in bar] for bar in tests["cliques"]]
    bars = [bar for bar in bars if len(bar) > 1]
    n, half = len(names), (len(names) + 1) // 2
    below = 0.35 * len(bars) + 0.6
    # Names stand beside the axes, for which the usual layout would leave no room.
    figure.set_layout_engine("none")
    figure.set_size_inches(6.6, 0.9 + 0.19 * half + 0.13 * len(bars))
    axes = figure.subplots()
    axes.set_axis_off()
    _draw_axis(axes, n)
    for i, bar in enumerate(bars):
        ends = values[bar].min(), values[bar].max()
        axes.plot(ends, [-0.35 * (i + 1)] * 2, color=_STRONG, lw=3,
                  solid_capstyle="round")  # fmt: skip
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        on_left = i < half
        level = below + 0.55 * (i if on_left else n - 1 - i)
        edge = 0.85 if on_left else n + 0.15
        axes.plot([value, value, edge], [0, -level, -level], color=_FAINT, lw=0.7,
                  zorder=1)  # fmt: skip
        axes.plot([value], [0], "o", color=_INK, ms=3)
        axes.text(
            edge + (-0.1 if on_left else 0.1), -level,
            f"{shortened(name, _LONGEST)}  {value:.2f}", va="center",
            ha="right" if on_left else "left", parse_math=False,
        )  # fmt: skip
    _draw_difference(axes, tests["critical_difference"], n)


def _draw_axis(axes: Any, n: int) -> None:
    axes.plot([1, n], [0, 0], color=_INK, lw=1)
    step = max(1, round(n / 10))
    for tick in range(1, n + 1, step):
        axes.plot([tick, tick], [0, 0.15], color=_INK, lw=1)
        axes.text(tick, 0.25, str(tick), ha="center", va="bottom")
    axes.text(n, 1.15, "average rank by AUROC (1 is best)", ha="right")


def _draw_difference(axes: Any, size: float | None, n: int) -> None:
    """Draw the critical difference as a scale, if there is one."""
    if size is None:
        return
    axes.plot([1, min(1 + size, n)], [1.3, 1.3], color=_STRONG, lw=2)
    axes.text(1, 1.5, f"critical difference {size:.2f}", color=_STRONG, va="bottom")


def draw_pareto(figure: Any, table: pd.DataFrame) -> None:
    """Draw time against mean AUROC; the best per time are joined by a line.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty.
    table : pandas.DataFrame
        Leaderboard of one suite, partition and protocol.
    """
    points = pareto_table(table)
    seconds = points["median_seconds"].clip(lower=1e-5).to_numpy()
    quality = 100.0 * points["mean_auroc"].to_numpy()
    best = points["on_front"].to_numpy(dtype=bool)
    figure.set_size_inches(6.6, 4.0)
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.plot(seconds[best], quality[best], drawstyle="steps-post", color=_STRONG,
              lw=1, zorder=1)  # fmt: skip
    colours = np.where(best, _STRONG, _FAINT)
    axes.scatter(seconds, quality, c=colours, s=22, zorder=2)
    names = [method_name(*pair) for pair in _pairs(points)]
    axes.set_xlabel("median seconds to fit and score a data set")
    axes.set_ylabel("mean AUROC, %")
    axes.margins(x=0.16, y=0.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.draw_without_rendering()
    _label_points(axes, seconds, quality, names, colours)


def _label_points(
    axes: Any, x: np.ndarray, y: np.ndarray, names: list[str], colours: np.ndarray
) -> None:
    """Write names beside points where neither a point nor another name is."""
    spots = axes.transData.transform(np.column_stack([x, y])) * 72 / axes.figure.dpi
    taken = [_box(px - _REACH, py, 2 * _REACH) for px, py in spots]
    for i in np.argsort(-y):
        name = shortened(names[i], _LONGEST)
        width = 0.56 * _LABEL_POINTS * len(name)
        offsets = [(dx, dy) for dy in _RISES for dx in (_REACH, -_REACH - width)]
        boxes = [_box(spots[i][0] + dx, spots[i][1] + dy, width) for dx, dy in offsets]
        free = [k for k, box in enumerate(boxes) if not _meets_any(box, taken)]
        chosen = free[0] if free else 0
        taken.append(boxes[chosen])
        axes.annotate(
            name, (x[i], y[i]), xytext=offsets[chosen], textcoords="offset points",
            va="center", fontsize=_LABEL_POINTS, parse_math=False,
            color=_INK if colours[i] == _STRONG else "#555555",
        )  # fmt: skip


def _box(left: float, middle: float, width: float) -> _Box:
    half = 0.6 * _LABEL_POINTS
    return left, middle - half, left + width, middle + half


def _meets_any(box: _Box, others: list[_Box]) -> bool:
    return any(
        box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3]
        for o in others
    )


def draw_slices(figure: Any, table: pd.DataFrame, slices: pd.DataFrame) -> None:
    """Draw the mean AUROC of each configuration on each part of the data sets.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Empty.
    table : pandas.DataFrame
        Leaderboard of one suite, partition and protocol, in the order to show.
    slices : pandas.DataFrame
        From `odbench.leaderboard.slices.slice_table`.
    """
    names = [method_name(*pair) for pair in _pairs(table)]
    sizes = slices.groupby(["slice", "level"], sort=False)["n_total"].first()
    # A part that is the whole says nothing new.
    sizes = sizes[sizes < table["n_total"].iloc[0]]
    values = np.full((len(names), 1 + len(sizes)), np.nan)
    values[:, 0] = table["mean_auroc"]
    for j, key in enumerate(sizes.index, 1):
        part = slices[(slices["slice"] == key[0]) & (slices["level"] == key[1])]
        known = {method_name(*pair): i for i, pair in enumerate(_pairs(part))}
        means = part["mean_auroc"].to_numpy()
        values[:, j] = [
            means[known[name]] if name in known else np.nan for name in names
        ]
    heads = [f"all ({int(table['n_total'].iloc[0])})"]
    parts = zip(sizes.index.to_list(), sizes, strict=True)
    heads += [f"{part}: {level} ({n})" for (part, level), n in parts]
    figure.set_size_inches(1.9 + 0.4 * len(heads), 1.8 + 0.21 * len(names))
    _draw_grid(figure.subplots(), 100.0 * values, heads, names)


def _draw_grid(
    axes: Any, values: np.ndarray, heads: list[str], names: list[str]
) -> None:
    axes.imshow(values, cmap="Blues", aspect="auto",
                vmin=np.nanmin(values) - 5, vmax=np.nanmax(values) + 5)  # fmt: skip
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value > middle + 3 else _INK
            axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7.5,
                      color=colour)  # fmt: skip
    shown = [shortened(name, _LONGEST) for name in names]
    axes.set_yticks(range(len(names)), shown, parse_math=False)
    axes.set_xticks(range(len(heads)), heads, rotation=60, ha="right",
                    rotation_mode="anchor", fontsize=7.5, parse_math=False)  # fmt: skip
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("mean AUROC, % (number of data sets)", fontsize=9, loc="left")


def _pairs(table: pd.DataFrame) -> zip[tuple[str, str]]:
    return zip(table["detector"], table["config"], strict=True)
