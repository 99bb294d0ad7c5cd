"""Sphinx settings of the documentation site.

    sphinx-build -W --keep-going -q -c docs . build/site

The source folder is the root of the repository, so that links between pages are the
same on the site and in a checkout. `docs/_site` holds the site's own extensions.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_site"))

from odbench import __version__  # noqa: E402 - the path comes first

project = "odbench"
author = "the authors of odbench"
copyright = author  # noqa: A001 - Sphinx's own name
release = version = __version__

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "detectors/README.md",
    "docs/**",
    "examples/**",
    "leaderboard/**",
]
# Folders named here are not entered.
exclude_patterns = [
    ".*",
    "benchmarks",
    "build",
    "dist",
    "odbench-runs",
    "tests",
    "leaderboard/runs",
    "leaderboard/grids",
    "**/__pycache__",
]
source_suffix = {".md": "markdown"}

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "command_reference",
    "repository_links",
]
default_role = "literal"
highlight_language = "text"
# Two hyphens are an option, not a dash.
smartquotes = False

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_typehints = "none"
autosummary_generate = False

html_theme = "pydata_sphinx_theme"
html_title = "odbench"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
