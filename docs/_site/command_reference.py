"""The directive `commands`: every command of `odbench`, from the commands themselves.

The page is made when the site is built, so it cannot differ from `--help`.
"""

import inspect
import re
from collections.abc import Iterator

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from odbench.cli import cli

Words = tuple[str, ...]


def commands(
    group: click.Group, path: Words = ()
) -> Iterator[tuple[Words, click.Command]]:
    """Yield each command under a group with its words, a group before its members.

    Parameters
    ----------
    group
        The command that has others.
    path
        The words that lead to it, without `odbench`.
    """
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def escaped(text: str) -> str:
    """Return text as Markdown that shows it unchanged."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~$:-])", r"\\\1", text)


def help_of(command: click.Command) -> str:
    """Return a command's help as Markdown; paragraphs that click marks keep lines."""
    text = inspect.cleandoc(command.help or "").split("\f")[0]
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("\b"):
            parts.append("```text\n" + paragraph.removeprefix("\b\n") + "\n```")
        else:
            parts.append(escaped(paragraph))
    return "\n\n".join(parts)


def options_of(command: click.Command, context: click.Context) -> str:
    """Return a command's options as a Markdown list of definitions."""
    records = (param.get_help_record(context) for param in command.get_params(context))
    return "\n\n".join(
        f"`{names}`\n: {escaped(text)}"
        for names, text in filter(None, records)
        if text and "--help" not in names
    )


def described(path: Words, command: click.Command) -> str:
    """Return a command's section as Markdown.

    Parameters
    ----------
    path
        Its words, without `odbench`.
    command
        The command.
    """
    name = " ".join(("odbench", *path))
    context = click.Context(
        command,
        info_name=name,
        max_content_width=10_000,
        help_option_names=["-h", "--help"],
    )
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    heading = f"{'#' * (len(path) + 1)} {name}"
    parts = (heading, f"```text\n{usage}\n```", help_of(command))
    return "\n\n".join((*parts, options_of(command, context), ""))


class Commands(SphinxDirective):
    """Replaces itself by one section per command."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        # The commands change without the page, so it is read at every build.
        self.env.note_reread()
        text = "\n".join(described(*found) for found in commands(cli))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
