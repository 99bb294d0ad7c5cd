"""The report: complete, self-contained, and text from the table stays text."""

import re

import numpy as np
import pyarrow as pa
import pytest

from odbench.tables.pictures import Pictures
from odbench.tables.report import render_report
from odbench.tables.score import Request, score_table
from tests.leaderboard.browser import chromium
from tests.tables.made import orders

HOSTILE = '<script>document.title="taken"</script><img src=x onerror=alert(1)>{{rows}}'


@pytest.fixture(scope="module")
def page():
    table = orders(120, 1, odd=3)
    names = [HOSTILE if name == "country" else name for name in table.column_names]
    kinds = [
        HOSTILE if value == "XK" else value for value in table["country"].to_pylist()
    ]
    table = table.set_column(1, "country", pa.array(kinds)).rename_columns(names)
    reference = orders(400).rename_columns(names)
    scored, fitted = score_table(
        Request(table=table, reference=reference, detector="ecod", id_name="order")
    )
    return render_report(scored, fitted, ["score", "a b.csv"])


def test_the_page_holds_rows_reasons_columns_and_settings(page):
    assert page.count('<li><div class="head">') == 50
    assert "where similar rows have" in page
    assert '<th scope="row">amount</th><td>number</td>' in page
    assert "odbench score &#x27;a b.csv&#x27;" in page
    assert page.count("<svg") > 50
    assert page.count('class="flag"') >= 3


@pytest.mark.parametrize(("common", "rare"), [("True", "False"), ("2.0", "7.0")])
def test_pictures_count_categories_however_they_are_written(rng, common, rare):
    kinds = [rare] * 2 + [common] * 78
    table = pa.table({"kind": kinds, "size": rng.normal(size=80)})
    request = Request(table=table, detector="ecod", roles={"category": ["kind"]})

    made = render_report(*score_table(request))

    assert f"kind &#x27;{rare}&#x27; in 2.5 % of rows" in made
    assert ">2.5 %<" in made
    assert ">never<" not in made


def test_pictures_hold_the_values_that_are_there(rng):
    gone = np.arange(90) % 3 > 0
    one, two = rng.gamma(0.5, 900.0, 90).round(), rng.normal(size=90)
    one[0], minutes = 0.0, rng.integers(0, 24 * 60, 90)
    clocks = [f"{m // 60:02}:{m % 60:02}" for m in minutes.tolist()]
    table = {
        "one": pa.array(one, mask=gone),
        "two": pa.array(two, mask=gone),
        "at": pa.array(clocks, mask=gone),
        "full": one,
    }
    expected = {
        "one": one[~gone],
        "two": two[~gone],
        "at": minutes[~gone] / (24 * 60),
        "full": one,
    }

    _, fitted = score_table(Request(table=table, detector="knn"))
    drawn = Pictures.of(fitted).columns

    for name, values in expected.items():
        np.testing.assert_allclose(np.sort(drawn[name][2]), np.sort(values))
    assert drawn["one"][2].min() == 0.0


def test_a_time_of_day_is_drawn_among_others(rng):
    clocks = [f"{h:02}:30" for h in rng.integers(8, 12, 60)]
    table = {"at": [*clocks, "23:50"], "size": rng.normal(size=61)}

    made = render_report(*score_table(Request(table=table, detector="ecod")))

    assert 'aria-label="values of at, this row 23:50"' in made
    assert ">08:30</text>" in made
    assert ">missing<" not in made


def test_an_hour_is_drawn_among_hours_and_a_weekday_among_weekdays(rng):
    start = np.datetime64("2026-01-05T00:00", "s")
    days = [7 * week + day for week in range(60) for day in range(5)]
    at = start + np.array(days) * np.timedelta64(1, "D") + np.timedelta64(10, "h")
    at = at + rng.integers(0, 120, len(at)).astype("timedelta64[m]")
    at[100] += np.timedelta64(13, "h")
    at[200] += np.timedelta64(5 - days[200] % 7, "D")
    scored, fitted = score_table(Request(table=pa.table({"at": at}), detector="ecod"))
    pictures = Pictures.of(fitted)

    (hour,) = (each for each in scored.reasons[100] if each.part == "hour")
    (day,) = (each for each in scored.reasons[200] if each.part == "weekday")

    clock = str(at[100])[11:16]
    assert f"at at {clock} where similar rows have" in hour.text
    assert f"this row {clock}" in pictures.draw(hour)
    assert "2026" not in pictures.draw(hour)
    assert "on a Saturday" in day.text
    assert ">Saturday</text>" in pictures.draw(day)
    assert ">0.33 %</text>" in pictures.draw(day)


def test_the_page_loads_nothing_and_runs_nothing(page):
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!data:,")', page)


@pytest.mark.slow
def test_the_page_in_a_browser(page, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    driver = chromium.start(tmp_path / "profile")
    try:
        shown = chromium.Page(driver, path)
        for width in (1280, 390):
            driver.set_window_size(width, 900)
            shown.open("")
            wide = shown.run("return document.documentElement.scrollWidth")
            assert wide <= shown.run("return innerWidth")
        assert driver.title == "table"
        light = shown.run("return getComputedStyle(document.body).backgroundColor")
        shown.run("document.querySelector('#theme-dark').click()")
        dark = shown.run("return getComputedStyle(document.body).backgroundColor")
        assert {light, dark} == {"rgb(255, 255, 255)", "rgb(20, 23, 27)"}
        assert len(shown.all(".rows > li")) == 50
        assert shown.console_messages() == []
    finally:
        driver.quit()


@pytest.mark.slow
def test_axe_finds_no_fault_in_light_and_dark(page, tmp_path):
    axe = chromium.axe_source()
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    driver = chromium.start(tmp_path / "profile")
    try:
        shown = chromium.Page(driver, path).open("")
        shown.run(axe)
        found = {}
        for theme in ("light", "dark"):
            shown.run(f"document.querySelector('#theme-{theme}').click()")
            found[theme] = driver.execute_async_script(
                """const [done] = arguments;
                axe.run({ resultTypes: ["violations"] }).then((r) => done(
                  r.passes.length < 10 ? ["axe checked nothing"] :
                  r.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)));"""
            )
    finally:
        driver.quit()

    assert found == {"light": [], "dark": []}


def test_names_of_options_are_not_broken():
    page = render_report(*score_table(Request(table=orders(60))))

    assert '<span class="option">--reference</span>' in page


def test_dates_in_reasons_are_not_broken():
    days = [f"2024-05-{1 + n % 28:02d}" for n in range(60)]
    table = pa.table(
        {"day": [*days, "1985-01-01"], "x": [float(n % 7) for n in range(61)]}
    )

    page = render_report(*score_table(Request(table=table, detector="knn")))

    assert 'day <span class="option">1985-01-01</span> where similar rows have' in page
