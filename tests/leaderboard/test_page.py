"""The content of the page, without a browser."""

import base64
import hashlib
import html
import json
import re

import numpy as np
import pytest

from odbench.leaderboard.inputs import Source
from odbench.leaderboard.page import data as page_data
from odbench.leaderboard.page.lines import provenance_lines
from odbench.leaderboard.page.pack import (
    pack_halves,
    pack_members,
    pack_seconds,
    pack_unit,
    pack_words,
)
from odbench.leaderboard.page.render import inert_json, render_page
from odbench.leaderboard.tables import Settings, build_leaderboard
from odbench.scoring.cells import split_results
from odbench.scoring.policy import apply_policy
from tests.leaderboard.browser import simulated as made
from tests.reference.trials import frame, trial

QUICK = Settings(permutations=20)


def unpacked(packed: dict) -> np.ndarray:
    """Read a packed column the slow way."""
    raw = base64.b64decode(packed["b64"])
    size = packed["bits"] // 8
    out = []
    for at in range(0, len(raw), size):
        code = int.from_bytes(raw[at : at + size], "little")
        if code == 2 ** packed["bits"] - 1:
            out.append(float("nan"))
        elif packed["kind"] == "log":
            out.append(10 ** (code / packed["scale"] - packed["shift"]))
        else:
            out.append(code / packed["scale"])
    return np.array(out)


def data_of(page: str) -> dict:
    (block,) = re.findall(
        r'<script type="application/json" id="leaderboard-data">(.*?)</script>',
        page,
        re.DOTALL,
    )
    return json.loads(block)


@pytest.fixture(scope="module")
def results():
    return made.simulated(made.SMALL, methods=18, seeds=2)


@pytest.fixture(scope="module")
def page(results):
    return render_page(
        results, provenance=made.PROVENANCE, files=made.FILES, settings=QUICK
    )


@pytest.fixture(scope="module")
def data(page):
    return data_of(page)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 0.12345, 0.999999])
def test_values_in_the_unit_interval_keep_four_decimals(value):
    assert unpacked(pack_unit([value]))[0] == pytest.approx(value, abs=1.01e-5)


def test_missing_values_stay_missing_in_every_kind_of_column():
    for pack in (pack_unit, pack_halves, pack_seconds):
        assert np.isnan(unpacked(pack([np.nan, 1.0]))).tolist() == [True, False]


@pytest.mark.parametrize("most", [40, 127, 128, 300])
def test_ranks_are_kept_exactly(most):
    ranks = np.arange(1, most + 0.5, 0.5)

    np.testing.assert_array_equal(unpacked(pack_halves(ranks)), ranks)


def test_seconds_are_kept_to_a_thousandth():
    seconds = np.array([1e-9, 1e-6, 0.00123, 1.0, 59.9, 86_400.0])

    np.testing.assert_allclose(unpacked(pack_seconds(seconds)), seconds, rtol=1.2e-3)
    assert unpacked(pack_seconds([0.0]))[0] == pytest.approx(1e-9)


