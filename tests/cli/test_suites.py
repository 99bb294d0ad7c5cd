"""The command `suites`: a folder of tables becomes a suite; a package brings one."""

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odbench.api import new_suite
from odbench.api.suite_tables import label_rows
from odbench.cli import main
from odbench.data.own import being_written
from odbench.data.split import one_class_split
from odbench.errors import UsageError

EXAMPLE = Path(__file__).parents[2] / "examples" / "odbench-example-suite"


@pytest.fixture
def run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as done:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return done.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def tables(tmp_path, rng, monkeypatch):
    """Two tables with a label in words."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("cards", "loans"):
        rows = [
            [f"{value:.3f}", "DE" if i % 3 else "FR", "bad" if i % 9 == 0 else "good"]
            for i, value in enumerate(rng.normal(size=45))
        ]
        with (folder / f"{name}.csv").open("w", newline="") as sink:
            csv.writer(sink).writerows([["amount", "country", "state"], *rows])
    return folder


def new(run, *more):
    return run(
        "suites", "new", "fraud", "--from", "tables", "--label", "state",
        "--anomaly", "bad", *more,
    )  # fmt: skip


@pytest.mark.slow
def test_tables_become_a_suite_that_runs_and_runs_again_where_corrected(run, tables):
    code, out, _ = new(run, "--licence", "MIT")
    assert (code, out) == (0, "./fraud: 2 data sets\n")
    words = ("run", "--suite", "./fraud", "--detectors", "ecod", "--jobs", "1")
    assert "2 trials (2 ok)" in "".join(run(*words)[1:])
    file = tables / "loans.csv"
    file.write_text(file.read_text().replace(",FR,", ",IT,", 1))
    assert new(run, "--update")[0] == 0
    again = "".join(run(*words)[1:])
    assert "1 trial (1 ok), 1 done before; results in odbench-runs/fraud" in again
    assert run("datasets", "verify", "--suite", "./fraud")[2] == "verify: 4 ok\n"
    assert run("datasets", "audit", "--suite", "./fraud")[0] == 0


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".csv.gz", ".parquet"])
def test_every_form_of_a_table_is_the_same_data_set(run, tables, ending):
    frame = pd.read_csv(tables / "cards.csv")
    write = {
        ".json": lambda path: frame.to_json(path, orient="records"),
        ".jsonl": lambda path: frame.to_json(path, orient="records", lines=True),
        ".csv.gz": lambda path: frame.to_csv(path, index=False),
        ".parquet": frame.to_parquet,
    }[ending]
    write(tables / f"again{ending}")

    assert new(run)[:2] == (0, "./fraud: 3 data sets\n")
    amounts = []
    for name in ("cards", "again"):
        with np.load(f"fraud/data/{name}.npz") as made:
            rows = np.concatenate([made["train"], made["test"]])
            amounts.append(np.sort(rows[:, 0]))
            assert made["test_labels"].sum() == 5
    np.testing.assert_array_equal(*amounts)


def test_the_split_is_that_of_a_labelled_table(run, tables):
    new(run)
    with (tables / "cards.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    X = np.asarray([[float(row["amount"])] for row in rows])
    y = np.asarray([row["state"] == "bad" for row in rows], dtype=np.int8)
    train, test, labels = one_class_split(X, y, dataset_id="fraud/cards")
    with np.load("fraud/data/cards.npz") as made:
        assert list(made["feature_names"]) == ["amount", "country"]
        np.testing.assert_array_equal(made["train"][:, :1], train)
        np.testing.assert_array_equal(made["test"][:, :1], test)
        np.testing.assert_array_equal(made["test_labels"], labels)
    (row, _) = json.loads(
        run("datasets", "list", "--suite", "./fraud", "--format", "json")[1]
    )
    roles = {c["name"]: c["role"] for c in json.loads(row["parameters"])["columns"]}
    assert roles == {"amount": "number", "country": "yes/no"}


def test_a_bad_table_is_named_and_the_others_are_made(run, tables):
    (tables / "odd.csv").write_text("a,b\n1,2\n")
    code, out, err = new(run)
    assert (code, out) == (3, "./fraud: 2 data sets\n")
    assert "odd.csv': has no column 'state'; it has a, b" in err


def test_a_table_of_no_usable_name_is_named_and_the_others_are_made(run, tables):
    (tables / " x.csv").write_bytes((tables / "cards.csv").read_bytes())
    code, out, err = new(run)
    assert (code, out) == (3, "./fraud: 2 data sets\n")
    assert "' x' is not a valid data set name" in err

    for file in tables.iterdir():
        if file.name != " x.csv":
            file.unlink()
    code, _, err = new(run, "--out", "other")
    assert code == 2
    assert "can be used: " in err
    assert "rename it" in err


def test_a_table_without_a_usable_column_names_their_roles(run, tables):
    rows = "".join(f"r{i:02},1,{'bad' if i < 3 else 'good'}\n" for i in range(40))
    (tables / "names.csv").write_text(f"id,one,state\n{rows}")

    code, _, err = new(run)

    assert code == 3
    assert "(besides the label: 'id' identifier, 'one' constant); wanted" in err


@pytest.mark.parametrize("anomaly", ["true", "True", "1"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_truth_values_are_labels_however_they_are_written(form, anomaly):
    truth = np.arange(9) > 6
    column = pa.array(truth) if form == "parquet" else pa.array(map(str, truth))

    y = label_rows(pa.table({"odd": column}), "odd", anomaly, "t")

    np.testing.assert_array_equal(y, truth)


@pytest.mark.parametrize("anomaly", ["DoS", "None", "NA"])
def test_words_for_no_value_may_be_labels(anomaly):
    labels = [anomaly, *["DoS", "None"] * 6]

    y = label_rows(pa.table({"attack": labels}), "attack", anomaly, "t")

    np.testing.assert_array_equal(y, [label == anomaly for label in labels])


def test_codes_that_are_one_float_are_different_labels():
    codes = pa.array([2**63, *[2**63 + 1] * 5], pa.uint64())

    y = label_rows(pa.table({"code": codes}), "code", str(2**63), "t")

    np.testing.assert_array_equal(y, [1, 0, 0, 0, 0, 0])


def test_labels_that_are_lists_are_one_line(run, tables):
    table = pa.table({"amount": range(9), "state": [["bad"]] * 2 + [["good"]] * 7})
    pq.write_table(table, tables / "nested.parquet")

    code, out, err = new(run)

    assert (code, out) == (3, "./fraud: 2 data sets\n")
    assert "nested.parquet': 'state' holds list<" in err
    assert "wanted texts, numbers or truth values" in err


def test_a_label_that_differs_in_case_is_told(run, tables, caplog):
    text = (tables / "cards.csv").read_text()
    (tables / "cards.csv").write_text(text.replace("bad", "Bad", 1))

    assert new(run)[0] == 0

    (said,) = [record.getMessage() for record in caplog.records]
    assert "cards.csv: column 'state' has 'Bad' in 1 row, counted among the" in said


def test_an_empty_label_is_counted(run, tables):
    text = (tables / "cards.csv").read_text()
    (tables / "cards.csv").write_text(text.replace(",bad", ",", 1))

    assert "column 'state' is empty in 1 row; fill it" in new(run)[2]


def test_hidden_files_of_systems_are_no_tables(run, tables):
    (tables / "._cards.csv").write_bytes(b"\0\5\x16\7")

    assert new(run)[:2] == (0, "./fraud: 2 data sets\n")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--from", "no"), "no such folder"),
        (("--anomaly", "zzz"), "0 of 45 rows have 'zzz'"),
        (("--update",), "cannot be updated"),
        (("--out", "tables"), "has files, but no suite.toml; empty it, or choose"),
    ],
)
@pytest.mark.usefixtures("tables")
def test_a_wrong_call_is_one_line_and_2(run, more, words):
    code, _, err = new(run, *more)
    assert (code, err.count("\n")) == (2, 1)
    assert words in err


@pytest.mark.usefixtures("tables")
def test_two_folders_of_one_name_are_refused_in_a_run(run):
    for folder in ("./fraud", "more/fraud"):
        new(run, "--out", folder)
    words = ("run", "--suite", "./fraud,more/fraud", "--detectors", "ecod")
    code, _, err = run(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert "suite fraud: is the name of" in err


@pytest.mark.usefixtures("tables")
def test_npz_files_need_no_label_and_tables_do(run, tmp_path, rng):
    (tmp_path / "npz").mkdir()
    np.savez(
        tmp_path / "npz" / "a.npz", X=rng.normal(size=(30, 2)), y=np.arange(30) > 25
    )
    code, out, _ = run("suites", "new", "plain", "--from", "npz")
    assert (code, out) == (0, "./plain: 1 data set\n")
    code, _, err = run("suites", "new", "worded", "--from", "tables")
    assert (code, err.count("\n")) == (2, 1)
    assert "name them with --label and --anomaly" in err


@pytest.mark.usefixtures("tables")
def test_the_name_of_another_suite_is_refused(run):
    words = ("--from", "tables", "--label", "state", "--anomaly", "bad")
    code, _, err = run("suites", "new", "oddbench", *words)
    assert (code, "the suite oddbench; choose another NAME" in err) == (2, True)


@pytest.mark.slow
def test_an_installed_package_brings_a_suite(tmp_path):
    target = tmp_path / "site"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
            "--no-build-isolation", "--target", target, EXAMPLE,
        ],
        check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip

    def odbench(*args):
        return subprocess.run(
            [sys.executable, "-c", "from odbench.cli import main; main()", *args],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(target)},
        )  # fmt: skip

    listed = json.loads(odbench("suites", "list", "--format", "json").stdout)
    (row,) = [row for row in listed if row["suite"] == "machines"]
    assert (row["public"], row["licence"]) == (2, "CC0-1.0")
    ran = odbench("run", "--suite", "machines", "--detectors", "ecod", "--jobs", "1")
    assert "2 trials (2 ok)" in ran.stdout + ran.stderr
    shown = odbench("datasets", "show", "machines/pumps")
    assert shown.returncode == 0, shown.stderr


def test_the_next_step_of_a_folder_with_a_space_goes_through_a_shell(run, tables):
    _, out, err = new(run, "--out", "my suites")

    assert "next: odbench run --suite './my suites' --detectors" in err + out
    _, _, err = run("datasets", "show", "./my suites/card")
    assert "did you mean" in err
    assert "`odbench datasets list --suite './my suites'`" in err


def test_remarks_on_reading_a_table_name_it(run, tables, caplog):
    text = (tables / "cards.csv").read_text()
    header = text.splitlines(keepends=True)[0]
    (tables / "cards.csv").write_text(text + header + text.removeprefix(header))

    assert new(run)[0] == 0

    said = [record.getMessage() for record in caplog.records]
    assert said == ["cards.csv: left out, because they repeat the header: row 45"]


def test_an_empty_folder_becomes_a_suite_and_a_suite_is_kept(run, tables):
    (tables.parent / "fraud").mkdir()

    assert new(run)[:2] == (0, "./fraud: 2 data sets\n")
    code, _, err = new(run)
    assert (code, "exists; make its tables again with --update" in err) == (2, True)


def test_a_file_becomes_no_suite(tables):
    with pytest.raises(UsageError, match="is a file; choose another folder"):
        new_suite.new_suite(
            "fraud", tables, label="state", anomaly="bad", out=tables / "cards.csv"
        )


def test_two_calls_do_not_share_a_new_folder(run, tables, monkeypatch):
    """The second call begins after the first one has looked, and ends before it."""
    late = new_suite._claim

    def claim(folder, *, update):
        monkeypatch.setattr(new_suite, "_claim", late)
        assert new(run)[0] == 0
        late(folder, update=update)

    monkeypatch.setattr(new_suite, "_claim", claim)
    code, _, err = new(run)

    assert (code, err.count("\n")) == (2, 1)
    assert "another call has just made it" in err


def test_a_suite_that_is_being_written_is_left_alone(run, tables):
    new(run)
    before = Path("fraud/manifest.csv").read_bytes()

    with being_written(Path("fraud")):
        update = new(run, "--update")
        audit = run("datasets", "audit", "--suite", "./fraud", "--write")

    for code, _, err in (update, audit):
        assert (code, err.count("\n")) == (2, 1)
        assert "another call is writing it; wait for its end" in err
    assert Path("fraud/manifest.csv").read_bytes() == before
    assert new(run, "--update")[0] == 0


def test_anomalies_that_are_most_rows_are_told(run, tables, caplog):
    code, _, _ = run(
        "suites", "new", "fraud", "--from", "tables", "--label", "state",
        "--anomaly", "good",
    )  # fmt: skip

    assert code == 0
    assert "has 'good' in 40 of 45 rows, which all count as anomalies" in caplog.text
    caplog.clear()
    new(run, "--out", "other")
    assert "count as anomalies" not in caplog.text


def test_an_update_is_of_that_suite_and_keeps_its_description(run, tables):
    new(run)
    again = ("--from", "tables", "--update")

    code, _, err = run("suites", "new", "other", "--out", "fraud", *again)
    assert (code, "its name is 'fraud', not 'other'" in err) == (2, True)
    code, _, err = run("suites", "new", "fraud", *again, "--licence", "MIT")
    assert (code, "--licence cannot be used with --update" in err) == (2, True)
    # The label and its value are those of suite.toml.
    assert run("suites", "new", "fraud", *again)[:2] == (0, "./fraud: 2 data sets\n")


def test_an_update_keeps_what_was_entered_by_hand(run, tables):
    new(run)
    file = tables.parent / "fraud" / "manifest.csv"
    before = pd.read_csv(file, dtype=str, keep_default_na=False)
    before["domain"], before["source_url"] = "finance", "https://example.org/cards"
    before.to_csv(file, index=False)
    (tables / "loans.csv").rename(tables / "debts.csv")

    assert new(run, "--update")[0] == 0

    after = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("name")
    assert list(after.domain) == ["finance", "", "finance"]
    assert after.source_url["loans"] == "https://example.org/cards"
    # That table was not made again: how it was made is still known.
    assert after.parameters["loans"] == before.set_index("name").parameters["loans"]


def test_an_update_tells_which_tables_it_did_not_make(run, tables, caplog):
    new(run)
    new(run, "--update")
    assert "left in the suite" not in caplog.text
    (tables / "loans.csv").rename(tables / "debts.csv")

    assert new(run, "--update")[:2] == (0, "./fraud: 3 data sets\n")

    assert "not in 'tables', so left in the suite as they were: loans;" in caplog.text


def test_an_update_with_another_label_says_that_the_next_has_the_first(
    run, tables, caplog
):
    new(run)
    again = ("suites", "new", "fraud", "--from", "tables", "--update")
    run(*again)
    run(*again, "--label", "state")
    assert "next --update" not in caplog.text

    assert run(*again, "--anomaly", "good")[0] == 0

    told = "suite.toml has 'bad', which the next --update takes; write 'good' there"
    assert "--anomaly 'good': " in caplog.text
    assert told in caplog.text


def test_an_update_forgets_a_removed_file(run, tables):
    new(run)
    (tables.parent / "fraud" / "data" / "loans.npz").unlink()
    (tables / "loans.csv").unlink()

    assert new(run, "--update")[:2] == (0, "./fraud: 1 data set\n")


def test_a_broken_manifest_is_told_before_an_update_changes_anything(run, tables):
    new(run)
    folder = tables.parent / "fraud"
    (folder / "manifest.csv").write_text("name\n")
    before = (folder / "data" / "cards.npz").stat().st_mtime_ns

    code, _, err = new(run, "--update")

    assert (code, err.count("\n")) == (2, 1)
    assert "manifest.csv" in err
    assert (folder / "data" / "cards.npz").stat().st_mtime_ns == before


def test_files_that_are_no_tables_are_named(run, tables, caplog):
    for name in ("cards.csv.bak", "loans.xlsx", "loans.7z", "loans.parquet.old"):
        (tables / name).write_bytes((tables / "cards.csv").read_bytes())
    (tables / "more").mkdir()
    (tables / "gone.csv").symlink_to(tables / "nothing.csv")

    assert new(run)[:2] == (0, "./fraud: 2 data sets\n")

    (said,) = [record.getMessage() for record in caplog.records]
    assert (
        "cards.csv.bak, gone.csv, loans.7z, loans.parquet.old, loans.xlsx and 1 "
        "more; wanted files of" in said
    )


def test_a_folder_of_folders_says_that_they_are_not_read(run, tables):
    (tables.parent / "outer").mkdir()
    tables.rename(tables.parent / "outer" / "inner")

    code, _, err = run("suites", "new", "fraud", "--from", "outer")

    assert (code, err.count("\n")) == (2, 1)
    assert "holds no table; it has inner/; wanted files of" in err
    assert "folders in it are not read" in err


def test_copies_of_a_table_are_one_family(run, tables, caplog):
    (tables / "again.csv").write_bytes((tables / "cards.csv").read_bytes())

    assert new(run)[0] == 0

    (said,) = [record.getMessage() for record in caplog.records]
    assert "made from the same table: again = cards; statistics count them" in said
    listed = json.loads(run("datasets", "list", "--suite", "./fraud",
                            "--format", "json")[1])  # fmt: skip
    families = {row["id"]: row["family"] for row in listed}
    assert families == {
        "fraud/again": "fraud/again",
        "fraud/cards": "fraud/again",
        "fraud/loans": "fraud/loans",
    }


def test_a_column_that_gives_the_label_away_is_told(run, tables, caplog):
    header, *lines = (tables / "cards.csv").read_text().splitlines()
    given = [f"{line},{int(line.endswith('bad'))}" for line in lines]
    (tables / "cards.csv").write_text("\n".join([f"{header},chargeback", *given]))

    assert new(run)[0] == 0

    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(
        "columns that give the labels away: 'chargeback' in fraud/cards"
    )


def test_a_table_alone_in_a_zip_is_a_table(run, tables):
    with zipfile.ZipFile(tables / "more.csv.zip", "w") as packed:
        packed.write(tables / "cards.csv", "cards.csv")

    assert new(run)[:2] == (0, "./fraud: 3 data sets\n")
