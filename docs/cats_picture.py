"""Draw how CATS sums its views, on a made-up table: ``python docs/cats_picture.py``."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from odbench.arrays import FloatArray
from odbench_detectors.cats.detector import CATS

FILE = Path(__file__).parent / "images" / "cats.png"
# View -> the reason why it finds a row odd.
SHOWN = {
    "tail": "few values are further out",
    "gap": "no known value is near",
    "dependence": "an odd combination",
}
# Made-up anomalies: each one is most obvious to a different view.
ODD = {"A": (4.9, 5.0), "B": (0.1, 0.1), "C": (2.9, 1.3)}
SIDE = np.linspace(-4.5, 5.9, 161)
# Offset of each letter from its mark in the small panels, in points.
BESIDE = {"A": (5, -13), "B": (-12, -13), "C": (5, -13)}
ABOVE = (4, 5)
LEVELS = np.arange(0, 8)
POINTS, RED, INK = "#5f7388", "#c8332b", "#1f2933"


def table() -> FloatArray:
    """Return two groups of inliers along a diagonal, of shape (600, 2)."""
    rng = np.random.default_rng(20261123)
    along = np.concatenate([rng.normal(-2.2, 0.5, 300), rng.normal(2.4, 0.6, 300)])
    return np.column_stack([along, along + rng.normal(0, 0.22, 600)])


def measure(detector: CATS, X: FloatArray) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the raw numbers and the surprises of each shown view."""
    raw: dict[str, list[FloatArray]] = {name: [] for name in SHOWN}
    for _, placed in detector.placed(X):
        numbers = detector.views.raw(placed)
        for name, parts in raw.items():
            parts.append(numbers[name])
    joined = {name: np.concatenate(parts) for name, parts in raw.items()}
    return {name: (x, detector.tails[name].surprise(x)) for name, x in joined.items()}


def draw() -> Figure:
    """Draw three of the eight views, their calibrated tails, and the sum of all."""
    X = table()
    detector = CATS().fit(X)
    grid = np.stack([side.reshape(-1) for side in np.meshgrid(SIDE, SIDE)], axis=1)
    odd = np.array(list(ODD.values()))
    maps, marks = measure(detector, grid), measure(detector, odd)
    drawing = Figure(figsize=(10.5, 7.2), layout="constrained")
    axes = drawing.subplot_mosaic(
        [[f"{name} tail", f"{name} map", "sum"] for name in SHOWN],
        width_ratios=[1.1, 1.0, 2.1],
    )
    for name, why in SHOWN.items():
        draw_tail(axes[f"{name} tail"], detector.tails[name], *marks[name])
        axes[f"{name} tail"].set_title(f"{name}: {why}", fontsize="medium", loc="left")
        draw_map(axes[f"{name} map"], X, maps[name][1], LEVELS)
        axes[f"{name} map"].set_title("surprise s, in nats", fontsize="small")
    scores = detector.decision_function(grid)
    draw_map(axes["sum"], X, scores, np.linspace(0, 20, 11))
    axes["sum"].set_title("CATS: the length of all eight surprises", loc="left")
    axes[f"{list(SHOWN)[-1]} tail"].set_xlabel("what the view measures")
    return drawing


def draw_tail(axes: Any, tail: Any, raw: FloatArray, surprise: FloatArray) -> None:
    """Plot surprise against a view's raw numbers, with a letter for each anomaly."""
    high = max(float(raw.max()), float(tail.scores[-1])) * 1.12
    x = np.linspace(float(tail.scores[0]), high, 800)
    axes.plot(x, tail.surprise(x), c=POINTS, lw=1.3)
    axes.plot(tail.scores, np.full(len(tail.scores), -0.35), "|", c=POINTS, ms=5)
    axes.plot(raw, surprise, "x", c=RED, ms=6)
    for letter, at, height in zip(ODD, raw, surprise, strict=True):
        axes.annotate(
            letter,
            (at, height),
            BESIDE[letter] if height > 1 else ABOVE,
            textcoords="offset points",
            color=RED,
        )
    axes.set_ylabel("s = -log tail", fontsize="small")
    axes.set_ylim(-0.9, 8.2)


def draw_map(axes: Any, X: FloatArray, values: FloatArray, levels: Any) -> None:
    """Draw values over the plane, with the table and the anomalies."""
    square = values.reshape(len(SIDE), len(SIDE))
    axes.contourf(SIDE, SIDE, square, levels=levels, cmap="Oranges", extend="max")
    axes.plot(*X.T, ".", c=POINTS, ms=1.5)
    for letter, (x, y) in ODD.items():
        axes.plot(x, y, "x", c=INK, ms=5)
        axes.annotate(letter, (x, y), (4, -10), textcoords="offset points", color=INK)
    axes.set(xticks=[], yticks=[], aspect="equal")


if __name__ == "__main__":
    draw().savefig(FILE, dpi=80)
