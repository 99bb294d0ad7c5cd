"""Exceptions raised by odbench.

* OdbenchError
  + UsageError            the call is wrong: an unknown name, an impossible option
  + ManifestError         a manifest is malformed
  + UnknownDatasetError   no manifest and no listing has that name
  + DataError             a file is not what its format promises
    - ArchiveError        a downloaded archive is broken, oversized or hostile
    - HashMismatchError   content differs from its pin
    - StoreError          a file of the cache is broken or cannot be written
      . DiskFullError     no space is left
  + TransportError        a hub or a mirror did not deliver
  + DetectorError         a detector breaks the contract or cannot be built
    - UnknownDetectorError  nothing installed has that name
    - MissingExtraError     a detector's optional dependency is not installed
      . MissingWeightsError a detector's trained weights are not on this machine
  + ResultsError          a results file is broken or of another schema
  + SubmissionError       a submission is malformed or hostile
  + RunLockedError        another process writes to the same folder
  + NoProcessesError      no more threads or processes may be started
  + RunBrokenError        a run cannot go on: a full disk, a pool that keeps dying

The command line prints an ``OdbenchError`` as one line and returns 2, or 1 for a
``RunBrokenError`` and for a ``DiskFullError``. Anything else is a
bug and keeps its traceback.
"""


class OdbenchError(Exception):
    """Base of everything that odbench raises on purpose."""


class UsageError(OdbenchError):
    """The call is wrong: an unknown name, an impossible option."""


class ManifestError(OdbenchError):
    """A manifest is malformed."""


class UnknownDatasetError(OdbenchError):
    """No manifest and no listing has that name."""


class DataError(OdbenchError):
    """A file is not what its format promises."""


class ArchiveError(DataError):
    """A downloaded archive is broken, oversized or hostile."""


class HashMismatchError(DataError):
    """Content differs from its pin."""


class StoreError(DataError):
    """A file of the cache is broken or cannot be written."""


class DiskFullError(StoreError):
    """No space is left: going on with the next file is of no use."""


class TransportError(OdbenchError):
    """A hub or a mirror did not deliver."""


class DetectorError(OdbenchError):
    """A detector breaks the contract or cannot be built."""


class UnknownDetectorError(DetectorError):
    """Nothing installed has that name."""


class MissingExtraError(DetectorError):
    """A detector's optional dependency is not installed."""


class MissingWeightsError(MissingExtraError):
    """A detector's trained weights are not on this machine."""


class ResultsError(OdbenchError):
    """A results file is broken or of another schema."""


class SubmissionError(OdbenchError):
    """A submission is malformed or hostile."""


class RunLockedError(OdbenchError):
    """Another process writes to the same folder."""


class NoProcessesError(OdbenchError):
    """No more threads or processes may be started: a limit is too low."""


class RunBrokenError(OdbenchError):
    """A run cannot go on: a full disk, a dying pool, no data set to be had."""