def test_members_are_packed_lowest_bit_first(rng):
    rows = rng.random(45) < 0.3
    raw = base64.b64decode(pack_members(rows))

    assert [bool(raw[t // 8] >> (t % 8) & 1) for t in range(45)] == rows.tolist()


def test_words_are_written_once():
    packed = pack_words(["b", "a", None, "b", float("nan"), ""])

    assert packed == {"words": ["a", "b"], "codes": [1, 0, -1, 1, -1, -1]}


@pytest.mark.parametrize("text", [made.HOSTILE, "<!--", "]]>", "\u2029", "\ud800"])
def test_the_data_block_holds_no_markup(text):
    written = inert_json({text: [text]})

    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {
        t: [t] for t in [text.encode("utf-8", "replace").decode()]
    }


@pytest.mark.slow
def test_the_same_results_give_the_same_bytes_in_any_order(results, page):
    shuffled = results.sample(frac=1.0, random_state=3)

    again = render_page(
        shuffled, provenance=made.PROVENANCE, files=made.FILES, settings=QUICK
    )

    assert again == page


def test_failures_are_counted_as_in_the_tables():
    failed = trial("a", "knn", reason="broken")
    several_runs = [failed, failed, trial("b", "knn", 0.5), trial("b", "knn", 0.5)]
    machine = trial("c", "knn", status="environment", reason="no memory was left")
    results = frame([*several_runs, machine, trial("c", "lof", 0.5)])

    (board,) = data_of(render_page(results, settings=QUICK))["boards"]

    assert board["n_trials"] == 3
    assert board["failure_counts"]["statuses"] == ["failed"]
    assert board["failure_counts"]["failed"] == [1]
    assert board["failures"]["failed"] == [1]


def test_a_page_of_a_run_has_the_newest_versions_in_their_settings():
    depends = {"batch_difference": 0.5, "generation": 2}
    results = frame(
        [
            trial("a", "knn", 0.5, detector_version="0.9", generation=1),
            trial("a", "knn", 0.6, detector_version="1.0", generation=2),
            trial("a", "mine", None, reason="broken", **depends),
        ]
    )

    with pytest.warns(UserWarning, match="1 row of an earlier version of knn"):
        boards = data_of(render_page(results, settings=QUICK))["boards"]

    assert [board["protocol"] for board in boards] == ["one-class", "transductive"]
    assert [board["n_methods"] for board in boards] == [1, 2]
    assert [sum(board["failures"]["failed"]) for board in boards] == [0, 1]


def test_the_tables_are_those_of_the_leaderboard(results, data):
    whole = build_leaderboard(results, settings=QUICK)
    for board in data["boards"]:
        table = board["slices"][0]["tables"]["each"]
        wanted = whole[
            (whole["suite"] == board["suite"])
            & (whole["partition"] == board["partition"])
        ]
        names = [data["methods"][m] for m in table["method"]]
        assert [n["detector"] for n in names] == wanted["detector"].tolist()
        assert [n["config"] for n in names] == wanted["config"].tolist()
        private = board["partition"] == "private"
        for name in ("mean_auroc", "mean_ap", "elo_auroc", "total_rank", "n_failed"):
            step = 1e-2 if name.startswith("elo") else 1e-3 if private else 1e-4
            np.testing.assert_allclose(table[name], wanted[name], atol=step / 1.9)


def test_each_cell_is_what_the_main_table_counts(results, data):
    for cells in split_results(results):
        if cells.partition == "private":
            continue
        (board,) = (
            b for b in data["boards"] if b["suite"] == cells.suite and b["sets"]
        )
        quality = apply_policy(cells)
        shape = quality.values["auroc"].T.shape
        for name in ("auroc", "ap"):
            shown = unpacked(board["cells"][name]).reshape(shape).T
            np.testing.assert_allclose(shown, quality.values[name], atol=1.01e-5)
        shown = unpacked(board["cells"]["fit_seconds"]).reshape(shape).T
        np.testing.assert_allclose(shown, cells.fit_seconds, rtol=1.2e-3)
        counts = np.zeros(shape, dtype=int).ravel()
        packed = board["cells"]["failed"]
        counts[np.cumsum(packed["places"])] = packed["values"]
        np.testing.assert_array_equal(counts.reshape(shape).T, cells.failed)


def test_win_rates_are_counted_set_by_set(results, data):
    board = data["boards"][0]
    rows = results[
        (results["suite"] == "oddbench") & (results["partition"] == "public")
    ]
    (cells,) = split_results(rows)
    quality = apply_policy(cells)
    value = np.where(quality.last, -1.0, np.round(quality.values["auroc"], 5))
    m = len(cells.methods)
    wanted = [
        np.mean((value[:, i] > value[:, j]) + 0.5 * (value[:, i] == value[:, j]))
        for i in range(m)
        for j in range(i + 1, m)
    ]

    shown = unpacked(board["slices"][0]["wins"]["auroc"])

    np.testing.assert_allclose(shown, wanted, atol=1.01e-5)


def test_every_failed_trial_is_on_the_page(results, data):
    for board in data["boards"]:
        bad = results[
            (results["suite"] == board["suite"])
            & (results["partition"] == board["partition"])
            & (results["status"] != "ok")
        ]
        assert sum(board["failure_counts"]["failed"]) == len(bad)
        if board["sets"]:
            failures = board["failures"]
            assert sum(failures["failed"]) == len(bad)
            assert set(failures["reasons"]) == set(bad["reason"])


def test_a_private_partition_shows_aggregates_only(data):
    (board,) = (b for b in data["boards"] if b["partition"] == "private")

    assert board["sets"] is None
    assert board["cells"] is None
    assert "failures" not in board
    assert [s["key"] for s in board["slices"]] == ["all"]
    assert not {"wins", "tests"} & set(board["slices"][0])
    table = board["slices"][0]["tables"]["each"]
    for values in table.values():
        if isinstance(values, list):
            assert all(v is None or round(v, 3) == v for v in values)
    assert "Oddbench_table" in json.dumps(data["boards"][0])
    assert "Oddbench_table" not in json.dumps(board)


def test_few_private_sets_are_not_shown_at_all():
    few = made.simulated(
        {("oddbench", "public"): 5, ("oddbench", "private"): 19}, methods=3
    )

    data = data_of(render_page(few, settings=QUICK))

    assert [b["partition"] for b in data["boards"]] == ["public"]


def test_hostile_text_stays_text():
    page = render_page(
        made.hostile(),
        title=made.HOSTILE,
        provenance=[(made.HOSTILE, made.HOSTILE)],
        files=["../../etc/passwd", 'x"onclick="', "oddbench/public.csv"],
        settings=QUICK,
    )

    assert made.HOSTILE not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert (
        'onclick="' not in html.unescape(page.split("<script>")[0]).split("<style>")[0]
    )
    assert made.HOSTILE in json.dumps(data_of(page), ensure_ascii=False).replace(
        '\\"', '"'
    )


def test_only_this_script_and_this_style_may_run(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for tag in ("script", "style"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_nothing_is_loaded_from_elsewhere(page):
    head = page.split('<script type="application/json"')[0]

    assert not re.findall(r'(?:src|href)="(?!#|data:,|[\w-]+/[\w-]+\.csv")', head)
    assert "@import" not in head
    assert "url(" not in head


def test_the_page_names_its_command_its_runs_and_their_versions():
    source = Source(
        name="core zoo",
        results_sha256="ab" * 32,
        trials=12_345,
        detectors={"ecod": "0.1.0"},
        sandbox={"": 1, "audit hook + landlock 7": 12_000},
        run={
            "versions": {"odbench": "0.1.0", "python": "3.11.7"},
            "machine": {"cores": 2, "system": "Linux", "memory_bytes": 24 * 2**30},
            "git": {"commit": "0123456789abcdef", "dirty": True},
            "command": ["odbench", "run"],
        },
    )

    lines = dict(provenance_lines([source], Settings(permutations=20)))

    assert lines == {
        "Command": "odbench leaderboard build 'core zoo' --permutations 20 --out DIR",
        "Run, results": f"12,345 trials, SHA-256 {'ab' * 32}",
        "Run, versions": "odbench 0.1.0, python 3.11.7",
        "Run, machine": "2 cores, Linux, 24 GiB",
        "Run, sandbox": "none (1 trial); audit hook + landlock 7 (12,000 trials)",
        "Run, state": "commit 0123456789ab with uncommitted changes",
        "Inference": "20 random sign flips of families, seed 0",
    }


@pytest.mark.parametrize("run", [{}, {"versions": 3, "machine": [], "git": {}}])
def test_a_run_without_a_description_is_still_named(run):
    source = Source(
        name="r", results_sha256="0", trials=1, detectors={}, sandbox={}, run=dict(run)
    )

    assert dict(provenance_lines([source], Settings()))["Run, results"] == (
        "1 trial, SHA-256 0"
    )
    assert [name for name, _ in provenance_lines([source, source], Settings())] == [
        "Command", "Run r, results", "Run r, results", "Inference",
    ]  # fmt: skip


def test_results_without_any_score_still_make_a_page():
    frame = made.simulated({("oddbench", "public"): 4}, methods=2)
    frame[["auroc", "ap"]] = np.nan

    assert data_of(render_page(frame, settings=QUICK))["boards"] == []


def test_a_private_partition_is_offered_only_where_there_is_one():
    names = ["adbench", "oddbench", "ovrbench", "synbench", "own"]

    closed = page_data._closed([], names, [])

    assert closed == [["oddbench", "private"], ["ovrbench", "private"]]


def test_places_of_slices_have_intervals(data):
    board = next(b for b in data["boards"] if b["partition"] == "public")
    tables = [part["tables"]["each"] for part in board["slices"]]

    assert len(tables) > 2
    known = [table for table in tables if any(table.get("place_low", []))]
    assert len(known) > len(tables) / 2
    for table in known:
        ends = zip(table["place_low"], table["place"], table["place_high"], strict=True)
        assert all(low <= place <= high for low, place, high in ends)
        assert "gap_auroc_low" not in table or table is tables[0]


def test_the_explanations_name_no_rows_of_a_single_setting(results):
    # Tables of several protocols are on one page, and differ in the rows that are seen.
    page = render_page(results, settings=QUICK)

    assert "which contain only inliers" not in page
    assert "The protocol says which rows" in page
