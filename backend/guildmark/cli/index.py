"""``guildmark index``: what this home read of the chain."""

import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import to_hex
from guildmark.ports import Block

app = typer.Typer(
    help="Look at this home's index of the chain, or make it anew.", no_args_is_help=True
)


@app.command()
def follow(home: Folder = None, as_json: AsJson = False) -> None:
    """Read the chain up to its newest final block."""
    say(_shown(enter(home).indexing.follow()), as_json=as_json)


@app.command()
def rebuild(home: Folder = None, as_json: AsJson = False) -> None:
    """Forget what was read and read all of it again; nothing that was accepted or sent is lost."""
    say(_shown(enter(home).indexing.rebuild()), as_json=as_json)


def _shown(block: Block) -> Answer:
    return {"block": block.number, "hash": to_hex(block.hash), "time": Moment(block.time)}
