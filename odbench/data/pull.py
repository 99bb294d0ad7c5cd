"""Pull: bring what is not in the store into it, many at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from odbench.data.dataset import DatasetRecord
from odbench.data.family import with_families
from odbench.data.measure import measure
from odbench.data.store import Store, StoredDataset
from odbench.data.transports.choose import open_source
from odbench.data.transports.makers import Makers, is_made
from odbench.data.transports.source import Source, Tick
from odbench.errors import DataError, DiskFullError, ManifestError, TransportError
from odbench.suites import load_suites

Outcome = StoredDataset | DataError | TransportError | ManifestError
_JOBS = 4


class _Interrupted(BaseException):
    """Ends the transfers that are under way."""


def ensure(
    records: Sequence[DatasetRecord],
    *,
    mirror: Path | str | None = None,
    progress: bool = True,
    jobs: int = _JOBS,
    store: Store | None = None,
) -> Iterator[tuple[DatasetRecord, Outcome]]:
    """Yield every data set stored, fetching what is missing.

    Parameters
    ----------
    records : sequence of DatasetRecord
        Of one suite or several.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default, else the hub.
    progress : bool
        Whether to draw a bar on stderr while something is fetched.
    jobs : int
        How many are fetched at a time. Generated ones are made in processes, one a
        core at most.
    store : Store, optional
        `Store.default` by default.

    Yields
    ------
    (DatasetRecord, StoredDataset or an OdbenchError)
        What is there first, then the others as they come; a failure (a file that is
        not delivered, is broken, or has a name that no file may have) is yielded, so
        that the others go on.

    Raises
    ------
    DiskFullError
        If there is no space left: the others would fail too.
    """
    place = store or Store.default()
    absent = []
    for record in records:
        stored = place.find(record)
        if stored is None:
            absent.append(record)
        else:
            yield record, stored
    if absent:
        yield from _fetch_all(absent, place, mirror, progress=progress, jobs=jobs)


def _fetch_all(
    records: Sequence[DatasetRecord],
    store: Store,
    mirror: Path | str | None,
    *,
    progress: bool,
    jobs: int,
) -> Iterator[tuple[DatasetRecord, Outcome]]:
    """Fetch with a pool of threads and a bar; make generated sets in processes."""
    from odbench.data.bar import Bar

    sources = _Sources(mirror)
    stop = threading.Event()
    makers = Makers(records, jobs)
    bar = Bar(len(records), visible=progress)

    def tick(count: int) -> None:
        if stop.is_set():
            raise _Interrupted
        bar.add_bytes(count)

    def task(record: DatasetRecord) -> StoredDataset:
        tick(0)
        if is_made(record):
            return makers.do(_make, record, store)
        return fetch(record, sources.of(record), store, tick=tick)

    pool = ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="pull")
    futures: dict[Future[StoredDataset], DatasetRecord] = {}
    try:
        for record in records:
            futures[pool.submit(task, record)] = record
        while futures:
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                record = futures.pop(future)
                outcome = _outcome(future, record)
                bar.step(failed=not isinstance(outcome, StoredDataset))
                yield record, outcome
    finally:
        # Also when the caller stops early: what is under way ends at its next byte.
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        makers.close()
        bar.close()


def _make(record: DatasetRecord, store: Store) -> StoredDataset:
    """Make one generated data set; may run in a process that knows nothing else."""
    source = open_source(load_suites()[record.suite])
    return fetch(record, source, store, tick=lambda _: None)


def _outcome(future: Future[StoredDataset], record: DatasetRecord) -> Outcome:
    """Return a result or the failure of one data set; only a full disk is raised."""
    try:
        return future.result()
    except DiskFullError:
        raise
    except (DataError, TransportError, ManifestError) as error:
        return error
    except Exception as error:
        # Files come from anywhere: what nobody thought of costs one data set, too.
        msg = (
            f"data set {record.id}: {record.path!r} cannot be used "
            f"({type(error).__name__}: {str(error)[:200]}); please report it"
        )
        failure = DataError(msg)
        failure.__cause__ = error
        return failure


class _Sources:
    """Every suite's source, opened once, by whichever thread comes first."""

    def __init__(self, mirror: Path | str | None) -> None:
        self._mirror = mirror
        self._lock = threading.Lock()
        self._opened: dict[str, Source | TransportError] = {}

    def of(self, record: DatasetRecord) -> Source:
        """Return the source of a record's suite."""
        with self._lock:
            if record.suite not in self._opened:
                suite = load_suites()[record.suite]
                try:
                    source = open_source(suite, mirror=self._mirror)
                    self._opened[record.suite] = source
                except TransportError as error:
                    self._opened[record.suite] = error
            source_or_error = self._opened[record.suite]
        if isinstance(source_or_error, TransportError):
            raise source_or_error
        return source_or_error


def fetch(
    record: DatasetRecord, source: Source, store: Store, *, tick: Tick
) -> StoredDataset:
    """Fetch one data set into the store, unless another process just did."""
    with store.lock(record):
        stored = store.find(record)
        if stored is not None:
            return stored
        obtained = source.obtain(record, tick=tick)
        if not record.content_sha256:
            (record,) = with_families([measure(record, obtained)])
        provenance = {**obtained.provenance, "source": source.label}
        return store.put(record, obtained.raw, provenance=provenance)
