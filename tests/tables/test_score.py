"""Scoring tables: output, order of rows, reasons, drift."""

import json
import warnings
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import odbench
from odbench.errors import DataError, DetectorError, OdbenchError, UsageError
from odbench.tables import learner as learning
from odbench.tables import sample as sampling
from odbench.tables.drift import chance_outside
from odbench.tables.model_file import load_model, save_model
from odbench.tables.report import render_report
from odbench.tables.score import Request, score_table
from odbench.tables.screen import screen_lines
from odbench.tables.write import write_scored
from tests.tables.made import orders

OUTPUT = ["row", "order", "rank", "score", "p_value", "flagged", "reasons"]


def scored(table, reference=None, **others):
    result, _ = score_table(Request(table=table, reference=reference, **others))
    return result


def shuffled(table, seed):
    return table.take(np.random.default_rng(seed).permutation(table.num_rows))


@pytest.fixture(scope="module")
def against():
    return scored(orders(300, 1, odd=6), orders(1_500), id_name="order")


def test_unusual_rows_are_first_and_flagged(against):
    assert set(against.top(6).tolist()) == set(range(6))
    assert against.flagged[:6].all()
    assert against.n_flagged <= 12
    assert "rows are flagged at a false discovery rate of 10 %" in against.verdict()


def test_reasons_are_in_the_units_and_words_of_the_table(against):
    text = against.reason_text(0)

    assert "amount 25,000 where similar rows have" in text
    assert "country 'XK' never seen" in text


def test_the_output_has_one_row_per_row_in_its_order(against):
    frame = against.frame()

    assert list(frame) == OUTPUT
    assert frame["row"].tolist() == list(range(300))
    assert frame["order"].tolist() == orders(300, 1, odd=6)["order"].to_pylist()
    by_score = frame.sort_values("score", ascending=False)["rank"].tolist()
    assert by_score == sorted(by_score)
    assert frame["p_value"].between(1 / 1_501, 1).all()
    assert frame["reasons"].str.len().gt(0).all()


def test_columns_have_roles_and_identifiers_are_left_out(against):
    roles = {column.name: column.role for column in against.columns}

    assert roles == {
        "order": "identifier", "country": "category", "amount": "number",
        "items": "integer", "day": "date", "note": "category", "currency": "constant",
    }  # fmt: skip


@pytest.mark.parametrize("n_first", [40, 70, 150])
def test_of_equal_rows_all_are_explained_or_none(rng, n_first):
    colors = np.array(["red"] * n_first + ["blue"] * 200)
    for order in (np.arange(len(colors)), rng.permutation(len(colors))):
        found = odbench.score({"color": colors[order]})
        explained = found["reasons"] != ""
        pairs = set(zip(found["score"], explained, strict=True))
        assert len(pairs) == len(set(found["score"]))
        assert explained.sum() == n_first


@pytest.mark.parametrize(
    "detector", [pytest.param("cats", marks=pytest.mark.slow), "iforest"]
)
def test_eight_orders_of_rows_give_the_same_flags(detector):
    reference, table = orders(400), orders(120, 1, odd=5)
    expected = scored(table, reference, detector=detector, id_name="order").frame()
    expected = expected.set_index("order").drop(columns="row")

    for seed in range(8):
        found = scored(
            shuffled(table, seed),
            shuffled(reference, seed + 100),
            detector=detector,
            id_name="order",
        ).frame()
        found = found.set_index("order").drop(columns="row").loc[expected.index]
        assert found.equals(expected)


# The histograms of hbos give many rows the same score, also where reasons end.
@pytest.mark.parametrize("detector", ["cats", "hbos"])
def test_the_order_of_rows_changes_no_score_without_reference(detector):
    how = {"id_name": "order", "detector": detector}
    table = orders(500, odd=3)
    expected = scored(table, **how).frame().set_index("order")

    for seed in range(5):
        found = scored(shuffled(table, seed), **how).frame()
        found = found.set_index("order").loc[expected.index]
        assert found["score"].equals(expected["score"])
        assert found["reasons"].equals(expected["reasons"])


