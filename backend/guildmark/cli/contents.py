"""Content that travels between this home and a node."""

from guildmark.adapters.peers.client import NodeClient
from guildmark.bootstrap import Home
from guildmark.domain.identifiers import Cid
from guildmark.ports import ContentMismatchError


def fetch(home: Home, cid: Cid, node: NodeClient) -> None:
    """Bring a file from a node into this home, unless it is here; its address is computed again.

    Raises:
        ContentMismatchError: The node sent other bytes.
        PeerUnavailableError: The node does not answer.
    """
    if home.content.has(cid):
        return
    stored = home.content.put(node.get_content(cid))
    if stored != cid:
        message = f"The node sent other bytes for {cid}."
        raise ContentMismatchError(message, expected=cid, found=stored)


def send(home: Home, cid: Cid, node: NodeClient) -> None:
    """Send a file of this home to a node.

    Raises:
        ContentMissingError: It is not in this home.
        ContentMismatchError: The node computed another address.
        PeerUnavailableError: The node does not answer.
    """
    stored = node.put_content(home.content.get(cid))
    if stored != cid:
        message = f"The node stored {cid} under {stored}."
        raise ContentMismatchError(message, expected=cid, found=stored)
