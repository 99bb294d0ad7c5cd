"""Take the pictures of the README and the tutorials: ``python docs/pictures.py``.

Three PNG files in ``docs/images``: the published leaderboard's page, the report of the
tutorial's table, and the explanation of one of its rows. Needs Chromium, chromedriver,
and the extras `test` and `docs`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
# The order whose amount is far too small for its items.
EXPLAINED = "A1-01740"
# Device pixels per pixel, so that text stays sharp on dense screens.
SCALE = 1.5


def browser(width: int, height: int) -> webdriver.Chrome:
    """Return a headless Chromium with a window of that many pixels."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
        f"--force-device-scale-factor={SCALE}",
    ):
        options.add_argument(argument)
    # Without a path, selenium would look for a driver on the network.
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def take(page: Path, name: str, size: tuple[int, int], row: str = "") -> None:
    """Save a picture of a page.

    Parameters
    ----------
    page : Path
        The HTML file.
    name : str
        The picture's name in ``docs/images``, without its ending.
    size : tuple of int
        Width and height of the window in pixels.
    row : str
        A row's name, to show that row of a report; the whole window by default.
    """
    file = IMAGES / f"{name}.png"
    driver = browser(*size)
    try:
        driver.get(page.as_uri())
        if row:
            shown = driver.find_element(By.XPATH, f"//ol/li[contains(., '{row}')]")
            driver.execute_script("arguments[0].style.padding = '1rem'", shown)
            shown.screenshot(str(file))
        else:
            driver.save_screenshot(str(file))
    finally:
        driver.quit()
    # A palette of 64 colours is a third of the size.
    Image.open(file).convert("RGB").quantize(64).save(file, optimize=True)


def main() -> None:
    """Take all pictures."""
    sys.path.insert(0, str(ROOT / "docs"))
    import outputs

    # The window ends below the tenth row.
    take(ROOT / "leaderboard" / "index.html", "page", (1400, 1018))
    with tempfile.TemporaryDirectory() as folder:
        tutorial = outputs.TUTORIALS[0].read_text(encoding="utf-8")
        outputs.printed(tutorial, Path(folder))
        report = Path(folder, "report.html")
        take(report, "report", (900, 1100))
        take(report, "explanation", (900, 1100), EXPLAINED)


if __name__ == "__main__":
    main()