def test_the_verdict_counts_many_false_alarms_in_plain_numbers(against):
    many = replace(against, fdr=0.5, flagged=np.ones(300, dtype=bool))
    common = replace(
        against,
        n_reference=9,
        flagged=np.zeros(300, dtype=bool),
        p_values=np.full(300, 0.75),
    )

    assert "on average at most 150 of them are false alarms" in many.verdict()
    assert "among 300 normal rows, 225 would score as high" in common.verdict()


def test_without_reference_nothing_is_flagged_and_the_verdict_says_why():
    result = scored(orders(200, odd=3), detector="knn")

    assert result.n_flagged == 0
    assert set(result.top(3).tolist()) == {0, 1, 2}
    assert "give rows known to be normal with --reference" in result.verdict()
    assert result.p_values.min() == pytest.approx(1 / 200, abs=2 / 200)


def test_too_few_reference_rows_are_said_with_the_number_needed():
    result = scored(orders(500, 1), orders(40))

    assert result.n_flagged == 0
    assert "flagging a single row of 500 takes 4,999 reference rows" in result.verdict()
    assert "No row is flagged at a false discovery rate of 10 %" in result.verdict()


def test_a_detector_without_explanations_gets_reasons_too():
    result = scored(orders(300, odd=2), detector="knn")

    assert "amount 25,000 where similar rows have" in result.reason_text(0)
    for row in result.top(10).tolist():
        assert sum(r.share for r in result.reasons[row]) <= 1.0 + 1e-9


def test_rows_that_the_reference_holds_too_are_counted(rng):
    def notes(table, reference):
        scored, _ = score_table(Request(table=table, reference=reference))
        return " ".join(scored.notes)

    def drawn(n):
        x = rng.normal(size=(n, 3))
        return pa.table({f"x{j}": x[:, j] for j in range(3)})

    reference = drawn(300)
    some = pa.concat_tables([reference.slice(0, 30), drawn(70)])
    assert "30 % of rows are in the reference, too" in notes(some, reference)
    assert "in the reference, too" not in notes(drawn(100), reference)
    # Rows of few values repeat each other by nature.
    few = pa.table({"a": rng.integers(3, size=400), "b": rng.integers(4, size=400)})
    assert "in the reference, too" not in notes(few.slice(300), few.slice(0, 300))


def test_drift_is_said():
    table = orders(400, 2)
    table = table.set_column(2, "amount", pc.multiply(table["amount"], 40.0))
    table = table.set_column(6, "currency", pa.array(["USD"] * 400))
    table = table.append_column("new", pa.array(range(400)))

    notes = "\n".join(scored(table, orders(800)).notes)

    assert "column 'new' is not in the reference and not used" in notes
    assert "currency: in the reference always 'EUR', here also 'USD'" in notes
    assert "amount: " in notes
    assert "of rows lie outside the reference's" in notes
    assert "the rows as a whole score higher than the reference" in notes


@pytest.mark.parametrize(("n", "n_reference"), [(10, 10), (60, 40), (200, 15)])
def test_the_chance_of_rows_outside_a_range_is_that_of_simulations(rng, n, n_reference):
    known, new = rng.normal(size=(4_000, n_reference)), rng.normal(size=(4_000, n))
    low, high = known.min(axis=1)[:, None], known.max(axis=1)[:, None]
    outside = ((new < low) | (new > high)).sum(axis=1)

    for count in (0, 1, 3, 9):
        share = float(np.mean(outside >= count))
        assert chance_outside(count, n, n_reference) == pytest.approx(share, abs=0.03)


def test_rows_like_a_small_reference_are_not_called_outside_it(rng):
    values = {name: rng.normal(size=80) for name in "abcdefgh"}
    whole = pa.table(values)

    notes = scored(whole.slice(40), whole.slice(0, 40), detector="ecod").notes

    assert not any("outside" in note for note in notes)


def test_few_rows_outside_a_small_reference_are_told_where_they_are_many(rng):
    reference = pa.table({"x": rng.normal(size=40), "y": rng.normal(size=40)})
    table = pa.table({"x": rng.normal(9.0, size=12), "y": rng.normal(size=12)})

    notes = scored(table, reference, detector="ecod").notes

    assert any(note.startswith("x: 100 % of rows lie outside") for note in notes)
    assert not any(note.startswith("y: ") for note in notes)


