"""Every detector with `explain` can explain a row of a data set."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from odbench.cli import main
from odbench.cli.datasets import datasets
from odbench.errors import DetectorError, UsageError
from odbench.plugins.check.contract import check_detector
from odbench.plugins.check.explained import can_explain
from odbench.plugins.explain import explain_row
from odbench.plugins.find import core_zoo, find_detector

SMALL = "synbench/copula-dependence-010"
ABLE = ["cats", "copod", "ecod", "hbos"]

# A detector whose explain is the body; it adds up squared distances to the mean.
PLUGIN = """
import numpy as np
import pandas as pd


class Table:
    def __init__(self, scores, squares, X, columns):
        self.scores, self.squares, self.X = scores, squares, X
        self.columns = list(columns)

    def table(self, row):
        order = np.argsort(-self.squares[row])
        frame = pd.DataFrame({{
            "column": [self.columns[j] for j in order],
            "value": self.X[row, order],
            "share": self.squares[row, order] / self.scores[row],
            "rank": pd.Categorical(np.arange(len(order))),
        }})
        {table}
        return frame


class Mine:
    def fit(self, X):
        self.mean = X.mean(axis=0)

    def decision_function(self, X):
        return ((X - self.mean) ** 2).sum(axis=1)

    def explain(self, X, columns):
        scores, squares = self.decision_function(X), (X - self.mean) ** 2
        {explain}
        return Table(scores, squares, X, columns)
"""
# Part of the plugin -> a fault in it, and the words of the line that names it.
BROKEN = {
    "raises": ("explain", "1 / 0", "explain(X, columns) raised ZeroDivisionError"),
    "no object": ("explain", "return None", "NoneType without scores and table"),
    "a list": ("explain", "return [3.0]", "list without scores and table"),
    "two scores": ("explain", "scores = np.ones(7)", "has shape (7,)"),
    "no numbers": ("explain", "scores = np.array(['x'])", "raised ValueError"),
    "infinite": ("explain", "scores = scores / 0.0", "finite floats"),
    "other scores": ("explain", "scores = scores + 1", "differ from decision_function"),
    "table raises": ("table", "frame['nothing']", "table(0) raised KeyError"),
    "no frame": ("table", "return {'column': ['a']}", "returned dict"),
    "no share": ("table", "del frame['share']", "wanted different texts"),
    "numbered": ("table", "frame[0] = 1", "wanted different texts"),
    "a column less": ("table", "frame = frame[1:]", "does not list every column once"),
    "other values": ("table", "frame['value'] += 1", "has other values than the row"),
    "text values": ("table", "frame['value'] = 'x'", "raised ValueError"),
    "NaN": ("table", "frame['share'] = float('nan')", "holds NaN or infinity"),
    "order": ("table", "frame = frame[::-1]", "does not put the largest share first"),
    "sum": ("table", "frame['share'] /= 2", "has shares that sum to 0.5; wanted 1"),
}


def plugin(folder, **bodies):
    text = PLUGIN.format(**{"table": "", "explain": "", **bodies})
    (folder / "explaining.py").write_text(text)
    return f"{folder / 'explaining.py'}:Mine"


def show(detector, *more, row=3):
    words = ["show", SMALL, "--explain", str(row), "--detector", detector]
    return CliRunner().invoke(datasets, [*words, *more])


def test_names_the_column_that_stands_out(rng):
    train = rng.standard_normal((300, 3))
    test = np.array([[0.0, 0.0, 0.1], [0.0, 9.0, 0.1]])

    facts, table = explain_row(train, test, ["age", "debt", "income"], 1)

    assert facts["above"] > 0.95
    assert table[0]["column"] == "debt"
    assert table[0]["tail"] == "high"
    assert table[0]["value"] == 9.0
    assert sum(line["surprise"] for line in table) == pytest.approx(facts["score"])


def test_the_zoo_knows_who_explains():
    able = [one.info.name for one in core_zoo() if can_explain(one.build(0))]
    assert able == ABLE


@pytest.mark.parametrize("detector", ABLE)
def test_all_that_explain_give_one_shape(rng, detector):
    train = rng.standard_normal((300, 3))
    test = np.array([[0.0, 0.0, 0.1], [0.0, 9.0, 0.1]])

    facts, table = explain_row(
        train, test, ["age", "debt", "income"], 1, detector=detector
    )

    assert facts["detector"] == detector
    expected = find_detector(detector).build(0)
    expected.fit(train)
    assert facts["score"] == pytest.approx(expected.decision_function(test)[1])
    assert [table[0]["column"], table[0]["value"]] == ["debt", 9.0]
    assert sum(line["share"] for line in table) == pytest.approx(1.0)
    assert sorted(line["column"] for line in table) == ["age", "debt", "income"]


@pytest.mark.parametrize("detector", ABLE)
def test_the_command_takes_every_detector_that_explains(detector):
    table = show(detector)
    assert table.exit_code == 0, table.output
    assert "share" in table.output
    facts = json.loads(show(detector, "--format", "json").output)
    assert facts["detector"] == detector
    assert sum(line["share"] for line in facts["columns"]) == pytest.approx(1, abs=1e-3)
    assert show(detector, "--format", "csv").output.startswith("column,value,")


@pytest.mark.parametrize("detector", ["knn", "lof", "iforest"])
def test_the_others_are_refused_in_one_line(capsys, detector):
    with pytest.raises(SystemExit) as done:
        main(["datasets", "show", SMALL, "--explain", "3", "--detector", detector])
    assert done.value.code == 2
    assert capsys.readouterr().err == (
        f"odbench: detector {detector!r}: has no explain(X, columns); name one that "
        f"has: cats, copod, ecod, hbos\n"
    )


def test_a_plugin_can_explain(tmp_path):
    facts = json.loads(show(plugin(tmp_path), "--format", "json").output)
    assert set(facts["columns"][0]) == {"column", "value", "share", "rank"}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_broken_plugin_is_one_line(tmp_path, capsys, fault):
    part, body, words = BROKEN[fault]
    broken = plugin(tmp_path, **{part: body})

    with pytest.raises(SystemExit) as done:
        main(["datasets", "show", SMALL, "--explain", "3", "--detector", broken])

    assert done.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said
    # The check of detectors finds the same fault.
    findings = {f.probe: f for f in check_detector(find_detector(broken))}
    assert findings["explain"].verdict == "fail"


# The methods of the other settings; each explains its scores, or has a fault.
SETTINGS = """
    def score_batch(self, X):
        return 2 * self.decision_function(X)

    def fit_score(self, X):
        self.fit(X)
        return self.score_batch(X)

    def _twice(self, X, columns, rows):
        told = self.explain(X[rows], columns)
        told.scores, told.squares = 2 * told.scores, 2 * told.squares
        return told

    def explain_batch(self, X, columns, rows):
        {batch}
        return self._twice(X, columns, rows)

    def explain_own(self, X, columns, rows):
        {own}
        return self._twice(X, columns, rows)
