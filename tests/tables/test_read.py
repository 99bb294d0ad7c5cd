"""Reading tables however they are written, and one clear line for what cannot be."""

import bz2
import datetime as dt
import decimal
import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import dataset, feather, parquet

from odbench.errors import DataError, OdbenchError, UsageError
from odbench.tables import json_array, spaced, text_table
from odbench.tables.json_array import ObjectLines
from odbench.tables.json_lines import read_json_lines
from odbench.tables.read import read_source
from odbench.tables.roles import infer_roles
from odbench.tables.sample import take_rows
from odbench.tables.source import row_numbers
from odbench.tables.streams import open_bytes
from odbench.tables.values import as_numbers

ROWS = {"name": ["a", "b"], "amount": ["1.5", "2"]}


def read(tmp_path, content: bytes, name: str = "t.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return read_source(path)


@pytest.mark.parametrize(
    "text",
    [
        "name,amount\na,1.5\nb,2\n",
        "name;amount\na;1.5\nb;2\n",
        "name\tamount\na\t1.5\nb\t2\n",
        "name|amount\na|1.5\nb|2",
        "name,amount\r\na,1.5\r\nb,2\r\n",
        "name,amount\r\ra,1.5\rb,2\r",
        '"name","amount"\n"a","1.5"\n"b","2"\n',
        "name,amount\n\na,1.5\n\nb,2\n",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_line_ends_and_encodings_are_found_out(tmp_path, text, codec):
    source = read(tmp_path, text.encode(codec))

    assert source.table().to_pydict() == ROWS
    assert source.n_rows == 2


def test_letters_of_older_encodings_are_kept(tmp_path):
    source = read(tmp_path, "städte,n\nKöln,1\nŠibenik,2\n".encode("cp1252"))

    assert source.names == ("städte", "n")
    assert source.table()["städte"].to_pylist() == ["Köln", "Šibenik"]


def test_cells_with_delimiters_quotes_and_line_breaks(tmp_path):
    source = read(tmp_path, b'a,b\n"x,\ny",2\n"say ""hi""",3\n')

    assert source.table().to_pydict() == {"a": ["x,\ny", 'say "hi"'], "b": ["2", "3"]}


def test_a_comma_in_the_cells_of_a_table_with_semicolons_is_no_delimiter(tmp_path):
    text = "a;b;c\n" + "1,5;2,5;x,y\n" * 20

    source = read(tmp_path, text.encode())

    assert source.names == ("a", "b", "c")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_names_the_delimiter_is_obeyed(tmp_path, codec, end):
    text = end.join(["sep=;", "name;amount", "a;1.5", "b;2", ""])

    assert read(tmp_path, text.encode(codec)).table().to_pydict() == ROWS


@pytest.mark.parametrize(
    "text",
    [
        "who\nSmith, John\nDoe, Jane\nRoe, Max\n",
        "start time\n2026-01-01 10:00\n2026-01-02 11:30\n",
        "amount\n1,5\n2,25\n3,0\n",
        "[a]\n1\n2\n3\n",
        "note\na, b, and c\nshort\nyes, no\nlong one, with two\n",
    ],
)
def test_a_single_column_with_commas_or_spaces_stays_one(tmp_path, text):
    source = read(tmp_path, text.encode())

    assert len(source.names) == 1
    assert source.table()[0].to_pylist() == text.splitlines()[1:]


def test_empty_lines_of_a_single_column_are_missing_values(tmp_path):
    source = read(tmp_path, b"a\n1\n\n3\n")

    assert source.table().to_pydict() == {"a": ["1", "", "3"]}


def test_repeated_and_empty_names_get_names_of_their_own(tmp_path):
    source = read(tmp_path, b"a,a,,a (2)\n1,2,3,4\n")

    assert source.names == ("a", "a (3)", "column 3", "a (2)")
    assert "column name 'a' is given twice; read as 'a (3)'" in source.notes


def test_a_table_without_header_keeps_its_first_row(tmp_path):
    source = read(tmp_path, b"1,2\n3,4\n")

    assert source.names == ("column 1", "column 2")
    assert source.n_rows == 2
    assert "the first row looks like data" in source.notes[0]


def test_a_first_row_whose_numbers_come_again_below_is_data(tmp_path):
    rows = [f"R{n},{n % 3:02d},County {n},2009,{n * 7}" for n in range(1, 40)]

    source = read(tmp_path, "\n".join(rows).encode())

    assert source.n_rows == 39
    assert "the first row looks like data" in source.notes[0]


@pytest.mark.parametrize("names", [",0,1", '"","1","2","3"', "0,1,2,3,4"])
def test_a_first_row_that_counts_the_columns_is_a_header(tmp_path, names):
    width = names.count(",") + 1
    rows = [",".join(str((n * 7 + 3) % 50) for _ in range(width)) for n in range(20)]

    source = read(tmp_path, "\n".join([names, *rows]).encode())

    assert source.n_rows == 20
    assert source.names[1:] == tuple(names.replace('"', "").split(","))[1:]


def test_numbers_in_quotes_above_numbers_are_a_header(tmp_path):
    rows = [f'"{n}",{n % 3},{n % 5}' for n in range(20)]

    source = read(tmp_path, "\n".join(['"","142.24","144.78"', *rows]).encode())

    assert source.names == ("column 1", "142.24", "144.78")


@pytest.mark.parametrize("names", ["user,1,2,3,4,5", "user,3,1,2,4", "user,2001,2002"])
def test_numbers_that_count_are_names_even_if_they_are_values(tmp_path, names):
    width = names.count(",")
    rows = [
        ",".join([f"u{n}", *(str(1 + (n + k) % 5) for k in range(width))])
        for n in range(30)
    ]

    source = read(tmp_path, "\n".join([names, *rows]).encode())

    assert source.names == tuple(names.split(","))


def test_numbers_as_names_above_text_are_a_header(tmp_path):
    source = read(tmp_path, b"2010,2011\nlow,high\n")

    assert source.names == ("2010", "2011")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.csv", b"", "is empty; wanted a header line"),
        ("e.csv", b"\n \n", "is empty"),
        ("h.csv", b"a,b\n", "has 2 columns and no rows"),
        ("h.csv", b"a,b", "has 2 columns and no rows"),
        ("h.csv", b"\xef\xbb\xbfa,b", "has 2 columns and no rows"),
        ("h.csv", "a;b".encode("utf-16"), "has 2 columns and no rows"),
        ("h.csv", b"sep=;\na;b", "has 2 columns and no rows"),
        ("h.csv", b'a,"b\nc"', "has 2 columns and no rows"),
        ("b.bin", bytes(range(256)) * 9, "is a binary file; wanted CSV"),
        ("r.bin", np.random.default_rng(0).bytes(9000).replace(b"\0", b"\1"), "binary"),
        ("u.csv", b"a,b\n1,2\n1,2,3\n", "'1,2,3' has 3 cells, wanted 2"),
        ("x.xlsx", b"PK\x03\x04....", "is a spreadsheet"),
        ("p.parquet", b"PAR1....", "is not a readable Parquet file"),
        ("a.feather", b"ARROW1..", "is not a readable Arrow file"),
        ("j.json", b"[1, 2]\n[3, 4]\n", "is a JSON array of single values; wanted"),
        (
            "j.json",
            b"[[1, 2], [3, 4]]",
            "is a JSON array of arrays; wanted an array of",
        ),
        ("j.json", b"[]", "has no columns"),
        ("j.json", '[{"a": "é"}]'.encode("latin-1"), "is JSON that is not in UTF-8"),
        ("j.json", '{"é": 1}\n'.encode("latin-1") * 2, "is JSON that is not in UTF-8"),
        ("j.json", b'[{"a": 1}, {"a": 2}', "it ends before its last bracket"),
        ("j.json", b'[{"a": 1}, {"a": "2', "it ends before its last bracket"),
        ("j.json", b'[{"a": 1}, {"a": x}]', "is not a readable JSON file"),
        ("j.json", b'{"a": {"0": 1}, "b": {"0": 2}}', "to_json(orient='records')"),
        ("j.json", b'{"a b": [{"a": 1}, {"a": 2}]}', "jq -c '.[\"a b\"][]' FILE >"),
        ("t.csv", b"Sales\na,b,c\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n", "above the header"),
        ("t.csv", b"a,b\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n", "most rows have 3 cells"),
        ("t.txt", b"a  b\n1   x\n3  y\n", "its columns are separated by spaces"),
        ("t.csv", "a,b\n1,2\n".encode("utf-32"), "is UTF-32; save it as UTF-8"),
        ("j.jsonl", b'{"a": 1}\n{"a": \n', "is not a readable JSON file"),
        ("g.gz", gzip.compress(os.urandom(9999))[:999], "the .gz data are damaged"),
        ("z.zst", b"\x28\xb5\x2f\xfd....", "the .zst data are damaged"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_line(tmp_path, name, content, words):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, name)

    message = str(caught.value)
    assert words in message
    assert name in message
    assert "\n" not in message


def test_text_that_stops_being_utf8_is_one_clear_line(tmp_path):
    content = b"a,b\n" + b"x,y\n" * 400_000 + "ä,ö\n".encode("cp1252")

    with pytest.raises(DataError, match=r"a later part is not utf-8; save it as UTF-8"):
        read(tmp_path, content)


def test_missing_files_folders_and_other_objects_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_source(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="is a folder"):
        read_source(tmp_path)
    with pytest.raises(UsageError, match="is an address; download it"):
        read_source("https://example.org/t.csv")
    with pytest.raises(UsageError, match="is an address; download it"):
        read_source(Path("s3://bucket/t.parquet"))
    with pytest.raises(UsageError, match="type int: wanted a path"):
        read_source(5)


def zipped(members, **options):
    """Return the bytes of a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["gz", "zst", "bz2", "zip"])
def test_compressed_text_is_read(tmp_path, suffix):
    pack = {
        "gz": gzip.compress,
        "zst": lambda text: pa.Codec("zstd").compress(text, asbytes=True),
        "bz2": bz2.compress,
        "zip": lambda text: zipped({"a/": b"", "a/t.csv": text, "__MACOSX/t": b"x"}),
    }[suffix]
    content = pack(b"name,amount\na,1.5\nb,2\n")

    assert read(tmp_path, content, f"t.csv.{suffix}").table().to_pydict() == ROWS


TYPED = pa.table({"name": ["a", "b"], "amount": [1.5, 2.0]})


def test_parquet_feather_arrow_and_json_lines(tmp_path):
    parquet.write_table(TYPED, tmp_path / "t.parquet")
    feather.write_feather(TYPED, tmp_path / "t.feather")
    with pa.ipc.new_stream(tmp_path / "t.arrows", TYPED.schema) as sink:
        sink.write_table(TYPED)
    (tmp_path / "t.jsonl").write_text(
        '{"name": "a", "amount": 1.5}\n{"name": "b", "amount": 2.0}\n'
    )
    (tmp_path / "t.parquet.gz").write_bytes(
        gzip.compress((tmp_path / "t.parquet").read_bytes())
    )

    for name in ("t.parquet", "t.feather", "t.arrows", "t.jsonl", "t.parquet.gz"):
        assert read_source(tmp_path / name).table().to_pydict() == TYPED.to_pydict()


def test_a_folder_of_parquet_files_is_read_as_one_table(tmp_path):
    for number in (10, 2, 1):
        table = pa.table({"x": [float(number), 0.0], "name": [f"n{number}", "z"]})
        parquet.write_table(table, tmp_path / f"part.{number}.parquet")

    source = read_source(tmp_path)

    assert source.n_rows == 6
    assert source.form == "Parquet, 3 files"
    for _ in range(2):
        assert source.table()["x"].to_pylist() == [1.0, 0.0, 2.0, 0.0, 10.0, 0.0]
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "part.3.parquet")
    with pytest.raises(DataError, match=r"part\.3\.parquet: its columns differ"):
        read_source(tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_stdin_is_read(monkeypatch, form):
    sink = io.BytesIO(b"name,amount\na,1.5\nb,2\n")
    if form == "parquet":
        sink = io.BytesIO()
        parquet.write_table(TYPED, sink)
        sink.seek(0)
    stdin = io.TextIOWrapper(io.BufferedReader(sink))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert read_source("-").table()["name"].to_pylist() == ["a", "b"]


def test_tables_in_memory():
    frame = pd.DataFrame({"a": [1, "x", None], "b": pd.Categorical(["u", "v", "u"])})

    assert read_source(frame).table()["a"].to_pylist() == ["1", "x", None]
    assert read_source(TYPED).n_rows == 2
    assert read_source({"a": [1, 2]}).names == ("a",)
    assert read_source(np.zeros((3, 2))).names == ("x0", "x1")
    assert read_source(pd.Series([1.0, 2.0], name="a")).names == ("a",)
    with pytest.raises(DataError, match="has no columns"):
        read_source(pd.DataFrame())
    with pytest.raises(UsageError, match="type DataFrameGroupBy: wanted a path"):
        read_source(pd.DataFrame({"a": [1, 2]}).groupby("a"))


def test_arrays_of_any_number_type():
    given = np.array([[1.0, 2.0], [3.0, -4.0]])
    others = [
        given.astype(">f8"),
        given.astype(np.longdouble),
        given.astype(">i4"),
        given.view(np.matrix),
    ]

    for array in others:
        found = read_source(array).table().to_pydict()
        assert found == {"x0": [1.0, 3.0], "x1": [2.0, -4.0]}
    masked = np.ma.masked_array(given, mask=[[True, False], [False, False]])
    assert read_source(masked).table()["x0"].to_pylist() == [None, 3.0]


def test_columns_that_only_pandas_has():
    day = pd.Timestamp("2026-01-01")
    frame = pd.DataFrame(
        {
            "month": pd.period_range("2026-01", periods=3, freq="M"),
            "range": pd.cut(pd.Series([1.0, 5.0, np.nan]), [0, 2, 9]),
            "mixed": pd.Series([1, pd.NaT, "a"], dtype=object),
            "whole": pd.array([1, None, 3], dtype="Int64"),
        }
    )

    read_back = read_source(frame).table().to_pydict()

    assert read_back["month"][0] == day
    assert read_back["range"] == ["(0.0, 2.0]", "(2.0, 9.0]", None]
    assert read_back["mixed"] == ["1", None, "a"]
    assert read_back["whole"] == [1, None, 3]


def test_polars_tables():
    polars = pytest.importorskip("polars", reason="polars is missing")

    source = read_source(polars.DataFrame({"a": ["x", "y"], "n": [1, 2]}))

    assert source.table().to_pydict() == {"a": ["x", "y"], "n": [1, 2]}
    series = polars.Series("n", [1, 2])
    assert read_source(series).table().to_pydict() == {"n": [1, 2]}


def test_a_column_that_streams_itself_becomes_a_table():
    class Column:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.chunked_array([[1, 2]]).__arrow_c_stream__(requested_schema)

        def to_frame(self):
            return pa.table({"n": [1, 2]})

    assert read_source(Column()).table().to_pydict() == {"n": [1, 2]}


def test_every_arrow_type_is_read_or_left_out():
    day = dt.date(2026, 1, 1)
    many = {
        "decimal": pa.array([decimal.Decimal(n) for n in range(4)]),
        "time": pa.array([dt.time(n) for n in range(4)]),
        "span": pa.array([dt.timedelta(hours=n) for n in range(4)]),
        "day": pa.array([day + dt.timedelta(n) for n in range(4)]),
        "zoned": pa.array([n * 10**9 for n in range(4)], pa.timestamp("ns", "UTC")),
        "coded": pa.array(["a", "b", "a", "c"]).dictionary_encode(),
        "truth": pa.array([True, False, None, True]),
        "empty": pa.nulls(4),
        "list": pa.array([[1], [2], [3], [4]]),
        "bytes": pa.array([b"a", b"b", b"c", b"d"]),
    }

    roles = {c.name: c.role for c in infer_roles(read_source(many).table())}

    assert roles == {
        "decimal": "integer",
        "time": "date",
        "span": "integer",
        "day": "date",
        "zoned": "date",
        "coded": "category",
        "truth": "yes/no",
        "empty": "empty",
        "list": "nested",
        "bytes": "nested",
    }


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[1.0, 2.0]], "pandas.DataFrame makes one of it"),
        (np.arange(3.0), "pandas.DataFrame makes one of it"),
        (pa.chunked_array([[1, 2]]), "pandas.DataFrame makes one of it"),
        (dataset.dataset(pa.table({"a": [1]})), "call its to_table()"),
        (5, "polars or pyarrow"),
    ],
)
def test_an_object_that_is_no_table_is_told_how_to_become_one(table, words):
    with pytest.raises(UsageError, match=f"{re.escape(words)}$"):
        read_source(table)


def test_a_data_frame_of_a_derived_class_is_read_as_one():
    class Own(pd.DataFrame):
        pass

    mixed = {"a": [1, "two", 3.5], "b": [0.1, 0.2, 0.3]}
    frame = Own(mixed, index=pd.Index([5, 6, 7], name="n"))

    assert read_source(frame).table().to_pydict()["a"] == ["1", "two", "3.5"]
    assert read_source(frame).names == ("a", "b")


def test_types_that_arrow_cannot_select_from_are_turned_into_others():
    numbers = pa.array([1.0, 2.0, 3.5])
    text = pa.array(["a", "b", "a"])
    unusual = {
        "view": text.cast(pa.string_view()),
        "coded view": pa.DictionaryArray.from_arrays(
            pa.array([0, None, 1]), pa.array(["a", "b"], pa.string_view())
        ),
        "bytes view": text.cast(pa.binary()).cast(pa.binary_view()),
        "runs": pa.RunEndEncodedArray.from_arrays([1, 2, 3], numbers),
        "union": pa.UnionArray.from_sparse(
            pa.array([0, 1, 0], pa.int8()), [numbers, text]
        ),
        "struct": pa.array([{"a": "b"}] * 3, pa.struct([("a", pa.string_view())])),
        "truth": pa.ExtensionArray.from_storage(
            pa.bool8(), pa.array([1, 0, 1], pa.int8())
        ),
        "zone": pa.array([0, 1, 2], pa.timestamp("s", "Mars/Phobos")),
        "clock": pa.array([1, 2, 3], pa.time64("ns")),
        "span": pa.array([1, 2, 3], pa.duration("ns")),
    }
    source = read_source(pa.table(unusual))

    taken = take_rows(source, np.array([0, 2]))
    roles = {c.name: c.role for c in infer_roles(source.table())}

    assert taken["view"].to_pylist() == ["a", "a"]
    assert source.table()["coded view"].to_pylist() == ["a", None, "b"]
    assert taken["runs"].to_pylist() == [1.0, 3.5]
    assert len(taken.to_pandas()) == 2
    assert roles["view"] == roles["coded view"] == "yes/no"
    assert roles["truth"] == "yes/no"
    assert roles["runs"] == roles["span"] == "number"
    assert roles["union"] == roles["bytes view"] == "nested"
    assert roles["struct.a"] == "constant"
    np.testing.assert_array_equal(as_numbers(pa.array([7], pa.duration("ns"))), [7e-9])


def test_large_text_goes_to_a_file_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(text_table.Kept.__init__, "__defaults__", (1_000,))
    lines = [f"{n},v{n}" for n in range(300_000)]
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "\n".join(lines))

    source = read_source(path)

    for _ in range(2):
        assert source.table()["b"].to_pylist() == [f"v{n}" for n in range(300_000)]


def test_a_stream_that_never_ends_is_given_up(tmp_path, monkeypatch):
    from odbench.tables import streams

    monkeypatch.setattr(streams, "MOST_BYTES", 4 << 20)
    content = gzip.compress(b"a,b\n" + b"1,2\n" * 2_000_000)

    with pytest.raises(OdbenchError, match="is longer than"):
        read(tmp_path, content, "bomb.csv.gz")


def test_two_hundred_columns(tmp_path):
    header = ",".join(f"c{n}" for n in range(200))
    rows = "\n".join(",".join(str(n * m % 7) for n in range(200)) for m in range(50))

    source = read(tmp_path, f"{header}\n{rows}\n".encode())

    assert len(source.names) == 200
    assert source.n_rows == 50


LINES = [
    '{"a": 1, "when": "2020-01-01 10:00:00", "b": null}',
    '{"a": 2.5, "when": "soon", "c": true}',
    "",
    '{"c": false, "b": "x", "a": -3}',
    '{"a": 9007199254740993, "b": "a longer line than a part, which is read alone"}',
]


def test_json_lines_in_parts_are_those_in_one_piece(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(LINES))
    for part in (1, 30, 60, 1_000):
        with open_bytes(path) as opened:
            source = read_json_lines(opened, path, part)
        assert source.names == ("a", "when", "b", "c")
        assert source.n_rows == 4
        for _ in range(2):
            assert source.table().to_pydict() == {
                "a": [1.0, 2.5, -3.0, 9007199254740992.0],
                "when": ["2020-01-01 10:00:00", "soon", None, None],
                "b": [None, None, "x", LINES[-1].split('"')[5]],
                "c": [None, True, False, None],
            }


@pytest.mark.parametrize("part", [1, 40, 1_000])
def test_values_of_several_kinds_are_text_however_they_are_divided(tmp_path, part):
    path = tmp_path / "t.jsonl"
    rows = [
        {"title": "Up", "year": 2009, "seen": True, "n": 1, "tags": [1]},
        {"title": 21, "year": 2008.5, "seen": 0, "n": None, "tags": []},
        {"title": 1.25, "year": None, "seen": None, "n": 2},
        {"title": False, "year": 1999, "seen": "2020-01-01 10:00:00", "n": 3},
    ]
    for order in (rows, rows[::-1]):
        path.write_text("\n".join(map(json.dumps, order)))
        with open_bytes(path) as opened:
            read = read_json_lines(opened, path, part).table().to_pylist()
        read = read if order is rows else read[::-1]
        assert [row["title"] for row in read] == ["Up", "21", "1.25", "false"]
        assert [row["year"] for row in read] == [2009.0, 2008.5, None, 1999.0]
        seen = ["true", "0", None, "2020-01-01 10:00:00"]
        assert [row["seen"] for row in read] == seen
        assert [row["n"] for row in read] == [1, None, 2, 3]


@pytest.mark.parametrize(
    "line",
    [
        '{"a": [1]}',
        '{"a": {}}',
        "[1]",
        '{"a": 1',
        "null",
        ' null {"a": 1}',
        '{"a": ""}\n5',
    ],
)
def test_json_lines_that_disagree_are_refused_in_any_parts(tmp_path, line):
    path = tmp_path / "t.jsonl"
    path.write_text(f'{{"a": 1}}\n{line}\n')
    for part in (1, 1_000):
        with open_bytes(path) as opened, pytest.raises(DataError, match="JSON file"):
            read_json_lines(opened, path, part)


@pytest.mark.parametrize("above", ["", "# exported\n", "sep=,\n"])
def test_names_of_rows_as_r_writes_them_are_an_unnamed_column(tmp_path, above):
    text = above + '"x","y"\n' + "".join(f'"r{n}",{n / 2},{n}\n' for n in range(9))

    source = read(tmp_path, text.encode())

    assert source.names == ("column 1", "x", "y")
    assert source.table().column("x").to_pylist() == [str(n / 2) for n in range(9)]
    assert source.table().column("column 1").to_pylist() == [f"r{n}" for n in range(9)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("part", [1, 7, 1 << 20])
def test_columns_between_runs_of_spaces_are_read(tmp_path, monkeypatch, part, end):
    monkeypatch.setattr(spaced, "_PART", part)
    lines = [
        b" speed   dist   name",
        *(b"%4d%s%.1f  'x'" % (n, b"\t" * (n % 3) + b"  ", n / 2) for n in range(9)),
    ]
    text = (end or b"\n").join(lines) + end

    source = read(tmp_path, text)

    assert source.form.startswith("text, delimiter spaces")
    assert source.table().to_pydict() == {
        "speed": [str(n) for n in range(9)],
        "dist": [f"{n / 2:.1f}" for n in range(9)],
        "name": ["'x'"] * 9,
    }


def test_a_table_of_r_between_spaces_has_names_of_rows(tmp_path):
    rows = [f'"Fiat {n}"   {n}.5 {n * n}  "a  b"' for n in range(9)]

    for text in (
        "\n".join(['"mpg" "cyl" "k"', *rows]),
        "# R\nmpg cyl k\n" + "\n".join(rows),
    ):
        source = read(tmp_path, text.encode())
        assert source.names == ("column 1", "mpg", "cyl", "k")
        assert source.table().column("column 1").to_pylist()[2] == "Fiat 2"
        assert source.table().column("k").to_pylist() == ["a  b"] * 9


@pytest.mark.parametrize(
    "lines",
    [["Item 1", "Item 2", "Item 3"] * 5, ["2020-01-01 10:00", "2020-01-02 11:00"] * 5],
)
def test_words_and_moments_are_no_columns_between_spaces(tmp_path, lines):
    try:
        form = read(tmp_path, "\n".join(lines).encode()).form
    except DataError as error:
        form = str(error)
    assert "delimiter spaces" not in form


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("every", [1, 3])
def test_quotes_behind_spaces_are_quotes(tmp_path, monkeypatch, mark, codec, every):
    monkeypatch.setattr(spaced, "_PART", 50)
    lines = [f'"amount"{mark} "weight"{mark}  "größe"']
    for n in range(60):
        note = '"ok"' if n % every else f'"é{mark} ""{n}""" '
        lines.append(f"{n}.5{mark} {n / 7:.2f}{mark} {note}")

    source = read(tmp_path, "\n".join([*lines, ""]).encode(codec))

    assert source.names == ("amount", "weight", "größe")
    wanted = ["ok" if n % every else f'é{mark} "{n}"' for n in range(60)]
    assert source.table()["größe"].to_pylist() == wanted


def test_spaces_and_marks_in_quotes_stay(tmp_path):
    rows = 'a,"b, ""c"", d",1\n5" x, "e" ,2\n"  f",g, 3\n' * 9

    table = read(tmp_path, f"x,y,z\n{rows}".encode()).table()

    assert table["x"].to_pylist()[:3] == ["a", '5" x', "  f"]
    assert table["y"].to_pylist()[:3] == ['b, "c", d', "e", "g"]


@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("most", [2, 5])
def test_rows_with_more_marks_than_names_are_one_clear_line(tmp_path, mark, most):
    notes = [f"ok{mark} fine{f'{mark} a' * (n % most)}" for n in range(60)]
    rows = [f"{n}.5{mark} {n / 7:.2f}{mark} {note}" for n, note in enumerate(notes)]
    text = "\n".join([f"amount{mark} weight{mark} note", *rows])

    with pytest.raises(DataError, match=f"cells that have a {_names(mark)} in quotes"):
        read(tmp_path, text.encode())


def _names(mark: str) -> str:
    return {",": "comma", ";": "semicolon"}[mark]


@pytest.mark.parametrize("mark", [",", ";"])
def test_cells_that_end_in_a_mark_are_not_between_spaces(tmp_path, mark):
    rows = [f"{n}.5{mark} {n % 7} {n % 5}" for n in range(60)]

    with pytest.raises(DataError, match="separated by spaces"):
        read(tmp_path, "\n".join(["a b c", *rows]).encode())


def test_a_delimiter_behind_every_row_is_an_empty_column(tmp_path):
    source = read(tmp_path, b"x,y\n" + b"1,2,\n" * 9)

    assert source.names == ("x", "y", "column 3")
    assert source.table().column("y").to_pylist() == ["2"] * 9


def test_a_decimal_comma_between_commas_is_no_name_of_a_row(tmp_path):
    rows = "".join(f"2020-01-{n:02d},{n},50\n" for n in range(1, 20))

    with pytest.raises(DataError, match="most rows have 3 cells"):
        read(tmp_path, f"date,price\n{rows}".encode())


@pytest.mark.slow
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_and_objects_over_lines_are_the_same_table(tmp_path, indent):
    rows = [{"a": n / 2, "b": f"x\n}}],{n}\\", "c": {"d": [n]}} for n in range(300)]
    path = tmp_path / "t.json"
    forms = {
        "JSON array": json.dumps(rows, indent=indent),
        "JSON lines" if indent is None else "JSON": "\n".join(
            json.dumps(row, indent=indent) for row in rows
        ),
    }
    for form, text in forms.items():
        path.write_text(text)
        for part in (50, 1 << 24):
            with open_bytes(path) as opened:
                source = read_json_lines(opened, path, part)
            assert (source.form, source.n_rows) == (form, 300)
            table = source.table()
            assert table.column("a").to_pylist() == [row["a"] for row in rows]
            assert table.column("b").to_pylist() == [row["b"] for row in rows]


def test_two_readings_of_json_at_once_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "t.json"
    rows = [{"a": n, "b": "x" * 400} for n in range(9_000)]
    path.write_text(json.dumps(rows))

    with open_bytes(path) as opened:
        source = read_json_lines(opened, path, 1 << 18)
        assert not opened.whole
    pairs = list(zip(source.batches(), source.batches(), strict=True))

    assert len(pairs) > 2
    assert all(one.equals(other) for one, other in pairs)


def test_objects_as_lines_are_what_a_parser_of_the_whole_finds(monkeypatch):
    draw = random.Random(0)
    keys = ["a", 'b"', "c\\", "d{", "e[\n"]
    values = [
        1,
        None,
        "\\",
        '\\\\"',
        "},{",
        "[1,2]",
        "\n,",
        [1, [{"z": "]"}]],
        {"q": {}},
    ]
    for _ in range(300):
        monkeypatch.setattr(json_array, "_PART", draw.choice([1, 2, 5, 1 << 17]))
        rows = [
            {key: draw.choice(values) for key in draw.sample(keys, draw.randint(0, 4))}
            for _ in range(draw.randint(0, 5))
        ]
        texts = [json.dumps(row, indent=draw.choice([None, 1])) for row in rows]
        array = json.dumps(rows, indent=draw.choice([None, 1, 4]))
        for text, is_array in ((array, True), ("\n".join(texts), False)):
            file = ObjectLines(io.BytesIO(text.encode()), "t", is_array=is_array)
            read = iter(partial(file.read, draw.choice([1, 2, 3, 7, 100])), b"")
            lines = b"".join(read).splitlines()
            assert [json.loads(line) for line in lines if line.strip()] == rows


def test_long_json_lines_need_no_memory_for_the_whole(tmp_path):
    path = tmp_path / "t.jsonl"
    line = '{"a": %d, "b": "' + "x" * 200 + '"}\n'
    with path.open("w") as file:
        file.writelines(line % row for row in range(200_000))
    script = (
        "import resource, sys\n"
        "from odbench.tables.read import read_source\n"
        "import pyarrow.json\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak()\n"
        "source = read_source(sys.argv[1])\n"
        "rows = sum(batch.num_rows for batch in source.batches())\n"
        "print(source.n_rows, rows, round(peak() - before))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    n_rows, rows, grown = map(int, said.stdout.split())
    assert (n_rows, rows) == (200_000, 200_000)
    # The file has 43 MiB, which in one piece takes more than twice that.
    assert grown < 85


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n6.2,2.9,other\n", None),
        ("39,State-gov,Male\n50,Self-emp,Male\n38,State-gov,Female\n", None),
        ("2024-03-01 12:00,started\n2024-03-01 12:01,stopped\n", None),
        ("country,2020,2021\nDE,1,2\nFR,3,4\n", ["country", "2020", "2021"]),
        ("country,2020-01-22\nDE,1\nFR,3\n", ["country", "2020-01-22"]),
        ("id,7\na,1\nid,7\nb,2\n", ["id", "7"]),
    ],
)
def test_a_first_row_of_values_beside_words_is_no_header(tmp_path, text, names):
    path = tmp_path / "t.csv"
    path.write_text(text)

    source = read_source(path)

    wanted = names or [f"column {j + 1}" for j in range(len(source.names))]
    assert list(source.names) == wanted
    rows = source.n_rows + len(source.left_out)
    assert rows == text.count("\n") - (names is not None)


def measured(rng, width, form="{:.2f}", low=0.0):
    """Return lines of a name that never comes again and numbers."""
    return [
        ",".join([f"s{n}", *(form.format(low + rng.normal()) for _ in range(width))])
        for n in range(60)
    ]


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("gap", ["", "NA"])
def test_a_first_row_with_decimals_beside_a_unique_name_is_data(
    tmp_path, rng, width, gap
):
    lines = [*measured(rng, width), ",".join(["s60", *[gap] * width])]

    source = read(tmp_path, "\n".join(lines).encode())

    assert source.n_rows == 61
    assert "the first row looks like data" in source.notes[0]


def test_a_first_row_below_which_a_sorted_table_grows_is_data(tmp_path):
    lines = [f"s{n},{n / 7:.2f}" for n in range(60)]

    assert read(tmp_path, "\n".join(lines).encode()).n_rows == 60


@pytest.mark.parametrize("mark", [";", "\t"])
def test_decimal_commas_in_the_first_row_are_data_too(tmp_path, rng, mark):
    lines = [line.replace(",", mark).replace(".", ",") for line in measured(rng, 3)]

    assert read(tmp_path, "\n".join(lines).encode()).n_rows == 60


@pytest.mark.parametrize(
    ("names", "low", "why"),
    [
        ("400.5,401.0,401.5,402.25", 0.0, "its numbers are far from those below"),
        ("0.5,1.0", 20.0, "its numbers are far from those below"),
        ("-0.5,-0.25,0.0,0.25,0.5", 0.0, "its numbers ascend"),
        ("0.5,0.25,0.0,-0.25", 0.0, "its numbers descend"),
    ],
)
def test_numbers_with_decimals_that_name_columns_are_told(
    tmp_path, rng, names, low, why
):
    lines = [f"sample,{names}", *measured(rng, names.count(",") + 1, low=low)]

    source = read(tmp_path, "\n".join(lines).encode())

    assert source.names == ("sample", *names.split(","))
    assert source.notes == (
        f"the first row is taken as the header, because {why}; if it is data, write "
        f"names above it",
    )


def test_whole_numbers_beside_a_unique_name_are_a_header_that_is_told(tmp_path, rng):
    lines = measured(rng, 2, form="{:.0f}", low=1e6)

    (note,) = read(tmp_path, "\n".join(["s,15,250", *lines]).encode()).notes

    assert "because its words do not come again below" in note


@pytest.mark.parametrize("names", ["id,amount", "id,2020,2021", '"id","1.5","2.5"'])
def test_other_headers_are_beyond_doubt(tmp_path, rng, names):
    lines = [names, *measured(rng, names.count(","))]

    assert read(tmp_path, "\n".join(lines).encode()).notes == ()


@pytest.mark.parametrize(
    "start", ["{:02d}.12.2025", "2025.12.{:02d}", "2025-12-{:02d}"]
)
def test_dates_above_dates_beside_unique_names_are_data(tmp_path, start):
    lines = [f"s{n};{start.format(n)}" for n in range(1, 31)]

    assert read(tmp_path, "\n".join(lines).encode()).n_rows == 30


def test_comments_above_the_header_are_left_out_with_a_note(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# made by a tool, 1.2\n#\na,b\n1,x\n2,y\n")

    source = read_source(path)

    assert (source.names, source.n_rows) == (("a", "b"), 2)
    assert source.table().column("b").to_pylist() == ["x", "y"]
    assert "2 lines above the header" in source.notes[0]


def test_a_header_may_begin_with_the_mark_of_a_comment(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# exported\n#a,b\n1,x\n2,y\n")

    assert read_source(path).names == ("#a", "b")


def test_a_quote_that_is_never_closed_is_one_line_that_names_the_cell(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{n},x,{n / 2}" for n in range(60)]
    last = [*rows[:20], '20,x,"10.0', *rows[21:]]
    middle = [*rows[:20], '20,"x,10.0', *rows[21:]]

    for lines, words in (
        (last, "cell 3 of row 21 is a quote over 40 lines that look like rows"),
        (middle, "has 2 cells, wanted 3 .* close its quote"),
    ):
        path.write_text("\n".join(["a,b,c", *lines]) + "\n")
        with pytest.raises(DataError, match=words):
            read_source(path)


def test_text_over_many_lines_in_quotes_is_kept(tmp_path):
    path = tmp_path / "t.csv"
    cell = "first line\nsecond, with a comma\n\nthird\nfourth\nfifth\nsixth"
    path.write_text(f'a,b,c\n1,"{cell}",2\n')

    assert read_source(path).table().column("b").to_pylist() == [cell]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!DOCTYPE html>\n<html><p>404, not found</p></html>\n", "is a web page"),
        ('<?xml version="1.0"?>\n<r><a>1</a></r>\n', "is XML"),
        ("% iris\n@RELATION iris\n@DATA\n1,2\n", "is ARFF"),
        ('{\n "n": 1,\n "data": [\n  {"a": 1}\n ]\n}\n', "is one JSON object with"),
        ('{"columns":["a","b"],"data":[[1,"x"],[2,"y"]]}', "is one JSON object with"),
        ('<table border="1">\n<tr><td>1</td></tr>\n</table>\n', "is a web page"),
    ],
)
def test_text_that_is_no_table_says_what_it_is(tmp_path, text, words):
    path = tmp_path / "t.csv"
    path.write_text(text)

    with pytest.raises(DataError) as error:
        read_source(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("write", [parquet.write_table, feather.write_feather, None])
def test_text_that_is_not_utf8_is_one_line_that_names_the_column(tmp_path, write):
    offsets = np.array([0, 1, 2, 3], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"a\xffb")]
    text = pa.Array.from_buffers(pa.string(), 3, buffers)
    for column in (text, text.dictionary_encode()):
        table = pa.table({"x": [1.0, 2.0, 3.0], "s": column})
        if write is not None:
            write(table, tmp_path / "t")
            table = tmp_path / "t"
        with pytest.raises(DataError, match=r"column 's' is damaged .*UTF8"):
            read_source(table).table()


@pytest.mark.parametrize("rows", [9, 400_000])
def test_a_long_row_that_is_not_utf8_is_one_line(tmp_path, capfd, rows):
    content = b"a,b\n" + b"1,2\n" * rows + b"1,2,\xff"

    with pytest.raises(DataError, match="a later part is not utf-8; save it as UTF-8"):
        read(tmp_path, content)
    assert capfd.readouterr().err == ""


def test_offsets_beyond_the_bytes_of_an_arrow_file_are_refused(tmp_path):
    path = tmp_path / "t.arrow"
    table = pa.table({"s": ["a", "bb", "ccc"], "x": [1.0, 2.0, 3.0]})
    feather.write_feather(table, path, compression="uncompressed")
    good = np.array([0, 1, 3, 6], dtype=np.int32).tobytes()
    bad = np.array([0, 1, 3, 60_000_000], dtype=np.int32).tobytes()
    content = path.read_bytes()
    assert content.count(good) == 1
    path.write_bytes(content.replace(good, bad))

    with pytest.raises(DataError, match="damaged"):
        read_source(path).table()


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_changed_byte_gives_a_table_or_one_line(tmp_path, form):
    path = tmp_path / f"t.{form}"
    table = pa.table(
        {"s": ["a", "bb", None] * 9, "x": range(27), "k": [[1], [], None] * 9}
    )
    if form == "parquet":
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, path, compression="uncompressed")
    content, draw = path.read_bytes(), random.Random(0)
    refusals = []
    for _ in range(300):
        changed = bytearray(content)
        changed[draw.randrange(8, len(changed))] = draw.randrange(256)
        path.write_bytes(changed)
        try:
            infer_roles(read_source(path).table())
        except DataError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < 300
    assert not any("\n" in refusal for refusal in refusals)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"[Content_Types].xml": "<a/>"}, "is a spreadsheet or an archive; save the"),
        ({"mimetype": "opendocument", "content.xml": "<a/>"}, "is a spreadsheet"),
        ({"t.csv": "a,b\n1,2\n", "u.csv": "a,b\n1,2\n"}, "archive of 2 files; wanted"),
        ({"t/": ""}, "is a ZIP archive of 0 files; wanted one"),
        ({"t.csv": ""}, "is empty; wanted a header line and rows"),
        ({"t.xlsx": zipped({"[Content_Types].xml": ""})}, "is a spreadsheet"),
    ],
)
def test_an_archive_has_one_table(tmp_path, members, words):
    path = tmp_path / "t.zip"
    path.write_bytes(zipped(members))

    with pytest.raises(DataError, match=words):
        read_source(path)


