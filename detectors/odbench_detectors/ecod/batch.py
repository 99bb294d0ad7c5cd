"""The tail that PyOD's ECOD takes for each column of stacked rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from odbench_detectors.shared.columns import Floats


def stacked_tails(stack: Floats) -> NDArray[np.int8]:
    """Choose each column's tail by the sign of its skewness.

    Parameters
    ----------
    stack : array of shape (n_rows, n_columns)
        Train rows, then scored rows.

    Returns
    -------
    int8 array of shape (n_columns,)
        -1 left, 1 right, 0 where scipy's skewness is 0 or undefined: PyOD then adds
        both tails.
    """
    import warnings

    from scipy.stats import skew

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        signs = np.sign(np.nan_to_num(skew(stack, axis=0)))
    return signs.astype(np.int8)
