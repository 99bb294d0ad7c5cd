"""Links that leave the pages: folders of the repository, and the leaderboard page.

MyST resolves links to pages and copies single files. This extension resolves a link to
a folder to the folder's page (`index.md` or `README.md`), and puts the built
leaderboard beside the pages, where the links of the pages expect it.
"""

import posixpath
import shutil
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

LEADERBOARD = "leaderboard"
_START = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=docs/index.html">
<title>odbench</title>
<a href="docs/index.html">odbench: documentation</a>
"""


class FolderLinks(SphinxPostTransform):
    """Resolves links to folders and to the leaderboard's page."""

    # Before MyST's own resolver, which would report them as missing.
    default_priority = 5

    def run(self, **_: object) -> None:
        """Replace the links of one page."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link.get("reftype") == "myst" and link.get("refdomain") != "doc":
                self._resolve(link)

    def _resolve(self, link: addnodes.pending_xref) -> None:
        page = link.get("refdoc", self.env.docname)
        folder = posixpath.join(posixpath.dirname(page), link["reftarget"])
        folder = posixpath.normpath(folder)
        if not (Path(self.env.srcdir) / folder).is_dir():
            return
        address = self._address(page, folder)
        new = nodes.reference("", "", internal=True, refuri=address)
        # A folder without a page has no address, and its name stays.
        link.replace_self([*link.children] if address is None else new)
        if address is not None:
            new += link.children

    def _address(self, page: str, folder: str) -> str | None:
        uri = self.app.builder.get_relative_uri
        if folder == LEADERBOARD:
            top = posixpath.dirname(uri(page, "README"))
            return posixpath.join(top, LEADERBOARD, "index.html")
        found = (posixpath.join(folder, name) for name in ("index", "README"))
        return next((uri(page, f) for f in found if f in self.env.all_docs), None)


def copy_leaderboard(app: Sphinx, exception: Exception | None) -> None:
    """Copy the leaderboard's page and tables, and write the page at the site's root.

    Parameters
    ----------
    app
        Sphinx's.
    exception
        The fault that ended the build, if any.
    """
    if exception is not None or app.builder.name != "html":
        return
    shutil.copytree(
        Path(app.srcdir) / LEADERBOARD,
        Path(app.outdir) / LEADERBOARD,
        ignore=shutil.ignore_patterns("runs", "*.md"),
        dirs_exist_ok=True,
    )
    (Path(app.outdir) / "index.html").write_text(_START, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_post_transform(FolderLinks)
    app.connect("build-finished", copy_leaderboard)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
