"""Rankings of columns: made-up tables of known structure, warnings, and bounds."""

import shlex

import numpy as np
import pandas as pd
import pytest

import odbench
from odbench.api.columns import ranking_of
from odbench.errors import DataError, UsageError
from odbench.tables import column_ranking
from odbench.tables.column_ranking import ignore_option, rank_table_columns
from odbench.tables.column_screen import ranking_lines
from odbench.tables.fitted import split_names


def made(n=1_000, seed=0):
    """A pair of dependent columns, a repeated one, noise of many values, an id."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    return pd.DataFrame(
        {
            "id": np.arange(n) + 1_000,
            "noise": rng.normal(size=n),
            "noisy_code": rng.integers(0, 500, n),
            "size": size,
            "weight": 3 * size + rng.normal(scale=0.3, size=n),
            "inches": size * 2.54 + 1,
            "always": "yes",
        }
    )


def by_name(ranking):
    return {one.column: one for one in ranking.columns}


def test_structure_is_first_and_noise_of_many_values_is_last():
    ranking = rank_table_columns(made())

    compared = [one.column for one in ranking.columns if one.structure is not None]
    assert set(compared[:3]) == {"size", "weight", "inches"}
    assert set(compared[3:]) == {"noise", "noisy_code"}
    found = by_name(ranking)
    for name in ("noise", "noisy_code"):
        assert found[name].most_similar == ""
        assert abs(found[name].structure) < 0.02
    assert found["weight"].most_similar in ("size", "inches")
    assert 0.5 < found["weight"].redundancy < 0.95


def test_a_repeated_column_is_named_once_as_suspicious():
    ranking = rank_table_columns(made())

    found = by_name(ranking)
    assert found["inches"].warnings == ("repeats 'size'",)
    assert found["size"].warnings == ("repeats 'inches'",)
    assert ranking.to_ignore == ("inches",)


def test_a_label_may_have_a_name_that_is_no_text(rng):
    frame = pd.DataFrame({0: [0, 1] * 20, "x": rng.normal(size=40)})

    assert odbench.rank_columns(frame, label=0)["column"].tolist() == ["x"]


def test_a_column_is_left_where_all_rise_along_the_rows(recwarn):
    years = np.arange(1790.0, 1990.0, 10.0)
    table = {"year": years, "value": (years - 1780.0) ** 2}

    assert rank_table_columns(table).to_ignore == ("year",)
    assert rank_table_columns({"value": table["value"]}).to_ignore == ()
    odbench.score(table, detector="knn")
    assert str(recwarn[0].message).endswith("leave out: `ignore` 'year'")
    odbench.score(table, detector="knn", ignore=["year"])
    assert len(recwarn) == 1


def test_columns_that_are_left_out_are_last_with_their_reason():
    ranking = rank_table_columns(made())

    assert {one.column for one in ranking.columns[-2:]} == {"id", "always"}
    found = by_name(ranking)
    assert found["id"].warnings[0].startswith("left out: identifier")
    assert found["always"].warnings[0].startswith("left out: constant")
    assert found["id"].structure is None
    assert found["id"].distinct == 1_000


def test_a_coarser_column_follows_from_a_finer_one_but_is_kept():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 12, 800)
    table = {"city": [f"c{c}" for c in city], "region": [f"r{c // 4}" for c in city]}

    ranking = rank_table_columns(table)

    assert by_name(ranking)["region"].warnings == ("follows from 'city'",)
    assert by_name(ranking)["city"].warnings == ()
    assert ranking.to_ignore == ()


def test_columns_that_merely_rise_together_do_not_repeat_each_other():
    height = np.arange(58.0, 73.0)
    weight = 115.0 + (height - 58.0) ** 1.4
    days = np.arange(200.0)
    people = np.exp(days / 150.0) + np.random.default_rng(0).random(200) / 300.0

    # Amounts of two years, mostly nothing in either.
    last = np.where(
        np.arange(240) % 5 == 0, np.random.default_rng(1).normal(9, 1, 240), 0
    )
    this = last * np.random.default_rng(2).uniform(0.97, 1.03, 240)

    for table in (
        {"h": height, "w": weight},
        {"days": days, "people": people},
        {"last": np.exp(last), "this": np.exp(this)},
    ):
        warnings = [one.warnings for one in rank_table_columns(table).columns]
        assert not any("repeats" in told for each in warnings for told in each)


@pytest.mark.parametrize(
    "again",
    [
        lambda x: 1.8 * x + 32.0,
        lambda x: -3.0 * x,
        lambda x: np.round(np.log(x), 3),
        lambda x: np.exp(x / 20.0),
        lambda x: x**2,
    ],
)
@pytest.mark.parametrize("n", [12, 400])
def test_another_unit_or_scale_repeats_a_column(again, n):
    x = np.round(np.random.default_rng(0).uniform(10.0, 90.0, n), 1)

    ranking = rank_table_columns({"x": x, "noise": np.sin(np.arange(n)), "y": again(x)})

    assert ranking.to_ignore == ("y",)
    assert by_name(ranking)["y"].warnings == ("repeats 'x'",)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_values_at_the_ends_of_the_range_are_compared_without_a_warning(scale):
    x = np.linspace(-1.0, 1.0, 300)

    ranking = rank_table_columns({"x": x, "y": scale * x, "z": scale * np.roll(x, 7)})

    assert "z" not in ranking.to_ignore


def test_a_mistyped_value_does_not_hide_that_a_column_is_repeated():
    x = np.round(np.random.default_rng(0).uniform(10.0, 90.0, 400), 1)

    ranking = rank_table_columns({"x": x, "y": np.where(x == x.max(), 1e6, 3.0 * x)})

    assert ranking.to_ignore == ("y",)


def test_the_code_of_a_name_repeats_it_and_few_rows_say_nothing():
    names = ["red", "green", "blue", "grey"]
    codes = dict(zip(names, (17, 4, 230, 51), strict=True))

    def ranking(rows):
        return rank_table_columns({"c": rows, "code": [codes[name] for name in rows]})

    assert ranking(names * 30).to_ignore == ("code",)
    assert ranking(names).to_ignore == ()


def test_a_counter_and_its_copy_are_both_named_each_for_its_reason():
    counter = np.cumsum(np.random.default_rng(0).integers(1, 50, 300)) * 1.5

    found = by_name(rank_table_columns({"t": counter, "again": counter / 60.0}))

    assert found["t"].warnings[0].startswith("rises along the rows")
    assert found["again"].warnings[0] == "repeats 't'"
    assert found["t"].suspicious
    assert found["again"].suspicious


def test_missing_values_counters_and_near_constants_are_remarked():
    rng = np.random.default_rng(0)
    n = 500
    counter = np.cumsum(rng.integers(1, 50, n)) * 1.5
    sparse = np.where(rng.random(n) < 0.6, np.nan, rng.normal(size=n))
    flag = (np.arange(n) < 3).astype(int)
    table = pd.DataFrame({"t": counter, "sparse": sparse, "flag": flag})

    found = by_name(rank_table_columns(table))

    assert found["t"].warnings == ("rises along the rows, as a counter or a time does",)
    assert found["t"].suspicious
    assert "of the values are missing" in found["sparse"].warnings[0]
    assert found["sparse"].missing == pytest.approx(0.6, abs=0.05)
    assert found["flag"].warnings == ("all but 3 of 500 rows have one value",)
    assert not found["flag"].suspicious


def test_missing_values_are_a_fact_that_another_column_can_tell():
    rng = np.random.default_rng(0)
    measured = rng.integers(0, 2, 600)
    value = np.where(measured == 1, rng.normal(size=600), np.nan)

    found = by_name(rank_table_columns(pd.DataFrame({"m": measured, "v": value})))

    assert found["m"].warnings == ("follows from 'v'",)


def labelled(n=2_000):
    rng = np.random.default_rng(0)
    y = (rng.random(n) < 0.02).astype(int)
    reason = np.where(y & (rng.random(n) < 0.4), 1, 0)
    return pd.DataFrame(
        {
            "y": y,
            "leak": y * 50.0 + rng.normal(size=n),
            "reason": reason,
            "fair": rng.normal(size=n) + y,
            "noise": rng.normal(size=n),
        }
    )


def test_a_column_that_gives_the_label_away_is_named():
    ranking = rank_table_columns(labelled(), "y")

    found = by_name(ranking)
    assert "y" not in found
    assert found["leak"].label > 0.95
    assert found["leak"].warnings[0].endswith("% of the label")
    assert found["noise"].label < 0.05
    assert found["noise"].label < found["fair"].label < 0.5
    assert set(ranking.to_ignore) == {"leak", "reason"}


def test_a_value_that_always_has_one_label_is_named():
    found = by_name(rank_table_columns(labelled(), "y"))

    assert found["reason"].label < 0.9
    assert found["reason"].warnings[0].startswith("'1' always has one label")


def test_rows_without_a_label_are_left_out_of_the_comparison_with_it():
    rng = np.random.default_rng(0)
    table = labelled()
    rest = table["noise"].where(rng.random(len(table)) < 0.3)
    table["y"] = table["y"].astype("Int64").where(rest.notna())
    # It is missing with the label, which says nothing about anomalies.
    table["with_it"] = rest

    ranking = rank_table_columns(table, "y")

    found, known = by_name(ranking), table.dropna(subset="y")
    alone = by_name(rank_table_columns(known, "y"))
    assert found["with_it"].label == alone["with_it"].label < 0.1
    assert not any("label" in text for text in found["with_it"].warnings)
    assert found["leak"].label == alone["leak"].label > 0.9
    assert (
        f"the label is compared on the {len(known):,} rows that have one; "
        f"{2_000 - len(known):,} have none" in ranking.notes
    )


def test_a_label_must_exist_and_have_few_values():
    with pytest.raises(UsageError, match="has no column 'Y'"):
        rank_table_columns(labelled(), "Y")
    with pytest.raises(DataError, match="'fair' has 2,000 different values; wanted 2"):
        rank_table_columns(labelled(), "fair")


def test_the_order_of_columns_changes_no_share():
    table = made()

    there = by_name(rank_table_columns(table))
    back = by_name(rank_table_columns(table[table.columns[::-1]]))

    for name, one in there.items():
        assert back[name].structure == pytest.approx(one.structure, abs=1e-3)


def test_large_tables_are_sampled_and_said_so(monkeypatch):
    monkeypatch.setattr(column_ranking, "MOST_ROWS", 600)

    ranking = rank_table_columns(made(n=2_000))

    assert ranking.n_measured == 600
    assert ranking.notes == ("information is measured on 600 rows drawn at random",)
    assert by_name(ranking)["inches"].warnings == ("repeats 'size'",)


def test_wide_tables_are_compared_with_some_of_their_columns(monkeypatch):
    monkeypatch.setattr(column_ranking, "MOST_TARGETS", 10)
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(
        rng.normal(size=(300, 35)), columns=[f"c{j}" for j in range(35)]
    )
    wide["c9"] = wide["c0"]

    ranking = rank_table_columns(wide)

    assert "each column is compared with 10 of 35" in ranking.notes
    # c0 is among the ten, so its copy is found.
    assert by_name(ranking)["c9"].warnings == ("repeats 'c0'",)


def test_one_column_has_nothing_to_compare_with():
    found = rank_table_columns({"a": np.random.default_rng(0).normal(size=50)})

    assert found.columns[0].structure is None
    assert found.columns[0].most_similar == ""


def test_a_table_without_usable_columns_is_still_described():
    ranking = rank_table_columns({"a": ["x"] * 30, "b": [None] * 30})

    assert {one.kind for one in ranking.columns} == {"constant", "empty"}
    assert max(map(len, ranking_lines(ranking))) <= 80


def test_python_returns_a_frame_with_the_rest_in_attrs():
    frame = odbench.rank_columns(made())

    assert frame["column"].tolist()[-2:] == ["id", "always"]
    assert frame.attrs["summary"]["to_ignore"] == ["inches"]
    assert frame.attrs["summary"]["n_rows"] == 1_000


def test_a_data_set_has_its_own_labels():
    dataset = odbench.load_dataset("synbench/copula-dependence-000")

    ranking = ranking_of("synbench/copula-dependence-000")

    assert ranking.table == "synbench/copula-dependence-000"
    assert ranking.n_rows == len(dataset.X_train) + len(dataset.X_test)
    assert {one.column for one in ranking.columns} == set(dataset.columns)
    assert all(one.label is not None for one in ranking.columns)
    assert ranking_of(dataset) == ranking
    with pytest.raises(UsageError, match="has its own labels"):
        ranking_of("synbench/copula-dependence-000", label="y")


def test_a_path_that_is_neither_file_nor_set_is_one_line():
    with pytest.raises(UsageError, match="no such file"):
        ranking_of("nowhere/table.csv")


def test_the_screen_fits_80_columns_whatever_the_names():
    rng = np.random.default_rng(0)
    names = ["a" * 60, "b\x1b[31mred\n", "c"]
    size = rng.normal(size=300)
    table = pd.DataFrame(
        {names[0]: size, names[1]: size * 2, names[2]: rng.normal(size=300)}
    )
    table["y"] = (size > 1.5).astype(int)

    lines = ranking_lines(rank_table_columns(table, "y"))

    assert max(map(len, lines[:7])) <= 80
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("names", [["a"], ["a b", "$c"], ["x, y", "z"], ["it's", "b"]])
def test_the_options_that_leave_columns_out_go_through_a_shell(names):
    words = shlex.split(ignore_option(names))

    assert words[::2] == ["--ignore"] * (len(words) // 2)
    assert split_names(words[1::2], names) == names
