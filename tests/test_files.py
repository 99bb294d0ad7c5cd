"""Files are written completely or not at all, and each errno has one meaning."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from odbench.files import (
    is_disk_fault,
    is_full,
    is_local,
    is_stream,
    is_wrong_place,
    whole_file,
    whole_files,
    write_bytes,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_a_block_that_ends_well_replaces_the_file(tmp_path, durable):
    file = tmp_path / "a.txt"

    write_text(file, "one\r\n", durable=durable)
    write_text(file, "zwei ü\n", durable=durable)

    assert file.read_bytes() == "zwei ü\n".encode()
    assert names(file.parent) == ["a.txt"]


def test_a_block_that_raises_leaves_the_file_as_it_was(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"before")

    def break_midway():
        with whole_file(file) as sink:
            sink.write(b"half")
            msg = "midway"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="midway"):
        break_midway()

    assert file.read_bytes() == b"before"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    def read_another():
        with whole_file(tmp_path / "a.txt"):
            (tmp_path / "other.txt").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        read_another()

    assert caught.value.filename == str(tmp_path / "other.txt")
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_file_as_it_was(small_disk):
    file = small_disk / "a.bin"
    file.write_bytes(b"before")

    with pytest.raises(OSError) as caught:
        write_bytes(file, os.urandom(3 << 20))

    assert is_full(caught.value)
    assert caught.value.filename == str(file)
    assert file.read_bytes() == b"before"
    assert names(small_disk) == ["a.bin"]


def test_the_longest_name_can_be_written(tmp_path):
    file = tmp_path / ("ü" * 127)

    write_bytes(file, b"x")

    assert names(tmp_path) == [file.name]


def test_several_files_change_together_or_not_at_all(small_disk):
    first, second = small_disk / "a", small_disk / "b"
    first.write_bytes(b"before")

    with (
        pytest.raises(OSError) as caught,
        whole_files({first: b"after", second: os.urandom(3 << 20)}),
    ):
        pytest.fail("the block must not run when the files do not fit")

    assert is_full(caught.value)
    assert first.read_bytes() == b"before"
    assert names(small_disk) == ["a"]


def test_several_files_wait_for_the_block(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"

    with whole_files({first: b"1", second: b"2"}):
        assert not first.exists()
        assert not second.exists()

    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert names(tmp_path) == ["a", "b"]


# Each row: full, disk fault, wrong place, local.
MEANINGS = {
    errno.ENOSPC: (True, True, False, True),
    errno.EDQUOT: (True, True, False, True),
    errno.EFBIG: (False, True, False, False),
    errno.EIO: (False, True, False, False),
    errno.EACCES: (False, False, True, True),
    errno.EROFS: (False, False, True, True),
    errno.ENOENT: (False, False, True, False),
    errno.ENAMETOOLONG: (False, False, True, True),
    errno.ELOOP: (False, False, True, False),
    errno.ECONNRESET: (False, False, False, False),
}


@pytest.mark.parametrize(("code", "meaning"), MEANINGS.items())
def test_an_errno_has_one_meaning(code, meaning):
    error = OSError(code, os.strerror(code))

    found = (
        is_full(error),
        is_disk_fault(error),
        is_wrong_place(error),
        is_local(error),
    )

    assert found == meaning


def test_other_exceptions_mean_nothing_about_the_disk():
    assert not is_full(ValueError("no space"))
    assert not is_disk_fault(OSError("without a number"))


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()

    write_bytes(pipe, b"content")
    reader.join()

    assert read == [b"content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_a_device_is_written_to_and_stays():
    master, slave = os.openpty()
    device = Path(os.ttyname(slave))

    write_bytes(device, b"content")

    assert os.read(master, 100) == b"content"
    assert stat.S_ISCHR(device.stat().st_mode)
    os.close(slave)
    os.close(master)


def test_files_folders_and_names_without_a_file_are_no_streams(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")

    for name in ("file", "link", "nothing", "."):
        assert not is_stream(tmp_path / name)
