"""Every detector with `explain` can explain a row of a data set."""

import numpy as np
import pytest

from odbench.errors import DetectorError, UsageError
from odbench.plugins.explain import explain_row


def test_names_the_column_that_stands_out(rng):
    train = rng.standard_normal((300, 3))
    test = np.array([[0.0, 0.0, 0.1], [0.0, 9.0, 0.1]])

    facts, table = explain_row(train, test, ["age", "debt", "income"], 1)

    assert facts["above"] > 0.95
    assert table[0]["column"] == "debt"
    assert table[0]["tail"] == "high"
    assert table[0]["value"] == 9.0
    assert sum(line["surprise"] for line in table) == pytest.approx(facts["score"])


def test_says_what_is_wrong(rng):
    table = rng.standard_normal((20, 2))
    with pytest.raises(UsageError, match="row 20: the data set has test rows 0 to 19"):
        explain_row(table, table, ["a", "b"], 20)
    with pytest.raises(DetectorError, match=r"'hbos': has no explain"):
        explain_row(table, table, ["a", "b"], 0, detector="hbos")


@pytest.mark.mirror
def test_the_command_prints_the_explanation(mirror):
    from click.testing import CliRunner

    from odbench.cli.datasets import datasets

    command = ["show", "oddbench/BettingIntegrity", "--mirror", str(mirror)]
    result = CliRunner().invoke(datasets, [*command, "--explain", "3"])

    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["label", "inlier"] in lines
    assert lines[7] == ["column", "value", "tail", "surprise", "share"]
    assert lines[8][:3] == ["ID", "2100654.0", "high"]