@pytest.mark.parametrize("detector", ["ecod", "knn"])
def test_names_of_which_many_are_new_are_no_false_alarms(detector):
    """Averaged over tables of names of which most are few, as of persons."""
    shares, flagged = [], 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        names = [f"k{each:.0f}" for each in np.minimum(rng.zipf(1.6, 300), 1e6)]
        whole = pa.table({"name": names, "x": rng.normal(size=300)})
        result = scored(whole.slice(150), whole.slice(0, 150), detector=detector)
        shares.append([np.mean(result.p_values <= level) for level in (0.05, 0.2)])
        flagged += result.n_flagged
        assert not any("never seen" in note for note in result.notes)

    assert np.all(np.mean(shares, axis=0) <= [0.08, 0.25])
    assert flagged <= 8


def test_a_saved_model_compares_with_rows_as_new_ones(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"k{each:.0f}" for each in np.minimum(rng.zipf(1.6, 300), 1e6)]
    whole = pa.table({"name": names, "x": rng.normal(size=300)})
    result, fitted = score_table(
        Request(table=whole.slice(150), reference=whole.slice(0, 150), detector="ecod")
    )
    save_model(fitted, tmp_path / "m.odb")

    loaded, _ = load_model(tmp_path / "m.odb")
    again = scored(whole.slice(150), fitted=loaded)

    np.testing.assert_array_equal(again.p_values, result.p_values)


def test_the_same_rows_written_otherwise_score_the_same(tmp_path):
    reference, table = orders(300), orders(50, 1, odd=2)
    path = tmp_path / "new.csv"
    frame = table.to_pandas()
    frame["amount"] = [
        f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in frame["amount"]
    ]
    frame["day"] = frame["day"].dt.strftime("%d.%m.%Y %H:%M:%S")
    frame.to_csv(path, sep=";", index=False, encoding="utf-8-sig")

    typed = scored(table, reference)
    text = scored(path, reference)

    np.testing.assert_allclose(text.scores, typed.scores, rtol=1e-9)


@pytest.mark.slow
def test_large_tables_are_scored_in_batches_from_a_sample(monkeypatch):
    monkeypatch.setattr(sampling, "MOST_ROWS", 600)
    monkeypatch.setattr(learning, "FIT_ROWS", 500)
    monkeypatch.setattr(learning, "ONE_PART_ABOVE", 1_000)
    table = orders(2_000, 1, odd=4)

    alone = scored(table, detector="knn")
    against = scored(table, orders(2_500), detector="knn")

    for result in (alone, against):
        assert len(result.scores) == 2_000
        assert {1, 2, 3} <= set(result.top(4).tolist())
    again = scored(shuffled(table, 3), id_name="order").frame()
    expected = scored(table, id_name="order").frame()
    ranks = dict(zip(expected["order"], expected["score"], strict=True))
    assert [ranks[name] for name in again["order"]] == again["score"].tolist()


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_tiny_tables_are_scored(rows):
    table = {"a": [1.5, 2.5, 9.25, 3.5, 4.75][:rows]}

    assert len(scored(table).scores) == rows
    assert len(scored(table, {"a": [1.0, 2.5, 3.25]}).scores) == rows


def test_one_row_alone_or_without_columns_is_one_line():
    with pytest.raises(DataError, match="has one row"):
        scored({"a": [1.5]})
    with pytest.raises(DataError, match="no column is left"):
        scored({"a": [1] * 9, "b": [f"x{n}" for n in range(9)]})
    with pytest.raises(DataError, match="column 'amount' of the reference is missing"):
        scored(orders(9).drop_columns(["amount"]), orders(30))
    with pytest.raises(UsageError, match="has no column 'oder'; did you mean 'order'"):
        scored(orders(9), id_name="oder")


def test_a_single_new_row_is_scored_against_a_reference():
    result = scored(orders(1, 1, odd=1), orders(200))

    assert result.rank.tolist() == [1]
    assert result.p_values[0] == pytest.approx(1 / 201)


