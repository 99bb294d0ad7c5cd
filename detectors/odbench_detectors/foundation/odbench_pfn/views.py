"""The views of a row: numbers per row and per column, calibrated by the context."""

from __future__ import annotations

import numpy as np

from odbench.arrays import FloatArray, IntArray
from odbench_detectors.foundation.odbench_pfn.candidates import (
    differences,
    fewest_changes,
    manhattan,
)
from odbench_detectors.foundation.odbench_pfn.context import Context, Rows
from odbench_detectors.foundation.odbench_pfn.tails import Tails
from odbench_detectors.shared.neighbours.distinct import Int32Array

# Neighbours that a local scale and a typical value are taken from.
_FEW = 5
# Context rows that calibrate the views, at most.
CALIBRATION = 4_096
# Numbers per row, and per row and column, that the network is given.
ROW_NUMBERS, COLUMN_NUMBERS = 65, 13
# The first of the numbers per row are surprises, in units of 3 nats.
SURPRISES = 28


class Views:
    """The views of rows of one table, seen from its context.

    Parameters
    ----------
    context : Context
    seed : int
        Chooses the context rows that calibrate, if there are more than `CALIBRATION`.
    """

    def __init__(self, context: Context, seed: int = 0) -> None:
        self.context = context
        rng = np.random.default_rng(seed)
        size = min(context.n, CALIBRATION)
        self.calibrating = np.sort(rng.permutation(context.n)[:size])
        c = context
        self._local = np.maximum(c.near.distances[:, _FEW - 1], 1e-9)
        self._local_normal = np.maximum(c.near_normal.distances[:, _FEW - 1], 1e-9)
        self._local_white = np.maximum(self._white_fifths(), 1e-9)
        own = [c.own(self.calibrating[i : i + 512]) for i in range(0, size, 512)]
        columns = [self._column_values(rows) for rows in own]
        self._columns = [
            Tails.of(np.concatenate(parts)) for parts in zip(*columns, strict=True)
        ]
        surprises = [
            self._column_surprises(rows, values)
            for rows, values in zip(own, columns, strict=True)
        ]
        values = [
            self._row_values(rows, found)
            for rows, found in zip(own, surprises, strict=True)
        ]
        self._rows = Tails.of(np.concatenate(values))
        self._of_columns, self._of_table = self._facts()

    def of(self, rows: Rows) -> tuple[FloatArray, FloatArray]:
        """Return what the network is given about rows.

        Parameters
        ----------
        rows : Rows
            On the scales of the context.

        Returns
        -------
        tuple of float64 arrays
            Numbers per row, (n_rows, `ROW_NUMBERS`), and per column, (n_rows, d,
            `COLUMN_NUMBERS`).
        """
        surprises = self._column_surprises(rows, self._column_values(rows))
        values = self._row_values(rows, surprises)
        n = len(values)
        table = np.broadcast_to(self._of_table, (n, len(self._of_table)))
        rows_out = [
            self._rows.surprise(values, own=rows.own) / 3.0,
            self._rows.magnitude(values),
            table,
        ]
        z = np.sign(rows.z) * np.log1p(np.abs(rows.z))
        facts = np.broadcast_to(self._of_columns, (n, *self._of_columns.shape))
        columns_out = [surprises / 3.0, np.abs(z)[..., None], facts]
        return (
            np.concatenate(rows_out, axis=1),
            np.concatenate(columns_out, axis=2),
        )

    def own(self, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return what the network is given about some calibrating context rows."""
        return self.of(self.context.own(chosen))

    def _column_values(self, rows: Rows) -> tuple[FloatArray, ...]:
        """Return the numbers per column that are calibrated: each (n_rows, d)."""
        c, near, normal = self.context, rows.near.rows, rows.near_normal.rows
        by_z = differences(rows.z, c.z, near, _FEW)
        by_normal = differences(rows.normal, c.normal, normal, _FEW)
        residual, _ = c.linear.residuals(rows.z, own=rows.own)
        copula, _ = c.copula.residuals(rows.normal, own=rows.own)
        return rows.places.gap, by_z, by_normal, residual, copula

    def _column_surprises(
        self, rows: Rows, values: tuple[FloatArray, ...]
    ) -> FloatArray:
        """Return surprises per column, (n_rows, d, n_views)."""
        found = [
            tails.surprise(part, own=rows.own)
            for tails, part in zip(self._columns, values, strict=True)
        ]
        return np.stack([rows.places.tail(), rows.places.rarity(), *found], axis=2)

    def _row_values(self, rows: Rows, surprises: FloatArray) -> FloatArray:
        """Return the numbers per row that are calibrated, (n_rows, n_views)."""
        far = _distances(rows.near.distances, rows.near.rows, self._local)
        normal = _distances(
            rows.near_normal.distances, rows.near_normal.rows, self._local_normal
        )
        _, length = self.context.linear.residuals(rows.z, own=rows.own)
        _, of_copula = self.context.copula.residuals(rows.normal, own=rows.own)
        changes = fewest_changes(rows.z, self.context.z, rows.near.rows)
        parts = [
            *far, *normal, *self._white_distances(rows), changes, length, of_copula,
            *surprises.max(axis=1).T, *surprises.mean(axis=1).T,
        ]  # fmt: skip
        return np.stack(parts, axis=1)

    def _white_distances(self, rows: Rows) -> tuple[FloatArray, ...]:
        """Return L1 distances to the candidates on the principal axes."""
        white = rows.z @ self.context.linear.axes
        distances = manhattan(white, self.context.white, rows.near.rows)
        order = np.argsort(distances, axis=1, kind="stable")[:, :_FEW]
        near = np.take_along_axis(rows.near.rows, order, axis=1)
        nearest = np.take_along_axis(distances, order, axis=1)
        local = nearest[:, -1] / self._local_white[near].mean(axis=1)
        return nearest[:, 0], nearest[:, -1], local

    def _white_fifths(self) -> FloatArray:
        """Return each context row's fifth distance to its candidates."""
        c = self.context
        found = manhattan(c.white, c.white, c.near.rows)
        return np.partition(found, _FEW - 1, axis=1)[:, _FEW - 1]

    def _facts(self) -> tuple[FloatArray, FloatArray]:
        """Return facts about each column, (d, n_facts), and about the table."""
        c = self.context
        distinct = 1.0 + (np.diff(c.ordered, axis=1) > 0).sum(axis=1)
        coarse = np.log(distinct) / np.log(c.n + 1.0)
        mode = (c.places.equal.max(axis=0) + 1.0) / c.n
        tails = np.log1p((c.z**4).mean(axis=0)) / 4.0
        explained = c.linear.explained(), c.copula.explained()
        columns = np.stack([coarse, mode, tails, *explained], axis=1)
        first, last = c.near.distances[:, 0], c.near.distances[:, -1]
        growth = np.log((last + 1e-6) / (first + 1e-6)).clip(0.0, 5.0).mean() / 5.0
        table = [np.log(c.n) / 10.0, np.log(c.d) / 5.0, growth, (first == 0).mean()]
        return columns, np.concatenate([columns.mean(axis=0), table])


def _distances(
    distances: FloatArray, near: Int32Array, local: FloatArray
) -> tuple[FloatArray, ...]:
    """Return a row's first, fifth and mean distance, and its local outlier factor."""
    fifth = distances[:, _FEW - 1]
    factor = fifth / local[near[:, :_FEW]].mean(axis=1)
    return distances[:, 0], fifth, distances.mean(axis=1), factor
