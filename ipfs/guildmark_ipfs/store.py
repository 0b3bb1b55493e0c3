"""Files in a block store: put once, read whole or by range, encrypted on the way where wanted."""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guildmark_ipfs import crypt
from guildmark_ipfs.blocks import BlockSink, BlockStore
from guildmark_ipfs.cid import Buffer, Cid
from guildmark_ipfs.digests import StreamDigest
from guildmark_ipfs.errors import NotFoundError
from guildmark_ipfs.keys import ContentKey, Entropy
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.streams import Sink, Source, fill
from guildmark_ipfs.unixfs import CHUNK, MAX_FILE, Builder, Tree

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The facts of a file: its address, size and SHA-256."""

    cid: Cid
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypted:
    """The facts of an encrypted file and of what is in it."""

    stored: Stored
    plain: crypt.Plain


@dataclass(frozen=True, slots=True)
class ContentStore:
    """Files over any ``BlockStore``; every byte that is read was hashed again."""

    blocks: BlockStore

    def put_file(self, source: Source, *, limit: int = MAX_FILE) -> Stored:
        """Store ``source`` to its end, durably, in the memory of one chunk.

        Raises:
            TooLargeError: More than ``limit`` bytes; the blocks so far belong to no file.
            ContentError: Whatever the block store raises.
        """
        return self.put(_chunks(source), limit=limit)

    def put(self, pieces: Iterable[Buffer], *, limit: int = MAX_FILE) -> Stored:
        """Store a file that comes in pieces of any size.

        Raises:
            TooLargeError: More than ``limit`` bytes; the blocks so far belong to no file.
            ContentError: Whatever the block store raises.
        """
        stored = _build(self.blocks, pieces, limit)
        self.blocks.pin(stored.cid)
        return stored

    def put_encrypted(
        self,
        source: Source,
        key: ContentKey,
        *,
        entropy: Entropy = os.urandom,
        limit: int = MAX_FILE,
    ) -> Encrypted:
        """Encrypt ``source`` under ``key`` and store the result, in one pass.

        Args:
            source: What to encrypt.
            key: A new key: it encrypts this one file.
            entropy: Draws the salt.
            limit: The most bytes that the encrypted file may have.

        Raises:
            TooLargeError: More than ``limit`` bytes; the blocks so far belong to no file.
            ContentError: Whatever the block store raises.
        """
        with StreamDigest() as digest:
            file = _Writing(self.blocks, limit, digest)
            plain = crypt.encrypt(source, file, key, entropy=entropy)
            stored = file.finish()
        self.blocks.pin(stored.cid)
        return Encrypted(stored=stored, plain=plain)

    def decrypt(
        self, cid: Cid, key: ContentKey, sink: Sink, *, limit: int = MAX_FILE
    ) -> crypt.Plain:
        """Write the plaintext of an encrypted file to ``sink``.

        Where this raises after it began to write, discard what ``sink`` took;
        ``durable.replacing`` does so by itself.

        Raises:
            WrongKeyError: Another key; nothing was written.
            TooLargeError: The file has more bytes than ``limit``; nothing was written.
            ContentError: Not there, changed, cut, or whatever the block store raises.
        """
        return crypt.decrypt(self.open(cid, limit=limit), sink, key)

    def open(self, cid: Cid, *, limit: int = MAX_FILE) -> io.BufferedReader:
        """Open a file for reading and seeking.

        Raises:
            TooLargeError: The file has more bytes than ``limit``.
            MalformedError: Not laid out under the profile.
            ContentError: Whatever the block store raises, here and while reading.
        """
        return io.BufferedReader(_StoredFile(Tree(self.blocks, cid, limit=limit)))

    def read(
        self, cid: Cid, start: int = 0, stop: int | None = None, *, limit: int = MAX_FILE
    ) -> Iterator[bytes]:
        """Yield the bytes of a file from ``start`` up to ``stop``.

        Raises:
            TooLargeError: The file has more bytes than ``limit``.
            MalformedError: Not laid out under the profile.
            ContentError: Whatever the block store raises.
        """
        yield from Tree(self.blocks, cid, limit=limit).read(start, stop)

    def verify(self, cid: Cid, *, limit: int = MAX_FILE) -> Stored:
        """Read every byte of a file again and return its facts.

        Raises:
            TooLargeError: The file has more bytes than ``limit``.
            MalformedError: Not laid out under the profile.
            ContentError: Whatever the block store raises.
        """
        digest, size = hashlib.sha256(), 0
        for piece in self.read(cid, limit=limit):
            digest.update(piece)
            size += len(piece)
        return Stored(cid=cid, size=size, sha256=digest.digest())

    def has(self, cid: Cid) -> bool:
        """Return whether the file is here, whole; its leaves are looked up, not read.

        Raises:
            MalformedError: Not laid out under the profile.
            ContentError: Whatever the block store raises, but for blocks that are missing.
        """
        try:
            return all(self.blocks.has(block) for block in Tree(self.blocks, cid).cids())
        except NotFoundError:
            return False


def describe(source: Source, *, limit: int = MAX_FILE) -> Stored:
    """Return address, size and SHA-256 of ``source`` without storing it.

    Raises:
        TooLargeError: More than ``limit`` bytes.
    """
    return _build(AddressOnly(), _chunks(source), limit)


class _Writing:
    """A file that is being written: its blocks go out as they fill."""

    def __init__(self, blocks: BlockSink, limit: int, digest: StreamDigest) -> None:
        self._builder = Builder(blocks, limit=limit)
        self._digest = digest

    def write(self, data: Buffer, /) -> int:
        self._digest.begin(data)
        size = self._builder.write(data)
        self._digest.join()
        return size

    def finish(self) -> Stored:
        root = self._builder.finish()
        return Stored(cid=root.cid, size=root.size, sha256=self._digest.digest())


class _StoredFile(io.RawIOBase):
    """A stored file as the standard library reads files."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._tree.size}
        if whence not in bases or bases[whence] + offset < 0:
            message = f"There is no position {offset} of kind {whence} in a file."
            raise ValueError(message)
        self._position = bases[whence] + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        stop = self._position + len(view)
        piece = next(self._tree.read(self._position, stop), b"")
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _build(blocks: BlockSink, pieces: Iterable[Buffer], limit: int) -> Stored:
    with StreamDigest() as digest:
        file = _Writing(blocks, limit, digest)
        for piece in pieces:
            file.write(piece)
        return file.finish()


def _chunks(source: Source) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(CHUNK))
    while piece := fill(source, buffer):
        yield piece
