"""Libraries start no more threads than this machine allows."""

import errno

import pyarrow as pa
import pytest

from odbench import threads
from odbench.data.features import read_features
from odbench.data.store_files import read_labels
from odbench.errors import NoProcessesError


@pytest.fixture
def pools():
    """Forget earlier checks, and restore the sizes of Arrow's pools."""
    sizes = pa.cpu_count(), pa.io_thread_count()
    threads.spare_threads.cache_clear()
    yield
    threads.spare_threads.cache_clear()
    pa.set_cpu_count(sizes[0])
    pa.set_io_thread_count(sizes[1])


def test_as_many_threads_are_counted_as_start():
    assert threads.startable(5) == 5


@pytest.mark.parametrize(("room", "cpu"), [(3, 1), (4, 1), (6, 3), (15, 4)])
def test_arrow_gets_the_threads_that_may_start(pools, monkeypatch, room, cpu):
    pa.set_cpu_count(4)
    pa.set_io_thread_count(8)
    monkeypatch.setattr(threads, "startable", lambda most: min(room, most))

    threads.spare_threads()

    assert pa.cpu_count() == cpu
    assert pa.io_thread_count() == (8 if room == 15 else 1)
    assert pa.cpu_count() + pa.io_thread_count() < room or room == 3


def test_a_machine_without_a_thread_is_named_with_the_cure(pools, monkeypatch):
    monkeypatch.setattr(threads, "startable", lambda _most: 0)

    with pytest.raises(NoProcessesError, match=r"0 more may be started.*ulimit -u"):
        threads.spare_threads()


def test_a_stored_file_that_no_thread_can_read_is_not_called_damaged(
    monkeypatch, tmp_path
):
    def refused(*_args, **_options):
        msg = "Unknown error: Failed to launch worker thread: Resource temporarily"
        raise OSError(msg)

    monkeypatch.setattr(pa.ipc, "open_file", refused)
    file = tmp_path / "stored.arrow"
    file.write_bytes(b"anything")

    for read in (read_labels, read_features):
        with pytest.raises(NoProcessesError, match=r"to read .*raise `ulimit -u`"):
            read(file)


@pytest.mark.parametrize(
    ("error", "room", "expected"),
    [
        (RuntimeError("can't start new thread"), 9, True),
        (OSError("Failed to launch worker thread: Resource"), 9, True),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), 0, True),
        # A pipe that nobody reads.
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), 9, False),
        (RuntimeError("no such detector"), 0, False),
    ],
)
def test_a_lack_of_processes_is_known(monkeypatch, error, room, expected):
    monkeypatch.setattr(threads, "startable", lambda most: min(room, most))

    assert threads.is_lack_of_processes(error) is expected
