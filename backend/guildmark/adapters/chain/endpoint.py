"""Where a local chain answers: the file that its keeper writes when it is ready."""

from pathlib import Path

import orjson

from guildmark.domain.errors import NotFoundError

FILE_NAME = "endpoint.json"


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