class Failing:
    """A detector that fails in a way of its own."""

    def __init__(self, how="raise"):
        self.how = how

    def get_params(self, deep=True):
        return {"how": self.how}

    def fit(self, X):
        if self.how == "raise":
            msg = "by\nnothing"
            raise ZeroDivisionError(msg)

    def decision_function(self, X):
        return np.full(len(X), np.nan) if self.how == "nan" else np.zeros(3)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", r"fit failed \(ZeroDivisionError: by nothing\)"),
        ("nan", "scores that are not finite"),
        ("shape", r"scores of shape \(3,\), wanted \(50,\)"),
    ],
)
def test_a_detector_that_fails_is_one_line(how, words):
    with pytest.raises(DetectorError, match=words):
        scored(orders(50), detector=Failing(how))


def test_from_python():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = odbench.score(
            orders(40, 1, odd=1).append_column("extra", pa.array(range(40))),
            reference=orders(200),
            id="order",
            ignore=["note"],
            detector="knn:k=3",
        )

    assert any("is not in the reference" in str(w.message) for w in caught)
    assert list(frame) == OUTPUT
    summary = frame.attrs["summary"]
    assert summary["detector"] == "knn (k=3)"
    assert {"column": "note", "role": "ignored", "note": "as asked"} in summary[
        "columns"
    ]


def test_the_index_of_a_data_frame_is_that_of_its_scores(rng):
    table = pd.DataFrame({"a": rng.normal(size=50)})[::-1].iloc[::2]
    table.loc[15, "a"] = 40.0

    table["rank"] = odbench.score(table, detector="knn:k=3")["rank"]

    assert table["rank"].idxmin() == 15


def test_a_call_that_cannot_be_done_is_refused_before_the_work(tmp_path, rng):
    table = {"a": rng.normal(size=30)}
    model = tmp_path / "model.odb"
    odbench.score(table, detector="knn", save=model)

    for more in ({"detector": "ecod"}, {"ignore": ["a"]}, {"number": 0}):
        with pytest.raises(UsageError, match="model: cannot go with"):
            odbench.score(table, model=model, **more)
    for place, words in ((tmp_path / "no" / "m", "does not exist"), (tmp_path, "name")):
        with pytest.raises(UsageError, match=words):
            odbench.score("no.csv", save=place)


def test_names_that_are_no_text_choose_columns_too(rng):
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=[0, 1, ("a", "b")])

    frame = odbench.score(table, detector="knn", id=1, ignore=[("a", "b")], number=0)

    columns = frame.attrs["summary"]["columns"]
    assert [c["role"] for c in columns] == ["number", "identifier", "ignored"]
    with pytest.raises(UsageError, match=r"fdr '0\.1': is not a rate"):
        odbench.score(table, fdr="0.1")


@pytest.mark.parametrize(
    "values",
    [
        pa.array([["x"], ["y"], None, ["x"]]),
        pa.array([b"x", b"\xff", None, b"x"]),
        pa.array([[("k", 1)], [("k", 2)], None, None], pa.map_(pa.string(), pa.int8())),
    ],
    ids=["lists", "bytes", "maps"],
)
def test_a_nested_column_may_be_a_category_but_no_number(values, rng):
    table = pa.table({"a": rng.normal(size=4), "n": values})

    frame = odbench.score(table, detector="knn:k=1", category=["n"])

    assert frame.attrs["summary"]["columns"][1]["role"] == "category"
    for role in ("number", "date"):
        with pytest.raises(UsageError, match=f"`{role}` wants {role}s, but none of"):
            odbench.score(table, **{role: ["n"]})


@pytest.mark.parametrize("values", [["abc"] * 60, [[1]] * 60])
def test_values_that_are_no_numbers_are_not_said_to_be_missing(values, rng):
    reference = {"a": rng.normal(size=200), "b": rng.normal(size=200)}
    half = [str(v) if i % 2 else "" for i, v in enumerate(values)]

    for given, words in ((values, "a: not a"), (half, "a: missing or not a")):
        table = {"a": given, "b": rng.normal(size=60)}
        found = scored(table, reference=reference, detector="knn")
        assert found.notes[0] == (
            f"{words} number in 100 % of rows, such as {str(values[0])!r}, in the "
            f"reference 0 %"
        )


def test_one_and_zero_are_true_and_false_where_the_reference_has_these(rng):
    known, new = (
        pa.table({"a": rng.normal(size=n), "ok": rng.random(n) < 0.8})
        for n in (200, 60)
    )
    known_bits, new_bits = (
        t.set_column(1, "ok", t["ok"].cast(pa.int8())) for t in (known, new)
    )

    alike = odbench.score(new, reference=known, detector="ecod")
    for table, reference in ((new_bits, known), (new, known_bits)):
        frame = odbench.score(table, reference=reference, detector="ecod")
        np.testing.assert_array_equal(frame["score"], alike["score"])
        assert frame.attrs["summary"]["notes"] == []


