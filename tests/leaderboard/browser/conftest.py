"""One browser for all of these tests, and the page that most of them use."""

import pytest

from odbench.leaderboard.page.render import render_page
from tests.leaderboard.browser import chromium
from tests.leaderboard.browser import simulated as made


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    results = made.simulated(made.SMALL, methods=20, seeds=2)
    path = tmp_path_factory.mktemp("page") / "index.html"
    page = render_page(
        results,
        provenance=made.PROVENANCE,
        files=made.FILES,
        settings=made.QUICK,
        evaluated=made.evaluated(),
    )
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def page(browser, file):
    shown = chromium.Page(browser, file)
    shown.console_messages()
    yield shown
    assert shown.console_messages() == []
