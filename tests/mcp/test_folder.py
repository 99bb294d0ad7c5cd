"""A client opens regular files of one folder, and no others."""

import os
import socket
from pathlib import Path

import pytest

from odbench.errors import UsageError
from odbench.mcp.folder import Folder
from odbench.mcp.tasks import explain_row


@pytest.fixture
def world(tmp_path):
    """A folder with tables, and a secret beside it."""
    inside = tmp_path / "inside"
    (inside / "deeper").mkdir(parents=True)
    (inside / "table.csv").write_text("a,b\n1,2\n")
    (inside / "deeper" / "other.parquet").write_bytes(b"PAR1")
    (tmp_path / "secret.csv").write_text("secret\n")
    return tmp_path


@pytest.fixture
def folder(world):
    return Folder(world / "inside", most_bytes=1 << 20)


def content(folder, name):
    return Path(folder.open(name)).read_text()


@pytest.mark.parametrize("name", ["table.csv", "./table.csv", "deeper/../table.csv"])
def test_files_of_the_folder_are_read(folder, name):
    if ".." in name:
        with pytest.raises(UsageError, match="outside"):
            folder.open(name)
        return
    assert content(folder, name) == "a,b\n1,2\n"


def test_an_absolute_path_in_the_folder_is_read(folder, world):
    assert content(folder, str(world / "inside" / "table.csv")) == "a,b\n1,2\n"


def test_a_link_that_stays_inside_is_followed(folder, world):
    (world / "inside" / "deeper" / "link.csv").symlink_to("../table.csv")

    assert content(folder, "deeper/link.csv") == "a,b\n1,2\n"


OUTSIDE = {
    "parent": "../secret.csv",
    "up and down": "deeper/../../secret.csv",
    "absolute": "{world}/secret.csv",
    "sibling of the same beginning": "{world}/inside2/secret.csv",
    "link": "link.csv",
    "link to a folder": "linked/secret.csv",
    "link to a link": "twice.csv",
    "device": "zero.csv",
    "process": "/proc/self/environ",
    "descriptor": "/dev/fd/0",
    "home": "~/secret.csv",
    "zero byte": "table.csv\0",
    "nothing": "",
    "long": "x" * 1000 + ".csv",
    "loop": "loop.csv",
    "missing": "none.csv",
}


@pytest.mark.parametrize("name", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_everything_else_is_refused_in_one_line(folder, world, name):
    inside = world / "inside"
    (world / "inside2").mkdir()
    (world / "inside2" / "secret.csv").write_text("secret\n")
    (inside / "link.csv").symlink_to(world / "secret.csv")
    (inside / "linked").symlink_to(world)
    (inside / "twice.csv").symlink_to("link.csv")
    (inside / "zero.csv").symlink_to("/dev/zero")
    (inside / "loop.csv").symlink_to("loop.csv")

    with pytest.raises(UsageError, match="list_tables") as refused:
        folder.open(name.format(world=world))

    assert "\n" not in str(refused.value)
    assert "secret\n" not in str(refused.value)


def test_pipes_sockets_and_folders_are_refused_without_waiting(folder, world):
    os.mkfifo(world / "inside" / "pipe.csv")
    (world / "inside" / "folder.csv").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(world / "inside" / "socket.csv"))

    for name in ("pipe.csv", "socket.csv", "folder.csv"):
        with pytest.raises(UsageError, match="not a regular file"):
            folder.open(name)


def test_hidden_large_and_other_files_are_refused(folder, world):
    (world / "inside" / ".env.csv").write_text("KEY=1\n")
    (world / "inside" / "id_rsa").write_text("key\n")
    (world / "inside" / "large.csv").write_bytes(b"x" * ((1 << 20) + 1))
    (world / "inside" / "shown.csv").symlink_to(".env.csv")

    for name, why in {
        ".env.csv": "hidden",
        "shown.csv": "hidden",
        "id_rsa": "is not one of",
        "large.csv": "more than the 1",
    }.items():
        with pytest.raises(UsageError, match=why):
            folder.open(name)


def test_a_folder_with_labels_stays_closed(world):
    labels = world / "inside" / "deeper"
    folder = Folder(world / "inside", most_bytes=1 << 20, closed=[labels])

    with pytest.raises(UsageError, match="outside"):
        folder.open("deeper/other.parquet")
    assert [each["table"] for each in folder.tables()] == ["table.csv"]


def test_a_link_put_in_place_after_the_check_is_not_followed(
    folder, world, monkeypatch
):
    check = Folder._inside

    def swapped(self, name, step):
        parts = check(self, name, step)
        (world / "inside" / "table.csv").unlink()
        (world / "inside" / "table.csv").symlink_to(world / "secret.csv")
        return parts

    monkeypatch.setattr(Folder, "_inside", swapped)

    with pytest.raises(UsageError, match="cannot be opened"):
        folder.open("table.csv")


def test_tables_are_listed_without_links_and_hidden_files(folder, world):
    (world / "inside" / "link.csv").symlink_to(world / "secret.csv")
    (world / "inside" / ".hidden.csv").write_text("a\n")
    (world / "inside" / ".git").mkdir()
    (world / "inside" / ".git" / "in.csv").write_text("a\n")
    (world / "inside" / "notes.md").write_text("a\n")

    assert folder.tables() == [
        {"table": "deeper/other.parquet", "bytes": 4},
        {"table": "table.csv", "bytes": 8},
    ]


def test_a_row_is_explained_by_its_number_in_the_file(world, folder):
    lines = [f"{k % 7},{k % 5}" for k in range(40)]
    text = "\n".join(["a,b", *lines[:9], "a,b", *lines[9:], "90,80"])
    (world / "inside" / "joined.csv").write_text(text)
    asked = {"table": "joined.csv", "reference": "", "detector": "knn",
             "id_column": "", "ignore": [], "fdr": 0.1}  # fmt: skip

    told = explain_row(folder, row=41, **asked)

    assert (told["row"], told["rank"]) == (41, 1)
    assert told["values"] == {"a": "90", "b": "80"}
    for row, words in ((9, "repeats the header"), (42, "has rows 0 to 41")):
        with pytest.raises(UsageError, match=words):
            explain_row(folder, row=row, **asked)
