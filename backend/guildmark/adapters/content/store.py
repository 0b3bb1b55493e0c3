"""Content in a block store on this disk, and in the stores beside it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from guildmark.adapters.content.failures import translated
from guildmark.domain.identifiers import Cid
from guildmark_ipfs import car
from guildmark_ipfs import cid as addresses
from guildmark_ipfs.replicas import ReplicatedBlockStore
from guildmark_ipfs.store import ContentStore as BlockContent


@dataclass(frozen=True, slots=True)
class LocalContent:
    """Files over the own block store and its replicas; fulfils ``ContentStore``.

    Args:
        blocks: The stores as one.
    """

    blocks: ReplicatedBlockStore

    @property
    def files(self) -> BlockContent:
        """Return the library's view of the same blocks."""
        return BlockContent(self.blocks)

    def put(self, chunks: Iterable[bytes]) -> Cid:
        """Store a file durably, in as many stores as are wanted, and return its CID."""
        with translated():
            return Cid(str(self.files.put(chunks).cid))

    def get(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes, each block hashed again."""
        with translated():
            yield from self.files.read(addresses.Cid.parse(cid))

    def write_car(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file as a CAR, each block hashed again."""
        with translated():
            yield from car.write(self.blocks, addresses.Cid.parse(cid))

    def load_car(self, chunks: Iterable[bytes], cid: Cid) -> None:
        """Store the file of a CAR; nothing else than exactly this file is taken."""
        with translated():
            car.load(chunks, self.blocks, addresses.Cid.parse(cid))

    def has(self, cid: Cid) -> bool:
        """Return whether the file is here, whole; other stores are asked for what was put here."""
        with translated():
            # Who asks a node for any address must not make it search elsewhere.
            address = addresses.Cid.parse(cid)
            return self.blocks.lists(address) and self.files.has(address)
