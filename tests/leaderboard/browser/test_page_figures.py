"""Figures of the page: bars that touch their dots, and image files."""

import time
from xml.etree import ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"
# Each bar's ends, and the centres of the dots, in the drawing's own units.
ENDS = """
const dots = [...document.querySelectorAll(".rank-row .dot")]
  .map((dot) => [dot.cx.baseVal.value, dot.cy.baseVal.value]);
const bars = [...document.querySelectorAll(".clique")].map((bar) => {
  const at = (length) => { const p = bar.getPointAtLength(length); return [p.x, p.y]; };
  return [at(0), at(bar.getTotalLength())];
});
return [dots, bars];
"""


def is_near(point, dots):
    return any(abs(point[0] - x) < 0.1 and abs(point[1] - y) < 0.1 for x, y in dots)


@pytest.mark.parametrize("address", ["#/ranks", "#/ranks?metric=ap"])
def test_each_bar_begins_and_ends_at_a_dot(page, address):
    page.open(address)
    page.wait("return document.querySelectorAll('.rank-row .dot').length > 2")

    dots, bars = page.run(ENDS)

    assert bars
    assert all(is_near(end, dots) for bar in bars for end in bar)


def saved(page, kind, folder):
    """Press the button and return the file that the browser writes."""
    behaviour = {"behavior": "allow", "downloadPath": str(folder)}
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    page.one(f"#save-{kind}").click()
    deadline = time.monotonic() + 20
    while not (files := list(folder.glob(f"*.{kind}"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return files[0]


@pytest.mark.parametrize("view", ["ranks", "pareto"])
def test_a_figure_is_saved_as_svg_that_needs_no_style_sheet(page, tmp_path, view):
    page.open(f"#/{view}?suite=synbench")
    page.wait("return document.querySelector('.drawing svg')")

    root = ET.parse(saved(page, "svg", tmp_path)).getroot()

    assert root.tag == f"{SVG}svg"
    dots = list(root.iter(f"{SVG}circle"))
    assert dots
    assert all(dot.get("fill").startswith("rgb") for dot in dots)
    assert all(node.get("class") is None for node in root.iter())
    texts = list(root.iter(f"{SVG}text"))
    assert {text.get("stroke") for text in texts} == {"none"}
    assert all(text.get("fill").startswith("rgb") for text in texts)


def test_a_figure_is_saved_as_png_of_twice_its_size(page, tmp_path):
    page.open("#/ranks?suite=synbench")
    page.wait("return document.querySelector('.drawing svg')")
    width = page.run(
        "return document.querySelector('.drawing svg').width.baseVal.value"
    )

    content = saved(page, "png", tmp_path).read_bytes()

    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2 * int(width)


def test_places_in_a_slice_have_intervals(page):
    page.open("#/leaderboard?suite=oddbench")
    shown = "return [...document.querySelectorAll('#scope-slice option')]"
    slices = page.run(f"{shown}.map((option) => option.value)")
    page.open(f"#/leaderboard?suite=oddbench&slice={slices[1]}")

    assert any("(" in text for text in page.column(2))
