"""Pull: bring missing data sets into the store, several at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from odbench.data.dataset import DatasetRecord
from odbench.data.family import with_families
from odbench.data.intact import find_intact, find_locked
from odbench.data.measure import complete, measure
from odbench.data.mirrored import stored_copy
from odbench.data.own import content_step
from odbench.data.store import Store, StoredDataset
from odbench.data.transports.choose import Sources, open_source
from odbench.data.transports.makers import Makers, is_made
from odbench.data.transports.source import Source, Tick
from odbench.errors import (
    DataError,
    DiskFullError,
    ManifestError,
    StoreError,
    TransportError,
)
from odbench.suites import load_suites

logger = logging.getLogger("odbench")

Outcome = StoredDataset | DataError | TransportError | ManifestError
_JOBS = 4


class _Interrupted(BaseException):
    """Raised inside running transfers to end them."""


def ensure(
    records: Sequence[DatasetRecord],
    *,
    mirror: Path | str | None = None,
    progress: bool = True,
    jobs: int = _JOBS,
    store: Store | None = None,
    sources: Sources | None = None,
) -> Iterator[tuple[DatasetRecord, Outcome]]:
    """Yield every data set from the store, fetching the missing and damaged ones.

    Parameters
    ----------
    records : sequence of DatasetRecord
        Data sets of one suite or several.
    mirror : Path or str, optional
        A mirror's folder; ``ODBENCH_MIRROR`` by default, otherwise the hub.
    progress : bool
        Whether to draw a bar on stderr while data sets are fetched.
    jobs : int
        Number of data sets fetched at a time. Generated ones are made in processes,
        at most one per core.
    store : Store, optional
        `Store.default` by default.
    sources : Sources, optional
        The run's open sources, used instead of `mirror`.

    Yields
    ------
    (DatasetRecord, StoredDataset or an OdbenchError)
        First those in the store, then the others as they arrive. A failure (a file
        that is not delivered or is broken, or an unsafe name) is yielded, so that the
        others go on.

    Raises
    ------
    DiskFullError
        If no space is left: the others would fail too.
    """
    place = store or Store.default()
    absent = []
    for record in records:
        try:
            stored = find_intact(place, record)
        except DiskFullError:
            raise
        except StoreError as error:
            yield record, error
            continue
        if stored is None:
            absent.append(record)
        else:
            yield record, stored
    if absent:
        sources = sources or Sources(mirror)
        yield from _fetch_all(absent, place, sources, progress=progress, jobs=jobs)


def _fetch_all(
    records: Sequence[DatasetRecord],
    store: Store,
    sources: Sources,
    *,
    progress: bool,
    jobs: int,
) -> Iterator[tuple[DatasetRecord, Outcome]]:
    """Fetch with threads and a progress bar; make generated sets in processes."""
    from odbench.data.bar import Bar

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
        source = sources.of(load_suites()[record.suite])
        return fetch(record, source, store, tick=tick)

    pool = ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="pull")
    # `concurrent.futures.wait` locks every future. An interrupt leaves them locked
    # and the threads waiting for ever; a SimpleQueue holds no such lock.
    finished: SimpleQueue[Future[StoredDataset]] = SimpleQueue()
    futures: dict[Future[StoredDataset], DatasetRecord] = {}
    try:
        for record in records:
            future = pool.submit(task, record)
            futures[future] = record
            future.add_done_callback(finished.put)
        while futures:
            future = finished.get()
            record = futures.pop(future)
            outcome = _outcome(future, record)
            bar.step(failed=not isinstance(outcome, StoredDataset))
            yield record, outcome
    finally:
        # Runs also when the caller stops early: a transfer ends at its next chunk.
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        makers.close()
        bar.close()


def _make(record: DatasetRecord, store: Store) -> StoredDataset:
    """Make one generated data set; may run in another process."""
    source = open_source(load_suites()[record.suite])
    return fetch(record, source, store, tick=lambda _: None)


def _outcome(future: Future[StoredDataset], record: DatasetRecord) -> Outcome:
    """Return one data set's result or failure; only a full disk is raised."""
    try:
        return future.result()
    except DiskFullError:
        raise
    except (DataError, TransportError, ManifestError) as error:
        return error
    except Exception as error:
        # A file from anywhere may fail in an unforeseen way; only it is skipped.
        msg = (
            f"data set {record.id}: {record.path!r} cannot be used "
            f"({type(error).__name__}: {str(error)[:200]}); please report it"
        )
        failure = DataError(msg)
        failure.__cause__ = error
        return failure


def fetch(
    record: DatasetRecord, source: Source, store: Store, *, tick: Tick
) -> StoredDataset:
    """Fetch one data set into the store, unless another process just stored it."""
    with store.lock(record):
        stored = find_locked(store, record)
        if stored is not None:
            return stored
        obtained = source.obtain(record, tick=tick)
        pinned = bool(record.content_sha256)
        before = None if pinned else _origin_of_copy(record, store)
        if pinned:
            record = complete(record, obtained.raw)
        else:
            (record,) = with_families([measure(record, obtained)])
        provenance = {**obtained.provenance, "source": source.label}
        stored = store.put(
            record,
            obtained.raw,
            provenance=provenance,
            seen=obtained.seen,
            step=content_step(record.suite),
        )
    if before is not None:
        _tell_changed(record, before, source.label)
    return stored


def _origin_of_copy(record: DatasetRecord, store: Store) -> str | None:
    """Return the source of the copy that will be replaced, or None without one."""
    if stored_copy(record, store) is None:
        return None
    return str(store.provenance(record).get("source", ""))


def _tell_changed(record: DatasetRecord, before: str, now: str) -> None:
    if before == now:
        logger.warning(
            "data set %s: the file in %s has changed; measured anew", record.id, now
        )
    else:
        logger.warning(
            "data set %s: the file in %s is another one than that from %s; measured "
            "anew",
            record.id,
            now,
            before or "an unknown source",
        )
