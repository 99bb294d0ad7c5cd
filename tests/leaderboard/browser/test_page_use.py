"""Using the page: clicking, typing, reading."""

import re

import pandas as pd
import pytest

from odbench.leaderboard.page.render import render_page
from odbench.leaderboard.tables import build_leaderboard
from odbench.leaderboard.terminal import sorted_by
from odbench.scoring.cells import split_results
from tests.leaderboard.browser import chromium
from tests.leaderboard.browser import simulated as made


def numbers(texts):
    return [float(text.replace(",", "")) for text in texts]


@pytest.mark.parametrize("address", made.VIEWS.values(), ids=made.VIEWS)
def test_every_view_opens_from_the_disk(page, address):
    page.open(address)

    assert page.text("h1")
    assert page.run("return document.querySelectorAll('main h1').length") == 1


def test_a_click_on_a_heading_sorts_and_another_reverses_the_order(page):
    page.open()
    page.one("#sort-main-mean_ap").click()
    page.wait("return location.hash.includes('sort=-mean_ap')")

    down = numbers(page.column(4))
    assert down == sorted(down, reverse=True)
    heading = "#table-main th[aria-sort]"
    assert page.one(heading).get_attribute("aria-sort") == "descending"
    assert page.text(heading).startswith("AP")

    page.one("#sort-main-mean_ap").click()
    page.wait("return location.hash.includes('sort=mean_ap')")
    assert numbers(page.column(4)) == sorted(down)
    assert page.one(heading).get_attribute("aria-sort") == "ascending"
    # Sorting leaves the focus on the heading.
    assert page.run("return document.activeElement.id") == "sort-main-mean_ap"


def test_a_column_whose_low_values_are_better_sorts_upwards_first(page):
    page.open()
    page.one("#sort-main-rank_auroc").click()
    page.wait("return location.hash.includes('sort=rank_auroc')")

    ranks = numbers(page.column(7))
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("columns", ["", "auroc", "cost"])
def test_the_order_is_that_of_the_terminal(page, columns):
    results = made.simulated(made.SMALL, methods=20, seeds=2)
    table = build_leaderboard(results, settings=made.QUICK)
    table = sorted_by(table[table["suite"] == "synbench"], "place")

    page.open(f"#/leaderboard?suite=synbench&partition=public&cols={columns}")

    assert [name.split()[0] for name in page.column(1)] == list(table["detector"])


def test_the_filter_keeps_the_rows_that_fit_and_their_places(page):
    page.open()
    places = dict(zip(page.column(1), page.column(0), strict=True))
    page.one("#filter-main").send_keys("KNN k=1")

    shown = dict(zip(page.column(1), page.column(0), strict=True))
    assert shown
    assert all("knn" in name and "k=1" in name for name in shown)
    assert shown == {name: places[name] for name in shown}
    assert "(of 20)" in page.text(".table-status")
    assert "q=KNN+k%3D1" in page.run("return location.hash")


def test_a_slice_changes_the_table_and_the_address(page):
    page.open()
    before = page.column(2)
    page.choose("#scope-slice", _slice(page))
    page.wait("return location.hash.includes('slice=')")

    assert page.column(2) != before
    assert "in the slice" in page.text(".lead")


def _slice(page):
    return page.run(
        "return document.querySelector('#scope-slice optgroup option').value"
    )


def test_views_of_configurations_are_marked(page):
    page.open("#/leaderboard?view=oracle")

    assert "oracle" in page.text(".note").lower()
    assert all("oracle: best on test" in name for name in page.column(1))


def test_a_view_links_to_the_file_that_holds_it(browser, tmp_path):
    path = tmp_path / "index.html"
    results = made.simulated({("oddbench", "public"): 4}, methods=20)
    files = ["oddbench/public.csv", "oddbench/views.csv", "oddbench/slices.csv"]
    path.write_text(render_page(results, settings=made.QUICK, files=files), "utf-8")
    page = chromium.Page(browser, path)

    for address, name in (("", "public"), ("?view=oracle", "views")):
        page.open(f"#/leaderboard{address}")
        link = page.one(".downloads a").get_attribute("href")
        assert link.endswith(f"oddbench/{name}.csv")


