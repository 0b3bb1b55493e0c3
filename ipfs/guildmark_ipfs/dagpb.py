"""Nodes of a DAG in dag-pb, strictly: links first, each with address, name and size, then data.

Format: https://ipld.io/specs/codecs/dag-pb/spec/. What other encoders may leave out (a link's name
or size) is refused here: the profile of our files always writes it, and one node has one encoding.
"""

from dataclasses import dataclass

from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import BadCidError, MalformedError
from guildmark_ipfs.wire import BYTES, WireReader, bytes_field, number_field

_NODE_DATA = 1
_NODE_LINK = 2
_LINK_CID = 1
_LINK_NAME = 2
_LINK_SIZE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge of the DAG.

    Args:
        size: All bytes below it, blocks included (Tsize).
    """

    cid: Cid
    name: str = ""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A block of links and, optionally, data."""

    links: tuple[Link, ...] = ()
    data: bytes | None = None


def encode(node: Node) -> bytes:
    """Return the block of ``node``."""
    fields = [bytes_field(_NODE_LINK, _encode_link(link)) for link in node.links]
    if node.data is not None:
        fields.append(bytes_field(_NODE_DATA, node.data))
    return b"".join(fields)


def decode(block: bytes) -> Node:
    """Read a block.

    Raises:
        MalformedError: The bytes are not exactly what ``encode`` would write.
    """
    reader = WireReader(block)
    links: list[Link] = []
    while reader.begins(_NODE_LINK, BYTES):
        links.append(_decode_link(reader.blob(_NODE_LINK)))
    data = reader.blob(_NODE_DATA) if reader.begins(_NODE_DATA, BYTES) else None
    reader.finish()
    return Node(links=tuple(links), data=data)


def _encode_link(link: Link) -> bytes:
    return (
        bytes_field(_LINK_CID, bytes(link.cid))
        + bytes_field(_LINK_NAME, link.name.encode())
        + number_field(_LINK_SIZE, link.size)
    )


def _decode_link(message: bytes) -> Link:
    reader = WireReader(message)
    cid, name = reader.blob(_LINK_CID), reader.blob(_LINK_NAME)
    size = reader.number(_LINK_SIZE)
    reader.finish()
    try:
        return Link(cid=Cid.from_bytes(cid), name=name.decode(), size=size)
    except (BadCidError, UnicodeDecodeError) as exc:
        sentence = "A link's address or name is not of an accepted form."
        raise MalformedError(sentence, cid=cid[:40].hex()) from exc
