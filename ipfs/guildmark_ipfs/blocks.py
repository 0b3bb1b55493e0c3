"""The port of block stores: bytes by their address, hashed again whenever they are read."""

from typing import Protocol

from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import TooLargeError

# Larger blocks do not travel: bitswap's limit, and Kubo's for `block put`.
MAX_BLOCK = 2 * 1024 * 1024


class BlockSink(Protocol):
    """Where blocks go."""

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Keep a copy of ``block`` durably and return its address.

        Raises:
            TooLargeError: More than ``MAX_BLOCK`` bytes.
            StoreFullError: No room.
            StoreFailedError: The disk refuses.
            UnavailableError: The store did not answer.
            HashMismatchError: The store claims another address.
        """
        ...


class BlockSource(Protocol):
    """Where blocks come from."""

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again: no other bytes are ever returned.

        Raises:
            NotFoundError: The store does not hold it.
            BlockCorruptError: The own disk holds other bytes.
            HashMismatchError: The source sent other bytes.
            TooLargeError: The source sent more than ``MAX_BLOCK`` bytes.
            StoreFailedError: The disk refuses.
            UnavailableError: The store did not answer.
        """
        ...


class BlockStore(BlockSink, BlockSource, Protocol):
    """A store that keeps what it was given."""

    def has(self, cid: Cid) -> bool:
        """Return whether the store holds the block, without reading it.

        Raises:
            UnavailableError: The store did not answer.
        """
        ...

    def pin(self, cid: Cid) -> None:
        """Keep the block and all below it from being collected as garbage.

        Raises:
            NotFoundError: It is missing, or something below it.
            UnavailableError: The store did not answer.
        """
        ...


def check_size(block: Buffer) -> None:
    """Refuse a block that no store would take.

    Raises:
        TooLargeError: More than ``MAX_BLOCK`` bytes.
    """
    if len(block) > MAX_BLOCK:
        message = f"A block has at most {MAX_BLOCK} bytes, this one has {len(block)}."
        raise TooLargeError(message, size=len(block), limit=MAX_BLOCK)
