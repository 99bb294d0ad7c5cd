"""The maintainer's hidden labels: read for scoring, never shown.

No message of this module contains a label, a count of labels or a part of a label file,
because messages end up in logs, bug reports and answers to submitters.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from odbench.arrays import LabelArray
from odbench.errors import SubmissionError
from odbench.submissions.dataset_list import DatasetList, ExpectedDataset
from odbench.submissions.score_bytes import read_vector


class LabelFolder:
    """A folder with one label file per data set.

    ``<folder>/<suite>/<data set>.npy`` or, for a folder of one suite,
    ``<folder>/<data set>.npy``: an int8 array of shape (n_test,), 1 = anomaly, in the
    order of the data set's test rows.

    Parameters
    ----------
    folder : Path
        The folder.
    sets : DatasetList
        The data sets; each must have a label file.

    Raises
    ------
    SubmissionError
        If a file is missing.
    """

    def __init__(self, folder: Path, sets: DatasetList) -> None:
        if not folder.is_dir():
            msg = (
                f"labels {str(folder)!r}: no such folder; wanted one with a .npy file "
                f"per data set, for {len(sets.sets)} data sets"
            )
            raise SubmissionError(msg)
        nested = folder / sets.suite
        self._folder = nested if nested.is_dir() else folder
        self._sets = sets
        for name in sets.by_name:
            if not self._file(name).is_file():
                msg = (
                    f"labels {str(self._folder)!r}: no file {name + '.npy'!r}; wanted "
                    f"one for each of the {len(sets.sets)} data sets in the list"
                )
                raise SubmissionError(msg)

    def read(self, expected: ExpectedDataset) -> LabelArray:
        """Return the labels of one data set.

        Parameters
        ----------
        expected : ExpectedDataset
            A data set of the list.

        Returns
        -------
        int8 array of shape (n_test,)
            1 = anomaly, 0 = inlier; both occur.

        Raises
        ------
        SubmissionError
            If the file is malformed; the message names it and omits its content.
        """
        file = self._file(expected.dataset)
        try:
            labels = read_vector(file, expected.n_test, ("|i1",))
        except OSError:
            labels = None
        if (
            labels is None
            or not ((labels == 0) | (labels == 1)).all()
            or not 0 < np.count_nonzero(labels) < labels.size
        ):
            msg = (
                f"labels {str(file)!r}: wanted an int8 array of shape "
                f"({expected.n_test},) that contains both 0 and 1 and nothing else; "
                f"write it again"
            )
            raise SubmissionError(msg)
        found: LabelArray = labels
        return found

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npy"
