"""Options that an error message names."""

import re

import click

from odbench.cli import cli

_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def foreign_options(arguments, message):
    """Return the options that a message names and its command does not have.

    Options inside quotes belong to another command, or are what the user wrote.
    """
    typed = " ".join(map(str, arguments))
    named = {
        option
        for option in _OPTION.findall(_QUOTED.sub("", message))
        if option not in typed
    }
    return named - _options(arguments) if named else set()


def _options(arguments):
    command = cli
    for word in arguments:
        found = (
            command.get_command(click.Context(command), word)
            if isinstance(command, click.Group)
            else None
        )
        command = found or command
    return {name for param in command.params for name in param.opts}
