"""``guildmark fsck``: whether database, content, index, log, outbox and chain agree."""

from itertools import islice
from typing import Annotated

import click
import typer

from guildmark.bootstrap import open_fsck
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import settings_of
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import UINT40_MAX

app = typer.Typer()

_SHOWN = 100
_OPEN_SECONDS = 3_600


@app.command()
def fsck(
    every: Annotated[
        bool, typer.Option("--all", help=f"Up to {_SHOWN} differences, not only the first.")
    ] = False,
    open_seconds: Annotated[
        int,
        typer.Option(
            min=0,
            max=UINT40_MAX,
            metavar="N",
            help="How long a transaction may wait for its verdict.",
        ),
    ] = _OPEN_SECONDS,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Compare database, content, index, log and outbox with each other and with the chain.

    It changes nothing and may run beside the node. The exit code is that of the first difference.
    """
    opened = open_fsck(settings_of(home), open_seconds=open_seconds)
    click.get_current_context().call_on_close(opened.close)
    found = list(islice(opened.differences(), _SHOWN if every else 1))
    if as_json:
        say({"clean": not found, "differences": [_row(one) for one in found]}, as_json=True)
    else:
        _print(found)
    if found:
        raise typer.Exit(found[0].exit_code)


def _row(error: GuildmarkError) -> Answer:
    return {
        "code": error.code,
        "exit": error.exit_code,
        "reason": error.message,
        "nextStep": error.next_step,
    }


def _print(found: list[GuildmarkError]) -> None:
    for error in found:
        click.echo(error.message)
        click.echo(f"  code  {error.code}")
        click.echo(f"  next  {error.next_step}")
    if not found:
        click.echo("No difference.")
