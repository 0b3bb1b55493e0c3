"""``guildmark up``: run a node until Ctrl-C."""

import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from uvicorn.importer import import_from_string

from guildmark.adapters.chain import deployment
from guildmark.adapters.files import write_durably
from guildmark.adapters.home import HOME_VARIABLE, default_home
from guildmark.cli import embedded
from guildmark.cli.answers import note
from guildmark.cli.certificate import files_of
from guildmark.domain.errors import ConflictError, NetworkError
from guildmark.settings import load, with_environment

app = typer.Typer()

# A string, so that commands and routes stay independent rooms.
_FACTORY = "guildmark.api.node:from_environment"
_WIRE = "guildmark.api.wire:Wire"
_ENDPOINT = "node.json"
_LOCK = "node.lock"
_GRACE = 5
# Python's own is five times as long: so long does the loop wait, at each event, for a thread that
# makes a page.
_TURN_SECONDS = 0.001


class PortTakenError(NetworkError):
    """The address that the node shall listen at is taken or not this machine's."""

    code = "node.portTaken"
    hint = "Set another node.port in guildmark.toml, or 0 for a free one."


class NodeRunningError(ConflictError):
    """Another process runs the node of this home."""

    code = "node.running"
    hint = "Use the node that runs, or end it first."


@app.command()
def up(
    home: Annotated[Path | None, typer.Option(help="The operator's home.")] = None,
    name: Annotated[
        str, typer.Option(help="The operator's name, where the home is new.")
    ] = embedded.DEFAULT_NAME,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Listen at this port, not at that of the settings; 0 is a free one. A new "
            "node keeps it.",
        ),
    ] = None,
) -> None:
    """Run a node: its log, its index, its pages and its API.

    In an empty home it first makes a local chain, deploys the contracts and opens a log. A home
    whose database is on a PostgreSQL server may have several processes, each at a port of its own.
    """
    folder = home or default_home(os.environ)
    has_chain = embedded.has_own_chain(folder)
    with _held(folder, alone=has_chain or not _is_shared(folder)):
        if not has_chain:
            _serve(folder, port)
            return
        with embedded.own_chain(folder) as url:
            is_new = embedded.make_ready(folder, url, name=name, port=port)
            # What a new node was told stands in its settings, and in the links that it gives out.
            _serve(folder, None if is_new else port)


def _is_shared(folder: Path) -> bool:
    return with_environment(load(folder), os.environ).shared is not None


@contextmanager
def _held(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold a home for one node, or for those that share its database.

    A lock of the system ends with its process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            message = f"A node of {folder} runs already{_place(folder)}."
            raise NodeRunningError(message, folder=str(folder)) from exc
        yield


def _place(folder: Path) -> str:
    try:
        endpoint = json.loads((folder / _ENDPOINT).read_bytes())
        return f" at {endpoint['url']}, as process {endpoint['pid']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _serve(folder: Path, port: int | None) -> None:
    node = load(folder).own_node()
    os.environ[HOME_VARIABLE] = str(folder)
    # Before anybody is told the address: what cannot work is said here.
    app = import_from_string(_FACTORY)()
    listener = _listener(node.host, node.port if port is None else port)
    host, taken = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    tls = files_of(folder)
    scheme = "http" if tls is None else "https"
    endpoint = {"url": f"{scheme}://{shown}:{taken}", "pid": os.getpid()}
    write_durably(folder / _ENDPOINT, json.dumps(endpoint).encode())
    typer.echo(endpoint["url"])
    _say_next(str(endpoint["url"]), folder)
    config = uvicorn.Config(
        app,
        http=_WIRE,
        # The application logs by itself: every line as JSON, requests without their paths.
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )
    sys.setswitchinterval(_TURN_SECONDS)
    # The server takes the signal, ends in order, and raises it again: by then all is done.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    uvicorn.Server(config).run(sockets=[listener])
    if app.state.failure is not None:
        raise app.state.failure


def _say_next(url: str, folder: Path) -> None:
    note(f"Pages: {url}/  interface: {url}/docs  what codes mean: {url}/errors")
    note(f"Next, in another terminal: guildmark doctor --home {folder}")
    deployed = folder / "chain" / deployment.FILE_NAME
    if deployed.exists():
        note(f"A maker's home: guildmark init --home DIR --deployment {deployed}")
    note("Ctrl-C ends the node; the next `guildmark up` goes on with what is there.")


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        message = f"Nothing can listen at {host}:{port}: {exc.strerror}."
        raise PortTakenError(message, host=host, port=port) from exc
    return listener