def test_a_table_in_an_archive_takes_no_path_from_it(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    parquet.write_table(TYPED, tmp_path / "t.parquet")
    content = zipped({"../../out.csv": (tmp_path / "t.parquet").read_bytes()})
    (tmp_path / "t.zip").write_bytes(content)

    assert read_source(tmp_path / "t.zip").table().to_pydict() == TYPED.to_pydict()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read_source("-").table().to_pydict() == TYPED.to_pydict()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "here", "t.parquet", "t.zip",
    ]  # fmt: skip


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_archive_is_one_line(tmp_path, method):
    text = b"x,y\n" + b"".join(b"%d,%d\n" % (n, n * n % 97) for n in range(400))
    content = zipped({"t.csv": text}, compression=method)
    draw, path, refusals = random.Random(0), tmp_path / "t.zip", []
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(3):
            changed[draw.randrange(4, len(changed))] = draw.randrange(256)
        path.write_bytes(changed[: draw.choice([len(changed), len(changed) // 2])])
        try:
            read_source(path).table()
        except DataError as error:
            refusals.append(str(error))
    assert len(refusals) > 200
    assert not any("\n" in refusal for refusal in refusals)


def test_an_encrypted_archive_is_one_line(tmp_path):
    content = bytearray(zipped({"t.csv": "a,b\n1,2\n"}))
    # The flag of a member, in its own header and in the directory.
    for place in (6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1
    (tmp_path / "t.zip").write_bytes(content)

    with pytest.raises(DataError, match="is encrypted; unpack it"):
        read_source(tmp_path / "t.zip")


def test_fields_of_structures_are_columns(tmp_path):
    rows = [
        {"id": n, "user": {"age": 20 + n, "home": {"city": "Bonn"}}, "tags": ["a"]}
        for n in range(4)
    ]
    rows[2]["user"] = None
    lines = tmp_path / "t.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = pa.Table.from_pylist([{**row, "none": {}} for row in rows])
    parquet.write_table(table.drop_columns("none"), tmp_path / "t.parquet")

    for given in (lines, tmp_path / "t.parquet", table):
        source = read_source(given)
        names = list(source.names)
        assert names[:4] == ["id", "user.age", "user.home.city", "tags"]
        found = source.table()
        assert found["user.age"].to_pylist() == [20, 21, None, 23]
        assert found["user.home.city"].to_pylist() == ["Bonn", "Bonn", None, "Bonn"]
        assert infer_roles(found)[3].role == "nested"


def joined(n_parts, rows_each, start=0):
    """Return files that were joined, and their rows without the headers."""
    lines, plain = [], []
    for part in range(n_parts):
        lines.append('name,"the amount"' if part % 2 else "name,the amount")
        for row in range(rows_each):
            number = start + part * rows_each + row
            plain.append((f"n{number % 7}", str(number)))
            lines.append(",".join(plain[-1]))
    return "\n".join(lines) + "\n", plain


@pytest.mark.parametrize("in_memory", [text_table.IN_MEMORY, 0])
def test_rows_that_repeat_the_header_are_left_out(tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(text_table, "_BLOCK", 1 << 12)
    kept = text_table.Kept
    monkeypatch.setattr(text_table, "Kept", lambda: kept(in_memory))
    text, plain = joined(8, 300)

    source = read(tmp_path, text.encode())
    table = source.table()

    assert source.names == ("name", "the amount")
    assert list(zip(*table.to_pydict().values(), strict=True)) == plain
    assert source.left_out.tolist() == [300 * k + k - 1 for k in range(1, 8)]
    assert source.notes == (
        "left out, because they repeat the header: rows 300, 601, 902, 1203, 1504 and "
        "2 more",
    )
    # The rows keep the numbers that they have in the file.
    numbers = row_numbers(np.arange(source.n_rows), source.left_out)
    lines = text.splitlines()[1:]
    assert [lines[number].split(",")[1] for number in numbers] == [p[1] for p in plain]


def test_a_repeated_header_may_begin_with_a_byte_order_mark(tmp_path):
    source = read(tmp_path, "a,b\n1,x\n\ufeffa,b\n2,y\n".encode("utf-8-sig"))

    assert source.table().to_pydict() == {"a": ["1", "2"], "b": ["x", "y"]}
    assert source.left_out.tolist() == [1]


@pytest.mark.parametrize(
    "text",
    [
        # Without a header, a row that comes twice is a row.
        "red,1\nblue,2\nred,3\nred,1\n",
        # A row that equals most of the header is a row, too.
        "a,b,c\n1,2,3\na,b,4\na,2,c\n",
        # Words that are values of other rows, too, are no header.
        "p,x\ne,x\np,s\np,x\n",
    ],
)
def test_rows_that_are_no_headers_stay(tmp_path, text):
    source = read(tmp_path, text.encode())

    header = not source.names[0].startswith("column")
    assert source.n_rows == text.count("\n") - header
    assert not source.left_out.size


def test_nothing_but_headers_is_a_table_without_rows(tmp_path):
    with pytest.raises(DataError, match="2 columns and no rows"):
        read(tmp_path, b"a,b\na,b\na,b\n")


@pytest.mark.parametrize("above", ["\n", "\n\n", "  \n", "# exported\n\n", "sep=,\n\n"])
def test_blank_lines_above_the_header_are_no_rows(tmp_path, above):
    path = tmp_path / "blank.csv"
    path.write_text(f"{above}qty,kind\n" + "".join(f"{n},kind\n" for n in range(50)))

    source = read_source(path)

    assert (source.names, source.n_rows) == (("qty", "kind"), 50)
    assert len(source.left_out) == 0


@pytest.mark.parametrize(
    "header",
    ["", "Preis, netto;Menge, kg\n", "Preis;Menge\n"],
    ids=["none", "commas", "plain"],
)
def test_semicolons_with_decimal_commas_are_the_delimiter(tmp_path, header):
    path = tmp_path / "prices.csv"
    path.write_text(header + "".join(f"{n},27;{n + 40},63\n" for n in range(1, 101)))

    source = read_source(path)

    assert len(source.names) == 2
    assert source.n_rows == 100


def test_semicolons_in_the_cells_of_a_comma_file_stay_there(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("a,tags,b\n" + "".join(f"{n},x;y,{n}\n" for n in range(50)))

    assert read_source(path).names == ("a", "tags", "b")


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ("Report,,,\n", "line has few cells, such as 'Report', for 4 columns"),
        ("Report,,,\nfrom,2024-05-01,,\n,,,\n", "3 lines have few cells, such as 'Rep"),
    ],
)
def test_titles_with_the_delimiters_of_a_row_are_refused(tmp_path, above, told):
    path = tmp_path / "report.csv"
    path.write_text(f"{above}name,qty,price,note\n" + "a,1,2.5,\n" * 20)

    with pytest.raises(DataError, match=f"the first {told}"):
        read_source(path)


@pytest.mark.parametrize(
    "rows",
    [
        "milk,,,\nbread,milk,,\neggs,,,\nham,eggs,tea,milk\n" + "tea,,,\n" * 9,
        "name,,,\n" + "a,1,2.5,x\n" * 9,
        "a,b,c,d\n,1,,\n,,2,\nx,y,z,u\n" + "p,q,r,s\n" * 9,
    ],
)
def test_rows_that_lack_cells_are_no_titles(tmp_path, rows):
    path = tmp_path / "sparse.csv"
    path.write_text(rows)

    assert len(read_source(path).names) == 4


def test_an_empty_name_is_no_folder():
    with pytest.raises(UsageError, match="is empty"):
        read_source("")


def test_whole_numbers_of_any_size_are_read():
    frame = pd.DataFrame({"n": [10**30 + i for i in range(5)]})

    assert read_source(frame).n_rows == 5


@pytest.mark.parametrize("form", ["parquet", "feather", "arrow table"])
def test_row_labels_of_pandas_without_a_name_are_no_column(tmp_path, form):
    frame = pd.DataFrame({"a": [2.0, 1.0, 3.0], "b": [4.0, 5.0, 6.0]})
    given = pa.Table.from_pandas(frame.sort_values("a"))
    assert "__index_level_0__" in given.column_names
    if form == "parquet":
        parquet.write_table(given, given_file := tmp_path / "t.parquet")
    elif form == "feather":
        feather.write_feather(given, given_file := tmp_path / "t.feather")
    source = read_source(given if form == "arrow table" else given_file)

    assert source.names == ("a", "b")
    assert source.table().to_pydict() == {"a": [1.0, 2.0, 3.0], "b": [5.0, 4.0, 6.0]}


def test_row_labels_with_a_name_are_a_column(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index(["x", "y"], name="key"))
    frame.to_parquet(tmp_path / "t.parquet")

    assert read_source(tmp_path / "t.parquet").names == ("a", "key")


def test_broken_words_of_pandas_in_a_file_change_nothing():
    for words in (b"{", b"[]", b'{"index_columns": 3}', b'{"index_columns": [{}]}'):
        table = pa.table({"__index_level_0__": [1, 2], "a": [3, 4]})
        table = table.replace_schema_metadata({b"pandas": words})

        assert read_source(table).names == ("__index_level_0__", "a")


@pytest.mark.parametrize("write", [pd.DataFrame.to_parquet, pd.DataFrame.to_feather])
def test_periods_of_pandas_are_dates_in_files_too(tmp_path, write):
    months = pd.PeriodIndex(["2026-01", None, "1969-12"], freq="M")
    write(pd.DataFrame({"month": months}), tmp_path / "t")
    # pyarrow sees whole numbers where pandas has not registered its type.
    code = (
        "import sys; from odbench.tables.read import read_source; "
        "print(read_source(sys.argv[1]).table()['month'].to_pylist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t")],
        capture_output=True,
        text=True,
        check=True,
    )

    known = [dt.datetime(2026, 1, 1), None, dt.datetime(1969, 12, 1)]
    assert read_source(tmp_path / "t").table()["month"].to_pylist() == known
    assert done.stdout.strip() == str(known)


def test_periods_of_an_unknown_frequency_are_numbers():
    told = '{"freq": "no such"}'
    kind = {"ARROW:extension:name": "pandas.period", "ARROW:extension:metadata": told}
    schema = pa.schema([pa.field("month", pa.int64(), metadata=kind)])

    table = read_source(pa.table({"month": [672, 673]}, schema=schema)).table()

    assert table["month"].to_pylist() == [672, 673]
