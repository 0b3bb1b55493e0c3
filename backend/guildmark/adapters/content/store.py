"""Content in a block store on this disk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from guildmark.adapters.content.failures import translated
from guildmark.domain.identifiers import Cid
from guildmark_ipfs import cid as addresses
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.store import ContentStore as BlockContent


@dataclass(frozen=True, slots=True)
class LocalContent:
    """Files over a local block store; fulfils ``ContentStore``.

    Args:
        files: The library's view of the same blocks.
    """

    files: BlockContent

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the block store in a folder, which is made where it is not there."""
        with translated():
            return cls(BlockContent(LocalBlockStore.open(folder)))

    def put(self, chunks: Iterable[bytes]) -> Cid:
        """Store a file durably and return its CID."""
        with translated():
            return Cid(str(self.files.put(chunks).cid))

    def get(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes, each block hashed again."""
        with translated():
            yield from self.files.read(addresses.Cid.parse(cid))

    def has(self, cid: Cid) -> bool:
        """Return whether the file is here, whole."""
        with translated():
            return self.files.has(addresses.Cid.parse(cid))
