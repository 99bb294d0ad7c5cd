"""A headless Chromium that opens pages from disk and records console errors."""

import importlib.util
import shutil
import time
from pathlib import Path

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Packages that contain axe-core, newest version first.
AXE_PACKAGES = ("axe_playwright_python", "axe_core_python")


def start(profile: Path):
    """Start a browser, or skip the test if none is installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no browser: install Chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    return webdriver.Chrome(options=options, service=service)


def axe_source() -> str:
    """Return axe-core, or skip the test if no package contains it."""
    for package in AXE_PACKAGES:
        found = importlib.util.find_spec(package)
        if found and found.origin:
            return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")
    pytest.skip("no axe-core: install axe-core-python or axe-playwright-python")


class Page:
    """One page in the browser."""

    def __init__(self, driver, path: Path):
        self.driver = driver
        self.path = path

    def open(self, address: str = "#/leaderboard"):
        """Reload the page at an address inside it."""
        self.driver.get("about:blank")
        self.driver.get(self.path.as_uri() + address)
        return self

    def go(self, address: str) -> None:
        """Go to another address of the open page, as a link would."""
        self.driver.execute_async_script(
            """const [address, done] = arguments;
            const drawn = () => requestAnimationFrame(() => setTimeout(done));
            if (location.hash === address) drawn();
            else {
              addEventListener("hashchange", drawn, { once: true });
              location.hash = address;
            }""",
            address,
        )

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def one(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str):
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return self.run(
            "return document.querySelector(arguments[0]).textContent", selector
        )

    def column(self, place: int, table: str = "table-main") -> list[str]:
        """Return the visible texts of one column."""
        return self.run(
            """return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(
              (row) => {
                const cell = row.children[arguments[1]];
                return (cell.querySelector(".figure") ?? cell).textContent.trim();
              })""",
            table,
            place,
        )

    def choose(self, selector: str, value: str) -> None:
        """Choose an option and send the same events as a reader."""
        self.run(
            """const field = document.querySelector(arguments[0]);
            field.value = arguments[1];
            field.dispatchEvent(new Event("change", { bubbles: true }));""",
            selector,
            value,
        )

    def wait(self, script: str, *arguments, seconds: float = 5.0):
        """Wait until a script returns a true value; return it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script, *arguments):
                return value
            time.sleep(0.02)
        msg = f"waited {seconds} s for {script} without success"
        raise AssertionError(msg)

    def wait_title(self, part: str) -> None:
        self.wait("return document.title.includes(arguments[0])", part)

    def console_messages(self) -> list[str]:
        """Return the console messages since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]
