"""`odbench score` from the outside: output, files and exit codes."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as arrow_csv

from odbench.cli import main
from tests.tables.made import orders


@pytest.fixture
def tables(tmp_path):
    arrow_csv.write_csv(orders(300), tmp_path / "old.csv")
    arrow_csv.write_csv(orders(60, 1, odd=4), tmp_path / "new.csv")
    return tmp_path


@pytest.fixture
def call(capsys, tables, monkeypatch):
    monkeypatch.chdir(tables)

    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["score", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


AGAINST = ("new.csv", "-r", "old.csv", "-d", "knn", "--id", "order")


def test_the_screen_shows_columns_rows_reasons_and_the_verdict(call):
    code, out, _ = call(*AGAINST, "--top", "4")

    assert code == 0
    assert "new.csv: 60 rows" in out
    assert "knn, one-class: rows are compared with old.csv" in out
    assert "left out  order: identifier" in out
    assert "amount 25,000 where similar rows have" in out
    assert "rows are flagged at a false discovery rate of 10 %" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_csv_list_the_first_rows(call):
    _, text, _ = call(*AGAINST, "--top", "2", "--format", "json")
    _, cells, _ = call(*AGAINST, "--top", "2", "--format", "csv")

    told = json.loads(text)
    assert told["n_flagged"] >= 4
    assert told["setting"] == "one-class"
    rows = list(csv.DictReader(io.StringIO(cells)))
    assert [row["order"] for row in rows] == [row["order"] for row in told["rows"]]
    assert [row["rank"] for row in told["rows"]] == [1, 2]


def test_csv_on_the_screen_is_that_of_a_file(call, tables):
    new = arrow_csv.read_csv(tables / "new.csv")
    truth = pa.array([n % 3 == 0 for n in range(new.num_rows)])
    pq.write_table(new.append_column("paid", truth), tables / "new.parquet")

    _, text, _ = call(
        "new.parquet", "-r", "old.csv", "-d", "knn", "--id", "paid",
        "--top", "9", "--format", "csv", "--out", "o.csv",
    )  # fmt: skip

    shown = list(csv.DictReader(io.StringIO(text)))
    with (tables / "o.csv").open() as file:
        written = {row["row"]: row for row in csv.DictReader(file)}
    assert {row["flagged"] for row in shown} == {"true", "false"}
    assert {row["paid"] for row in shown} == {"true", "false"}
    for row in shown:
        kept = ("flagged", "paid", "rank")
        assert {n: row[n] for n in kept} == {n: written[row["row"]][n] for n in kept}


@pytest.mark.parametrize(
    "name", ["o.csv", "o.tsv", "o.parquet", "o.feather", "o.arrow", "o.jsonl"]
)
def test_all_rows_are_written_in_their_order(call, tables, name):
    code, _, _ = call(*AGAINST, "--out", name)

    readers = {
        "csv": pd.read_csv, "tsv": lambda p: pd.read_csv(p, sep="\t"),
        "parquet": pd.read_parquet, "feather": pd.read_feather,
        "arrow": pd.read_feather, "jsonl": lambda p: pd.read_json(p, lines=True),
    }  # fmt: skip
    frame = readers[name.split(".")[1]](tables / name)
    assert code == 0
    assert list(frame) == [
        "row", "order", "rank", "score", "p_value", "flagged", "reasons"
    ]  # fmt: skip
    assert frame["order"].tolist() == orders(60, 1, odd=4)["order"].to_pylist()
    assert frame["flagged"][:4].all()


def test_a_model_and_a_report_are_written_and_the_model_is_used(call, tables):
    code, first, _ = call(*AGAINST, "--save", "m.odb", "--html", "r.html")
    again, second, _ = call("new.csv", "--model", "m.odb", "--id", "order")

    assert (code, again) == (0, 0)
    assert "<title>new.csv</title>" in (tables / "r.html").read_text()
    assert first.split("rank", 1)[1] == second.split("rank", 1)[1]


def test_more_flags_than_allowed_are_code_three(call):
    assert call(*AGAINST, "--fail-above", "0")[0] == 3
    assert call(*AGAINST, "--fail-above", "60")[0] == 0


def test_a_limit_on_flags_that_could_never_be_passed_is_refused(call):
    code, out, err = call("new.csv", "--fail-above", "0")

    assert (code, out) == (2, "")
    assert "--fail-above 0: needs --reference or --model" in err


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["knn", "cats"])
def test_the_flagged_rows_are_the_same_in_ten_orders(call, tables, detector):
    old, new = (pd.read_csv(tables / name) for name in ("old.csv", "new.csv"))
    found = []
    for seed in range(10):
        old.sample(frac=1, random_state=seed).to_csv(tables / "a.csv", index=False)
        new.sample(frac=1, random_state=seed).to_csv(tables / "b.csv", index=False)
        call("b.csv", "-r", "a.csv", "-d", detector, "--id", "order", "-o", "out.csv")
        scored = pd.read_csv(tables / "out.csv").set_index("order").sort_index()
        found.append(scored[["flagged", "p_value", "score"]])

    assert 4 <= found[0]["flagged"].sum() < 60
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0], other, rtol=1e-9)


def test_ignored_columns_and_other_roles(call):
    _, out, _ = call(
        "new.csv", "-d", "knn", "--ignore", "note,day", "--category", "items"
    )

    assert "category  country, items" in out
    assert "note: ignored (as asked)" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.csv"], "table 'none.csv': no such file"),
        (["new.csv", "-r", "none.csv"], "no such file"),
        (["new.csv", "--id", "oder"], "has no column 'oder'; did you mean 'order'?"),
        (["new.csv", "--ignore", "x"], "has no column 'x'; it has 'order'"),
        (["new.csv", "--fdr", "2"], "fdr 2.0: is not a rate"),
        (["new.csv", "--detector", "knm"], "did you mean 'knn'?"),
        (["new.csv", "--out", "o.xlsx"], "ends with '.xlsx'; wanted one of .csv"),
        (["new.csv", "--out", "no/o.csv"], "folder 'no' does not exist"),
        (["new.csv", "--html", "."], "is a folder"),
        (["new.csv", "--model", "new.csv"], "is not a model or is damaged"),
        (["new.csv", "--model", "m", "-d", "knn"], "cannot go with --detector"),
        (["new.csv", "--model", "m", "--ignore", "a"], "cannot go with --ignore"),
        (["-", "-r", "-"], "TABLE is stdin already"),
        (["new.csv", "--top", "0"], "wanted 1 or more"),
    ],
)
def test_a_wrong_call_is_one_line_and_writes_nothing(call, tables, arguments, words):
    before = sorted(path.name for path in tables.iterdir())

    code, out, err = call(*arguments)

    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tables.iterdir()) == before


def test_control_characters_do_not_reach_the_terminal(call, tables):
    text = (tables / "new.csv").read_text().replace("A1-", "A\x1b[31m1-")
    (tables / "new.csv").write_text(text)

    _, out, err = call(*AGAINST)

    assert "\x1b" not in out + err
    assert "A\\x1b[31m1-" in out


def test_stdin_in_a_pipe(tables):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "odbench",
            "score",
            "-",
            "-d",
            "knn",
            "--format",
            "csv",
        ],
        input=(tables / "new.csv").read_bytes(),
        capture_output=True,
        check=True,
    )

    assert done.stdout.startswith(b"row,rank,score,p_value,flagged,reasons\n3,1,")
    assert done.stderr == b""


@pytest.mark.slow
def wait_for_parquet(pid):
    """Wait until a process reads Parquet files; without /proc, some seconds."""
    maps = Path(f"/proc/{pid}/maps")
    if not maps.exists():
        time.sleep(4)
        return
    until = time.monotonic() + 60
    while "libparquet" not in maps.read_text() and time.monotonic() < until:
        time.sleep(0.05)


def test_ctrl_c_leaves_nothing_behind(tables):
    pq.write_table(orders(150_000), tables / "big.parquet")
    before = sorted(path.name for path in tables.iterdir())
    command = ["score", "big.parquet", "-d", "knn", "--out", "o.csv"]
    running = subprocess.Popen(
        [sys.executable, "-m", "odbench", *command], cwd=tables, stderr=subprocess.PIPE
    )
    wait_for_parquet(running.pid)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)

    assert running.returncode == 130
    assert err.strip() == b"odbench: interrupted"
    assert sorted(path.name for path in tables.iterdir()) == before


def test_remarks_are_not_in_the_list_of_what_is_left_out(call, tables):
    rows = [f"{n};{n % 7},5;{n % 5} kg" for n in range(40)]
    text = "id;price;weight\n" + "\n".join(rows) + "\n"
    (tables / "t.csv").write_text(text)

    _, out, _ = call("t.csv", "-d", "knn")

    assert "\nleft out  id: identifier" in out
    assert "\nremarks   price: decimal comma\n          weight: in kg\n" in out