def test_the_gap_to_the_best_has_its_interval(page):
    page.open("#/leaderboard?cols=evidence")

    titles = page.run(
        """return [...document.querySelectorAll("#table-main .with-interval")].map(
          (node) => node.title)"""
    )
    # By AUROC and by AP.
    assert len(titles) == 40
    assert all(title.startswith("95 % interval 0.") for title in titles)


def test_places_have_their_intervals(page):
    page.open()

    places = page.column(2)
    assert len(places) == 20
    assert all(re.fullmatch(r"\d+ \(\d+–\d+\)", place) for place in places)
    assert "independent families of data sets show differences of" in page.text(".lead")


def test_search_finds_data_sets_and_detectors_while_typing(page):
    page.open()
    page.one("#search").send_keys("table_of_0012")
    page.wait_title("Search")
    page.wait("return document.querySelectorAll('.results li').length === 3 - 1")

    assert page.run("return document.activeElement.id") == "search"
    assert "2 data sets" in page.text("#announcer")
    page.one(".results a").click()
    page.wait_title("Oddbench_table_of_0012")
    assert page.one("#search").get_attribute("value") == ""


def test_a_slash_goes_to_the_search_field(page):
    page.open()
    page.one("body").send_keys("/")

    assert page.run("return document.activeElement.id") == "search"
    assert page.one("#search").get_attribute("value") == ""


def test_an_address_leads_to_the_same_table_again(page):
    address = "#/leaderboard?suite=synbench&sort=mean_ap&cols=ap&q=knn"
    page.open(address)

    assert "SynBench" in page.text("h1")
    assert page.one("#columns").get_attribute("value") == "ap"
    assert page.one("#filter-main").get_attribute("value") == "knn"
    values = numbers(page.column(3))
    assert values == sorted(values)


def test_the_back_button_goes_back_to_the_place(page):
    page.open("#/datasets?page=2")
    page.run("window.scrollTo(0, 400)")
    first = page.column(0)[0]
    page.run("document.querySelector('#table-main tbody tr:nth-child(12) a').click()")
    page.wait_title("oddbench/")
    page.driver.back()
    page.wait_title("Data sets")

    assert page.column(0)[0] == first
    assert page.run("return window.scrollY") == 400


def test_back_undoes_a_sort(page):
    page.open()
    before = page.column(1)
    page.one("#sort-main-detector").click()
    page.wait("return location.hash.includes('sort=detector')")
    assert page.column(1) == sorted(page.column(1))

    page.driver.back()
    page.wait("return !location.hash.includes('sort=')")

    assert page.column(1) == before


def test_long_tables_turn_pages(page):
    page.open("#/datasets")
    assert len(page.column(0)) == 100
    page.one("#next-main").click()
    page.wait("return location.hash.includes('page=2')")

    assert len(page.column(0)) == 40
    assert "101–140 of 140" in page.text(".table-status")
    assert not page.one("#next-main").is_enabled()


def test_a_data_set_shows_facts_audit_and_all_detectors(page):
    page.open(f"#/dataset/oddbench/{made.SET}")

    assert "CC BY 4.0" in page.text(".facts")
    assert "Label conflict" in page.text("#main")
    assert len(page.column(1)) == 20
    ranks = numbers(page.column(0))
    assert ranks == sorted(ranks)


def test_a_detector_shows_where_it_wins_and_loses(page):
    page.open("#/detector/000000000003")

    gains = [text.replace("−", "-") for text in page.column(2, "table-wins")]
    losses = [text.replace("−", "-") for text in page.column(2, "table-losses")]
    assert numbers(gains) == sorted(numbers(gains), reverse=True)
    assert min(numbers(gains)) > 0 > max(numbers(losses))
    assert len(page.column(0, "table-opponents")) == 19
    shares = [text.removesuffix(" %") for text in page.column(1, "table-opponents")]
    assert numbers(shares) == sorted(numbers(shares))


def test_win_rates_of_a_pair_add_up(page):
    page.open("#/winrates")
    cells = page.run(
        """return [...document.querySelectorAll(".heat tbody tr")].map(
          (row) => [...row.querySelectorAll("td")].map((c) => c.textContent))"""
    )

    assert len(cells) == 20
    for i in range(20):
        assert cells[i][i] == "itself"
        for j in range(i):
            # The two shares are rounded separately.
            assert abs(int(cells[i][j]) + int(cells[j][i]) - 100) <= 1


