"""Small pictures of a column's values, with one row's value among them."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.columns import Column
from odbench.tables.dates import calendar_parts
from odbench.tables.encode import NAMED, Learned
from odbench.tables.fitted import Fitted
from odbench.tables.reasons import Missing, Reason, in_own_units
from odbench.tables.wording import DAYS, show_share, show_value

_WIDTH, _HEIGHT, _FLOOR = 340, 64, 48
_BINS, _CATEGORIES, _LETTERS = 40, 4, 28
# Parts of a date that are drawn among those of other dates.
_CALENDAR = ("hour", "weekday")
# The middle of the values that the bars cover; farther ones share the last bars.
_COVERED = (0.005, 0.995)


@dataclass(frozen=True)
class Pictures:
    """Draws reasons.

    Attributes
    ----------
    columns : dict of str to (Column, Learned, float64 array)
        By name; the array holds the values of numbers and dates without missing ones,
        and is empty for categories.
    parts : dict of (str, str) to float64 array
        The hours and weekdays of dates, by the column's name and the part.
    """

    columns: dict[str, tuple[Column, Learned, FloatArray]]
    parts: dict[tuple[str, str], FloatArray]

    @classmethod
    def of(cls, fitted: Fitted) -> Pictures:
        """Take the columns and values from what was fitted."""
        encoder, learner = fitted.encoder, fitted.learner
        own, origin = in_own_units(learner.rows, learner.scale), encoder.origin
        missing, columns, parts = Missing(encoder, own), {}, {}
        for j, (column, learned) in enumerate(
            zip(encoder.columns, encoder.learned, strict=True)
        ):
            values = np.empty(0)
            if column.role not in NAMED:
                encoded = own[:, origin == j][~missing.rows(j)]
                values = _known(column, learned, encoded)
                for place, part in enumerate(learned.parts):
                    if part in _CALENDAR:
                        parts[column.name, part] = encoded[:, place]
            columns[column.name] = (column, learned, values)
        return cls(columns, parts)

    def draw(self, reason: Reason) -> str:
        """Return a reason's picture as SVG, "" if there is none to draw."""
        column, learned, values = self.columns[reason.column]
        if column.role in NAMED:
            return draw_categories(learned, reason.text_value)
        if reason.value is None or not len(values):
            return ""
        if reason.part in _CALENDAR and not column.clock:
            return self._draw_part(column, reason.value, reason.part)
        return draw_numbers(column, values, reason.value)

    def _draw_part(self, column: Column, value: float, part: str) -> str:
        """Draw the hour of a date among hours, or its weekday among weekdays."""
        others = self.parts[column.name, part]
        own = float(calendar_parts(np.asarray([value]))[part][0])
        if part == "hour":
            return draw_numbers(replace(column, clock=True), others / 24.0, own / 24.0)
        days = Counter(DAYS[round(day) % 7] for day in others.tolist())
        return draw_shares(dict(days.most_common()), len(others), DAYS[round(own) % 7])


def _known(column: Column, learned: Learned, encoded: FloatArray) -> FloatArray:
    """Return the values of numbers or dates from their encoded columns."""
    # The hour of a time of day is all that is encoded of it.
    values = encoded[:, 0] / 24.0 if column.clock else encoded[:, 0]
    return np.clip(values, learned.low, learned.high)


def draw_numbers(column: Column, values: FloatArray, own: float) -> str:
    """Return a histogram of values, float64 of shape (n,), with a pin at `own`."""
    low, high = np.quantile(values, _COVERED, method="nearest")
    low, high = min(float(low), own), max(float(high), own)
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(np.clip(values, low, high), _BINS, (low, high))
    # Square roots, so that a bar with few values can be seen.
    tall = np.sqrt(counts / max(counts.max(), 1)) * (_FLOOR - 6)
    step = _WIDTH / _BINS
    path = "".join(
        f"M{j * step:.1f} {_FLOOR}v-{height:.1f}h{step - 1:.1f}v{height:.1f}z"
        for j, height in enumerate(tall)
        if height > 0.0
    )
    at = min(max((own - low) / (high - low) * _WIDTH, 1.0), _WIDTH - 1.0)
    first, last = (html.escape(show_value(column, v)) for v in (low, high))
    label = html.escape(f"values of {column.name}, this row {show_value(column, own)}")
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="bar" d="{path}"/>'
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_FLOOR}" y2="{_FLOOR}"/>'
        f'<line class="pin" x1="{at:.1f}" x2="{at:.1f}" y1="2" y2="{_FLOOR}"/>'
        f'<text x="0" y="{_HEIGHT - 3}">{first}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 3}" text-anchor="end">{last}</text></svg>'
    )


def draw_categories(learned: Learned, own: str | None) -> str:
    """Return bars of the most frequent categories and of the row's own."""
    return draw_shares(learned.counts, learned.n_rows, learned.key(own))


def draw_shares(counts: Mapping[str, int], n_rows: int, key: str) -> str:
    """Return bars of the first names of `counts`, and of `key`, by share of rows."""
    shown = [text for text in list(counts)[:_CATEGORIES] if text != key]
    shown = [*shown[: _CATEGORIES - 1], key]
    most = max((counts.get(text, 0) for text in shown), default=1) or 1
    # Room for the longest name, at about six units per letter.
    lines, room = [], 12 + 6 * min(max(map(len, (*shown, "missing"))), _LETTERS + 1)
    for place, text in enumerate(shown):
        count = counts.get(text, 0)
        y = 14 * place + 4
        name = text[:_LETTERS] + ("…" if len(text) > _LETTERS else "") or "missing"
        share = show_share(count / n_rows) if count else "never"
        kind = "own" if text == key else "bar"
        width = max((_WIDTH - room - 50) * count / most, 2.0)
        lines.append(
            f'<text x="{room - 8}" y="{y + 9}" text-anchor="end">{html.escape(name)}'
            f'</text><rect class="{kind}" x="{room}" y="{y}" width="{width:.1f}" '
            f'height="10"/><text x="{room + width + 6:.1f}" y="{y + 9}">{share}'
            f"</text>"
        )
    height = 14 * len(shown) + 6
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="shares of rows by value">{"".join(lines)}</svg>'
    )
