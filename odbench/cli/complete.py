"""Complete suites, data sets, detectors and their parameters in a shell."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from click.shell_completion import CompletionItem

# Options that hold the suites of a call, and its partition.
_SUITE, _PARTITION = "suite", "partition"


def _last_item(text: str) -> tuple[str, str]:
    """Split ``knn,lo`` into ``knn,`` and ``lo``."""
    before, comma, last = text.rpartition(",")
    return before + comma, last


def _quietly(find: Callable[[str], Iterable[str]], last: str) -> list[str]:
    """Return what is found; a broken plugin or manifest completes nothing."""
    with contextlib.suppress(Exception):
        return sorted(name for name in find(last) if name.startswith(last))
    return []


def _is_path(text: str) -> bool:
    return text.startswith((".", "/", "~")) or "/" in text


def suites(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete a comma-separated list of suites; a path completes as a folder."""
    before, last = _last_item(incomplete)
    if _is_path(last):
        return [CompletionItem(incomplete, type="dir")]
    return [CompletionItem(before + name) for name in _quietly(_suite_names, last)]


def datasets(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete the name of a data set of the call's suites."""

    def find(_: str) -> Iterable[str]:
        return (record.name for record in _records(ctx))

    return [CompletionItem(name) for name in _quietly(find, incomplete)]


def dataset_ids(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
    """Complete SUITE/NAME, or NAME if the call names suites."""
    if ctx.params.get(_SUITE):
        return datasets(ctx, param, incomplete)
    suite, slash, _ = incomplete.partition("/")
    if not slash:
        return [CompletionItem(f"{name}/") for name in _quietly(_suite_names, suite)]

    def find(_: str) -> Iterable[str]:
        return (record.id for record in _records(ctx, suite))

    return [CompletionItem(name) for name in _quietly(find, incomplete)]


def detectors(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
    """Complete a comma-separated list of detectors with their parameters."""
    before, last = _last_item(incomplete)
    if not before or "=" not in last or ":" in last:
        found = detector(ctx, param, last)
        return [CompletionItem(before + one.value, type=one.type) for one in found]
    # After a comma, a parameter may continue the detector before it.
    head = before[: before.rfind(":") + 1].rpartition(",")[2]
    inside = [head + last]
    values = [value for text in inside for value in _quietly(_parameters, text)]
    return [CompletionItem(before + value.removeprefix(head)) for value in values]


def detector(ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Complete one detector: a name, ``knn:k=5``, or a path."""
    if _is_path(incomplete):
        return [CompletionItem(incomplete, type="file")]
    find = _parameters if ":" in incomplete else _detector_names
    return [CompletionItem(name) for name in _quietly(find, incomplete)]


def _suite_names(_: str) -> Iterable[str]:
    from odbench.data.brought import plugin_suites
    from odbench.data.own import DESCRIPTION
    from odbench.data.subsets import subsets_of
    from odbench.suites import load_suites

    plugin_suites()
    known = load_suites()
    subsets = [name for suite in known.values() for name in subsets_of(suite)]
    folders = [file.parent.name for file in Path().glob(f"*/{DESCRIPTION}")]
    return {*known, *subsets, *folders}


def _records(ctx: Any, suite: str | None = None) -> Iterable[Any]:
    from odbench.cli.selection import suite_names
    from odbench.data.catalog import select

    partition = ctx.params.get(_PARTITION) or "public"
    for name in suite_names(suite or ctx.params.get(_SUITE)):
        with contextlib.suppress(Exception):
            yield from select(name, partition=partition, offline=True)


def _detector_names(last: str) -> Iterable[str]:
    from odbench.plugins.entry_points import Registry
    from odbench.plugins.find import list_detectors

    # Members of a family take longer to list, so only those of a family that is typed.
    if "." in last:
        return [info.name for info in list_detectors()[0]]
    return Registry.read().entries


def _parameters(text: str) -> Iterable[str]:
    """Return the parameters of a detector, with values of its grid or by default."""
    from odbench.plugins.find import find_detector
    from odbench.plugins.specs import format_value

    name, _, _ = text.partition(":")
    info = find_detector(name).info
    for parameter in info.params:
        values = info.grid.get(parameter) or [info.params[parameter]]
        yield from (f"{name}:{parameter}={format_value(v)}" for v in values)
