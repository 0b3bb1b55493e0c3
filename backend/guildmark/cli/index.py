"""``guildmark index``: what this home read of the chain."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import click
import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import to_hex
from guildmark.ports.chain import Block
from guildmark.services.index.indexing import Indexing

app = typer.Typer(
    help="Look at this home's index of the chain, or make it anew.", no_args_is_help=True
)


_BLOCK_MAX = 2**53

_From = Annotated[
    int,
    typer.Option(
        "--from",
        metavar="BLOCK",
        min=0,
        max=_BLOCK_MAX,
        help="Ask the chain from this block on; below it, take what was kept.",
    ),
]


@app.command()
def follow(home: Folder = None, as_json: AsJson = False) -> None:
    """Read the chain up to its newest final block."""
    say(_shown(_indexing(home).follow()), as_json=as_json)


@app.command()
def rebuild(first: _From = 0, home: Folder = None, as_json: AsJson = False) -> None:
    """Forget what was read and read all of it again; nothing that was accepted or sent is lost."""
    say(_shown(_indexing(home).rebuild(first)), as_json=as_json)


def _indexing(home: Path | None) -> Indexing:
    """Return the index; it shows people how far it is, where that takes more than one step."""
    return replace(enter(home).indexing, on_progress=_show_progress)


def _show_progress(read: int, last: int) -> None:
    if sys.stderr.isatty() and last:
        end = "\n" if read == last else ""
        click.echo(f"\rblock {read} of {last}, {100 * read // last} %{end}", err=True, nl=False)


def _shown(block: Block) -> Answer:
    return {"block": block.number, "hash": to_hex(block.hash), "time": Moment(block.time)}