"""


def in_settings(folder, *, batch="", own=""):
    text = PLUGIN.format(table="", explain="") + SETTINGS.format(batch=batch, own=own)
    (folder / "explaining.py").write_text(text)
    checked = check_detector(find_detector(f"{folder / 'explaining.py'}:Mine"))
    return next(f for f in checked if f.probe == "explain")


def test_explanations_of_the_other_settings_are_checked(tmp_path):
    finding = in_settings(tmp_path, own="self.fit(X)")
    assert finding.verdict == "ok", finding
    assert finding.message.startswith("explain, explain_batch, explain_own: ")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"batch": "return self.explain(X[rows], columns)"}, "score_batch(X) by up to"),
        ({"own": "return self.explain(X[rows], columns)"}, "fit_score(X) by up to"),
        ({"own": "1 / 0"}, "explain_own(X, columns, rows) raised ZeroDivisionError"),
        ({"batch": "rows = rows[::-1]"}, "differ from score_batch(X)"),
    ],
)
def test_a_fault_in_the_explanation_of_another_setting_is_found(tmp_path, fault, said):
    finding = in_settings(tmp_path, **fault)
    assert finding.verdict == "fail"
    assert said in finding.message


@pytest.mark.parametrize("where", ["fit", "decision_function"])
def test_a_plugin_that_fails_before_it_explains_is_one_line(tmp_path, capsys, where):
    text = PLUGIN.format(table="", explain="")
    (tmp_path / "explaining.py").write_text(
        text.replace(f"def {where}(self, X):", f"def {where}(self, X):\n        1 / 0")
    )
    target = f"{tmp_path / 'explaining.py'}:Mine"
    with pytest.raises(SystemExit) as done:
        main(["datasets", "show", SMALL, "--explain", "3", "--detector", target])
    assert done.value.code == 2
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_says_what_is_wrong(rng):
    table = rng.standard_normal((20, 2))
    with pytest.raises(UsageError, match="row 20: the data set has test rows 0 to 19"):
        explain_row(table, table, ["a", "b"], 20)
    with pytest.raises(UsageError, match="row '2': the data set has test rows 0 to 19"):
        explain_row(table, table, ["a", "b"], "2")
    for names in (None, ["a"]):
        with pytest.raises(UsageError, match="wanted the names of 2 columns"):
            explain_row(table, table, names, 0)
    for uneven in ([[1.0], [1.0, 2.0]], [1.0, 2.0]):
        with pytest.raises(DetectorError):
            explain_row(uneven, uneven, ["a", "b"], 0)


@pytest.mark.parametrize("kind", ["float64", "Float64", "float64[pyarrow]"])
def test_data_frames_are_explained_as_arrays_are(rng, kind):
    table = rng.standard_normal((20, 2))
    frame = pd.DataFrame(table, columns=["a", 7]).astype(kind)

    expected = explain_row(table, table, ["a", "7"], 3)

    assert explain_row(frame, frame, frame.columns, np.int64(3)) == expected
    with pytest.raises(UsageError, match="wanted those of X_train in their order"):
        explain_row(frame, frame[[7, "a"]], ["a", "b"], 3)


@pytest.mark.mirror
def test_the_command_prints_the_explanation(mirror):
    command = ["show", "oddbench/BettingIntegrity", "--mirror", str(mirror)]
    result = CliRunner().invoke(datasets, [*command, "--explain", "3"])

    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["label", "inlier"] in lines
    assert lines[7] == ["column", "value", "tail", "surprise", "share"]
    assert lines[8][:3] == ["ID", "2100654.0", "high"]
