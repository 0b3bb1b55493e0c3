"""Operators' nodes, as commands ask them."""

from collections.abc import Iterator
from contextlib import contextmanager

from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.errors import GuildmarkError, UsageError, all_errors


class NodeAddressError(UsageError):
    """A node's address does not begin with http:// or https://."""

    code = "cli.nodeAddressMalformed"
    hint = "Write the node's address as http://HOST:PORT."


@contextmanager
def asking(url: str) -> Iterator[NodeClient]:
    """Open a node's client; what the node refuses is raised as the error that it names.

    Raises:
        NodeAddressError: The address is none.
        PeerUnavailableError: The node does not answer.
        GuildmarkError: The node refuses.
    """
    if not url.startswith(("http://", "https://")):
        message = f"{url[:80]!r} is no address of a node."
        raise NodeAddressError(message, found=url[:80])
    with NodeClient(url.rstrip("/")) as client:
        try:
            yield client
        except PeerRefusedError as refused:
            kind = known_error(str(refused.detail.get("reason", "")))
            raise (refused if kind is None else kind(refused.message)) from refused


def known_error(code: str) -> type[GuildmarkError] | None:
    """Return the error that a code stands for, None where no loaded module has it."""
    return next((kind for kind in all_errors() if kind.code == code), None)
