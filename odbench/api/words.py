"""Messages in the words of Python: arguments where the command line has options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from odbench.errors import OdbenchError

# A quote in front means that the word is from a table, or that a command is quoted.
_OPTION = re.compile(
    r"(?<!['\"`\w-])(?<!odbench score )--(reference|detector|id|ignore|category|number|"
    r"date|text|fdr|model|save|max-seconds|max-memory)(?![\w-])"
)


def with_arguments(text: str) -> str:
    """Replace options of `odbench score` and `recommend` by the arguments of Python.

    Examples
    --------
    >>> with_arguments("score it with --reference; see `odbench run --memory-limit`")
    'score it with `reference`; see `odbench run --memory-limit`'
    """
    return _OPTION.sub(lambda found: f"`{found[1].replace('-', '_')}`", text)


@contextmanager
def arguments_in_errors() -> Iterator[None]:
    """Name arguments, not options, in the message of an error."""
    try:
        yield
    except OdbenchError as error:
        error.args = tuple(
            with_arguments(said) if isinstance(said, str) else said
            for said in error.args
        )
        raise
