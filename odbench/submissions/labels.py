"""The maintainer's labels: read when they are scored against, never shown.

No message of this module carries a label, a count of labels or a part of a label file:
messages end up in logs, in bug reports and in answers to submitters.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from odbench.arrays import LabelArray
from odbench.errors import SubmissionError
from odbench.submissions.dataset_list import ExpectedSet, SetList


class LabelFolder:
    """A folder with one file of labels a data set.

    ``<folder>/<suite>/<data set>.npy`` or, for a folder of one suite,
    ``<folder>/<data set>.npy``: an int8 array of shape (n_test,), 1 = anomaly, in the
    order of the data set's test rows.

    Parameters
    ----------
    folder : Path
    sets : SetList
        The data sets that must be there.

    Raises
    ------
    SubmissionError
        If a file is missing.
    """

    def __init__(self, folder: Path, sets: SetList) -> None:
        nested = folder / sets.suite
        self._folder = nested if nested.is_dir() else folder
        self._sets = sets
        for name in sets.by_name:
            if not self._file(name).is_file():
                msg = (
                    f"labels {str(self._folder)!r}: no file {name + '.npy'!r}; wanted "
                    f"one for each of the {len(sets.sets)} data sets of the list"
                )
                raise SubmissionError(msg)

    def read(self, expected: ExpectedSet) -> LabelArray:
        """Return the labels of one data set.

        Parameters
        ----------
        expected : ExpectedSet
            One of the list.

        Returns
        -------
        int8 array of shape (n_test,)
            0 and 1, both of them.

        Raises
        ------
        SubmissionError
            If the file is anything else; it says which file, not what is in it.
        """
        file = self._file(expected.dataset)
        try:
            labels = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            labels = None
        if (
            not isinstance(labels, np.ndarray)
            or labels.dtype != np.int8
            or labels.shape != (expected.n_test,)
            or not ((labels == 0) | (labels == 1)).all()
            or not 0 < np.count_nonzero(labels) < labels.size
        ):
            msg = (
                f"labels {str(file)!r}: wanted an int8 array of shape "
                f"({expected.n_test},) of 0 and 1, both of them; write it again"
            )
            raise SubmissionError(msg)
        found: LabelArray = labels
        return found

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npy"
