"""``guildmark mirror``: keep what another operator's node would take along."""

from dataclasses import replace
from typing import Annotated

import typer

from guildmark.bootstrap import open_node
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import UINT40_MAX, LogNumber
from guildmark.domain.log.note import NoteKey
from guildmark.services.neighbours.mirroring import MirrorState
from guildmark.settings import save, with_node

ROOM = 10 * 1024
ROOM_MAX = 1 << 30

app = typer.Typer(
    help="Mirror other operators' logs, so that their parts outlive their nodes.",
    no_args_is_help=True,
)


class MirrorOwnLogError(UsageError):
    """A node is to mirror the log that it runs."""

    code = "mirror.ownLog"
    hint = "Name another operator's log; the own one is saved by a backup of the home."


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="The other operator's node.")],
    log: Annotated[
        int, typer.Option(metavar="LOG", min=1, max=UINT40_MAX, help="The log that it runs.")
    ],
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The log's key; else as the node itself says."),
    ] = None,
    content: Annotated[
        bool,
        typer.Option("--content", help="Keep the encrypted files that its parts need, too."),
    ] = False,
    content_max: Annotated[
        int,
        typer.Option(metavar="MIB", min=1, max=ROOM_MAX, help="How much of them at most."),
    ] = ROOM,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let the node of this home mirror a log: checkpoints, evidence, encrypted lists of files."""
    opened = enter(home)
    own = opened.settings.own_node()
    if log == own.log:
        message = f"Log {log} is this node's own."
        raise MirrorOwnLogError(message, log=log)
    with asking(url) as client:
        named = NoteKey.parse(key or client.log_key(LogNumber(log)))
    place = url.rstrip("/")
    others = [one for one in own.mirrors if not one.startswith(f"{log} ")]
    peers = own.peers if place in own.peers else (*own.peers, place)
    room = f" {content_max}" if content else ""
    mirrors = (*others, f"{log} {named.encode()} {place}{room}")
    save(with_node(opened.settings, replace(own, mirrors=mirrors, peers=peers)))
    note("Start the node again: `guildmark up`.")
    say({"log": log, "key": named.encode(), "url": place}, as_json=as_json, brief=named.encode())


@app.command()
def status(
    now: Annotated[bool, typer.Option("--now", help="Bring the mirrors up to date first.")] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show of how many entries of each mirrored log this home keeps evidence and files."""
    mirroring = open_node(enter_informed(home)).mirroring
    states = mirroring.round() if now else mirroring.status()
    say({"mirrors": [_shown(one) for one in states]}, as_json=as_json)


def _shown(state: MirrorState) -> Answer:
    return {
        "log": state.log,
        "entries": state.entries,
        "kept": state.kept,
        "absent": state.absent,
        "files": {
            "named": state.files.named,
            "kept": state.files.kept,
            "unlisted": state.files.unlisted,
            "bytes": state.files.size,
        },
        "code": state.code,
    }
