"""Files as CARs, version 1: one root, blocks in the order in which a reader of the file needs them.

Format: https://ipld.io/specs/transport/car/carv1/. A block that occurs twice is written once, as
Kubo does, so both write equal bytes. Reading demands exactly these bytes for the root that was
asked for: what lies between, behind or in another order is refused, and size and shape are known
from the first block on.
"""

from collections.abc import Iterable, Iterator

from guildmark_ipfs.blocks import MAX_BLOCK, BlockSource, BlockStore
from guildmark_ipfs.cid import CID_SIZE, Buffer, Cid
from guildmark_ipfs.errors import (
    BadCidError,
    HashMismatchError,
    MalformedError,
    TooLargeError,
    TruncatedError,
)
from guildmark_ipfs.unixfs import MAX_FILE, Root, Tree
from guildmark_ipfs.wire import varint

MEDIA_TYPE = "application/vnd.ipld.car"
# DAG-CBOR of {"roots": [CID], "version": 1}: keys by length, a CID as tag 42 of 37 bytes.
_BEFORE_ROOT = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00"
_AFTER_ROOT = b"\x67version\x01"
_HEADER_SIZE = len(_BEFORE_ROOT) + CID_SIZE + len(_AFTER_ROOT)
# A section is an address and a block: its length has at most four groups of seven bits.
_MAX_SECTION = CID_SIZE + MAX_BLOCK
_LENGTH_GROUPS = 4
_SEVEN_BITS = 0x7F
_MORE = 0x80


def write(blocks: BlockSource, cid: Cid) -> Iterator[bytes]:
    """Yield the CAR of a file, block by block.

    Raises:
        MalformedError: Not laid out under the profile.
        ContentError: Whatever ``blocks`` raises.
    """
    header = _BEFORE_ROOT + bytes(cid) + _AFTER_ROOT
    yield varint(len(header)) + header
    written: set[bytes] = set()
    for address in Tree(blocks, cid).cids():
        if bytes(address) not in written:
            written.add(bytes(address))
            block = blocks.get(address)
            yield varint(CID_SIZE + len(block)) + bytes(address) + block


def load(pieces: Iterable[Buffer], blocks: BlockStore, root: Cid, *, limit: int = MAX_FILE) -> Root:
    """Store the file of a CAR, every block hashed, and pin it.

    Args:
        pieces: The CAR's bytes, in pieces of any size.
        blocks: Where they go; after an error what went there belongs to no file.
        root: The file that was asked for.
        limit: The most bytes that the file may have.

    Raises:
        MalformedError: Not a CAR of that file as ``write`` writes it.
        HashMismatchError: A block hashes to something else.
        TruncatedError: The end is missing.
        TooLargeError: The file has more bytes than ``limit``.
        ContentError: Whatever ``blocks`` raises.
    """
    reader = _Reader(pieces)
    reader.expect_header(root)
    arriving = _Arriving(reader, blocks)
    tree = Tree(arriving, root, limit=limit)
    # Reading in order asks for the blocks in order, and checks each leaf's size.
    for _ in tree.read():
        pass
    reader.expect_end()
    blocks.pin(root)
    return Root(cid=root, size=tree.size)


class _Arriving:
    """A source of the blocks that come out of a CAR; they are stored as they pass."""

    def __init__(self, reader: "_Reader", blocks: BlockStore) -> None:
        self._reader = reader
        self._blocks = blocks
        self._seen: set[bytes] = set()

    def get(self, cid: Cid) -> bytes:
        if bytes(cid) in self._seen:
            return self._blocks.get(cid)
        block = self._reader.block(cid)
        self._blocks.put(block, cid.codec)
        self._seen.add(bytes(cid))
        return block


class _Reader:
    """Takes a CAR apart; never holds more than one section and one piece."""

    def __init__(self, pieces: Iterable[Buffer]) -> None:
        self._pieces = iter(pieces)
        self._rest = bytearray()

    def expect_header(self, root: Cid) -> None:
        header = self._take(self._length(_HEADER_SIZE))
        if header != _BEFORE_ROOT + bytes(root) + _AFTER_ROOT:
            message = f"The CAR's header is not that of a CAR with the one root {root}."
            raise MalformedError(message, expected=str(root), found=header.hex())

    def block(self, cid: Cid) -> bytes:
        section = self._take(self._length(_MAX_SECTION))
        found = _address(section[:CID_SIZE])
        if found != cid:
            message = f"Block {cid} was to come next in the CAR, {found} came."
            raise MalformedError(message, expected=str(cid), found=str(found))
        block = section[CID_SIZE:]
        if not cid.matches(block):
            message = f"The CAR has other bytes than those of block {cid}."
            raise HashMismatchError(message, cid=str(cid), size=len(block))
        return block

    def expect_end(self) -> None:
        if self._rest or any(self._pieces):
            message = "Something follows the last block of the CAR."
            raise MalformedError(message)

    def _length(self, limit: int) -> int:
        value, read = 0, bytearray()
        for group in range(_LENGTH_GROUPS):
            read += self._take(1)
            value |= (read[-1] & _SEVEN_BITS) << 7 * group
            if read[-1] < _MORE:
                break
        if read[-1] >= _MORE or value > limit:
            message = f"A part of the CAR announces more than {limit} bytes."
            raise TooLargeError(message, limit=limit)
        if varint(value) != bytes(read):
            message = "A length in the CAR is not in its shortest form."
            raise MalformedError(message, found=read.hex())
        return value

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                message = "The CAR ends too early."
                raise TruncatedError(message)
            self._rest += piece
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        return taken


def _address(data: bytes) -> Cid:
    try:
        return Cid.from_bytes(data)
    except BadCidError as exc:
        raise MalformedError(f"A block of the CAR has no address: {exc.message}") from exc
