"""Turn the options of a command into the data sets that they select."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from odbench.errors import UsageError
from odbench.text import names_in

if TYPE_CHECKING:
    from odbench.data.catalog import Sources

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)
OWN_HINT = "are they your own? `odbench suites new` makes a suite of them"


def suite_names(names: str | None) -> list[str]:
    """Return the suites that an option names, or all suites."""
    from odbench.suites import load_suites

    if names is None:
        from odbench.data.brought import plugin_suites

        plugin_suites()
        return list(load_suites())
    named = names_in(names)
    if not named:
        msg = "--suite: got no name; `odbench suites` lists the suites"
        raise UsageError(msg)
    return once(named)


def mirror_of(mirror: Path | None) -> Path | None:
    """Return the mirror from the option, else from the environment."""
    from odbench.data.transports import choose

    return choose.mirror_of(mirror)


def once(found: Iterable[H]) -> list[H]:
    """Return what was found without repetitions: a suite and a subset share data sets.

    Examples
    --------
    >>> once(["gmm-000", "gmm-001", "gmm-000"])
    ['gmm-000', 'gmm-001']
    """
    return list(dict.fromkeys(found))


def of_each_suite(
    names: str | None,
    mirror: Path | str | None,
    act: Callable[[str], list[T]],
    *,
    made: bool = True,
) -> list[T]:
    """Act on every named suite, or on all available ones.

    A suite without a match is an error only if no other suite has one. Without names,
    suites that the mirror does not have are skipped, and with ``made=False`` generated
    ones, too.
    """
    from odbench.errors import OdbenchError, TransportError, UnknownDatasetError
    from odbench.suites import load_suites

    tolerated: tuple[type[OdbenchError], ...] = (UnknownDatasetError,)
    if names is None and mirror_of(Path(mirror) if mirror else None) is not None:
        tolerated += (TransportError,)
    found: list[T] = []
    failure = None
    for name in suite_names(names):
        if names is None and not made and load_suites()[name].transport == "generated":
            continue
        try:
            found += act(name)
        except tolerated as error:
            failure = failure or error
    if not found and failure is not None:
        raise failure
    return found


def listed(
    suite: str | None,
    partition: str,
    pattern: str | None,
    limit: int | None,
    mirror: Path | None,
) -> list[Any]:
    """Select data sets from the manifests or a mirror, with facts from the store."""
    from odbench.data.catalog import select
    from odbench.data.store import Store

    options: dict[str, Any] = {"partition": partition, "pattern": pattern}
    options |= {"offline": True} if mirror is None else {"mirror": mirror}
    records = once(
        of_each_suite(
            suite,
            mirror,
            lambda name: select(name, limit=limit, **options),
            made=mirror is None or partition != "public",
        )
    )
    store = Store.default()
    for i, record in enumerate(records):
        if not record.content_sha256 and (stored := store.find(record)) is not None:
            records[i] = stored.record
    return records


def listed_records(
    suite: str,
    partition: str,
    pattern: str | None,
    limit: int | None,
    sources: Sources,
) -> list[Any]:
    """Select after asking the source; report missing and additional files.

    A hub that cannot be reached is not needed for data sets that are all in the store.
    """
    from odbench.data.catalog import choose, list_source, resolve
    from odbench.errors import TransportError

    resolved = resolve(suite, sources)
    described, subset = resolved
    source = sources.of(described)
    try:
        found = list_source(described, source, partition=partition)
    except TransportError:
        if sources.mirror is not None or described.transport != "hub":
            raise
        stored = _all_stored(suite, partition, pattern, limit)
        if not stored:
            raise
        return stored
    if subset is None and pattern is None:
        if found.missing:
            click.echo(
                f"{suite}: {len(found.missing)} manifest rows are not in "
                f"{source.label} and are skipped: {_some(found.missing)}",
                err=True,
            )
        if found.added:
            is_open = partition == "public" and described.transport != "folder"
            own = sources.mirror is not None and is_open
            hint = f"; {OWN_HINT}" if own else ""
            click.echo(
                f"{suite}: {len(found.added)} files in {source.label} have no "
                f"manifest row and are measured: {_some(found.added)}{hint}",
                err=True,
            )
    return choose(
        suite,
        resolved,
        found.records,
        partition=partition,
        pattern=pattern,
        limit=limit,
        mirror=sources.mirror,
    )


def _all_stored(
    suite: str, partition: str, pattern: str | None, limit: int | None
) -> list[Any]:
    """Select by the manifest; nothing unless all of it is in the store."""
    from odbench.data.catalog import select
    from odbench.data.store import Store

    known = select(
        suite, partition=partition, pattern=pattern, limit=limit, offline=True
    )
    store = Store.default()
    return known if all(store.find(record) for record in known) else []


def _some(records: Any, count: int = 3) -> str:
    """Name the first few."""
    names = ", ".join(record.name for record in records[:count])
    return names + (", ..." if len(records) > count else "")


def as_row(record: Any) -> dict[str, Any]:
    """Return a record as a row; sizes that were not measured yet are empty."""
    from dataclasses import asdict

    row = asdict(record)
    if not record.n_train:
        row |= dict.fromkeys(("n_train", "n_test", "n_columns"))
    return {"id": record.id, **row, "tags": list(record.tags)}


def as_text(value: Any) -> str:
    """Return a value for a person."""
    if isinstance(value, (list, tuple)):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)
