"""Ridge regressions of each column on all other columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from odbench.arrays import FloatArray

# The least share of the identity in the correlation matrix.
_LEAST_RIDGE = 0.01


@dataclass(frozen=True, eq=False)
class Linear:
    """The regularised inverse of a correlation matrix.

    Attributes
    ----------
    precision : float64 array of shape (d, d)
    axes : float64 array of shape (d, d)
        Rows times `axes` have uncorrelated columns of about unit variance.
    share : float
        Weight of the rows' own correlation; the identity has the rest.
    n : int
        Number of context rows.
    """

    precision: FloatArray
    axes: FloatArray
    share: float
    n: int

    @classmethod
    def of(cls, rows: FloatArray) -> Self:
        """Learn from context rows, (n, d), each column centred, of unit variance."""
        n, d = rows.shape
        ridge = min(_LEAST_RIDGE + 0.5 * d / (n + d), 0.5)
        mixed = (1.0 - ridge) * (rows.T @ rows) / n + ridge * np.eye(d)
        values, vectors = np.linalg.eigh(mixed)
        axes = vectors / np.sqrt(np.maximum(values, 1e-9))
        return cls(axes @ axes.T, axes, 1.0 - ridge, n)

    def explained(self) -> FloatArray:
        """Return the share of each column's variance that the others explain."""
        return 1.0 - 1.0 / np.maximum(np.diag(self.precision), 1.0)

    def residuals(
        self, rows: FloatArray, *, own: bool
    ) -> tuple[FloatArray, FloatArray]:
        """Return each column's standardised residual, and each row's squared length.

        Parameters
        ----------
        rows : float64 array of shape (n_rows, d)
        own : bool
            Whether the rows belong to the context: each is then left out, by the
            usual formulas of leverage.

        Returns
        -------
        tuple of float64 arrays of shapes (n_rows, d) and (n_rows,)
            Absolute residuals; squared Mahalanobis lengths divided by d.
        """
        moved = rows @ self.precision
        diagonal = np.maximum(np.diag(self.precision), 1e-12)
        residual = np.abs(moved) / np.sqrt(diagonal)
        length = np.maximum((moved * rows).sum(axis=1), 0.0)
        if own:
            leverage = self.share * length / self.n
            without = self.share * residual**2 / self.n
            hat = leverage[:, None] - without + 1.0 / self.n
            residual = residual / np.maximum(1.0 - hat, 0.02)
            length = length / np.maximum(1.0 - leverage, 0.02)
        return residual, length / rows.shape[1]
