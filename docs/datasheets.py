"""Write the datasheets, the table of licences and the Croissant files of the suites.

    python docs/datasheets.py

writes ``docs/data/SUITE.md`` and ``odbench_manifest/SUITE.croissant.json`` from each
suite's description, manifest and answers (``odbench_manifest/about/SUITE.toml``), and
fills the blocks between ``<!-- facts NAME -->`` and ``<!-- end -->`` in the other pages
of ``docs/data/``. `tests/test_datasheets.py` compares the files with this.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from odbench.data.about import QUESTIONS, read_about
from odbench.data.croissant import as_text, describe_suite
from odbench.data.dataset import DatasetRecord
from odbench.data.manifest import read_manifest
from odbench.data.subsets import rows_of
from odbench.leaderboard.export.bibtex import references
from odbench.suites import Suite, in_page_order, load_suites, shipped_names

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "data"
MANIFESTS = ROOT / "datasets_manifest" / "odbench_manifest"
# As in docs/data.md.
TRIVIAL = 0.95
_BLOCK = re.compile(r"<!-- facts (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def suites() -> list[Suite]:
    """Return the shipped suites as pages show them."""
    return [load_suites()[name] for name in in_page_order(shipped_names())]


def outputs() -> dict[Path, str]:
    """Return the text of every file that this script writes, by its path."""
    texts = {}
    for suite in suites():
        croissant = as_text(describe_suite(suite))
        texts[MANIFESTS / f"{suite.name}.croissant.json"] = croissant
        texts[PAGES / f"{suite.name}.md"] = datasheet(suite)
    for page in sorted(PAGES.glob("*.md")):
        if page not in texts:
            texts[page] = filled(page.read_text(encoding="utf-8"))
    return texts


def datasheet(suite: Suite) -> str:
    """Return the datasheet of a suite: numbers, questions with answers, licence."""
    about = read_about(suite)
    parts = [
        f"# Datasheet: {suite.short_title}",
        "(Written by `python docs/datasheets.py` from the suite's files; see "
        "[the list of suites](index.md).)",
        f"{_capital(suite.title.partition(': ')[2])}. {one_line(suite.summary)}",
        f"**Cite as:** {one_line(suite.citation)}",
        "## In numbers",
        numbers(suite),
        "## Licence",
        f"{suite.licence}. {one_line(about.licence_known)}",
    ]
    for question in QUESTIONS:
        if question.key in about.answers:
            parts += [f"## {question.text}", about.answers[question.key]]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def one_line(text: str) -> str:
    """Return a text without line breaks."""
    return " ".join(text.split())


def numbers(suite: Suite) -> str:
    """Return the table of a suite's numbers, from its manifest."""
    rows = read_manifest(suite.name)
    public = [row for row in rows if row.partition == "public"]
    lines = [
        ("data sets with a row in the manifest", _partitions(Counter(_of(rows)))),
        ("data sets as published", _partitions(suite.sizes)),
        ("families (sets that share a source)", f"{_families(suite.name):,}"),
        ("training rows per set", _spread(row.n_train for row in rows)),
        ("test rows per set", _spread(row.n_test for row in rows)),
        ("columns per set", _spread(row.n_columns for row in rows)),
        ("anomalies per set", _spread(row.n_anomalies or 0 for row in public)),
        ("size of the files", _bytes(rows)),
        ("domains", _counts(row.domain for row in rows)),
        ("archetypes", _counts(row.archetype for row in rows)),
        ("sources", _counts(row.source for row in rows)),
        ("test rows that are also in train", _positive(rows, "test_in_train")),
        ("anomalies that are also in train", _positive(public, "anomalies_in_train")),
        ("a vector with both labels", _positive(public, "label_conflict")),
        ("trivial ([rule](../data.md))", _trivial(public)),
    ]
    return table(("", suite.name), [line for line in lines if line[1]])


def _of(rows: Iterable[DatasetRecord]) -> list[str]:
    return [row.partition for row in rows]


def _partitions(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _families(suite: str) -> int:
    return len({row.family for row in rows_of(suite)})


def _spread(values: Iterable[int]) -> str:
    """Return the smallest value, the median and the largest one."""
    known = list(values)
    middle = statistics.median(known)
    return f"{min(known):,} to {max(known):,}, median {middle:,.0f}"


def _bytes(rows: Sequence[DatasetRecord]) -> str:
    total = sum(row.file_bytes or 0 for row in rows)
    return f"{total / 1e6:,.0f} MB" if total else "none: they are generated"


def _counts(values: Iterable[str]) -> str:
    counts = Counter(value for value in values if value)
    return ", ".join(f"{name} {n}" for name, n in counts.most_common())


def _positive(rows: Sequence[DatasetRecord], fact: str) -> str:
    """Return in how many of the measured sets a fact is more than 0."""
    known = [value for row in rows if (value := getattr(row, fact)) is not None]
    return f"in {sum(value > 0 for value in known)} of {len(known)} measured sets"


def _trivial(rows: Sequence[DatasetRecord]) -> str:
    known = [row.trivial_share for row in rows if row.trivial_share is not None]
    trivial = sum(share >= TRIVIAL for share in known)
    return f"{trivial} of {len(known)} measured sets"


def licences() -> str:
    """Return the table of licences: one line per suite, licence and how it is known."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for suite in suites():
        about = read_about(suite)
        counts = Counter((r.source, r.licence) for r in read_manifest(suite.name))
        for (source, licence), n in counts.most_common():
            known = one_line(about.licence_of(source))
            groups.setdefault((suite.name, licence, known), []).append(f"{source} {n}")
    lines = [
        (suite, ", ".join(sources), licence, known)
        for (suite, licence, known), sources in groups.items()
    ]
    return table(("suite", "sources and sets", "licence", "how it is known"), lines)


def overview() -> str:
    """Return the table of suites with links to their datasheets."""
    lines = [
        (
            f"[{suite.name}]({suite.name}.md)",
            suite.title.partition(": ")[2],
            str(len(read_manifest(suite.name))),
            suite.licence,
        )
        for suite in suites()
    ]
    return table(("suite", "tables", "in the manifest", "licence"), lines)


def citations() -> str:
    """Return BibTeX of the suites and of odbench."""
    _, text = references(suite.name for suite in suites())
    return f"```bibtex\n{text.strip()}\n```\n"


def questions() -> str:
    """Return the keys of the answers with their questions."""
    lines = [(f"`{q.key}`", q.text, f"`rai:{q.rai}`") for q in QUESTIONS]
    return table(("key", "question", "Croissant"), lines)


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "suites": overview,
    "licences": licences,
    "citations": citations,
    "questions": questions,
}


def filled(page: str) -> str:
    """Return a page with the tables that its blocks name."""
    return _BLOCK.sub(
        lambda block: f"<!-- facts {block[1]} -->\n{BLOCKS[block[1]]()}<!-- end -->",
        page,
    )


def main() -> None:
    """Write every file that has changed."""
    for path, text in outputs().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