def test_a_note_names_columns_that_a_detector_is_better_off_without():
    rng = np.random.default_rng(0)
    price = rng.normal(100, 20, 200).round(2)
    time = np.cumsum(rng.integers(1, 40, 200)) * 0.5
    table = {"net": price, "gross": 1.19 * price, "t": time, "x": rng.normal(size=200)}

    with pytest.warns(UserWarning, match="to leave out: `ignore`") as told:
        odbench.score(table, detector="knn")
    note = str(told[0].message)

    assert "'gross' repeats 'net'" in note
    assert "'t' rises along the rows" in note
    assert note.split("`ignore` ")[1] in ("'t,gross'", "'gross,t'")


def test_a_column_that_the_user_chose_is_not_named(recwarn):
    rng = np.random.default_rng(0)
    table = {"a": np.arange(200) * 1.5, "x": rng.normal(size=200)}

    odbench.score(table, detector="knn", number=["a"])

    assert not [w for w in recwarn if "to leave out" in str(w.message)]


def test_wide_tables_are_not_ranked_while_they_are_scored(recwarn):
    rng = np.random.default_rng(0)
    wide = {f"c{j}": rng.normal(size=60) for j in range(160)}
    wide["copy"] = wide["c0"]

    odbench.score(wide, detector="ecod")

    assert not [w for w in recwarn if "to leave out" in str(w.message)]


def test_a_category_of_a_tenth_of_the_rows_is_not_odd_as_such(rng, monkeypatch):
    kinds = np.repeat(["L", "M", "H"], [360, 180, 60])
    table = pa.table(
        {"kind": kinds, **{f"x{j}": rng.normal(size=600) for j in range(4)}}
    )

    def among_first():
        frame = odbench.score(table)
        return np.mean(kinds[frame["rank"].to_numpy() <= 30] == "H")

    assert among_first() < 0.4
    # The core of cats has no such row.
    monkeypatch.setattr(learning, "_FEWEST", 601)
    assert among_first() > 0.9


def test_rows_of_numbers_alone_have_the_detectors_own_scores(rng):
    rows = rng.normal(size=(200, 3))
    made = learning.Learner.of(odbench.find_detector("cats"), rows)
    wanted = np.empty(200)
    wanted[made.places] = odbench.find_detector("cats").build(0).fit_score(made.rows)

    np.testing.assert_array_equal(made.own_scores(), wanted)
    assert not np.array_equal(made.own_scores(named=True), wanted)


def test_only_a_detector_that_trims_is_fitted_on_parts(rng):
    rows = rng.normal(size=(100, 3))
    knn = odbench.find_detector("knn")
    trimming = replace(knn, info=replace(knn.info, trims=True))
    plain, cut = (learning.Learner.of(one, rows) for one in (knn, trimming))

    np.testing.assert_array_equal(plain.own_scores(named=True), plain.own_scores())
    np.testing.assert_array_equal(cut.own_scores(), plain.own_scores())
    assert not np.array_equal(cut.own_scores(named=True), plain.own_scores())


class Seen:
    """Scores a row by the rows of train below it, and notes what it was fitted on."""

    fits: ClassVar[list[set[float]]] = []

    def fit(self, X):
        self.train = set(X[:, 0].tolist())
        self.fits.append(self.train)
        return self

    def decision_function(self, X):
        assert not self.train & set(X[:, 0].tolist())
        return np.array([sum(t < x for t in self.train) for x in X[:, 0]], dtype=float)


class Choosing(Seen):
    """The same, with a choice that is kept."""

    chosen: ClassVar[list[int]] = []

    def fit(self, X):
        self.chosen.append(len(X))
        return super().fit(X)

    def refit(self, X):
        return super().fit(X)


