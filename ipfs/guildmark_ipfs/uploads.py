"""Files that arrive in parts: what was taken is durable, and an upload goes on from there.

Each full chunk becomes a leaf of the file at once, so nothing is written twice; the session beside
it lists the leaves. After a crash of either side the upload stands at the last leaf on the list.
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from guildmark_ipfs.blocks import BlockStore
from guildmark_ipfs.cid import DIGEST_SIZE, Buffer, Cid, Codec
from guildmark_ipfs.durable import disk_errors, make_folder, replacing, sync_folder
from guildmark_ipfs.errors import (
    BusyError,
    NotFoundError,
    TooLargeError,
    TruncatedError,
    WrongOffsetError,
)
from guildmark_ipfs.keys import Entropy
from guildmark_ipfs.unixfs import CHUNK, MAX_FILE, Builder

_NAME = re.compile(r"[0-9a-f]{32}")
_NAME_SIZE = 16
_SIZE_BYTES = 8
_WEEK = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How far an upload is.

    Args:
        name: 32 hex digits that nobody can guess: who knows them may go on with it.
        size: The bytes that were announced.
        offset: The bytes that are stored durably.
    """

    name: str
    size: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Sessions in one folder, over a block store.

    Args:
        most: How many sessions may be there at once.
        lifetime: Seconds after which a session that did not move is forgotten.
        now: The time, in seconds.
    """

    folder: Path
    blocks: BlockStore
    most: int = 4096
    lifetime: float = _WEEK
    now: Callable[[], float] = time.time

    def begin(self, size: int, *, limit: int = MAX_FILE, entropy: Entropy = os.urandom) -> Upload:
        """Begin an upload of ``size`` bytes.

        Raises:
            TooLargeError: More than ``limit`` bytes are announced.
            BusyError: There are as many sessions as may be.
            StoreFullError: No room.
            StoreFailedError: The disk refuses.
        """
        if not 0 <= size <= limit:
            message = f"A file has at most {limit} bytes, {size} were announced."
            raise TooLargeError(message, size=size, limit=limit)
        make_folder(self.folder)
        if self._sweep() >= self.most:
            message = f"There are {self.most} uploads already."
            raise BusyError(message, limit=self.most)
        name = entropy(_NAME_SIZE).hex()
        with replacing(self.folder / name) as file:
            file.write(size.to_bytes(_SIZE_BYTES, "big"))
        return Upload(name=name, size=size, offset=0)

    def status(self, name: str) -> Upload:
        """Return how far an upload is.

        Raises:
            NotFoundError: There is none of that name.
            StoreFailedError: The disk refuses.
        """
        path = self._path(name)
        with disk_errors(self.folder), path.open("rb") as file:
            size = int.from_bytes(file.read(_SIZE_BYTES), "big")
            stored = (path.stat().st_size - _SIZE_BYTES) // DIGEST_SIZE
        return Upload(name=name, size=size, offset=min(size, stored * CHUNK))

    def append(self, name: str, offset: int, pieces: Iterable[Buffer]) -> Upload:
        """Take what follows ``offset``, leaf by leaf; what is left of a leaf is not kept.

        Where ``pieces`` raises, the leaves so far are stored and the upload goes on from there.

        Raises:
            NotFoundError: There is none of that name.
            WrongOffsetError: The upload stands elsewhere; ``detail`` says where.
            TooLargeError: More bytes come than were announced; those announced are stored.
            BusyError: Another part of it is arriving.
            ContentError: Whatever the block store raises.
        """
        with self._session(name) as session:
            upload = self.status(name)
            if offset != upload.offset:
                message = f"The upload stands at byte {upload.offset}, not at {offset}."
                raise WrongOffsetError(message, offset=upload.offset)
            _drop_torn_entry(session)
            left = upload.size - offset
            for leaf in _leaves(pieces, left):
                session.write(self.blocks.put(leaf, Codec.RAW).digest)
                session.flush()
                os.fsync(session.fileno())
        return self.status(name)

    def finish(self, name: str) -> Cid:
        """Return the address of a file that arrived whole, stored and pinned; repeating is safe.

        Raises:
            NotFoundError: There is none of that name.
            TruncatedError: Bytes are missing.
            BusyError: A part of it is arriving.
            ContentError: Whatever the block store raises.
        """
        with self._session(name) as session:
            upload = self.status(name)
            builder = Builder(self.blocks)
            for leaf in _entries(session):
                size = min(CHUNK, upload.size - builder.size)
                builder.adopt(leaf, size)
            if builder.size < upload.size:
                message = f"Of {upload.size} bytes, {builder.size} arrived."
                raise TruncatedError(message, size=upload.size, offset=builder.size)
            root = builder.finish()
            self.blocks.pin(root.cid)
        return root.cid

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            message = "There is no such upload; begin a new one."
            raise NotFoundError(message, upload=name[:32])
        return path

    @contextlib.contextmanager
    def _session(self, name: str) -> Iterator[BinaryIO]:
        with disk_errors(self.folder), self._path(name).open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                message = "A part of this upload is arriving already."
                raise BusyError(message) from exc
            yield cast("BinaryIO", file)

    def _sweep(self) -> int:
        oldest, left = self.now() - self.lifetime, 0
        with disk_errors(self.folder):
            for path in self.folder.iterdir():
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
                else:
                    left += 1
        sync_folder(self.folder)
        return left


def _leaves(pieces: Iterable[Buffer], left: int) -> Iterator[memoryview]:
    """Yield full chunks, and the file's last one; ``left`` bytes may come."""
    buffer, filled = memoryview(bytearray(CHUNK)), 0
    for piece in pieces:
        view = memoryview(piece).cast("B")
        while view:
            if not left:
                message = "More bytes came than were announced."
                raise TooLargeError(message)
            taken = view[: min(len(view), CHUNK - filled, left)]
            buffer[filled : filled + len(taken)] = taken
            filled, left, view = filled + len(taken), left - len(taken), view[len(taken) :]
            if filled == CHUNK or not left:
                yield buffer[:filled]
                filled = 0


def _entries(session: BinaryIO) -> Iterator[Cid]:
    session.seek(_SIZE_BYTES)
    while len(digest := session.read(DIGEST_SIZE)) == DIGEST_SIZE:
        yield Cid(Codec.RAW, digest)


def _drop_torn_entry(session: BinaryIO) -> None:
    # A crash can leave part of an entry: the leaf that it was to name is asked for again.
    end = session.seek(0, os.SEEK_END)
    session.seek(end - (end - _SIZE_BYTES) % DIGEST_SIZE)
    session.truncate()
