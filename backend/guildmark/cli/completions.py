"""``guildmark completions``: what makes a shell complete our commands."""

from enum import StrEnum
from typing import Annotated

import click
import typer
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from guildmark import cli

app = typer.Typer()


class Shell(StrEnum):
    """The shells that can be taught."""

    BASH = "bash"
    FISH = "fish"
    ZSH = "zsh"


_COMPLETERS: dict[Shell, type[ShellComplete]] = {
    Shell.BASH: BashComplete,
    Shell.FISH: FishComplete,
    Shell.ZSH: ZshComplete,
}


@app.command()
def completions(
    shell: Annotated[Shell, typer.Argument(help="The shell, for example bash.")],
) -> None:
    """Print a script; let the shell read it at its start."""
    completer = _COMPLETERS[shell](cli.root(), {}, cli.PROGRAM, cli.COMPLETE_VARIABLE)
    click.echo(completer.source())
