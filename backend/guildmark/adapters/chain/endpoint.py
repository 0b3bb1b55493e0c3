"""Where a local chain answers: the file that its keeper writes when it is ready."""

from pathlib import Path

import orjson

from guildmark.domain.errors import NotFoundError

FILE_NAME = "endpoint.json"
PORT_FILE = "port"
DEFAULT_PORT = 8545

_PORT_MAX = 65_535


class ChainNotRunningError(NotFoundError):
    """No keeper runs the chain of this home."""

    code = "chain.notRunning"
    hint = "Start it with `guildmark chain run`, or name a chain with --url."


def endpoint(folder: Path) -> str:
    """Return the URL of the chain that is kept in ``folder``.

    Raises:
        ChainNotRunningError: No keeper said that it is ready.
    """
    path = folder / FILE_NAME
    try:
        return str(orjson.loads(path.read_bytes())["url"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as exc:
        message = f"The chain in {folder} does not run."
        raise ChainNotRunningError(message, folder=str(folder)) from exc


def preferred_ports(folder: Path, asked: int | None) -> tuple[int, ...]:
    """Return the ports to try in turn, so that a chain keeps its address when it starts again.

    Args:
        folder: The chain's folder.
        asked: The port that the user names; 0 is the last one or a free one, None the last one
            or the usual one.
    """
    if asked:
        return (asked,)
    last = remembered_port(folder)
    if asked is None:
        return (last or DEFAULT_PORT,)
    return (last, 0) if last else (0,)


def remembered_port(folder: Path) -> int | None:
    """Return the port at which the chain answered last, None where it never did."""
    try:
        port = int((folder / PORT_FILE).read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port <= _PORT_MAX else None
