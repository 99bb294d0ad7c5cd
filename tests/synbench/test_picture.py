"""Pictures show the right columns and the law's contour."""

import subprocess
import sys

import numpy as np
import pytest

from odbench.errors import UnknownDatasetError, UsageError
from odbench.synbench import picture, suite


def test_the_pair_whose_dependence_breaks_is_found(rng):
    """Marginals agree in all columns; only 1 and 3 lose their dependence."""
    X = rng.normal(size=(3000, 5))
    X[:, 3] = X[:, 1] + 0.1 * rng.normal(size=3000)
    labels = (np.arange(3000) < 300).astype(np.int8)
    X[:300, 3] = rng.permutation(X[300:600, 3])

    assert picture.telling_columns(X, labels) == (1, 3)


def test_of_a_wide_table_the_columns_that_differ_are_paired(rng):
    X = rng.normal(size=(400, 130))
    labels = (np.arange(400) < 100).astype(np.int8)
    X[:100, [7, 120]] += 4.0

    assert picture.telling_columns(X, labels) == (7, 120)


@pytest.mark.parametrize(
    ("columns", "anomalies"), [(("a",), 3), (("a", "b"), 0), (("a", "b"), 9)]
)
def test_what_has_no_picture_is_named(rng, columns, anomalies):
    labels = (np.arange(9) < anomalies).astype(np.int8)
    with pytest.raises(UsageError, match=r"picture of some/set: .*both labels"):
        picture.table_figure(
            "some/set", rng.normal(size=(9, len(columns))), labels, columns
        )


def test_a_constant_column_and_a_name_with_signs_are_drawn(rng, tmp_path):
    X = np.column_stack([np.zeros(90_000), np.arange(90_000.0)])
    labels = (np.arange(90_000) % 3 == 0).astype(np.int8)
    drawing = picture.table_figure("some/set", X, labels, ("$price_", "b$^"))

    picture.write(drawing, tmp_path / "set.png")

    assert (tmp_path / "set.png").read_bytes().startswith(b"\x89PNG")


def test_the_ellipse_holds_95_percent_of_the_inliers():
    from matplotlib.path import Path

    made = suite.make("copula-dependence-005")
    curve = np.stack(picture.copula_ellipse(made.law, 0, 2), axis=1)

    share = Path(curve).contains_points(made.X_train[:, [0, 2]]).mean()

    # Four standard errors of a share from 8,268 rows.
    assert share == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 8268))


@pytest.mark.parametrize(
    ("name", "contour"),
    [
        ("gmm-subspace-047", "95 % of each component"),
        ("scm-measurement-065", None),
        ("copula-dependence-010", "95 % of the inliers' law"),
    ],
)
def test_a_file_is_written_with_contour_where_there_is_one(tmp_path, name, contour):
    drawing = picture.figure(name)
    texts = [text.get_text() for text in drawing.legends[0].get_texts()]
    assert texts == ["inliers", "anomalies", *([contour] if contour else [])]

    size = picture.save(name, tmp_path / "set.png")

    assert size == (450, 450)
    assert (tmp_path / "set.png").read_bytes().startswith(b"\x89PNG")


def test_an_impossible_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        picture.save("gmm-subspace-047", tmp_path / "none" / "set.png")
    with pytest.raises(UsageError, match="cannot be written"):
        picture.save("gmm-subspace-047", tmp_path / "set.nonsense")


def test_an_unknown_set_is_named():
    with pytest.raises(UnknownDatasetError, match="nonsense-000"):
        picture.figure("nonsense-000")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(UsageError, match="odbench\\[plot\\]"):
        picture.figure("gmm-subspace-047")


def test_generating_loads_no_matplotlib_pandas_or_sklearn():
    script = (
        "import sys; from odbench.synbench import suite; suite.generate(suite.MINI[0]);"
        "heavy = {'matplotlib', 'pandas', 'sklearn', 'numba'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.check_output([sys.executable, "-c", script], text=True)

    assert shown.strip() == "[]"
