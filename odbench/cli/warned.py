"""Print warnings of the library as single lines on stderr."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Collect the warnings for users in a block, and print each text once after it."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield
    finally:
        for message in dict.fromkeys(str(entry.message) for entry in caught):
            click.echo(f"odbench: {message}", err=True)