@pytest.mark.parametrize("view", ["ranks", "pareto"])
def test_drawings_have_a_name_a_description_and_a_table(page, view):
    page.open(f"#/{view}")
    page.wait("return document.querySelector('.drawing svg')")

    title, text = page.one(".drawing svg").get_attribute("aria-labelledby").split()
    assert page.text(f"#{title}")
    assert "table below" in page.text(f"#{text}")
    assert len(page.column(0)) == 20


def test_the_theme_follows_the_system_until_the_reader_chooses(page):
    colour = "return getComputedStyle(document.body).backgroundColor"
    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    page.open()
    light = page.run(colour)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    dark = page.run(colour)
    assert dark != light

    page.one('label[for="theme-light"]').click()
    assert page.run(colour) == light
    page.open()
    assert page.run(colour) == light

    page.one('label[for="theme-auto"]').click()
    assert page.run(colour) == dark
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_keyboard_reaches_the_content_first(page):
    page.open()
    body = page.one("body")
    body.send_keys("\ue004")
    assert page.run("return document.activeElement.id") == "skip"
    page.run("document.activeElement.click()")
    assert page.run("return document.activeElement.id") == "main"


def test_a_new_view_moves_the_focus_to_its_heading(page):
    page.open()
    page.one('nav a[href^="#/failures"]').click()
    page.wait_title("Failures")

    assert page.run("return document.activeElement.id") == "page-title"
    assert page.one("nav a[aria-current]").text == "Failures"


PRIVATE = "#/leaderboard?suite=synbench&partition=private"


def test_the_partition_switch_leads_to_the_submissions_and_back(page):
    page.open("#/leaderboard?suite=synbench")
    page.choose("#scope-partition", "private")
    page.wait_title("private partition")

    assert page.run("return document.activeElement.tagName") in ("SELECT", "BODY")
    assert page.column(1) == [f"Method {k}" for k in range(7)]
    assert page.column(2)[:4] == ["re-run", "re-scored", "re-scored", "re-run"]
    assert "100 data sets" in page.text(".lead")
    link = page.one(".downloads a")
    assert link.get_attribute("href").endswith("/synbench/private.csv")

    page.driver.back()
    page.wait_title("public partition")
    assert page.text("#main").count("self-reported") == 1


def test_submissions_sort_by_tier_and_by_number(page):
    page.open(PRIVATE)
    page.one("#sort-main-tier").click()
    page.wait("return location.hash.includes('sort=tier')")
    assert page.column(2) == ["re-run"] * 3 + ["re-scored"] * 4

    page.one("#sort-main-mean_ap").click()
    page.wait("return location.hash.includes('sort=-mean_ap')")
    values = numbers(page.column(4))
    assert values == sorted(values, reverse=True)
    assert page.run("return document.activeElement.id") == "sort-main-mean_ap"


def test_submissions_filter_by_tier_and_by_word_and_the_address_keeps_it(page):
    page.open(PRIVATE)
    page.choose("#tier", "re-run")
    page.wait("return location.hash.includes('tier=re-run')")
    assert page.column(1) == ["Method 0", "Method 3", "Method 6"]

    page.one("#filter-main").send_keys("deep")
    page.wait("return document.querySelectorAll('#table-main tbody tr').length === 1")
    address = page.run("return location.hash")
    page.open(address)
    assert page.column(1) == ["Method 3"]
    assert page.one("#tier").get_attribute("value") == "re-run"


def test_submissions_to_a_public_partition_are_below_its_results(browser, tmp_path):
    (private,) = made.evaluated()
    evaluated = private._replace(
        suite="oddbench", partition="public", file="oddbench/submissions.csv"
    )
    path = tmp_path / "index.html"
    results = made.simulated({("oddbench", "public"): 6}, methods=4)
    path.write_text(
        render_page(results, settings=made.QUICK, evaluated=[evaluated]), "utf-8"
    )
    page = chromium.Page(browser, path)
    page.console_messages()
    page.open("#/leaderboard?submissions.sort=-n_failed&sort=detector")

    assert page.column(1, "table-submissions")[0] == "Method 6"
    assert page.column(1) == sorted(page.column(1))
    page.choose("#tier", "re-scored")
    page.wait("return location.hash.includes('tier=')")
    assert len(page.column(1, "table-submissions")) == 4
    assert len(page.column(1)) == 4
    assert page.console_messages() == []


