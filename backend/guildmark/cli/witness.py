"""``guildmark witness``: see that logs only grow, and say which blocks are final."""

import json
import os
import signal
import socket
from dataclasses import replace
from typing import Annotated

import typer
import uvicorn
from uvicorn.importer import import_from_string

from guildmark.adapters.files import write_durably
from guildmark.adapters.home import HOME_VARIABLE
from guildmark.adapters.peers.witness import WitnessClient
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import folder_of
from guildmark.cli.nodes import check_address
from guildmark.cli.opening import enter
from guildmark.domain.errors import UntrustedError
from guildmark.domain.log.note import NoteKey
from guildmark.services.neighbours.witnessing import make_witness_key
from guildmark.settings import save, with_node

app = typer.Typer(
    help="Run a witness over logs and blocks; have a node ask one.", no_args_is_help=True
)

# A string, so that commands and routes stay independent rooms.
_FACTORY = "guildmark.api.witness:from_environment"
_ENDPOINT = "witness.json"
_PORT_MAX = 65535


class WitnessKeyError(UntrustedError):
    """The witness at the address has another key than the one that is named."""

    code = "witness.otherKey"
    hint = "Ask the witness's owner for its key, by another way than its address."


@app.command()
def run(
    host: Annotated[str, typer.Option(help="The address that it listens at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=_PORT_MAX, help="Its port, 0 for any.")] = 0,
    home: Folder = None,
) -> None:
    """Run a witness in a home that names a chain, until Ctrl-C; print its address.

    It cosigns checkpoints of the logs that were added, only where they grew from what it saw, and
    signs notes about final blocks of its chain.
    """
    folder = folder_of(home)
    make_witness_key(enter(home).keys)
    os.environ[HOME_VARIABLE] = str(folder)
    application = import_from_string(_FACTORY)()
    listener = socket.create_server((host, port))
    url = f"http://{host}:{listener.getsockname()[1]}"
    write_durably(folder / _ENDPOINT, json.dumps({"url": url, "pid": os.getpid()}).encode())
    typer.echo(url)
    note("Next: guildmark witness show, and give its key to those who read logs.")
    config = uvicorn.Config(application, access_log=False, log_config=None, server_header=False)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    uvicorn.Server(config).run(sockets=[listener])


@app.command()
def add(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The log's key: name+id+key.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let this home's witness cosign a log's checkpoints; the key is at the node's /log/N/key."""
    parsed = NoteKey.parse(key)
    enter(home).witnessing.add_log(parsed)
    say({"log": parsed.name, "key": parsed.encode()}, as_json=as_json, brief=parsed.name)


@app.command()
def show(home: Folder = None, as_json: AsJson = False) -> None:
    """Show the key of this home's witness, and what it saw last of each log."""
    opened = enter(home)
    make_witness_key(opened.keys)
    witnessing = opened.witnessing
    logs = [
        {
            "log": one.key.name,
            "records": 0 if one.last is None else one.last.size,
            "root": None if one.last is None else f"0x{one.last.root.hex()}",
        }
        for one in witnessing.logs()
    ]
    answer: Answer = {"key": witnessing.key().encode(), "logs": logs}
    say(answer, as_json=as_json)


@app.command()
def use(
    url: Annotated[str, typer.Argument(metavar="URL", help="The witness's address.")],
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Its key: name+id+key, as its owner gave it.")
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let the node of this home ask a witness: for its log's checkpoints, and about blocks."""
    check_address(url)
    opened, named = enter(home), NoteKey.parse(key)
    with WitnessClient(url.rstrip("/")) as client:
        found = client.key()
    if found != named:
        message = f"{url} says that its key is {found.encode()}."
        raise WitnessKeyError(message, found=found.encode())
    own = opened.settings.own_node()
    others = [one for one in own.witnesses if not one.startswith(f"{named.encode()} ")]
    entry = f"{named.encode()} {url.rstrip('/')}"
    save(with_node(opened.settings, replace(own, witnesses=(*others, entry))))
    note("Start the node again: `guildmark up`.")
    say({"witness": named.name, "url": url}, as_json=as_json, brief=named.name)
