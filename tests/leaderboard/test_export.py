"""An export for a paper: LaTeX that compiles, Markdown, CSV, figures, BibTeX."""

import builtins
import io
import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from odbench.cli import main
from odbench.errors import ResultsError, UsageError
from odbench.leaderboard.export.bibtex import references
from odbench.leaderboard.export.bundle import Facts, export_files, parse_formats
from odbench.leaderboard.export.cells import Cell, table_cells
from odbench.leaderboard.export.latex import escaped, latex_table
from odbench.leaderboard.tables import Settings, build_leaderboard
from tests.reference.trials import frame, from_matrix, place, random_trials

FAST = Settings(permutations=50)
FACTS = Facts(settings=FAST, run={"versions": {"odbench": "9.8", "python": "3.99"}})
AWKWARD = r"a_b%c&d#e$f{g}h~i^j\k<l>±…≥ü"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def results(rng):
    rows = list(random_trials(rng, datasets=25))
    for row in rows:
        if row["detector"] == "method 1":
            row |= {"detector": AWKWARD, "config": "k=1", "config_id": "awkward"}
    return frame(rows)


@pytest.fixture
def run(results, tmp_path):
    return place(results, tmp_path / "run")


@pytest.fixture
def call(capsys):
    def called(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(["leaderboard", "export", *map(str, arguments)])
        streams = capsys.readouterr()
        return stopped.value.code, streams.out, streams.err

    return called


def export(results, formats):
    return export_files(results, formats, FACTS)


@pytest.mark.slow
def test_every_format_is_written_and_named(call, run, tmp_path):
    out = tmp_path / "out"

    code, text, _ = call(run, "--out", out, "--permutations", 50)

    stem = "toy-public-one-class"
    drawn = ("critical-difference", "pareto", "slices")
    expected = {f"{stem}-{name}.{form}" for name in drawn for form in ("svg", "pdf")}
    expected |= {f"{stem}.md", f"{stem}.csv", f"{stem}-table.tex",
                 f"{stem}-protocol.tex", "document.tex", "references.bib"}  # fmt: skip
    assert code == 0
    assert {path.name for path in out.iterdir()} == expected
    assert sorted(text.splitlines()) == sorted(str(out / name) for name in expected)


def test_an_unknown_format_is_named(call, run, tmp_path):
    code, _, said = call(run, "--out", tmp_path / "out", "--format", "word")

    assert code == 2
    assert "got 'word', wanted all or some of latex,markdown,csv,svg,pdf" in said
    assert not (tmp_path / "out").exists()


def test_formats_are_a_list():
    assert parse_formats("svg, latex,svg") == ["svg", "latex"]
    assert len(parse_formats("all")) == 6


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_the_document_compiles(results, tmp_path):
    for name, content in export(results, ["latex", "bibtex"]).items():
        (tmp_path / name).write_bytes(content)

    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    assert (tmp_path / "document.pdf").stat().st_size > 10_000


def test_latex_escapes_every_special_character():
    text = escaped(AWKWARD)

    rest = re.sub(
        r"\\[_%&#${}]|\\text\w+\{\}|\\ldots\{\}|\$\\pm\$|\{\[\}|\{\]\}", "", text
    )
    assert not re.search(r"[_%&#${}~^\\<>±…≥]", rest)
    assert "U+2265" in text
    assert "ü" in text


def test_the_best_values_are_bold_and_ties_alike():
    table = build_leaderboard(
        from_matrix([[0.9, 0.90001, 0.5]] * 8), settings=Settings(permutations=0)
    )

    cells = table_cells(table)
    auroc = [row[2] for row in cells]
    text = latex_table(cells, caption="c_1", label="tab:c")

    assert [cell.text for cell in auroc] == ["90.0", "90.0", "50.0"]
    assert [cell.best for cell in auroc] == [True, True, False]
    assert text.count(r"\textbf{90.0}") == 2
    assert r"\caption{c\_1}" in text


def test_a_rank_is_best_when_low():
    table = build_leaderboard(from_matrix([[0.9, 0.5]] * 8), settings=FAST)

    rank = [row[4] for row in table_cells(table)]

    assert rank == [Cell("1.00", best=True), Cell("2.00")]


def test_the_oracle_is_never_best():
    results = from_matrix([[0.9, 0.5]] * 8)
    results["detector"] = results["detector"].replace("method 0", "oracle")

    rows = table_cells(build_leaderboard(results, settings=FAST))

    best = {row[1].text: row[2].best for row in rows}
    assert best == {"oracle": False, "method 1": True}


def test_the_csv_is_the_leaderboard(results):
    made = export(results, ["csv"])["toy-public-one-class.csv"].decode()

    board = build_leaderboard(results, settings=FAST)
    names = [line.split(",")[2] for line in made.splitlines()[1:]]
    assert names == list(board["detector"])


def test_the_paragraph_states_numbers_settings_and_versions(results):
    text = export(results, ["markdown"])["toy-public-one-class.md"].decode()

    failed = (results["status"] != "ok").sum()
    assert "5 configurations are compared on 25 data sets of toy" in text
    assert f"{failed} of {len(results)} trials failed" in text
    assert "from 50 random sign flips of families of data sets (seed 0)" in text
    assert "Computed with odbench 9.8, Python 3.99" in text
    assert "method 0 1.0" in text


def test_published_rows_are_marked(results):
    facts = Facts(settings=FAST, own={("method 0", "default")}, published="note 7")

    text = export_files(results, ["markdown"], facts)[
        "toy-public-one-class.md"
    ].decode()

    assert r"| method 0\* |" in text
    assert r"| method 2 |" in text
    assert "all others published results (note 7)" in text


@pytest.mark.slow
def test_figures_are_the_same_bytes_and_name_the_configurations(results):
    first = export(results, ["svg"])

    assert export(results, ["svg"]) == first
    assert len(first) == 3
    for name, content in first.items():
        texts = {t.text for t in ET.fromstring(content).iter(f"{SVG}text")}
        assert any("method 4" in (text or "") for text in texts), name


def test_bars_of_the_diagram_end_at_their_dots():
    from matplotlib.figure import Figure

    from odbench.leaderboard.export.figures import draw_critical_difference

    tests = {
        "average_rank": {"a": 1.2, "b": 1.9, "c": 2.9},
        "cliques": [["a", "b"], ["b", "c"]],
        "critical_difference": 1.1,
    }
    figure = Figure()
    draw_critical_difference(figure, tests)

    lines = figure.axes[0].lines
    bars = [tuple(line.get_xdata()) for line in lines if line.get_linewidth() == 3]
    assert bars == [(1.2, 1.9), (1.9, 2.9)]


def test_without_matplotlib_one_line_says_how_to_install_it(results, monkeypatch):
    real = builtins.__import__

    def lacking(name, *rest, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", lacking)

    with pytest.raises(UsageError, match=r"pip install odbench\[plot\]"):
        export(results, ["svg"])
    assert export(results, ["latex"])


def test_suites_of_one_paper_share_an_entry():
    keys, text = references(["oddbench", "ovrbench", "adbench", "unknown"])

    assert keys == {
        "adbench": "han2022adbench",
        "oddbench": "ding2026macrodata",
        "ovrbench": "ding2026macrodata",
    }
    assert re.findall(r"@\w+\{(\w+),", text) == [
        "han2022adbench", "ding2026macrodata", "odbench",
    ]  # fmt: skip
    assert "author = {Han and Hu and Huang and Jiang and Zhao}" in text
    assert "eprint = {2206.09426}" in text


def test_a_suite_without_a_paper_is_cited_itself():
    keys, text = references(["synbench"])

    assert keys == {"synbench": "synbench"}
    assert "@misc{synbench," in text
    assert "arXiv:2602.03018" in text


def test_no_labels_are_one_line(results):
    hidden = results.assign(auroc=None, ap=None, n_anomalies=pd.NA)

    with pytest.raises(Exception, match="no data set has public labels"):
        export(hidden, ["csv"])


def private(rng, datasets):
    rows = list(random_trials(rng, datasets=datasets))
    return frame([row | {"partition": "private"} for row in rows])


@pytest.mark.parametrize("permutations", [0, 50])
def test_a_private_partition_is_exported_rounded_and_without_figures(rng, permutations):
    facts = Facts(settings=Settings(permutations=permutations))

    files = export_files(private(rng, 20), ["csv", "markdown", "latex"], facts)

    table = pd.read_csv(io.BytesIO(files["toy-private-one-class.csv"]))
    numbers = table.select_dtypes("float64")
    assert "mean_auroc" in numbers
    pd.testing.assert_frame_equal(numbers, numbers.round(3))
    assert not any("set 01" in content.decode() for content in files.values())


def test_figures_of_a_private_partition_are_left_out(rng, results):
    pytest.importorskip("matplotlib")
    both = pd.concat([results, private(rng, 20)], ignore_index=True)

    files = export(both, ["csv", "svg"])

    assert "toy-private-one-class.csv" in files
    assert all("-public-" in name for name in files if name.endswith(".svg"))
    with pytest.raises(UsageError, match="figures of a private partition"):
        export(private(rng, 20), ["svg"])


def test_a_private_partition_of_few_data_sets_is_not_exported(rng):
    with (
        pytest.warns(UserWarning, match="19 scored data sets; wanted at least 20"),
        pytest.raises(ResultsError, match="no private partition enough"),
    ):
        export(private(rng, 19), ["csv"])
