"""``odbench detectors``: list, show, check and create detectors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from odbench.cli import complete
from odbench.cli.options import FOLDER, SECONDS, format_option
from odbench.cli.rows import print_facts, print_rows
from odbench.errors import UsageError
from odbench.text import counted

if TYPE_CHECKING:
    from odbench.detector import DetectorInfo
    from odbench.plugins.configuration import Configuration

_SHORT = ("detector", "core", "grid", "needs", "summary", "default")
_FULL = (
    "detector", "core", "params", "grid", "deterministic", "inductive", "requires",
    "installed", "extra", "devices", "shares", "reference", "summary",
)  # fmt: skip
_FAULTS_FOUND = 3


@click.group("detectors", short_help="List, show, check and create detectors.")
def detectors() -> None:
    """List, show, check and create detectors."""


@detectors.command("list", short_help="List the installed detectors.")
@format_option()
def list_(form: str) -> None:
    """List the installed detectors, including those of plugins.

    A plugin that cannot be loaded is reported on stderr.
    """
    from odbench.plugins.find import list_detectors

    infos, warnings = list_detectors()
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    rows = [_row(info) for info in infos]
    if form == "table":
        for row, info in zip(rows, infos, strict=True):
            row["core"] = "yes" if info.core else ""
            row["grid"] = sum(1 for _ in info.configurations())
            row["needs"] = " ".join(row["missing"])
    elif form == "csv":
        for row in rows:
            row["grid"], row["params"] = _text(row["grid"]), _text(row["params"])
    print_rows(rows, _SHORT if form == "table" else _FULL, form)


def _row(info: DetectorInfo) -> dict[str, Any]:
    from odbench.plugins.find import missing_requirements
    from odbench.plugins.specs import as_json, format_params

    missing = missing_requirements(info)
    return {
        "detector": info.name,
        "core": info.core,
        "default": format_params(info.params),
        "params": as_json(dict(info.params)),
        "grid": as_json(dict(info.grid)),
        "deterministic": info.deterministic,
        "inductive": info.inductive,
        "requires": list(info.requires),
        "missing": missing,
        "installed": not missing,
        "extra": info.extra,
        "devices": list(info.devices),
        "shares": list(info.shares),
        "reference": info.reference,
        "summary": info.summary,
    }


def _text(params: dict[str, Any]) -> str:
    from odbench.plugins.specs import format_params

    return format_params(params)


@detectors.command("show", short_help="Show one detector.")
@click.argument("spec", shell_complete=complete.detector)
@format_option("table", "json")
def show(spec: str, form: str) -> None:
    """Show one detector: its parameters, grid, reference and needs.

    SPEC is a detector as for `odbench run --detectors`: knn, knn:k=20, pyod.LODA,
    package.module:Class, path/file.py:Class.
    """
    from odbench.plugins.find import find_detector

    configuration = find_detector(spec, needed=False)
    facts = _facts(configuration)
    if form == "json":
        import json

        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    texts = {
        name: _text(value) if isinstance(value, dict) else _plain_text(value)
        for name, value in facts.items()
    }
    print_facts(texts)


def _facts(configuration: Configuration) -> dict[str, Any]:
    from odbench.plugins.find import grid_of
    from odbench.plugins.specs import as_json
    from odbench.plugins.weights import pin_weights

    row = _row(configuration.info)
    del row["default"], row["missing"], row["params"]
    return row | {
        "version": pin_weights(configuration, fetch=False).version,
        "trained_on": list(configuration.info.trained_on),
        "reference configuration": as_json(dict(configuration.info.params)),
        "config": configuration.label,
        "config_id": configuration.id,
        "configurations": [point.label for point in grid_of(configuration)],
    }


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "  ".join(value) if isinstance(value, list) else str(value)


@detectors.command("check", short_help="Test a detector against the contract.")
@click.argument("spec", shell_complete=complete.detector)
@click.option(
    "--timeout",
    type=SECONDS,
    default="5m",
    show_default=True,
    help="Time limit per probe.",
)
@format_option()
def check(spec: str, timeout: float, form: str) -> None:
    """Test a detector on small tables and print the result of each probe.

    Exit code 3 if a probe fails. A warning, such as scores that depend on the batch, is
    not a failure.
    """
    from odbench.plugins.apart import check_apart
    from odbench.plugins.find import find_detector
    from odbench.plugins.weights import pin_weights

    if not timeout > 0:
        msg = f"--timeout: got {timeout:g}, wanted a time above 0, such as 90s or 5m"
        raise UsageError(msg)
    found = pin_weights(find_detector(spec), fetch=True)
    findings = []
    for finding in check_apart(found, seconds=timeout):
        findings.append(finding)
        if form == "table":
            line = f"{finding.verdict:<4}  {finding.probe:<12}  {finding.message}"
            click.echo(line)
    if form != "table":
        columns = ("probe", "verdict", "message")
        print_rows([vars(finding) for finding in findings], columns, form)
    failed = sum(finding.verdict == "fail" for finding in findings)
    warned = sum(finding.verdict == "warn" for finding in findings)
    tried = counted(len(findings), "probe")
    click.echo(f"{tried}: {failed} failed, {warned} warned", err=True)
    if failed:
        raise SystemExit(_FAULTS_FOUND)


@detectors.command("new", short_help="Create a detector from a template.")
@click.argument("name")
@click.option(
    "--into",
    type=FOLDER,
    metavar="DIR",
    default=Path(),
    help="Folder to write to.  [default: the working directory]",
)
@click.option(
    "--package",
    is_flag=True,
    help="Create a package with an entry point instead of one file.",
)
def new(name: str, into: Path, *, package: bool) -> None:
    """Create a working detector and its test from a template.

    NAME is the name that users will type: lower-case letters, digits and underscores.
    """
    from odbench.plugins.scaffold import write_detector

    files = write_detector(name, into, package=package)
    for file in files:
        click.echo(str(file))
    class_name = "".join(part.capitalize() for part in name.split("_"))
    spec = shlex.quote(f"{files[0]}:{class_name}")
    click.echo(f"next: odbench detectors check {spec}", err=True)
