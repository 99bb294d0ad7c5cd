"""``odbench score``: which rows of a table are odd, and why."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli import complete
from odbench.cli.options import PATH, Command, Count, format_option
from odbench.cli.outputs import check_outputs
from odbench.cli.rows import print_rows
from odbench.errors import UsageError
from odbench.files import is_stream

if TYPE_CHECKING:
    from odbench.tables.fitted import Fitted
    from odbench.tables.scored import Scored

_TOO_MANY = 3


def _columns_option(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{name}", name, multiple=True, metavar="C,..", help=f"{text}; repeatable."
    )


@click.command("score", short_help="Score the rows of a table of your own.")
@click.argument("table", type=PATH)
@click.option(
    "--reference",
    "-r",
    type=PATH,
    metavar="TABLE",
    help="Rows known to be normal.  [default: rows are compared with each other]",
)
@click.option(
    "--detector",
    "-d",
    shell_complete=complete.detector,
    default="cats",
    show_default=True,
    help="Detector to score with.",
)
@click.option(
    "--id", "id_name", default="", metavar="C", help="Column that names rows."
)
@_columns_option("ignore", "Columns to leave out")
@_columns_option("category", "Columns to read as categories")
@_columns_option("number", "Columns to read as numbers")
@_columns_option("date", "Columns to read as dates")
@_columns_option("text", "Columns to leave out as free text")
@click.option(
    "--fdr",
    type=float,
    default=0.1,
    show_default=True,
    metavar="Q",
    help="Accepted share of false alarms among flagged rows.",
)
@click.option(
    "--top",
    type=Count(),
    default=10,
    show_default=True,
    help="Number of rows to show.",
)
@click.option(
    "--out",
    "-o",
    type=PATH,
    metavar="FILE",
    help="Write all scored rows to FILE: .csv, .tsv, .parquet, .feather, .arrow or "
    ".jsonl.",
)
@click.option("--html", type=PATH, metavar="FILE", help="Write a report as one page.")
@click.option("--save", type=PATH, metavar="FILE", help="Save the fitted model.")
@click.option(
    "--model",
    type=PATH,
    metavar="FILE",
    help="Score with a saved model, instead of --reference and --detector.",
)
@click.option(
    "--fail-above",
    type=click.IntRange(min=0),
    metavar="N",
    help="Exit with code 3 if more than N rows are flagged. Needs --reference or "
    "--model.",
)
@format_option()
@click.option("--quiet", "-q", is_flag=True, help="Do not show progress.")
def score(**options: Any) -> int:
    """Score the rows of TABLE: how odd each one is, and why.

    TABLE is a file of CSV, TSV, JSON, Parquet, Feather or Arrow, also compressed
    as .gz, .zst, .bz2 or alone in a .zip, or - for stdin. Rows are flagged if
    --reference or --model says what is normal. Nothing leaves this machine.
    """
    _check(options)
    scored, fitted = _scored(options)
    _write(options, scored, fitted)
    for note in scored.notes:
        click.echo(f"odbench: {_printable(note)}", err=True)
    _print(scored, options["form"], options["top"])
    above = options["fail_above"]
    return _TOO_MANY if above is not None and scored.n_flagged > above else 0


def _check(options: dict[str, Any]) -> None:
    """Refuse impossible calls before any work is done."""
    from odbench.tables.write import writer_of

    given = click.get_current_context().get_parameter_source("detector")
    if options["model"] is not None:
        chosen = given is not click.core.ParameterSource.DEFAULT
        roles = [
            n for n in ("ignore", "category", "number", "date", "text") if options[n]
        ]
        clash = ["reference"] * (options["reference"] is not None)
        clash += ["detector"] * chosen + roles
        if clash:
            msg = f"--model: cannot go with --{clash[0]}; a model has its own"
            raise UsageError(msg)
    if options["fail_above"] is not None and not (
        options["reference"] or options["model"]
    ):
        msg = (
            f"--fail-above {options['fail_above']}: needs --reference or --model; "
            f"without them no row is flagged, so the call could never fail"
        )
        raise UsageError(msg)
    if str(options["table"]) == str(options["reference"]) == "-":
        msg = "--reference -: TABLE is stdin already; name a file for one of them"
        raise UsageError(msg)
    if options["out"] is not None:
        writer_of(options["out"])
    check_outputs(
        {f"--{name}": options[name] for name in ("out", "html", "save")},
        {
            "TABLE": options["table"],
            "--reference": options["reference"],
            "--model": options["model"],
        },
    )
    for name in ("out", "html", "save"):
        path = options[name]
        if str(path) == "-":
            msg = (
                f"--{name} '-': is stdin's name, where a table is read; name a file, "
                f"or /dev/stdout"
            )
            raise UsageError(msg)
        if path is not None and not path.parent.is_dir():
            msg = (
                f"--{name} {str(path)!r}: folder {str(path.parent)!r} does not exist; "
                f"make it, or name another"
            )
            raise UsageError(msg)
        if path is not None and path.is_dir():
            msg = f"--{name} {str(path)!r}: is a folder; name a file in it"
            raise UsageError(msg)
        if path is None or is_stream(path):
            continue
        # The file is written beside its place first.
        if not os.access(path.parent, os.W_OK):
            msg = (
                f"--{name} {str(path)!r}: folder {str(path.parent)!r} cannot be "
                f"written to; name another, or change its rights"
            )
            raise UsageError(msg)


def _scored(options: dict[str, Any]) -> tuple[Scored, Fitted]:
    from dataclasses import replace

    from odbench.tables.model_file import load_model
    from odbench.tables.score import Request, score_table

    fitted: Fitted | None = None
    notes: tuple[str, ...] = ()
    if options["model"] is not None:
        fitted, notes = load_model(options["model"])
    with Progress(visible=not options["quiet"]) as progress:
        scored, learned = score_table(
            Request(
                table=str(options["table"]),
                reference=_path(options["reference"]),
                detector=options["detector"],
                id_name=options["id_name"],
                roles={
                    "ignored": options["ignore"],
                    "category": options["category"],
                    "number": options["number"],
                    "date": options["date"],
                    "text": options["text"],
                },
                fdr=options["fdr"],
                fitted=fitted,
                told=progress.tell,
            )
        )
    return replace(scored, notes=(*notes, *scored.notes)), learned


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _write(options: dict[str, Any], scored: Scored, fitted: Fitted) -> None:
    from odbench.files import write_text
    from odbench.tables.model_file import save_model
    from odbench.tables.report import render_report
    from odbench.tables.write import write_scored

    if options["save"] is not None:
        save_model(fitted, options["save"])
    if options["out"] is not None:
        write_scored(scored, options["out"])
    if options["html"] is not None:
        write_text(options["html"], render_report(scored, fitted, sys.argv[1:]))


def _print(scored: Scored, form: str, top: int) -> None:
    from odbench.tables.screen import screen_lines

    if form == "table":
        for line in screen_lines(scored, top):
            click.echo(line)
        return
    rows = scored.rows(scored.top(top))
    if form == "json":
        told = {**scored.summary(), "rows": rows}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False, default=str))
        return
    print_rows(rows, list(rows[0]), "csv")


def _printable(text: str) -> str:
    from odbench.text import printable

    return printable(text)


class Progress:
    """A bar on stderr while rows are scored, in a terminal only."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible and sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def tell(self, step: str, done: int, total: int) -> None:
        """Show a step, and how many of its rows are done."""
        if not self._visible:
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=None, file=sys.stderr, unit="row", leave=False)
        self._bar.set_description_str(step, refresh=False)
        self._bar.total, self._bar.n = total or None, done
        self._bar.refresh()
