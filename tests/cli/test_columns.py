"""`odbench datasets columns` from the outside: output, formats and exit codes."""

import csv
import io
import json

import numpy as np
import pytest
from pyarrow import csv as arrow_csv

from odbench.cli import main
from tests.tables.made import orders


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrow_csv.write_csv(orders(300), tmp_path / "orders.csv")

    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["datasets", "columns", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def test_the_screen_shows_every_column_in_80_characters(call):
    code, out, err = call("orders.csv")

    assert (code, err) == (0, "")
    for name in ("order", "country", "amount", "items", "day", "note", "currency"):
        assert name in out
    assert "currency: left out: constant" in out
    assert max(map(len, out.splitlines())) <= 80
    # The two dependent columns are first.
    lines = out.splitlines()
    first = lines.index(next(line for line in lines if line.startswith("column")))
    assert {lines[first + 1].split()[0], lines[first + 2].split()[0]} == {
        "amount",
        "items",
    }


def test_json_and_csv_have_the_same_rows(call):
    _, text, _ = call("orders.csv", "--format", "json")
    _, cells, _ = call("orders.csv", "--format", "csv")

    told = json.loads(text)
    rows = list(csv.DictReader(io.StringIO(cells)))
    assert [one["column"] for one in told["columns"]] == [r["column"] for r in rows]
    assert told["n_rows"] == 300
    assert rows[0]["structure"] == str(told["columns"][0]["structure"])


def test_a_set_of_the_catalog_is_named_as_elsewhere(call):
    code, out, _ = call("synbench/copula-dependence-000")

    assert code == 0
    assert out.startswith("synbench/copula-dependence-000: ")
    assert " label " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.csv",), "no such file"),
        (("orders.csv", "--label", "fraud"), "has no column 'fraud'"),
        (("orders.csv", "--label", "amount"), "wanted 2 to 20"),
        (("synbench/copula-dependence-999",), "synbench/copula-dependence-999"),
        (("synbench/copula-dependence-000", "--label", "y"), "has its own labels"),
    ],
)
def test_a_wrong_call_is_one_line(call, arguments, said):
    code, out, err = call(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_set_is_named_with_its_suite_and_partition(call):
    _, with_slash, _ = call("synbench/copula-dependence-000")
    named = ["copula-dependence-000", "--suite", "synbench"]

    assert call(*named)[:2] == (0, with_slash)
    assert call(*named, "--partition", "public")[:2] == (0, with_slash)
    code, _, err = call(*named, "--partition", "private")
    assert code == 2
    assert "is in the public partition" in err


def test_one_row_and_one_column_are_singular(tmp_path, call):
    (tmp_path / "one.csv").write_text("a\n5\n")

    assert call("one.csv")[1].startswith("one.csv: 1 row, 1 column (text")


def test_a_data_set_of_a_suite_of_ones_own_is_found(tmp_path, rng, call):
    (tmp_path / "lab" / "data").mkdir(parents=True)
    (tmp_path / "lab" / "suite.toml").write_text('licence = "MIT"')
    X = rng.normal(size=(60, 2))
    np.savez(tmp_path / "lab" / "data" / "one.npz", X=X, y=np.arange(60) % 9 == 0)

    for place in ("lab/one", "./lab/one"):
        code, out, _ = call(place, "--format", "csv")
        assert code == 0
        assert len(out.splitlines()) == 3
