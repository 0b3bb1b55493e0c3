"""Blocks on the local disk, one file each, named by an address that was computed here."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from guildmark_ipfs.blocks import MAX_BLOCK, check_size
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.durable import disk_errors, make_folder, replacing, sync_folder
from guildmark_ipfs.errors import BlockCorruptError, NotFoundError

# Never wait for a pipe, never follow a link: only what was written here is read here.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LocalBlockStore:
    """A durable block store under one folder, safe for threads and processes at once.

    A block is written aside, synchronised and renamed; it is hashed again whenever it is read, and
    bytes that are not what was written are never returned. Use ``open`` to make one.
    """

    root: Path

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the store in ``root``, making it where needed, and clear what dead writers left.

        Raises:
            StoreFullError: No room, or read-only.
            StoreFailedError: The folder cannot be used.
        """
        store = cls(root)
        make_folder(store._blocks)
        make_folder(store._scratch)
        store._sweep()
        return store

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Keep a copy of ``block`` durably and return its address.

        A corrupt file at that address is replaced.

        Raises:
            TooLargeError: More than ``MAX_BLOCK`` bytes.
            StoreFullError: No room, or read-only; nothing is left half-written.
            StoreFailedError: The disk refuses.
        """
        check_size(block)
        cid = Cid.of(block, codec)
        path = self._path(cid)
        if self._holds(path, block):
            # Another writer may have renamed it a moment ago: durable only after this.
            sync_folder(path.parent)
            return cid
        make_folder(path.parent)
        with self._lock(fcntl.LOCK_SH), replacing(path, scratch=self._scratch) as file:
            file.write(block)
        return cid

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again.

        Raises:
            NotFoundError: It is not here.
            BlockCorruptError: The disk holds other bytes.
            StoreFailedError: The disk refuses.
        """
        path = self._path(cid)
        with disk_errors(path.parent):
            block = _read(path)
        if block is None:
            message = f"Block {cid} is not in this store."
            raise NotFoundError(message, cid=str(cid))
        if not cid.matches(block):
            message = f"The stored bytes of block {cid} are not what was written."
            raise BlockCorruptError(message, cid=str(cid))
        return block

    def has(self, cid: Cid) -> bool:
        """Return whether a file stands at that address; its bytes are checked when read."""
        path = self._path(cid)
        with disk_errors(path.parent):
            try:
                return stat.S_ISREG(path.lstat().st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return False

    def pin(self, cid: Cid) -> None:
        """Note durably that a file hangs from the block; this store never collects.

        Raises:
            NotFoundError: It is not here.
            StoreFullError: No room, or read-only.
            StoreFailedError: The disk refuses.
        """
        if not self.has(cid):
            message = f"Block {cid} is not in this store."
            raise NotFoundError(message, cid=str(cid))
        path = self._pin(cid)
        if path.exists():
            return
        make_folder(path.parent)
        with disk_errors(path.parent):
            path.touch(mode=0o600)
        sync_folder(path.parent)

    def is_pinned(self, cid: Cid) -> bool:
        """Return whether the file was pinned here, be its blocks here or not."""
        return self._pin(cid).exists()

    def pins(self) -> Iterator[Cid]:
        """Yield the address of every file that was pinned, in an order of no meaning."""
        with disk_errors(self._pins):
            for path in self._pins.glob("??/*"):
                yield Cid.parse(path.name)

    def remove(self, cid: Cid) -> None:
        """Erase the block, if it is here, and the note that a file hangs from it.

        Raises:
            StoreFullError: The disk is read-only.
            StoreFailedError: The disk refuses.
        """
        # The note first: what is no longer here must not be asked for.
        for path in (self._pin(cid), self._path(cid)):
            with disk_errors(path.parent):
                there = path.is_file()
                path.unlink(missing_ok=True)
            if there:
                sync_folder(path.parent)

    @property
    def _blocks(self) -> Path:
        return self.root / "blocks"

    @property
    def _scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def _pins(self) -> Path:
        return self.root / "pins"

    def _path(self, cid: Cid) -> Path:
        return _below(self._blocks, cid)

    def _pin(self, cid: Cid) -> Path:
        return _below(self._pins, cid)

    def _holds(self, path: Path, block: Buffer) -> bool:
        with disk_errors(path.parent):
            return _read(path) == block

    @contextlib.contextmanager
    def _lock(self, mode: int) -> Iterator[None]:
        with disk_errors(self.root):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.root / "lock", flags, 0o600)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        # Whoever writes holds the lock shared, so what lies here now belongs to nobody.
        try:
            with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB), disk_errors(self._scratch):
                for leftover in self._scratch.iterdir():
                    leftover.unlink()
        except BlockingIOError:
            return


def _below(folder: Path, cid: Cid) -> Path:
    # The last letter carries three bits only; the two before it spread over 1,024 folders.
    name = str(cid)
    return folder / name[-3:-1] / name


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_BLOCK + 1)
