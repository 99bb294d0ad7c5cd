"""`odbench recommend` from the outside: output, formats and exit codes."""

import csv
import io
import json
import subprocess
import sys

import pytest
from pyarrow import csv as arrow_csv

from odbench.cli import main
from tests.tables.made import orders


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrow_csv.write_csv(orders(300), tmp_path / "old.csv")
    arrow_csv.write_csv(orders(60, 1, odd=4), tmp_path / "new.csv")

    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["recommend", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def test_the_screen_shows_facts_detectors_and_evidence(call):
    code, out, err = call("new.csv", "-r", "old.csv")

    assert (code, err) == (0, "")
    assert "300 rows" in out
    assert "Recommended: " in out
    assert "families (a family counts once)" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_small_seconds_and_memory_leave_room_between_the_columns(call):
    _, out, _ = call("new.csv")

    hbos = next(line for line in out.splitlines() if line.startswith("hbos"))
    assert hbos.split()[-2:] == ["<0.01", "<0.01"]


def test_without_reference_results_are_unsupervised(call):
    code, out, err = call("new.csv", "--format", "json")

    assert code == 0
    assert json.loads(out)["setting"] == "unsupervised"
    assert "no unsupervised results" not in err


def test_json_and_csv_have_every_configuration(call):
    _, text, _ = call("new.csv", "-r", "old.csv", "--format", "json")
    _, cells, _ = call("new.csv", "-r", "old.csv", "--format", "csv")

    told = json.loads(text)
    rows = list(csv.DictReader(io.StringIO(cells)))
    names = [row["detector"] for row in told["rows"]]
    assert names == [row["detector"] for row in rows]
    assert told["recommended"] == names[0]


def test_explainable_marks_the_others(call):
    _, text, _ = call("new.csv", "-r", "old.csv", "--explainable", "--format", "json")

    rows = json.loads(text)["rows"]
    assert any(not row["within_limits"] for row in rows)
    assert all(row["within_limits"] == row["explains"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.csv"], "'gone.csv': no such file"),
        (["new.csv", "--max-seconds", "-1"], "--max-seconds: got -1.0"),
        (["-", "-r", "-"], "TABLE is stdin already"),
    ],
)
def test_bad_calls_are_one_line(call, arguments, said):
    code, out, err = call(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_reading_the_evidence_does_not_import_the_zoo(call, tmp_path):
    code = (
        "import sys, odbench, warnings; warnings.simplefilter('ignore');"
        "odbench.recommend('new.csv');"
        "sys.exit(any(name.startswith('odbench_detectors') for name in sys.modules))"
    )
    command = [sys.executable, "-c", code]

    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_remarks_on_reading_the_tables_are_said(call, tmp_path):
    for name in ("old.csv", "new.csv"):
        text = (tmp_path / name).read_text()
        header = text.splitlines(keepends=True)[0]
        (tmp_path / name).write_text(text + header + text.removeprefix(header))

    code, _, err = call("new.csv", "-r", "old.csv")

    assert code == 0
    assert "odbench: left out, because they repeat the header: row 60" in err
    assert (
        "odbench: reference: left out, because they repeat the header: row 300" in err
    )