def test_each_tier_that_occurs_is_explained(page):
    page.open(PRIVATE)

    assert [node.text for node in page.all(".tiers dt")] == ["re-run", "re-scored"]
    assert "ran the submitted code" in page.text(".tiers")


def test_a_submission_has_its_own_page(page):
    page.open(PRIVATE)
    page.run("document.querySelector('#table-main tbody tr:nth-child(4) a').click()")
    page.wait_title("Method 3")

    assert "Rank 4 of 7" in page.text(".lead")
    assert "re-run" in page.text(".facts")
    page.one(".crumbs a").click()
    page.wait_title("SynBench, private partition")


def test_an_empty_private_partition_explains_how_to_submit(page):
    page.open("#/leaderboard?suite=ovrbench&partition=private")

    assert "No submission" in page.text(".lead")
    assert "three decimals" in page.text(".note")
    assert "--suite ovrbench --partition private" in page.text(".how pre")
    assert page.one(".how").get_attribute("open")
    assert not page.all("table")


@pytest.mark.parametrize(
    "view", ["datasets", "winrates", "ranks", "pareto", "failures"]
)
def test_other_views_of_a_closed_partition_lead_back(page, view):
    page.open(f"#/{view}?suite=synbench&partition=private")

    assert "private partition" in page.text("h1")
    page.one(".note a").click()
    page.wait_title("SynBench, private partition")


def test_a_partition_with_submissions_alone_has_no_menu_of_slices(page):
    page.open("#/detector/000000000003?suite=synbench&partition=private")

    assert page.text("#scope-partition")
    assert page.all("#scope-slice") == []


def test_a_data_set_of_another_protocol_is_found(browser, tmp_path):
    results = made.simulated({("oddbench", "public"): 4}, methods=4)
    first = sorted(results["dataset"].unique())[0]
    table = results.assign(protocol="unsupervised")
    both = pd.concat([results[results["dataset"] == first], table])
    path = tmp_path / "index.html"
    path.write_text(render_page(both, settings=made.QUICK), encoding="utf-8")
    page = chromium.Page(browser, path)

    page.open("#/search?q=oddbench")
    names = [link.text for link in page.all(".results a.set")]
    page.all(".results a.set")[-1].click()
    page.wait_title(names[-1])
    page.open(f"#/dataset/oddbench/{names[-1]}")

    assert names == sorted(table["dataset"].unique())
    assert page.text("h1") == names[-1]
    assert page.text("main").count("Unknown data set") == 0
    page.open("#/leaderboard")
    assert page.text("#scope-slice option") == "1 data set"


def test_search_finds_submissions(page):
    page.open("#/search?q=method+5")

    assert "1 submission" in page.text(".lead")
    page.one(".results a").click()
    page.wait_title("Method 5")


def test_values_have_intervals_if_scores_were_kept(browser, tmp_path):
    results = made.simulated({("oddbench", "public"): 6}, methods=4, seeds=2)
    for name in ("auroc", "ap"):
        results[f"{name}_low"] = results[name] * 0.9
        results[f"{name}_high"] = 1 - (1 - results[name]) * 0.9
    path = tmp_path / "index.html"
    path.write_text(render_page(results, settings=made.QUICK), encoding="utf-8")
    page = chromium.Page(browser, path)
    page.console_messages()
    name = results["dataset"].iloc[0]
    page.open(f"#/dataset/oddbench/{name}")

    (board,) = split_results(results)
    low, high = board.intervals[0, :, 0], board.intervals[0, :, 1]
    shown = page.run(
        """return [...document.querySelectorAll("#table-main .ends")].map(
          (node) => node.textContent)"""
    )
    assert sorted(shown[::2]) == sorted(
        f"{a:.3f}–{b:.3f}" for a, b in zip(low, high, strict=True)
    )
    assert "95 % intervals" in page.text("#main")
    assert page.console_messages() == []
