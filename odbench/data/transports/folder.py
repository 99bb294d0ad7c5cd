"""Read the data files of a suite's own folder; nothing outside of it is read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.own import DATA, is_inside
from odbench.data.transports.mirror import Mirror
from odbench.errors import TransportError
from odbench.suites import Suite


class Folder(Mirror):
    """The files of a suite that `odbench.data.own.open_suite` opened.

    Parameters
    ----------
    suite : Suite
        Its ``root`` is the folder.

    Raises
    ------
    TransportError
        If the folder has no ``data``, or that is a link out of it.
    """

    def __init__(self, suite: Suite) -> None:
        super().__init__(Path(suite.root), suite)

    @property
    def label(self) -> str:
        """The folder, for messages."""
        return f"folder {str(self.folder)!r}"

    def _find(self, others: Collection[str]) -> Path:  # noqa: ARG002
        data = self.root / DATA
        if not data.is_dir() or not is_inside(data, self.root):
            msg = (
                f"suite {self.suite.name}: {str(data)!r} is not a folder in it; put "
                f"the npz files there, or run `odbench suites new`"
            )
            raise TransportError(msg)
        return self.root

    def _missing(self, record: DatasetRecord) -> TransportError:
        msg = (
            f"data set {record.id}: {record.path!r} is not a file in {self.label}; put "
            f"the npz file there"
        )
        return TransportError(msg)

    def file(self, record: DatasetRecord) -> Path:
        """Return the path of a data set's file.

        Raises
        ------
        TransportError
            If it is missing, or a link out of the folder.
        """
        file = super().file(record)
        if not is_inside(file, self.root):
            msg = (
                f"data set {record.id}: {record.path!r} is a link out of {self.label}; "
                f"copy the file there"
            )
            raise TransportError(msg)
        return file
