"""A block store in memory, and a sink that only computes addresses."""

from dataclasses import dataclass, field

from guildmark_ipfs.blocks import check_size
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import BlockCorruptError, NotFoundError


@dataclass(frozen=True, slots=True)
class MemoryBlockStore:
    """Blocks of one process, gone with it."""

    blocks: dict[Cid, bytes] = field(default_factory=dict)

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Keep a copy of ``block`` and return its address."""
        check_size(block)
        cid = Cid.of(block, codec)
        self.blocks[cid] = bytes(block)
        return cid

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again."""
        block = self.blocks.get(cid)
        if block is None:
            message = f"Block {cid} is not in this store."
            raise NotFoundError(message, cid=str(cid))
        if not cid.matches(block):
            message = f"The bytes kept for {cid} hash to something else."
            raise BlockCorruptError(message, cid=str(cid))
        return block

    def has(self, cid: Cid) -> bool:
        """Return whether the block is here."""
        return cid in self.blocks

    def pin(self, cid: Cid) -> None:
        """Check that the block is here; nothing is ever collected."""
        self.get(cid)


class AddressOnly:
    """A sink that keeps nothing: for the address of bytes that stay where they are."""

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Return the address of ``block``."""
        check_size(block)
        return Cid.of(block, codec)
