"""docs/cli.md: what `--help` says of every command."""

from collections.abc import Iterator, Sequence

import click
import typer.core

from guildmark import cli

_INTRODUCTION = """\
# Commands

What `--help` says; written from the code by `make docs`.

"""
_WIDTH = 90


def page() -> str:
    """Return the page, a section a command."""
    # Some tool of this environment brings rich; the product's has plain help.
    typer.core.HAS_RICH = False
    return _INTRODUCTION + "\n".join(_sections(cli.root(), ("guildmark",)))


def _sections(command: click.Command, path: Sequence[str]) -> Iterator[str]:
    name = " ".join(path)
    context = click.Context(
        command, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## {name}\n\n```\n{text}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _sections(found, (*path, child))