@pytest.mark.parametrize("kind", [Seen, Choosing])
def test_a_row_of_a_table_with_categories_is_scored_by_those_that_never_saw_it(
    rng, kind
):
    kind.fits.clear()
    Choosing.chosen.clear()
    plain = odbench.find_detector(kind)
    trimming = replace(plain, info=replace(plain.info, trims=True))
    rows = rng.normal(size=(100, 2))
    order = rng.permutation(100)

    scores = learning.Learner.of(trimming, rows).own_scores(named=True)
    again = learning.Learner.of(trimming, rows[order]).own_scores(named=True)

    np.testing.assert_array_equal(scores[order], again)
    # The mean of six fits on two thirds each: about two thirds of the row's place.
    places = rows[:, 0].argsort().argsort()
    np.testing.assert_allclose(scores, places * 2 / 3, atol=8)
    assert Choosing.chosen == ([100, 100] if kind is Choosing else [])
    assert {len(fit) for fit in kind.fits} <= {66, 67, 100}


@pytest.mark.filterwarnings("ignore")
def test_joined_files_score_as_one_and_keep_their_row_numbers(tmp_path, rng):
    values = rng.normal(size=(90, 2)).round(3)
    values[70] = 50.0
    lines = [f"{a},{b}" for a, b in values]
    (tmp_path / "one.csv").write_text("\n".join(["a,b", *lines]))
    joined = ["a,b", *lines[:30], "a,b", *lines[30:60], "a,b", *lines[60:]]
    (tmp_path / "joined.csv").write_text("\n".join(joined))

    one, both = (
        odbench.score(tmp_path / f"{name}.csv", detector="knn")
        for name in ("one", "joined")
    )

    assert both["row"].tolist() == [*range(30), *range(31, 61), *range(62, 92)]
    same = ["rank", "score", "p_value", "reasons"]
    assert both[same].equals(one[same])
    assert both.loc[both["rank"] == 1, "row"].tolist() == [72]
    notes = both.attrs["summary"]["notes"]
    assert "left out, because they repeat the header: rows 30, 61" in notes


@pytest.mark.filterwarnings("ignore")
def test_the_screen_and_the_page_name_the_rows_of_the_file(tmp_path):
    lines = [f"{k % 7},{k % 5}" for k in range(40)]
    text = "\n".join(["a,b", *lines[:9], "a,b", *lines[9:], "90,90"])
    (tmp_path / "t.csv").write_text(text)

    result, fitted = score_table(Request(table=tmp_path / "t.csv", detector="knn"))

    assert result.rows(result.top(1))[0]["row"] == 41
    (line,) = [one for one in screen_lines(result, 1) if one.startswith("     1")]
    assert line.split()[1] == "41"
    assert "<h3>row 41</h3>" in render_report(result, fitted)


def test_an_id_that_is_no_number_is_null_in_json(tmp_path):
    table = orders(60).append_column("key", pa.array([float("nan"), *range(1, 60)]))
    result = scored(table, id_name="key")
    write_scored(result, tmp_path / "scored.jsonl")

    first = (tmp_path / "scored.jsonl").read_text().splitlines()[0]

    assert json.loads(first, parse_constant=pytest.fail)["key"] is None


@pytest.mark.parametrize(
    ("detector", "told"), [("ecod", False), ("ecod:reference=batch", True)]
)
def test_scores_that_depend_on_the_other_rows_are_told(detector, told):
    result = scored(orders(80, 1), orders(600), detector=detector)

    line = "this detector scores a row by the rows that are scored with it"
    assert (line in result.notes) is told


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: odbench.score(t.slice(0, 1)), "score it with `reference`"),
        (lambda t: odbench.score(t, number=["note"]), "`number` wants numbers"),
        (lambda t: odbench.score(t, ignore=t.column_names), "`ignore` fewer, or name"),
        (lambda t: odbench.score(t, model="none.odb"), "^`model` 'none.odb': no such"),
        (lambda t: odbench.recommend(t, max_seconds=-1), "^`max_seconds`: got -1"),
        (lambda t: odbench.recommend(t, max_memory=0), "^`max_memory`: got 0"),
    ],
)
def test_errors_in_python_name_arguments(call, words):
    with pytest.raises(OdbenchError, match=words) as caught:
        call(orders(30))

    assert "--" not in str(caught.value)


def test_summaries_in_python_name_arguments():
    summary = odbench.score(orders(30)).attrs["summary"]

    assert summary["verdict"].endswith("to be normal with `reference`.")
